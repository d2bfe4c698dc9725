"""What is kept of an owner, and profile files, in memory: what the engine promises, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.api import (
    Backup,
    DataExport,
    DataFile,
    DataKind,
    DataOverview,
    DataPart,
    Erased,
    Exported,
    Learned,
    Notice,
    ProfileDiff,
    Receipt,
    SettingChange,
)
from tests.gui.scripted_record import Entry, ScriptedRecord

AT = 1_750_000_000.0
COUNTS: tuple[tuple[DataKind, int, int], ...] = (
    ("chats", 12, 1_234_000), ("votes", 6, 45_000), ("profile", 10, 0), ("answers", 120, 310_000),
    ("models", 2, 900), ("made", 1, 4_600_000), ("settings", 2, 1_100), ("backups", 3, 3_700_000),
    ("work", 0, 0),
)  # fmt: skip
CHATS = Backup(name="chats-2.db", of="chats.db", at=AT, size=1_230_000)
VOTES = Backup(name="record-1.db", of="record.db", at=AT - 86_400, size=44_000)
OLD = replace(CHATS, name="chats-1-replaced.db", at=AT - 90_000, replaced=True)


class ScriptedData:
    """
    offline_said  what a child says of the network
    problems      what a check finds
    error         raised by the next call that does something
    broken        raised by every call that reads
    calls         what was done
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.backups = ScriptedBackups(self)
        self.offline_said = True
        self.problems: tuple[Notice, ...] = ()
        self.error: Exception | None = None
        self.broken: Exception | None = None
        self.failed: tuple[DataFile, ...] = ()
        self.counts = COUNTS
        self.calls: list[str] = []
        self.threads: set[int] = set()

    def overview(self) -> DataOverview:
        self.may_read()
        parts = tuple(
            DataPart(kind=kind, count=count, size=size, path=str(self._folder / kind))
            for kind, count, size in self.counts
        )
        return DataOverview(
            folder=str(self._folder), parts=parts, size=sum(part.size for part in parts)
        )

    def offline(self) -> bool:
        self.may("offline")
        return self.offline_said

    def check(self) -> tuple[Notice, ...]:
        self.may("check")
        return self.problems

    def export(self, to: Path) -> DataExport:
        self.may(f"export {to}")
        return DataExport(
            path=str(to), files=("a.json", "b.md"), size=1_300_000, left_out=("Not c.",)
        )

    def erase(self) -> Receipt:
        self.may("erase")
        gone = Erased(path=str(self._folder / "chats.db"), size=1_234_000, at=AT)
        self.counts = tuple((kind, 0, 0) for kind, _, _ in COUNTS)
        self.backups.copies = ()
        return Receipt(folder=str(self._folder), at=AT, erased=(gone,), failed=self.failed)

    def may(self, call: str) -> None:
        self.threads.add(threading.get_ident())
        self.calls.append(call)
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def may_read(self) -> None:
        self.threads.add(threading.get_ident())
        if self.broken is not None:
            raise self.broken


class ScriptedBackups:
    """Copies that can be put back."""

    def __init__(self, data: ScriptedData) -> None:
        self._data = data
        self.copies: tuple[Backup, ...] = (CHATS, VOTES, OLD)

    def list(self) -> tuple[Backup, ...]:
        self._data.may_read()
        return self.copies

    def restore(self, name: str) -> Backup | None:
        self._data.may(f"restore {name}")
        return None


class ScriptedProfiles:
    """
    merge, replace  what a file would change, both ways
    error           raised by the next call
    """

    def __init__(self, record: ScriptedRecord, *, change: Callable[..., None]) -> None:
        self._record, self._change = record, change
        learned = record.known()
        self.merge = difference(learned, learned)
        self.replace = replace(self.merge, replace=True, dropped=3)
        self.error: Exception | None = None
        self.calls: list[str] = []

    def check(self, path: Path) -> None:
        self._may(f"check {path.name}")

    def preview(self, path: Path, *, replace: bool = False) -> ProfileDiff:
        self._may(f"preview {path.name}")
        return self.replace if replace else self.merge

    def import_(self, path: Path, *, replace: bool = False) -> ProfileDiff:
        self._may(f"{'replace' if replace else 'merge'} {path.name}")
        diff = self.replace if replace else self.merge
        self._record.entries.append(Entry(kind="import", about=path.stem))
        self._change(gamma=4.5)
        return diff

    def export(self, path: Path, *, texts: bool = False) -> Exported:
        self._may(f"export {path.name}{' with texts' if texts else ''}")
        return Exported(path=str(path), votes=6, left_out=0, size=4_200)

    def undone(self, what: str) -> None:
        if what.startswith("the import of"):
            self._change(gamma=2.0)

    def _may(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def difference(before: Learned, after: Learned) -> ProfileDiff:
    """Three new votes and another strength."""
    return ProfileDiff(
        name="mine", exported=AT, replace=False, before=before, after=after, new=3, known=2,
        settings=(SettingChange(name="strength", before="2", after="4.5"),),
    )  # fmt: skip
