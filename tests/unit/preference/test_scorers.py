"""Measured by hand, safe on any text, and quick on a long one."""

from __future__ import annotations

import math
import time
from dataclasses import astuple
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.preference.scorers import (
    SAME,
    difference,
    measures,
    per_100,
    scores,
)
from engine.preference.traits import BUILT_IN

IDS = [trait.id for trait in BUILT_IN]

LIST = """Here is how:

- Water it often.
- Give it light, and warmth.
- Cut it back.
"""
PARAGRAPH = "Here is how: Water it often. Give it light, and warmth. Cut it back."
CHINESE = "罗勒喜欢温暖。每天浇水，放在窗边。"

POLES = {
    "short": ("Water it daily.", PARAGRAPH),
    "lists": (LIST, PARAGRAPH),
    "formal": (
        "It is therefore recommended to water the plant; moreover, light is essential.",
        "Hey, don't worry, it's super easy! Just water that guy a bit, okay?",
    ),
    "simple": (
        "Put the pot in the sun. Give it a sip each day.",
        "Photosynthetic efficiency necessitates considerable irradiation throughout development.",
    ),
    "headings": ("# Basil\n\nGive it **light** and **water**.", "Give it light and water."),
    "warm": ("I hope you enjoy your lovely basil, dear friend!", "Basil requires water daily."),
    "vivid": (
        "Basil glows like a green flame, and its leaves dance in the golden dawn.",
        "Basil is green, and its leaves move in the morning.",
    ),
    "careful": (
        "It may need water, and light could perhaps help.",
        "It always needs water, and light definitely helps.",
    ),
    "personal": ("You can keep your basil near you.", "Basil keeps near a window."),
    "figures": ("Give it 200 ml every 2 days, at 21 °C.", "Give it some water now and then."),
}

any_text = st.text(max_size=300) | st.text(alphabet="ab .,!?*#-_`\n1(['’", max_size=300)


@pytest.mark.parametrize("trait_id", IDS)
def test_the_first_pole_scores_higher(trait_id: str) -> None:
    more, less = POLES[trait_id]
    assert scores(more)[trait_id] > scores(less)[trait_id]


def test_a_list_counted_by_hand() -> None:
    m = measures(LIST)
    assert (m.words, m.sentences, m.blocks, m.paragraphs, m.list_lines) == (14, 4, 4, 2, 3)
    assert m.words_per_sentence == 3.5
    assert m.pauses_per_100 == per_100(2, 14) == 10.0
    assert m.flesch == pytest.approx(206.835 - 1.015 * 3.5 - 84.6 * m.syllables_per_word)
    assert scores(LIST)["lists"] == 0.75


def test_a_list_of_names_is_one_long_sentence_where_stops_count() -> None:
    m = measures("Take these:\n\n- red pots\n- black soil\n- basil seeds")
    assert m.words_per_sentence == 2.0
    assert m.words_per_stop == 8.0


def test_words_counted_by_hand() -> None:
    m = measures("You don't know? It's 3.5 km, maybe more!! We've like a dozen of them. 😀")
    assert (m.words, m.sentences) == (14, 3)
    assert (m.numbers, m.questions, m.exclamations, m.emoji) == (1, 1, 1, 1)
    assert m.contractions_per_100 == per_100(3, 14)
    assert m.second_person_per_100 == m.hedges_per_100 == m.images_per_100 == 5.0


def test_markdown_is_not_read_as_words() -> None:
    m = measures(
        "## Title\n\n**Key** and __other__ [link](https://x.org/a_b) *so*.\n---\n**Bold:**"
    )
    assert (m.headings, m.bold, m.paragraphs) == (2, 2, 1)
    assert m.words == 1 + 5 + 1


def test_numbers_of_a_list_are_not_figures() -> None:
    assert measures("1. Cut it.\n2. Wait.").numbers == 0
    assert measures("1. Cut 20 leaves.\n2. Wait two days, until 3:30.").numbers == 3


def test_code_counts_as_length_only() -> None:
    m = measures("Run this:\n\n```python\n- x = 1  # you may\n```\nDone.")
    assert (m.list_lines, m.numbers, m.hedges_per_100, m.paragraphs) == (0, 0, 0.0, 2)
    assert m.words == 3 + 4
    cut_off = measures("Run:\n```\n# one\n- two")
    assert (cut_off.headings, cut_off.list_lines, cut_off.words) == (0, 0, 3)


def test_abbreviations_and_decimals_end_no_sentence() -> None:
    assert measures("Use herbs, e.g. basil, at 21.5 degrees. Ask Dr. Green.").sentences == 2


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("sun", 1), ("make", 1), ("table", 2), ("water", 2), ("wanted", 2), ("basil", 2), ("idea", 2)],
)
def test_syllables_by_groups_of_vowels(word: str, syllables: int) -> None:
    assert measures(word).syllables_per_word == syllables


