"""Choosing members: the steps by hand, what is given up against the optimum, and laws."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.gaps import multiplicative
from engine.portfolio.selection import select, smallest, smallest_cover, without_redundant
from engine.portfolio.weights import evenly
from tests.unit.portfolio.pools import FOUR, SIX, floors, front, pools, seeds

few = settings(max_examples=25, deadline=None)
goals = st.sampled_from([0.0, 0.02, 0.1, 0.3])

TRAP = np.asarray(
    [[1, 0, 0], [1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1], [0, 1, 0]], dtype=np.bool_
)
"""Six elements in three sets: {1, 2, 3}, {4, 5, 6}, {2, 3, 4, 5}."""


def epsilon(R: F64, members: tuple[int, ...], *, least: F64 | None = None) -> float:
    return multiplicative(R, members, floors=least).value


# Step by step -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "members"),
    [(1, {3}), (2, {3, 2}), (4, {3, 2, 1, 0}), (5, {3, 2, 1, 0, 4})],
)
def test_the_members_by_hand(most: int, members: set[int]) -> None:
    chosen = select(SIX, goal=0.0, most=most)
    assert set(chosen) == members
    assert chosen[:2] == (3, 2)[:most]


def test_of_two_that_are_served_equally_badly_either_is_next() -> None:
    chosen = select(SIX, goal=0.0, most=3)
    assert chosen[:2] == (3, 2)
    assert chosen[2] in (0, 1)


def test_it_stops_where_the_goal_is_reached() -> None:
    assert set(select(SIX, goal=0.1, most=6)) == {0, 1, 2, 3}
    assert epsilon(SIX, select(SIX, goal=0.05, most=6)) <= 0.05


def test_the_best_on_the_whole_comes_first() -> None:
    assert select(FOUR, goal=0.9, most=4) == (1,)
    # With floors the whole is another one: nine tenths of everybody ask for the second.
    assert select(FOUR, goal=0.9, most=4, floors=np.asarray([0.0, 0.9])) == (3,)


def test_a_member_that_the_others_replace_is_dropped() -> None:
    # The first choice is best in the middle, and hardly missed once both sides are there.
    R = np.asarray([[0.60, 0.60], [1.00, 0.19], [0.19, 1.00]])
    assert set(select(R, goal=0.0, most=3)) == {0, 1, 2}
    assert epsilon(R, (1, 2)) == pytest.approx(0.005 / 0.6)
    assert set(select(R, goal=0.01, most=3)) == {1, 2}


def test_a_member_that_is_nobodys_best_makes_room() -> None:
    # 1 is taken for its price, and once 2 is there as well it is nobody's best.
    R = np.asarray([[0.60, 0.60], [0.98, 0.00], [1.00, 0.00], [0.00, 0.90], [0.75, 0.385]])
    costs = np.asarray([0.0, 0.0, 1.0, 0.0, 0.0])
    assert select(R, goal=0.0, most=3, costs=costs) == (0, 1, 3)
    assert select(R, goal=0.0, most=4, costs=costs) == (0, 3, 2, 4)


# Costs and ties -----------------------------------------------------------------------------


def test_all_equal_candidates_give_the_cheapest_one() -> None:
    R = np.tile([0.3, 0.7], (5, 1))
    assert select(R, goal=0.0, most=3) == (0,)
    costs = np.asarray([0.4, 0.2, 0.1, 0.1, 0.9])
    assert select(R, goal=0.0, most=3, costs=costs) == (2,)
    assert smallest(R, goal=0.0) in {(c,) for c in range(5)}


def test_a_single_candidate_is_taken() -> None:
    assert select(np.asarray([[0.2, 0.4]]), goal=0.0, most=3) == (0,)
    assert smallest(np.asarray([[0.2, 0.4]]), goal=0.0) == (0,)
    assert select(np.zeros((1, 2)), goal=0.0, most=1) == (0,)


def test_a_costly_member_has_to_gain_more() -> None:
    R = np.asarray([[0.60, 0.60], [1.00, 0.00], [0.98, 0.00]])
    free = np.zeros(3)
    assert select(R, goal=0.1, most=2, costs=free) == (0, 1)
    assert select(R, goal=0.1, most=2, costs=np.asarray([0.0, 1.0, 0.0])) == (0, 2)
    # Gains are 0.4 and 0.38: a cost of 0.05 is not worth it, one of 0.06 is too much.
    assert select(R, goal=0.1, most=2, costs=np.asarray([0.0, 0.05, 0.0])) == (0, 1)
    assert select(R, goal=0.1, most=2, costs=np.asarray([0.0, 0.06, 0.0])) == (0, 2)


def test_of_two_redundant_members_the_costlier_is_dropped() -> None:
    kept = without_redundant(
        (0, 1, 2), costs=np.asarray([0.1, 0.5, 0.2]), enough=lambda some: len(some) >= 2
    )
    assert kept == (0, 2)
    kept = without_redundant((2, 0, 1), costs=np.zeros(3), enough=lambda some: len(some) >= 2)
    assert kept == (0, 1)


# Against the optimum ------------------------------------------------------------------------


def test_the_trap_of_greedy_covers() -> None:
    def covered(sets: Sequence[int]) -> bool:
        return bool(TRAP[:, list(sets)].any(axis=1).all())

    assert smallest_cover(TRAP) == (0, 1)
    assert without_redundant((2, 0, 1), costs=np.zeros(3), enough=covered) == (0, 1)


def test_an_element_in_no_set_is_named() -> None:
    with pytest.raises(InvalidParameter, match="Element 1"):
        smallest_cover(np.asarray([[True, False], [False, False]]))


@settings(max_examples=20, deadline=None)
@given(R=pools(most=6, objectives=3), goal=goals, data=st.data())
def test_the_smallest_is_what_trying_everything_finds(
    R: F64, goal: float, data: st.DataObject
) -> None:
    least = data.draw(st.none() | floors(R.shape[1]))
    found = smallest(R, goal=goal, floors=least)
    assert epsilon(R, found, least=least) <= goal + 1e-8
    fewer = combinations(range(len(R)), len(found) - 1) if len(found) > 1 else ()
    assert all(epsilon(R, some, least=least) > goal - 1e-8 for some in fewer)


@pytest.mark.parametrize(("objectives", "goal"), [(2, 0.02), (3, 0.1), (4, 0.25)])
def test_one_by_one_takes_hardly_more_than_the_smallest(objectives: int, goal: float) -> None:
    for seed in range(3):
        R = front(np.random.default_rng(seed), candidates=25, objectives=objectives)
        chosen = select(R, goal=goal, most=25)
        assert epsilon(R, chosen) <= goal + 1e-8
        assert 0 <= len(chosen) - len(smallest(R, goal=goal)) <= 2


@pytest.mark.parametrize(("objectives", "members"), [(2, 5), (3, 7)])
def test_it_beats_an_even_spread_and_chance(objectives: int, members: int) -> None:
    spread = {
        2: np.stack([np.linspace(0, 1, 5), np.linspace(1, 0, 5)], axis=1),
        3: np.vstack([np.eye(3), (1 - np.eye(3)) / 2, np.full((1, 3), 1 / 3)]),
    }[objectives]
    ours, even, chance = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        R = front(rng, candidates=60, objectives=objectives)
        drawn = evenly(members, floors=None, objectives=objectives, rng=rng)
        best = [tuple({int(c) for c in (w @ R.T).argmax(axis=1)}) for w in (spread, drawn)]
        ours.append(epsilon(R, select(R, goal=0.0, most=members)))
        even.append(epsilon(R, best[0]))
        chance.append(epsilon(R, best[1]))
    assert np.mean(ours) < np.mean(even) < np.mean(chance)
    # About 2.3 % with five members for two objectives, and 11 % with seven for three.
    assert np.mean(ours) < {2: 0.03, 3: 0.12}[objectives]


# Laws ---------------------------------------------------------------------------------------


@few
@given(R=pools(), goal=goals, most=st.integers(1, 6), data=st.data())
def test_the_goal_is_reached_or_every_place_is_taken(
    R: F64, goal: float, most: int, data: st.DataObject
) -> None:
    least = data.draw(st.none() | floors(R.shape[1]))
    costs = np.asarray(data.draw(st.lists(st.floats(0, 2), min_size=len(R), max_size=len(R))))
    chosen = select(R, goal=goal, most=most, floors=least, costs=costs)
    assert 1 <= len(set(chosen)) == len(chosen) <= most
    assert len(chosen) == most or epsilon(R, chosen, least=least) <= goal + 1e-8
    assert chosen == select(R, goal=goal, most=most, floors=least, costs=costs)


@few
@given(R=pools(), data=st.data())
def test_a_candidate_that_is_worse_at_everything_is_never_chosen(
    R: F64, data: st.DataObject
) -> None:
    better = R[data.draw(st.integers(0, len(R) - 1))] + 0.01
    worse = better - 0.01
    pool = np.vstack([worse, R + 0.01])
    assert 0 not in select(pool, goal=0.0, most=6)


@few
@given(seed=seeds, objectives=st.integers(1, 4))
def test_the_order_of_the_pool_does_not_matter(seed: int, objectives: int) -> None:
    rng = np.random.default_rng(seed)
    R = front(rng, candidates=10, objectives=objectives)
    rows, columns = rng.permutation(10), rng.permutation(objectives)
    chosen = select(R[rows][:, columns], goal=0.05, most=5)
    assert [int(rows[c]) for c in chosen] == list(select(R, goal=0.05, most=5))


# Bad input ----------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused() -> None:
    for goal in (-0.1, 1.0, float("nan")):
        with pytest.raises(InvalidParameter, match="goal"):
            select(FOUR, goal=goal, most=2)
        with pytest.raises(InvalidParameter, match="goal"):
            smallest(FOUR, goal=goal)
    with pytest.raises(InvalidParameter, match="most"):
        select(FOUR, goal=0.1, most=0)
    for costs in ([0.0], [0.0, 0.0, 0.0, -1.0], [0.0, 0.0, 0.0, float("nan")]):
        with pytest.raises(InvalidParameter, match="costs"):
            select(FOUR, goal=0.1, most=2, costs=np.asarray(costs))
    with pytest.raises(InvalidParameter, match="reward"):
        select(-FOUR, goal=0.1, most=2)
