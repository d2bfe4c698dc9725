"""Getting a model, taking one in, hashing one again: minutes, or hours on a slow line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.long_work import LongWork
from engine.api import Engine, FoundModel, InstalledModel, RecommendedModel

FETCH = "attune-fetch"
"""Name of the thread that gets and checks models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """Download one of those that are recommended."""

    model: RecommendedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFile:
    """Download a file that the owner names: "owner/name" and "model.gguf"."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeIn:
    """Use a file where it is; `found` where it lies in the folder of another program."""

    path: Path
    found: FoundModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Hash the files of a model again."""

    model: InstalledModel


Task = Get | GetFile | TakeIn | Check


class Fetching(LongWork):
    """Finishes with a ModelCard, or with the InstalledModel that was checked; what came of a
    download is kept in any case.

    task  what is done now, or was done last; None before the first
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(name=FETCH, stop=lambda: engine.library.stop())
        self._engine = engine
        self.task: Task | None = None

    @property
    def downloads(self) -> bool:
        """Attune's download program is at work."""
        return self.busy and isinstance(self.task, (Get, GetFile))

    def begin(self, task: Task) -> None:
        """Do this, or go on where it was stopped."""
        if not self.busy:
            self.task = task
            self._begin(lambda: self._work(task))

    def _work(self, task: Task) -> Iterator[object]:
        """On the lane's thread."""
        library = self._engine.library
        match task:
            case Get():
                yield from library.get(task.model.id)
            case GetFile():
                yield from library.get_file(task.repository, task.file)
            case TakeIn():
                yield from library.link(task.path)
            case Check():
                yield from library.verify(task.model.card.id)