def test_loops_are_seen() -> None:
    assert measures("a cake a cake a cake a cake").repeated_triples == pytest.approx(4 / 6)
    assert measures("one two three four five six").repeated_triples == 0.0


def test_the_share_of_distinct_words_in_a_window_hardly_falls_with_length() -> None:
    once = [f"w{i}" for i in range(50)]
    short, long = measures(" ".join(once)), measures(" ".join(once * 4))
    assert short.window_distinct_share == long.window_distinct_share == 1.0
    assert (short.distinct_share, long.distinct_share) == (1.0, 0.25)
    assert measures(" ".join(["x"] * 50)).window_distinct_share == 1 / 25


def test_other_languages_are_measured_where_nothing_is_english() -> None:
    assert measures(CHINESE).words == 7
    assert measures(CHINESE).sentences == 2
    german = "Basilikum braucht viel Licht und Wärme, und es will täglich etwas Wasser haben."
    for text in (CHINESE, german):
        assert set(scores(text)) == {"short", "lists", "headings", "figures"}
    assert measures("हिन्दी में लिखो").words == 3


@pytest.mark.parametrize(
    "text", ["", " \n", "😀😀", "```\n```", "---", "\ud800", "**", "- ", "\u0301"]
)
def test_nothing_to_read_is_safe(text: str) -> None:
    m = measures(text)
    assert m.words == 0
    assert m.flesch == m.words_per_sentence == 0.0
    assert scores(text) == {}


@given(any_text)
def test_measures_are_finite_and_in_range_on_any_text(text: str) -> None:
    m = measures(text)
    assert m == measures(text)
    assert all(math.isfinite(value) for value in astuple(m))
    assert min(astuple(m)[:10]) >= 0
    for share in (
        m.long_word_share,
        m.distinct_share,
        m.window_distinct_share,
        m.repeated_triples,
    ):
        assert 0.0 <= share <= 1.0
    assert -100.0 <= m.flesch <= 122.0
    assert m.paragraphs <= m.blocks
    assert all(math.isfinite(value) for value in scores(text).values())


@pytest.mark.parametrize(
    "unit",
    [
        "the cat, it may sit. ",
        "a",
        "(",
        "[x](",
        "**a",
        ".)",
        "- a b c d e f\n",
        "天气",
        "1.",
        "as a as ",
    ],
)
def test_a_hundred_kilobytes_are_quick(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    started = time.process_time()
    measures(text)
    difference(text, text[::-1])
    assert time.process_time() - started < 1.0  # 0.05 s; a pattern gone wild takes minutes


# Differences --------------------------------------------------------------------------------


def test_differences_worked_by_hand() -> None:
    assert difference("a b c d", "a b c e") == pytest.approx(1 / 4)
    assert difference("a b c", "c b a") == pytest.approx(2 / 3)  # one in order
    assert difference("a b", "c d") == 1.0
    assert difference("a b", "a b c d") == pytest.approx(1 - 4 / 6)
    assert difference("Ab  c", "ab c") == 0.0  # capitals and spaces do not count
    # No word differs; five marks of layout do: a paragraph less, six lines more.
    words = "a b c d e f"
    assert difference(words, "- " + "\n- ".join(words.split())) == pytest.approx(0.5 * 7 / 11)


def test_a_list_differs_from_a_paragraph_of_the_same_words() -> None:
    assert SAME < difference(LIST, PARAGRAPH) < 0.5


def test_hardly_a_change_is_not_worth_a_vote() -> None:
    changed = PARAGRAPH.replace("often", "daily")
    assert 0.0 < difference(PARAGRAPH, changed) < SAME
    assert difference(PARAGRAPH, PARAGRAPH.replace(". Cut", ".\n\nCut")) < SAME


def test_different_answers_are_worth_a_vote() -> None:
    assert difference(PARAGRAPH, "Basil loves sun. Keep the soil moist and trim the tips.") > 0.5
    assert difference(CHINESE, "猫喜欢睡觉。") > 0.5
    assert difference(PARAGRAPH, "") == 1.0
    assert difference("", " \n") == 0.0


@given(any_text, any_text)
@example("ab a", "a ab a")
def test_difference_is_symmetric_and_in_range(first: str, second: str) -> None:
    d = difference(first, second)
    assert 0.0 <= d <= 1.0
    assert d == difference(second, first)
    assert difference(first, first) == 0.0


@given(st.text(alphabet="abc", max_size=12), st.text(alphabet="abc", max_size=12))
def test_words_in_common_equal_the_textbook_recursion(first: str, second: str) -> None:
    @cache
    def common(i: int, j: int) -> int:
        if i == len(first) or j == len(second):
            return 0
        if first[i] == second[j]:
            return 1 + common(i + 1, j + 1)
        return max(common(i + 1, j), common(i, j + 1))

    if first and second:
        expected = 1 - 2 * common(0, 0) / (len(first) + len(second))
        assert difference(" ".join(first), " ".join(second)) == pytest.approx(expected)
