"""Everything that is kept of one owner: counted, taken out, and erased but for what is not ours."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from engine import paths
from engine.api import Engine, receipt_text
from engine.config import Settings
from engine.errors import InputError, StorageError
from engine.session import erasing, selftest
from engine.session.chats import JSON_NAME
from engine.session.data import ANSWERS_NAME, PROFILE_NAME
from engine.session.selftest import Machine
from engine.store import database, profile
from engine.store.calibration import StoredCalibration
from engine.types.answers import Answer, Ready
from engine.types.data import DataKind, DataPart
from tests.unit.cli.records import put_duel, record
from tests.unit.conftest import MakeEngine, remember

SECRET = "basil on the window sill"


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)


@pytest.fixture
def full(make_engine: MakeEngine, data: Path) -> Engine:
    """An engine with something of everything in its folder."""
    remember(data, gamma=3.5)
    engine = make_engine()
    talk(engine, SECRET)
    talk(engine, "in the trash", trash=True)
    put_duel(data, question=SECRET, texts=("So.", "Thus."))
    with record(data) as opened:
        opened.vote("0000beef", "first")
    engine._measured.keep((measured("one"), measured("two")))
    make_adapter(data, "short")
    engine.chats.backups.make()
    for name in ("window.json", "import.json", ".settings.json.ab1_cd2e", "record.db.before-v2"):
        (data / name).write_text(SECRET)
    work = data / "merging" / ("0f" * 8)
    work.mkdir(parents=True)
    (work / "mask.npz").write_bytes(b"numbers")
    return engine


def talk(engine: Engine, text: str, *, trash: bool = False) -> None:
    asked = engine.chats.ask(text)
    begun = engine.chats.begin_answer(asked.id)
    ended = Answer(
        text="Yes.", finish="end", tokens=1, streams=1, gamma=0.0, seed=1, used=3, context=99,
        model="tiny",
    )  # fmt: skip
    engine.chats.finish(begun.id, ended)
    if trash:
        engine.chats.delete(asked.chat)


def measured(question: str) -> StoredCalibration:
    return StoredCalibration(
        candidate="tiny", model="0" * 64, question=question, question_hash=question,
        text=SECRET, tokens=4, finish="end", seconds=0.5,
    )  # fmt: skip


def make_adapter(data: Path, name: str) -> Path:
    path = data / "made" / f"{name}.gguf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"GGUF" + bytes(96))
    path.with_name(f"{path.name}.card.json").write_text("{}")
    return path


def parts(engine: Engine) -> dict[DataKind, DataPart]:
    return {part.kind: part for part in engine.data.overview().parts}


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# What is kept -------------------------------------------------------------------------------


def test_everything_is_counted_and_every_byte_has_its_place(full: Engine, data: Path) -> None:
    found = full.data.overview()
    known = {part.kind: part.count for part in found.parts}
    assert known == {
        "chats": 2, "votes": 1, "profile": 1, "answers": 2, "models": 0, "made": 1,
        "settings": 3, "backups": 2, "work": 1,
    }  # fmt: skip
    on_disk = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    assert found.size == sum(part.size for part in found.parts) == on_disk
    assert found.folder == str(data)
    sizes = {part.kind: part.size for part in found.parts}
    assert sizes["made"] == 102
    assert sizes["votes"] == (data / "record.db").stat().st_size + len(SECRET)


def test_to_look_at_an_empty_folder_makes_nothing(make_engine: MakeEngine, data: Path) -> None:
    engine = make_engine()
    before = names(data)
    assert {part.count for part in engine.data.overview().parts} == {0, 1}
    assert engine.data.check() == ()
    assert not engine.data.in_use()
    assert names(data) == before


def test_what_is_damaged_is_not_counted_and_says_why(full: Engine, data: Path) -> None:
    full.chats.close()
    (data / "chats.db").write_bytes(b"no database at all" * 300)
    part = parts(full)["chats"]
    assert part.count is None
    assert "chats.db is damaged" in part.trouble
    assert part.size == 18 * 300
    assert parts(full)["votes"].count == 1


def test_the_check_names_the_file_that_is_damaged(full: Engine, data: Path) -> None:
    assert full.data.check() == ()
    full.close()
    (data / "calibration.db").write_bytes(b"no database at all" * 300)
    (found,) = full.data.check()
    assert found.text.startswith("calibration.db is damaged (")


@pytest.mark.parametrize("offline", [True, False])
def test_whether_it_is_offline_is_asked_of_a_child(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    asked: list[object] = []

    def probe(spawn: object) -> Machine:
        asked.append(spawn)
        return Machine(variants=(), devices=(), gpu=False, offline=offline)

    monkeypatch.setattr(selftest, "probe", probe)
    engine = make_engine()
    assert engine.data.offline() is offline
    assert asked == [engine._spawn]


# Taking out ---------------------------------------------------------------------------------


def test_the_export_holds_everything_as_open_files(
    full: Engine, data: Path, tmp_path: Path
) -> None:
    to = tmp_path / "mine"
    found = full.data.export(to)
    assert found.path == str(to)
    assert names(to) - {"chats"} == set(found.files)
    assert len([name for name in found.files if re.fullmatch(r"chats/.*\.md", name)]) == 2
    assert found.size == sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    assert [chat["title"] for chat in json.loads((to / JSON_NAME).read_text())["chats"]] == [
        SECRET, "in the trash",
    ]  # fmt: skip
    (vote,) = profile.read(to / PROFILE_NAME).votes
    assert (vote.question, vote.answers[0].text) == (SECRET, "So.")
    answers = [json.loads(line) for line in (to / ANSWERS_NAME).read_text().splitlines()]
    assert [(a["question"], a["text"], a["tokens"]) for a in answers] == [
        ("one", SECRET, 4), ("two", SECRET, 4),
    ]  # fmt: skip
    assert (to / "settings.json").read_bytes() == (data / "settings.json").read_bytes()
    assert found.left_out == (
        f"Adapters and models that were made here stay where they are: 1 in {data / 'made'}, 0 MB.",
    )


def test_a_zip_holds_the_same(full: Engine, tmp_path: Path) -> None:
    folder = full.data.export(tmp_path / "mine")
    found = full.data.export(tmp_path / "mine.zip")
    assert found.files == folder.files
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed:
        assert tuple(packed.namelist()) == found.files
        assert packed.testzip() is None
        settings = packed.read("settings.json")
    assert settings == (tmp_path / "mine" / "settings.json").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes")
@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_an_export_is_closed_to_other_users(full: Engine, tmp_path: Path, name: str) -> None:
    full.data.export(tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_nothing_is_written_over(full: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="is there already"):
        full.data.export(tmp_path / name)
    assert names(tmp_path / name) == set()


def test_a_place_that_is_not_there_is_said(full: Engine, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        full.data.export(tmp_path / "none" / "mine")


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_a_full_disk_leaves_nothing_half(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = names(tmp_path)

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", no_space)
    monkeypatch.setattr("shutil.copyfile", no_space)
    with pytest.raises(StorageError, match="No space left"):
        full.data.export(tmp_path / name)
    assert names(tmp_path) == before


def test_a_damaged_part_is_left_out_and_said(full: Engine, data: Path, tmp_path: Path) -> None:
    full.close()
    (data / "chats.db").write_bytes(b"no database at all" * 300)
    found = full.data.export(tmp_path / "mine")
    assert "chats.db is damaged" in found.left_out[0]
    assert PROFILE_NAME in found.files
    assert JSON_NAME not in found.files


def test_of_an_empty_folder_only_the_settings_are_exported(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    assert make_engine().data.export(tmp_path / "mine").files == ("settings.json",)


# Erasing ------------------------------------------------------------------------------------


def test_after_erasing_no_word_is_left_and_every_file_is_on_the_receipt(
    full: Engine, data: Path
) -> None:
    before = {str(path): path.stat().st_size for path in data.rglob("*") if path.is_file()}
    foreseen = full.data.erasable()
    assert {file.path: file.size for file in foreseen.files} == before
    assert foreseen.size == sum(before.values())
    receipt = full.data.erase()
    assert {file.path: file.size for file in receipt.erased} == before
    assert (receipt.failed, receipt.stays) == ((), ())
    assert names(data) == set()
    assert all(0.0 < file.at <= receipt.at for file in receipt.erased)


def test_what_is_erased_is_overwritten_first(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, bytes] = {}
    unlink = Path.unlink

    def look(path: Path, missing_ok: bool = False) -> None:
        held[path.name] = path.read_bytes()
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", look)
    size = (data / "chats.db").stat().st_size
    full.data.erase()
    assert held["chats.db"] == bytes(size)
    assert [name for name, data in held.items() if any(data)] == [
        "short.gguf",
        "short.gguf.card.json",
    ]


def test_zeros_are_on_the_disk_before_a_name_goes(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, unlink, synced = os.fsync, Path.unlink, set[int]()

    def sync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def look(path: Path, missing_ok: bool = False) -> None:
        assert path.parent.name == "made" or path.stat().st_ino in synced, path.name
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "unlink", look)
    assert full.data.erase().failed == ()


def test_after_erasing_the_engine_is_as_on_a_first_start(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.change(gamma=4.0)
    settings = json.loads((data / "settings.json").read_text())
    (data / "settings.json").write_text(json.dumps(settings | {"of_a_newer_attune": SECRET}))
    engine = Engine(data, host=full._host, seeds=lambda: 11)
    assert list(engine.start())
    engine.data.erase()
    assert engine.settings == Settings()
    assert (engine.learning.learned().votes, engine.learning.learned().undoable) == (0, "")
    assert engine.chats.page() == ()
    assert engine.portfolio.current() is None
    engine.change(gamma=1.0)
    assert SECRET not in (data / "settings.json").read_text()
    assert isinstance([*engine.start()][-1], Ready), "the model is loaded again"
    talk(engine, "hello again")
    assert [chat.title for chat in engine.chats.page()] == ["hello again"]
    engine.close()


def test_what_attune_did_not_make_stays_and_is_named(full: Engine, data: Path) -> None:
    (data / "made" / "bought.gguf").write_bytes(b"GGUF")
    (data / "notes.txt").write_text("mine")
    (data / "backups" / "holiday.jpg").write_text("mine")
    (data / "merging" / "plans").mkdir()
    (data / "merging" / "plans" / "mask.npz").write_text("mine")
    (data / "record.db.mine").write_text("mine")
    receipt = full.data.erase()
    assert {path for path in names(data) if (data / path).is_file()} == {
        "made/bought.gguf", "notes.txt", "backups/holiday.jpg", "merging/plans/mask.npz",
        "record.db.mine",
    }  # fmt: skip
    reasons = {Path(file.path).relative_to(data).as_posix(): file.reason for file in receipt.stays}
    assert reasons == {
        "made/bought.gguf": "it has no card that says that Attune made it",
        "notes.txt": "Attune did not make it",
        "backups/holiday.jpg": "Attune did not make it",
        "merging/plans": "a folder that Attune did not make",
        "record.db.mine": "Attune did not make it",
    }


def test_a_model_elsewhere_is_never_touched(
    full: Engine, data: Path, tmp_path: Path, program_folder: Path
) -> None:
    model = tmp_path / "mine.gguf"
    model.write_bytes(next(program_folder.iterdir()).read_bytes())
    full.add_model(model)
    before = model.read_bytes()
    (data / "made" / "linked.gguf").symlink_to(model)
    (data / "made" / "linked.gguf.card.json").write_text("{}")
    (data / "workshop").symlink_to(tmp_path)
    receipt = full.data.erase()
    assert model.read_bytes() == before
    assert {Path(file.path).name for file in receipt.stays} == {"linked.gguf", "workshop"}
    assert not (data / "models.json").exists()


def test_a_second_name_elsewhere_keeps_what_it_holds(
    full: Engine, data: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "my-own-copy.db"
    os.link(data / "chats.db", copy)
    before = copy.read_bytes()
    full.data.erase()
    assert copy.read_bytes() == before


def test_a_database_that_somebody_writes_to_stops_it_before_anything_is_erased(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    before = names(data)
    with closing(sqlite3.connect(data / "chats.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=r"chats\.db is in use by another program"):
            full.data.erase()
        other.execute("ROLLBACK")
    assert names(data) == before
    assert full.learning.learned().votes == 1


def test_what_cannot_be_erased_is_said_and_all_else_is(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name == "calibration.db":
            raise OSError(errno.EBUSY, "Device or resource busy")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        receipt = full.data.erase()
    (left,) = receipt.failed
    assert left.path == str(data / "calibration.db")
    assert left.reason == "it cannot be erased (Device or resource busy)"
    assert names(data) == {"calibration.db"}
    assert [file.path for file in full.data.erase().erased] == [left.path], "a second try"


@pytest.mark.skipif(sys.platform == "win32", reason="the lock is another one there")
def test_the_open_window_keeps_its_lock_and_its_bell(full: Engine, data: Path) -> None:
    import fcntl

    (data / "rings").mkdir()
    (data / "rings" / "tmpab12.json").write_text("[]")
    with (data / "window.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert full.data.in_use()
        assert str(data / "window.lock") not in {file.path for file in full.data.erasable().files}
        (stays,) = full.data.erase().stays
        assert stays.reason == "the open window needs it, and takes it away when it closes"
        assert names(data) == {"rings", "window.lock"}
    assert not full.data.in_use()
    assert full.data.erase().stays == ()
    assert names(data) == set()


def test_a_damaged_database_is_erased_like_any_other(full: Engine, data: Path) -> None:
    full.close()
    (data / "record.db").write_bytes(b"no database at all" * 300)
    assert full.data.erase().failed == ()
    assert names(data) == set()


def test_every_file_that_the_engine_makes_is_known_as_its_own(full: Engine, data: Path) -> None:
    full.chats.backups.restore(full.chats.backups.list()[0].name)
    own, other = erasing.sorted_out(data)
    assert other == ()
    assert {file.path.relative_to(data).as_posix() for file in own} == {
        path for path in names(data) if (data / path).is_file()
    }


def test_the_receipt_reads_as_a_list(full: Engine, data: Path) -> None:
    (data / "notes.txt").write_text("mine")
    receipt = full.data.erase()
    text = receipt_text(receipt)
    assert text.startswith(f"Attune erased {len(receipt.erased)} files, {receipt.size:,} bytes, ")
    for file in receipt.erased:
        assert re.search(rf"\d\d:\d\d:\d\d +{file.size:,}  {re.escape(file.path)}\n", text)
    assert f"These stay:\n{data / 'notes.txt'}: Attune did not make it\n" in text
    assert "could not be erased" not in text
    assert "what you exported" in text


def test_no_trait_is_learned_about_before_a_vote(make_engine: MakeEngine, data: Path) -> None:
    put_duel(data)
    assert parts(make_engine())["profile"].count == 0


def test_the_texts_of_votes_are_erased_from_all_copies(full: Engine, data: Path) -> None:
    for name in ("window.json", "import.json", ".settings.json.ab1_cd2e", "record.db.before-v2"):
        (data / name).unlink()
    part = data / "backups" / "record-2026-07-29T120000Z.db.part"
    part.write_text(SECRET)
    copies = list((data / "backups").glob("record-*.db"))
    assert copies
    assert all(SECRET.encode() in path.read_bytes() for path in copies)
    full.learning.drop_texts()
    assert not part.exists()
    assert list((data / "backups").glob("record-*.db")) == copies
    for path in (data / "record.db", *copies):
        assert SECRET.encode() not in path.read_bytes()
    full.chats.backups.restore(copies[0].name)
    assert full.learning.learned().votes == 1


def test_a_copy_that_somebody_holds_is_named_and_not_deleted(
    full: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    (copy,) = (data / "backups").glob("record-*.db")
    with closing(sqlite3.connect(copy, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=copy.name):
            full.learning.drop_texts()
    assert copy.exists()


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_an_export_that_the_disk_does_not_confirm_is_there_and_not_said_to_be_nothing(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def unsynced(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(paths, "sync_folder", unsynced)
    with pytest.raises(StorageError, match="is written, but the disk does not confirm it"):
        full.data.export(tmp_path / name)
    assert (tmp_path / name).exists()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a folder cannot be synced")
def test_files_and_names_of_an_export_are_synced_before_it_has_its_name(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, synced, fsync = tmp_path / "mine", dict[int, object](), os.fsync

    def content(of: int | Path) -> object:
        """All names in a folder; the length of a file."""
        status = os.stat(of)
        return {*os.listdir(of)} if stat.S_ISDIR(status.st_mode) else status.st_size

    def noted(descriptor: int) -> None:
        if not to.exists():
            synced[os.fstat(descriptor).st_ino] = content(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    full.data.export(to)
    for path in (to, *to.rglob("*")):
        assert synced[path.stat().st_ino] == content(path)


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_a_disk_that_is_full_at_the_chats_is_no_export_without_them(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    fsync, before = os.fsync, names(tmp_path)

    def once(_descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", once)
    with pytest.raises(StorageError, match=f"{name} cannot be written .No space left"):
        full.data.export(tmp_path / name)
    assert names(tmp_path) == before


def test_texts_that_are_too_many_for_a_profile_are_left_out_and_said(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_texts = full.profiles.export(tmp_path / "with.attune-profile", texts=True).size
    monkeypatch.setattr(profile, "MAX_SIZE", with_texts - 20)  # the time may be shorter
    found = full.data.export(tmp_path / "mine")
    assert "more than" in found.left_out[0]
    (vote,) = profile.read(tmp_path / "mine" / PROFILE_NAME).votes
    assert (vote.outcome, vote.question) == ("first", "")


def test_a_clock_that_was_far_off_is_no_reason_not_to_export(
    full: Engine, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copyfile = shutil.copyfile

    def long_ago(source: Path, target: Path) -> None:
        copyfile(source, target)
        os.utime(target, (0, 0))

    monkeypatch.setattr("shutil.copyfile", long_ago)
    full.data.export(tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed:
        assert packed.read("settings.json") == (data / "settings.json").read_bytes()


def test_what_a_crash_left_of_a_model_that_was_being_written_is_erased(
    full: Engine, data: Path
) -> None:
    (data / "made" / "warm.gguf.attune-ab1_cd2e.part").write_bytes(b"GGUF")
    assert full.data.erase().stays == ()
    assert names(data) == set()


def test_a_log_that_lies_elsewhere_is_erased_with_the_rest(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    remember(data, gamma=3.5)
    elsewhere = tmp_path / "state" / "log"
    elsewhere.mkdir(parents=True)
    ours = ("attune.1.log", "attune.log", "bad-end.json", "faults.log")
    for name in (*ours, "notes.txt"):
        (elsewhere / name).write_text(SECRET)
    engine = make_engine()
    engine.log_dir = elsewhere
    foreseen = engine.data.erasable()
    receipt = engine.data.erase()
    paths = [str(elsewhere / name) for name in ours]
    assert [file.path for file in foreseen.files][-4:] == paths
    assert [file.path for file in receipt.erased][-4:] == paths
    assert all(path in receipt_text(receipt) for path in paths)
    assert [file.path for file in receipt.stays] == [str(elsewhere / "notes.txt")]
    assert names(elsewhere) == {"notes.txt"}
    (elsewhere / "notes.txt").unlink()
    engine.data.erase()
    assert not elsewhere.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are another matter there")
@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_everything_that_is_taken_out_is_closed_to_others(
    full: Engine, tmp_path: Path, name: str
) -> None:
    full.data.export(tmp_path / name)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as packed:
            modes = {info.external_attr >> 16 & 0o777 for info in packed.infolist()}
    else:
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        modes = {path.stat().st_mode & 0o777 for path in files}
    assert modes == {0o600}
