"""The reward network: the tiny one worked by hand, gradients against differences, bytes."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.network import Network
from engine.numerics import F32

TINY = Network(
    W1=np.array([[1.0, -0.5], [0.5, 1.0]], np.float32),
    b1=np.array([0.1, -0.2], np.float32),
    w2=np.array([0.8, -0.6], np.float32),
    b2=0.05,
)
X = np.array([[0.6, 0.8], [0.8, -0.6], [-0.6, 0.8]], np.float32)

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)


def network(seed: int, *, units: int, width: int) -> Network:
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=units * width + 2 * units + 1)
    return Network.of(vector.astype(np.float32), units=units)


def in_float64(vector: F32) -> F32:
    """The network computes in the dtype of its arrays, so exactness can be tested."""
    return cast(F32, vector.astype(np.float64))


# By hand ------------------------------------------------------------------------------------


def test_the_tiny_networks_rewards_are_those_worked_by_hand() -> None:
    np.testing.assert_allclose(TINY.rewards(X), [-0.25, 1.01, -0.13], atol=1e-6)
    hidden = [[0.3, 0.9], [1.2, 0.0], [0.0, 0.3]]
    np.testing.assert_allclose(TINY.hidden(X), hidden, atol=1e-6)


def test_the_tiny_networks_gradients_are_those_worked_by_hand() -> None:
    by_hand = [
        [0.48, 0.64, -0.36, -0.48, 0.8, -0.6, 0.3, 0.9, 1],
        [0.64, -0.48, 0, 0, 0.8, 0, 1.2, 0, 1],
        [0, 0, 0.36, -0.48, 0, -0.6, 0, 0.3, 1],
    ]
    np.testing.assert_allclose(TINY.gradients(X), by_hand, atol=1e-6)


def test_sizes_are_told() -> None:
    found = network(0, units=3, width=5)
    assert (found.units, found.width, found.size) == (3, 5, 22)
    assert (
        found.size == len(found.vector()) == found.gradients(np.ones((2, 5), np.float32)).shape[1]
    )


# Against the slow and obvious -----------------------------------------------------------------


@given(seed=seeds, units=sizes, width=sizes)
def test_rewards_are_the_formula_unit_by_unit(seed: int, units: int, width: int) -> None:
    found = network(seed, units=units, width=width)
    x = np.random.default_rng(seed + 1).normal(size=width).astype(np.float32)
    slow = found.b2
    for row, bias, weight in zip(found.W1, found.b1, found.w2, strict=True):
        z = math.fsum(float(a) * float(b) for a, b in zip(row, x, strict=True)) + float(bias)
        slow += float(weight) * max(z, 0.0)
    rewards = found.rewards(x[None])
    assert rewards.dtype == np.float32
    assert float(rewards[0]) == pytest.approx(slow, abs=1e-4)


@given(seed=seeds, units=sizes, width=sizes)
def test_the_gradient_is_that_of_central_differences(seed: int, units: int, width: int) -> None:
    theta = in_float64(network(seed, units=units, width=width).vector())
    x = np.random.default_rng(seed + 1).normal(size=(1, width))
    at = Network.of(theta, units=units)
    z = x[0] @ at.W1.T + at.b1
    if np.abs(z).min() < 1e-3:  # where a unit switches on, differences straddle the kink
        return
    step = 1e-6
    differences = [
        (
            Network.of(theta + step * direction, units=units).rewards(cast(F32, x))[0]
            - Network.of(theta - step * direction, units=units).rewards(cast(F32, x))[0]
        )
        / (2 * step)
        for direction in cast(F32, np.eye(len(theta)))
    ]
    np.testing.assert_allclose(at.gradients(cast(F32, x))[0], differences, atol=1e-6)


# Bytes --------------------------------------------------------------------------------------


@given(seed=seeds, units=sizes, width=sizes)
def test_what_was_packed_is_unpacked_bit_for_bit(seed: int, units: int, width: int) -> None:
    found = network(seed, units=units, width=width)
    again = Network.unpack(found.pack(), units=units)
    np.testing.assert_array_equal(again.W1, found.W1)
    np.testing.assert_array_equal(again.b1, found.b1)
    np.testing.assert_array_equal(again.w2, found.w2)
    assert again.b2 == found.b2
    assert again.pack() == found.pack()


def test_the_order_of_bytes_is_W1_row_by_row_then_b1_w2_b2() -> None:
    expected = np.array([1, -0.5, 0.5, 1, 0.1, -0.2, 0.8, -0.6, 0.05], np.float32)
    assert TINY.pack() == expected.tobytes()


@pytest.mark.parametrize("size", [0, 4, 20, 32, 35, 37, 40])
def test_a_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidParameter):
        Network.unpack(bytes(size), units=2)


@pytest.mark.parametrize("units", [-1, 0])
def test_a_network_without_units_is_refused(units: int) -> None:
    with pytest.raises(InvalidParameter):
        Network.unpack(TINY.pack(), units=units)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_is_refused(value: float) -> None:
    vector = TINY.vector()
    vector[3] = value
    with pytest.raises(InvalidParameter, match="finite"):
        Network.unpack(vector.tobytes(), units=2)
