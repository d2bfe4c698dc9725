"""The built-in traits, and traits in the owner's own words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.preference.traits import BUILT_IN, MAX_LENGTH, MAX_TRAITS, find, own

SENTENCES = tuple(trait.sentence for trait in BUILT_IN)


def test_there_are_ten_and_room_for_the_owners() -> None:
    ids = [trait.id for trait in BUILT_IN]
    assert ids == [
        "short",
        "lists",
        "formal",
        "simple",
        "headings",
        "warm",
        "vivid",
        "careful",
        "personal",
        "figures",
    ]
    assert len(BUILT_IN) < MAX_TRAITS


def test_what_is_most_visible_is_asked_first() -> None:
    visible = [trait.visible for trait in BUILT_IN]
    assert visible == sorted(visible, reverse=True)
    assert all(0 < each <= 1 for each in visible)


def test_every_built_in_trait_has_two_poles_that_differ() -> None:
    for trait in BUILT_IN:
        assert trait.more != trait.less
        assert trait.sentence != trait.opposite
        assert trait.opposite
        assert not trait.own
    assert len({trait.more for trait in BUILT_IN} | {trait.less for trait in BUILT_IN}) == 20


def test_no_built_in_trait_is_about_agreement_or_praise() -> None:
    words = r"agree|contradict|prais|flatter|compliment|right|correct|yes|approv|validat|admir"
    for trait in BUILT_IN:
        for text in (trait.id, trait.more, trait.less, trait.sentence, trait.opposite):
            assert not re.search(words, text, re.IGNORECASE)


def test_own_words_become_a_trait() -> None:
    trait = own("  Explain with\n examples from   cooking. ", existing=SENTENCES)
    assert trait.sentence == "Explain with examples from cooking."
    assert trait.more == "Explain with examples from cooking"
    assert trait.less == "not: Explain with examples from cooking"
    assert trait.opposite == ""
    assert trait.own
    assert trait.visible == 0.7
    assert re.fullmatch(r"own-explain-with-examples-[0-9a-f]{8}", trait.id)


def test_long_words_are_shortened_between_words() -> None:
    trait = own("Explain everything as if the reader had never heard of it.", existing=())
    assert trait.more == "Explain everything as if the reader had…"
    assert len(own("x" * 100, existing=()).more) == 40


@pytest.mark.parametrize(
    "sentence", ["用简单的词。", "Antworte wie ein Pirat.", "émojis 🙂 partout"]
)
def test_any_language_will_do(sentence: str) -> None:
    trait = own(sentence, existing=SENTENCES)
    assert trait.sentence == sentence
    assert re.fullmatch(r"own-[a-z0-9-]*[0-9a-f]{8}", trait.id)


@pytest.mark.parametrize("sentence", ["", " \n\t ", "...", "\u200b", "🙂", "\x00"])
def test_nothing_is_refused(sentence: str) -> None:
    with pytest.raises(InvalidParameter, match="empty"):
        own(sentence, existing=())


def test_the_longest_allowed_is_allowed() -> None:
    assert own("a" * MAX_LENGTH, existing=()).own
    with pytest.raises(InvalidParameter, match="301 characters"):
        own("a" * (MAX_LENGTH + 1), existing=())


def test_broken_unicode_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="valid Unicode"):
        own("be brief \ud800", existing=())


def test_control_characters_become_spaces() -> None:
    assert own("be\x00 more\x1b playful", existing=()).sentence == "be more playful"


@pytest.mark.parametrize(
    "sentence",
    [
        "be warm and FRIENDLY",
        "Answer at length and in great detail",  # the other pole of a built-in one
        "talk like  a Pirate",
    ],
)
def test_what_is_there_already_is_refused(sentence: str) -> None:
    with pytest.raises(InvalidParameter, match="already a trait"):
        own(sentence, existing=[*SENTENCES, "Talk like a pirate."])


def test_there_are_twelve_at_most() -> None:
    eleven = [*SENTENCES, "Talk like a pirate."]
    assert own("Rhyme.", existing=eleven).own
    with pytest.raises(InvalidParameter, match="12 are the most"):
        own("Rhyme.", existing=[*eleven, "Use British spelling."])


@pytest.mark.parametrize(
    "sentence",
    [
        "agree with me",
        "Always agree.",
        "AGREE WITH EVERYTHING I SAY",
        "Praise me.",
        "tell me I am right",
        "Tell me that I’m always right!",
        "say that my ideas are great",
        "flatter me",
        "Never flatter me.",  # its other pole flatters
        "compliment me often",
        "never contradict me",
        "Don’t contradict",
        "always say yes",
        "never say no",
        "Take my side.",
        "Validate my opinions.",
        "confirm what I think",
        "Don't disagree with me",
        "never tell me I'm wrong",
        "Tell me what I want to hear",
        "call me a genius",
        "tell me how smart I am",
        "do not criticise my ideas",
    ],
)
def test_agreement_and_flattery_are_not_learned(sentence: str) -> None:
    with pytest.raises(InvalidParameter, match="never whether they agree with you"):
        own(sentence, existing=SENTENCES)


@pytest.mark.parametrize(
    "sentence",
    [
        "Say where experts disagree.",
        "Answer yes or no first.",
        "Correct my grammar.",
        "Assume I am a doctor.",
        "Support claims with sources.",
        "Say when I am wrong.",
        "Be upbeat and encouraging.",
        "Give the right units.",
        "Never argue from authority.",
    ],
)
def test_words_near_agreement_are_allowed(sentence: str) -> None:
    assert own(sentence, existing=SENTENCES).sentence == sentence


@given(st.text(max_size=320))
def test_any_text_is_a_trait_or_a_clear_error(text: str) -> None:
    try:
        trait = own(text, existing=SENTENCES)
    except InvalidParameter:
        return
    else:
        assert trait.id == own(text.casefold(), existing=SENTENCES).id
        assert 0 < len(trait.more) <= 40


def test_find_knows_ids_and_names_them() -> None:
    assert find("warm", BUILT_IN).more == "a warm tone"
    with pytest.raises(InvalidParameter, match=r"'loud'.*short, lists"):
        find("loud", BUILT_IN)
    with pytest.raises(InvalidParameter, match="none yet"):
        find("loud", ())
