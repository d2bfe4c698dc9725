"""From raw scores to rewards in [0, 1] that may be added up across objectives.

A scorer's numbers have a unit of their own. What the pool usually shows, from its 5th to its 95th
percentile, becomes 0 to 1, and the rest is cut off. Where a multiplicative gap is printed, this
range has to stand beside it: a constant added to every reward changes ε.

Letters: n candidates, N prompts, d objectives; a missing score is NaN.

Source: PALM (arXiv 2604.04144) takes rewards as normalised; how is not known to us, and the
percentiles are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.weights import Flags

VERSION = 1
"""Of the rule below; rewards of different versions must not be compared."""

LOW = 5.0
"""Percentile of the pool's scores that becomes 0; as many are cut off at the other end."""

SAME = 1e-12
"""A range narrower than this share of its bounds is rounding, and no range."""

FINENESS = 2.0**40
"""Rewards are whole numbers of 1/FINENESS, which makes r and 1 − r exact."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normalisation:
    """Which raw score becomes 0 and which becomes 1, by objective.

    version  of the rule, see VERSION
    low      raw score that becomes 0, float64, (d,), finite
    high     raw score that becomes 1, float64, (d,), finite, ≥ low; where they are the same, the
             objective tells nothing apart and every reward is 0.5

    Raises InvalidParameter for bounds that are no such ranges, or another version.
    """

    low: F64
    high: F64
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InvalidParameter.outside("version", self.version, str(VERSION))
        if self.low.ndim != 1 or self.low.shape != self.high.shape:
            shapes = (self.low.shape, self.high.shape)
            raise InvalidParameter.outside("shapes of low and high", shapes, "(d,) for both")
        ordered = np.isfinite(self.low) & np.isfinite(self.high) & (self.low <= self.high)
        for i in np.flatnonzero(~ordered):
            found = (float(self.low[i]), float(self.high[i]))
            allowed = "finite, the first not above the second"
            raise InvalidParameter.outside(f"range of objective {i}", found, allowed)

    def apply(self, scores: F64) -> F64:
        """Rewards in [0, 1], float64, (…, d), of raw scores of that shape; missing stays missing.

        The opposite pole of a trait has the score −s, and the reward 1 − r to the last bit.

        Raises InvalidParameter for infinite scores or another number of objectives.
        """
        known = _known(scores)
        if known.shape[-1:] != self.low.shape:
            allowed = f"{len(self.low)} objectives at the end"
            raise InvalidParameter.outside("shape of the scores", known.shape, allowed)
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        told = _apart(self.low, self.high)
        with np.errstate(over="ignore"):  # ±inf is cut off like anything beyond the range
            place = np.divide(known - middle, half, out=np.zeros_like(known), where=told)
        place[np.isnan(known)] = np.nan
        steps = np.rint(np.clip(place, -1.0, 1.0) * (FINENESS / 2))
        rewards: F64 = (FINENESS / 2 + steps) / FINENESS
        return rewards


def fit(scores: F64) -> Normalisation:
    """The pool's usual range by objective, over all candidates and prompts.

    scores  raw, float64, (n, N, d); missing ones are NaN and do not count

    Where the 5th and the 95th percentile are the same, the smallest and the largest score are
    taken: a single candidate of thirty may be the only one that writes lists at all.

    Raises InvalidParameter for infinite scores, or an objective that nothing was scored on.
    """
    known = _known(scores)
    if known.ndim != 3 or 0 in known.shape:
        allowed = "candidates × prompts × objectives, at least one of each"
        raise InvalidParameter.outside("shape of the scores", known.shape, allowed)
    each = known.reshape(-1, known.shape[-1])
    empty = np.flatnonzero(np.isnan(each).all(axis=0))
    if len(empty):
        raise InvalidParameter(
            f"Objective {int(empty[0])} has no score at all. Leave it out, or score it."
        )
    low, high = _lower(each, LOW), -_lower(-each, LOW)
    told = _apart(low, high)
    low = np.where(told, low, _lower(each, 0.0))
    high = np.where(told, high, -_lower(-each, 0.0))
    return Normalisation(low=low, high=high)


def complete(scores: F64) -> Flags:
    """Which candidates have every score, (n,); the others cannot be compared on these prompts.

    scores  raw scores or rewards, (n, N, d), of the prompts and objectives that are asked for

    Raises InvalidParameter for infinite scores.
    """
    return np.asarray(~np.isnan(_known(scores)).any(axis=(1, 2)))


def mean(rewards: F64) -> F64:
    """Mean reward over the prompts, float64, (n, d), of rewards (n, N, d) in [0, 1].

    Raises InvalidParameter for rewards that are missing or outside [0, 1], or no prompts.
    """
    known = np.asarray(rewards, dtype=np.float64)
    if known.ndim != 3 or 0 in known.shape:
        allowed = "candidates × prompts × objectives, at least one of each"
        raise InvalidParameter.outside("shape of the rewards", known.shape, allowed)
    wrong = ~((known >= 0.0) & (known <= 1.0))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        allowed = "a number from 0 to 1; leave candidates with missing scores out"
        raise InvalidParameter.outside(f"reward at {place}", float(known[place]), allowed)
    found: F64 = known.mean(axis=1)
    return found


def _lower(each: F64, percentile: float) -> F64:
    """A low percentile of the known scores by objective; the high one is that of −scores, so that
    opposite poles have ranges that mirror each other exactly."""
    found: F64 = np.nanpercentile(each, percentile, axis=0)
    return found


def _apart(low: F64, high: F64) -> Flags:
    """Ranges that are wider than what rounding makes, (d,)."""
    found: Flags = high - low > SAME * np.maximum(np.abs(low), np.abs(high))
    return found


def _known(scores: F64) -> F64:
    """The scores as float64; an infinite one is an InvalidParameter."""
    raw = np.asarray(scores, dtype=np.float64)
    wrong = np.argwhere(np.isinf(raw))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        allowed = "finite, or NaN where it is missing"
        raise InvalidParameter.outside(f"score at {place}", float(raw[place]), allowed)
    return raw
