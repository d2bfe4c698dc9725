"""Learning from votes: losses worked by hand, the slow optimiser, and a taste that is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.network import Network
from engine.numerics import F32
from engine.preference.refit import (
    AdamW,
    Pair,
    Votes,
    initial,
    loss_and_gradient,
    refit,
    spread_of,
)
from engine.steering.network import widened

Floats = npt.NDArray[np.float64]

TINY = Network(
    W1=np.array([[1.0, -0.5], [0.5, 1.0]], np.float32),
    b1=np.array([0.1, -0.2], np.float32),
    w2=np.array([0.8, -0.6], np.float32),
    b2=0.05,
)
B = np.array([0.8, -0.6], np.float32)
C = np.array([-0.6, 0.8], np.float32)

seeds = st.integers(0, 2**32 - 1)
labels = st.floats(0.0, 1.0)
weights = st.floats(0.0, 2.0)


def features(rng: np.random.Generator, *, count: int, width: int = 4) -> F32:
    rows = rng.normal(size=(count, width))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    result = rows.astype(np.float32)
    result.setflags(write=False)
    return result


def votes_of(seed: int, *, count: int, width: int = 4) -> list[Pair]:
    rng = np.random.default_rng(seed)
    return [
        Pair(
            first=first,
            second=second,
            label=float(rng.choice([0.0, 0.5, 1.0])),
            weight=float(rng.uniform(0.2, 1.0)),
        )
        for first, second in features(rng, count=2 * count, width=width).reshape(count, 2, width)
    ]


def margin(network: Network, pair: Pair) -> float:
    first, second = network.rewards(np.stack([pair.first, pair.second]))
    return float(first - second)


def same(one: Network, other: Network) -> bool:
    return one.pack() == other.pack()


# Loss ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "loss", "pull"), [(1.0, 0.474077, -0.377541), (0.0, 0.974077, 0.622459)]
)
def test_the_loss_of_a_margin_of_a_half(label: float, loss: float, pull: float) -> None:
    identity = Network(
        W1=np.ones((1, 1), np.float32),
        b1=np.zeros(1, np.float32),
        w2=np.ones(1, np.float32),
        b2=0.0,
    )  # r(x) = x for x ≥ 0
    half, nothing = np.array([0.5], np.float32), np.zeros(1, np.float32)
    votes = Votes.of([Pair(first=half, second=nothing, label=label)])
    found, gradient = loss_and_gradient(identity, votes)
    assert found == pytest.approx(loss, abs=1e-6)
    # ∂L/∂w2 = ∂L/∂r1 · h1, and h1 = 0.5
    assert float(gradient[2]) / 0.5 == pytest.approx(pull, abs=1e-6)


@pytest.mark.parametrize(
    ("label", "loss", "after"), [(1.0, 1.417495, -0.885628), (0.0, 0.277495, -1.226878)]
)
def test_a_step_moves_the_margin_to_the_side_of_the_vote(
    label: float, loss: float, after: float
) -> None:
    pair = Pair(first=C, second=B, label=label)
    assert margin(TINY, pair) == pytest.approx(-1.14, abs=1e-6)
    found, gradient = loss_and_gradient(TINY, Votes.of([pair]))
    assert found == pytest.approx(loss, abs=1e-6)
    stepped = Network.of(TINY.vector() - np.float32(0.1) * gradient, units=2)
    assert margin(stepped, pair) == pytest.approx(after, abs=1e-6)


@given(seed=seeds, label=labels, weight=weights)
def test_to_swap_answers_and_label_changes_nothing(seed: int, label: float, weight: float) -> None:
    rng = np.random.default_rng(seed)
    network, (one, other) = initial(5, 4, rng), features(rng, count=2)
    pair = Pair(first=one, second=other, label=label, weight=weight)
    swapped = Pair(first=other, second=one, label=1.0 - label, weight=weight)
    loss, gradient = loss_and_gradient(network, Votes.of([pair]))
    loss_swapped, gradient_swapped = loss_and_gradient(network, Votes.of([swapped]))
    assert loss == pytest.approx(loss_swapped, abs=1e-6)
    np.testing.assert_allclose(gradient, gradient_swapped, atol=1e-6)


def in_float64(votes: Votes) -> Votes:
    """The loss is computed in the dtype of what it is given, so exactness can be tested."""
    return Votes(
        features=cast(F32, votes.features.astype(np.float64)),
        labels=cast(F32, votes.labels.astype(np.float64)),
        weights=cast(F32, votes.weights.astype(np.float64)),
    )


@given(seed=seeds, count=st.integers(1, 5), units=st.integers(1, 4))
def test_the_gradient_is_that_of_central_differences(seed: int, count: int, units: int) -> None:
    votes = in_float64(Votes.of(votes_of(seed, count=count)))
    theta = cast(F32, np.random.default_rng(seed + 1).normal(size=6 * units + 1))
    at = Network.of(theta, units=units)
    z = votes.features @ at.W1.T + at.b1
    if np.abs(z).min() < 1e-3:  # where a unit switches on, differences straddle the kink
        return

    def loss(moved: F32) -> float:
        return loss_and_gradient(Network.of(moved, units=units), votes)[0]

    step = 1e-6
    directions = cast(F32, step * np.eye(len(theta)))
    differences = [(loss(theta + one) - loss(theta - one)) / (2 * step) for one in directions]
    np.testing.assert_allclose(loss_and_gradient(at, votes)[1], differences, atol=1e-6)


def slow_loss(network: Network, pairs: Sequence[Pair]) -> float:
    total = 0.0
    for pair in pairs:
        m = margin(network, pair)
        total += pair.weight * pair.label * math.log1p(math.exp(-m))
        total += pair.weight * (1.0 - pair.label) * math.log1p(math.exp(m))
    return total / len(pairs)


@given(seed=seeds, count=st.integers(1, 6))
def test_the_loss_is_the_weighted_mean_of_the_pairs(seed: int, count: int) -> None:
    pairs = votes_of(seed, count=count)
    network = initial(5, 4, np.random.default_rng(seed))
    found, gradient = loss_and_gradient(network, Votes.of(pairs))
    assert found == pytest.approx(slow_loss(network, pairs), abs=1e-5)
    assert gradient.dtype == np.float32
    assert gradient[-1] == 0.0


def test_an_equal_vote_pulls_together_and_is_content_where_nothing_differs() -> None:
    apart = Pair(first=C, second=B, label=0.5)
    alike = Pair(first=C, second=C, label=0.5)
    _, gradient = loss_and_gradient(TINY, Votes.of([apart]))
    stepped = Network.of(TINY.vector() - np.float32(0.1) * gradient, units=2)
    assert abs(margin(stepped, apart)) < abs(margin(TINY, apart))
    assert not loss_and_gradient(TINY, Votes.of([alike]))[1].any()


def test_what_is_the_same_for_both_answers_has_no_gradient_not_even_a_rounding_error() -> None:
    rng = np.random.default_rng(0)
    network = initial(32, 4, rng)
    always_on = Network(W1=network.W1, b1=np.full(32, 9, np.float32), w2=network.w2, b2=0.0)
    _, gradient = loss_and_gradient(always_on, Votes.of(votes_of(0, count=7)))
    assert not gradient[32 * 4 : 32 * 5].any()


def test_a_vote_without_weight_teaches_nothing() -> None:
    loss, gradient = loss_and_gradient(
        TINY, Votes.of([Pair(first=C, second=B, label=1.0, weight=0.0)])
    )
    assert loss == 0.0
    assert not gradient.any()


def test_a_huge_margin_does_not_overflow() -> None:
    huge = Network(W1=TINY.W1 * 1e4, b1=TINY.b1, w2=TINY.w2 * 1e4, b2=0.0)
    loss, gradient = loss_and_gradient(huge, Votes.of([Pair(first=C, second=B, label=1.0)]))
    assert loss == pytest.approx(-margin(huge, Pair(first=C, second=B, label=1.0)))
    assert np.isfinite(gradient).all()


# The optimiser ------------------------------------------------------------------------------


def test_adamw_worked_by_hand() -> None:
    theta = cast(F32, np.ones(1))
    optimiser = AdamW(theta, learning_rate=5e-4, decay=1 / 51)
    optimiser.step(theta, cast(F32, np.array([0.2])))
    assert float(theta[0]) == pytest.approx(0.999490196, abs=1e-9)
    optimiser.step(theta, cast(F32, np.array([-0.1])))
    assert float(theta[0]) == pytest.approx(0.999347229, abs=1e-9)


def slow_refit(
    pairs: Sequence[Pair], *, start: Network, epochs: int, rng: np.random.Generator
) -> Floats:
    """The textbook, pair by pair, in float64; steps of 2e-3, batches of 8."""
    theta = start.vector().astype(np.float64)
    mean, square, t = np.zeros_like(theta), np.zeros_like(theta), 0
    for _ in range(epochs):
        order = rng.permutation(len(pairs))
        for batch in (order[at : at + 8] for at in range(0, len(pairs), 8)):
            network = Network.of(cast(F32, theta), units=start.units)
            gradient = np.zeros_like(theta)
            for pair in (pairs[i] for i in batch):
                both = cast(F32, np.stack([pair.first, pair.second]).astype(np.float64))
                (r1, r2), (g1, g2) = network.rewards(both), network.gradients(both)
                wanted = 1 / (1 + math.exp(r2 - r1)) - pair.label
                gradient += pair.weight * wanted * (g1 - g2) / len(batch)
            t += 1
            theta = theta * (1 - 2e-3 / (len(pairs) + 50))
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            step = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
            theta = theta - 2e-3 * step
    return theta


@pytest.mark.parametrize("count", [3, 8, 19])
def test_a_refit_is_the_textbook_pair_by_pair(count: int) -> None:
    start = initial(6, 4, np.random.default_rng(1))
    pairs = votes_of(count, count=count)
    exact = Network.of(cast(F32, start.vector().astype(np.float64)), units=6)
    doubled = [
        Pair(
            first=cast(F32, pair.first.astype(np.float64)),
            second=cast(F32, pair.second.astype(np.float64)),
            label=pair.label,
            weight=pair.weight,
        )
        for pair in pairs
    ]
    found = refit(doubled, start=exact, epochs=5, learning_rate=2e-3, rng=np.random.default_rng(2))
    slow = slow_refit(pairs, start=start, epochs=5, rng=np.random.default_rng(2))
    np.testing.assert_allclose(found.vector(), slow, atol=1e-9)
    single = refit(pairs, start=start, epochs=5, learning_rate=2e-3, rng=np.random.default_rng(2))
    np.testing.assert_allclose(single.vector(), slow, atol=1e-4)


# Refit --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_and_the_start_is_left_alone() -> None:
    start = initial(6, 4, np.random.default_rng(1))
    before, pairs = start.pack(), votes_of(3, count=11)
    first = refit(pairs, start=start, learning_rate=2e-3, rng=np.random.default_rng(5))
    again = refit(pairs, start=start, learning_rate=2e-3, rng=np.random.default_rng(5))
    other = refit(pairs, start=start, learning_rate=2e-3, rng=np.random.default_rng(6))
    assert same(first, again)
    assert not same(first, other)
    assert start.pack() == before
    stored = Network.unpack(before, units=6)  # read-only, as it comes from a file
    assert same(first, refit(pairs, start=stored, learning_rate=2e-3, rng=np.random.default_rng(5)))


def test_every_parameter_of_a_refit_counts() -> None:
    start, pairs = initial(6, 4, np.random.default_rng(1)), votes_of(3, count=11)

    def with_(*, epochs: int = 4, batch: int = 8, learning_rate: float = 2e-3) -> Network:
        rng = np.random.default_rng(5)
        return refit(
            pairs, start=start, epochs=epochs, batch=batch, learning_rate=learning_rate, rng=rng
        )

    found = [with_(), with_(epochs=5), with_(batch=3), with_(learning_rate=1e-3)]
    assert len({network.pack() for network in found}) == 4


def test_without_votes_or_epochs_nothing_is_learned() -> None:
    start, rng = initial(6, 4, np.random.default_rng(1)), np.random.default_rng(0)
    assert same(start, refit([], start=start, learning_rate=2e-3, rng=rng))
    pairs = votes_of(0, count=2)
    found = refit(pairs, start=start, epochs=0, learning_rate=2e-3, rng=rng)
    assert same(start, found)
    assert not np.shares_memory(found.W1, start.W1)


def test_a_faded_vote_gives_way_to_a_fresh_one() -> None:
    start = initial(32, 2, np.random.default_rng(1))
    old = Pair(first=C, second=B, label=0.0, weight=0.2)
    new = Pair(first=C, second=B, label=1.0)
    rng = np.random.default_rng(0)
    found = refit([old, old, new], start=start, learning_rate=2e-3, rng=rng)
    assert margin(found, new) > 0.0


@pytest.mark.parametrize("change", [{"epochs": -1}, {"batch": 0}])
def test_impossible_counts_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InvalidParameter, match=next(iter(change))):
        refit([], start=TINY, learning_rate=1e-3, rng=np.random.default_rng(0), **change)


@pytest.mark.parametrize("value", [0.0, -1e-3, math.nan, math.inf])
def test_an_impossible_learning_rate_is_refused(value: float) -> None:
    with pytest.raises(InvalidParameter, match="learning_rate"):
        refit([], start=TINY, learning_rate=value, rng=np.random.default_rng(0))


@pytest.mark.parametrize("label", [-0.1, 1.1, math.nan])
def test_an_impossible_label_is_refused(label: float) -> None:
    with pytest.raises(InvalidParameter, match="label"):
        Pair(first=B, second=C, label=label)


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_an_impossible_weight_is_refused(weight: float) -> None:
    with pytest.raises(InvalidParameter, match="weight"):
        Pair(first=B, second=C, label=1.0, weight=weight)


# The start ----------------------------------------------------------------------------------


def test_the_start_has_weights_of_variance_2_over_fan_in_and_no_biases() -> None:
    start = initial(512, 50, np.random.default_rng(0))
    assert start.W1.shape == (512, 50)
    assert start.W1.dtype == start.b1.dtype == start.w2.dtype == np.float32
    assert float(start.W1.std()) == pytest.approx(math.sqrt(2 / 50), rel=0.02)
    assert float(start.w2.std()) == pytest.approx(math.sqrt(2 / 512), rel=0.1)
    assert not start.b1.any()
    assert start.b2 == 0.0
    assert same(start, initial(512, 50, np.random.default_rng(0)))


@pytest.mark.parametrize(("units", "width"), [(0, 3), (3, 0)])
def test_a_network_without_units_or_features_is_refused(units: int, width: int) -> None:
    with pytest.raises(InvalidParameter):
        initial(units, width, np.random.default_rng(0))


# V ------------------------------------------------------------------------------------------


@given(seed=seeds, tokens=st.integers(0, 6), lam=st.floats(0.1, 4.0))
def test_V_is_what_widening_token_by_token_gives(seed: int, tokens: int, lam: float) -> None:
    rng = np.random.default_rng(seed)
    network = initial(5, 4, rng)
    visited = features(rng, count=2 * tokens).reshape(tokens, 2, 4)
    slow = np.full(network.size, lam, np.float32)
    for x1, x2 in visited:
        slow = widened(network, x1, x2, slow)
    found = spread_of(visited, network, lam=lam)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow, rtol=1e-5, atol=1e-6)
    assert (found >= np.float32(lam)).all()


def test_at_the_start_of_a_duel_V_is_lambda_everywhere() -> None:
    nothing = np.empty((0, 2, 2), np.float32)
    assert spread_of(nothing, TINY).tolist() == [1.0] * 9
    assert spread_of(nothing, TINY, lam=3.0).tolist() == [3.0] * 9


@pytest.mark.parametrize("lam", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_lambda_is_refused(lam: float) -> None:
    with pytest.raises(InvalidParameter, match="lambda"):
        spread_of(np.empty((0, 2, 2), np.float32), TINY, lam=lam)


# Learning -----------------------------------------------------------------------------------


def accuracy(seed: int, *, flipped: bool) -> float:
    """Share of fresh pairs that 20 votes of a hidden taste decide as the taste does."""
    rng = np.random.default_rng(seed)
    taste = features(rng, count=1, width=8)[0]
    firsts, seconds = features(rng, count=40, width=8).reshape(2, 20, 8)
    liked = (firsts - seconds) @ taste > 0
    pairs = [
        Pair(first=x1, second=x2, label=float(better != flipped))
        for x1, x2, better in zip(firsts, seconds, liked, strict=True)
    ]
    found = refit(pairs, start=initial(128, 8, rng), learning_rate=2e-3, rng=rng)
    x1, x2 = features(rng, count=1000, width=8).reshape(2, 500, 8)
    said = found.rewards(x1) > found.rewards(x2)
    return float((said == ((x1 - x2) @ taste > 0)).mean())


def test_twenty_votes_teach_a_hidden_taste() -> None:
    assert float(np.mean([accuracy(seed, flipped=False) for seed in range(12)])) >= 0.78


def test_reversed_votes_teach_the_opposite() -> None:
    assert max(accuracy(seed, flipped=True) for seed in range(4)) <= 0.30
