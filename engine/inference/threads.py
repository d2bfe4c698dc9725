"""How many threads decode: fewer while something else wants the cores.

llama.cpp's threads wait for each other by spinning. When another program takes one of their cores
the others burn theirs: measured on two cores with one busy neighbour, two threads gave 15 tokens
per second and one gave 45. So a slow spell makes the governor try half the threads, and a calm
one makes it try more again, each trial a few steps long and rarer the more often it fails.
"""

from __future__ import annotations

import os
from collections import deque
from statistics import median

MOST_THREADS = 8
"""More threads than this rarely help a single answer and starve the rest of the machine."""

SLOW = 1.6
"""A spell is slow when its median step takes this many times the best one seen."""

SPELL = 5
FIRST_WAIT = 32
LONGEST_WAIT = 1024


class ThreadGovernor:
    """Counts steps, not seconds, so that it behaves the same on every machine."""

    def __init__(self, start: int, *, most: int) -> None:
        """start  threads to begin with; most  the most to try, ≥ start ≥ 1"""
        self.threads = start
        self._most = most
        self._best: dict[tuple[int, int], float] = {}
        self._recent: deque[float] = deque(maxlen=SPELL)
        self._wait = {-1: FIRST_WAIT, +1: FIRST_WAIT}
        self._since = 0
        self._trial: tuple[int, float] | None = None

    def observe(self, seconds: float, *, streams: int) -> int:
        """Tell how long a step took; returns the threads to use from now on.

        streams  tokens in the step's batch; only steps of equal size are compared
        """
        key = (self.threads, streams)
        self._best[key] = min(seconds, self._best.get(key, seconds))
        self._recent.append(seconds)
        self._since += 1
        if len(self._recent) == SPELL:
            self._judge(median(self._recent), streams=streams)
        return self.threads

    def _judge(self, now: float, *, streams: int) -> None:
        if self._trial is not None:
            self._end_trial(now)
        elif self.threads > 1 and now > SLOW * self._best[self.threads, streams]:
            self._begin(-1, now)
        elif self.threads < self._most and self._since >= self._wait[+1]:
            self._begin(+1, now)

    def _begin(self, direction: int, now: float) -> None:
        if direction < 0 and self._since < self._wait[-1] and self._wait[-1] > FIRST_WAIT:
            return
        self._trial = (self.threads, now)
        wanted = self.threads // 2 if direction < 0 else self.threads * 2
        self._change(max(1, min(self._most, wanted)))

    def _end_trial(self, now: float) -> None:
        assert self._trial is not None
        before, then = self._trial
        self._trial = None
        direction = 1 if self.threads > before else -1
        if now < 0.9 * then:
            self._wait = {-1: FIRST_WAIT, +1: FIRST_WAIT}
            self._change(self.threads)
        else:
            self._wait[direction] = min(2 * self._wait[direction], LONGEST_WAIT)
            self._change(before)

    def _change(self, threads: int) -> None:
        self.threads = threads
        self._recent.clear()
        self._since = 0


def most_threads() -> int:
    """Threads worth using here: the cores that this process may use, MOST_THREADS at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MOST_THREADS)
