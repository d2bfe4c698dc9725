import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.portfolio.weights import (
    centre,
    checked_members,
    checked_pool,
    evenly,
    extremes,
)
from tests.unit.portfolio.pools import floors, seeds


def test_the_corners_by_hand() -> None:
    found = extremes(np.asarray([0.2, 0.0, 0.3]), objectives=3)
    expected = [[0.7, 0.0, 0.3], [0.2, 0.5, 0.3], [0.2, 0.0, 0.8]]
    np.testing.assert_allclose(found, expected, atol=1e-15)
    np.testing.assert_array_equal(extremes(None, objectives=2), np.eye(2))
    np.testing.assert_allclose(
        centre(np.asarray([0.2, 0.0, 0.3]), objectives=3), [1.1 / 3, 0.5 / 3, 1.4 / 3]
    )


@given(objectives=st.integers(1, 5), data=st.data(), seed=seeds)
def test_drawn_weights_are_possible_ones(objectives: int, data: st.DataObject, seed: int) -> None:
    least = data.draw(floors(objectives))
    rng = np.random.default_rng(seed)
    drawn = evenly(50, floors=least, objectives=objectives, rng=rng)
    assert drawn.shape == (50, objectives)
    assert (drawn >= least - 1e-12).all()
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0)


def test_weights_are_drawn_evenly() -> None:
    rng = np.random.default_rng(0)
    drawn = evenly(40_000, floors=np.asarray([0.5, 0.0, 0.0]), objectives=3, rng=rng)
    np.testing.assert_allclose(drawn.mean(axis=0), [2 / 3, 1 / 6, 1 / 6], atol=0.004)
    # On an even triangle a quarter lies beyond half of the way to a corner.
    assert (drawn[:, 0] > 0.75).mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("least", [[0.5, 0.5], [-0.1, 0.2], [float("nan"), 0.1], [0.1]])
def test_floors_that_leave_no_choice_are_refused(least: list[float]) -> None:
    with pytest.raises(InvalidParameter, match="floors"):
        extremes(np.asarray(least), objectives=2)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -0.1])
def test_a_reward_that_is_none_is_refused_with_its_place(wrong: float) -> None:
    with pytest.raises(InvalidParameter, match=r"\(1, 0\)"):
        checked_pool(np.asarray([[0.5, 0.5], [wrong, 0.5]]))


@pytest.mark.parametrize("shape", [(3,), (0, 2), (2, 0), (2, 2, 2)])
def test_a_pool_of_nothing_or_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidParameter, match="shape"):
        checked_pool(np.ones(shape))


@pytest.mark.parametrize("members", [[], [0, 0], [3], [-1]])
def test_members_that_are_not_in_the_pool_are_refused(members: list[int]) -> None:
    with pytest.raises(InvalidParameter, match="members"):
        checked_members(members, candidates=3)
