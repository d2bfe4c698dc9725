"""The whole app is used for hours by a script: does memory, or anything else, keep growing (R13)?

    python -m benchmarks.reliability.soak [--minutes 120] [--out FILE]

A real window, off the screen unless QT_QPA_PLATFORM says otherwise, with the starter model in its
process: it asks, votes, takes back, writes answers again, searches, goes through chats and pages.
Every few seconds both processes are weighed; a line is laid through the weights by least squares
after a warm-up. Samples are kept as they come, in FILE; a run that is broken off leaves them.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
from PySide6.QtCore import QTimer

from benchmarks.reliability.engines import child_of
from benchmarks.reliability.runs import RESULTS, Finding, conclude
from benchmarks.reliability.session import QUESTIONS, Owner, Until, open_window, prepare
from desktop.views.window import Window

ROOT = Path(__file__).parents[2]
EVERY = 5.0
"""Seconds between two samples."""
WARM_SHARE, WARM_MOST = 0.25, 900.0
"""Of the time, and seconds at the most, in which everything is done for the first few times."""
SLOPE, LARGEST = 5.0, 250.0
"""MB an hour; MB of the window's process after an hour."""
PACE = 10.0
"""Seconds of a round at the least: a vote on record takes some 8 KB, and nobody votes faster."""
NEW_CHAT = 4
"""Rounds in a chat."""
WORDS = ("light", "basil", "what mean", "nowhere-to-be-found")
OFFSCREEN = "This plugin does not support propagateSizeHints()"
"""What Qt says of every window that is off the screen."""
PAUSE = 0.4
"""Seconds for what is read on another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Of one process: MB that it has in memory, MB of its share of them, what it has open."""

    rss: float
    pss: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Both processes at one moment.

    at      seconds since the window was shown
    rounds  done by then
    """

    at: float
    rounds: int
    window: Weight
    child: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was done, and what the log has of warnings and worse."""

    done: dict[str, int]
    warnings: tuple[str, ...]


def weigh(pid: int) -> Weight:
    """A process now. Raises OSError where it has ended."""
    process = Path(f"/proc/{pid}")
    rollup = (process / "smaps_rollup").read_text()
    status = (process / "status").read_text()
    return Weight(
        rss=_kilobytes(rollup, "Rss") / 1e3,
        pss=_kilobytes(rollup, "Pss") / 1e3,
        descriptors=len(os.listdir(process / "fd")),
        threads=int(status.split("Threads:")[1].split()[0]),
    )


def _kilobytes(told: str, name: str) -> float:
    return int(told.split(f"\n{name}:")[1].split()[0]) * 1.024


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line through (seconds, value) by least squares, value per hour; 0 of fewer than 2."""
    if len(points) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    together = sum((x - middle) * (y - height) for x, y in points)
    return 3600.0 * together / spread if spread else 0.0


# In the window's process --------------------------------------------------------------------


class Soaker(Owner):
    """Uses the window until time is up, and weighs it meanwhile."""

    def __init__(self, window: Window, *, minutes: float, samples: Path) -> None:
        self._begun = time.monotonic()
        self._samples = samples
        super().__init__(window, minutes=minutes)
        self._weighing = QTimer(window, interval=int(1000 * EVERY))
        self._weighing.timeout.connect(self._weigh)
        self._weighing.start()

    def _script(self) -> Iterator[Until]:
        menus, loading = self._window.menus, self._desk.loading
        yield lambda: not loading.busy and loading.current is not None
        for number in count():
            if time.monotonic() > self._end:
                return
            begun = time.monotonic()
            if number % NEW_CHAT == 0:
                self._choose(menus.new_chat, "new chat")
            yield from self._ask(f"{QUESTIONS[number % len(QUESTIONS)]} ({number})")
            yield from self._vote(number)
            if number % 2:
                yield from self._write_again()
            yield from self._look_around()
            yield from self._search(WORDS[number % len(WORDS)])
            if number % NEW_CHAT == NEW_CHAT - 1:
                yield from self._switch()
            self.done["round"] += 1
            yield self._rest(begun)

    def _rest(self, begun: float) -> Until:
        return lambda: time.monotonic() > min(begun + PACE, self._end)

    def _write_again(self) -> Iterator[Until]:
        self._choose(self._window.menus.regenerate, "regenerate")
        yield lambda: not self._desk.asking.busy

    def _search(self, words: str) -> Iterator[Until]:
        for text in (words, ""):
            self._window.chats.field.setText(text)
            yield _later(PAUSE)
        self.done["search"] += 1

    def _switch(self) -> Iterator[Until]:
        for action in (self._window.menus.next_chat, self._window.menus.previous_chat):
            self._choose(action, "switch")
            yield _later(PAUSE)

    def _weigh(self) -> None:
        if self._desk.loading.current is None:
            return
        sample = Sample(
            at=round(time.monotonic() - self._begun, 2),
            rounds=self.done["round"],
            window=weigh(os.getpid()),
            child=weigh(child_of(self._desk.engine)),
        )
        with self._samples.open("ab") as file:
            file.write(msgspec.json.encode(sample) + b"\n")


def _later(seconds: float) -> Until:
    come = time.monotonic()
    return lambda: time.monotonic() - come > seconds


class Warnings(logging.Handler):
    """Keeps what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.name}: {record.getMessage()}"[:300]
        if OFFSCREEN not in said:
            self.said.append(said)


