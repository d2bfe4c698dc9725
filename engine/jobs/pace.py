"""How long it will still take, from how long it took so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Pace:
    """How one model gets on. Work is counted in streams, each decoded to the end of its answer.

    size     bytes of its file; a model that has not begun is guessed to take time in proportion
    left     work to do, the running batch included
    done     work done, in whole batches
    part     work done of the running batch
    seconds  that both took
    """

    size: int
    left: float
    done: float = 0.0
    part: float = 0.0
    seconds: float = 0.0

    @property
    def reached(self) -> float:
        return self.done + self.part


def seconds_left(paces: Sequence[Pace]) -> float | None:
    """Until all of them are done; None before any of them has got anywhere."""
    begun = [pace for pace in paces if pace.reached > 0.0]
    if not begun:
        return None
    per_byte = sum(p.seconds for p in begun) / sum(p.reached * max(1, p.size) for p in begun)

    def each(pace: Pace) -> float:
        return pace.seconds / pace.reached if pace.reached > 0.0 else per_byte * max(1, pace.size)

    return sum((pace.left - pace.part) * each(pace) for pace in paces)
