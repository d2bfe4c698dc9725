"""The exact gaps: cases worked by hand, a slow search over weights, and their laws."""

from __future__ import annotations

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InternalError, InvalidParameter
from engine.numerics import F64
from engine.portfolio.gaps import additive, multiplicative, silent_solver, solve
from engine.portfolio.weights import evenly, extremes
from tests.unit.portfolio.pools import FOUR, SIX, floors, front, portfolios, seeds

Portfolio = tuple[F64, tuple[int, ...], F64 | None]
few = settings(max_examples=25, deadline=None)
CLOSE = 1e-9


def both(R: F64, members: tuple[int, ...], least: F64 | None = None) -> tuple[float, float]:
    found = (gap(R, members, floors=least) for gap in (multiplicative, additive))
    epsilon, delta = (gap.value for gap in found)
    return epsilon, delta


def at(R: F64, members: tuple[int, ...], weights: F64) -> tuple[F64, F64]:
    """Both gaps at weights (S, d), straight from their definition."""
    scores = weights @ R.T
    best, served = scores.max(axis=1), scores[:, list(members)].max(axis=1)
    share = (best - served) / np.where(best > 0.0, best, 1.0)
    return share, best - served


# By hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "epsilon", "at_epsilon", "delta", "at_delta"),
    [
        ((1,), 0.294118, (0, 1), 0.250000, (0, 1)),
        ((0, 2), 0.188235, (0.538462, 0.461538), 0.123077, (0.538462, 0.461538)),
        ((1, 3), 0.222222, (1, 0), 0.200000, (1, 0)),
        ((0, 1, 2), 0.058824, (0, 1), 0.050000, (0, 1)),
        ((0, 1, 3), 0.050420, (0.277778, 0.722222), 0.033333, (0.277778, 0.722222)),
        ((0, 1, 2, 3), 0.0, (0.5, 0.5), 0.0, (0.5, 0.5)),
    ],
)
def test_two_objectives_by_hand(
    members: tuple[int, ...],
    epsilon: float,
    at_epsilon: tuple[float, float],
    delta: float,
    at_delta: tuple[float, float],
) -> None:
    share, lead = multiplicative(FOUR, members), additive(FOUR, members)
    assert share.value == pytest.approx(epsilon, abs=1e-6)
    assert share.witness == pytest.approx(at_epsilon, abs=1e-6)
    assert lead.value == pytest.approx(delta, abs=1e-6)
    assert lead.witness == pytest.approx(at_delta, abs=1e-6)


@pytest.mark.parametrize(
    ("members", "epsilon", "delta", "witness"),
    [
        ((3,), 0.444444, 0.400000, (0, 0, 1)),
        ((3, 2), 0.333333, 0.300000, None),  # two owners are served equally badly
        ((3, 2, 1), 0.333333, 0.300000, (1, 0, 0)),
        ((3, 2, 0), 0.333333, 0.300000, (0, 1, 0)),
        ((0, 1, 2), 0.176471, 0.100000, (1 / 3, 1 / 3, 1 / 3)),
        ((0, 1, 2, 3), 0.090909, 0.055556, (4 / 9, 1 / 9, 4 / 9)),
        ((3, 2, 1, 0, 4), 0.034483, 0.021429, (0.571429, 0.428571, 0)),
    ],
)
def test_three_objectives_by_hand(
    members: tuple[int, ...], epsilon: float, delta: float, witness: tuple[float, ...] | None
) -> None:
    share, lead = multiplicative(SIX, members), additive(SIX, members)
    assert share.value == pytest.approx(epsilon, abs=1e-6)
    assert lead.value == pytest.approx(delta, abs=1e-6)
    if witness is not None:
        assert share.witness == pytest.approx(witness, abs=1e-6)


def test_a_grid_of_weights_understates_the_gap() -> None:
    first = np.linspace(0, 1, 11)
    share, _ = at(FOUR, (0, 2), np.stack([first, 1 - first], axis=1))
    assert share.max() == pytest.approx(0.153846, abs=1e-6)
    assert multiplicative(FOUR, (0, 2)).value > 0.188


