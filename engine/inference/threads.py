"""How many threads decode: fewer while something else wants the cores.

llama.cpp's threads wait for each other by spinning. When another program takes one of their cores
the others burn theirs: measured on two cores with one busy neighbour, two threads gave 15 tokens
per second and one gave 45. How long a step takes does not tell by itself whether the cores are
shared, since it also grows with the chat and differs between models. So the governor compares
thread counts with each other, a few steps apart: a trial takes half or twice the threads for three
to five steps and stays there if most of them were clearly faster.

A sudden slow spell starts a trial at once. Otherwise trials are rare, and rarer the more often
they fail: what they cost is at most three slow steps in LONGEST_WAIT.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Literal

MOST_THREADS = 8
"""More threads than this rarely help a single answer and starve the rest of the machine."""

SLOW = 1.6
"""A spell is slow when its median step takes this many times what was usual before."""

FASTER = 0.9
"""A trial is won when most of its steps take less than this share of the time before."""

SPELL = 5
"""Steps that are looked at together; odd, so that most of them is a clear matter."""

FIRST_WAIT = 32
LONGEST_WAIT = 512
"""Steps from one trial to the next in the same direction, doubling with every one lost."""

_FORGET = 1 / 16
"""How far the usual time follows each step: slow spells stand out, a longer chat does not."""

Direction = Literal[-1, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """before is the threads to return to, `seconds` what a step took with them."""

    direction: Direction
    before: int
    seconds: float


class ThreadGovernor:
    """Counts steps, not seconds, so that it behaves the same on every machine."""

    def __init__(self, start: int, *, most: int) -> None:
        """start  threads to begin with; most  the most to try, ≥ start ≥ 1"""
        self.threads = start
        self._most = most
        self._streams = 0
        self._recent: deque[float] = deque(maxlen=SPELL)
        self._usual: float | None = None
        self._steps = self._last_trial = 0
        self._wait: dict[Direction, int] = {-1: FIRST_WAIT, +1: FIRST_WAIT}
        self._due: dict[Direction, int] = {-1: FIRST_WAIT, +1: FIRST_WAIT}
        self._trial: _Trial | None = None

    def observe(self, seconds: float, *, streams: int) -> int:
        """Tell how long a step took; returns the threads to use from now on.

        streams  tokens in the step's batch; only steps of equal size are compared
        """
        if streams != self._streams:
            self._streams = streams
            self._settle(self._trial.before if self._trial else self.threads)
        self._steps += 1
        self._recent.append(seconds)
        if self._trial is not None:
            self._weigh(self._trial)
        elif len(self._recent) == SPELL:
            self._judge(median(self._recent))
        return self.threads

    def _judge(self, now: float) -> None:
        """Begin a trial if there is a reason to."""
        usual = now if self._usual is None else self._usual
        slow = now > SLOW * usual and self._possible(-1)
        if slow and self._steps - self._last_trial >= FIRST_WAIT:
            self._begin(-1, now)
        elif self._possible(+1) and self._steps >= self._due[+1]:
            self._begin(+1, now)
        elif self._possible(-1) and self._steps >= self._due[-1]:
            self._begin(-1, now)
        elif not slow:
            self._usual = usual + _FORGET * (now - usual)

    def _possible(self, direction: Direction) -> bool:
        return self.threads > 1 if direction < 0 else self.threads < self._most

    def _begin(self, direction: Direction, now: float) -> None:
        before = self.threads
        wanted = before // 2 if direction < 0 else before * 2
        self._settle(min(wanted, self._most))
        self._trial = _Trial(direction=direction, before=before, seconds=now)

    def _weigh(self, trial: _Trial) -> None:
        """End the trial as soon as most of its steps are known to be faster, or not."""
        faster = sum(s < FASTER * trial.seconds for s in self._recent)
        if faster > SPELL // 2:
            self._won(trial)
        elif len(self._recent) - faster > SPELL // 2:
            self._lost(trial)

    def _won(self, trial: _Trial) -> None:
        """Stay, and look further the same way soon."""
        self._wait = {-1: FIRST_WAIT, +1: FIRST_WAIT}
        self._due = {-1: self._steps + FIRST_WAIT, +1: self._steps + FIRST_WAIT}
        self._due[trial.direction] = self._steps
        self._last_trial = self._steps
        self._settle(self.threads)

    def _lost(self, trial: _Trial) -> None:
        wait = min(2 * self._wait[trial.direction], LONGEST_WAIT)
        self._wait[trial.direction] = wait
        self._due[trial.direction] = self._steps + wait
        self._last_trial = self._steps
        self._settle(trial.before)
        self._usual = trial.seconds

    def _settle(self, threads: int) -> None:
        """Begin to look afresh."""
        self.threads = threads
        self._trial = None
        self._usual = None
        self._recent.clear()


def most_threads() -> int:
    """Threads worth using here: the cores that this process may use, MOST_THREADS at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MOST_THREADS)
