import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio import corners
from engine.portfolio.corners import corner_weights, epsilons, gaps
from engine.portfolio.gaps import additive, multiplicative
from tests.unit.portfolio.pools import FOUR, SIX, front, portfolios, seeds

Portfolio = tuple[F64, tuple[int, ...], F64 | None]


def test_the_corners_of_three_members_by_hand() -> None:
    found = corner_weights(FOUR, (0, 1, 2))
    np.testing.assert_allclose(found[:, 0], [0, 1 / 3, 5 / 7, 1], atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_floors_cut_corners_off() -> None:
    found = corner_weights(FOUR, (0, 1, 2), floors=np.asarray([0.0, 0.6]))
    np.testing.assert_allclose(found[:, 0], [0, 1 / 3, 0.4], atol=1e-12)


def test_three_objectives_have_nine_corners() -> None:
    assert len(corner_weights(SIX, (0, 1, 2, 3))) == 9


def test_a_copy_of_a_member_adds_no_corner() -> None:
    twice = np.vstack([SIX, SIX[0]])
    np.testing.assert_allclose(
        corner_weights(twice, (0, 1, 2, 3, 6)), corner_weights(SIX, (0, 1, 2, 3)), atol=1e-12
    )


@settings(max_examples=50, deadline=None)
@given(case=portfolios())
def test_at_a_corner_as_many_members_are_tied_as_weights_are_free(case: Portfolio) -> None:
    R, members, _ = case
    portfolio = np.unique(R[list(members)], axis=0)
    for w in corner_weights(R, members):
        worth = portfolio @ w
        tied = np.count_nonzero(worth >= worth.max() - 1e-8)
        assert tied >= np.count_nonzero(w > 1e-8)


def test_a_single_member_has_the_extreme_weights_alone() -> None:
    np.testing.assert_array_equal(corner_weights(SIX, (3,)), np.eye(3)[::-1])


@settings(max_examples=50, deadline=None)
@given(case=portfolios())
def test_gaps_are_those_of_the_linear_programs(case: Portfolio) -> None:
    R, members, least = case
    epsilon, delta = gaps(R, members, floors=least)
    assert epsilon.value == pytest.approx(multiplicative(R, members, floors=least).value, abs=1e-9)
    assert delta.value == pytest.approx(additive(R, members, floors=least).value, abs=1e-9)
    for gap in (epsilon, delta):
        assert sum(gap.witness) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, d=st.integers(1, 5), k=st.integers(1, 6), floored=st.booleans())
def test_so_they_are_on_pools_without_ties(seed: int, d: int, k: int, floored: bool) -> None:
    rng = np.random.default_rng(seed)
    R = front(rng, candidates=20, objectives=d)
    least = 0.7 * rng.dirichlet(np.ones(d)) if floored else None
    members = tuple(range(k))
    epsilon, delta = gaps(R, members, floors=least)
    assert epsilon.value == pytest.approx(multiplicative(R, members, floors=least).value, abs=1e-9)
    assert delta.value == pytest.approx(additive(R, members, floors=least).value, abs=1e-9)


def test_members_that_are_almost_the_same_hide_no_corner() -> None:
    rng = np.random.default_rng(2)
    for distance in (1e-3, 1e-6, 1e-9, 1e-12):
        R = front(rng, candidates=12, objectives=4)
        R[:5] = R[0] + distance * rng.uniform(size=(5, 4))
        epsilon, _ = gaps(R, range(5))
        assert epsilon.value == pytest.approx(multiplicative(R, range(5)).value, abs=1e-9)


@pytest.mark.parametrize("distance", [1e-3, 1e-6])
def test_their_corners_do_not_depend_on_how_far_apart_they_are(distance: float) -> None:
    np.testing.assert_allclose(
        corner_weights(0.5 + distance * SIX, (0, 1, 2, 3)),
        corner_weights(SIX, (0, 1, 2, 3)),
        atol=1e-8,
    )


@pytest.mark.parametrize("floored", [False, True])
def test_many_pools_at_once_are_the_pools_one_by_one(
    floored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    pools = np.stack([front(rng, candidates=9, objectives=3) for _ in range(12)])
    pools[4] = pools[4, :1]  # all the same: far fewer corners than the others
    least = np.asarray([0.2, 0.1, 0.0]) if floored else None
    slow = [multiplicative(R, (0, 1, 2), floors=least).value for R in pools]
    np.testing.assert_allclose(epsilons(pools, (0, 1, 2), floors=least), slow, atol=1e-9)
    monkeypatch.setattr(corners, "AT_ONCE", 1000)  # several portions
    np.testing.assert_allclose(epsilons(pools, (0, 1, 2), floors=least), slow, atol=1e-9)
    monkeypatch.setattr(corners, "MANY", 10)  # the linear programs take over
    np.testing.assert_allclose(epsilons(pools, (0, 1, 2), floors=least), slow, atol=1e-9)


def test_many_objectives_are_left_to_the_linear_programs() -> None:
    R = front(np.random.default_rng(5), candidates=30, objectives=12)
    epsilon, delta = gaps(R, range(8))
    assert epsilon == multiplicative(R, range(8))
    assert delta == additive(R, range(8))


def test_what_makes_no_sense_is_refused() -> None:
    for find in (gaps, corner_weights):
        with pytest.raises(InvalidParameter, match="shape"):
            find(FOUR[None], (0,))
        with pytest.raises(InvalidParameter, match="members"):
            find(FOUR, ())
    with pytest.raises(InvalidParameter, match="shape"):
        epsilons(FOUR, (0,))
    with pytest.raises(InvalidParameter, match="members"):
        epsilons(FOUR[None], (4,))
