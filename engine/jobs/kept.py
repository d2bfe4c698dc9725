"""What a stopped merge needs to go on: a folder of its own, named by all that the merge depends on.

Every file appears whole or not at all; one that cannot be read is as good as missing, and its part
of the work is done again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from engine.errors import InputError, StorageError
from engine.models.partial import locked, replacing
from engine.numerics import F32

log = logging.getLogger("engine.jobs")

FORM = 1
"""Of the files; what was kept in another form is not looked at."""

FORGOTTEN_DAYS = 14
"""A merge that nobody went on with for so long is not gone on with."""

Value = TypeVar("Value")


@contextmanager
def held(folder: Path, *depends: object) -> Iterator[Kept]:
    """What is kept of one merge, for nobody else while it lasts; see `Kept`.

    Raises InputError where another process does the same merge, StorageError.
    """
    kept = Kept(folder, *depends)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(kept.folder, wait=False))
        except BlockingIOError as error:
            raise InputError(
                "The same work is under way already, in another window or terminal. Wait for it, "
                "or stop it there."
            ) from error
        except OSError as error:
            raise _unusable(kept.folder, error) from error
        yield kept


class Kept:
    """The folder of one merge; nothing else writes to it."""

    def __init__(self, folder: Path, *depends: object) -> None:
        """Make the folder, and remove those of merges that were given up long ago.

        depends  what another result would come of, in plain Python types

        Raises StorageError.
        """
        told = hashlib.sha256(msgspec.json.encode((FORM, *depends))).hexdigest()
        self._folder = folder / told[:16]
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._folder.touch()
        except OSError as error:
            raise _unusable(self._folder, error) from error
        _remove_given_up(folder, now=self._folder)

    @property
    def folder(self) -> Path:
        return self._folder

    def get(self, name: str, kind: type[Value]) -> Value | None:
        """What was put under that name; None where there is nothing that can be read."""
        try:
            return msgspec.json.decode(self._path(name, "json").read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s is not gone on with: %s", name, error)
            return None

    def put(self, name: str, value: object) -> None:
        """Raises StorageError."""
        with replacing(self._path(name, "json")) as file:
            file.write(msgspec.json.encode(value))

    def arrays(self, name: str) -> dict[str, F32] | None:
        """Arrays that were put under that name; None where they cannot be read."""
        try:
            # np.load itself leaves a file open that is damaged.
            with (
                self._path(name, "npz").open("rb") as file,
                np.load(file, allow_pickle=False) as saved,
            ):
                return {key: saved[key] for key in saved.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            log.warning("%s is not gone on with: %s", name, error)
            return None

    def put_arrays(self, name: str, arrays: Mapping[str, F32]) -> None:
        """Raises StorageError."""
        with replacing(self._path(name, "npz")) as file:
            np.savez(file, allow_pickle=False, **arrays)

    def remove(self) -> None:
        """The merge is done, and nothing has to go on."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}.{ending}"


def _unusable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The folder {folder} cannot be used ({error.strerror or error}); free some space or "
        "choose another data folder."
    )


def _remove_given_up(folder: Path, *, now: Path) -> None:
    """The clock is that of the files themselves: `now` was touched a moment ago."""
    for other in folder.iterdir():
        age = now.stat().st_mtime - other.stat().st_mtime
        if other.is_dir() and age > FORGOTTEN_DAYS * 24 * 3600:
            shutil.rmtree(other, ignore_errors=True)
