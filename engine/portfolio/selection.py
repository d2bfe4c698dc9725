"""Which few of many candidates to keep, so that every weighting has a near-best one.

The members are built up one by one: the owner who is worst served so far, found exactly, gets a
candidate that serves them well. At the end members that are not needed any more are dropped.

Source: PALM (arXiv 2604.04144) covers a grid of weights with few policies. Differs from the paper:
our candidates exist already and their gaps are computed for every weighting, so there is no grid;
costs and floors are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import highspy
import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.corners import gaps
from engine.portfolio.gaps import ROUNDING, shortfalls, silent_solver, solve
from engine.portfolio.weights import Flags, centre, checked_pool, extremes

CLOSE = 1e-9
"""A goal missed by no more is reached."""


def select(
    R: F64, *, goal: float, most: int, floors: F64 | None = None, costs: F64 | None = None
) -> tuple[int, ...]:
    """Members with ε ≤ goal, or `most` of them if that takes more; in the order of their choice.

    R       mean rewards, float64, (n, d), finite, ≥ 0
    goal    ε that is good enough, in [0, 1)
    most    members at most, ≥ 1
    floors  least weights, (d,), ≥ 0, with a sum below 1; None for none
    costs   what it takes to keep each candidate, (n,), finite, ≥ 0, as a share of what there is
            (of the memory, the disk, the patience); None for nothing

    The first is the best one for the weights in the middle. Each further one has the largest
    gain / (1 + cost) for the owner of the witness, where the gain is what it gives them beyond the
    members so far: of two that serve them alike the cheaper one, and one that takes all there is
    must gain twice as much as one that is free. What is still equal is decided by the lower cost
    and then by the place in the pool, so the same pool gives the same members. A member that the
    goal does not need is dropped in the end; where the goal is missed, only one that is nobody's
    best.

    Raises InvalidParameter for arguments outside these ranges.
    """
    rewards = _checked_aim(R, goal=goal)
    if most < 1:
        raise InvalidParameter.outside("most", most, "at least 1")
    prices = _checked_costs(costs, candidates=len(rewards))
    members = [_foremost(rewards @ centre(floors, objectives=rewards.shape[1]), prices)]
    reached, _ = gaps(rewards, members, floors=floors)
    while reached.value > goal + CLOSE and len(members) < most:
        scores = rewards @ np.asarray(reached.witness)
        gains = np.maximum(scores - scores[members].max(), 0.0)
        members.append(_foremost(gains / (1.0 + prices), prices))
        reached, _ = gaps(rewards, members, floors=floors)
        if len(members) == most:
            members = _served(rewards, members, floors=floors, costs=prices)
    if reached.value > goal + CLOSE:
        return tuple(members)
    return without_redundant(
        members,
        costs=prices,
        enough=lambda kept: gaps(rewards, kept, floors=floors)[0].value <= goal + CLOSE,
    )


def smallest(R: F64, *, goal: float, floors: F64 | None = None) -> tuple[int, ...]:
    """The fewest members with ε ≤ goal over every weighting, in ascending order.

    A check on `select` for pools of a few dozen: the time may grow exponentially. The weights that
    have to be served are gathered: the fewest candidates that serve those so far either leave
    somebody else too far behind, who is added, or are the answer. Arguments and errors as there.
    """
    rewards = _checked_aim(R, goal=goal)
    points = extremes(floors, objectives=rewards.shape[1])
    while True:
        alone = [shortfalls(points @ rewards.T, (c,))[0] for c in range(len(rewards))]
        # Half of what is forgiven below: a witness is never among the weights that are served.
        members = smallest_cover(np.stack(alone, axis=1) <= goal + CLOSE / 2)
        reached, _ = gaps(rewards, members, floors=floors)
        if reached.value <= goal + CLOSE:
            return members
        points = np.vstack([points, reached.witness])


def smallest_cover(covers: Flags) -> tuple[int, ...]:
    """The fewest sets that hold every element between them, by a 0/1 program, in ascending order.

    covers  whether set c holds element i, (elements, sets)

    Raises InvalidParameter where an element is in no set.
    """
    lonely = np.flatnonzero(~covers.any(axis=1))
    if len(lonely):
        raise InvalidParameter(f"Element {int(lonely[0])} is in no set, so nothing can cover it.")
    solver = silent_solver()
    sets = covers.shape[1]
    columns = np.arange(sets, dtype=np.int32)
    solver.addVars(sets, np.zeros(sets), np.ones(sets))
    solver.changeColsCost(sets, columns, np.ones(sets))
    whole = np.full(sets, highspy.HighsVarType.kInteger)
    solver.changeColsIntegrality(sets, columns, whole)
    for row in covers:
        holding = columns[row]
        solver.addRow(1.0, np.inf, len(holding), holding, np.ones(len(holding)))
    return tuple(int(c) for c in np.flatnonzero(solve(solver) > 0.5))


def without_redundant(
    members: Sequence[int], *, costs: F64, enough: Callable[[Sequence[int]], bool]
) -> tuple[int, ...]:
    """The members without those that are not needed, in the order given.

    The costliest is tried first, and of equally costly ones the earliest: it was chosen knowing
    least. `enough` must hold of the members, and of more whenever it holds of fewer.
    """
    kept = list(members)
    for member in sorted(members, key=lambda c: -float(costs[c])):
        rest = [c for c in kept if c != member]
        if rest and enough(rest):
            kept = rest
    return tuple(kept)


def _served(rewards: F64, members: Sequence[int], *, floors: F64 | None, costs: F64) -> list[int]:
    """The members without those that nobody is best served by, which makes room for others."""
    places = {member: place for place, member in enumerate(members)}

    def nobody_loses(kept: Sequence[int]) -> bool:
        among = [places[c] for c in kept]
        return gaps(rewards[list(members)], among, floors=floors)[0].value == 0.0

    return list(without_redundant(members, costs=costs, enough=nobody_loses))


def _foremost(values: F64, costs: F64) -> int:
    """The place of the largest value; of equal ones the cheapest, then the first."""
    largest = float(values.max())
    equal = np.flatnonzero(values >= largest - ROUNDING * abs(largest))
    return int(equal[np.argmin(costs[equal])])


def _checked_aim(R: F64, *, goal: float) -> F64:
    if not 0.0 <= goal < 1.0:
        raise InvalidParameter.outside("goal", goal, "a number from 0 to below 1")
    return checked_pool(R)


def _checked_costs(costs: F64 | None, *, candidates: int) -> F64:
    found = np.zeros(candidates) if costs is None else np.asarray(costs, dtype=np.float64)
    if found.shape != (candidates,) or not (np.isfinite(found) & (found >= 0.0)).all():
        allowed = f"{candidates} finite numbers ≥ 0"
        raise InvalidParameter.outside("costs", found.tolist(), allowed)
    return found
