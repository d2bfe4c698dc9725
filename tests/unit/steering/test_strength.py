"""γ: what the published game amounts to, and what is refused."""

from __future__ import annotations

import inspect
import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.steering.strength import LINEAR_ALIGNMENT, bounded_gamma, gamma
from engine.types.steering import MAX_GAMMA
from tests.fixtures.published_game import log_softmax, play, rounds

TABLE = [
    (2.0, 2.0, 10.0, 60, 4.648699),
    (1.0, 2.0, 10.0, 60, 0.925952),
    (0.5, 2.0, 10.0, 60, 0.328941),
    (2.0, 4.0, 10.0, 60, 0.926623),
    (2.0, 2.0, 1.0, 60, 4.436222),
    (2.0, 2.0, 10.0, 1, 0.952381),
    (2.0, 2.0, 10.0, 10, 2.897562),
    (2.0, 2.0, 10.0, 200, 5.846866),
    (4.0, 2.0, 10.0, 60, 117.071427),
]


@pytest.mark.parametrize(("alpha", "lam", "eta", "T", "expected"), TABLE)
def test_the_table_of_strengths_holds(
    alpha: float, lam: float, eta: float, T: int, expected: float
) -> None:
    assert gamma(alpha=alpha, lam=lam, eta=eta, rounds=T) == pytest.approx(expected, abs=5e-7)


def test_the_defaults_are_the_published_ones() -> None:
    assert gamma() == gamma(alpha=2, lam=2, eta=10, rounds=60)
    assert gamma() == pytest.approx(4.648699, abs=5e-7)
    assert LINEAR_ALIGNMENT == 2.0


@pytest.mark.parametrize("changed", [{"alpha": 1.9}, {"lam": 2.1}, {"eta": 9.0}, {"rounds": 59}])
def test_every_parameter_matters(changed: dict[str, float]) -> None:
    assert set(inspect.signature(gamma).parameters) == {"alpha", "lam", "eta", "rounds"}
    assert gamma(**changed) != gamma()  # type: ignore[arg-type]


def test_one_round_by_hand() -> None:
    # γ_1 = (α · 1) / (λ + 1/η)
    assert gamma(alpha=3.0, lam=4.0, eta=0.5, rounds=1) == pytest.approx(3.0 / 6.0)


def test_two_rounds_by_hand() -> None:
    # γ_1 = 1/(1 + 1) = 1/2;  S_2 = 1 + 3/2;  γ_2 = (5/4 + 1/4) / (1 + 1/2) = 1
    assert gamma(alpha=1.0, lam=1.0, eta=1.0, rounds=2) == pytest.approx(1.0)


def test_no_utility_gives_no_strength() -> None:
    assert gamma(alpha=0.0) == 0.0


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    alpha=st.floats(0.0, 4.0),
    lam=st.floats(0.5, 8.0),
    eta=st.floats(0.1, 100.0),
)
def test_closed_form_equals_the_loop_after_every_round_in_float64(
    seed: int, alpha: float, lam: float, eta: float
) -> None:
    base, preferred = np.random.default_rng(seed).normal(scale=3.0, size=(2, 40))
    Lb, Lp = log_softmax(base), log_softmax(preferred)
    game = rounds(base, preferred, alpha=alpha, lam=lam, eta=eta)
    for T, published in enumerate(islice(game, 200), start=1):
        strength = gamma(alpha=alpha, lam=lam, eta=eta, rounds=T)
        if strength > 100.0:  # α/λ > 1: far beyond what is on offer, and rounding with it
            break
        closed = log_softmax(Lp + strength * (Lp - Lb))
        np.testing.assert_allclose(closed, log_softmax(published), rtol=1e-11, atol=1e-9)


def test_the_published_test_vector() -> None:
    base, preferred = np.array([1.0, 0.0, -1.0, 0.5]), np.array([0.5, 1.0, -1.0, 0.0])
    expected = [-7.475255, -0.002206, -6.650905, -7.975255]
    Lb, Lp = log_softmax(base), log_softmax(preferred)
    np.testing.assert_allclose(log_softmax(play(base, preferred)), expected, atol=5e-7)
    np.testing.assert_allclose(log_softmax(Lp + gamma() * (Lp - Lb)), expected, atol=5e-7)


@pytest.mark.parametrize(
    ("name", "bad", "allowed"),
    [
        ("alpha", -0.1, "≥ 0"),
        ("alpha", math.nan, "≥ 0"),
        ("alpha", math.inf, "≥ 0"),
        ("lam", 0.0, "> 0"),
        ("lam", -2.0, "> 0"),
        ("lam", math.nan, "> 0"),
        ("eta", 0.0, "> 0"),
        ("eta", -math.inf, "> 0"),
        ("rounds", 0, "from 1 to 1000"),
        ("rounds", 1001, "from 1 to 1000"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_by_value_and_range(
    name: str, bad: float, allowed: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        gamma(**{name: bad})  # type: ignore[arg-type]
    assert repr(bad) in caught.value.message
    assert allowed in caught.value.message


def test_the_ends_of_the_ranges_are_allowed() -> None:
    assert gamma(alpha=0.0, rounds=1) == 0.0
    assert math.isfinite(gamma(alpha=1.0, rounds=1000))


def test_a_strength_on_offer_is_returned_as_it_is() -> None:
    assert bounded_gamma(alpha=2, lam=2, eta=10, rounds=60) == gamma()


def test_a_strength_beyond_the_cap_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidParameter) as caught:
        bounded_gamma(alpha=4, lam=2, eta=10, rounds=60)
    assert "117.1" in caught.value.message
    assert f"{MAX_GAMMA:g} is the most" in caught.value.message
    assert "Lower alpha or raise lambda" in caught.value.message


@pytest.mark.parametrize(("alpha", "eta"), [(1e308, 10.0), (1e308, 1e308), (2.0, 1e-320)])
def test_a_strength_that_is_not_finite_is_refused(alpha: float, eta: float) -> None:
    with pytest.raises(InvalidParameter):
        bounded_gamma(alpha=alpha, lam=2.0, eta=eta, rounds=1000)
