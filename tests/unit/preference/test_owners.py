"""Simulated owners: they like what they say they like, and vote with the right chances."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.preference.owners import MARGIN, OWNERS, Chance, Owner, find_owner, vote, win
from engine.preference.traits import BUILT_IN

NAMES = [owner.name for owner in OWNERS]

PROSE = (
    "Basil grows best in a warm and bright place, so a window that faces south is ideal for it. "
    "It needs water when the soil feels dry, and the pot should have a hole through which the "
    "surplus can drain. Cutting the tips often makes the plant branch, which gives more leaves."
)
LISTED = (
    "Basil needs:\n\n- **Light**: a window that faces south is ideal for it.\n"
    "- **Water**: when the soil feels dry.\n- **Drainage**: a hole in the pot.\n"
    "- **Cuts**: cutting the tips often makes the plant branch."
)
SHORT = "Keep basil warm and bright, and water it when dry."
HARD = (
    "Successful cultivation necessitates considerable illumination, continuous temperature "
    "regulation, appropriate irrigation scheduling and systematic apical decapitation, because "
    "photosynthetic productivity determines vegetative development throughout maturation."
)
EASY = "Put the pot in the sun. Give it a drink when it is dry. Cut off the tips now and then."
CHAT = (
    "Hey, basil's super easy! You just put it in a sunny spot, and you don't let it dry out, okay? "
    "It'll need a bit of a trim, but you've got this."
)
CAREFUL = (
    "Basil generally appears to prefer a bright location; moreover, it may suffer where the "
    "temperature falls. Moderate irrigation is therefore usually recommended, and regular cuts "
    "could perhaps promote growth."
)
CHOPPED = (
    "Basil likes a warm place. A bright window is best. Water it when the soil is dry. "
    "The pot needs a hole. Cut the tips often. The plant will branch. You get more leaves."
)
COMMAS = (
    "Basil, a plant of warm regions, likes light, warmth, water (not too much), and space; "
    "put it, if possible, near a window: south, or west, and turn it, say, weekly."
)
NO_COMMAS = (
    "Basil comes from warm regions and likes light and warmth and a little water. "
    "Put it near a window and turn the pot once a week so that each side gets the sun."
)
DULL = (
    "Basil needs light and basil needs water and basil needs warmth. The basil needs a pot and "
    "the pot needs a hole and the pot needs soil. The soil needs water and the basil needs a cut "
    "and the cut needs a day when the basil is dry and the basil is warm and the pot is dry."
)
AIRY = PROSE.replace(". ", ".\n\n")

TASTES = {
    "brief": (SHORT, PROSE),
    "thorough": (PROSE, SHORT),
    "no-lists": (PROSE, LISTED),
    "lists": (LISTED, PROSE),
    "plain-speaker": (EASY, HARD),
    "chatty": (CHAT, CAREFUL),
    "brief-and-casual": (CHAT, PROSE),
    "formal-and-careful": (CAREFUL, CHAT),
    "short-sentences": (CHOPPED, PROSE),
    "no-commas": (NO_COMMAS, COMMAS),
    "varied-words": (PROSE, DULL),
    "airy": (AIRY, PROSE),
}


class Draws:
    """A source of chance that draws what it is told."""

    def __init__(self, *numbers: float) -> None:
        self.left = list(numbers)

    def random(self) -> float:
        return self.left.pop(0)


def by_letters(text: str) -> float:
    return float(len(text))


def by_length(*, temperature: float = 1.0) -> Owner:
    """Likes letters: what a utility is worth is easy to see."""
    return Owner(name="letters", taste="", utility=by_letters, temperature=temperature)


def shares(owner: Owner, first: str, second: str, rng: Chance, **noise: float) -> Counter[str]:
    votes = Counter[str](vote(owner, first, second, rng=rng, **noise) for _ in range(8_000))
    return Counter({outcome: n / 8_000 for outcome, n in votes.items()})


def test_owners_are_told_apart_and_say_what_they_like() -> None:
    assert len(set(NAMES)) == len(OWNERS) >= 8
    assert all(owner.taste.startswith("I like ") for owner in OWNERS)
    assert all(owner.temperature > 0 for owner in OWNERS)
    assert set(TASTES) == set(NAMES)


def test_at_least_three_owners_want_what_no_trait_names() -> None:
    assert sum(not owner.aligned for owner in OWNERS) >= 3
    ids = {trait.id for trait in BUILT_IN}
    for owner in OWNERS:
        assert all(each[:-1] in ids and each[-1] in "+-" for each in owner.aligned)


@pytest.mark.parametrize("name", NAMES)
def test_every_owner_likes_the_good_text_clearly_better(name: str) -> None:
    owner, (good, bad) = find_owner(name), TASTES[name]
    assert 0.7 < owner.utility(good) - owner.utility(bad) <= 8.0
    assert win(owner, good, bad) == 1.0
    assert win(owner, bad, good) == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_nobody_likes_nothing_a_word_or_a_loop(name: str) -> None:
    owner, (good, _) = find_owner(name), TASTES[name]
    assert owner.utility("") == owner.utility("...") < owner.utility("Water.")
    assert owner.utility("Water.") < owner.utility(good) - 1.0
    assert owner.utility("Give it water. " * 30) < owner.utility(good) - 1.0


def test_brief_has_enough_at_eight_words() -> None:
    brief = find_owner("brief")
    assert brief.utility("a b c d e f g h") > brief.utility("a b c d e f g")
    assert brief.utility("a b c d e f g h") > brief.utility("a b c d e f g h i")


def test_the_number_of_sentences_does_not_matter_to_short_sentences() -> None:
    owner = find_owner("short-sentences")
    twice = f"{CHOPPED} {CHOPPED.replace('Basil', 'Thyme').replace('The', 'Its')}"
    assert owner.utility(twice) == pytest.approx(owner.utility(CHOPPED), abs=1.0)
    assert owner.utility("- red pots\n- black soil\n- basil seeds\n- a sunny spot") < (
        owner.utility(CHOPPED)
    )


@given(st.sampled_from(OWNERS), st.text(max_size=200))
def test_utilities_are_finite_and_bounded_on_any_text(owner: Owner, text: str) -> None:
    assert -12.0 <= owner.utility(text) <= 4.0
    assert win(owner, text, text) == 0.5


# Votes --------------------------------------------------------------------------------------


def test_a_vote_worked_by_hand() -> None:
    half = 1 / (1 + math.exp(-1.0))  # "ab" is one letter better
    owner = by_length()
    assert vote(owner, "ab", "a", rng=Draws(half - 0.01, 0.5)) == "first"
    assert vote(owner, "ab", "a", rng=Draws(half + 0.01, 0.5)) == "second"
    assert vote(owner, "ab", "a", rng=Draws(half - 0.01, 0.05)) == "second"
    assert vote(owner, "ab", "a", rng=Draws(half + 0.01, 0.05)) == "first"
    assert vote(owner, "ab", "a", rng=Draws(half - 0.01, 0.05), flips=0.0) == "first"


def test_near_ties_are_equal_and_draw_as_often() -> None:
    rng = Draws(0.1, 0.9)
    assert vote(by_length(), "a", "b", rng=rng) == "equal"
    assert rng.left == []
    assert vote(by_length(), "ab", "a", rng=Draws(0.1, 0.9), tie=1.5) == "equal"
    assert vote(by_length(), "a", "b", rng=Draws(0.1, 0.9), tie=0.0) == "first"


@pytest.mark.parametrize("flips", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_votes_come_with_the_chances_of_bradley_and_terry(flips: float, temperature: float) -> None:
    likes = 1 / (1 + math.exp(-2.0 / temperature))
    expected = likes * (1 - flips) + (1 - likes) * flips
    rng = np.random.default_rng(7)
    found = shares(by_length(temperature=temperature), "abc", "a", rng, flips=flips)
    assert found["first"] == pytest.approx(expected, abs=0.02)
    assert found["equal"] == 0


def test_flips_favour_no_side() -> None:
    one = shares(by_length(), "abc", "a", random.Random(3))
    other = shares(by_length(), "a", "abc", random.Random(4))
    assert one["first"] == pytest.approx(other["second"], abs=0.02)


def test_the_same_seed_gives_the_same_votes() -> None:
    runs = [
        [vote(OWNERS[0], PROSE, LISTED, rng=rng, tie=0.0) for _ in range(20)]
        for rng in (np.random.default_rng(5), np.random.default_rng(5))
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


@pytest.mark.parametrize("noise", [{"flips": -0.1}, {"flips": 1.1}, {"flips": math.nan}])
def test_impossible_flips_are_refused(noise: dict[str, float]) -> None:
    with pytest.raises(InvalidParameter, match="flips"):
        vote(OWNERS[0], "a", "b", rng=Draws(), **noise)


@pytest.mark.parametrize("tie", [-0.1, math.nan])
def test_impossible_ties_are_refused(tie: float) -> None:
    with pytest.raises(InvalidParameter, match="tie"):
        vote(OWNERS[0], "a", "b", rng=Draws(), tie=tie)


def test_a_win_has_a_margin() -> None:
    owner = Owner(name="n", taste="", utility=float)
    assert win(owner, "1", str(1 - MARGIN / 2)) == 0.5
    assert win(owner, "1", str(1 - MARGIN * 2)) == 1.0
    assert win(owner, "1", str(1 + MARGIN * 2)) == 0.0


def test_an_unknown_owner_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidParameter, match=r"'loud'.*brief, thorough"):
        find_owner("loud")
