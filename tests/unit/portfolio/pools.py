"""Pools that the tests of the portfolio share, and strategies that make more of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from engine.numerics import F64

seeds = st.integers(0, 2**32 - 1)

FOUR: F64 = np.asarray([[0.90, 0.10], [0.70, 0.60], [0.30, 0.80], [0.05, 0.85]])

SIX: F64 = np.asarray(
    [
        [0.90, 0.20, 0.30],
        [0.20, 0.90, 0.30],
        [0.30, 0.20, 0.90],
        [0.60, 0.60, 0.50],
        [0.50, 0.30, 0.80],
        [0.75, 0.45, 0.20],
    ]
)


def front(rng: np.random.Generator, *, candidates: int, objectives: int) -> F64:
    """Candidates none of which is best at everything, (n, d)."""
    rows = rng.uniform(size=(candidates, objectives)) ** 2
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: F64 = rows * rng.uniform(0.85, 1.0, size=(candidates, 1))
    return scaled


@st.composite
def pools(draw: st.DrawFn, *, most: int = 12, objectives: int = 5) -> F64:
    """Rewards in steps of 1/20, so that ties, copies and zeros are common, (n, d)."""
    n, d = draw(st.integers(1, most)), draw(st.integers(1, objectives))
    steps = draw(st.lists(st.integers(0, 20), min_size=n * d, max_size=n * d))
    return np.asarray(steps, dtype=np.float64).reshape(n, d) / 20


@st.composite
def portfolios(draw: st.DrawFn, *, most: int = 12) -> tuple[F64, tuple[int, ...], F64 | None]:
    """A pool, members of it, and floors or none."""
    R = draw(pools(most=most))
    places = st.integers(0, len(R) - 1)
    members = draw(st.lists(places, min_size=1, max_size=min(5, len(R)), unique=True))
    return R, tuple(members), draw(st.none() | floors(R.shape[1]))


@st.composite
def floors(draw: st.DrawFn, objectives: int) -> F64:
    """Least weights with a sum of at most 0.9, (d,)."""
    parts = st.integers(0, 9)
    found = np.asarray(draw(st.lists(parts, min_size=objectives, max_size=objectives)))
    return found / (10.0 * max(1, objectives))
