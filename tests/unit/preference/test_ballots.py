from math import exp, log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.preference.ballots import (
    FLIPS,
    TIE,
    Evidence,
    borne_out,
    chances,
    entropy,
    information,
    log_likelihood,
)
from engine.types.learning import Outcome

logits = st.floats(-8, 8)


def sigma(x: float) -> float:
    return 1 / (1 + exp(-x))


@given(z=logits)
def test_chances_are_their_formula_and_add_up(z: float) -> None:
    first, second, equal = chances(np.asarray(z))
    meant, other = sigma(z - TIE), sigma(-z - TIE)
    assert first == pytest.approx((1 - FLIPS) * meant + FLIPS * other)
    assert first + second + equal == pytest.approx(1)
    assert equal > 0


@given(z=logits)
def test_swapping_the_answers_swaps_the_chances(z: float) -> None:
    there, back = chances(np.asarray(z)), chances(np.asarray(-z))
    np.testing.assert_allclose(there, back[[1, 0, 2]], atol=1e-12)


@given(first=logits, second=logits)
def test_what_both_gain_alike_matters_to_neither_vote_but_neither(
    first: float, second: float
) -> None:
    one, other = np.asarray([first, first + 1]), np.asarray([second, second + 1])
    outcomes: tuple[Outcome, ...] = ("first", "second", "equal")
    for outcome in outcomes:
        plain, raised = log_likelihood(outcome, one, other)
        assert plain == pytest.approx(raised, abs=1e-9)
    plain, raised = log_likelihood("neither", one, other)
    assert plain > raised, "the better both are, the less likely is 'neither'"


def test_neither_by_hand() -> None:
    found = log_likelihood("neither", np.asarray(0.0), np.asarray(2.0))
    short = (1 - FLIPS) * sigma(-2) + FLIPS * sigma(2)
    assert float(found) == pytest.approx(log(0.5) + log(short))


def test_entropy_by_hand() -> None:
    assert float(entropy(np.asarray([0.5, 0.25, 0.25]))) == pytest.approx(1.5)
    assert float(entropy(np.asarray([1.0, 0.0, 0.0]))) == pytest.approx(0, abs=1e-9)


@given(mean=logits, sd=st.floats(0.01, 6))
def test_information_is_less_than_a_bit_and_grows_with_doubt(mean: float, sd: float) -> None:
    bits = float(information(np.asarray(mean), np.asarray(sd)))
    assert 0 <= bits < 1
    doubtful = float(information(np.asarray(0.0), np.asarray(sd)))
    assert bits <= doubtful + 0.12  # ties make a little room for information beside 0


def test_information_by_simulation() -> None:
    rng = np.random.default_rng(3)
    z = 0.5 + 1.3 * rng.standard_normal(200_000)
    p = chances(z)
    mean = p.mean(axis=0)
    slow = -sum(m * log2(m) for m in mean) - float(entropy(p).mean())
    assert float(information(np.asarray(0.5), np.asarray(1.3))) == pytest.approx(slow, abs=2e-3)


def test_nothing_is_learned_about_what_is_known() -> None:
    assert float(information(np.asarray(1.0), np.asarray(1e-6))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("heard", "counted", "believed"),
    [
        pytest.param((3.0, -2.0), (0.6, 0.1), True, id="the list is there"),
        pytest.param((3.0, -2.0), (0.1, 0.6), False, id="the other one has the list"),
        pytest.param((3.0, -2.0), (0.0, 0.0), False, id="no list in either"),
        pytest.param((3.0, -2.0), (None, 0.1), True, id="not counted"),
        pytest.param((-3.0, 2.0), (0.1, 0.6), True, id="the list is there, the other way round"),
    ],
)
def test_what_listened_counts_where_it_shows(
    heard: tuple[float, float], counted: tuple[float | None, float], believed: bool
) -> None:
    first, second = ({"lists+": phi, "short+": phi} for phi in heard)
    # The trait that was asked about is believed, whatever was counted of it.
    scores = [
        {"short": -phi} | ({} if n is None else {"lists": n})
        for phi, n in zip(heard, counted, strict=True)
    ]
    vote = Evidence(
        duel="1",
        asked="short",
        outcome="first",
        first=first,
        second=second,
        scores=(scores[0], scores[1]),
    )
    streams = {"lists+", "short+"} if believed else {"short+"}
    assert [set(side) for side in borne_out(vote)] == [streams, streams]
