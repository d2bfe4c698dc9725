"""How far a portfolio is from its pool for the worst-served owner, over every weighting.

    multiplicative   ε = max_w  1 − max_P w·R / max_C w·R
    additive         δ = max_w  max_C w·R − max_P w·R

for the pool C and the portfolio P ⊆ C. Both are found exactly, by one linear program a candidate;
a grid of weights would understate them. `engine.portfolio.corners` finds the same numbers by
other means, and for many pools at once.

Source: PALM (arXiv 2604.04144) for what the gaps are; the programs and the floors are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np

from engine.errors import InternalError
from engine.numerics import F64
from engine.portfolio.weights import checked_members, checked_pool, extremes
from engine.types.portfolio import Gap

NOTHING = 1e-9
"""A mean reward that is no larger counts as 0: shares of it would be shares of rounding."""

ROUNDING = 1e-12
"""Gaps that are no larger come from rounding and are none."""

TOLERANCE = 1e-10
"""How far the solver may break a row: the least that HiGHS takes."""


def multiplicative(R: F64, members: Sequence[int], *, floors: F64 | None = None) -> Gap:
    """ε: the largest share of the best reward that an owner of any weights goes without.

    R        mean rewards, float64, (n, d), finite, ≥ 0; meant for [0, 1]
    members  places of the portfolio's members in the pool
    floors   least weights, (d,), ≥ 0, with a sum below 1; None for none
    returns  ε in [0, 1] and that owner's weights; the middle weights where there is no gap. Where
             the whole pool is worth nothing to an owner there is none

    Each candidate c has the program: least t with w·R_p ≤ t for all p in P, w·R_c = 1, w ≥ 0; then
    ε = max_c 1 − t_c. The weights need no sum here, so floors are a cone, w_i ≥ f_i Σw, and taking
    R at its corners leaves w ≥ 0.

    Raises InvalidParameter for arguments outside these ranges.
    """
    rewards, vertices = at_corners(R, floors=floors)
    members = checked_members(members, candidates=len(rewards))
    # t is the only cost, and R_c stands in the last row.
    solver = _envelope(rewards[members])
    witnesses = []
    for c in _unmatched(rewards, members):
        for place, reward in enumerate(rewards[c].tolist()):
            solver.changeCoeff(len(members), place, reward)
        witnesses.append(_weights(solve(solver)))
    points = np.reshape(witnesses, (-1, len(vertices)))
    shares, _ = shortfalls(points @ rewards.T, members)
    return worst(shares, points, vertices)


def additive(R: F64, members: Sequence[int], *, floors: F64 | None = None) -> Gap:
    """δ: the most reward that an owner of any weights goes without, in units of reward.

    Each candidate c has the program: least t − w·R_c with w·R_p ≤ t for all p in P, Σw = 1, w ≥ 0;
    δ is the largest of w·R_c − t, or 0. Arguments and errors as for `multiplicative`.
    """
    rewards, vertices = at_corners(R, floors=floors)
    members = checked_members(members, candidates=len(rewards))
    # The last row is Σw = 1, and R_c stands in the costs.
    solver = _envelope(rewards[members])
    witnesses = []
    for c in _unmatched(rewards, members):
        for place, reward in enumerate(rewards[c].tolist()):
            solver.changeColCost(place, -reward)
        witnesses.append(_weights(solve(solver)))
    points = np.reshape(witnesses, (-1, len(vertices)))
    _, leads = shortfalls(points @ rewards.T, members)
    return worst(leads, points, vertices)


def shortfalls(scores: F64, members: Sequence[int]) -> tuple[F64, F64]:
    """Both gaps at given weights: as a share of the best reward, and in units of reward.

    scores   w·R_c of S weightings, float64, (…, S, n)
    returns  float64, (…, S) each; no share where the best is worth 0
    """
    best = scores.max(axis=-1)
    lead = best - scores[..., list(members)].max(axis=-1)
    lead = np.where(lead > ROUNDING * best, lead, 0.0)
    share = np.divide(lead, best, out=np.zeros_like(lead), where=best > 0.0)
    return share, lead


def worst(gaps: F64, points: F64, vertices: F64) -> Gap:
    """The largest of the gaps (S,) at the points (S, d), weights on the corners `vertices`.

    Of equal ones the first, so that the same pool has the same witness. Gaps are computed at the
    weights and not taken from a program, so that each of them holds at its witness to the last bit.
    """
    largest = float(gaps.max(initial=0.0))
    if largest == 0.0:
        return Gap(value=0.0, witness=tuple(vertices.mean(axis=0).tolist()))
    first = int(np.argmax(gaps >= largest - ROUNDING))
    return Gap(value=float(gaps[first]), witness=tuple((points[first] @ vertices).tolist()))


def at_corners(R: F64, *, floors: F64 | None, axes: int = 2) -> tuple[F64, F64]:
    """The rewards at the corners of the possible weights, shaped as R, and these corners, (d, d).

    axes  of R: 2 for one pool, (n, d), 3 for several, (B, n, d)
    """
    rewards = checked_pool(R, axes=axes)
    vertices = extremes(floors, objectives=rewards.shape[-1])
    rewards = rewards @ vertices.T
    return np.where(rewards > NOTHING, rewards, 0.0), vertices


def silent_solver() -> highspy.Highs:
    """HiGHS in one thread, without a word, as exact as it can be."""
    solver = highspy.Highs()  # it says that it is typed
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("parallel", "off"),
        ("primal_feasibility_tolerance", TOLERANCE),
        ("dual_feasibility_tolerance", TOLERANCE),
        ("small_matrix_value", ROUNDING),
    ):
        solver.setOptionValue(name, value)
    return solver


def solve(solver: highspy.Highs) -> F64:
    """The columns of the optimum, float64.

    Raises InternalError where there is none: every program of ours has one.
    """
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        found = solver.modelStatusToString(status)
        raise InternalError(
            f"The solver ended with {found!r} where there is an optimum. Please report this."
        )
    return np.asarray(solver.getSolution().col_value, dtype=np.float64)


def _envelope(portfolio: F64) -> highspy.Highs:
    """Columns w ≥ 0 and t at a cost of 1, a row w·R_p − t ≤ 0 for each member, and Σw = 1."""
    solver = silent_solver()
    size = portfolio.shape[1]
    solver.addVars(size + 1, np.append(np.zeros(size), -np.inf), np.full(size + 1, np.inf))
    solver.changeColCost(size, 1.0)
    columns = np.arange(size + 1, dtype=np.int32)
    for row in portfolio:
        solver.addRow(-np.inf, 0.0, size + 1, columns, np.append(row, -1.0))
    solver.addRow(1.0, 1.0, size, columns[:size], np.ones(size))
    return solver


def _weights(solution: F64) -> F64:
    """The weights of a program's solution, made to sum to 1; its last column is t."""
    found = np.maximum(solution[:-1], 0.0)
    weights: F64 = found / found.sum()
    return weights


def _unmatched(rewards: F64, members: Sequence[int]) -> list[int]:
    """Candidates that no member matches on every objective: nobody is better off with others."""
    kept = rewards[list(members)]
    return [c for c, row in enumerate(rewards) if not (row <= kept).all(axis=1).any()]