@pytest.mark.parametrize(
    ("raised", "epsilon"), [(0, 0.188235), (0.5, 0.106667), (1, 0.074419), (2, 0.046377)]
)
def test_a_constant_changes_the_share_and_not_the_lead(raised: float, epsilon: float) -> None:
    found = both(FOUR + raised, (0, 2))
    assert found == pytest.approx((epsilon, 0.123077), abs=1e-6)


def test_a_floor_by_hand() -> None:
    least = np.asarray([0.0, 0.6])
    share, lead = (gap(FOUR, (0, 2), floors=least) for gap in (multiplicative, additive))
    assert share.value == pytest.approx(0.0625, abs=1e-9)
    assert share.witness == pytest.approx((0.4, 0.6))
    assert lead.value == pytest.approx(0.05, abs=1e-9)
    assert lead.witness == pytest.approx((0.0, 1.0))


def test_a_pool_that_is_worth_nothing_has_no_gap() -> None:
    assert both(np.zeros((3, 2)), (1,)) == (0.0, 0.0)


def test_where_only_some_owners_have_anything_to_lose() -> None:
    # Nothing in the pool is any good at the first objective.
    R = np.asarray([[0.0, 0.2], [0.0, 0.8]])
    assert both(R, (0,)) == pytest.approx((0.75, 0.6))
    # And here the member is worth nothing to owners who only ask for the first.
    R = np.asarray([[0.0, 0.8], [0.1, 0.8]])
    share = multiplicative(R, (0,))
    assert share.value == pytest.approx(1.0)
    assert share.witness == pytest.approx((1.0, 0.0))


def test_rounding_makes_no_gap() -> None:
    assert both(np.asarray([[0.3, 0.5], [0.1 + 0.2, 0.5]]), (0,)) == (0.0, 0.0)
    # Neither does a reward of nearly nothing, which would be infinitely more than none.
    assert both(np.asarray([[0.0, 0.5], [1e-12, 0.5]]), (0,)) == (0.0, 0.0)


def test_a_single_candidate_and_a_single_objective() -> None:
    assert both(np.asarray([[0.3, 0.4]]), (0,)) == (0.0, 0.0)
    assert both(np.asarray([[0.3], [0.4]]), (0,)) == pytest.approx((0.25, 0.1))


# Against a slow search ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_no_drawn_weighting_is_worse_and_some_are_nearly_as_bad(seed: int) -> None:
    rng = np.random.default_rng(seed)
    R = front(rng, candidates=25, objectives=3)
    least = None if seed % 2 else np.asarray([0.1, 0.0, 0.2])
    epsilon, delta = both(R, (0, 1, 2), least)
    weights = evenly(200_000, floors=least, objectives=3, rng=rng)
    share, lead = at(R, (0, 1, 2), weights)
    assert epsilon - 0.01 < share.max() <= epsilon + CLOSE
    assert delta - 0.01 < lead.max() <= delta + CLOSE


@few
@given(case=portfolios(), seed=seeds)
def test_a_gap_is_never_below_what_any_owner_sees_and_is_seen_at_its_witness(
    case: Portfolio, seed: int
) -> None:
    R, members, least = case
    d = R.shape[1]
    drawn = evenly(500, floors=least, objectives=d, rng=np.random.default_rng(seed))
    weights = np.vstack([drawn, extremes(least, objectives=d)])
    gaps = [gap(R, members, floors=least) for gap in (multiplicative, additive)]
    for found, seen in zip(gaps, at(R, members, weights), strict=True):
        assert found.value >= seen.max() - CLOSE
    for which, found in enumerate(gaps):
        witness = np.asarray(found.witness)
        assert witness.sum() == pytest.approx(1.0)
        assert (witness >= (0.0 if least is None else least) - CLOSE).all()
        assert at(R, members, witness[None])[which][0] == pytest.approx(found.value, abs=CLOSE)


# Laws ---------------------------------------------------------------------------------------


