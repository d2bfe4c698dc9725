"""The log: what happened, and where, but never what was asked, answered or read.

That holds by construction and not by care. Of a record only those words are written that stand in
the source, with its numbers and with what is marked as a `Fact`. Of any other text the length is
written, of an error its type and its code, of a traceback the files, lines and functions. Of what
other libraries say nothing is written but that they said it.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from engine.errors import AttuneError

NAME = "attune.log"
SIZE = 1 << 20
"""Bytes after which a log is put aside and a new one begun."""

KEPT = 2
"""Logs that were put aside: attune.1.log is the newer one."""

LONGEST = 400
"""Characters of a fact."""

_OURS = ("engine", "desktop")
_FRAMES = 60
_CHAIN = 4
"""Errors that led to one another, at most."""

log = logging.getLogger("engine.logs")


class Fact(str):
    """Text that a log may hold: settings, versions, names of Attune's own files.

    Never a question, an answer, a preference, or what a file says.
    """

    __slots__ = ()


class SafeFormatter(logging.Formatter):
    """Writes what a log may hold, and nothing else."""

    def format(self, record: logging.LogRecord) -> str:
        moment = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        lines = [f"{moment} {record.levelname} {record.name}: {_words(record)}"]
        if record.exc_info and record.exc_info[1] is not None:
            lines.append(f"  {named(record.exc_info[1])}")
            lines += [f"  {frame}" for frame in _frames(record.exc_info[1])]
        return "\n".join(lines)


class LogFile(logging.FileHandler):
    """A log of at most SIZE bytes beside KEPT older ones, made when there is something to write.

    Where it cannot be written nobody is told: a full disk costs the log and nothing else. (The
    handler of the standard library that turns logs over would bring sockets into the process.)
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / NAME, encoding="utf-8", delay=True)
        self._folder = folder
        self.setFormatter(SafeFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.stream is not None and self._was_put_aside(self.stream):
                self.stream.close()
                self.stream = None
            if self.stream is not None and self.stream.tell() >= SIZE:
                self._turn()
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging names it
        """Say nothing."""

    def _was_put_aside(self, stream: TextIOWrapper) -> bool:
        """Whether another program that writes the same log has begun a new one."""
        try:
            return not os.path.samestat(os.stat(self.baseFilename), os.fstat(stream.fileno()))
        except FileNotFoundError:  # somebody erased it, and wants no new one
            return False

    def _turn(self) -> None:
        """Begin a new file; the oldest goes."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        for number in range(KEPT, 0, -1):
            newer = self._folder / older(number - 1)
            if newer.exists():
                os.replace(newer, self._folder / older(number))

    def _open(self) -> TextIOWrapper:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(self.baseFilename, "a", encoding="utf-8", opener=_closed_to_others)


def older(number: int) -> str:
    """Name of the log that was put aside so many times; 0 is the one that is written."""
    return f"attune.{number}.log" if number else NAME


@contextmanager
def kept(folder: Path, *, level: int = logging.INFO) -> Iterator[None]:
    """Whatever is logged meanwhile is written to the log in `folder`, from this level on."""
    handler, root = LogFile(folder), logging.getLogger()
    handler.setLevel(level)
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        with suppress(OSError):  # what could not be written is tried once more
            handler.close()


@contextmanager
def mistakes_logged() -> Iterator[None]:
    """Errors that nobody caught are logged meanwhile, and told nowhere else: what Python prints of
    them by itself may quote a question, and a desktop keeps what a window prints."""
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("nobody caught an error", exc_info=(kind, error, trace))

    def in_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            uncaught(found.exc_type, found.exc_value, found.exc_traceback)

    def unraisable(found: sys.UnraisableHookArgs) -> None:
        if found.exc_value is not None:
            uncaught(type(found.exc_value), found.exc_value, found.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before


def tail(folder: Path, *, longest: int) -> str:
    """The end of the log, at most so many bytes; "" where there is none."""
    try:
        with (folder / NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - longest))
            lines = file.read().decode("utf-8", "replace").splitlines(keepends=True)
            return "".join(lines[1:] if file.tell() > longest else lines)
    except OSError:
        return ""


def named(error: BaseException) -> str:
    """An error without its words: its type, its code, and what it came from."""
    parts: list[str] = []
    found: BaseException | None = error
    while found is not None and len(parts) < _CHAIN:
        parts.append(_kind(found))
        found = _origin(found)
    return " from ".join(parts)


# ----------------------------------------------------------------------------------------------


class _Values(dict[str, object]):
    """Values by name, which say nothing as a whole: their names may be text, too."""

    def __repr__(self) -> str:
        return f"({len(self)} values)"

    __str__ = __repr__


def _words(record: logging.LogRecord) -> str:
    """What a record says, as far as a log may hold it."""
    if record.name.partition(".")[0] not in _OURS or not isinstance(record.msg, str):
        return "(said something)"
    given = record.args
    try:
        if isinstance(given, Mapping):
            said = record.msg % _Values({key: _shown(value) for key, value in given.items()})
        else:
            said = record.msg % tuple(_shown(value) for value in given) if given else record.msg
    except (TypeError, ValueError, KeyError):  # a number was expected where a text came
        said = record.msg
    return " ".join(said.split())


def _shown(value: object) -> object:
    """What stands in a log for a value."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, Fact):
        return " ".join(value.split())[:LONGEST]
    if isinstance(value, BaseException):
        return named(value)
    if isinstance(value, str):
        return f"({len(value)} characters)"
    return f"({type(value).__name__})"


def _kind(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, AttuneError):
        return f"{kind} ({error.code})"
    if isinstance(error, sqlite3.Error):
        return f"{kind} ({getattr(error, 'sqlite_errorname', 'no code')})"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{kind} ({errno.errorcode.get(error.errno, str(error.errno))})"
    return kind


def _origin(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _frames(error: BaseException) -> list[str]:
    """Where it happened, the innermost last; no line of source, which may quote."""
    walked = list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]
    return [_place(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in walked]


def _place(file: str, line: int, function: str) -> str:
    """The last parts of the path: who the owner is stands in the first."""
    return f"{'/'.join(Path(file).parts[-3:])}:{line} in {function}"


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