def inside(folder: Path, *, minutes: float, samples: Path) -> int:
    """Open the window and use it; says at the end what was done."""
    heard = Warnings()
    logging.getLogger().addHandler(heard)
    soakers: list[Soaker] = []
    code = open_window(
        folder,
        use=lambda window: soakers.append(Soaker(window, minutes=minutes, samples=samples)),
    )
    ended = Ended(done=dict(soakers[0].done), warnings=tuple(heard.said))
    print(msgspec.json.encode(ended).decode(), flush=True)
    return code


# The table ----------------------------------------------------------------------------------


def findings(samples: Sequence[Sample], ended: Ended) -> list[Finding]:
    """The promises of R13."""
    total = samples[-1].at if samples else 0.0
    warm = min(WARM_MOST, WARM_SHARE * total)
    after = [sample for sample in samples if sample.at >= warm]
    done = ", ".join(f"{n} × {what}" for what, n in sorted(ended.done.items()))
    used = Finding(
        promise="minutes of use",
        found=f"{total / 60:.0f}: {done}",
        target="120 in the full run",
        met=bool(after),
    )
    if not after:
        return [used]
    return [
        used,
        *_memory(after, "window", lambda sample: sample.window),
        *_memory(after, "model's process", lambda sample: sample.child),
        _largest(samples),
        *_handles(after, "window", lambda sample: sample.window),
        *_handles(after, "model's process", lambda sample: sample.child),
        Finding(
            promise="warnings and errors in the log",
            found=str(len(ended.warnings)) + "".join(f"; {w}" for w in ended.warnings[:3]),
            target="0",
            met=not ended.warnings,
        ),
    ]


Of = Callable[[Sample], Weight]
Value = Callable[[Weight], float]


def _memory(after: Sequence[Sample], name: str, of: Of) -> Iterator[Finding]:
    kinds: tuple[tuple[str, Value, float], ...] = (
        ("RSS", lambda w: w.rss, SLOPE),
        # What else runs on the machine has a share of the libraries, or has not.
        ("PSS", lambda w: w.pss, math.inf),
    )
    for what, value, most in kinds:
        grows = slope([(sample.at, value(of(sample))) for sample in after])
        first, last = (value(of(sample)) for sample in (after[0], after[-1]))
        yield Finding(
            promise=f"{what} of the {name}, after the warm-up",
            found=f"{grows:+.1f} MB an hour; {first:.0f} MB, in the end {last:.0f}",
            target="–" if math.isinf(most) else f"≤ {most:g} MB an hour",
            met=grows <= most,
        )


def _largest(samples: Sequence[Sample]) -> Finding:
    hour = next((sample for sample in samples if sample.at >= 3600.0), samples[-1])
    return Finding(
        promise=f"RSS of the window after {hour.at / 60:.0f} minutes",
        found=f"{hour.window.rss:.0f} MB",
        target=f"≤ {LARGEST:g} MB after an hour",
        met=hour.window.rss <= LARGEST,
    )


def _handles(after: Sequence[Sample], name: str, of: Of) -> Iterator[Finding]:
    """Flat: what is open for a moment does not count, what stays does."""
    half = len(after) // 2
    kinds: tuple[tuple[str, Value], ...] = (
        ("descriptors", lambda w: w.descriptors),
        ("threads", lambda w: w.threads),
    )
    for what, value in kinds:
        before, later = (
            statistics.median(value(of(sample)) for sample in part)
            for part in (after[: half + 1], after[half:])
        )
        yield Finding(
            promise=f"{what} of the {name}, the median of the first half and of the second",
            found=f"{before:g}, {later:g}",
            target="no more",
            met=later <= before,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "soak.jsonl", help="kept samples")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return inside(given.inside, minutes=given.minutes, samples=given.out)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_bytes(b"")
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        prepare(Path(name))
        ended = _soak(Path(name), minutes=given.minutes, samples=given.out)
    lines = given.out.read_bytes().splitlines()
    samples = [msgspec.json.decode(line, type=Sample) for line in lines]
    about = {"model": "SmolLM2-135M-Instruct Q4_1, one thread", "samples": len(samples)}
    return conclude(
        given.out, title="R13: the app in use for hours", about=about,
        findings=findings(samples, ended),
    )  # fmt: skip


def _soak(folder: Path, *, minutes: float, samples: Path) -> Ended:
    """A process of its own, which holds nothing but what the app needs."""
    command = (
        sys.executable, "-m", "benchmarks.reliability.soak", "--inside", str(folder),
        "--minutes", str(minutes), "--out", str(samples.absolute()),
    )  # fmt: skip
    shown = {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    told = subprocess.run(
        command, cwd=ROOT, env=os.environ | shown, stdout=subprocess.PIPE, check=True
    ).stdout
    return msgspec.json.decode(told.splitlines()[-1], type=Ended)


if __name__ == "__main__":
    sys.exit(main())
