"""Killed while one state takes the place of another: there is the old one, or the new one (R10).

    python -m benchmarks.reliability.switches [--count 1000] [--seed 0] [--out FILE]

A profile is taken in, beside what there is or in its place; a copy is restored; a record of a past
version is brought along. A forked child does it and is ended with SIGKILL: half of the cases at a
random moment, the other half at a call that writes, drawn among all that there are, in the middle
of what it was to write. Then a program starts on what is left, and everything is read: it must be
all as before, or all as if it had been done; and doing it again must come to the same. Linux with
gcc: `faults.py` says how.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from benchmarks.reliability import faults
from benchmarks.reliability.deeds import IMPORTS, MIGRATIONS, RESTORES, Deed, opened
from benchmarks.reliability.faults import KILL, Fault
from benchmarks.reliability.forks import Child, Line
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
from benchmarks.reliability.states import STATES, Judge, State

SWITCHES = (*IMPORTS, *RESTORES, *MIGRATIONS)
TRIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What became of one kill.

    how      "time": at a random moment; "call": at a call that writes
    at       seconds after it began, or the number of the call
    state    what was there
    seconds  of this case
    problem  what was not as promised, "" where all was
    """

    number: int
    deed: str
    how: Literal["time", "call"]
    at: float
    state: State
    seconds: float
    problem: str


class Range(Judge):
    """One deed, done and killed."""

    def __init__(self, deed: Deed, folder: Path) -> None:
        super().__init__(deed, folder)
        self._seconds, self._calls = self._learn()
        self.learn()

    def kill(self, number: int, draw: Random) -> Switch:
        """One case; a shot that came too late is tried again."""
        begun = time.monotonic()
        for _ in range(TRIES):
            self.renew()
            how: Literal["time", "call"] = "call" if number % 2 else "time"
            at = self._shoot(how, draw)
            if at is not None:
                state, problem = self.judged(twice=True)
                return Switch(
                    number=number, deed=self._deed.name, how=how, at=round(at, 5), state=state,
                    seconds=round(time.monotonic() - begun, 4), problem=problem,
                )  # fmt: skip
        raise SystemExit(f"Case {number}: {TRIES} deeds ended before they could be killed.")

    def _learn(self) -> tuple[float, int]:
        """How long it takes, the shortest of three, and how many calls write."""
        seconds, calls = [], 0
        for _ in range(3):
            self.renew()
            child = Child(doing(self._deed, self.root, Fault()))
            if child.end():
                raise SystemExit(f"{self._deed.name} fails without being killed.")
            _, told, took, _ = child.said.split()
            calls = int(told)
            seconds.append(float(took))
        return min(seconds), calls

    def _shoot(self, how: str, draw: Random) -> float | None:
        """When it was killed; None where it had been done by then."""
        if how == "call":
            at = draw.randint(1, self._calls)
            child = Child(doing(self._deed, self.root, Fault(at=at, error=KILL)))
            return float(at) if child.end() < 0 else None
        delay = draw.uniform(0.0, self._seconds)
        child = Child(doing(self._deed, self.root, Fault()))
        child.hear(until=lambda said: said.startswith(b"begun\n"))
        time.sleep(delay)
        child.kill()
        return delay if not child.said.endswith(b"done\n") else None


def doing(deed: Deed, root: Path, fault: Fault) -> Callable[[Line], None]:
    """What a child does: it says when it begins, how many calls wrote, how many seconds it took,
    and that it is done."""

    def act(line: Line) -> None:
        engine = opened(root)
        line.tell(b"begun\n")
        begun = time.monotonic()
        with faults.armed(root, fault) as counted:
            deed.act(engine, root)
        line.tell(b"%d %f\ndone\n" % (counted[0], time.monotonic() - begun))
        engine.close()

    return act


# The table ----------------------------------------------------------------------------------


def findings(cases: list[Switch]) -> list[Finding]:
    """The promises of R10."""
    deeds = sorted({case.deed for case in cases})
    calls = sum(case.how == "call" for case in cases)
    states = ", ".join(f"{sum(c.state == s for c in cases)} {s}" for s in STATES)
    return [
        Finding(
            promise="kills while one state took the place of another",
            found=f"{len(cases)}: {calls} at a call that writes, {len(cases) - calls} at a random "
            "moment",
            target="1,000 in the full run",
            met=bool(cases),
        ),
        Finding(
            promise="of what",
            found=", ".join(f"{sum(c.deed == deed for c in cases)} {deed}" for deed in deeds),
            target="–",
            met=True,
        ),
        Finding(promise="what was there then", found=states, target="–", met=True),
        never(
            "neither old nor new, a file that is not sound, or doing it again fails",
            [case for case in cases if case.problem],
            of=len(cases),
        ),
        Finding(
            promise="time of one case",
            found=spread([case.seconds for case in cases]),
            target="–",
            met=True,
        ),
    ]


def measure(ledger: Ledger[Switch], *, count: int, seed: int) -> None:
    """Do what is missing of so many kills."""
    ranges: dict[str, Range] = {}
    with tempfile.TemporaryDirectory(prefix="switches-") as name:

        def case(number: int) -> Switch:
            # Two after another of each, so that both ways to be killed meet every deed.
            deed = SWITCHES[number // 2 % len(SWITCHES)]
            if deed.name not in ranges:
                ranges[deed.name] = Range(deed, Path(name) / str(len(ranges)))
            return ranges[deed.name].kill(number, chance(seed, number))

        run(
            ledger,
            count=count,
            case=case,
            tell=lambda c: f"{c.deed} {c.how} {c.at:g}: {c.state} {c.problem}",
        )


def main() -> int:
    if not faults.loaded():
        return faults.run_again("benchmarks.reliability.switches", sys.argv[1:])
    given = arguments(__doc__, name="switches", count=1000).parse_args()
    ledger = Ledger(given.out, Switch, seed=given.seed)
    measure(ledger, count=given.count, seed=given.seed)
    about = {"SQLite": sqlite3.sqlite_version, "seed": given.seed}
    return conclude(
        given.out, title="R10: killed while one state takes the place of another", about=about,
        findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
