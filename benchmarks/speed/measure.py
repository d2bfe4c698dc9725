"""Timing two things in turn, so that a drifting machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One promise and what was measured.

    ratio    the figure that the target speaks of
    spread   smallest and largest ratio of the pairs
    low      True where the ratio must stay below the target
    detail   the absolute figures behind it, in words
    """

    name: str
    model: str
    ratio: float
    spread: tuple[float, float]
    target: float
    low: bool
    detail: str
    holds: bool = True

    @property
    def reached(self) -> bool:
        inside = self.ratio <= self.target if self.low else self.ratio >= self.target
        return inside and self.holds

    def line(self) -> str:
        """A row of a Markdown table."""
        sign = "≤" if self.low else "≥"
        low, high = self.spread
        mark = "yes" if self.reached else "**no**"
        return (
            f"| {self.name} | {self.model} | {sign} {self.target:g} | {self.ratio:.3g} "
            f"({low:.3g} – {high:.3g}) | {mark} | {self.detail} |"
        )


HEADER = "| what | model | target | ratio (pairs) | reached | figures |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Seconds of A and B, measured in turn."""

    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of A/B, pair by pair."""
        return median(self.ratios)

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(x / y for x, y in zip(self.a, self.b, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.ratios), max(self.ratios)

    @property
    def milliseconds(self) -> str:
        """Both medians, in words."""
        return f"{1e3 * median(self.a):.1f} against {1e3 * median(self.b):.1f} ms"

    def row(
        self, name: str, *, model: str, target: float, low: bool, detail: str, holds: bool = True
    ) -> Row:
        """What was promised of A/B beside what was measured."""
        return Row(
            name=name,
            model=model,
            ratio=self.ratio,
            spread=self.spread,
            target=target,
            low=low,
            detail=detail,
            holds=holds,
        )


def in_turn(a: Callable[[], float | None], b: Callable[[], float | None], *, pairs: int) -> Pairs:
    """Run A B A B …; each returns its own seconds, or None to be timed as a whole."""
    _timed(a)
    _timed(b)
    found = [(_timed(a), _timed(b)) for _ in range(pairs)]
    return Pairs(a=tuple(x for x, _ in found), b=tuple(y for _, y in found))


def _timed(run: Callable[[], float | None]) -> float:
    begun = time.perf_counter()
    told = run()
    return time.perf_counter() - begun if told is None else told
