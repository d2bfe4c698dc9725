"""The calibration record: every answer that was measured, what was edited in the pool, and builds.

Answers are kept one by one as they come, so that a build that was ended at any point goes on where
it was. Scores are not kept: they are derived from the texts, which costs about a millisecond each.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import InvalidParameter
from engine.store import database
from engine.store.changes import UNREADABLE
from engine.store.schema import Kind
from engine.types.portfolio import Candidate, Certificate, LeftOut, Objective

Slot = tuple[str, str]
"""A candidate's id and the hash of a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCalibration:
    """A candidate's answer to a calibration question.

    candidate      its id
    model          SHA-256 of the model's file, hex
    question       its id
    question_hash  of everything that is asked: another wording is another question
    finish         why it ended, as in `Answer`
    seconds        its share of the time that its batch took
    """

    candidate: str
    model: str
    question: str
    question_hash: str
    text: str
    tokens: int
    finish: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEdits:
    """What the owner changed in the pool that is generated.

    added       the owner's own candidates, in the order they were added
    removed     ids of generated candidates that were taken out
    unreadable  rows that are damaged and were left out
    """

    added: tuple[Candidate, ...] = ()
    removed: frozenset[str] = frozenset()
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBuild:
    """A selection, and what it was selected with.

    at             when, in seconds since the epoch
    scorers        version of the scorers that the rewards were derived with
    objectives     d of them
    normalisation  by objective, the raw scores that became 0 and 1
    candidates     the pool that was selected from
    rewards        mean normalised reward, candidates × objectives
    members        ids of those that were selected, the most used first
    left_out       candidates that were not selected from
    models         id → SHA-256 of the file that was measured
    questions      that every candidate was asked
    """

    at: float
    scorers: str
    objectives: tuple[Objective, ...]
    normalisation: tuple[tuple[float, float], ...]
    candidates: tuple[Candidate, ...]
    rewards: tuple[tuple[float, ...], ...]
    members: tuple[str, ...]
    certificate: Certificate
    left_out: tuple[LeftOut, ...]
    models: dict[str, str]
    questions: int


