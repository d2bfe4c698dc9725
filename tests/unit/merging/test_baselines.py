from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.merging.baselines import (
    Order,
    arithmetic,
    average,
    cosines,
    order,
    random_mask,
    ties,
    trim_floor,
)
from engine.merging.masks import Array
from engine.numerics import F32
from tests.unit.merging import linear_tasks as tasks
from tests.unit.merging.linear_tasks import A, B

seeds = st.integers(0, 2**31)
THREE = [np.asarray(values, np.float32) for values in ([1.0, 0, 2], [0.0, 3, -1], [-1.0, 1, 1])]


def changes(seed: int, *, count: int = 3, size: int = 12) -> list[F32]:
    rng = np.random.default_rng(seed)
    return list(rng.normal(size=(count, size)).astype(np.float32))


@pytest.mark.parametrize(
    ("scale", "expected"), [(0.3, [0.0, 1.2, 0.6]), (1 / 3, [0.0, 4 / 3, 2 / 3])]
)
def test_a_weighted_sum_is_that_worked_by_hand(scale: float, expected: list[float]) -> None:
    np.testing.assert_allclose(arithmetic(THREE, scale=scale), expected, atol=1e-6)


def test_the_losses_of_the_baselines_are_those_worked_by_hand() -> None:
    def loss(change: F32) -> float:
        return tasks.loss(tasks.BASE + change)

    a, b = A.astype(np.float32), B.astype(np.float32)
    assert loss(a) == pytest.approx(1.446307, abs=1e-6)
    assert loss(b) == pytest.approx(1.424974, abs=1e-6)
    assert loss(average([a, b])) == pytest.approx(1.368159, abs=1e-6)
    assert loss(arithmetic([a, b], scale=1.0)) == pytest.approx(1.354392, abs=1e-6)


@given(seed=seeds, count=st.integers(1, 5))
def test_the_average_is_the_mean_and_leaves_the_members_alone(seed: int, count: int) -> None:
    members = changes(seed, count=count)
    copies = [change.copy() for change in members]
    np.testing.assert_allclose(average(members), np.mean(members, axis=0), atol=1e-6)
    np.testing.assert_array_equal(members, copies)


# TIES ---------------------------------------------------------------------------------------


def test_ties_trims_elects_and_averages_as_worked_by_hand() -> None:
    first = np.asarray([0.9, 0.5, -0.8, 0.1, 0.6, 0.5], np.float32)
    second = np.asarray([0.7, -0.9, -0.2, 0.3, 0.6, -0.5], np.float32)
    third = np.asarray([-0.8, 0.6, -0.6, 0.2, 0.0, 0.0], np.float32)
    found = ties([first, second, third], floors=[0.5, 0.5, 0.5], scale=2.0)
    # Sums after trimming: 0.8, 0.2, −1.4, 0, 1.2 and 0.
    np.testing.assert_allclose(found, [1.6, 1.1, -1.4, 0.0, 1.2, 0.0], atol=1e-6)


def slow_ties(members: list[F32], floors: list[float]) -> list[float]:
    found = []
    for column in zip(*members, strict=True):
        kept = [float(x) for x, floor in zip(column, floors, strict=True) if abs(x) >= floor]
        total = math.fsum(kept)
        agreeing = [x for x in kept if x * total > 0]
        found.append(math.fsum(agreeing) / len(agreeing) if agreeing else 0.0)
    return found


@given(seed=seeds, count=st.integers(1, 5), keep=st.floats(0.05, 1.0))
def test_ties_equals_its_definition_weight_by_weight(seed: int, count: int, keep: float) -> None:
    members = changes(seed, count=count)
    floors = [trim_floor({"one": m[:5], "two": m[5:]}, weights=len(m), keep=keep) for m in members]
    np.testing.assert_allclose(ties(members, floors=floors), slow_ties(members, floors), atol=1e-5)


@given(seed=seeds, keep=st.floats(0.05, 1.0))
def test_trimming_keeps_its_share_of_a_whole_task_vector(seed: int, keep: float) -> None:
    (change,) = changes(seed, count=1, size=40)
    vector = {"one": change[:7], "two": change[7:].reshape(3, 11)}
    floor = trim_floor(vector, weights=change.size, keep=keep)
    assert int((np.abs(change) >= floor).sum()) == max(1, int(keep * 40))


