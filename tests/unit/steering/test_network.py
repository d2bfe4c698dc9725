"""Decoding with a reward: the step worked by hand, T-POP's laws, and skipping that changes nothing.

V is the diagonal of explored directions here.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.network import Network
from engine.numerics import F32
from engine.steering.network import (
    Pooling,
    Squash,
    choose_first,
    choose_second,
    largest_gap,
    lipschitz,
    may_win,
    squashed,
    unsureness,
    widened,
)

TINY = Network(
    W1=np.array([[1.0, -0.5], [0.5, 1.0]], np.float32),
    b1=np.array([0.1, -0.2], np.float32),
    w2=np.array([0.8, -0.6], np.float32),
    b2=0.05,
)
A, B, C = 0, 1, 2
X = np.array([[0.6, 0.8], [0.8, -0.6], [-0.6, 0.8]], np.float32)
CHANCES = np.array([0.5, 0.3, 0.2], np.float32)

HOW: tuple[Squash, ...] = ("sigmoid", "raw")
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
omegas = st.floats(0.0, 4.0)
nus = st.floats(0.0, 4.0)


def ones(size: int) -> F32:
    return np.ones(size, np.float32)


def network(rng: np.random.Generator, *, units: int = 8, width: int = 5) -> Network:
    vector = rng.normal(size=units * width + 2 * units + 1)
    return Network.of(vector.astype(np.float32), units=units)


def features(rng: np.random.Generator, *, count: int, width: int = 5) -> F32:
    rows = rng.normal(size=(count, width))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    result = rows.astype(np.float32)
    result.setflags(write=False)
    return result


def chances(rng: np.random.Generator, *, count: int) -> F32:
    """The likeliest of a vocabulary: they need not sum to one."""
    found = rng.dirichlet(np.full(count + 3, 0.3))[:count].astype(np.float32)
    found.setflags(write=False)
    return found


def slow_unsureness(net: Network, X: F32, reference: F32, spread: F32) -> npt.NDArray[np.float64]:
    """Gradients written out, in the dtype of what is given."""
    difference = net.gradients(X) - net.gradients(reference[None])
    result: npt.NDArray[np.float64] = np.sqrt((difference**2 / spread).sum(axis=1))
    return result


# The step worked by hand --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "f", "first_scores", "second_scores"),
    [
        ("raw", [-0.25, 1.01, -0.13], [0.25, 1.31, 0.07], [1.201315, 1.31, 1.009415]),
        (
            "sigmoid",
            [0.437823, 0.733020, 0.467546],
            [0.937823, 1.033020, 0.667546],
            [1.889138, 1.033020, 1.606960],
        ),
    ],
)
def test_the_step_worked_by_hand(
    how: Squash, f: list[float], first_scores: list[float], second_scores: list[float]
) -> None:
    found = squashed(TINY.rewards(X), how)
    np.testing.assert_allclose(found, f, atol=1e-6)
    np.testing.assert_allclose(CHANCES + found, first_scores, atol=1e-6)
    assert choose_first(CHANCES, found, omega=1.0) == B
    u = unsureness(TINY, X, X[B], ones(9))
    np.testing.assert_allclose(u, [1.902630, 0, 1.878829], atol=1e-6)
    np.testing.assert_allclose(CHANCES + found + 0.5 * u, second_scores, atol=1e-6)
    chosen = choose_second(CHANCES, found, u, omega=1.0, nu=0.5, forbidden=B)
    assert chosen == A
    unbound = choose_second(CHANCES, found, u, omega=1.0, nu=0.5, forbidden=None)
    assert unbound == (B if how == "raw" else A)
    spread = widened(TINY, X[B], X[chosen], ones(9))
    by_hand = [1.0256, 2.2544, 1.1296, 1.2304, 1, 1.36, 1.81, 1.81, 1]
    np.testing.assert_allclose(spread, by_hand, atol=1e-6)
    after = unsureness(TINY, X, X[B], spread)
    np.testing.assert_allclose(after, [1.429372, 0, 1.597990], atol=1e-6)
    assert after[A] < u[A]


def test_a_difference_seen_again_and_again_is_less_and_less_unsure() -> None:
    # Both hidden units are 1, and only the weight of the feature differs, by 0.5.
    net = Network(W1=np.zeros((1, 1), np.float32), b1=ones(1), w2=ones(1) * np.float32(0.5), b2=0.0)
    x1, x2, spread = np.zeros(1, np.float32), ones(1), ones(4)
    seen = []
    for _ in range(5):
        seen.append(float(unsureness(net, x2[None], x1, spread)[0]))
        spread = widened(net, x1, x2, spread)
    assert seen == pytest.approx([0.5, 0.447214, 0.408248, 0.377964, 0.353553], abs=1e-6)


# Unsureness and V ---------------------------------------------------------------------------


@given(seed=seeds, units=sizes, width=sizes)
def test_unsureness_is_that_of_gradients_written_out(seed: int, units: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=units * width + 2 * units + 1)
    net = Network.of(cast(F32, theta), units=units)
    rows = cast(F32, rng.normal(size=(4, width)))
    spread = cast(F32, rng.uniform(0.5, 9.0, size=net.size))
    found = unsureness(net, rows[1:], rows[0], spread)
    np.testing.assert_allclose(found, slow_unsureness(net, rows[1:], rows[0], spread), atol=1e-9)


@given(seed=seeds, distance=st.sampled_from([1.0, 1e-2, 1e-4]))
def test_float32_loses_no_digits_where_texts_are_near(seed: int, distance: float) -> None:
    rng = np.random.default_rng(seed)
    net = network(rng, units=16, width=32)
    reference = features(rng, count=1, width=32)[0]
    rows = reference + np.float32(distance) * features(rng, count=3, width=32)
    spread = rng.uniform(1.0, 9.0, size=net.size).astype(np.float32)
    hidden = net.hidden(np.concatenate([reference[None], rows]))
    exact = Network.of(cast(F32, net.vector().astype(np.float64)), units=16)
    slow = slow_unsureness(
        exact,
        cast(F32, rows.astype(np.float64)),
        cast(F32, reference.astype(np.float64)),
        spread,
    )
    if np.abs(hidden[hidden > 0]).min(initial=1.0) < 1e-5:  # a unit may switch by rounding
        return
    found = unsureness(net, rows, reference, spread)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow, rtol=1e-2, atol=1e-6)


@given(seed=seeds, count=st.integers(1, 20))
def test_unsureness_is_not_negative_and_0_of_the_same_text(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    net, rows = network(rng), features(rng, count=count)
    u = unsureness(net, rows, rows[count // 2], ones(net.size))
    assert (u >= 0.0).all()
    assert u[count // 2] == 0.0


def test_a_matrix_product_that_rounds_alike_rows_differently_does_not_show() -> None:
    rng = np.random.default_rng(0)
    for count in range(1, 41):
        net = network(rng, units=13, width=897)
        rows = features(rng, count=1, width=897).repeat(count, axis=0)
        assert not unsureness(net, rows, rows[0], ones(net.size)).any()


@given(seed=seeds, tokens=st.integers(1, 6))
def test_V_never_falls_and_no_difference_becomes_more_unsure(seed: int, tokens: int) -> None:
    rng = np.random.default_rng(seed)
    net, rows, spread = network(rng), features(rng, count=6), None
    before = unsureness(net, rows, rows[0], ones(net.size))
    for _ in range(tokens):
        last = ones(net.size) if spread is None else spread
        kept = last.copy()
        x1, x2 = features(rng, count=2)
        spread = widened(net, x1, x2, last)
        np.testing.assert_array_equal(last, kept)
        assert (spread >= last).all()
        after = unsureness(net, rows, rows[0], spread)
        assert (after <= before * (1 + 1e-4) + 1e-5).all()
        before = after


@given(seed=seeds)
def test_V_grows_by_the_square_of_the_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net, (x1, x2) = network(rng), features(rng, count=2)
    spread = rng.uniform(1.0, 9.0, size=net.size).astype(np.float32)
    g1, g2 = net.gradients(np.stack([x1, x2])).astype(np.float64)
    slow = [float(v) + (a - b) ** 2 for v, a, b in zip(spread, g1, g2, strict=True)]
    np.testing.assert_allclose(widened(net, x1, x2, spread), slow, rtol=1e-5)


# The squash ---------------------------------------------------------------------------------


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=5))
def test_the_sigmoid_is_the_textbooks(rewards: list[float]) -> None:
    found = squashed(np.array(rewards, np.float32), "sigmoid")
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([1 / (1 + math.exp(-r)) for r in rewards], abs=1e-6)


def test_huge_rewards_do_not_overflow() -> None:
    huge = np.array([-3e38, -1e4, 0, 1e4, 3e38], np.float32)
    assert squashed(huge, "sigmoid").tolist() == [0, 0, 0.5, 1, 1]
    assert squashed(huge, "raw") is huge


# The choice ---------------------------------------------------------------------------------


@given(seed=seeds, count=st.integers(1, 12), omega=omegas, constant=st.floats(-9, 9, width=32))
def test_without_a_say_or_with_one_reward_for_all_the_first_answer_is_greedy(
    seed: int, count: int, omega: float, constant: float
) -> None:
    rng = np.random.default_rng(seed)
    p = chances(rng, count=count)
    f = rng.normal(size=count).astype(np.float32)
    assert choose_first(p, f, omega=0.0) == int(p.argmax())
    same = np.full(count, constant, np.float32)
    assert choose_first(p, same, omega=omega) == int(p.argmax())


def test_a_large_reward_does_not_drown_the_probabilities() -> None:
    p = np.array([0.1, 0.2], np.float32)
    assert choose_first(p, np.full(2, 1e9, np.float32), omega=1.0) == 1


@given(seed=seeds, count=st.integers(2, 12), omega=omegas, nu=nus, forbidden=st.integers(0, 11))
def test_the_second_answer_takes_the_best_that_is_allowed(
    seed: int, count: int, omega: float, nu: float, forbidden: int
) -> None:
    rng = np.random.default_rng(seed)
    p = chances(rng, count=count)
    f, u = rng.normal(size=(2, count)).astype(np.float32)
    scores = [float(p[v]) + omega * float(f[v]) + omega * nu * float(u[v]) for v in range(count)]
    free = choose_second(p, f, u, omega=omega, nu=nu, forbidden=None)
    assert scores[free] == pytest.approx(max(scores), abs=1e-12)
    chosen = choose_second(p, f, u, omega=omega, nu=nu, forbidden=forbidden % count)
    assert chosen != forbidden % count
    del scores[forbidden % count]
    best = float(p[chosen]) + omega * (float(f[chosen]) + nu * float(u[chosen]))
    assert best == pytest.approx(max(scores), abs=1e-12)
    if free != forbidden % count:
        assert chosen == free


def test_a_lone_candidate_is_taken_even_where_it_is_forbidden() -> None:
    lone = ones(1)
    assert choose_second(lone, lone, lone, omega=1.0, nu=1.0, forbidden=0) == 0


def test_without_exploration_and_ban_both_answers_choose_alike() -> None:
    rng = np.random.default_rng(0)
    p, f = chances(rng, count=9), features(rng, count=1, width=9)[0]
    u = rng.uniform(size=9).astype(np.float32)
    second = choose_second(p, f, u, omega=2.0, nu=0.0, forbidden=None)
    assert second == choose_first(p, f, omega=2.0)


def duel(seed: int, *, omega: float, nu: float, tokens: int = 6) -> list[tuple[int, int, float]]:
    """Two answers over a made-up model of eight tokens: both tokens and ΣV at each step."""
    rng = np.random.default_rng(seed)
    net, states = network(rng, width=5), rng.normal(size=(8, 5)).astype(np.float32)
    answers, spread, taken = (Pooling(5), Pooling(5)), ones(net.size), []
    for _ in range(tokens):
        rows = [answer.features(states) for answer in answers]
        f = [squashed(net.rewards(row), "sigmoid") for row in rows]
        p = chances(rng, count=8), chances(rng, count=8)
        first = choose_first(p[0], f[0], omega=omega)
        u = unsureness(net, rows[1], rows[0][first], spread)
        second = choose_second(p[1], f[1], u, omega=omega, nu=nu, forbidden=first)
        spread = widened(net, rows[0][first], rows[1][second], spread)
        for answer, token in zip(answers, (first, second), strict=True):
            answer.add(states[token])
        taken.append((first, second, float(spread.sum())))
    return taken


@given(seed=seeds, omega=omegas, nu=nus)
def test_a_duel_repeats_itself_and_its_answers_never_take_the_same_token(
    seed: int, omega: float, nu: float
) -> None:
    taken = duel(seed, omega=omega, nu=nu)
    assert duel(seed, omega=omega, nu=nu) == taken
    assert all(first != second for first, second, _ in taken)
    widths = [width for _, _, width in taken]
    assert widths == sorted(widths)


# Pooling ------------------------------------------------------------------------------------


def test_pooling_worked_by_hand() -> None:
    answer = Pooling(2)
    answer.add(np.array([1, 2], np.float32))
    answer.add(np.array([3, -2], np.float32))
    np.testing.assert_allclose(answer.mean(), [2, 0])
    np.testing.assert_allclose(answer.feature(), [1, 0])
    one_more = answer.features(np.array([[-1, 3]], np.float32))
    np.testing.assert_allclose(one_more, [[0.707107, 0.707107]], atol=1e-6)


@given(seed=seeds, tokens=st.integers(0, 9), count=st.integers(1, 5))
def test_a_feature_is_the_normalised_mean_of_all_states(seed: int, tokens: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    states = rng.normal(scale=30.0, size=(tokens, 4)).astype(np.float32)
    candidates = rng.normal(scale=30.0, size=(count, 4)).astype(np.float32)
    answer = Pooling(4)
    for state in states:
        answer.add(state)
    found = answer.features(candidates)
    assert found.dtype == answer.mean().dtype == answer.feature().dtype == np.float32
    for row, candidate in zip(found, candidates, strict=True):
        mean = np.concatenate([states, candidate[None]]).astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)
    longer = Pooling(4)
    for state in (*states, candidates[0]):
        longer.add(state)
    np.testing.assert_array_equal(longer.feature(), found[0])


def test_an_empty_answer_has_a_feature_of_zeros_and_candidates_features_of_their_own() -> None:
    answer = Pooling(3)
    assert answer.mean().tolist() == answer.feature().tolist() == [0, 0, 0]
    found = answer.features(np.array([[0, 2, 0], [0, 0, 0]], np.float32))
    assert found.tolist() == [[0, 1, 0], [0, 0, 0]]


@given(seed=seeds, tokens=st.integers(0, 30))
@example(seed=0, tokens=0)
def test_no_two_candidates_are_farther_apart_than_the_reach(seed: int, tokens: int) -> None:
    rng = np.random.default_rng(seed)
    answer, along = Pooling(3), rng.normal(size=3)
    for _ in range(tokens):
        answer.add((along + 0.3 * rng.normal(size=3)).astype(np.float32))
    states = 2.0 * features(rng, count=200, width=3)  # all directions, all of the longest
    found = np.concatenate([answer.features(states), answer.feature()[None]])
    apart = np.linalg.norm(found[:, None] - found[None], axis=2)
    reach = answer.reach(longest=2.0)
    assert apart.max() <= reach + 1e-5
    assert reach <= 2.0
    if reach < 1.0:  # and the bound is near what happens
        assert apart.max() > 0.8 * reach


# Skipping -----------------------------------------------------------------------------------


@given(seed=seeds, units=sizes)
def test_rewards_differ_by_no_more_than_the_slope_allows(seed: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    net = network(rng, units=units)
    near, far = features(rng, count=20), features(rng, count=20)
    mixed = near + np.float32(0.01) * far
    slope = lipschitz(net)
    for other in (far, mixed):
        differences = np.abs(net.rewards(near) - net.rewards(other))
        apart = np.linalg.norm(near - other, axis=1)
        assert (differences <= slope * apart + 1e-5).all()


def test_the_slope_of_a_single_unit_is_reached() -> None:
    net = Network(
        W1=np.array([[3, 4]], np.float32), b1=ones(1) * 9, w2=np.array([-2], np.float32), b2=0.0
    )
    assert lipschitz(net) == pytest.approx(10.0)
    x = np.array([[0, 0], [0.6, 0.8]], np.float32)
    assert float(np.abs(np.diff(net.rewards(x)))[0]) == pytest.approx(10.0, rel=1e-5)


def test_the_gap_is_the_slope_times_the_reach_and_a_sigmoids_a_quarter_and_at_most_1() -> None:
    assert largest_gap(3.0, reach=0.5, how="raw") == 1.5
    assert largest_gap(3.0, reach=0.5, how="sigmoid") == 0.375
    assert largest_gap(30.0, reach=0.5, how="sigmoid") == 1.0


@given(
    p=st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=8),
    halves=st.lists(st.integers(-6, 6).map(lambda n: n / 2), min_size=8, max_size=8),
    omega=st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0, 3.0]),
)
def test_skipping_never_changes_the_choice_not_even_among_equals(
    p: list[float], halves: list[float], omega: float
) -> None:
    probabilities = np.array(p, np.float32)
    f = np.array(halves[: len(p)], np.float32)
    mask = may_win(probabilities, omega=omega, gap=float(np.ptp(f)))
    assert mask[int(probabilities.argmax())]
    kept = np.flatnonzero(mask)
    among_kept = kept[choose_first(probabilities[kept], f[kept], omega=omega)]
    assert among_kept == choose_first(probabilities, f, omega=omega)


@given(seed=seeds, how=st.sampled_from(HOW), omega=st.floats(0.0, 1.0), tokens=st.integers(0, 40))
def test_with_network_and_hidden_states_the_choice_is_that_without_skipping(
    seed: int, how: Squash, omega: float, tokens: int
) -> None:
    rng = np.random.default_rng(seed)
    net, answer = network(rng, units=3, width=4), Pooling(4)
    for _ in range(tokens):
        answer.add(np.array([3, 0, 0, 0], np.float32) + rng.normal(size=4).astype(np.float32))
    states = 2.0 * features(rng, count=8, width=4)
    p = chances(rng, count=8)
    gap = largest_gap(lipschitz(net), reach=answer.reach(longest=2.001), how=how)
    kept = np.flatnonzero(may_win(p, omega=omega, gap=gap))
    f = squashed(net.rewards(answer.features(states)), how)
    fewer = squashed(net.rewards(answer.features(states[kept])), how)
    assert kept[choose_first(p[kept], fewer, omega=omega)] == choose_first(p, f, omega=omega)


def test_without_a_say_of_the_reward_only_the_likeliest_may_win_and_skipping_is_of_use() -> None:
    p = np.array([0.2, 0.5, 0.29, 0.01], np.float32)
    assert may_win(p, omega=0.0, gap=9.0).tolist() == [False, True, False, False]
    assert may_win(p, omega=1.0, gap=0.25).tolist() == [False, True, True, False]
    assert may_win(p, omega=1.0, gap=1.0).all()


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_a_gap_or_omega_that_proves_nothing_is_refused(value: float) -> None:
    with pytest.raises(InvalidParameter, match="gap"):
        may_win(CHANCES, omega=1.0, gap=value)
    with pytest.raises(InvalidParameter, match="omega"):
        may_win(CHANCES, omega=value, gap=1.0)
