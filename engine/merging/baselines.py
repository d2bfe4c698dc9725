"""Merges without training: what a learned mask has to beat, and what it starts from.

All work on one tensor at a time, given the changes (task vectors) of the members to it, so that
whole models are never in memory. τ_t is the change of member t of T.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.merging.masks import Array, Vector, kth_largest
from engine.numerics import F32, F64

FIRST_STAGE = 0.3
"""λ of the authors' code, there for six tasks."""

TRIM = 0.2
"""Share of a task vector that TIES keeps, as published."""


def average(changes: Sequence[Array]) -> F32:
    """Σ_t τ_t / T of one tensor, float32."""
    return arithmetic(changes, scale=1.0 / len(changes))


def arithmetic(changes: Sequence[Array], *, scale: float) -> F32:
    """λ Σ_t τ_t of one tensor, float32: task arithmetic (arXiv 2212.04089).

    scale  λ; 1 adds the members up
    """
    total: F32 = changes[0].astype(np.float32)
    for change in changes[1:]:
        total += change
    total *= np.float32(scale)
    return total


def ties(changes: Sequence[Array], *, floors: Sequence[float], scale: float = 1.0) -> F32:
    """Trim, elect a sign, take the mean of those that agree: TIES (arXiv 2306.01708, eq. 1).

    floors   `trim_floor` of each member: changes of smaller magnitude count as none
    scale    λ of the result
    returns  one tensor, float32; 0 where the trimmed changes cancel out exactly, which the
             authors' code decides by the sign of the majority and the paper leaves at 0
    """
    trimmed = [
        np.where(np.abs(change) >= floor, change, 0).astype(np.float32)
        for change, floor in zip(changes, floors, strict=True)
    ]
    total = arithmetic(trimmed, scale=1.0)
    elected, count = np.sign(total), np.zeros_like(total)
    total[:] = 0.0
    for change in trimmed:
        agrees = (np.sign(change) == elected) & (change != 0)
        total += np.where(agrees, change, 0)
        count += agrees
    total *= np.float32(scale) / np.maximum(count, 1)
    return total


def trim_floor(vector: Vector, *, weights: int, keep: float = TRIM) -> float:
    """The magnitude that the share `keep` of a whole task vector reaches.

    weights  of the vector, ≥ 1: to count them would read it once more
    keep     in (0, 1]. Raises InvalidParameter.
    """
    if not 0.0 < keep <= 1.0:
        raise InvalidParameter.outside("keep", keep, "above 0 and at most 1")
    return kth_largest(vector, max(1, int(keep * weights)))


def random_mask(kept: Array, added: Array, *, share: float, rng: np.random.Generator) -> F32:
    """B for a random share of the weights of one tensor and A for the others, float32.

    share  that each weight is taken from B with, in [0, 1]: the density of the mask to compare
           with; for T members at odds, add the t-th with 1 / t. Raises InvalidParameter.
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidParameter.outside("share", share, "in [0, 1]")
    chosen = rng.random(added.shape, dtype=np.float32) < share
    return np.where(chosen, added, kept).astype(np.float32, copy=False)


# The order of members -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """In which order members are merged, by their place in the list.

    first  added up with the weight `scale`, nothing trained
    then   added one at a time, each by a mask of its own
    """

    first: tuple[int, ...]
    scale: float
    then: tuple[int, ...]


def order(similar: F64) -> Order:
    """The similar members first, untrained; the one or two that they serve worst by a mask.

    similar  `cosines` of the members, (T, T)

    Two members keep their order: the mask protects the first and takes few weights of the
    second. From three on, the most similar pair starts and whoever is on the average most like
    those in the group joins, until one (T < 5) or two are left. Differs from the paper: the code
    sets the order by hand. Its λ = 0.3 is for six members; for few we take 1 / (count − 1), so
    that two are added up whole: halved, they were hardly there in what the merged model wrote,
    and its losses were no smaller (docs/algorithms/calm.md).

    Raises InvalidParameter below two members.
    """
    count = len(similar)
    if count < 2:
        raise InvalidParameter(f"There are {count} members to merge; name at least 2.")
    if count == 2:
        return Order(first=(0,), scale=1.0, then=(1,))
    joined = _by_likeness(similar)
    late = 1 if count < 5 else 2
    first = joined[:-late]
    scale = max(FIRST_STAGE, 1.0 / (len(first) - 1))
    return Order(first=first, scale=scale, then=joined[-late:])


def _by_likeness(similar: F64) -> tuple[int, ...]:
    """All members, each the one most like those before it; of equals the earlier."""
    count = len(similar)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    closest = max(pairs, key=lambda pair: float(similar[pair]))
    joined = [*closest]
    while len(joined) < count:
        rest = [member for member in range(count) if member not in joined]
        joined.append(max(rest, key=lambda member: float(similar[member, joined].mean())))
    return tuple(joined)


def cosines(tensors: Iterable[Sequence[Array]]) -> F64:
    """cos(τ_i, τ_j) over all tensors, float64, (T, T); 0 beside a member that changes nothing.

    tensors  for each tensor the changes of all members, in the same order
    """
    gram: F64 = np.zeros((1, 1))
    for changes in tensors:
        rows = np.stack([change.astype(np.float32, copy=False).ravel() for change in changes])
        gram = gram + (rows @ rows.T).astype(np.float64)
    lengths = np.sqrt(np.diag(gram))
    scale = np.outer(lengths, lengths)
    found: F64 = np.divide(gram, scale, out=np.zeros_like(gram), where=scale > 0)
    return found
