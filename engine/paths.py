"""Where the owner's things live: the platform's own folder, or the one that was asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StorageError

VARIABLE = "ATTUNE_DATA_DIR"


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


def data_folder(chosen: Path | None = None) -> DataFolder:
    """The data folder, made if it is missing, closed to other users.

    chosen  from the command line; else the variable ATTUNE_DATA_DIR; else the platform's place
    Raises StorageError where it cannot be made or written.
    """
    root = chosen or _default()
    try:
        root = root.expanduser().absolute()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(root, error.strerror or str(error)) from error
    except RuntimeError as error:  # "~somebody" who does not exist
        raise _unusable(root, str(error).rstrip(".")) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise _unusable(root, "it cannot be written")
    return DataFolder(root=root)


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
    if named := os.environ.get(VARIABLE):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("attune", appauthor=False, roaming=False)


def _unusable(root: Path, reason: str) -> StorageError:
    return StorageError(
        f"The data folder {root} cannot be used ({reason}). Choose another one with --data-dir."
    )
