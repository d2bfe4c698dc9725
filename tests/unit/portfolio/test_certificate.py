import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.certificate import certify, halves, perplexity, shares_served
from engine.portfolio.gaps import additive, multiplicative
from engine.types.portfolio import Certificate
from tests.unit.portfolio.pools import FOUR, SIX, front, portfolios, seeds


def measured(R: F64, *, prompts: int, noise: float, seed: int = 0) -> F64:
    """Rewards of each prompt around those of the pool, (n, N, d)."""
    rng = np.random.default_rng(seed)
    shape = (len(R), prompts, R.shape[1])
    return np.clip(R[:, None] + noise * rng.standard_normal(shape), 0.0, 1.0)


def certified(
    rewards: F64, members: tuple[int, ...], *, floors: F64 | None = None, draws: int = 20_000
) -> Certificate:
    rng = np.random.default_rng(0)
    return certify(
        rewards, members, rng=rng, selecting=0.01, floors=floors, resamples=200, draws=draws
    )


# By hand ------------------------------------------------------------------------------------


def test_usage_by_hand() -> None:
    found = certified(measured(FOUR, prompts=2, noise=0.0), (0, 1, 2))
    assert found.usage == pytest.approx((0.285714, 0.380952, 0.333333), abs=0.01)
    assert found.perplexity == pytest.approx(2.979592, abs=0.01)
    assert found.prompts == 2
    assert found.selecting == 0.01


def test_perplexity_by_hand() -> None:
    assert perplexity((2 / 7, 8 / 21, 1 / 3)) == pytest.approx(2.979592, abs=1e-6)
    assert perplexity((1.0, 0.0)) == 1.0
    assert perplexity((0.25,) * 4) == pytest.approx(4.0)


def test_of_equal_members_the_first_serves() -> None:
    assert shares_served(np.asarray([[0.5, 0.5], [0.1, 0.2]])) == (0.5, 0.5)


def test_without_noise_the_interval_is_the_gap_itself() -> None:
    found = certified(measured(SIX, prompts=5, noise=0.0), (0, 1, 2, 3))
    assert found.epsilon.value == pytest.approx(1 / 11)
    assert found.delta.value == pytest.approx(1 / 18)
    assert (found.low, found.high) == pytest.approx((1 / 11, 1 / 11))


def test_floors_hold_for_every_number() -> None:
    rewards = measured(FOUR, prompts=3, noise=0.0)
    found = certified(rewards, (0, 2), floors=np.asarray([0.0, 0.6]))
    assert found.epsilon.value == pytest.approx(0.0625)
    assert (found.low, found.high) == pytest.approx((0.0625, 0.0625))
    assert found.usage == (0.0, 1.0), "who asks for so much of the second takes the second"


def test_the_mean_gap_by_hand() -> None:
    # Whoever asks for w of the first goes without (1 − w), of a best of max(w, 1 − w).
    found = certified(np.asarray([[[1.0, 0.0]], [[0.0, 1.0]]]), (0,))
    w = np.linspace(0.0, 1.0, 100_001)
    share = np.maximum(1.0 - w / np.maximum(w, 1.0 - w), 0.0)
    assert found.mean == pytest.approx(share.mean(), abs=0.01)
    assert found.p95 == pytest.approx(np.percentile(share, 95), abs=0.01)
    assert found.epsilon.value == 1.0
    assert found.usage == (1.0,)


# What it is worth ---------------------------------------------------------------------------


def test_the_gaps_are_those_of_the_means() -> None:
    pool = front(np.random.default_rng(1), candidates=12, objectives=3)
    rewards = measured(pool, prompts=9, noise=0.2)
    least = np.asarray([0.1, 0.0, 0.3])
    found = certified(rewards, (0, 1, 2), floors=least)
    R = rewards.mean(axis=1)
    assert found.epsilon == multiplicative(R, (0, 1, 2), floors=least)
    assert found.delta == additive(R, (0, 1, 2), floors=least)


def test_more_prompts_narrow_the_interval() -> None:
    def width(prompts: int) -> float:
        found = certified(measured(SIX, prompts=prompts, noise=0.25), (0, 1, 2, 3))
        return found.high - found.low

    # The standard deviations of ε at 30 and 1,000 prompts are about 0.034 and 0.006.
    assert width(30) > 2 * width(300)
    assert 0.01 < width(1000) < 0.04


def test_the_true_gap_is_hardly_ever_above_the_interval() -> None:
    inside = above = 0
    for seed in range(30):
        R = 0.25 + 0.5 * front(np.random.default_rng(seed), candidates=12, objectives=3)
        true = multiplicative(R, (0, 1, 2, 3)).value
        rewards = measured(R, prompts=100, noise=0.1, seed=seed)
        found = certified(rewards, (0, 1, 2, 3), draws=1)
        inside += found.low <= true <= found.high
        above += true > found.high
    assert inside >= 22
    assert above <= 3


def test_prompts_are_drawn_together_for_all_candidates() -> None:
    # What all candidates find hard says nothing about the gap between them.
    hard = np.random.default_rng(0).uniform(0.2, 1.0, size=(1, 50, 1))
    found = certified(FOUR[:, None] * hard, (0, 2))
    assert found.low == pytest.approx(found.high, abs=1e-9)


# Laws ---------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(case=portfolios(most=8), seed=seeds)
def test_the_numbers_of_a_certificate_agree(
    case: tuple[F64, tuple[int, ...], F64 | None], seed: int
) -> None:
    R, members, least = case
    rewards = measured(R, prompts=6, noise=0.1, seed=seed)

    def once() -> Certificate:
        rng = np.random.default_rng(seed)
        return certify(
            rewards, members, rng=rng, selecting=0.0, floors=least, resamples=20, draws=300
        )

    found = once()
    assert found == once()
    assert 0.0 <= found.mean <= found.epsilon.value + 1e-9
    assert 0.0 <= found.p95 <= found.epsilon.value + 1e-9
    assert 0.0 <= found.low <= found.high <= 1.0
    assert sum(found.usage) == pytest.approx(1.0)
    assert len(found.usage) == len(members)
    assert 1.0 - 1e-9 <= found.perplexity <= len(members) + 1e-9


@given(prompts=st.integers(2, 60), seed=seeds)
def test_halves_share_nothing_and_leave_nothing_out(prompts: int, seed: int) -> None:
    selecting, certifying = halves(prompts, rng=np.random.default_rng(seed))
    assert sorted([*selecting, *certifying]) == list(range(prompts))
    assert len(certifying) - len(selecting) in (0, 1)
    again, _ = halves(prompts, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(selecting, again)
    assert (np.diff(selecting) > 0).all()
    assert (np.diff(certifying) > 0).all()


def test_another_generator_gives_other_halves() -> None:
    one, other = (halves(40, rng=np.random.default_rng(seed))[0] for seed in (0, 1))
    assert set(one) != set(other)


# Bad input ----------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused() -> None:
    rewards = measured(FOUR, prompts=3, noise=0.0)
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidParameter, match="members"):
        certify(rewards, (9,), rng=rng, selecting=0.0)
    with pytest.raises(InvalidParameter, match="resamples"):
        certify(rewards, (0,), rng=rng, selecting=0.0, resamples=0)
    with pytest.raises(InvalidParameter, match="draws"):
        certify(rewards, (0,), rng=rng, selecting=0.0, draws=0)
    rewards[1, 2, 0] = np.nan
    with pytest.raises(InvalidParameter, match=r"\(1, 2, 0\)"):
        certify(rewards, (0,), rng=rng, selecting=0.0)
    with pytest.raises(InvalidParameter, match="prompts"):
        halves(1, rng=rng)
