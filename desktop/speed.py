"""How fast the answer on the screen is being written."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

PATIENCE = 0.5
"""Seconds between two readings: a number that changes with every token cannot be read."""


class Speedometer:
    """Tokens per second since the first token, read now and then."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun: float | None = None
        self._first = 0
        self._read = 0.0

    def tick(self, tokens: int) -> float | None:
        """The speed, or None where it is too early for a new reading."""
        now = self._clock()
        if self._begun is None:
            self._begun, self._first, self._read = now, tokens, now
            return None
        if now - self._read < PATIENCE:
            return None
        self._read = now
        return (tokens - self._first) / (now - self._begun)
