"""How far long work has come as a whole, where it has parts of unlike length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile

from engine.types.work import Progress

FINE = 1000
"""Steps in which the whole is told."""


class Course:
    """One piece of work. What it tells never goes back, and always speaks of the whole."""

    def __init__(self, efforts: Mapping[str, float], *, clock: Callable[[], float]) -> None:
        """
        efforts  what each part takes, in the order in which they come; any unit, all > 0. They are
                 guesses: they place the parts within the whole, and the time left is measured
        clock    counts seconds
        """
        self._efforts, self._clock = dict(efforts), clock
        self._whole = sum(self._efforts.values())
        self._begun: tuple[float, float] | None = None
        self._reached = 0.0

    def told(self, part: str, progress: Progress) -> Progress:
        """The same, of the whole: `done` of FINE, and the seconds left for all that is to come.

        part  that `progress` is of
        """
        before = sum(self._efforts[name] for name in takewhile(part.__ne__, self._efforts))
        within = min(1.0, progress.done / max(1, progress.total))
        reached = (before + self._efforts[part] * within) / self._whole
        self._reached = max(self._reached, reached)
        left = self._left(progress.left, after=self._whole - before - self._efforts[part])
        return replace(progress, done=round(FINE * self._reached), total=FINE, left=left)

    def _left(self, here: float | None, *, after: float) -> float | None:
        """Seconds for the rest: of this part what it says itself, of the others by the pace so far.

        What was done before this was begun was done at another time, and tells nothing of it.
        """
        if self._begun is None:
            self._begun = (self._clock(), self._reached)
        since, reached = self._begun
        gained = (self._reached - reached) * self._whole
        if gained <= 0.0:
            return None
        pace = (self._clock() - since) / gained
        if here is None:
            return pace * (1.0 - self._reached) * self._whole
        return here + pace * after