class CalibrationRecord:
    """The calibration record in one file, which other processes may use at the same time.

    path   the file; made on first use, in a folder that is there
    clock  seconds since the epoch

    Threads may share it. Every method raises StorageError (DamagedRecord, NewerRecord) where the
    file cannot be used; then nothing is saved. What writes is on disk when it returns.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self._file = database.File(path, kind=KIND)
        self._clock = clock

    # What was measured ----------------------------------------------------------------------

    def known(self, models: Mapping[str, str]) -> dict[Slot, StoredCalibration]:
        """Answers of these candidates.

        models  candidate's id → SHA-256 of its model's file; answers of another file are passed
                over, and come back into use with it
        """
        with self._file.reading() as connection:
            return _of(connection, models)

    def keep(self, answers: Sequence[StoredCalibration]) -> None:
        """Keep answers, all or none. The first one for a candidate, file and question stays: a
        certificate may rest on it.

        Raises InvalidParameter for seconds that are not finite.
        """
        for answer in answers:
            if not math.isfinite(answer.seconds):
                raise InvalidParameter.outside("seconds", answer.seconds, "finite")
        with self._file.writing() as connection:
            for answer in answers:
                columns = {**asdict(answer), "at": self._clock()}
                names, marks = ", ".join(columns), ", ".join("?" * len(columns))
                connection.execute(
                    f"INSERT OR IGNORE INTO answers ({names}) VALUES ({marks})",
                    tuple(columns.values()),
                )

    # The pool -------------------------------------------------------------------------------

    def edits(self) -> PoolEdits:
        """What the owner changed in the pool."""
        with self._file.reading() as connection:
            return _folded(
                connection.execute("SELECT candidate, kind, body FROM edits ORDER BY id")
            )

    def add(self, candidate: Candidate) -> None:
        """Add a candidate to the pool, or put it back. Raises InvalidParameter for an empty id."""
        self._edit(candidate.id, "add", candidate)

    def remove(self, candidate: str) -> None:
        """Take a candidate out of the pool; one that was added is deleted. Its answers stay.

        Raises InvalidParameter for an empty id; whether such a candidate exists is not known here.
        """
        self._edit(candidate, "remove", None)

    def restore(self, candidate: str) -> None:
        """Put a generated candidate back into the pool; changes nothing if it is there."""
        with self._file.writing() as connection:
            connection.execute(
                "DELETE FROM edits WHERE candidate = ? AND kind = 'remove'", (candidate,)
            )

    # Builds ---------------------------------------------------------------------------------

    def last_build(self) -> StoredBuild | None:
        """The newest selection; None where there is none, or none that can be read: it can be made
        again from the answers."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT body FROM builds ORDER BY id DESC LIMIT 1").fetchone()
        try:
            return _build.decode(row[0]) if row is not None else None
        except UNREADABLE:
            return None

    def keep_build(self, build: StoredBuild) -> None:
        """Keep a selection; earlier ones stay in the file.

        Raises InvalidParameter for numbers that are not finite.
        """
        body = _json(build)
        try:
            _build.decode(body)
        except UNREADABLE as error:  # JSON has no word for such a number
            raise InvalidParameter(
                "A number of this build is not finite; it was not kept.", detail=str(error)
            ) from error
        with self._file.writing() as connection:
            connection.execute("INSERT INTO builds (at, body) VALUES (?, ?)", (build.at, body))

    # Everything -----------------------------------------------------------------------------

    def forget(self) -> None:
        """Erase everything: answers, edits and builds."""
        with self._file.writing() as connection:
            for table in sorted(KIND.tables):
                connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the file; whatever is asked next opens it again."""
        self._file.close()

    # ----------------------------------------------------------------------------------------

    def _edit(self, candidate: str, kind: _Edit, body: Candidate | None) -> None:
        if not candidate:
            raise InvalidParameter.outside("candidate", candidate, "an id")
        with self._file.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO edits (at, candidate, kind, body) VALUES (?, ?, ?, ?)",
                (self._clock(), candidate, kind, _json(body) if body else ""),
            )


# The file -----------------------------------------------------------------------------------


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE answers (
            candidate TEXT NOT NULL,
            model TEXT NOT NULL,
            question TEXT NOT NULL,
            question_hash TEXT NOT NULL,
            text TEXT NOT NULL,
            tokens INTEGER NOT NULL,
            finish TEXT NOT NULL,
            seconds REAL NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (candidate, model, question_hash)
        ) STRICT"""
    )
    connection.execute(
        """CREATE TABLE edits (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            candidate TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('add', 'remove')),
            body TEXT NOT NULL
        ) STRICT"""
    )
    connection.execute(
        """CREATE TABLE builds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            body TEXT NOT NULL
        ) STRICT"""
    )


KIND = Kind(
    name="calibration record",
    tables=frozenset({"answers", "edits", "builds"}),
    migrations=(_first,),
)


# Rows ---------------------------------------------------------------------------------------

_Edit = Literal["add", "remove"]

_build = msgspec.json.Decoder(StoredBuild)
_candidate = msgspec.json.Decoder(Candidate)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _of(connection: sqlite3.Connection, models: Mapping[str, str]) -> dict[Slot, StoredCalibration]:
    """Answers of these candidates, of these files of their models."""
    names = [field.name for field in fields(StoredCalibration)]
    rows = connection.execute(
        f"""SELECT {", ".join(names)} FROM answers
            JOIN json_each(?) AS wanted ON candidate = wanted.key AND model = wanted.value""",
        (_json(dict(models)),),
    )
    found = (StoredCalibration(**dict(zip(names, row, strict=True))) for row in rows)
    return {(row.candidate, row.question_hash): row for row in found}


def _folded(rows: Iterable[tuple[str, _Edit, str]]) -> PoolEdits:
    added, removed, unreadable = [], set(), 0
    for candidate, kind, body in rows:
        if kind == "remove":
            removed.add(candidate)
            continue
        try:
            added.append(_candidate.decode(body))
        except UNREADABLE:
            unreadable += 1
    return PoolEdits(added=tuple(added), removed=frozenset(removed), unreadable=unreadable)
