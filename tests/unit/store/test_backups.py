"""Copies are made when they are due, are sound, are thinned, and can be put back."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DamagedRecord, StorageError, UnknownBackup
from engine.paths import DataFolder
from engine.store import database, schema
from engine.store.backups import DAY, Backups, Kept, check, kept
from engine.store.chat_tables import KIND
from engine.store.record import Record
from tests.unit.store.chat_stores import run, store_at, talk, texts

NOON = datetime(2026, 7, 29, 12, tzinfo=UTC).timestamp()


class Place:
    """A data folder with a store, a record of votes, their copies, and a clock to set."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root=root)
        self.now = NOON
        self.store = store_at(self.folder.chats, clock=lambda: self.now)
        self.record = Record(self.folder.record, clock=lambda: self.now)
        files = (
            Kept(path=self.folder.chats, kind=KIND, close=self.store.close),
            Kept(path=self.folder.record, kind=schema.record(), close=self.record.close),
        )
        self.backups = Backups(self.folder.backups, files=files, clock=lambda: self.now)

    def copy(self, name: str) -> Path:
        return self.folder.backups / name


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()
    made.record.close()


# When ---------------------------------------------------------------------------------------


def test_a_copy_is_due_when_the_newest_is_a_day_old(place: Place) -> None:
    assert place.backups.make_due() == ()
    assert not place.folder.backups.exists()
    talk(place.store, ("Well?", "Yes."))
    (first,) = place.backups.make_due()
    assert (first.name, first.of, first.at) == ("chats-2026-07-29T120000Z.db", "chats.db", NOON)
    assert first.size == place.copy(first.name).stat().st_size
    place.now += DAY - 1
    assert place.backups.make_due() == ()
    place.record.reset()
    assert [copy.of for copy in place.backups.make_due()] == ["record.db"]
    place.now += 1
    assert [copy.of for copy in place.backups.make_due()] == ["chats.db"]
    place.now = NOON - 3 * DAY  # a clock that was put back does not stop the copies
    assert [copy.of for copy in place.backups.make_due()] == ["chats.db", "record.db"]


def test_copies_can_be_made_at_any_time_and_are_listed_the_newest_first(place: Place) -> None:
    talk(place.store, ("Well?", "Yes."))
    place.record.reset()
    made = place.backups.make()
    assert [copy.of for copy in made] == ["chats.db", "record.db"]
    place.now += DAY
    later = place.backups.make()
    assert [copy.at for copy in place.backups.list()] == [later[0].at] * 2 + [NOON] * 2
    for other in ("chats.db", "notes-2026-07-29T120000Z.db", "chats-2026-99-29T120000Z.db"):
        place.copy(other).touch()
    assert len(place.backups.list()) == 4


def test_a_copy_is_whole_sound_and_closed_to_others(place: Place) -> None:
    chat = talk(place.store, ("Well?", "Yes."))
    (made,) = place.backups.make()
    path = place.copy(made.name)
    assert check(path, KIND) == []
    copied = store_at(path)
    assert texts(copied, chat) == ["Well?", "Yes."]
    copied.close()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_damaged_file_is_not_copied_and_its_copies_stay(place: Place) -> None:
    talk(place.store, ("Well?", "Yes. " * 5000))
    place.backups.make()
    place.store.close()
    content = bytearray(place.folder.chats.read_bytes())
    content[8192:] = b"\xa5" * len(content[8192:])
    place.folder.chats.write_bytes(content)
    place.now += DAY
    with pytest.raises(DamagedRecord, match="is damaged"):
        place.backups.make_due()
    assert len(place.backups.list()) == 1
    assert [path.suffix for path in place.folder.backups.iterdir()] == [".db"]


def test_a_folder_that_cannot_be_used_is_named(place: Place) -> None:
    talk(place.store, ("Well?", "Yes."))
    place.folder.backups.write_text("a file in its place")
    for ask in (place.backups.list, place.backups.make, place.backups.make_due):
        with pytest.raises(StorageError, match=str(place.folder.backups)):
            ask()


