from __future__ import annotations

import math

import pytest

from benchmarks.quality.contrary import (
    READINGS,
    Seen,
    Worths,
    asked_alone,
    counted,
    effects,
    exchanged,
    heard,
    judge,
    seen,
    silent,
    told,
)
from engine.preference.ballots import Evidence, lean
from engine.preference.owners import find_owner
from engine.preference.scorers import scores
from engine.session.simulation import Choice

BRIEF = "Yes, it does, and quite often in the spring as well."
LONG = " ".join(f"In year {n} there were {n * 7} of them, which is not {n * 11}." for n in range(9))


def choice(first: str, second: str, *, asked: str = "short", push: float = 9.0) -> Choice:
    """A duel whose first answer was steered to the first pole, and liked."""
    evidence = Evidence(
        duel="1",
        asked=asked,
        outcome="first",
        first={asked + "+": push, asked + "-": -push, "lists+": 1.0},
        second={asked + "+": -push, asked + "-": push, "lists+": 2.0},
        scores=(scores(first), scores(second)),
    )
    return Choice(question="Does it?", texts=(first, second), evidence=evidence)


@pytest.mark.parametrize(
    ("first", "second", "asked", "expected"),
    [
        (BRIEF, LONG, "short", "agrees"),
        (LONG, BRIEF, "short", "contrary"),
        (BRIEF, BRIEF.upper(), "short", "nothing"),
        (BRIEF, LONG, "a trait of one's own", "not scored"),
    ],
)
def test_a_scorer_sees_what_was_steered_or_does_not(
    first: str, second: str, asked: str, expected: Seen
) -> None:
    assert seen(choice(first, second, asked=asked)) == expected
    swapped = choice(second, first, asked=asked, push=-9.0)
    assert seen(swapped) == expected


def test_to_exchange_turns_the_trait_asked_about_round_and_no_other() -> None:
    before = choice(LONG, BRIEF).evidence
    after = exchanged(before)
    assert lean(after.first, "short") == -lean(before.first, "short")
    assert (after.first["lists+"], after.second["lists+"]) == (1.0, 2.0)
    assert exchanged(after) == before


def test_a_silent_vote_says_nothing_of_the_trait_asked_about() -> None:
    after = silent(choice(LONG, BRIEF).evidence)
    assert (after.first, after.second) == ({"lists+": 1.0}, {"lists+": 2.0})


def test_what_listened_is_counted_by_itself() -> None:
    # Both lists+ lean to the second answer, and there is a list in neither.
    assert heard([choice(BRIEF, LONG)]) == {"lists": {"nothing": 1}}


def test_what_listened_can_be_believed_or_dropped() -> None:
    before = choice(LONG, BRIEF).evidence
    assert told(before).scores == ({}, {})
    alone = asked_alone(before)
    assert alone.first == {"short+": 9.0, "short-": -9.0}
    assert lean(alone.second, "short") == lean(before.second, "short")


def test_worth_is_what_the_owner_thinks_of_the_texts_of_each_pole() -> None:
    choices = [choice(BRIEF, f"{LONG} {n} more.") for n in range(5)]
    assert Worths(choices).of(find_owner("brief"), "short") > 0.5
    assert Worths(choices).of(find_owner("thorough"), "short") < -0.5
    assert Worths(choices[:4]).of(find_owner("brief"), "short") == 0.0


def test_the_reading_that_fits_the_owner_foretells_and_serves_better() -> None:
    # Steered to be short, always longer, and always liked for it.
    choices = [choice(f"{LONG} {n} more.", BRIEF) for n in range(20)]
    courses, worths = {"thorough/0": choices}, Worths(choices)
    assert counted(choices) == {"short": {"contrary": 20}}
    now = judge(courses, READINGS[next(iter(READINGS))], worths)
    turned = judge(courses, READINGS["the app, asked: exchanged where contrary"], worths)
    assert now.loss < turned.loss
    assert now.gains[19] > 0.0 > turned.gains[19]


def test_an_effect_is_the_mean_difference_over_its_spread_each_pair_once() -> None:
    # log1p of 11 and of 1, 2, 3, 4, 5 words, in one order or the other.
    texts = ["word " * n for n in (1, 2, 3, 4, 5)]
    choices = [choice(text, BRIEF) for text in texts] + [choice(BRIEF, texts[0], push=-9.0)]
    found = [math.log1p(11) - math.log1p(n) for n in (1, 2, 3, 4, 5)]
    middle = sum(found) / 5
    spread = math.sqrt(sum((value - middle) ** 2 for value in found) / 5)
    assert effects(choices) == {"short": pytest.approx(middle / spread)}
    assert effects(choices[:4]) == {}
