"""What answers are scored on: which poles, what they are called, and what a text scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.numerics import F64
from engine.preference.learner import Serving, TraitPull, poles
from engine.preference.scorers import scores
from engine.preference.traits import BUILT_IN, own
from engine.session import objectives
from engine.session.objectives import QUALITY, chosen, stated, without
from engine.types.answers import Message, Question
from engine.types.learning import Learned, LearnedTrait, Trait
from engine.types.portfolio import Objective
from engine.types.steering import Preference, Reward, Steering

BY_ID = {trait.id: trait for trait in BUILT_IN}
EVERY_POLE = [f"{trait.id}{sign}" for trait in BUILT_IN for sign in "+-"]


def learned(trait: Trait | str, theta: float) -> LearnedTrait:
    found = BY_ID[trait] if isinstance(trait, str) else trait
    sure = 0.95 if theta > 0.0 else 0.05
    return LearnedTrait(
        trait=found, weight=0.5, low=0.1, high=0.9, sure=sure, theta=theta, votes=(), to_settle=0
    )


def votes_say(*known: LearnedTrait, removed: tuple[Trait, ...] = ()) -> Learned:
    return Learned(
        traits=known, learner="utilities", neutral=False, votes=0, to_settle=0, removed=removed
    )


def ids(*known: LearnedTrait, removed: tuple[Trait, ...] = ()) -> list[str]:
    return [objective.id for objective in chosen(votes_say(*known, removed=removed))]


def unstated(serving: Serving, texts: Sequence[str]) -> Serving:
    """What is left of a serving beside a member that states these."""
    question = Question(
        messages=(Message(role="user", text="Why?"),),
        steering=Steering(preferences=tuple(Preference(text=text) for text in texts)),
    )
    return without(serving, stated(question))


# Which --------------------------------------------------------------------------------------


def test_before_anything_is_learned_there_are_the_usual_ones_and_quality() -> None:
    assert chosen(votes_say()) == (
        Objective(id="short+", name="shorter answers"),
        Objective(id="simple+", name="simple words"),
        Objective(id="warm+", name="a warm tone"),
        Objective(id=QUALITY, name="good answers", floor=0.25),
    )


def test_what_steers_comes_first_the_strongest_before_the_others() -> None:
    known = learned("formal", 0.5), learned("vivid", -2.0)
    assert ids(*known) == ["vivid-", "formal+", "short+", QUALITY]


def test_a_trait_that_does_not_steer_is_no_objective() -> None:
    assert "formal+" not in ids(learned("formal", 0.0))


def test_a_usual_pole_gives_way_to_the_other_side_of_its_trait() -> None:
    assert ids(learned("short", -1.0)) == ["short-", "simple+", "warm+", QUALITY]


def test_no_more_than_three_styles_are_asked_for() -> None:
    known = [
        learned(trait, 1.0 + i) for i, trait in enumerate(("lists", "formal", "vivid", "warm"))
    ]
    assert ids(*known) == ["warm+", "vivid+", "formal+", QUALITY]


def test_a_trait_in_the_owners_own_words_cannot_be_measured() -> None:
    rhyming = own("Answer in rhymes.", existing=())
    assert ids(learned(rhyming, 2.0)) == ids()


@given(st.lists(st.tuples(st.sampled_from(BUILT_IN), st.floats(-2.5, 2.5)), max_size=10))
def test_every_trait_is_there_once_and_quality_always_last(
    known: list[tuple[Trait, float]],
) -> None:
    unique = {trait.id: learned(trait, theta) for trait, theta in known}
    *styles, last = ids(*unique.values())
    assert last == QUALITY
    assert len(styles) == len({objectives.trait_id(id) for id in styles}) == objectives.STYLES
    assert objectives.floors(chosen(votes_say(*unique.values()))).sum() < 1.0


def test_what_the_votes_only_lean_to_is_not_measured_yet() -> None:
    leaning = replace(learned("formal", -1.5), sure=0.2)
    assert ids(leaning) == ["short+", "simple+", "warm+", QUALITY]
    assert ids(replace(leaning, sure=0.05))[0] == "formal-"


def test_a_trait_that_the_owner_removed_does_not_come_back_as_a_usual_one() -> None:
    assert ids(removed=(BY_ID["simple"],)) == ["short+", "warm+", QUALITY]


# Words --------------------------------------------------------------------------------------


def test_every_pole_has_a_name_an_adjective_and_a_sentence_of_its_own() -> None:
    for words in (objectives.name_of, objectives.adjective_of, objectives.sentence_of):
        said = [words(id) for id in EVERY_POLE]
        assert all(said)
        assert len(set(said)) == len(EVERY_POLE)


@pytest.mark.parametrize(
    ("id", "name", "adjective", "sentence"),
    [
        ("short+", "shorter answers", "short", "Answer in one or two sentences."),
        ("short-", "longer answers", "detailed", "Answer at length and in great detail."),
        ("warm-", "a neutral tone", "matter-of-fact",
         "Be neutral and matter-of-fact, without any emotion."),
    ],
)  # fmt: skip
def test_what_a_pole_is_called(id: str, name: str, adjective: str, sentence: str) -> None:
    assert objectives.name_of(id) == name
    assert objectives.adjective_of(id) == adjective
    assert objectives.sentence_of(id) == sentence


def test_the_trait_behind_an_objective() -> None:
    assert [objectives.trait_id(id) for id in ("short+", "warm-", QUALITY)] == ["short", "warm", ""]
    assert objectives.pole("warm-") == (BY_ID["warm"], "-")


# Scores -------------------------------------------------------------------------------------


def asked(*names: str) -> list[Objective]:
    return [Objective(id=id, name=id) for id in names]


def same(found: F64, expected: Sequence[float]) -> bool:
    return np.array_equal(found, np.asarray(expected), equal_nan=True)


def test_scores_by_hand() -> None:
    # Two lines, both of a list; five words, of which none is warm.
    text = "- salt and water\n- cold soap"
    found = objectives.style(asked("lists+", "lists-", "short+", "warm+", QUALITY), text)
    assert same(found, [1.0, -1.0, -math.log(6.0), 0.0, math.nan])


@pytest.mark.parametrize("text", ["", " \n", "🙂"])
def test_nothing_is_known_of_a_text_without_words(text: str) -> None:
    found = objectives.style(asked("short+", "short-", "warm+", QUALITY), text)
    assert np.isnan(found).all()


def test_of_another_language_only_what_any_has_is_known() -> None:
    text = "Man nimmt kaltes Wasser und reibt den Fleck vorsichtig mit etwas Salz aus. " * 3
    short, warm = objectives.style(asked("short+", "warm+"), text)
    assert math.isfinite(short)
    assert math.isnan(warm)


@pytest.mark.parametrize("id", [trait.id for trait in BUILT_IN])
def test_the_other_pole_scores_the_opposite(id: str) -> None:
    text = "Dear friend, perhaps you could **try** 3 cups of cold water, like a river. Enjoy!"
    more, less = objectives.of_scores(asked(f"{id}+", f"{id}-"), scores(text))
    assert less == -more


def test_what_was_not_measured_is_not_known() -> None:
    found = objectives.of_scores(asked("short+", "warm-"), {"short": -2.0})
    assert same(found, [-2.0, math.nan])


def test_floors_stand_where_their_objectives_do() -> None:
    assert objectives.floors(chosen(votes_say())).tolist() == [0.0, 0.0, 0.0, 0.25]


# What a member states already ----------------------------------------------------------------


def pulls(*traits: str) -> tuple[TraitPull, ...]:
    return tuple(pull for trait in traits for pull in poles(BY_ID[trait]))


@pytest.mark.parametrize("stated", [BY_ID["short"].sentence, BY_ID["short"].opposite])
def test_a_trait_that_is_stated_is_not_pulled_at_as_well(stated: str) -> None:
    serving = Serving(pulls=pulls("short", "warm"))
    assert unstated(serving, [stated]).pulls == pulls("warm")


@pytest.mark.parametrize("texts", [[], ["concise"], ["", "Answer in rhymes."]])
def test_other_wishes_leave_what_was_learned_alone(texts: list[str]) -> None:
    reward = Reward(network=b"", units=1)
    serving = Serving(pulls=pulls("short", "warm"), reward=reward)
    assert unstated(serving, texts) == serving


def test_several_wishes_silence_each_their_own() -> None:
    serving = Serving(pulls=pulls("short", "warm", "simple"))
    texts = [BY_ID["warm"].sentence, BY_ID["short"].sentence]
    assert unstated(serving, texts).pulls == pulls("simple")
