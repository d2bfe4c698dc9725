"""Damaged model files through the whole of Attune: one sentence each, no death, no silence (R6).

    python -m benchmarks.reliability.gguf_bytes [MODEL.gguf] [--count 10000] [--seed 0] [--out FILE]

Half of the files have bytes exchanged, three in ten a field of the header (as in `gguf_fields`),
two in ten are cut. Each is started as a model of the owner's own, and asked where it loads. What
the pre-check refused is then given to llama.cpp alone, to see what it would have died of. Without
a model the starter model is damaged; a small one is faster.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.engines import asked, remember_settings
from benchmarks.reliability.gguf_fields import Edit, Pieces, alone, edits, pieces
from benchmarks.reliability.kills import Shot
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    chance,
    conclude,
    never,
    run,
    spread,
)
from engine.api import Engine
from engine.errors import AttuneError, InternalError, ModelError, PromptTooLong
from engine.inference.client import Client
from engine.models.catalogue import starter_path
from engine.models.gguf import check, read_header
from engine.types.answers import Answer, Ready

SECONDS = 30.0
"""A file that takes longer hangs."""
TARGET_SHARE = 0.95
KINDS = ("bytes",) * 5 + ("field",) * 3 + ("cut",) * 2
EXTREMES = (0, 1, 255, 1 << 16, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What became of one file.

    refused  by the pre-check
    outcome  "refused" (by the pre-check or by llama.cpp, in a sentence) or "answered"
    deaths   how the model's process ended where it did so by itself
    alone    what llama.cpp alone does with a file that the pre-check refused
    problem  what was not as promised, "" where all was
    """

    number: int
    kind: str
    what: str
    refused: bool
    outcome: str
    deaths: tuple[int, ...]
    alone: str
    seconds: float
    problem: str

    @property
    def deadly(self) -> bool:
        """Whether it kills a process that loads it, checked or not."""
        return bool(self.deaths) or self.alone not in ("", "refused", "loaded")


class Workshop:
    """Damages one model again and again, and starts what came of it."""

    def __init__(self, model: Path, folder: Path, *, seed: int) -> None:
        self._seed = seed
        self._model = model
        self._sound = model.read_bytes()
        self._pieces: Pieces = pieces(model)
        self._edits: list[Edit] = edits(self._pieces, random.Random(seed))
        self._file = folder / "specimen.gguf"
        self._engine = Engine(folder / "data", seeds=lambda: 1)
        self._clients: list[Client] = []
        spawn = self._engine._running.supervisor._spawn

        def counted() -> Client:
            self._clients.append(spawn())
            return self._clients[-1]

        self._engine._running.supervisor._spawn = counted

    def close(self) -> None:
        self._engine.close()

    def case(self, number: int) -> Damage:
        """Damage a copy and try it."""
        draw = chance(self._seed, number)
        kind = KINDS[number % len(KINDS)]
        what, data = self._damaged(kind, draw)
        self._file.write_bytes(data)
        refused = self._refused()
        begun = time.monotonic()
        outcome, problem = self._start()
        seconds = time.monotonic() - begun
        deaths = self._deaths()
        if seconds > SECONDS:
            problem = problem or "a hang"
        return Damage(
            number=number, kind=kind, what=what, refused=refused, outcome=outcome, deaths=deaths,
            alone=alone(self._file) if refused else "", seconds=round(seconds, 3), problem=problem,
        )  # fmt: skip

    def _damaged(self, kind: str, draw: random.Random) -> tuple[str, bytes]:
        match kind:
            case "bytes":
                return exchanged(self._sound, head=self._pieces.data, draw=draw)
            case "field":
                edit = draw.choice(self._edits)
                weights = self._sound[self._pieces.data :]
                return edit.what, edit.apply(self._pieces).encoded() + weights
            case _:
                return cut(self._sound, head=self._pieces.data, draw=draw)

    def _refused(self) -> bool:
        try:
            check(read_header(self._file))
        except ModelError:
            return True
        return False

    def _start(self) -> tuple[str, str]:
        """Load and ask as the window does: what came of it, and what is wrong with that."""
        self._clients.clear()
        deadline = time.monotonic() + SECONDS

        def late() -> int | None:
            over = time.monotonic() > deadline and self._clients
            return self._clients[-1].pid if over else None

        with Shot(when=late, delay=0.0) as shot:
            try:
                ready = any(isinstance(e, Ready) for e in self._engine.start(str(self._file)))
                last = [*self._engine.answer(asked("Hello wörld, 你好 🙂", max_tokens=4))][-1]
            except PromptTooLong:  # it loads, and says that hardly anything fits
                return "answered", ""
            except AttuneError as error:
                return "refused", "a hang" if shot.at else _wanting(error)
        fine = ready and isinstance(last, Answer | Ready)
        return "answered", "" if fine else "neither an answer nor a sentence"

    def _deaths(self) -> tuple[int, ...]:
        """Signals and codes of the processes that ended by themselves."""
        found = [client._child.status for client in self._clients]
        return tuple(status for status in found if status not in (None, 0, -9))


