"""What a certificate says, word for word."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio.words import certified, listed, wanted, worst_served
from engine.types.portfolio import Candidate, Certificate, Gap, Member, Objective, Portfolio

SHORT = Objective(id="short+", name="shorter answers")
WARM = Objective(id="warm+", name="a warm tone")
GOOD = Objective(id="quality", name="good answers", floor=0.25)


def portfolio(
    epsilon: float = 0.032,
    *,
    members: int = 3,
    candidates: int = 30,
    low: float = 0.012,
    high: float = 0.061,
    witness: tuple[float, ...] = (0.6, 0.1, 0.3),
) -> Portfolio:
    gap = Gap(value=epsilon, witness=witness)
    return Portfolio(
        objectives=(SHORT, WARM, GOOD),
        candidates=tuple(Candidate(id=f"c{i}", model="m", name="M") for i in range(candidates)),
        rewards=((0.5, 0.5, 0.5),) * candidates,
        members=tuple(Member(index=i, best_at="") for i in range(members)),
        certificate=Certificate(
            epsilon=gap, delta=gap, low=low, high=high, selecting=0.01, mean=0.01, p95=0.02,
            usage=(1.0 / members,) * members, perplexity=1.0, prompts=18,
        ),
        left_out=(),
        weights=(0.3, 0.3, 0.4),
        built_at=0.0,
    )  # fmt: skip


# The certificate ----------------------------------------------------------------------------


def test_the_certificate_of_several() -> None:
    assert certified(portfolio()) == (
        "Whatever mix of shorter answers, a warm tone and good answers you want, one of these 3 "
        "reaches at least 96 % of the best of the 30 settings measured (93 to 99 %, were other "
        "questions asked). It was measured on 18 questions that nothing was chosen on, by "
        "Attune's own scores."
    )


def test_the_certificate_of_one() -> None:
    assert certified(portfolio(0.25, members=1, low=0.2, high=0.3)) == (
        "Whatever mix of shorter answers, a warm tone and good answers you want, this one setting "
        "reaches at least 75 % of the best of the 30 settings measured (70 to 80 %, were other "
        "questions asked). It was measured on 18 questions that nothing was chosen on, by "
        "Attune's own scores."
    )


def test_the_certificate_without_a_gap() -> None:
    assert certified(portfolio(0.0, low=0.0, high=0.0)) == (
        "Whatever mix of shorter answers, a warm tone and good answers you want, one of these 3 "
        "reaches 100 % of the best of the 30 settings measured. It was measured on 18 questions "
        "that nothing was chosen on, by Attune's own scores."
    )


def test_a_pool_of_one_proves_nothing() -> None:
    assert certified(portfolio(0.0, members=1, candidates=1)) == (
        "Only one setting was measured, so there was nothing to choose from."
    )


@given(st.floats(0.0, 1.0))
def test_no_more_is_promised_than_was_proved(epsilon: float) -> None:
    said = certified(portfolio(epsilon, low=epsilon, high=epsilon))
    found = re.search(r"reaches (?:at least )?(\d+) % of the best", said)
    assert found is not None
    promised = int(found[1])
    assert promised <= 100.0 * (1.0 - epsilon) + 1e-6 < promised + 1.0 + 1e-6


@given(st.floats(0.0, 1.0))
def test_both_sentences_tell_the_same_gap(epsilon: float) -> None:
    asked = portfolio(epsilon, low=epsilon, high=epsilon)
    reached = re.search(r"(\d+) % of the best", certified(asked))
    short = re.search(r"(\d+) % short", worst_served(asked))
    assert reached is not None
    assert int(reached[1]) + (int(short[1]) if short else 0) == 100


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.05, 0.10, " (90 to 95 %, "),
        (0.0501, 0.0999, " (90 to 95 %, "),
        (0.0, 0.004, " (99 to 100 %, "),
        (0.0, 0.0, " settings measured. "),
    ],
)
def test_the_range_is_rounded_outwards(low: float, high: float, said: str) -> None:
    assert said in certified(portfolio(low=low, high=high))


# The worst served ---------------------------------------------------------------------------


def test_who_is_served_worst() -> None:
    assert worst_served(portfolio()) == (
        "Worst served: someone who wants shorter answers (60 %), good answers (30 %) and "
        "a warm tone (10 %); 4 % short of the best."
    )


def test_a_gap_below_one_per_cent_is_a_gap() -> None:
    assert worst_served(portfolio(0.001, witness=(0.0, 0.0, 1.0))) == (
        "Worst served: someone who wants only good answers; 1 % short of the best."
    )


def test_nobody_is_served_worse_where_there_is_no_gap() -> None:
    assert worst_served(portfolio(0.0)) == (
        "Nobody is served worse than by the best setting measured."
    )


# Weights and lists --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((0.0, 0.0, 1.0), "only good answers"),
        ((0.2, 0.05, 0.75), "good answers (75 %) and shorter answers (20 %)"),
        ((0.09, 0.08, 0.83), "good answers (83 %)"),
        ((1 / 3, 1 / 3, 1 / 3),
         "shorter answers (33 %), a warm tone (33 %) and good answers (33 %)"),
    ],
)  # fmt: skip
def test_weights_in_words(weights: tuple[float, ...], said: str) -> None:
    assert wanted((SHORT, WARM, GOOD), weights) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_lists_in_words(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_every_objective_is_named_in_the_order_of_the_portfolio() -> None:
    said = certified(replace(portfolio(), objectives=(GOOD, SHORT)))
    assert said.startswith("Whatever mix of good answers and shorter answers you want, ")
