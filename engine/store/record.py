"""The record of duels and votes: what happened, in order; everything learned is derived from it.

Nothing is ever counted, averaged or overwritten here. A change is a row; undoing marks the row, and
what stands is the fold of the rows that are not marked.
"""

from __future__ import annotations

import heapq
import math
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.errors import (
    AlreadyVoted,
    DamagedRecord,
    InputError,
    InvalidParameter,
    NothingToUndo,
    UnknownDuel,
    UnknownTrait,
)
from engine.store import changes, database, duels, schema
from engine.store.changes import (
    NOTHING,
    UNREADABLE,
    About,
    Body,
    Fold,
    Import,
    Kind,
    Override,
    Vote,
)
from engine.store.duels import StoredAnswer, StoredDuel
from engine.types.learning import OUTCOMES, Outcome, Trait

__all__ = ["Ballot", "Record", "Standing", "StoredAnswer", "StoredDuel"]

_LONGEST_NAME = 80

_NO_RECORD = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""What SQLite says of a copy that is damaged, no database, or without the tables of a record."""

_OUTCOMES: dict[Outcome, str] = {
    "first": "A is better",
    "second": "B is better",
    "equal": "both are alike",
    "neither": "neither is good",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A vote that counts; `change` grows from vote to vote, and is one for all of an import.

    chat  id of the chat that it was given in; "" where that was kept nowhere
    """

    duel: StoredDuel
    outcome: Outcome
    change: int
    chat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the record comes to; read it, do not change it.

    ballots      votes that count everywhere, in the order they were given, those on removed traits
                 too; imported ones where the time of their duels puts them
    local        votes that count in their chats only, in the order they were given
    traits       the owner's own, removed ones too, in the order they were added
    removed      ids of traits that are not to be asked about, built-in or own
    forgotten    trait id → change; ballots before that change say nothing about the trait
    overrides    members of the portfolio that were taken in the place of others, with the change
    undoable     what `undo` would take back, in words; "" if there is nothing
    newest_vote  id of the duel, where what `undo` would take back is the vote on it; else ""
    unreadable   rows that are damaged and were left out
    """

    ballots: tuple[Ballot, ...] = ()
    local: tuple[Ballot, ...] = ()
    traits: tuple[Trait, ...] = ()
    removed: frozenset[str] = frozenset()
    forgotten: dict[str, int] = field(default_factory=dict)
    overrides: tuple[tuple[int, Override], ...] = ()
    undoable: str = ""
    newest_vote: str = ""
    unreadable: int = 0


class Record:
    """The record in one file, which other processes may use at the same time.

    path   the file; made on first use, in a folder that is there
    clock  seconds since the epoch

    Threads may share it. Every method raises StorageError (DamagedRecord, NewerRecord) where the
    file cannot be used; then nothing is saved. What writes is on disk when it returns.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._file = database.File(path, kind=schema.record())
        self._stamp = 0
        self._seen: tuple[sqlite3.Connection, int] | None = None
        self._duels: dict[str, StoredDuel] = {}
        self._standing: tuple[int, Standing] | None = None

    # Duels and votes ------------------------------------------------------------------------

    def open_duel(self, duel: StoredDuel) -> None:
        """Remember a duel that is about to be shown.

        Raises InvalidParameter for numbers that are not finite, InputError for an id that is taken.
        """
        duels.check_finite(duel)
        with self._writing() as connection:
            _check_new(connection, duel.id)
            duels.insert(connection, duel)

    def duel(self, id: str) -> StoredDuel:
        """A duel on record. Raises UnknownDuel, and DamagedRecord where its row is unreadable."""
        with self._file.reading() as connection:
            row = duels.row(connection, id)
            if row is None:
                raise _unknown(id)
            try:
                return duels.decoded(row)
            except UNREADABLE as error:
                raise DamagedRecord(
                    f"The duel {_named(id)} in {self._path} cannot be read; others can. "
                    "Put an earlier copy of the record back to have it again.",
                    detail=str(error),
                ) from error

    def vote(self, duel_id: str, outcome: Outcome, *, chat: str = "", local: bool = False) -> None:
        """Record the owner's vote on a duel; only one can count.

        chat   id of the chat that it is given in
        local  it counts in that chat only

        Raises UnknownDuel, AlreadyVoted, InvalidParameter.
        """
        if outcome not in OUTCOMES:
            raise InvalidParameter.outside("outcome", outcome, f"one of {', '.join(OUTCOMES)}")
        with self._writing() as connection:
            _check_known(connection, duel_id)
            if earlier := _vote_that_counts(connection, duel_id):
                raise AlreadyVoted(
                    f"Duel {_named(duel_id)} has a vote already ({earlier}: {_OUTCOMES[earlier]}); "
                    "undo or delete that vote first, then vote again."
                )
            body = Vote(outcome=outcome, chat=chat, local=local)
            self._change(connection, "vote", duel=duel_id, body=body)

    def withdraw(self, duel_id: str) -> None:
        """Delete one vote. Raises UnknownDuel, InputError if it has none that counts."""
        with self._writing() as connection:
            _check_known(connection, duel_id)
            if _vote_that_counts(connection, duel_id) is None:
                raise InputError(
                    f"Duel {_named(duel_id)} has no vote that counts; choose another one."
                )
            self._change(connection, "withdraw", duel=duel_id)

    # All votes ------------------------------------------------------------------------------

    def forget(self, trait_id: str) -> None:
        """Votes so far say nothing about this trait; about others they do as before.

        Raises UnknownTrait for an empty id; whether such a trait exists is not known here.
        """
        if not trait_id:
            raise UnknownTrait("A trait without a name cannot be forgotten; name one.")
        with self._writing() as connection:
            self._change(connection, "forget", body=About(trait=trait_id))

    def reset(self) -> None:
        """No vote so far counts any more; traits stay as they are."""
        with self._writing() as connection:
            self._change(connection, "reset")

    def add_trait(self, trait: Trait) -> None:
        """Add or reword a trait of the owner's own, or switch one on again; its votes count.

        Raises InvalidParameter for an empty id or a visibility outside (0, 1].
        """
        if not trait.id:
            raise InvalidParameter.outside("id", trait.id, "a name")
        if not 0.0 < trait.visible <= 1.0:
            raise InvalidParameter.outside("visible", trait.visible, "above 0 and at most 1")
        with self._writing() as connection:
            self._change(connection, "add_trait", body=trait)

    def remove_trait(self, trait_id: str) -> None:
        """Ask no more about a trait; votes on it stay on record.

        Raises UnknownTrait if it is removed already; whether it ever existed is not known here.
        """
        with self._writing() as connection:
            if not trait_id or trait_id in _folded(connection).removed:
                raise UnknownTrait(
                    f"There is no trait {_named(trait_id)} to remove, or it is removed already; "
                    "name one that is asked about."
                )
            self._change(connection, "remove_trait", body=About(trait=trait_id))

    def override(self, taken: str, *, instead: str, gain: dict[str, float]) -> None:
        """Remember that a member of the portfolio was taken in the place of another; see
        `Override`. Raises InvalidParameter for a gain that is not finite."""
        for name, value in gain.items():
            if not math.isfinite(value):
                raise InvalidParameter.outside(name, value, "finite")
        with self._writing() as connection:
            body = Override(taken=taken, instead=instead, gain=gain)
            self._change(connection, "override", body=body)

    # Profiles -------------------------------------------------------------------------------

    def import_(
        self, change: Import, new: Iterable[StoredDuel], *, committing: Callable[[int], None]
    ) -> None:
        """Take a profile in, as one change; what stood before is kept in a copy beside the file.

        new         duels that are not on record; where they are by now, those stay
        committing  told the number of the change just before it is on disk; what it raises undoes
                    everything

        Raises InvalidParameter for numbers that are not finite.
        """
        brought = tuple(new)
        for duel in brought:
            duels.check_finite(duel)
        kind = schema.record()
        with self._writing() as connection:
            copy = schema.copy_of(self._path, before="import")
            schema.keep_copy(self._path, copy, name=kind.name)
            for duel in brought:
                duels.insert(connection, duel)
            committing(self._change(connection, "import", body=change))

    def foreseen(self, change: Import, new: Iterable[StoredDuel]) -> Standing:
        """What would stand after `import_`; nothing is written."""
        with self._file.reading() as connection:
            self._current(connection)
            (newest,) = connection.execute("SELECT max(id) FROM changes").fetchone()
            fold = _folded(connection)
            fold.add(((newest or 0) + 1, "import", None, _json(change)))
            also = {duel.id: duel for duel in new}
            return self._stood(connection, fold, newest=None, also=also)

    def present(self, ids: Iterable[str]) -> dict[str, StoredDuel | None]:
        """Of these duels those that are on record, voted on or not; None is unreadable."""
        with self._file.reading() as connection:
            self._current(connection)
            found = {id: self._known_duel(connection, id) for id in ids}
            return {
                id: duel
                for id, duel in found.items()
                if duel is not None or duels.row(connection, id) is not None
            }

    def imported(self, number: int) -> tuple[Import, bool] | None:
        """The import of that number, and whether it stands; None where there is none to read."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT body, undone FROM changes WHERE id = ? AND kind = 'import'", (number,)
            ).fetchone()
        found = changes.import_in(row[0]) if row else None
        return (found, not row[1]) if found else None

    def newest_import(self) -> int | None:
        """Number of the change that `undo` would take back, where that is an import."""
        with self._file.reading() as connection:
            newest = _newest(connection)
        return newest.id if newest and newest.kind == "import" else None

    # Undo -----------------------------------------------------------------------------------

    def undo(self) -> str:
        """Take the newest change back; returns in words which one. Raises NothingToUndo."""
        with self._writing() as connection:
            newest = _newest(connection)
            if newest is None:
                raise NothingToUndo("There is nothing to undo; vote first.")
            connection.execute("UPDATE changes SET undone = 1 WHERE id = ?", (newest.id,))
            return newest.words

    # Reading --------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """What all changes together come to. Cheap where nothing changed since the last time."""
        with self._file.reading() as connection:
            stamp = self._current(connection)
            if self._standing is None or self._standing[0] != stamp:
                self._standing = (stamp, self._derived(connection))
            return self._standing[1]

    def stamp(self) -> int:
        """A number that changes whenever this or another process has written. Costs no reading."""
        with self._file.reading() as connection:
            return self._current(connection)

    # Texts ----------------------------------------------------------------------------------

    def drop_texts(self, *, also: Iterable[Path] = ()) -> None:
        """Delete the texts of all duels for good, in the copies beside the file too; votes keep
        counting.

        also  further copies of the file
        """
        kind = schema.record()
        with self._writing() as connection:
            connection.execute(duels.BLANK)
            self._duels.clear()
            for copy in (*schema.copies(self._path), *also):
                with database.translated(copy, kind):
                    _blank(copy)

    def close(self) -> None:
        """Close the file; whatever is asked next opens it again."""
        self._file.close()

    # The file -------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._file.writing() as connection:
            # Also where it is undone: a change may be told too often, but never too seldom.
            self._stamp += 1
            yield connection

    def _change(
        self,
        connection: sqlite3.Connection,
        kind: Kind,
        *,
        duel: str | None = None,
        body: Body = NOTHING,
    ) -> int:
        """Returns its number."""
        row = self._clock(), kind, duel, _json(body)
        (number,) = connection.execute(
            "INSERT INTO changes (at, kind, duel, body) VALUES (?, ?, ?, ?) RETURNING id", row
        ).fetchone()
        return int(number)

    def _current(self, connection: sqlite3.Connection) -> int:
        # Counts from the connection, so with another one it begins anew.
        seen = connection, connection.execute("PRAGMA data_version").fetchone()[0]
        if seen != self._seen:
            self._seen = seen
            self._stamp += 1
            self._duels.clear()  # another process may have erased texts
        return self._stamp

    def _derived(self, connection: sqlite3.Connection) -> Standing:
        return self._stood(connection, _folded(connection), newest=_newest(connection), also={})

    def _stood(
        self,
        connection: sqlite3.Connection,
        fold: Fold,
        *,
        newest: _Newest | None,
        also: Mapping[str, StoredDuel],
    ) -> Standing:
        """also: duels by id that are not on record yet."""
        ballots: list[Ballot] = []
        local: list[Ballot] = []
        for id, (change, outcome, muted, chat, only) in fold.votes.items():
            duel = self._known_duel(connection, id) or also.get(id)
            if duel is not None:
                heard = duels.without(duel, muted) if muted else duel
                ballot = Ballot(duel=heard, outcome=outcome, change=change, chat=chat)
                (local if only else ballots).append(ballot)
        return Standing(
            ballots=_by_time(ballots, imports=fold.imports),
            local=tuple(local),
            traits=tuple(fold.traits.values()),
            removed=frozenset(fold.removed),
            forgotten=fold.forgotten,
            overrides=tuple(fold.overrides.items()),
            undoable=newest.words if newest else "",
            newest_vote=newest.vote if newest else "",
            unreadable=fold.unreadable + len(fold.votes) - len(ballots) - len(local),
        )

    def _known_duel(self, connection: sqlite3.Connection, id: str) -> StoredDuel | None:
        """The duel, read once; None where its row is unreadable."""
        if id not in self._duels:
            row = duels.row(connection, id)
            if row is None:
                return None
            try:
                self._duels[id] = duels.decoded(row)
            except UNREADABLE:
                return None
        return self._duels[id]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _by_time(ballots: Iterable[Ballot], *, imports: Collection[int]) -> tuple[Ballot, ...]:
    """In the order given, but for those of an import: among others they stand where their time puts
    them, or old ones from elsewhere would have the owner's newest votes fade."""
    lots: dict[int, list[Ballot]] = {}
    for ballot in ballots:
        lots.setdefault(ballot.change if ballot.change in imports else 0, []).append(ballot)
    return tuple(heapq.merge(*lots.values(), key=lambda ballot: ballot.duel.at))


