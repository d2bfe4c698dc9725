"""Files that take long to write: under a name of their own until they are whole.

Until then a file is NAME.attune-XXXXXXXX.part beside its place, which nobody takes for a model: it
does not end in .gguf. Any error removes it; what a crash has left is removed by a later writing in
the same folder.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import InputError, StorageError
from engine.models.header import file_name, printable
from engine.paths import sync_folder

MARK, SUFFIX = ".attune-", ".part"
"""Around what chance adds to the name of a file that is not whole."""

LONGER = len(MARK) + 8 + len(SUFFIX)
"""Bytes by which such a name is longer than that of the file."""

ABANDONED_SECONDS = 24 * 3600.0
"""Nobody goes on writing a file that was not touched for so long."""


def check_space(folder: Path, size: float, what: str) -> None:
    """Raises StorageError where so many bytes are not free."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The folder {printable(str(folder), 200)} cannot be used "
            f"({error.strerror or error}); choose another one."
        ) from error
    if free < size:
        raise StorageError(
            f"{what} needs {size / 1e6:.0f} MB, but {free / 1e6:.0f} MB are free; free some space "
            "or choose another folder."
        )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write and read that takes the place of `path` when the block ends without an error.

    It is on the disk before it gets its name, and for its owner alone to read.

    Raises StorageError instead of OSError.
    """
    with _part(path) as part:
        with _written(part) as file:
            yield file
        os.replace(part, path)


@contextmanager
def creating(path: Path, *, whole: Callable[[Path], None] | None = None) -> Iterator[BinaryIO]:
    """As `replacing`, but a file that has that name meanwhile stays, and the new one is removed.

    whole  called with the finished file before it gets its name, while no other `creating` gives
           names in that folder; what it raises removes the file

    Raises InputError where the name is taken; StorageError instead of OSError.
    """
    with _part(path) as part:
        with _written(part) as file:
            yield file
        with locked(path.parent):
            _check_free(path)
            if whole is not None:
                whole(part)
            _name(part, path)


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """While it lasts, nobody else is in here with that folder; a process that dies leaves, too.

    Raises BlockingIOError where somebody is and `wait` is False; OSError. On Windows, and on file
    systems that have no locks, everybody is let in.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # no locks here
            pass
        yield
    finally:
        os.close(descriptor)


# ------------------------------------------------------------------------------------------------


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """The name of a new file that is gone at the end, under this name or for good."""
    part: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f"{path.name}{MARK}", suffix=SUFFIX, dir=path.parent
        )
        os.close(descriptor)
        part = Path(name)
        _remove_abandoned(part)
        yield part
        sync_folder(path.parent)
    except BaseException as error:
        if part is not None:
            with suppress(OSError):  # it is about the error that brought us here
                part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(
                f"{file_name(path)} could not be written ({error.strerror or error}); free some "
                "space or choose another folder."
            ) from error
        raise


@contextmanager
def _written(part: Path) -> Iterator[BinaryIO]:
    with part.open("r+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _name(part: Path, path: Path) -> None:
    """Rename without replacing anything, which no call does everywhere."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a file system without links
        _check_free(path)
        os.replace(part, path)
    else:
        part.unlink()


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise _taken(path)


def _taken(path: Path) -> InputError:
    return InputError(
        f"There is a file {file_name(path)} by now, which was left as it is; do the same again "
        "under another name."
    )


def _remove_abandoned(part: Path) -> None:
    """The clock is that of the files themselves: `part` was made a moment ago."""
    now = part.stat().st_mtime
    for other in part.parent.glob(f"*{MARK}{'?' * 8}{SUFFIX}"):
        with suppress(OSError):  # another writing has removed it, or it is not ours to remove
            if now - other.stat().st_mtime > ABANDONED_SECONDS:
                other.unlink()
