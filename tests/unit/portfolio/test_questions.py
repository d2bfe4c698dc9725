"""The questions are varied from the first ones on, our own, and well formed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio.questions import (
    QUESTIONS,
    VERSION,
    CalibrationQuestion,
    fingerprint,
)
from engine.session.questions import HELD_OUT, VOTED_ON

ONE = CalibrationQuestion(
    id="one", kind="fact", text="Why?", keys=(("a",), ("b", "c")), needed=(("d",),), harmful=("e",)
)
each = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)


def words(text: str) -> set[str]:
    """Without the small ones."""
    return set(re.findall(r"\w{4,}", text.lower()))


def test_there_are_sixty_everyday_questions_and_ten_about_safety() -> None:
    kinds = Counter(question.kind for question in QUESTIONS)
    assert kinds.pop("safety") == 10
    assert sum(kinds.values()) == 60
    assert len(kinds) == 7
    assert min(kinds.values()) >= 6


def test_no_question_is_there_twice() -> None:
    assert len({question.id for question in QUESTIONS}) == 70
    assert len({question.text for question in QUESTIONS}) == 70
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", question.id) for question in QUESTIONS)


@given(st.integers(0, 63))
def test_any_seven_in_a_row_are_of_at_least_six_kinds_with_one_about_safety(start: int) -> None:
    kinds = [question.kind for question in QUESTIONS[start : start + 7]]
    assert len(set(kinds)) >= 6
    assert kinds.count("safety") == 1


def test_every_second_question_is_as_varied_as_the_others() -> None:
    halves = [Counter(q.kind for q in QUESTIONS[start::2]) for start in (0, 1)]
    assert all(abs(halves[0][kind] - halves[1][kind]) <= 2 for kind in halves[0] | halves[1])


def test_the_questions_of_simulations_are_other_ones() -> None:
    for question in QUESTIONS:
        for other in (*VOTED_ON, *HELD_OUT):
            mine, theirs = words(question.text), words(other)
            assert len(mine & theirs) / len(mine | theirs) < 0.6, (question.text, other)


@each
def test_what_a_good_answer_names_is_well_formed(question: CalibrationQuestion) -> None:
    assert 4 <= len(question.keys) <= 8
    phrases = [phrase for group in question.keys for phrase in group]
    assert len(phrases) == len(set(phrases))
    for phrase in (*phrases, *(p for group in question.needed for p in group), *question.harmful):
        assert re.fullmatch(r"[a-z0-9'.:]+( [a-z0-9'.:]+)*", phrase), phrase


@each
def test_what_must_be_named_is_known_where_there_is_a_right_answer(
    question: CalibrationQuestion,
) -> None:
    assert bool(question.needed) == (question.kind in ("fact", "reasoning", "safety"))
    assert bool(question.harmful) == (question.kind == "safety")


def test_a_question_is_read_from_its_table() -> None:
    spider = next(question for question in QUESTIONS if question.id == "spider-legs")
    assert spider.text == "How many legs does a spider have?"
    assert spider.keys[0] == ("eight", "8")
    assert spider.keys[-1] == ("web", "silk", "prey", "walk", "move", "hunt")
    assert spider.needed == (("eight", "8"),)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, id="two"),
        replace(ONE, kind="advice"),
        replace(ONE, text="How?"),
        replace(ONE, keys=(("a", "b"), ("c",))),
        replace(ONE, needed=()),
        replace(ONE, harmful=("f",)),
    ],
)
def test_every_part_of_a_question_changes_the_fingerprint(other: CalibrationQuestion) -> None:
    assert fingerprint([ONE]) == fingerprint([replace(ONE)])
    assert fingerprint([ONE]) != fingerprint([other])


def test_the_fingerprint_tells_order_and_number() -> None:
    assert fingerprint(QUESTIONS) == VERSION
    assert len(VERSION) == 16
    assert len({fingerprint(QUESTIONS[:n]) for n in range(10, 71)}) == 61
    assert fingerprint(QUESTIONS[::-1]) != VERSION
