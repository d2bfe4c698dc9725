"""The log of every connection that was ever made: one JSON line each, written before it is made.

A line has a fixed length, so that what came of the connection can be written into it later: a
program that is killed leaves a line that says how far it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import StorageError
from engine.types.library import Connection

LINE = 512
"""Bytes of a line, its end included."""

_LONGEST_WORDS = 120
"""Bytes of a text in a line, as JSON writes it: three of them and the numbers fit a line."""


class ConnectionLog:
    """Writes the log; each entry is known by its place in the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, connection: Connection) -> int:
        """Write a new line; it is on the disk when this returns. Returns its place.

        Raises StorageError.
        """
        with self._opened() as descriptor, _alone(descriptor):
            end = _end(descriptor)
            place = -(-end // LINE) * LINE
            gap = b" " * (place - end - 1) + b"\n" if place > end else b""
            _write(descriptor, gap + _line(connection))
            os.fsync(descriptor)
        return place

    def change(self, place: int, connection: Connection) -> None:
        """Write an entry anew. Raises StorageError."""
        with self._opened() as descriptor:
            os.lseek(descriptor, place, os.SEEK_SET)
            _write(descriptor, _line(connection))

    def read(self) -> tuple[Connection, ...]:
        """All entries, the newest first; lines that are not entries are passed over.

        Raises StorageError.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unusable(error) from error
        return tuple(reversed(list(_entries(lines))))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield descriptor
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            os.close(descriptor)

    def _unusable(self, error: OSError) -> StorageError:
        return StorageError(
            f"The log of connections {self._path} cannot be used ({error.strerror or error}); "
            "without it no connection is made. Free some space, or check its permissions."
        )


_BINARY: int = getattr(os, "O_BINARY", 0)


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """While it lasts, no other program adds a line; on Windows everybody is let in."""
    if os.name != "posix":
        yield
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _end(descriptor: int) -> int:
    """Where the next line may begin: half a line, which somebody has left, is ended first."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end:
        os.lseek(descriptor, end - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            _write(descriptor, b"\n")
            end += 1
    return end


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _line(connection: Connection) -> bytes:
    at = datetime.fromtimestamp(connection.at, UTC)
    entry = asdict(connection) | {
        "at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "host": _short(connection.host),
        "purpose": _short(connection.purpose),
        "ended": _short(connection.ended),
    }
    return json.dumps(entry).encode().ljust(LINE - 1) + b"\n"


def _short(text: str) -> str:
    text = text[:_LONGEST_WORDS]
    while len(json.dumps(text)) > _LONGEST_WORDS:
        text = text[:-1]
    return text


def _entries(lines: list[bytes]) -> Iterator[Connection]:
    for line in lines:
        try:
            raw = json.loads(line)
            connection = Connection(
                at=datetime.fromisoformat(raw["at"]).timestamp(),
                host=str(raw["host"]),
                purpose=str(raw["purpose"]),
                sent=int(raw["sent"]),
                received=int(raw["received"]),
                ended=str(raw["ended"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
        yield connection
