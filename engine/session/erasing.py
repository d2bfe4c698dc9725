"""What of the data folder is Attune's: told apart by name, and erased for good.

A name that no part of Attune gives, a link, a model without the card that says who made it: these
are the owner's, stay where they are, and are named.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.errors import StorageError
from engine.models.header import printable
from engine.models.provenance import Provenance
from engine.paths import LOGS, DataFolder
from engine.store import database
from engine.types.data import DataFile, DataKind, Erased, Receipt

LOCK, RINGS = "window.lock", "rings"
"""By these the open window is known; both are its own."""

_BESIDE = r"(-journal|-wal|-shm|\.(before-[\w-]+|restored)(\.part)?(-journal)?)?"
_OURS: tuple[tuple[DataKind, str], ...] = (
    ("chats", rf"chats\.db{_BESIDE}"),
    ("votes", rf"record\.db{_BESIDE}"),
    ("answers", rf"calibration\.db{_BESIDE}"),
    ("backups", r"backups/\w+-\d{4}-\d\d-\d\dT\d{6}Z(-replaced)?\.db(\.part)?(-journal)?"),
    ("models", r"models(\.damaged)?\.json|\.models\.json\.\w{8}"),
    ("models", r"provenance\.json|\.provenance\.json\.\w{8}"),
    ("models", r"downloaded/[^/]+\.gguf(\.[0-9a-f]{16}\.part)?"),
    ("settings", r"connections\.jsonl"),
    ("made", r"made/[^/]+\.gguf(\.card\.json)?(\.part|\.attune-\w{8}\.part)?"),
    ("work", r"(workshop|merging)/[0-9a-f]{16}/[^/]+\.(json|npz)(\.part)?"),
    ("settings", r"(settings|import|window)\.json|settings\.json\.damaged|\.lock-\w{8}"),
    ("settings", r"logs/(attune(\.\d)?|faults)\.log|logs/(running|bad-end)\.json(\.part)?"),
    ("settings", r"\.(settings|import)\.json\.\w{8}|\.window\.json\.part"),
    ("settings", rf"{re.escape(LOCK)}(\.rmlock)?|{RINGS}/tmp\w+\.(json|part)"),
)
_KINDS = tuple((kind, re.compile(pattern)) for kind, pattern in _OURS)
_FOLDERS = re.compile(
    rf"backups|made|building|downloaded|logs|(workshop|merging)(/[0-9a-f]{{16}})?|{RINGS}"
)

_BLOCK = bytes(1 << 20)
_LONGEST = 4096
"""Characters of a path, as systems allow them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A file that Attune made.

    size  bytes
    """

    path: Path
    kind: DataKind
    size: int


def sorted_out(
    root: Path, *, logs: Path | None = None
) -> tuple[tuple[Own, ...], tuple[DataFile, ...]]:
    """The files of the data folder that Attune made, and whatever else is in it, with the reason
    why it is not Attune's. Follows no link. Raises StorageError where it cannot be read.

    logs  the folder of the log, looked through as well where it is not `logs` in the data folder
    """
    own: list[Own] = []
    other: list[DataFile] = []
    if logs == root / LOGS:
        logs = None
    try:
        for name, entry in (*_entries(root, without=logs), *_log_entries(logs)):
            found = _of(entry, name, root)
            if isinstance(found, Own):
                own.append(found)
            else:
                other.append(found)
    except OSError as error:
        raise StorageError(
            f"The data folder {root} cannot be read ({error.strerror or error}); check its "
            "permissions."
        ) from error
    return tuple(own), tuple(other)


def check_free(own: Iterable[Own]) -> None:
    """Raises StorageError where another program is writing to a database; nothing is changed."""
    for file in own:
        if file.path.suffix != ".db" or file.kind == "backups":
            continue
        with closing(sqlite3.connect(file.path, timeout=database.PATIENCE)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise StorageError(
                    f"{file.path} is in use by another program ({error}); close that one and try "
                    "again. Nothing was erased."
                ) from error
            except sqlite3.DatabaseError:  # no database any more: nobody can be writing to it
                continue


def erase(
    files: Sequence[Own], *, clock: Callable[[], float]
) -> tuple[tuple[Erased, ...], tuple[DataFile, ...]]:
    """Erase files one by one; returns those that are gone, and those that are not, with the reason.

    What holds words of the owner's is overwritten first, unless it has another name elsewhere.
    """
    erased: list[Erased] = []
    failed: list[DataFile] = []
    for file in files:
        try:
            if file.path.parent.name not in ("made", "downloaded"):  # numbers, and many of them
                _overwrite(file.path)
            file.path.unlink(missing_ok=True)
        except OSError as error:
            reason = f"it cannot be erased ({error.strerror or error})"
            failed.append(DataFile(path=str(file.path), size=file.size, reason=reason))
        else:
            erased.append(Erased(path=str(file.path), size=file.size, at=clock()))
    return tuple(erased), tuple(failed)


def remove_empty(root: Path, *, logs: Path, keep: frozenset[str] = frozenset()) -> None:
    """Remove the folders that Attune made and that hold nothing any more, but for these.

    logs  the folder of the log, wherever it is
    """
    with suppress(OSError):  # something is in it, or it is not there
        logs.rmdir()
    folders = [path for path in root.rglob("*") if path.is_dir() and not path.is_symlink()]
    for folder in sorted(folders, reverse=True):  # what is inside comes first
        name = folder.relative_to(root).as_posix()
        if _FOLDERS.fullmatch(name) and name not in keep:
            with suppress(OSError):  # something is in it
                folder.rmdir()


def receipt_text(receipt: Receipt) -> str:
    """A receipt to read and to keep."""
    count = len(receipt.erased)
    files = "one file" if count == 1 else f"{count} files"
    lines = [
        f"Attune erased {files}, {receipt.size:,} bytes, from {_line(receipt.folder)}",
        f"Done {_when(receipt.at)}",
        "",
    ]
    lines += [f"{_when(file.at)} {file.size:>15,}  {_line(file.path)}" for file in receipt.erased]
    for title, rest in (
        ("These could not be erased; delete them yourself:", receipt.failed),
        ("These stay:", receipt.stays),
    ):
        if rest:
            lines += ["", title]
            lines += [f"{_line(file.path)}: {_line(file.reason)}" for file in rest]
    lines += [
        "",
        "Attune does not reach: models and other files that you keep elsewhere, what you exported,",
        "copies that you or the system made, and what the disk keeps of deleted files.",
    ]
    return "\n".join(lines) + "\n"


# ----------------------------------------------------------------------------------------------


def _entries(root: Path, *, without: Path | None) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything in the folder and in those of its folders that Attune made, by its name there.

    without  a folder to pass over
    """

    def entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
        for entry in _listed(folder):
            name = Path(entry.path).relative_to(root).as_posix()
            if entry.is_dir(follow_symlinks=False) and _FOLDERS.fullmatch(name):
                yield from entries(Path(entry.path))
            elif Path(entry.path) != without:
                yield name, entry

    yield from entries(root)