@few
@given(case=portfolios())
def test_the_whole_pool_has_no_gap(case: Portfolio) -> None:
    R, _, least = case
    assert both(R, tuple(range(len(R))), least) == (0.0, 0.0)


@few
@given(case=portfolios(), data=st.data())
def test_one_more_member_never_widens_a_gap(case: Portfolio, data: st.DataObject) -> None:
    R, members, least = case
    more = {*members, data.draw(st.integers(0, len(R) - 1))}
    before, after = both(R, members, least), both(R, tuple(more), least)
    assert after[0] <= before[0] + CLOSE
    assert after[1] <= before[1] + CLOSE


@few
@given(case=portfolios(), seed=seeds)
def test_order_does_not_matter(case: Portfolio, seed: int) -> None:
    R, members, least = case
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(R)), rng.permutation(R.shape[1])
    moved = tuple(int(np.flatnonzero(rows == member)[0]) for member in members)
    turned = None if least is None else least[columns]
    found = both(R[rows][:, columns], moved, turned)
    assert found == pytest.approx(both(R, members, least), abs=CLOSE)


@few
@given(case=portfolios(), factor=st.floats(0.01, 20.0))
def test_the_unit_of_reward_scales_the_lead_and_not_the_share(
    case: Portfolio, factor: float
) -> None:
    R, members, least = case
    epsilon, delta = both(R, members, least)
    assert both(factor * R, members, least) == pytest.approx((epsilon, factor * delta), abs=1e-8)


@few
@given(case=portfolios(), raised=st.floats(0.0, 3.0))
def test_a_constant_added_never_changes_the_lead(case: Portfolio, raised: float) -> None:
    R, members, least = case
    before, after = both(R, members, least), both(R + raised, members, least)
    assert after[1] == pytest.approx(before[1], abs=1e-8)
    assert after[0] <= before[0] + CLOSE


@few
@given(case=portfolios(), data=st.data())
def test_a_candidate_that_is_worse_at_everything_changes_nothing(
    case: Portfolio, data: st.DataObject
) -> None:
    R, members, least = case
    better = R[data.draw(st.integers(0, len(R) - 1))]
    more = np.vstack([R, np.maximum(better - 0.01, 0.0)])
    assert both(more, members, least) == pytest.approx(both(R, members, least), abs=CLOSE)


@few
@given(case=portfolios())
def test_whoever_asks_for_one_thing_gets_nearly_the_best_of_it(case: Portfolio) -> None:
    R, members, _ = case
    epsilon, _ = both(R, members)
    for objective in range(R.shape[1]):
        served = R[list(members), objective].max()
        assert served >= (1 - epsilon) * R[:, objective].max() - CLOSE


@few
@given(case=portfolios(), data=st.data())
def test_higher_floors_never_widen_a_gap(case: Portfolio, data: st.DataObject) -> None:
    R, members, _ = case
    low = data.draw(floors(R.shape[1])) / 2
    high = low + data.draw(floors(R.shape[1])) / 2
    before, after = both(R, members, low), both(R, members, high)
    assert after[0] <= before[0] + CLOSE
    assert after[1] <= before[1] + CLOSE


# Bad input ----------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused() -> None:
    for gap in (multiplicative, additive):
        for R in (-FOUR, FOUR[0], np.full((2, 2), np.nan)):
            with pytest.raises(InvalidParameter):
                gap(R, (0,))
        with pytest.raises(InvalidParameter, match="members"):
            gap(FOUR, (4,))
        with pytest.raises(InvalidParameter, match="floors"):
            gap(FOUR, (0,), floors=np.asarray([0.5, 0.5]))


def test_a_program_without_an_optimum_is_our_mistake() -> None:
    solver = silent_solver()
    solver.addVars(1, np.asarray([1.0]), np.asarray([2.0]))
    solver.addRow(3.0, highspy.kHighsInf, 1, np.asarray([0], np.int32), np.ones(1))
    with pytest.raises(InternalError, match="Infeasible"):
        solve(solver)
