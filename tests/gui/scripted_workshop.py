"""A workshop in memory: what the engine promises of it, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from engine.api import (
    Fit,
    Made,
    MergeMethod,
    ModelCard,
    Notice,
    Objective,
    Progress,
    Shares,
    TrainedAdapter,
)
from engine.errors import InputError, Stopped

POLES = (
    Objective(id="short+", name="shorter answers"),
    Objective(id="warm+", name="a warm tone"),
    Objective(id="lists-", name="flowing paragraphs"),
)

BASE_FILE, BASE_HASH = "a.gguf", "a" * 64
"""What the starter model's file is called."""

SHORT = Made(
    path="/made/smollm2-short.gguf", name="SmolLM2 135M, short", kind="adapter",
    at=1_750_000_000.0, base=BASE_FILE, base_sha256=BASE_HASH, size=4_600_000,
    method="train", trait="shorter answers", kept=0.96, time=0.59, survival=0.9991,
)  # fmt: skip
WARM = replace(
    SHORT, path="/made/smollm2-warm.gguf", name="SmolLM2 135M, warm", trait="a warm tone",
    kept=0.81, time=0.61,
)  # fmt: skip
PLAIN = replace(
    SHORT, path="/made/smollm2-plain.gguf", name="SmolLM2 135M, literal", trait="plain wording",
    kept=None, time=None,
)  # fmt: skip

KINDS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def shares(layers: int = 30) -> Shares:
    """More towards the end, and in what feeds forward."""
    cells = tuple(
        tuple(0.001 * (row + 1) * (column + 1) / 4 for column in range(len(KINDS)))
        for row in range(layers)
    )
    return Shares(share=0.024, rows=tuple(range(layers)), columns=KINDS, cells=cells)


MERGED = Made(
    path="/made/smollm2-merged.gguf", name="smollm2-merged", kind="model", at=1_750_003_600.0,
    base=BASE_FILE, base_sha256=BASE_HASH, size=145_000_000, method="calm",
    members=("smollm2-short.gguf", "smollm2-warm.gguf"),
    losses=(
        ("base", (2.37, 2.812)),
        ("smollm2-short.gguf alone", (0.227, 2.5)),
        ("smollm2-warm.gguf alone", (2.41, 0.153)),
        ("calm", (0.395, 0.351)),
        ("average", (0.709, 1.387)),
        ("arithmetic 1", (2.133, 2.729)),
        ("arithmetic 0.3", (0.744, 1.41)),
        ("ties", (0.732, 1.373)),
        ("random-mask", (0.391, 3.42)),
    ),
    shares=(shares(),), survival=0.9998,
    notices=("smollm2-short.gguf and smollm2-warm.gguf contradict each other.",),
)  # fmt: skip

TRAINED = TrainedAdapter(
    path=SHORT.path, objective="short+", name="shorter answers", base="smollm2-135m", plain=-80.0,
    amulet=-30.0, adapter=-32.0, kept=0.96, time=0.59, questions=20,
)  # fmt: skip

Event = Notice | Progress | TrainedAdapter
Steps = Callable[["ScriptedWorkshop"], Iterator[Event]]


def makes(made: Made, *, total: int = 3) -> Steps:
    """Step after step, and at last this."""

    def steps(self: ScriptedWorkshop) -> Iterator[Event]:
        for done in range(total + 1):
            yield Progress(done=done, total=total, left=60.0 * (total - done), text="Training")
        self.shelf = (made, *self.shelf)
        yield TRAINED

    return steps


def waits(*, done: int = 412, total: int = 1296, left: float | None = 540.0) -> Steps:
    """Come so far and then go on until stopped."""

    def steps(self: ScriptedWorkshop) -> Iterator[Event]:
        yield Progress(done=done, total=total, left=left, text="The model answers 32 questions")
        self.stopped.wait(10)
        raise Stopped("The training was stopped. Begun again, the same one goes on where it was.")

    return steps


class ScriptedWorkshop:
    """What was made, and what can be.

    shelf    what was made, the newest first
    ids      ids of those that are among the owner's models, by path
    steps    what the next piece of work does
    asked    what was to be made: ("train", pole, base) or ("merge", base, members, method)
    checks   what was to be compared: base and members
    gates    for checks to come, in order: each waits for its own
    fits     what is said of a file where it does not simply fit, by path
    poles_known  what can be taught, the surest liking first
    bases_known  models to start from; None is the starter model, where there is one
    error    raised by the next call that makes or changes something
    broken   raised by every call that reads
    """

    def __init__(self, bases: Callable[[], tuple[ModelCard, ...]]) -> None:
        self._bases = bases
        self.shelf: tuple[Made, ...] = ()
        self.ids: dict[str, str] = {}
        self.steps: Steps = makes(SHORT)
        self.asked: list[tuple[object, ...]] = []
        self.checks: list[tuple[str, tuple[str, ...]]] = []
        self.gates: list[threading.Event] = []
        self.fits: dict[str, Fit] = {}
        self.error: Exception | None = None
        self.broken: Exception | None = None
        self.poles_known = POLES
        self.bases_known: tuple[ModelCard, ...] | None = None
        self.stopped = threading.Event()
        self.threads: set[int] = set()

    def poles(self) -> tuple[Objective, ...]:
        self._may_read()
        return self.poles_known

    def bases(self) -> tuple[ModelCard, ...]:
        self._may_read()
        return self._bases() if self.bases_known is None else self.bases_known

    def made(self) -> tuple[Made, ...]:
        self._may_read()
        return tuple(replace(each, model=self.ids.get(each.path, "")) for each in self.shelf)

    def check(self, base: str, members: Sequence[str]) -> tuple[Fit, ...]:
        self.checks.append((base, tuple(members)))
        if self.gates:
            self.gates.pop(0).wait(10)
        self._may_read()
        return tuple(
            self.fits.get(path, Fit(path=path, name=Path(path).name, kind="adapter"))
            for path in members
        )

    def train(self, trait: str, *, base: str = "") -> Iterator[Event]:
        self.asked.append(("train", trait, base))
        return self._work()

    def merge(self, base: str, members: Sequence[str], *, method: MergeMethod) -> Iterator[Event]:
        self.asked.append(("merge", base, tuple(members), method))
        return self._work()

    def stop(self) -> None:
        self.stopped.set()

    def remove(self, path: Path) -> tuple[Made, ...]:
        self._may_change()
        if str(path) in self.ids:
            raise InputError(f"{path.name} is among your models; remove it there first.")
        self.shelf = tuple(each for each in self.shelf if each.path != str(path))
        return self.made()

    def _work(self) -> Iterator[Event]:
        self.threads.add(threading.get_ident())
        self._may_change()
        self.stopped.clear()
        yield from self.steps(self)

    def _may_change(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _may_read(self) -> None:
        if self.broken is not None:
            raise self.broken