def _blank(copy: Path) -> None:
    """Delete the texts in a copy of the record; one that is damaged is deleted itself.

    Raises sqlite3.Error where it is held by another program, or the disk is full.
    """
    try:
        with closing(sqlite3.connect(copy, timeout=database.PATIENCE)) as connection:
            connection.execute("PRAGMA secure_delete = 1")
            with connection:
                connection.execute(duels.BLANK)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF not in _NO_RECORD:
            raise
        copy.unlink(missing_ok=True)


# Questions in SQL ---------------------------------------------------------------------------


def _named(id: str) -> str:
    return repr(id if len(id) <= _LONGEST_NAME else id[:_LONGEST_NAME] + "…")


def _check_known(connection: sqlite3.Connection, id: str) -> None:
    if connection.execute("SELECT 1 FROM duels WHERE id = ?", (id,)).fetchone() is None:
        raise _unknown(id)


def _unknown(id: str) -> UnknownDuel:
    return UnknownDuel(
        f"There is no duel {_named(id)}. Vote with the id that was shown with the answers."
    )


def _check_new(connection: sqlite3.Connection, id: str) -> None:
    if duels.row(connection, id) is not None:
        raise InputError(f"There is a duel {_named(id)} already; use another id.")


def _vote_that_counts(connection: sqlite3.Connection, duel: str) -> Outcome | None:
    """The outcome; only those changes are folded that can concern this duel."""
    rows: Iterable[changes.Row] = connection.execute(
        """SELECT id, kind, duel, body FROM changes WHERE NOT undone
           AND (duel = ? OR kind IN ('reset', 'import')) ORDER BY id""",
        (duel,),
    )
    counted = changes.fold(rows).votes.get(duel)
    return counted.outcome if counted else None


class _Newest(NamedTuple):
    """The change that undo would take back: what it is, in words too, and its duel if it is a
    vote."""

    id: int
    kind: str
    words: str
    vote: str


def _newest(connection: sqlite3.Connection) -> _Newest | None:
    row = connection.execute(
        """SELECT changes.id, kind, duel, changes.body, trait FROM changes
           LEFT JOIN duels ON duels.id = duel WHERE NOT undone ORDER BY changes.id DESC LIMIT 1"""
    ).fetchone()
    if row is None:
        return None
    id, kind, duel, body, trait = row
    words = changes.in_words(kind, body=body, trait=trait)
    return _Newest(id, kind, words, vote=duel if kind == "vote" and duel else "")


def _folded(connection: sqlite3.Connection) -> Fold:
    rows: Iterable[changes.Row] = connection.execute(
        "SELECT id, kind, duel, body FROM changes WHERE NOT undone ORDER BY id"
    )
    return changes.fold(rows)
