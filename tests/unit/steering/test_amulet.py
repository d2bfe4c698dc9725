"""The laws of steering (docs/algorithms/amulet.md), on the shipped float32 kernel."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.numerics import F32, log_softmax
from engine.steering.amulet import Candidates, log_norms, plausible, steer, weights
from engine.steering.strength import gamma
from tests.fixtures import published_game
from tests.fixtures.published_game import Floats

V = 50
seeds = st.integers(0, 2**32 - 1)
gammas = st.floats(0.0, 10.0)
kappas = st.floats(1e-4, 1.0)


def logits(seed: int, *, streams: int = 2, size: int = V, spread: float = 3.0) -> F32:
    """Rows of logits that steering may read but not write."""
    rows = np.random.default_rng(seed).normal(scale=spread, size=(streams, size))
    result = rows.astype(np.float32)
    result.setflags(write=False)
    return result


def steered(rows: F32, theta: F32, *, kappa: float | None = None) -> Candidates:
    scratch = np.full(rows.shape[1], np.nan, np.float32)  # nothing of it may show
    return steer(rows[0], rows[1:], theta, plausibility=kappa, scratch=scratch)


def chances(found: Candidates, *, size: int = V) -> npt.NDArray[np.float64]:
    """Candidates as probabilities of the whole vocabulary."""
    shown = np.full(size, -np.inf)
    shown[slice(None) if found.ids is None else found.ids] = found.scores
    result: npt.NDArray[np.float64] = np.exp(published_game.log_softmax(shown))
    return result


def slow_sum(rows: F32, theta: Floats) -> Floats:
    """log-softmax( Lb + Σ_j θ_j (L_j − Lb) ) in float64, term by term."""
    Lb, *others = (published_game.log_softmax(row.astype(np.float64)) for row in rows)
    total = Lb.copy()
    for weight, Lj in zip(theta, others, strict=True):
        total += float(weight) * (Lj - Lb)
    return published_game.log_softmax(total)


def slowly_plausible(rows: F32, kappa: float, *, slack: float) -> set[int]:
    """The definition, token by token; slack moves the edge, since float32 rounds."""
    logs = [published_game.log_softmax(row.astype(np.float64)) for row in rows]
    best = [max(float(row[v]) for row in logs) for v in range(rows.shape[1])]
    edge = max(best) + math.log(kappa) - slack
    return {v for v, value in enumerate(best) if value >= edge}


# Against the published game -----------------------------------------------------------------


@pytest.mark.parametrize("T", [1, 60, 200])
def test_a_whole_vocabulary_in_float32_equals_the_published_loop(T: int) -> None:
    rows = logits(T, size=150_000, spread=1.5)
    published = log_softmax(published_game.play(rows[0], rows[1], T=T).astype(np.float32))
    ours = log_softmax(steered(rows, weights(gamma(rounds=T), of=(1.0,))).scores)
    assert float(np.abs(ours - published).max()) < 1e-4


def test_in_float32_the_shipped_kernel_is_nearer_to_the_exact_game_than_the_loop() -> None:
    rows = logits(0, size=20_000)
    exact = published_game.play(rows[0].astype(np.float64), rows[1].astype(np.float64))
    exact = published_game.log_softmax(exact)
    loop = published_game.log_softmax(published_game.play(rows[0], rows[1]))
    ours = log_softmax(steered(rows, weights(gamma(), of=(1.0,))).scores)
    assert float(np.abs(ours - exact).max()) < float(np.abs(loop - exact).max()) < 1e-4


def test_the_likeliest_token_is_the_authors_at_every_position() -> None:
    theta = weights(gamma(), of=(1.0,))
    for position in range(150):
        rows = logits(position)
        published = published_game.play(rows[0].astype(np.float64), rows[1].astype(np.float64))
        assert int(steered(rows, theta).scores.argmax()) == int(published.argmax())


def test_the_published_test_vector_through_the_shipped_kernel() -> None:
    rows = np.array([[1, 0, -1, 0.5], [0.5, 1, -1, 0]], np.float32)
    ours = log_softmax(steered(rows, weights(gamma(), of=(1.0,))).scores)
    np.testing.assert_allclose(ours, [-7.475255, -0.002206, -6.650905, -7.975255], atol=2e-6)


# Laws ---------------------------------------------------------------------------------------


@given(seed=seeds)
def test_strength_0_is_the_preferred_stream_itself(seed: int) -> None:
    rows = logits(seed)
    found = steered(rows, weights(0.0, of=(1.0,)))
    np.testing.assert_array_equal(found.scores, rows[1])


@given(seed=seeds, strength=gammas)
def test_a_preference_that_changes_nothing_leaves_the_base(seed: int, strength: float) -> None:
    rows = logits(seed)[[0, 0]]
    found = steered(rows, weights(strength, of=(1.0,)))
    np.testing.assert_allclose(log_softmax(found.scores), log_softmax(rows[0]), atol=1e-4)


@given(seed=seeds, strength=gammas, kappa=kappas | st.none(), shifts=st.tuples(seeds, seeds))
def test_a_constant_added_to_any_stream_changes_nothing(
    seed: int, strength: float, kappa: float | None, shifts: tuple[int, int]
) -> None:
    # Multiples of 1/1024 below 32 are exact in float32, so the edge of the cut stays where it is.
    rows = np.round(logits(seed) * 1024) / np.float32(1024)
    added = np.array([[n % 16] for n in shifts], np.float32)
    theta = weights(strength, of=(1.0,))
    before = chances(steered(rows, theta, kappa=kappa))
    after = chances(steered(rows + added, theta, kappa=kappa))
    np.testing.assert_allclose(after, before, atol=1e-3)


@given(seed=seeds, strength=gammas, kappa=kappas | st.none(), others=st.integers(1, 4))
def test_the_result_is_a_distribution(
    seed: int, strength: float, kappa: float | None, others: int
) -> None:
    rows = logits(seed, streams=1 + others)
    found = steered(rows, weights(strength, of=(1.0,) * others), kappa=kappa)
    assert np.isfinite(found.scores).all()
    assert float(np.exp(log_softmax(found.scores)).sum()) == pytest.approx(1.0, abs=1e-5)


@given(seed=seeds, strength=gammas, others=st.integers(1, 4), share=st.floats(0.0, 0.9))
def test_never_in_any_stream_is_never_in_the_result_and_nan_nowhere(
    seed: int, strength: float, others: int, share: float
) -> None:
    rows = logits(seed, streams=1 + others).copy()
    never = np.random.default_rng(seed).random(rows.shape) < share
    rows[never] = -np.inf
    found = steered(rows, weights(strength, of=(1.0,) * others))
    np.testing.assert_array_equal(found.scores == -np.inf, never.any(axis=0))
    assert not np.isnan(found.scores).any()


@given(seed=seeds, strength=gammas, kappa=kappas, share=st.floats(0.0, 0.9))
def test_the_cut_keeps_never_apart_from_nan(
    seed: int, strength: float, kappa: float, share: float
) -> None:
    rows = logits(seed, streams=3).copy()
    never = np.random.default_rng(seed).random(rows.shape) < share
    never[:, 0] = False
    rows[never] = -np.inf
    found = steered(rows, weights(strength, of=(1.0, 1.0)), kappa=kappa)
    assert found.ids is not None
    assert not np.isnan(found.scores).any()
    np.testing.assert_array_equal(found.scores == -np.inf, never[:, found.ids].any(axis=0))


@given(seed=seeds, strength=st.floats(0.0, 5.0))
def test_doubling_the_weight_is_doubling_the_strength(seed: int, strength: float) -> None:
    twice, strong = weights(strength, of=(2.0,)), weights(2 * strength, of=(1.0,))
    np.testing.assert_allclose(twice, strong, rtol=1e-6)
    rows = logits(seed)
    np.testing.assert_allclose(
        chances(steered(rows, twice)), chances(steered(rows, strong)), atol=1e-5
    )


# Several preferences ------------------------------------------------------------------------


@given(seed=seeds, strength=gammas, of=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=4))
def test_several_preferences_equal_the_slow_sum(
    seed: int, strength: float, of: list[float]
) -> None:
    rows = logits(seed, streams=1 + len(of))
    theta = weights(strength, of=tuple(of))
    ours = log_softmax(steered(rows, theta).scores)
    np.testing.assert_allclose(ours, slow_sum(rows, theta), rtol=1e-5, atol=2e-3)


@given(seed=seeds, theta=st.floats(-3.0, 12.0), copies=st.integers(1, 6))
def test_copies_of_a_preference_share_its_weight(seed: int, theta: float, copies: int) -> None:
    rows = logits(seed)
    split = np.full(copies, theta / copies, np.float32)
    many = chances(steered(rows[[0] + [1] * copies], split))
    once = chances(steered(rows, np.array([theta], np.float32)))
    np.testing.assert_allclose(many, once, atol=1e-3)


@given(seed=seeds, kappa=kappas | st.none())
def test_the_order_of_preferences_does_not_matter(seed: int, kappa: float | None) -> None:
    rows, theta = logits(seed, streams=4), np.array([0.5, 2.0, 4.0], np.float32)
    there = chances(steered(rows, theta, kappa=kappa))
    back = chances(steered(rows[[0, 3, 2, 1]], theta[::-1], kappa=kappa))
    np.testing.assert_allclose(back, there, atol=1e-4)


@pytest.mark.parametrize("theta", [1e-3, 1e-7, 1e-38, 1e-45, -1e-38])
def test_a_tiny_weight_is_nearly_the_base(theta: float) -> None:
    rows = logits(0)
    found = steered(rows, np.array([theta], np.float32))
    np.testing.assert_allclose(found.scores, rows[0], atol=0.02)


def test_weight_0_everywhere_in_theta_is_the_base() -> None:
    rows = logits(0, streams=3)
    np.testing.assert_array_equal(steered(rows, np.zeros(2, np.float32)).scores, rows[0])
    np.testing.assert_array_equal(steered(rows[:2], np.zeros(1, np.float32)).scores, rows[0])


def test_weights_by_hand() -> None:
    theta = weights(2.0, of=(1.0, 0.5, 0.0))
    assert theta.dtype == np.float32
    np.testing.assert_array_equal(theta, [3.0, 2.0, 1.0])


def test_two_preferences_by_hand() -> None:
    # (1 − 3 − 2) · Lb + 3 · L1 + 2 · L2
    rows = np.array([[0, 1, 2], [1, 0, 2], [2, 2, 0]], np.float32)
    found = steered(rows, np.array([3.0, 2.0], np.float32))
    np.testing.assert_array_equal(found.scores, [7.0, 0.0, -2.0])


def norms(rows: F32) -> tuple[float, ...]:
    return log_norms(rows, scratch=np.empty(V, np.float32))


# The plausibility cut -----------------------------------------------------------------------


@given(seed=seeds, kappa=kappas, streams=st.integers(2, 5))
def test_the_cut_is_its_definition(seed: int, kappa: float, streams: int) -> None:
    rows = logits(seed, streams=streams)
    ids = plausible(rows[0], rows[1:], plausibility=kappa, norms=norms(rows))
    assert list(ids) == sorted(set(ids.tolist()))
    assert slowly_plausible(rows, kappa, slack=-1e-4) <= set(ids.tolist())
    assert set(ids.tolist()) <= slowly_plausible(rows, kappa, slack=1e-4)


@given(seed=seeds, strength=gammas, kappa=kappas)
def test_what_survives_the_cut_keeps_its_score(seed: int, strength: float, kappa: float) -> None:
    rows, theta = logits(seed), weights(strength, of=(1.0,))
    whole, cut = steered(rows, theta), steered(rows, theta, kappa=kappa)
    assert cut.ids is not None
    np.testing.assert_array_equal(cut.scores, whole.scores[cut.ids])


@given(seed=seeds, streams=st.integers(2, 5))
def test_the_strictest_cut_leaves_the_likeliest_token(seed: int, streams: int) -> None:
    rows = logits(seed, streams=streams)
    ids = plausible(rows[0], rows[1:], plausibility=1.0, norms=norms(rows))
    logs = np.array([published_game.log_softmax(row.astype(np.float64)) for row in rows])
    assert int(logs.max(axis=0).argmax()) in ids
    assert len(ids) == 1


@pytest.mark.parametrize(("kappa", "kept"), [(0.5, [0, 1]), (0.24, [0, 1, 2]), (0.9, [0])])
def test_the_cut_by_hand(kappa: float, kept: list[int]) -> None:
    # Probabilities 0.6, 0.2, 0.1, 0.1 and 0.3, 0.4, 0.15, 0.15: the larger ones against 0.6 κ.
    rows = np.log(np.array([[0.6, 0.2, 0.1, 0.1], [0.3, 0.4, 0.15, 0.05]], np.float32))
    found = steered(rows, weights(1.0, of=(1.0,)), kappa=kappa)
    assert found.ids is not None
    assert found.ids.tolist() == kept


def test_a_token_that_one_stream_alone_likes_survives_the_cut() -> None:
    rows = np.array([[9, 0, 0], [0, 0, 9]], np.float32)
    found = steered(rows, weights(0.0, of=(1.0,)), kappa=0.9)
    assert found.ids is not None
    assert found.ids.tolist() == [0, 2]


# Arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [None, 0.1])
@pytest.mark.parametrize("others", [1, 3])
def test_float32_stays_float32(kappa: float | None, others: int) -> None:
    rows = logits(1, streams=1 + others)
    found = steered(rows, weights(4.0, of=(1.0,) * others), kappa=kappa)
    assert found.scores.dtype == np.float32


@pytest.mark.parametrize("kappa", [None, 0.1])
def test_scratch_may_be_used_again_for_the_next_token(kappa: float | None) -> None:
    theta, scratch = weights(4.0, of=(1.0,)), np.empty(V, np.float32)
    for seed in range(5):
        rows = logits(seed)
        again = steer(rows[0], rows[1:], theta, plausibility=kappa, scratch=scratch)
        fresh = steered(rows, theta, kappa=kappa)
        np.testing.assert_array_equal(again.scores, fresh.scores)
        np.testing.assert_array_equal(again.ids, fresh.ids)


def test_after_the_cut_the_result_does_not_depend_on_scratch() -> None:
    rows, scratch = logits(3), np.empty(V, np.float32)
    found = steer(rows[0], rows[1:], weights(4.0, of=(1.0,)), plausibility=0.1, scratch=scratch)
    before = found.scores.copy()
    scratch[:] = np.nan
    np.testing.assert_array_equal(found.scores, before)


def test_the_same_input_gives_the_same_bits() -> None:
    rows, theta = logits(5, streams=4), weights(4.0, of=(1.0, 0.5, 2.0))
    first = steered(rows, theta, kappa=0.1)
    second = steered(rows.copy(), theta.copy(), kappa=0.1)
    assert first.scores.tobytes() == second.scores.tobytes()


@pytest.mark.parametrize("kappa", [None, 0.1])
def test_a_vocabulary_of_one_token_has_one_candidate(kappa: float | None) -> None:
    rows = np.array([[3.0], [-2.0]], np.float32)
    found = steered(rows, weights(4.0, of=(1.0,)), kappa=kappa)
    assert found.scores.shape == (1,)
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("kappa", [None, 0.1])
def test_only_one_token_possible_is_the_one_found(kappa: float | None) -> None:
    rows = np.full((2, V), -np.inf, np.float32)
    rows[:, 7] = [2.0, -30.0]
    assert chances(steered(rows, weights(4.0, of=(1.0,)), kappa=kappa))[7] == 1.0


@pytest.mark.parametrize("kappa", [None, 0.1])
@pytest.mark.parametrize("size", [1e4, -1e4, 1e30])
def test_huge_logits_make_no_nan(kappa: float | None, size: float) -> None:
    rows = logits(0) * np.float32(size)
    found = steered(rows, weights(4.0, of=(1.0,)), kappa=kappa)
    assert np.isfinite(found.scores).all()
