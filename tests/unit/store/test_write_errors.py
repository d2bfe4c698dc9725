"""What a disk does wrong: one sentence, no false claim, and the next try works."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine import paths
from engine.errors import StorageError
from engine.store.record import Record
from tests.unit.store.conftest import OpenRecord, duel

Spoil = Callable[[sqlite3.Connection, str], None]


def failing(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[Spoil], list[sqlite3.Connection]]:
    """Lets something happen after each statement; returns the connections that are made."""

    def spoilt(happens: Spoil) -> list[sqlite3.Connection]:
        made: list[sqlite3.Connection] = []

        class Connection(sqlite3.Connection):
            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                made.append(self)

            def execute(self, statement: str, *given: Any) -> sqlite3.Cursor:
                found = super().execute(statement, *given)
                happens(self, statement)
                return found

        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
        return made

    return spoilt


def folder_not_synced(_: sqlite3.Connection, statement: str) -> None:
    if statement == "COMMIT":
        raise failing(sqlite3.SQLITE_IOERR_DIR_FSYNC)


def test_a_commit_whose_folder_can_be_synced_after_all_is_done(
    record: Record, open_record: OpenRecord, spoil: Callable[[Spoil], object]
) -> None:
    record.open_duel(duel())
    record.close()
    spoil(folder_not_synced)
    record.vote("d1", "first")
    assert [ballot.outcome for ballot in open_record().standing().ballots] == ["first"]


def test_a_commit_that_the_disk_does_not_confirm_is_not_said_to_be_nothing(
    record: Record,
    open_record: OpenRecord,
    spoil: Callable[[Spoil], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record.open_duel(duel())
    record.close()

    def unsynced(_: Path) -> None:
        raise OSError(5, os.strerror(5))

    spoil(folder_not_synced)
    monkeypatch.setattr(paths, "sync_folder", unsynced)
    with pytest.raises(StorageError) as caught:
        record.vote("d1", "first")
    monkeypatch.undo()
    said = caught.value.message
    assert "is written, but the disk does not confirm it" in said
    assert "Nothing was" not in said
    assert [ballot.outcome for ballot in open_record().standing().ballots] == ["first"]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR_WRITE])
def test_after_a_failure_the_file_is_opened_again(
    record: Record, spoil: Callable[[Spoil], list[sqlite3.Connection]], code: int
) -> None:
    record.open_duel(duel())
    record.close()
    times = iter(range(9))

    def once(_: sqlite3.Connection, statement: str) -> None:
        if statement == "BEGIN IMMEDIATE" and next(times) == 0:
            raise failing(code)

    made = spoil(once)
    with pytest.raises(StorageError):
        record.vote("d1", "first")
    record.vote("d1", "second")
    assert len(made) == 2
    assert [ballot.outcome for ballot in record.standing().ballots] == ["second"]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY_DBMOVED])
def test_while_others_write_or_have_moved_it_away_it_stays_open(
    record: Record, spoil: Callable[[Spoil], list[sqlite3.Connection]], code: int
) -> None:
    record.open_duel(duel())
    record.close()

    def always(_: sqlite3.Connection, statement: str) -> None:
        if statement == "BEGIN IMMEDIATE":
            raise failing(code)

    made = spoil(always)
    for _ in range(2):
        with pytest.raises(StorageError):
            record.vote("d1", "first")
    assert len(made) == 1
