"""The space of tastes: weights that sum to 1, and who serves which part of it. No Qt, no numpy.

A taste w is served by the member with the largest w·R. Nobody is taken to give an objective less
than its floor f, so tastes are drawn at u on the whole simplex, with w = f + (1 − Σf) u.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

Vector = tuple[float, ...]

TRIANGLE: tuple[Vector, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

DRAWS = 3_000
"""Tastes that are drawn where areas cannot be."""


def placed(weights: Vector, floors: Vector) -> Vector:
    """u of a taste: where it is drawn. Uniform where the floors leave no freedom."""
    free = 1.0 - sum(floors)
    if free <= 0.0:
        return tuple(1.0 / len(weights) for _ in weights)
    raw = [max(w - f, 0.0) for w, f in zip(weights, floors, strict=True)]
    return tuple(part / (sum(raw) or 1.0) for part in raw)


def areas(rewards: Sequence[Vector], floors: Vector) -> tuple[tuple[Vector, ...], ...]:
    """For each member the corners of the area that it serves, around it; () where it has none.

    rewards  members × 3
    """
    found = []
    for number, own in enumerate(rewards):
        area: tuple[Vector, ...] = TRIANGLE
        for other_number, other in enumerate(rewards):
            if other_number != number:
                area = _cut(area, _advantage(own, other, floors))
        found.append(area if len(area) > 2 else ())
    return tuple(found)


def centre(area: Sequence[Vector]) -> Vector:
    """The centre of gravity of a convex area of the triangle."""
    first, total, size = area[0], [0.0, 0.0, 0.0], 0.0
    for second, third in pairwise(area[1:]):
        share = abs(_twice(first, second, third))
        size += share
        for i in range(3):
            total[i] += share * (first[i] + second[i] + third[i]) / 3.0
    return tuple(part / size for part in total) if size > 0.0 else tuple(first)


def share(area: Sequence[Vector]) -> float:
    """How much of the triangle an area is, in [0, 1]."""
    pairs = pairwise(area[1:])
    return sum(abs(_twice(area[0], second, third)) for second, third in pairs)


def typical(rewards: Sequence[Vector], floors: Vector) -> tuple[Vector, ...]:
    """For each member the mean of the tastes that it serves; () where it serves none.

    Of DRAWS tastes drawn evenly, always the same ones.
    """
    draw = random.Random(0)
    d = len(floors)
    sums, counts = [[0.0] * d for _ in rewards], [0] * len(rewards)
    scores = [_linear(own, floors) for own in rewards]
    for _ in range(DRAWS):
        raw = [draw.expovariate(1.0) for _ in range(d)]
        best = max(range(len(rewards)), key=lambda m: _dot(scores[m], raw))
        counts[best] += 1
        total = sum(raw)
        for i in range(d):
            sums[best][i] += raw[i] / total
    return tuple(
        tuple(part / count for part in row) if count else ()
        for row, count in zip(sums, counts, strict=True)
    )


def _advantage(own: Vector, other: Vector, floors: Vector) -> Vector:
    return tuple(a - b for a, b in zip(_linear(own, floors), _linear(other, floors), strict=True))


def _linear(rewards: Vector, floors: Vector) -> Vector:
    """g with g·u = w·R for every u that sums to 1."""
    fixed, free = _dot(rewards, floors), 1.0 - sum(floors)
    return tuple(free * reward + fixed for reward in rewards)


def _cut(area: tuple[Vector, ...], advantage: Vector) -> tuple[Vector, ...]:
    """The part of a convex area where the advantage is not negative (Sutherland and Hodgman)."""
    kept: list[Vector] = []
    for here, ahead in zip(area, area[1:] + area[:1], strict=True):
        now, then = _dot(here, advantage), _dot(ahead, advantage)
        if now >= 0.0:
            kept.append(here)
        if (now > 0.0 > then) or (now < 0.0 < then):
            at = now / (now - then)
            kept.append(tuple(a + at * (b - a) for a, b in zip(here, ahead, strict=True)))
    return tuple(kept)


def _twice(a: Vector, b: Vector, c: Vector) -> float:
    """Area of a triangle within TRIANGLE, as a share of it, with a sign."""
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
