"""The tables of a database, as numbered migrations under PRAGMA user_version; here the record's.

Migration n makes version n out of version n − 1, in one transaction. Before an older file is
touched, a verified copy of it is put beside it; so it is before a profile is taken in.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from engine.errors import DamagedRecord, NewerRecord

Migration = Callable[[sqlite3.Connection], None]
"""Runs inside a transaction: single statements only, executescript would commit."""

TABLES = frozenset({"duels", "changes"})
"""Without these the file is no record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of database.

    name        what messages call it
    tables      without these the file is none
    migrations  how the tables came to be what they are
    """

    name: str
    tables: frozenset[str]
    migrations: Sequence[Migration]


def record() -> Kind:
    """The record of duels and votes."""
    return Kind(name="record of votes", tables=TABLES, migrations=MIGRATIONS)


def _first(connection: sqlite3.Connection) -> None:
    # What is written once stands in columns of its own where SQL needs it, else in the body.
    connection.execute(
        """CREATE TABLE duels (
            id TEXT PRIMARY KEY,
            at REAL NOT NULL,
            model TEXT NOT NULL,
            learner TEXT NOT NULL,
            trait TEXT NOT NULL,
            why TEXT NOT NULL,
            question TEXT NOT NULL,
            swapped INTEGER NOT NULL,
            body TEXT NOT NULL,
            first_embedding BLOB NOT NULL,
            second_embedding BLOB NOT NULL
        ) STRICT"""
    )
    connection.execute(
        """CREATE TABLE changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN
                ('vote', 'withdraw', 'forget', 'reset', 'add_trait', 'remove_trait',
                 'override')),
            duel TEXT REFERENCES duels (id),
            body TEXT NOT NULL,
            undone INTEGER NOT NULL DEFAULT 0
        ) STRICT"""
    )
    # Finds the vote on a duel; changes without a duel are few.
    connection.execute("CREATE INDEX changes_by_duel ON changes (duel)")


def _second(connection: sqlite3.Connection) -> None:
    # SQLite cannot change a CHECK: the table is made anew, with imports of profiles allowed.
    connection.execute(
        """CREATE TABLE changes_2 (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN
                ('vote', 'withdraw', 'forget', 'reset', 'add_trait', 'remove_trait',
                 'override', 'import')),
            duel TEXT REFERENCES duels (id),
            body TEXT NOT NULL,
            undone INTEGER NOT NULL DEFAULT 0
        ) STRICT"""
    )
    connection.execute(
        """INSERT INTO changes_2 (id, at, kind, duel, body, undone)
           SELECT id, at, kind, duel, body, undone FROM changes ORDER BY id"""
    )
    connection.execute("DROP TABLE changes")
    connection.execute("ALTER TABLE changes_2 RENAME TO changes")
    connection.execute("CREATE INDEX changes_by_duel ON changes (duel)")


def _third(connection: sqlite3.Connection) -> None:
    """From here on a vote may count in its chat only, which its body says. The tables are the same;
    the number keeps an older Attune from taking such a vote for one that counts everywhere."""


MIGRATIONS: tuple[Migration, ...] = (_first, _second, _third)


def migrate(connection: sqlite3.Connection, path: Path, *, kind: Kind) -> None:
    """Bring the file up to date; changes nothing if it is.

    connection  in autocommit, foreign keys not yet enforced so that tables can be rebuilt
    path        the file that it leads to; the copy is put beside it as NAME.before-vN, where N is
                the version that was to be made next

    Raises NewerRecord, DamagedRecord, and what the migration raises; then the transaction is
    rolled back and the file is as the last migration that worked left it.
    """
    _check_kind(connection, path, kind)
    begun = _version(connection, path, kind)
    for number in range(begun + 1, len(kind.migrations) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have come first, while this one waited for the lock.
            if _version(connection, path, kind) < number:
                if number == begun + 1:
                    _make_safe(connection, path, kind, number)
                kind.migrations[number - 1](connection)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _check_kind(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    # First of all: what is of another kind has another count of versions, too.
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if found and kind.tables.isdisjoint(found):
        raise DamagedRecord(
            f"{path} holds something else than a {kind.name} (it has no "
            f"{' and no '.join(sorted(kind.tables))}); move it aside and start again. "
            "Nothing was changed."
        )


def _version(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    known = len(kind.migrations)
    if found > known:
        raise NewerRecord(
            f"The {kind.name} {path} was written by a newer Attune (its version is {found}, "
            f"this one knows {known}); update Attune, or choose another folder with --data-dir. "
            "Nothing was changed."
        )
    return found


def _make_safe(connection: sqlite3.Connection, path: Path, kind: Kind, number: int) -> None:
    if number > 1:
        keep_copy(path, copy_of(path, before=f"v{number}"), name=kind.name)
    elif connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedRecord(
            f"{path} holds something else than a {kind.name}; move it aside and start again. "
            "Nothing was changed."
        )


def copy_of(path: Path, *, before: str) -> Path:
    """Where the copy is put that is made before something happens to the database in `path`."""
    return path.with_name(f"{path.name}.before-{before}")


def copies(path: Path) -> list[Path]:
    """The copies that were put beside the database in `path`, half-made ones too."""
    return sorted(path.parent.glob(f"{escape(path.name)}.before-*"))


def keep_copy(path: Path, copy: Path, *, name: str) -> None:
    """Copy the database in `path` to `copy`, whole and checked, closed to other users.

    name  what the message calls it

    Reads through a connection of its own: SQLite copies from none that is in a transaction.
    Raises DamagedRecord where the copy does not pass SQLite's own check.
    """
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
            found = [row[0] for row in target.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise DamagedRecord(
                f"The {name} {path} is damaged and was left as it is; put an earlier copy of it "
                "back. Nothing was changed.",
                detail="\n".join(map(str, found)),
            )
        # The commit of what follows syncs the folder, and the new name with it.
        os.replace(part, copy)
    finally:
        part.unlink(missing_ok=True)
