"""How answers get their tokens: each draws its own, then all are decoded in one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.inference.arm import Arm
from engine.inference.model import Interrupted, LanguageModel
from engine.inference.streams import Streams
from engine.numerics import F32

Clock = Callable[[], float]
Stopped = Callable[[], bool]
OnStep = Callable[[float, int], None]


@dataclass(slots=True, kw_only=True)
class Clockwork:
    """Adds up where the time goes."""

    clock: Clock
    prefill: float = 0.0
    decode: float = 0.0
    steer: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A model with its streams, and who watches it at work.

    stopped  polled before every batch
    on_step  told the seconds and tokens of every batch
    """

    model: LanguageModel
    streams: Streams
    time: Clockwork
    stopped: Stopped
    on_step: OnStep

    def decode(self, batch: Callable[[], F32], *, tokens: int) -> F32:
        """Rows of a batch. Raises Interrupted where it was stopped before, or CacheFull."""
        if self.stopped():
            raise Interrupted
        begun = self.time.clock()
        rows = batch()
        took = self.time.clock() - begun
        self.time.decode += took
        self.on_step(took, tokens)
        return rows


class Stepping(Protocol):
    """How all answers of a generation take a step.

    spare  cells of the cache that have to stay free
    """

    spare: int

    def begin(self, rows: F32) -> None:
        """The prompts are read; float32, (streams, V): a row for each."""
        ...

    def choose(self, live: Sequence[int]) -> dict[int, int]:
        """A token for each answer that goes on. Raises Interrupted or CacheFull."""
        ...

    def advance(self, taken: Mapping[int, int]) -> None:
        """Go on after these tokens, none of which ends its answer; some answers may have ended
        with them all the same. Raises Interrupted or CacheFull."""
        ...


@dataclass(slots=True, kw_only=True)
class Drawing:
    """Every answer draws for itself.

    arms    the answers
    places  of the streams of each among all streams; the first is the one that is embedded
    """

    arms: Sequence[Arm]
    places: Sequence[range]
    rig: Rig
    spare: int = 0
    _rows: dict[int, F32] = field(default_factory=dict)

    def begin(self, rows: F32) -> None:
        self._rows = {n: rows[p.start : p.stop] for n, p in enumerate(self.places)}

    def choose(self, live: Sequence[int]) -> dict[int, int]:
        return {n: self.arms[n].draw(self._rows[n]) for n in live}

    def advance(self, taken: Mapping[int, int]) -> None:
        # The embedding is of all tokens, so the last one is decoded, too.
        going = [n for n in taken if self.arms[n].finish is None or self.arms[n].question.embed]
        if not going:
            return
        tokens = {place: taken[n] for n in going for place in self.places[n]}
        rows = self.rig.decode(lambda: self.rig.streams.step(tokens), tokens=len(tokens))
        for n, own in zip(going, ranges([len(self.places[n]) for n in going]), strict=True):
            self._rows[n] = rows[own.start : own.stop]
            if self.arms[n].question.embed:
                self.arms[n].embed(self.rig.model.hidden[own.start])


def ranges(sizes: Sequence[int]) -> list[range]:
    """Consecutive ranges of these sizes."""
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [range(end - size, end) for end, size in zip(ends, sizes, strict=True)]
