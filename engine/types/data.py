"""What is kept of its owner: shown, copied, taken out, erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a file that lasts.

    of        name of the file: "chats.db"
    at        when it was made, seconds since the epoch
    size      bytes
    replaced  not a copy, but what a restored copy took the place of
    """

    name: str
    of: str
    at: float
    size: int
    replaced: bool = False


DataKind = Literal[
    "chats", "votes", "profile", "answers", "models", "made", "settings", "backups", "work"
]
"""What Attune keeps; "answers" are those that were measured, "work" is what stopped jobs go on
with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """One kind of what is kept.

    count    chats, votes, traits that are asked about, answers, models that were added, files made,
             settings files, copies, pieces of work; None where it could not be counted
    size     bytes of its files; of the profile 0, because it is worked out from the votes
    path     absolute, of its file or folder, whether it is there or not
    trouble  why it could not be counted, in a sentence; ""
    """

    kind: DataKind
    count: int | None
    size: int
    path: str
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOverview:
    """What is kept where; `size` in bytes is of all files that Attune made in the folder."""

    folder: str
    parts: tuple[DataPart, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file in the data folder: absolute path, bytes, and why it stays or stayed; "" else."""

    path: str
    size: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """An export of everything.

    path      of the new folder or zip file
    files     names in it
    size      bytes of these files, before they are packed
    left_out  what is not in it, a sentence each
    """

    path: str
    files: tuple[str, ...]
    size: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasable:
    """What would be erased, and what would stay because Attune did not make it."""

    folder: str
    files: tuple[DataFile, ...]
    stays: tuple[DataFile, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A file that is gone: absolute path, bytes, and when, seconds since the epoch."""

    path: str
    size: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased.

    at      when that was done, seconds since the epoch
    failed  files of Attune's that could not be erased, with the reason
    stays   files in the folder that Attune did not make, or still needs, with the reason
    """

    folder: str
    at: float
    erased: tuple[Erased, ...]
    failed: tuple[DataFile, ...] = ()
    stays: tuple[DataFile, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.erased)
