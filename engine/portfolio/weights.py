"""Weights: how much an owner asks for of each objective, and which of them are possible.

Weights w are ≥ 0 and sum to 1. A *floor* is the least that anybody gives an objective, so the
possible weights are the smaller simplex with the corners v_i = f + (1 − Σf) e_i. What holds for
all weights over rewards R therefore holds for all floored ones over the rewards at those corners,
R Vᵀ, and no formula elsewhere needs to know of floors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.numerics import F64

Flags = npt.NDArray[np.bool_]


def extremes(floors: F64 | None, *, objectives: int) -> F64:
    """The corners v_i of the possible weights, one per row, float64, (d, d); None is no floor.

    floors  float64, (d,), ≥ 0, with a sum below 1; anything else is an InvalidParameter
    """
    if floors is None:
        return np.eye(objectives)
    least = np.asarray(floors, dtype=np.float64)
    if least.shape != (objectives,):
        raise InvalidParameter.outside("floors", least.tolist(), f"{objectives} numbers")
    if not ((least >= 0.0).all() and least.sum() < 1.0):  # NaN fails both
        allowed = "numbers ≥ 0 with a sum below 1"
        raise InvalidParameter.outside("floors", least.tolist(), allowed)
    found: F64 = least + (1.0 - least.sum()) * np.eye(objectives)
    return found


def centre(floors: F64 | None, *, objectives: int) -> F64:
    """The weights in the middle of the possible ones, float64, (d,)."""
    found: F64 = extremes(floors, objectives=objectives).mean(axis=0)
    return found


def evenly(count: int, *, floors: F64 | None, objectives: int, rng: np.random.Generator) -> F64:
    """Weights drawn evenly from the possible ones, float64, (count, d)."""
    drawn = rng.dirichlet(np.ones(objectives), count)
    found: F64 = drawn @ extremes(floors, objectives=objectives)
    return found


def checked_pool(R: F64, *, axes: int = 2) -> F64:
    """Mean rewards, float64, (n, d) or with `axes` = 3 of several pools, (B, n, d).

    Raises InvalidParameter unless they are finite and ≥ 0 (a multiplicative gap of negative
    rewards means nothing) and there is at least one of everything.
    """
    rewards = np.asarray(R, dtype=np.float64)
    if rewards.ndim != axes or 0 in rewards.shape:
        allowed = f"{axes} numbers ≥ 1, candidates and objectives last"
        raise InvalidParameter.outside("shape of the rewards", rewards.shape, allowed)
    wrong = ~(np.isfinite(rewards) & (rewards >= 0.0))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        name = f"reward at {place}"
        raise InvalidParameter.outside(name, float(rewards[place]), "a finite number ≥ 0")
    return rewards


def checked_members(members: Sequence[int], *, candidates: int) -> list[int]:
    """Places in a pool; InvalidParameter unless there is one at least and none of them twice."""
    told = [int(member) for member in members]
    inside = all(0 <= member < candidates for member in told)
    if not told or not inside or len(set(told)) < len(told):
        allowed = f"different numbers from 0 to {candidates - 1}, at least one"
        raise InvalidParameter.outside("members", told, allowed)
    return told
