"""Which prompt variants a question needs, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EmptyQuestion, InputError, InvalidParameter, InvalidText
from engine.inference.variants import INSTRUCTION, Plan, check, plan
from engine.steering.sentences import compose, sentence
from engine.steering.strength import LINEAR_ALIGNMENT
from engine.types.answers import Message, Question
from engine.types.steering import (
    MAX_GAMMA,
    MAX_PREFERENCES,
    METHODS,
    Combine,
    Method,
    Place,
    Preference,
    Steering,
)

CHAT = (
    Message(role="user", text="Hello"),
    Message(role="assistant", text="Hello! What can I do?"),
    Message(role="user", text="How do I keep basil alive?"),
)
SYSTEM = Message(role="system", text="You are a gardener.")
BRIEF = Preference(text="concise", weight=0.5)
KIND = Preference(text="be kind", weight=2.0)
BRIEFLY, KINDLY = sentence(BRIEF), sentence(KIND)


def planned(*, messages: tuple[Message, ...] = CHAT, **steering: Any) -> Plan:
    return plan(Question(messages=messages, steering=Steering(**steering)))


def refused(*, messages: tuple[Message, ...] = CHAT, **steering: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        check(Question(messages=messages, steering=Steering(**steering)))
    with pytest.raises(type(caught.value)):
        planned(messages=messages, **steering)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


# What is decoded ----------------------------------------------------------------------------


def test_the_untouched_model_gets_the_chat_with_an_instruction() -> None:
    found = planned(method="base", preferences=(BRIEF,))
    assert found == Plan(
        chats=((Message(role="system", text=INSTRUCTION), *CHAT),), weights=(), gamma=0.0
    )


@pytest.mark.parametrize("method", METHODS)
def test_without_a_preference_every_method_is_the_untouched_model(method: Method) -> None:
    assert planned(method=method, gamma=5.0) == planned(method="base")


def test_an_instruction_of_the_owners_own_is_kept() -> None:
    found = planned(messages=(SYSTEM, *CHAT), method="base")
    assert found.chats == ((SYSTEM, *CHAT),)


def test_the_end_is_after_the_last_question_and_leaves_the_history_alone() -> None:
    base, preferred = planned(method="amulet", preferences=(BRIEF,), gamma=3.0, place="end").chats
    assert preferred[:-1] == base[:-1]
    assert preferred[-1] == Message(role="user", text=f"{CHAT[-1].text} ({BRIEFLY})")


def test_the_system_place_is_after_the_instruction_and_leaves_the_chat_alone() -> None:
    base, preferred = planned(
        messages=(SYSTEM, *CHAT), method="amulet", preferences=(BRIEF,), gamma=3.0, place="system"
    ).chats
    assert preferred[1:] == base[1:] == CHAT
    assert preferred[0] == Message(role="system", text=f"{SYSTEM.text} {BRIEFLY}")


@pytest.mark.parametrize("place", get_args(Place))
@pytest.mark.parametrize("combine", get_args(Combine))
def test_pref_only_states_the_preferences(place: Place, combine: Combine) -> None:
    found = planned(
        method="pref", preferences=(BRIEF, KIND), gamma=7.0, place=place, combine=combine
    )
    (chat,) = found.chats
    assert (found.weights, found.gamma) == ((), 0.0)
    assert f"{BRIEFLY} {KINDLY}" in chat[-1 if place == "end" else 0].text


@pytest.mark.parametrize("place", get_args(Place))
@pytest.mark.parametrize(("method", "gamma"), [("la", LINEAR_ALIGNMENT), ("amulet", 4.5)])
def test_a_sum_has_a_stream_and_a_weight_for_each_preference(
    method: Method, gamma: float, place: Place
) -> None:
    found = planned(method=method, preferences=(BRIEF, KIND), gamma=4.5, place=place)
    where = -1 if place == "end" else 0
    base, first, second = (chat[where].text for chat in found.chats)
    assert (first, second) == tuple(
        f"{base} ({text})" if place == "end" else f"{base} {text}" for text in (BRIEFLY, KINDLY)
    )
    assert (found.weights, found.gamma) == ((0.5, 2.0), gamma)


@pytest.mark.parametrize("place", get_args(Place))
@pytest.mark.parametrize(("method", "gamma"), [("la", LINEAR_ALIGNMENT), ("amulet", 4.5)])
def test_composed_preferences_share_one_stream(method: Method, gamma: float, place: Place) -> None:
    found = planned(
        method=method, preferences=(BRIEF, KIND), gamma=4.5, place=place, combine="compose"
    )
    _, preferred = found.chats
    assert compose((BRIEF, KIND)) in preferred[-1 if place == "end" else 0].text
    mean = (BRIEF.weight + KIND.weight) / 2
    assert (found.weights, found.gamma) == ((mean,), gamma)


@pytest.mark.parametrize("method", METHODS)
def test_for_one_preference_composing_and_summing_are_the_same(method: Method) -> None:
    wanted = (KIND,)
    assert planned(method=method, preferences=wanted, combine="compose") == planned(
        method=method, preferences=wanted, combine="sum"
    )


@pytest.mark.parametrize("combine", get_args(Combine))
def test_strength_0_needs_no_base_stream(combine: Combine) -> None:
    found = planned(method="amulet", preferences=(BRIEF,), gamma=0.0, combine=combine)
    assert found == planned(method="pref", preferences=(BRIEF,))


def test_a_weight_of_0_is_the_preference_alone() -> None:
    nothing = replace(BRIEF, weight=0.0)
    found = planned(method="amulet", preferences=(nothing,), gamma=5.0)
    assert found == planned(method="pref", preferences=(BRIEF,))


def test_strength_0_with_several_preferences_keeps_their_streams() -> None:
    found = planned(method="amulet", preferences=(BRIEF, KIND), gamma=0.0)
    assert len(found.chats) == 3
    assert (found.weights, found.gamma) == ((0.5, 2.0), 0.0)


preferences = st.lists(
    st.builds(Preference, text=st.sampled_from(["formal", "be brief"]), weight=st.floats(0, 2)),
    max_size=MAX_PREFERENCES,
).map(tuple)
steerings = st.builds(
    Steering,
    method=st.sampled_from(METHODS),
    preferences=preferences,
    gamma=st.floats(0, MAX_GAMMA),
    plausibility=st.none() | st.floats(0.001, 1.0),
    place=st.sampled_from(get_args(Place)),
    combine=st.sampled_from(get_args(Combine)),
)


@given(steerings)
def test_every_plan_has_a_base_stream_and_one_per_weight_or_a_single_stream(
    steering: Steering,
) -> None:
    found = plan(Question(messages=CHAT, steering=steering))
    assert len(found.chats) == 1 + len(found.weights)
    assert found.weights or found.gamma == 0.0
    for chat in found.chats:
        assert [m.role for m in chat] == ["system", "user", "assistant", "user"]
        assert chat[1:-1] == CHAT[:-1]
        assert chat[0].text.startswith(INSTRUCTION)
        assert chat[-1].text.startswith(CHAT[-1].text)
    assert len(set(found.chats)) <= 1 + len({p.text for p in steering.preferences})


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "messages",
    [(), CHAT[:2], (SYSTEM,), (*CHAT[:2], Message(role="user", text=" \n\t"))],
)
def test_a_chat_without_a_question_is_refused(messages: tuple[Message, ...]) -> None:
    error = refused(messages=messages)
    assert isinstance(error, EmptyQuestion)
    assert "Write something first" in error.message


@pytest.mark.parametrize("where", range(3))
def test_half_a_character_anywhere_is_refused_with_its_place(where: int) -> None:
    broken = list(CHAT)
    broken[where] = replace(broken[where], text="ab\ud800c")
    error = refused(messages=tuple(broken))
    assert isinstance(error, InvalidText)
    assert "at place 3" in error.message


def test_half_a_character_in_a_preference_is_refused() -> None:
    assert isinstance(refused(preferences=(Preference(text="be \udfff"),)), InvalidText)


@pytest.mark.parametrize("bad", [-0.1, MAX_GAMMA + 0.1, math.nan, math.inf])
def test_a_strength_outside_its_range_is_refused(bad: float) -> None:
    error = refused(method="amulet", preferences=(BRIEF,), gamma=bad)
    assert isinstance(error, InvalidParameter)
    assert f"strength is {bad!r}, but must be from 0 to {MAX_GAMMA:g}." in error.message


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, math.nan, math.inf])
def test_a_plausibility_outside_its_range_is_refused(bad: float) -> None:
    error = refused(plausibility=bad)
    assert isinstance(error, InvalidParameter)
    assert f"plausibility is {bad!r}" in error.message
    assert "above 0 and at most 1, or off" in error.message


@pytest.mark.parametrize("bad", [-0.1, 2.1, math.nan, math.inf])
def test_a_weight_outside_its_range_is_refused(bad: float) -> None:
    error = refused(preferences=(BRIEF, Preference(text="kind", weight=bad)))
    assert isinstance(error, InvalidParameter)
    assert f"weight is {bad!r}, but must be from 0 to 2." in error.message


@pytest.mark.parametrize("text", ["", "  ", "x " * 200])
def test_a_preference_that_is_no_sentence_is_refused(text: str) -> None:
    assert isinstance(refused(preferences=(Preference(text=text),)), InvalidParameter)


def test_too_many_preferences_are_refused_with_the_most() -> None:
    planned(preferences=(BRIEF,) * MAX_PREFERENCES)
    error = refused(preferences=(BRIEF,) * (MAX_PREFERENCES + 1))
    assert f"{MAX_PREFERENCES + 1} preferences" in error.message
    assert f"{MAX_PREFERENCES} are the most" in error.message


def test_an_unknown_method_is_refused_with_those_that_exist() -> None:
    assert get_args(Method) == METHODS
    error = refused(method="magic")
    assert "'magic'" in error.message
    assert all(method in error.message for method in METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_bad_preferences_are_refused_whatever_the_method(method: Method) -> None:
    refused(method=method, preferences=(Preference(text=""),))


def test_the_ends_of_every_range_are_allowed() -> None:
    ends = (replace(BRIEF, weight=0.0), replace(BRIEF, weight=2.0))
    for gamma in (0.0, MAX_GAMMA):
        planned(method="amulet", preferences=ends, gamma=gamma, plausibility=1.0)
    planned(method="amulet", preferences=ends, plausibility=1e-9)
    planned(method="amulet", preferences=ends, plausibility=None)
