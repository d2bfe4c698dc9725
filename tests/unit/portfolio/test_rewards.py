import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.rewards import VERSION, Normalisation, complete, fit, mean

NAN = float("nan")


@st.composite
def raw(draw: st.DrawFn) -> F64:
    """Scores of candidates × prompts × objectives, often equal, one in ten missing."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3)))
    score = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
    size = int(np.prod(shape))
    scores = np.asarray(draw(st.lists(score, min_size=size, max_size=size))).reshape(shape)
    missing = np.asarray(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))
    scores[missing.reshape(shape) == 0] = NAN
    scores[0, 0] = np.nan_to_num(scores[0, 0])
    return scores


def test_the_5th_and_the_95th_percentile_become_0_and_1() -> None:
    scores = np.arange(101.0).reshape(1, 101, 1)
    found = fit(scores)
    assert (found.low[0], found.high[0], found.version) == (5.0, 95.0, VERSION)
    rewards = found.apply(scores)[0, :, 0]
    np.testing.assert_allclose(rewards[[0, 5, 14, 50, 95, 100]], [0, 0, 0.1, 0.5, 1, 1])


@given(scores=raw())
def test_rewards_are_in_range_and_in_order_and_missing_ones_stay_missing(scores: F64) -> None:
    rewards = fit(scores).apply(scores)
    np.testing.assert_array_equal(np.isnan(rewards), np.isnan(scores))
    known = rewards[~np.isnan(rewards)]
    assert ((known >= 0.0) & (known <= 1.0)).all()
    for objective in range(scores.shape[2]):
        column, reward = scores[..., objective].ravel(), rewards[..., objective].ravel()
        order = np.argsort(column)
        told = reward[order][: np.count_nonzero(~np.isnan(column))]
        assert (np.diff(told) >= 0.0).all()


@given(scores=raw())
def test_the_opposite_pole_has_exactly_the_rest(scores: F64) -> None:
    plus, minus = fit(scores).apply(scores), fit(-scores).apply(-scores)
    np.testing.assert_array_equal(minus, 1.0 - plus)
    np.testing.assert_array_equal(plus, 1.0 - minus)


def test_so_have_their_ranges() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 23, 200))
    plus, minus = fit(scores), fit(-scores)
    np.testing.assert_array_equal(plus.low, -minus.high)
    np.testing.assert_array_equal(plus.high, -minus.low)


@given(scores=raw(), factor=st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_unit_of_a_score_does_not_matter(scores: F64, factor: float) -> None:
    np.testing.assert_array_equal(
        fit(scores).apply(scores), fit(factor * scores).apply(factor * scores)
    )


@given(value=st.floats(-1e9, 1e9))
def test_an_objective_that_tells_nothing_apart_is_a_half_everywhere(value: float) -> None:
    scores = np.full((3, 4, 1), value)
    np.testing.assert_array_equal(fit(scores).apply(scores), 0.5)


def test_what_only_rounding_tells_apart_is_not_told_apart() -> None:
    scores = np.asarray([0.1 + 0.2, 0.3] * 10).reshape(1, 20, 1)
    np.testing.assert_array_equal(fit(scores).apply(scores), 0.5)


def test_a_lone_specialist_is_seen_where_all_others_are_the_same() -> None:
    for sign in (1.0, -1.0):
        scores = np.zeros((30, 10, 1))
        scores[7] = 2.0 * sign
        rewards = fit(scores).apply(scores)
        assert (rewards[7] == (sign > 0)).all()
        assert (np.delete(rewards, 7, axis=0) == (sign < 0)).all()


def test_missing_scores_do_not_count_for_the_range() -> None:
    scores = np.asarray([0.0, 1.0, NAN, NAN]).reshape(2, 2, 1)
    known = np.asarray([0.0, 1.0]).reshape(1, 2, 1)
    np.testing.assert_array_equal(fit(scores).low, fit(known).low)
    np.testing.assert_array_equal(fit(scores).high, fit(known).high)


def test_a_candidate_with_a_missing_score_is_incomplete() -> None:
    scores = np.zeros((3, 2, 2))
    scores[1, 0, 1] = NAN
    np.testing.assert_array_equal(complete(scores), [True, False, True])
    np.testing.assert_array_equal(complete(scores[:, 1:]), True)


def test_an_old_pool_keeps_its_scale() -> None:
    kept = Normalisation(low=np.asarray([0.0, -1.0]), high=np.asarray([10.0, 1.0]))
    scores = np.asarray([[[5.0, 0.5], [20.0, -3.0]]])
    np.testing.assert_allclose(kept.apply(scores), [[[0.5, 0.75], [1.0, 0.0]]])
    np.testing.assert_allclose(mean(kept.apply(scores)), [[0.75, 0.375]])


def test_an_objective_without_a_score_is_named() -> None:
    scores = np.zeros((2, 2, 2))
    scores[..., 1] = NAN
    with pytest.raises(InvalidParameter, match="Objective 1"):
        fit(scores)


@pytest.mark.parametrize("scores", [np.zeros((2, 3)), np.zeros((0, 2, 2)), np.zeros((2, 0, 2))])
def test_scores_of_another_shape_are_refused(scores: F64) -> None:
    with pytest.raises(InvalidParameter, match="shape"):
        fit(scores)
    with pytest.raises(InvalidParameter, match="shape"):
        mean(scores)


def test_infinite_scores_are_refused_everywhere() -> None:
    scores = np.zeros((1, 2, 1))
    kept = fit(scores)
    scores[0, 1] = np.inf
    for refuses in (fit, kept.apply, complete):
        with pytest.raises(InvalidParameter, match=r"score at \(0, 1, 0\)"):
            refuses(scores)


def test_rewards_of_more_objectives_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="shape"):
        fit(np.zeros((1, 1, 2))).apply(np.zeros((1, 1, 3)))


@pytest.mark.parametrize("wrong", [NAN, -0.1, 1.1, float("inf")])
def test_a_mean_of_what_is_no_reward_is_refused(wrong: float) -> None:
    with pytest.raises(InvalidParameter, match=r"reward at \(0, 1, 0\)"):
        mean(np.asarray([[[0.5], [wrong]]]))


@pytest.mark.parametrize(
    ("low", "high", "version"),
    [
        ([1.0], [0.0], VERSION),
        ([NAN], [1.0], VERSION),
        ([0.0], [float("inf")], VERSION),
        ([0.0], [1.0, 2.0], VERSION),
        ([0.0], [1.0], VERSION + 1),
    ],
)
def test_bounds_that_are_none_are_refused(
    low: list[float], high: list[float], version: int
) -> None:
    with pytest.raises(InvalidParameter):
        Normalisation(low=np.asarray(low), high=np.asarray(high), version=version)
