"""The gaps of many pools at once, with numpy alone: they are attained at a few weights.

max_P w·R is the upper envelope of a few planes over the simplex of weights. On each of its facets
one member serves, both gaps are quasi-convex in w for every candidate, and so they are largest at
a corner of a facet. At a corner the weights outside a face of the simplex are 0 and some members
are worth the same, as many as the face has corners. Each choice of a face and of such members is
a small system of equations.

Every solution with w ≥ 0 is a possible weighting, and a gap is computed at it as at any other. So
what is found is never too large, and as every corner is among them, never too small.

Source: none; how PALM (arXiv 2604.04144) measures its gaps is not known to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from engine.numerics import F64, Ids
from engine.portfolio.gaps import additive, at_corners, multiplicative, shortfalls, worst
from engine.portfolio.weights import checked_members
from engine.types.portfolio import Gap

CLOSE = 1e-9
"""Weights this little below 0 are 0, and rewards this little apart are equal."""

PARALLEL = 1e-100
"""A determinant below: the members are worth the same along a whole edge, or nowhere."""

MANY = 3_000
"""Systems of equations for a pool beyond which its linear programs are faster."""

AT_ONCE = 2_000_000
"""Numbers to hold at a time, 16 MB: many pools are worked off in portions."""


def gaps(R: F64, members: Sequence[int], *, floors: F64 | None = None) -> tuple[Gap, Gap]:
    """ε and δ of one pool: what `engine.portfolio.gaps` finds by linear programs, but faster.

    Arguments and errors as there.
    """
    rewards, vertices = at_corners(R, floors=floors)
    members = checked_members(members, candidates=len(rewards))
    if _systems(rewards, members) > MANY:
        return multiplicative(R, members, floors=floors), additive(R, members, floors=floors)
    points = _points(rewards[None, members])[0]
    shares, leads = shortfalls(points @ rewards.T, members)
    return worst(shares, points, vertices), worst(leads, points, vertices)


def epsilons(R: F64, members: Sequence[int], *, floors: F64 | None = None) -> F64:
    """ε of B pools with the same members, float64, (B,).

    R  mean rewards, float64, (B, n, d); other arguments and errors as for one pool
    """
    rewards, _ = at_corners(R, floors=floors, axes=3)
    members = checked_members(members, candidates=rewards.shape[1])
    systems = _systems(rewards, members)
    if systems > MANY:
        return np.asarray([multiplicative(pool, members).value for pool in rewards])
    pools, candidates, objectives = rewards.shape
    numbers = pools * systems * max(candidates, objectives**2)
    found = []
    for portion in np.array_split(rewards, min(pools, 1 + numbers // AT_ONCE)):
        points = _points(portion[:, members])
        shares, _ = shortfalls(points @ portion.swapaxes(1, 2), members)
        found.append(shares.max(axis=1))
    return np.concatenate(found)


def corner_weights(R: F64, members: Sequence[int], *, floors: F64 | None = None) -> F64:
    """The corners of the portfolio's upper envelope, float64, (S, d), in ascending order.

    These are the weights at which an owner is between members, and the extreme ones. Arguments
    and errors as for `gaps`.
    """
    rewards, vertices = at_corners(R, floors=floors)
    members = checked_members(members, candidates=len(rewards))
    points = _points(rewards[None, members])[0]
    _, distinct = np.unique(points.round(9), axis=0, return_index=True)
    found: F64 = points[distinct] @ vertices
    return found


def _points(portfolio: F64) -> F64:
    """The corners of the upper envelopes, float64, (B, S, d); some more than once.

    portfolio  rewards of the members, (B, k, d)

    Where one of the envelopes has fewer corners than another, further weights are among them.
    """
    pools, members, size = portfolio.shape
    extreme = np.broadcast_to(np.eye(size), (pools, size, size))
    found = [(extreme, portfolio.max(axis=1))]
    found += [_tied(portfolio, count) for count in range(2, min(members, size) + 1)]
    points, worth = (np.concatenate(part, axis=1) for part in zip(*found, strict=True))
    below = worth < (points @ portfolio.swapaxes(1, 2)).max(axis=2) - CLOSE
    most = int((~below).sum(axis=1).max())
    order = np.argsort(below, axis=1, kind="stable")[:, :most]
    return np.take_along_axis(points, order[..., None], axis=1)


def _tied(portfolio: F64, count: int) -> tuple[F64, F64]:
    """The points where `count` members are tied, on each face of as many corners.

    Returns points (B, S, d) and what the tied members are worth there, (B, S). A choice without
    such a point has a corner of its face instead, which is a weighting like any other.
    """
    pools, members, size = portfolio.shape
    chosen, faces = _choices(members, count), _choices(size, count)
    square = portfolio[:, chosen[:, None, :, None], faces[None, :, None, :]]
    system = np.ones_like(square)  # the first row is Σw = 1
    system[..., 1:, :] = square[..., 1:, :] - square[..., :1, :]
    system[np.abs(np.linalg.det(system)) < PARALLEL] = np.eye(count)
    w = np.linalg.solve(system, np.eye(count)[:, :1])[..., 0]
    outside = ~((w >= -CLOSE).all(axis=-1) & (w.sum(axis=-1) > 0.5))
    w[outside] = np.eye(count)[0]
    w = np.maximum(w, 0.0)
    w /= w.sum(axis=-1, keepdims=True)
    points = np.zeros((*w.shape[:-1], size))
    np.put_along_axis(points, np.broadcast_to(faces, w.shape), w, axis=-1)
    worth = (square[..., 0, :] * w).sum(axis=-1)
    return points.reshape(pools, -1, size), worth.reshape(pools, -1)


def _choices(of: int, count: int) -> Ids:
    """All choices of `count` numbers below `of`, one per row."""
    return np.asarray(list(combinations(range(of), count)), dtype=np.intp)


def _systems(rewards: F64, members: Sequence[int]) -> int:
    """How many systems of equations one pool has, at most."""
    objectives = rewards.shape[-1]
    return comb(len(members) + objectives, objectives)
