"""A file that must last: how it is opened, and what SQLite's errors mean for a person.

A rollback journal, and no WAL: before SQLite 3.51.3 a file in WAL mode can be damaged where one
connection commits while another checkpoints (https://sqlite.org/wal.html, "the WAL-reset bug").
Older ones are what systems ship, and the window and the command line use the file side by side.
A vote costs 0.9 ms instead of 0.3 (measured). To choose by version would be worse: a newer process
could put the file into WAL mode under an older one.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from engine.errors import AttuneError, DamagedRecord, InvalidText, StorageError
from engine.paths import confirm
from engine.store import schema
from engine.store.schema import Kind

PATIENCE = 5.0
"""Seconds to wait for another program that is writing."""

PRAGMAS: tuple[tuple[str, object], ...] = (
    ("journal_mode", "delete"),
    ("synchronous", 3),  # EXTRA: the folder is synced, too, so that a commit outlives a power cut
    ("foreign_keys", 1),
    ("secure_delete", 1),  # what is erased is overwritten
    ("trusted_schema", 0),
    ("temp_store", 2),  # MEMORY: no text of the owner's elsewhere, and no room needed there
    ("mmap_size", 0),
)

_opening = threading.Lock()
"""POSIX drops all locks that a process has on a file when it closes any descriptor of it: nobody
may connect to a new file before the descriptor that made it is closed."""

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CLOSED = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
)


class File:
    """A database in one file, opened when it is first needed; threads may share it.

    Raises what `translated` raises, from reading and writing alike.
    """

    def __init__(self, path: Path, *, kind: Kind) -> None:
        self._path, self._kind = path, kind
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction, so that all that is read in it is of one moment."""
        with self._transaction("DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk when it ends, or undone where it raises; what is checked
        inside still holds when it is committed."""
        with self._transaction("IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the file; whatever is asked next opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self, begin: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path, self._kind):
            if self._connection is None:
                self._connection = connect(self._path, self._kind)
            connection = self._connection
            try:
                connection.execute(f"BEGIN {begin}")
                try:
                    yield connection
                    _commit(connection, self._path)
                except BaseException:
                    if connection.in_transaction:  # SQLite ends it by itself where the disk is full
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                if _spoils(error):
                    self._connection = None
                    connection.close()
                raise


def connect(path: Path, kind: Kind) -> sqlite3.Connection:
    """The database in `path`, made if it is missing and brought up to date, in autocommit.

    Any thread may use it, one at a time. Raises sqlite3.Error, OSError, StorageError.
    """
    with _opening:
        _create(path)
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
    try:
        # A damaged byte in one text must not take all others down.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        schema.migrate(connection, path, kind=kind)
        _check_tables(connection, path, kind)
        for name, value in PRAGMAS:
            _set(connection, name, value)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(path: Path, kind: Kind) -> Iterator[None]:
    """Whatever SQLite or the system raises becomes one clear sentence about `path`."""
    file = f"The {kind.name} {path}"
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(file, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(_full(file), detail=repr(error)) from error
        raise _closed(file, error.strerror or str(error)) from error
    except UnicodeEncodeError as error:
        raise InvalidText(
            "The text holds half a character, which is not valid Unicode; leave it out."
        ) from error


def _create(path: Path) -> None:
    try:
        # SQLite gives its journal the mode of the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _commit(connection: sqlite3.Connection, path: Path) -> None:
    """Commit. Raises StorageError where that is done, but may not outlive a power cut."""
    try:
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        # The journal is gone, and with it the way back; only the folder could not be synced.
        if error.sqlite_errorcode != sqlite3.SQLITE_IOERR_DIR_FSYNC:
            raise
        confirm(path)


def _check_tables(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if missing := kind.tables - found:
        raise _damaged(f"The {kind.name} {path}", f"it has no {' and no '.join(sorted(missing))}")


def _set(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute(f"PRAGMA {name} = {value}").fetchall()
    got = connection.execute(f"PRAGMA {name}").fetchone()
    if got is not None and got[0] != value:  # None: compiled without it
        raise StorageError(
            f"SQLite {sqlite3.sqlite_version} cannot keep the record safe: {name} stays {got[0]}, "
            f"not {value}. Install another SQLite."
        )


def _spoils(error: sqlite3.Error) -> bool:
    """Whether to open the file again after this. A file that could once be opened to be read only
    stays so for its connection; but one that was moved away must not be made anew."""
    moved = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_DBMOVED
    return not moved and _code(error) not in _BUSY


def _explained(file: str, error: sqlite3.Error) -> AttuneError:
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = _code(error)
    if code in _DAMAGED:
        return _damaged(file, str(error))
    if code in _BUSY:
        text = (
            f"{file} is held by another program for too long; close that one and try again. "
            "Nothing was saved."
        )
    elif code == sqlite3.SQLITE_FULL:
        text = _full(file)
    elif extended == sqlite3.SQLITE_READONLY_DBMOVED:
        text = (
            f"{file} was moved or deleted while Attune used it; put it back and restart Attune. "
            "Nothing was saved."
        )
    elif code in _CLOSED:
        return _closed(file, str(error))
    else:
        text = (
            f"{file} cannot be used ({error}); check the disk, and whether its drive is plugged "
            "in. Nothing was saved."
        )
    return StorageError(text, detail=repr(error))


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code; Python's own complaints, of a wrong number of arguments say, come
    without one."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _full(file: str) -> str:
    return (
        f"{file} cannot be written: there is no space left; free some and try again. "
        "Nothing was saved."
    )


def _closed(file: str, reason: str) -> StorageError:
    return StorageError(
        f"{file} cannot be opened or written ({reason}); check its permissions and its folder's, "
        "or choose another folder with --data-dir."
    )


def _damaged(file: str, reason: str) -> DamagedRecord:
    return DamagedRecord(
        f"{file} is damaged ({reason}); move it aside, or put an earlier copy of it in its place, "
        "and start again. Nothing was changed."
    )
