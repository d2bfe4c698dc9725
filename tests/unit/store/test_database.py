"""The file and its versions: refused with one sentence, never harmed."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import DamagedRecord, NewerRecord, StorageError
from engine.store import database, schema
from engine.store.record import Record
from tests.unit.store.conftest import SAFE, OpenRecord, duel

NOW = len(schema.MIGRATIONS)
"""The version of today."""


def refused(record: Record, kind: type[StorageError] = StorageError) -> str:
    """What it says to whoever reads or writes."""
    said = set()
    for ask in (record.standing, record.stamp, record.reset, lambda: record.open_duel(duel("new"))):
        with pytest.raises(kind) as caught:
            ask()
        assert type(caught.value) is kind
        said.add(caught.value.message)
    assert len(said) == 1
    return said.pop()


def run(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row for statement in statements for row in connection.execute(statement)]


@pytest.fixture
def used(path: Path) -> Path:
    """A file of this version, closed, with a vote in it."""
    record = Record(path, clock=lambda: 0.0)
    record.open_duel(duel())
    record.vote("d1", "first")
    record.close()
    return path


# What cannot be used ------------------------------------------------------------------------


def test_a_newer_file_is_refused_and_not_a_byte_is_changed(used: Path, record: Record) -> None:
    run(used, "PRAGMA user_version = 7")
    before = used.read_bytes()
    said = refused(record, NewerRecord)
    assert all(word in said for word in (str(used), "newer Attune", "7", "update Attune"))
    assert used.read_bytes() == before
    assert os.listdir(used.parent) == [used.name]


@pytest.mark.parametrize(
    "content", [b"hello", b"hello" * 1000, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    path: Path, record: Record, content: bytes
) -> None:
    path.write_bytes(content)
    said = refused(record, DamagedRecord)
    assert all(word in said for word in (str(path), "damaged", "move it aside"))
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_damage_further_in_is_found_when_it_is_read(used: Path, record: Record) -> None:
    content = bytearray(used.read_bytes())
    for start in range(4096, len(content), 4096):  # every page but the first
        content[start : start + 200] = b"\xa5" * 200
    used.write_bytes(content)
    with pytest.raises(DamagedRecord):
        record.standing()
    assert used.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path: Path, record: Record) -> None:
    run(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    assert "something else than a record" in refused(record, DamagedRecord)
    assert path.read_bytes() == before


def test_a_table_that_is_missing_is_named(used: Path, record: Record) -> None:
    run(used, "DROP TABLE changes")
    assert "no changes" in refused(record, DamagedRecord)


def test_an_empty_file_is_a_new_record(path: Path, record: Record) -> None:
    path.touch()
    record.open_duel(duel())
    assert record.duel("d1") == duel()


# What cannot be reached ---------------------------------------------------------------------


def test_a_folder_that_is_missing_or_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("missing", "file"):
        path = tmp_path / place / "record.db"
        said = refused(Record(path, clock=lambda: 0.0))
        assert str(path) in said
        assert "--data-dir" in said


def test_a_folder_in_its_place_is_named(path: Path, record: Record) -> None:
    path.mkdir()
    assert "permissions" in refused(record)


def test_a_folder_that_cannot_be_written_is_named(
    record: Record, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", deny)
    said = refused(record)
    assert "Permission denied" in said
    assert str(path) in said


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="nothing is closed to root, nor to Windows"
)
def test_a_folder_closed_by_its_mode_can_be_read_and_not_written(
    used: Path, record: Record
) -> None:
    used.parent.chmod(0o500)
    try:
        assert len(record.standing().ballots) == 1
        with pytest.raises(StorageError, match="cannot be opened or written"):
            record.reset()
    finally:
        used.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (("max_page_count", 7), "no space left"),
        (("query_only", 1), "cannot be opened or written"),
    ],
)
def test_a_write_that_fails_is_said_saved_nothing_and_is_not_the_end(
    used: Path,
    open_record: OpenRecord,
    monkeypatch: pytest.MonkeyPatch,
    limit: tuple[str, int],
    words: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "PRAGMAS", (*database.PRAGMAS, limit))
        short = open_record()
        before = short.standing()
        with pytest.raises(StorageError, match=words) as caught:
            short.open_duel(duel("d2", question="?" * 50_000))
        assert str(used) in caught.value.message
        assert short.standing() == before
    after = open_record()
    after.open_duel(duel("d2"))
    after.vote("d2", "second")
    assert len(short.standing().ballots) == 2


def test_a_file_held_by_another_program_is_said(
    used: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    record.standing()
    with closing(sqlite3.connect(used, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "held by another program" in refused(record)
    record.reset()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file cannot be deleted")
def test_a_file_deleted_meanwhile_takes_no_vote_silently(used: Path, record: Record) -> None:
    record.standing()
    used.unlink()
    with pytest.raises(StorageError, match="moved or deleted"):
        record.withdraw("d1")


def test_a_setting_that_does_not_take_is_said(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PRAGMAS", (("journal_mode", "sideways"),))
    assert "journal_mode stays delete" in refused(record)


def test_every_connection_is_set_for_safety(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", SAFE)
    with closing(database.connect(path, schema.record())) as connection:
        got = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name, _ in SAFE}
    assert got == dict(SAFE)
    assert (got["journal_mode"], got["synchronous"], got["foreign_keys"]) == ("delete", 3, 1)


# Versions -----------------------------------------------------------------------------------


def second(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE chats (id TEXT PRIMARY KEY) STRICT")
    connection.execute("UPDATE duels SET why = 'migrated'")


def third(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE duels ADD COLUMN mood TEXT NOT NULL DEFAULT ''")


def broken(connection: sqlite3.Connection) -> None:
    second(connection)
    connection.execute("ALTER TABLE nowhere ADD COLUMN x")


def with_migrations(
    monkeypatch: pytest.MonkeyPatch, *further: Callable[[sqlite3.Connection], None]
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, *further))


def test_a_new_file_has_the_newest_version_and_needs_no_copy(path: Path, record: Record) -> None:
    record.standing()
    assert run(path, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    assert os.listdir(path.parent) == [path.name]


def test_an_older_file_is_brought_up_to_date_with_a_copy_of_it_kept(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_record()
    standing = before.standing()
    with_migrations(monkeypatch, second, third)
    record = open_record()
    assert record.duel("d1") == duel(why="migrated")
    assert run(used, "PRAGMA user_version", "SELECT mood FROM duels") == [(NOW + 2,), ("",)]
    copy = used.with_name(f"record.db.before-v{NOW + 1}")
    assert sorted(os.listdir(used.parent)) == [used.name, copy.name]
    assert run(copy, "PRAGMA user_version", "SELECT why FROM duels") == [(NOW,), (duel().why,)]
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    monkeypatch.undo()  # the copy is a record that the older Attune can use
    kept = Record(copy, clock=lambda: 0.0)
    assert kept.standing() == standing
    kept.close()


def test_a_file_that_is_up_to_date_gets_no_copy(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_migrations(monkeypatch, second)
    open_record().standing()
    used.with_name(f"record.db.before-v{NOW + 1}").unlink()
    open_record().standing()
    assert os.listdir(used.parent) == [used.name]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = used.read_bytes()
    with monkeypatch.context() as patch:
        with_migrations(patch, broken)
        assert "no such table" in refused(open_record())
    assert used.read_bytes() == before
    record = open_record()
    record.withdraw("d1")
    assert record.standing().ballots == ()


def test_of_several_migrations_those_that_worked_stay(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_migrations(monkeypatch, third, broken)
    refused(open_record())
    assert run(used, "PRAGMA user_version", "SELECT mood, why FROM duels") == [
        (NOW + 1,),
        ("", duel().why),
    ]


def test_a_damaged_file_is_not_migrated(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(used.read_bytes())
    content[-4096:-3900] = b"\xa5" * 196
    used.write_bytes(content)
    with_migrations(monkeypatch, third)
    refused(open_record(), DamagedRecord)
    assert used.read_bytes() == content
    assert os.listdir(used.parent) == [used.name]


def test_a_copy_that_was_half_made_earlier_is_made_anew(
    used: Path, open_record: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    used.with_name(f"record.db.before-v{NOW + 1}.part").write_bytes(b"half")
    with_migrations(monkeypatch, second)
    assert open_record().duel("d1").why == "migrated"
    assert not used.with_name(f"record.db.before-v{NOW + 1}.part").exists()
