"""Where the owner's things live: the platform's own folder, or the one that was asked for."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StorageError

PROBE = ".lock-"
"""How the name of a file begins that is made to try something and is gone at once."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_UNPLUGGED = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE})

VARIABLE = "ATTUNE_DATA_DIR"
BESIDE = "attune-data"
"""The data folder where it lies beside an installed program, and so goes where that goes."""

LOGS = "logs"
"""The folder of the log in a data folder that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """The files in the data folder, by name."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def models(self) -> Path:
        return self.root / "models.json"

    @property
    def record(self) -> Path:
        return self.root / "record.db"

    @property
    def calibration(self) -> Path:
        return self.root / "calibration.db"

    @property
    def chats(self) -> Path:
        return self.root / "chats.db"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def downloaded(self) -> Path:
        """The folder of models that were downloaded."""
        return self.root / "downloaded"

    @property
    def provenance(self) -> Path:
        """What was found out about models on this machine."""
        return self.root / "provenance.json"

    @property
    def connections(self) -> Path:
        """The log of every connection that was made."""
        return self.root / "connections.jsonl"


def data_folder(chosen: Path | None = None) -> DataFolder:
    """The data folder, made if it is missing, closed to other users. While it holds no votes its
    own name is synced, so that it outlives a power cut together with what is put there.

    chosen  from the command line; else the variable ATTUNE_DATA_DIR; else the folder beside the
            program, if it is there; else the platform's place
    Raises StorageError where it cannot be made or written.
    """
    root = chosen or _named() or beside_program() or _default()
    try:
        root = root.expanduser().absolute()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(root, _reason(error)) from error
    except RuntimeError as error:  # "~somebody" who does not exist
        raise _unusable(root, str(error).rstrip(".")) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise _unusable(root, "it cannot be written")
    _check_locks(root)
    folder = DataFolder(root=root)
    if not folder.record.exists():  # it, or a folder above it, may be new
        for above in root.parents:
            with suppress(OSError):  # of those that are older not all may be open to its owner
                sync_folder(above)
    return folder


def log_folder(chosen: Path | None = None) -> Path:
    """Where the log is: in the data folder that was asked for or lies beside the program, or else
    in the platform's place for logs. It may be missing, and nobody promises that it can be made.

    chosen  as in `data_folder`
    """
    named = chosen or _named() or beside_program()
    if named is not None:
        with suppress(RuntimeError):  # "~somebody" who does not exist
            return named.expanduser().absolute() / LOGS
    from platformdirs import user_log_path

    return user_log_path("attune", appauthor=False)


def beside_program() -> Path | None:
    """The folder `attune-data` beside an installed Attune: beside its program, beside its `bin` and
    `lib` where it was installed into a prefix, beside the app on macOS. None where there is none,
    and for an Attune that runs from source."""
    if not getattr(sys, "frozen", False):  # PyInstaller's mark
        return None
    program = Path(sys.executable).resolve().parent
    place = program
    if program.parts[-2:] == ("lib", "attune"):
        place = program.parents[1]  # an update replaces the folder of the program
    elif program.parts[-2:] == ("Contents", "MacOS"):
        place = program.parents[2]  # nothing may be added to an app that is signed
    folder = place / BESIDE
    return folder if folder.is_dir() else None


def made(folder: Path) -> Path:
    """A folder inside the data folder, made if it is missing, closed to other users.

    Raises StorageError where it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be made ({error.strerror or error}). Choose another data "
            "folder with --data-dir."
        ) from error
    return folder


def confirm(path: Path) -> None:
    """Have what was written last outlive a power cut, its name included. Raises StorageError where
    the disk does not say that it will; it is there all the same."""
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path} is written, but the disk does not confirm it ({error.strerror or error}) and "
            "may lose what was done last when the power goes; check the disk."
        ) from error


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut; where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _default() -> Path:
    from platformdirs import user_data_path

    return user_data_path("attune", appauthor=False, roaming=False)


def _named() -> Path | None:
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def _check_locks(root: Path) -> None:
    """Two programs that use one file tell each other by locks; some file systems have none.

    Raises StorageError where that is so. Where no file can be made, as on a full disk, nobody can
    tell: what is kept can still be read.
    """
    if os.name != "posix":
        return
    import fcntl

    try:
        descriptor, name = tempfile.mkstemp(prefix=PROBE, dir=root)
    except OSError as error:
        if error.errno in _FULL:
            return
        raise _unusable(root, _reason(error)) from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        reason = f"files in it cannot be locked: {error.strerror}; votes and chats need that"
        raise _unusable(root, reason) from error
    finally:
        os.close(descriptor)
        with suppress(OSError):  # it is named when everything is erased
            os.unlink(name)


def _unusable(root: Path, reason: str) -> StorageError:
    return StorageError(
        f"The data folder {root} cannot be used ({reason}). Choose another one with --data-dir."
    )


def _reason(error: OSError) -> str:
    said = error.strerror or str(error)
    return f"{said}; is its drive plugged in?" if error.errno in _UNPLUGGED else said
