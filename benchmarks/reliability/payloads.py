"""Hostile answers in the reader of the window: nothing is opened, called or held up (R11).

    python -m benchmarks.reliability.payloads [--count 500] [--seed 0] [--out FILE]

A window off the screen shows each answer as it comes, in three pieces, paints it, and has each of
its links clicked. Meanwhile Python tells of every file, socket and process; where strace is
installed, so does the system, which sees Qt's own doings too. Every fifth answer has 100 KB; how
long each of those holds the window up is measured in a run of its own, without strace. Times are
those of the window's thread, since the machine may have other things to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.reliability.hostile_answers import Payload, Shown, payloads
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    conclude,
    never,
    spread,
)
from benchmarks.reliability.tracing import FILES, told_by_system

ROOT = Path(__file__).parents[2]
FRAME_SECONDS = 0.2
PATIENCE = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What became of one answer.

    seconds   the longest time that it held the window up; None for a small one
    offences  what was opened, called or started, as Python or the system tells it
    """

    number: int
    family: str
    size: int
    seconds: float | None
    offences: tuple[str, ...]


def display(wanted: Sequence[int], *, count: int, seed: int) -> list[Display]:
    """Show these of `count` answers."""
    with tempfile.TemporaryDirectory() as name:
        near = Path(name)
        for file in ("canary.png", "canary.css", "canary.svg"):
            (near / file).write_text("nobody reads this")
        answers = [a for a in payloads(count, seed=seed, near=name) if a.number in set(wanted)]
        timed = {shown.number: shown for shown in _read([a for a in answers if a.large], near)}
        watched, traced = _watched(answers, near)
    return [
        Display(
            number=answer.number,
            family=answer.family,
            size=len(answer.text),
            seconds=timed[answer.number].seconds if answer.large else None,
            offences=(*shown.offences, *traced.get(answer.number, ())),
        )
        for answer, shown in zip(answers, watched, strict=True)
    ]


def _watched(
    answers: Sequence[Payload], near: Path
) -> tuple[list[Shown], dict[int, tuple[str, ...]]]:
    """What Python tells of each, and what the system does."""
    trace = near / "trace"
    strace = shutil.which("strace")
    if strace is None:
        return _read(answers, near), {}
    before = (strace, "-f", "-qq", "--seccomp-bpf", "-s", "300", "-e", f"trace={FILES}")
    shown = _read(answers, near, before=(*before, "-o", str(trace)))
    with trace.open(encoding="utf-8", errors="replace") as lines:
        told = told_by_system(lines)
    if unseen := {answer.number for answer in answers} - told.keys():
        raise SystemExit(f"strace saw nothing of {len(unseen)} answers, so nothing is proved.")
    return shown, told


def _read(answers: Sequence[Payload], near: Path, *, before: Sequence[str] = ()) -> list[Shown]:
    """Show answers in a process of their own, one line of result each."""
    source = near / "answers"
    source.write_bytes(b"\n".join(msgspec.json.encode(answer) for answer in answers))
    command = (*before, sys.executable, "-m", "benchmarks.reliability.reading", str(source))
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, timeout=PATIENCE
    )
    return [msgspec.json.decode(line, type=Shown) for line in done.stdout.splitlines()]


def findings(cases: list[Display]) -> list[Finding]:
    """The promises of R11."""
    count = len(cases)
    times = [case.seconds for case in cases if case.seconds is not None]
    slow = [c for c in cases if c.seconds is not None and c.seconds > FRAME_SECONDS]
    offending = [case for case in cases if case.offences]
    return [
        Finding(
            promise="hostile answers",
            found=f"{count}, {len(times)} of them of 100 KB",
            target="500 in the full run",
            met=count > 0,
        ),
        never("a file, socket or process beyond program, data and fonts", offending, of=count),
        Finding(
            promise="longest time that an answer of 100 KB holds the window up",
            found=spread([1000 * seconds for seconds in times], unit="ms"),
            target=f"≤ {1000 * FRAME_SECONDS:.0f} ms",
            met=bool(times) and not slow,
        ),
        never("of these, held up for longer", slow, of=len(times)),
    ]


def main() -> int:
    given = _parser().parse_args()
    ledger = Ledger(given.out, Display, seed=given.seed)
    for case in display(ledger.missing(given.count), count=given.count, seed=given.seed):
        ledger.add(case)
    seen = "Python and strace" if shutil.which("strace") else "Python alone: strace is missing"
    return conclude(
        given.out, title="R11: hostile answers", about={"seed": given.seed, "seen by": seen},
        findings=findings(ledger.cases),
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    return arguments(__doc__, name="payloads", count=500)


if __name__ == "__main__":
    sys.exit(main())
