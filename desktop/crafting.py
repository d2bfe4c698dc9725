"""Training an adapter and merging several models into one, which take minutes or hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desktop.long_work import LongWork
from engine.api import Engine, MergeMethod, ModelCard, Objective

CRAFT = "attune-workshop"
"""Name of the thread that trains and merges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Teach a model one pole of a trait."""

    pole: Objective
    base: ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Make one model of several; members are paths."""

    base: ModelCard
    members: tuple[str, ...]
    method: MergeMethod


class Crafting(LongWork):
    """Finishes with what the engine says of it; what was learned is kept in any case.

    task  what is made now, or was made last; None before the first
    """

    def __init__(self, engine: Engine) -> None:
        # Asked for late: the engine's part comes with numpy, which the start of a window can spare.
        super().__init__(name=CRAFT, stop=lambda: engine.workshop.stop())
        self._engine = engine
        self.task: Training | Merge | None = None

    def begin(self, task: Training | Merge) -> None:
        """Make this, or go on where it was stopped."""
        if not self.busy:
            self.task = task
            self._begin(lambda: self._make(task))

    def _make(self, task: Training | Merge) -> Iterator[object]:
        """On the lane's thread."""
        workshop = self._engine.workshop
        match task:
            case Training():
                yield from workshop.train(task.pole.id, base=task.base.id)
            case Merge():
                yield from workshop.merge(task.base.id, task.members, method=task.method)