# Which stay ---------------------------------------------------------------------------------


def test_seven_days_four_weeks_and_six_months_stay() -> None:
    daily = [NOON - n * DAY for n in range(400)]
    days = [f"{datetime.fromtimestamp(at, UTC):%m-%d}" for at in sorted(kept(daily), reverse=True)]
    assert days == [
        "07-29", "07-28", "07-27", "07-26", "07-25", "07-24", "07-23",  # days
        "07-19", "07-12",  # Sundays of the weeks before; two of the four are there already
        "06-30", "05-31", "04-30", "03-31", "02-28",  # months
    ]  # fmt: skip


@given(st.lists(st.integers(0, 300 * 24), unique=True, max_size=60))
def test_thinning_every_day_keeps_what_thinning_once_would_and_the_newest(
    hours: list[int],
) -> None:
    times = sorted(NOON + 3600.0 * hour for hour in hours)
    staying: set[float] = set()
    for at in times:
        staying = kept([*staying, at])
        assert at in staying
        assert len(staying) <= 7 + 4 + 6
    assert staying <= set(times)
    assert kept(sorted(staying)) == staying
    assert set(times[-1:]) <= staying


def test_copies_that_are_too_many_are_deleted_and_what_was_replaced_is_not(place: Place) -> None:
    talk(place.store, ("Well?", "Yes."))
    (first,) = place.backups.make()
    place.backups.restore(first.name)
    for _ in range(10):
        place.now += DAY / 4
        place.backups.make()
    names = [copy.name for copy in place.backups.list()]
    days = {copy.name[:16] for copy in place.backups.list() if not copy.replaced}
    assert len(names) == len(days) + 1
    assert names[-1] == "chats-2026-07-29T120000Z-replaced.db"


# Putting back -------------------------------------------------------------------------------


def test_a_copy_is_put_back_and_what_was_there_can_be_put_back_too(place: Place) -> None:
    chat = talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    later = talk(place.store, ("Later?", "Yes."))
    replaced = place.backups.restore(copy.name)
    assert replaced is not None
    assert replaced.replaced
    assert [one.id for one in place.store.chats(limit=10)] == [chat]
    assert place.copy(copy.name).exists()
    assert sorted(os.listdir(place.folder.root)) == ["backups", "chats.db"]
    place.backups.restore(replaced.name)
    assert [one.id for one in place.store.chats(limit=10)] == [later, chat]


def test_votes_are_put_back_alike(place: Place) -> None:
    place.record.reset()
    (copy,) = place.backups.make()
    place.record.undo()
    assert place.record.standing().undoable == ""
    place.backups.restore(copy.name)
    assert place.record.standing().undoable != ""


def test_a_copy_is_put_where_the_file_is_missing(place: Place) -> None:
    chat = talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    place.store.close()
    place.folder.chats.unlink()
    assert place.backups.restore(copy.name) is None
    assert texts(place.store, chat) == ["Well?", "Yes."]


def left_half_written(place: Place) -> Path:
    """A file whose program died in the middle of writing; its journal."""
    journal = place.folder.root / "chats.db-journal"
    place.store.close()
    with closing(sqlite3.connect(place.folder.chats, isolation_level=None)) as dying:
        dying.execute("PRAGMA cache_size = 1")
        dying.execute("BEGIN IMMEDIATE")
        dying.execute("UPDATE messages SET text = text || hex(zeroblob(50000))")
        half, left = place.folder.chats.read_bytes(), journal.read_bytes()
    place.folder.chats.write_bytes(half)
    journal.write_bytes(left)
    return journal


def test_a_journal_is_never_rolled_back_into_a_copy(place: Place) -> None:
    chat = talk(place.store, ("Well?", "Yes. " * 9000))
    (copy,) = place.backups.make()
    journal = left_half_written(place)
    place.folder.chats.unlink()
    assert place.backups.restore(copy.name) is None
    assert not journal.exists()
    left_half_written(place)
    replaced = place.backups.restore(copy.name)
    assert replaced is not None
    assert texts(place.store, chat) == ["Well?", "Yes. " * 9000]
    assert check(place.copy(replaced.name), KIND) == []