def _wanting(error: AttuneError) -> str:
    """What is wrong with the sentence that the owner gets."""
    if isinstance(error, InternalError):
        return f"an exception of ours: {error.message}"
    if "specimen" not in error.message:
        return f"the file is not named: {error.message}"
    sound = error.message.isprintable() and error.message.endswith(".")
    return "" if sound else f"not one sentence: {error.message!r}"


def exchanged(sound: bytes, *, head: int, draw: random.Random) -> tuple[str, bytes]:
    """A few bytes changed, or a number overwritten by an extreme one; mostly in the header."""
    data = bytearray(sound)
    end = len(sound) if draw.random() < 0.2 else head
    if draw.random() < 0.3:
        at, size = draw.randrange(4, end - 8), draw.choice((1, 4, 8))
        new = struct.pack("<Q", draw.choice(EXTREMES))[:size]
        data[at : at + size] = new
        return f"{new.hex()} at {at}", bytes(data)
    places = [draw.randrange(end) for _ in range(draw.randint(1, 8))]
    for at in places:
        data[at] ^= draw.randint(1, 255)
    return f"bytes {sorted(places)}", bytes(data)


def cut(sound: bytes, *, head: int, draw: random.Random) -> tuple[str, bytes]:
    """The beginning alone, or with zeros, or with noise, up to the old length."""
    at = draw.randrange(head if draw.random() < 0.5 else len(sound) - 1)
    rest = draw.choice(("nothing", "zeros", "noise"))
    length = 0 if rest == "nothing" else len(sound) - at
    tail = bytes(length) if rest == "zeros" else draw.randbytes(length)
    return f"{rest} after {at}", sound[:at] + tail


def findings(cases: list[Damage]) -> list[Finding]:
    """The promises of R6, and R7's share over all kinds of damage."""
    count = len(cases)
    deadly = [case for case in cases if case.deadly]
    first = sum(case.refused for case in deadly)
    share = first / len(deadly) if deadly else 1.0
    kinds = Counter(case.kind for case in cases)
    outcomes = Counter(case.outcome for case in cases)
    return [
        Finding(
            promise="damaged files, and the process of the window alive after each",
            found=f"{count}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())),
            target="10,000 in the full run",
            met=count > 0,
        ),
        Finding(
            promise="what came of them",
            found=", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items())),
            target="–",
            met=True,
        ),
        never(
            "no sentence that names the file, or more than 30 s",
            [case for case in cases if case.problem],
            of=count,
        ),
        Finding(
            promise="deaths of llama.cpp that the pre-check prevents",
            found=f"{first} of {len(deadly)}" + (f" ({share:.1%})" if deadly else ""),
            target=f"≥ {TARGET_SHARE:.0%}",
            met=share >= TARGET_SHARE,
        ),
        Finding(
            promise="time of one file",
            found=spread([case.seconds for case in cases]),
            target=f"≤ {SECONDS:g} s",
            met=all(case.seconds <= SECONDS for case in cases),
        ),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = arguments(__doc__, name="gguf-bytes", count=10_000)
    parser.add_argument("model", type=Path, nargs="?")
    return parser


def main() -> int:
    given = _parser().parse_args()
    model: Path = given.model or starter_path()
    ledger = Ledger(given.out, Damage, seed=given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remember_settings(folder / "data", context=1024)
        workshop = Workshop(model, folder, seed=given.seed)
        try:
            run(ledger, count=given.count, case=workshop.case, tell=_line)
        finally:
            workshop.close()
    return conclude(
        given.out, title="R6: damaged model files", about={"model": model.name, "seed": given.seed},
        findings=findings(ledger.cases),
    )  # fmt: skip


def _line(case: Damage) -> str:
    died = f" died {case.deaths or case.alone}" if case.deadly else ""
    return f"{case.kind}: {case.outcome}{' first' if case.refused else ''}{died} {case.problem}"


if __name__ == "__main__":
    sys.exit(main())