@pytest.mark.parametrize("keep", [0.0, 1.1, math.nan])
def test_a_share_to_keep_out_of_range_is_refused(keep: float) -> None:
    with pytest.raises(InvalidParameter, match="keep"):
        trim_floor({"one": THREE[0]}, weights=len(THREE[0]), keep=keep)


# Random masks -------------------------------------------------------------------------------


@given(seed=seeds, share=st.floats(0.0, 1.0))
def test_a_random_mask_takes_its_share_of_whole_weights(seed: int, share: float) -> None:
    kept, added = np.zeros((50, 80), np.float32), np.ones((50, 80), np.float16)
    found = random_mask(kept, added, share=share, rng=np.random.default_rng(seed))
    assert set(np.unique(found)) <= {0.0, 1.0}
    assert found.mean() == pytest.approx(share, abs=5 * math.sqrt(0.25 / 4000))
    assert found.dtype == np.float32


def test_the_same_generator_draws_the_same_mask() -> None:
    one, two = (
        random_mask(THREE[0], THREE[1], share=0.5, rng=np.random.default_rng(4)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_random_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidParameter, match="share"):
        random_mask(THREE[0], THREE[1], share=share, rng=np.random.default_rng(0))


# The order of members -----------------------------------------------------------------------


def test_cosines_are_taken_over_all_tensors_together() -> None:
    tensors: list[tuple[Array, ...]] = [
        (np.asarray([[3.0, 0.0]], np.float16), np.asarray([[0.0, 1.0]], np.float16)),
        (np.asarray([4.0], np.float32), np.asarray([2.0], np.float32)),
    ]
    expected = 8 / (5 * math.sqrt(5))
    np.testing.assert_allclose(cosines(tensors), [[1, expected], [expected, 1]], atol=1e-6)


def test_a_member_that_changes_nothing_is_like_none() -> None:
    found = cosines([(THREE[0], THREE[0] * 0)])
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.0, 0.0]], atol=1e-12)


def similar(count: int, **pairs: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Cosines of which those named, as in p12=0.9, are not 0."""
    found = np.eye(count)
    for pair, value in pairs.items():
        i, j = int(pair[1]), int(pair[2])
        found[i, j] = found[j, i] = value
    return found


def test_two_members_keep_their_order() -> None:
    assert order(similar(2)) == Order(first=(0,), scale=1.0, then=(1,))


@pytest.mark.parametrize(
    ("cosine", "expected"),
    [
        (similar(3, p12=0.5), Order(first=(1, 2), scale=1.0, then=(0,))),
        (similar(3), Order(first=(0, 1), scale=1.0, then=(2,))),
        (similar(3, p01=-0.5, p02=-0.1, p12=-0.2), Order(first=(0, 2), scale=1.0, then=(1,))),
        (
            similar(4, p13=0.9, p10=0.2, p30=0.3, p12=0.4),
            Order(first=(1, 3, 0), scale=0.5, then=(2,)),
        ),
        (
            similar(6, p45=0.9, p43=0.8, p53=0.8, p41=0.5, p50=0.3),
            Order(first=(4, 5, 3, 1), scale=1 / 3, then=(0, 2)),
        ),
    ],
)
def test_the_similar_ones_are_merged_first(
    cosine: np.ndarray[tuple[int, int], np.dtype[np.float64]], expected: Order
) -> None:
    assert order(cosine) == expected


@given(seed=seeds, count=st.integers(2, 8))
def test_every_member_is_merged_once_and_most_of_them_untrained(seed: int, count: int) -> None:
    found = order(cosines([changes(seed, count=count)]))
    assert sorted(found.first + found.then) == list(range(count))
    assert len(found.then) == (1 if count < 5 else 2)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_members_are_refused(count: int) -> None:
    with pytest.raises(InvalidParameter, match=f"{count} members.*at least 2"):
        order(np.eye(count))
