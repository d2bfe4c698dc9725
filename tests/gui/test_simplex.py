"""Who serves which taste: areas against the slow and obvious, and their laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.simplex import Vector, areas, centre, placed, share, typical

NO_FLOORS = (0.0, 0.0, 0.0)

reward = st.floats(0.0, 1.0).map(lambda x: round(x, 2))
rewards = st.lists(st.tuples(reward, reward, reward), min_size=1, max_size=7)
parts = st.tuples(*[st.floats(0.01, 1.0)] * 3)
floors = st.tuples(*[st.floats(0.0, 0.3)] * 3)


def taste(u: Vector, floors: Vector) -> Vector:
    free = 1.0 - sum(floors)
    return tuple(f + free * x for f, x in zip(floors, u, strict=True))


def value(weights: Vector, reward: Vector) -> float:
    return sum(w * r for w, r in zip(weights, reward, strict=True))


def inside(area: tuple[Vector, ...], u: Vector) -> float:
    """How far u lies inside a convex area: the least signed distance to a side, unscaled."""

    def side(a: Vector, b: Vector) -> float:
        return (b[1] - a[1]) * (u[2] - a[2]) - (b[2] - a[2]) * (u[1] - a[1])

    turns = [side(a, b) for a, b in zip(area, area[1:] + area[:1], strict=True)]
    return max(min(turns), -max(turns))


def test_two_members_share_the_triangle_where_they_are_equal() -> None:
    first, second = areas([(1.0, 0.0, 0.5), (0.0, 1.0, 0.5)], NO_FLOORS)
    assert set(first) == {(1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.0, 0.0, 1.0)}
    assert set(second) == {(0.0, 1.0, 0.0), (0.5, 0.5, 0.0), (0.0, 0.0, 1.0)}
    assert share(first) == pytest.approx(0.5)
    assert centre(first) == pytest.approx((0.5, 1 / 6, 1 / 3))


def test_a_member_that_is_never_the_best_has_no_area() -> None:
    found = areas([(0.9, 0.9, 0.9), (0.1, 0.2, 0.3)], NO_FLOORS)
    assert share(found[0]) == pytest.approx(1.0)
    assert found[1] == ()


def test_a_floor_moves_the_border() -> None:
    """With w₃ ≥ ½ the first two only have the other half to differ in."""
    pool = [(1.0, 0.0, 0.0), (0.0, 0.0, 0.6)]
    free, floored = areas(pool, NO_FLOORS), areas(pool, (0.0, 0.0, 0.5))
    assert share(free[0]) > share(floored[0]) > 0.0
    assert placed((0.25, 0.0, 0.75), (0.0, 0.0, 0.5)) == pytest.approx((0.5, 0.0, 0.5))


def test_a_taste_below_a_floor_is_put_on_the_edge() -> None:
    assert placed((0.7, 0.3, 0.0), (0.0, 0.0, 0.5)) == pytest.approx((0.7, 0.3, 0.0))
    assert placed((0.2, 0.3, 0.5), (0.2, 0.3, 0.5)) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


@settings(max_examples=60, deadline=None)
@given(rewards=rewards, parts=parts, floors=floors)
def test_a_taste_lies_in_the_area_of_whoever_serves_it_best(
    rewards: list[Vector], parts: Vector, floors: Vector
) -> None:
    u = tuple(part / sum(parts) for part in parts)
    served = [value(taste(u, floors), reward) for reward in rewards]
    for area, gain in zip(areas(rewards, floors), served, strict=True):
        if gain < max(served) - 1e-6:
            assert not area or inside(area, u) < 1e-9
        elif sorted(served)[-2:][0] < gain - 1e-6 or len(served) == 1:
            assert inside(area, u) > -1e-9


@settings(max_examples=60, deadline=None)
@given(rewards=st.lists(st.tuples(reward, reward, reward), min_size=1, max_size=7, unique=True))
def test_the_areas_of_different_members_fill_the_triangle(rewards: list[Vector]) -> None:
    found = areas(rewards, NO_FLOORS)
    assert math.isclose(sum(share(area) for area in found if area), 1.0, abs_tol=1e-6)


def test_typical_tastes_are_tastes_and_favour_what_a_member_is_best_at() -> None:
    pool = [(0.9, 0.1, 0.1, 0.1), (0.1, 0.9, 0.1, 0.1), (0.0, 0.0, 0.0, 0.0)]
    first, second, third = typical(pool, (0.0, 0.0, 0.0, 0.25))
    assert sum(first) == pytest.approx(1.0)
    assert first[0] > 0.3 > first[1]
    assert second[1] > 0.3 > second[0]
    assert third == ()
    assert typical(pool, (0.0, 0.0, 0.0, 0.25)) == (first, second, third), "always the same"
