"""Preferences as sentences that a model can read."""

from __future__ import annotations

import pytest

from engine.errors import InvalidParameter
from engine.steering.sentences import MAX_LENGTH, compose, sentence
from engine.types.steering import Preference


def said(text: str) -> str:
    return sentence(Preference(text=text))


@pytest.mark.parametrize("word", ["concise", "formal", "knapp", "créatif", "down-to-earth"])
def test_a_single_word_takes_the_published_form(word: str) -> None:
    assert said(word) == f"Your answer should be {word} as much as possible."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("be brief", "Be brief."),
        ("Use short words.", "Use short words."),
        ("no lists!", "No lists!"),
        ("Why not in verse?", "Why not in verse?"),
        ("and so on …", "And so on …"),
        ("请 简短。", "请 简短。"),
        ("3 sentences at most", "3 sentences at most."),
        ("C++", "C++."),
    ],
)
def test_free_text_stands_as_written_and_ends_like_a_sentence(text: str, expected: str) -> None:
    assert said(text) == expected


def test_space_around_and_between_words_does_not_count() -> None:
    assert said("  concise\n") == said("concise")
    assert said("be\n\n  brief\t") == "Be brief."


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_an_empty_preference_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"empty.*Say in a few words"):
        said(text)


def test_the_longest_preference_is_allowed_and_one_more_character_is_not() -> None:
    longest = "so " * (MAX_LENGTH // 3 - 1) + "far"
    assert len(longest) == MAX_LENGTH
    assert said(longest).startswith("So so")
    with pytest.raises(InvalidParameter, match=rf"{MAX_LENGTH + 1} characters.*{MAX_LENGTH}"):
        said(longest + "s")


def test_several_preferences_become_one_text_in_their_order() -> None:
    both = [Preference(text="formal"), Preference(text="be brief")]
    assert compose(both) == ("Your answer should be formal as much as possible. Be brief.")
    assert compose(both[:1]) == sentence(both[0])
    assert compose([]) == ""


def test_the_weight_is_not_part_of_the_sentence() -> None:
    assert sentence(Preference(text="formal", weight=0.5)) == said("formal")
