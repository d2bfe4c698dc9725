from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import F64
from engine.preference.ballots import chances, log_likelihood
from engine.preference.posterior import Prior, Votes, infer, log_posterior, most_probable
from engine.types.learning import Outcome

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
seeds = st.integers(0, 2**31)


def prior(size: int, *, mean: float = 0.0, sd: float = 1.5) -> Prior:
    return Prior(mean=np.full(size, mean), sd=np.full(size, sd))


def some_votes(seed: int, *, count: int, size: int) -> Votes:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, count, size))
    outcomes = tuple(OUTCOMES[i] for i in rng.integers(len(OUTCOMES), size=count))
    return Votes(first=first, second=second, outcomes=outcomes, worth=rng.uniform(size=count))


def on_a_grid(votes: Votes, known: Prior) -> tuple[F64, F64]:
    """Mean and sd of two weights, by brute force over a fine grid."""
    axis = np.linspace(-7, 7, 85)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log_p = log_posterior(points, votes, prior=known)
    mass = np.exp(log_p - log_p.max())
    mass /= mass.sum()
    mean = mass @ points
    return mean, np.sqrt(mass @ (points - mean) ** 2)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, count=st.integers(0, 12))
def test_means_and_widths_are_those_of_a_fine_grid(seed: int, count: int) -> None:
    votes, known = some_votes(seed, count=count, size=2), prior(2, mean=-0.3)
    found = infer(votes, prior=known, rng=np.random.default_rng(1))
    mean, sd = on_a_grid(votes, known)
    np.testing.assert_allclose(found.mean, mean, atol=0.12)
    np.testing.assert_allclose(found.sd, sd, atol=0.12)


def test_the_log_posterior_is_its_definition() -> None:
    votes, known = some_votes(5, count=7, size=3), prior(3, mean=0.2, sd=0.7)
    w = np.asarray([0.3, -1.0, 0.5])
    slow = -0.5 * sum(((x - 0.2) / 0.7) ** 2 for x in w)
    for first, second, outcome, worth in zip(
        votes.first, votes.second, votes.outcomes, votes.worth, strict=True
    ):
        slow += worth * float(log_likelihood(outcome, first @ w, second @ w))
    assert log_posterior(w[None], votes, prior=known)[0] == pytest.approx(slow)


@given(seed=seeds, count=st.integers(0, 20))
def test_the_most_probable_weights_are_a_peak(seed: int, count: int) -> None:
    votes, known = some_votes(seed, count=count, size=3), prior(3)
    best = most_probable(votes, prior=known)
    around = best + 0.05 * np.vstack([np.eye(3), -np.eye(3), np.zeros(3)])
    values = log_posterior(around, votes, prior=known)
    assert values[-1] >= values.max() - 1e-3


@given(seed=seeds)
def test_swapping_answers_and_outcomes_changes_nothing(seed: int) -> None:
    votes = some_votes(seed, count=6, size=3)
    turned: dict[Outcome, Outcome] = {"first": "second", "second": "first"}
    swapped = Votes(
        first=votes.second,
        second=votes.first,
        outcomes=tuple(turned.get(o, o) for o in votes.outcomes),
        worth=votes.worth,
    )
    np.testing.assert_allclose(
        most_probable(votes, prior=prior(3)), most_probable(swapped, prior=prior(3)), atol=1e-6
    )


def test_without_votes_the_posterior_is_the_prior() -> None:
    nothing = Votes(first=np.empty((0, 4)), second=np.empty((0, 4)), outcomes=(), worth=np.empty(0))
    found = infer(nothing, prior=prior(4, mean=-0.5), rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.mean, -0.5, atol=0.05)
    np.testing.assert_allclose(found.sd, 1.5, atol=0.1)
    np.testing.assert_allclose(found.quantile(0.975), -0.5 + 1.96 * 1.5, atol=0.3)


def test_one_vote_moves_what_the_answers_differ_in_and_nothing_else() -> None:
    one = Votes(
        first=np.asarray([[1.0, 0.5]]),
        second=np.asarray([[-1.0, 0.5]]),
        outcomes=("first",),
        worth=np.ones(1),
    )
    found = infer(one, prior=prior(2), rng=np.random.default_rng(0))
    assert found.positive[0] > 0.75
    assert found.positive[1] == pytest.approx(0.5, abs=0.03)


def test_a_vote_that_is_worth_nothing_says_nothing() -> None:
    votes = some_votes(3, count=5, size=2)
    worthless = Votes(
        first=votes.first, second=votes.second, outcomes=votes.outcomes, worth=np.zeros(5)
    )
    np.testing.assert_allclose(most_probable(worthless, prior=prior(2)), 0.0, atol=1e-9)


def test_more_votes_narrow_the_interval() -> None:
    def width(count: int) -> float:
        votes = Votes(
            first=np.ones((count, 1)),
            second=-np.ones((count, 1)),
            outcomes=("first", "first", "second") * (count // 3),
            worth=np.ones(count),
        )
        found = infer(votes, prior=prior(1), rng=np.random.default_rng(0))
        return float((found.quantile(0.975) - found.quantile(0.025))[0])

    assert width(3) > width(30) > width(300)


def test_the_same_generator_gives_the_same_posterior() -> None:
    votes = some_votes(9, count=8, size=3)
    one, two = (infer(votes, prior=prior(3), rng=np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one.draws, two.draws)


def test_many_votes_are_still_many_draws() -> None:
    rng = np.random.default_rng(0)
    true = np.asarray([1.5, -1.0, 0.0, 0.5])
    first, second = rng.normal(size=(2, 1000, 4))
    told = chances((first - second) @ true).cumsum(axis=1)
    places = (rng.uniform(size=(1000, 1)) > told[:, :2]).sum(axis=1)
    outcomes = tuple(OUTCOMES[i] for i in places)
    votes = Votes(first=first, second=second, outcomes=outcomes, worth=np.ones(1000))
    found = infer(votes, prior=prior(4), rng=np.random.default_rng(0))
    assert found.effective > 50
    np.testing.assert_allclose(found.mean, true, atol=0.4)