def test_a_copy_is_put_in_the_place_of_a_damaged_file(place: Place) -> None:
    chat = talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    place.store.close()
    place.folder.chats.write_bytes(b"no database at all" * 500)
    replaced = place.backups.restore(copy.name)
    assert replaced is not None
    assert place.copy(replaced.name).read_bytes().startswith(b"no database at all")
    assert texts(place.store, chat) == ["Well?", "Yes."]


def test_a_file_that_another_program_is_writing_to_is_not_replaced(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    with closing(sqlite3.connect(place.folder.chats, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="held by another program"):
            place.backups.restore(copy.name)
    assert sorted(os.listdir(place.folder.root)) == ["backups", "chats.db"]
    assert len(place.backups.list()) == 1
    assert place.backups.restore(copy.name) is not None


def test_without_links_what_was_there_is_copied(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(1, "Operation not permitted")

    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    before = place.folder.chats.read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    replaced = place.backups.restore(copy.name)
    assert replaced is not None
    assert place.copy(replaced.name).read_bytes() == before


@pytest.mark.parametrize("wrong", ["damaged", "empty", "other", "newer"])
def test_a_copy_that_is_no_sound_file_of_its_kind_is_refused(place: Place, wrong: str) -> None:
    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    path = place.copy(copy.name)
    match wrong:
        case "damaged":
            path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
        case "empty":
            path.write_bytes(b"")
        case "other":
            place.record.reset()
            place.record.close()
            path.write_bytes(place.folder.record.read_bytes())
        case _:
            run(path, "PRAGMA user_version = 9")
    before = place.folder.chats.read_bytes()
    with pytest.raises(DamagedRecord, match="take another one"):
        place.backups.restore(copy.name)
    assert place.folder.chats.read_bytes() == before
    assert len(place.backups.list()) == 1


def test_a_name_that_is_no_copy_is_said(place: Place, tmp_path: Path) -> None:
    for name in ("none", "../chats.db", str(tmp_path / "chats.db")):
        with pytest.raises(UnknownBackup, match="'attune backups list'"):
            place.backups.restore(name)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file cannot be replaced")
def test_another_program_that_has_the_replaced_file_open_is_told(place: Place) -> None:
    other = store_at(place.folder.chats, seed=9)
    talk(other, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    place.backups.restore(copy.name)
    with pytest.raises(StorageError, match="restart Attune"):
        other.ask("Lost?")
    other.close()
    assert len(place.store.chats(limit=10)) == 1


# The check ----------------------------------------------------------------------------------


def test_the_check_finds_damage_and_says_what(place: Place) -> None:
    talk(place.store, ("Well?", "Yes."))
    place.store.close()
    path = place.folder.chats
    assert check(path, KIND) == []
    assert check(path, schema.record()) == ["it has no changes", "it has no duels"]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX messages_by_chat ON messages (parent)' "
            "WHERE name = 'messages_by_chat'"
        )
    assert "messages_by_chat" in check(path, KIND)[0]
    with pytest.raises(StorageError, match="no file"):
        check(path.with_name("none.db"), KIND)


# What goes wrong ----------------------------------------------------------------------------


def test_a_copy_by_a_clock_that_was_put_back_stays(place: Place) -> None:
    talk(place.store, ("Well?", "Yes."))
    for days in (*range(0, 7 * 31, 31), *range(210, 220)):
        place.now = NOON + days * DAY
        place.backups.make()
    before = len(place.backups.list())
    place.now = NOON - 9000 * DAY
    (made,) = place.backups.make_due()
    assert made in place.backups.list()
    place.now += DAY
    (later,) = place.backups.make_due()
    assert later in place.backups.list()
    assert len(place.backups.list()) == before + 1


def test_a_damaged_file_does_not_keep_the_others_from_being_copied(place: Place) -> None:
    place.folder.chats.write_bytes(b"no database at all" * 500)
    place.record.reset()
    with pytest.raises(DamagedRecord, match=r"chats\.db"):
        place.backups.make_due()
    with pytest.raises(DamagedRecord, match=r"chats\.db"):
        place.backups.make()
    assert {copy.of for copy in place.backups.list()} == {"record.db"}


def test_who_reads_while_a_copy_is_put_back_reads_the_copy_afterwards(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    talk(place.store, ("Later?", "Yes."))

    def read_meanwhile(source: Path, target: Path, *, name: str) -> None:
        schema.keep_copy(source, target, name=name)
        assert len(place.store.chats(limit=10)) == 2

    monkeypatch.setattr("engine.store.backups.keep_copy", read_meanwhile)
    place.backups.restore(copy.name)
    assert [one.id for one in place.store.chats(limit=10)] == [chat]
    place.store.ask("And now?")


def test_where_what_was_there_cannot_be_kept_nothing_is_changed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(1, "Operation not permitted")

    def half(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    before = place.folder.chats.read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("shutil.copyfile", half)
    with pytest.raises(StorageError, match=r"(?i)no space left"):
        place.backups.restore(copy.name)
    assert place.folder.chats.read_bytes() == before
    assert [one.name for one in place.backups.list()] == [copy.name]


# A power cut --------------------------------------------------------------------------------


@pytest.fixture
def steps(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced, given a name or replaced, in order: names of files and folders."""
    done: list[str] = []
    replace, link = os.replace, os.link

    def replacing(source: Path, target: Path) -> None:
        done.append(f"{target.name} replaced")
        replace(source, target)

    def linking(source: Path, target: Path) -> None:
        done.append(f"{source.name} linked")
        link(source, target)

    root = place.folder.root
    monkeypatch.setattr(os, "replace", replacing)
    monkeypatch.setattr(os, "link", linking)

    def syncing(folder: Path) -> None:
        done.append("data synced" if folder == root else f"{folder.name} synced")

    monkeypatch.setattr("engine.store.backups.sync_folder", syncing)
    monkeypatch.setattr("engine.paths.sync_folder", syncing)
    return done


def test_what_a_copy_takes_the_place_of_outlives_a_power_cut_in_the_middle(
    place: Place, steps: list[str]
) -> None:
    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    # The folder of the copies may be new, too.
    assert steps[-2:] == ["backups synced", "data synced"]
    steps.clear()
    place.backups.restore(copy.name)
    begun = steps.index("chats.db linked")
    # Were the new name on the disk first, the old file could be lost, or its journal, which is
    # gone by then, come back and be rolled back into the copy.
    assert steps[begun:] == [
        "chats.db linked", "backups synced", "data synced", "chats.db replaced", "data synced"
    ]  # fmt: skip


def test_where_the_disk_does_not_confirm_what_was_put_back_it_is_there_and_that_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    talk(place.store, ("And now?", "No."))
    monkeypatch.setattr("engine.paths.sync_folder", refuse)
    with pytest.raises(StorageError, match="is written, but the disk does not confirm it"):
        place.backups.restore(copy.name)
    assert len(place.store.ids()) == 1


def test_what_is_copied_for_want_of_links_is_on_the_disk_before_it_is_replaced(
    place: Place, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(1, "Operation not permitted")

    def syncing(descriptor: int) -> None:
        done = os.fstat(descriptor).st_ino
        steps.extend(f"{path.name} synced" for path in kept_aside() if path.stat().st_ino == done)

    def kept_aside() -> list[Path]:
        return list(place.folder.backups.glob("*-replaced.db"))

    talk(place.store, ("Well?", "Yes."))
    (copy,) = place.backups.make()
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "fsync", syncing)
    place.backups.restore(copy.name)
    (aside,) = kept_aside()
    assert steps.index(f"{aside.name} synced") < steps.index("chats.db replaced")