def _log_entries(folder: Path | None) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything in a folder of the log that lies elsewhere, by the name it would have here."""
    if folder is not None and folder.is_dir():
        for entry in _listed(folder):
            yield f"{LOGS}/{entry.name}", entry


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def _of(entry: os.DirEntry[str], name: str, root: Path) -> Own | DataFile:
    path = Path(entry.path)
    facts = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(facts.st_mode):
        return DataFile(path=entry.path, size=0, reason="a folder that Attune did not make")
    if stat.S_ISLNK(facts.st_mode):
        return DataFile(path=entry.path, size=0, reason="a link, which Attune did not make")
    kind = _kind(name)
    if kind is None or not stat.S_ISREG(facts.st_mode):
        return DataFile(path=entry.path, size=facts.st_size, reason="Attune did not make it")
    if kind == "made" and path.suffix == ".gguf" and not _has_card(path):
        reason = "it has no card that says that Attune made it"
        return DataFile(path=entry.path, size=facts.st_size, reason=reason)
    if path.parent.name == "downloaded" and path.suffix == ".gguf" and not _came(path, root):
        return DataFile(path=entry.path, size=facts.st_size, reason="Attune did not download it")
    return Own(path=path, kind=kind, size=facts.st_size)


def _kind(name: str) -> DataKind | None:
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), None)


def _has_card(path: Path) -> bool:
    from engine.models.cards import card_path  # numpy comes with it

    return card_path(path).is_file()


def _came(path: Path, root: Path) -> bool:
    """Whether a file was downloaded: it is known where it is from."""
    known = Provenance(DataFolder(root=root).provenance).read()
    return any(each.file == path.name for each in known.values())


def _overwrite(path: Path) -> None:
    """Zeros in the place of what a file holds. One that has a second name is left alone: that may
    be a copy of the owner's."""
    with suppress(PermissionError):  # to be unlinked it need not be writable
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "wb") as file:
            facts = os.fstat(descriptor)
            if facts.st_nlink > 1:
                return
            left = facts.st_size
            while left > 0:
                left -= file.write(_BLOCK[:left])
            file.flush()
            os.fsync(descriptor)


def _line(text: str) -> str:
    return printable(text, _LONGEST)


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "at an unknown time"
