"""Batches are as full as streams and cache allow, and no question is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EmptyQuestion
from engine.inference.model import MAX_STREAMS
from engine.inference.variants import INSTRUCTION
from engine.jobs.packing import TEMPLATE_TOKENS, Sized, packed, sized
from tests.fakes.asking import preferring
from tests.unit.jobs.conftest import asked


def one(key: str, *, streams: int, prompt: int = 10, longest: int = 10) -> Sized:
    return Sized(asked=asked(key, max_tokens=longest), streams=streams, prompt=prompt)


def keys(batches: list[tuple[Sized, ...]]) -> list[str]:
    return ["".join(question.asked.key for question in batch) for batch in batches]


# What a question takes ----------------------------------------------------------------------


def test_a_question_takes_a_stream_for_each_prompt_variant() -> None:
    plain, steered = asked("a"), asked("b", steering=preferring("brief", "warm"))
    assert [sized(q).streams for q in (plain, steered)] == [1, 3]


def test_the_length_of_a_prompt_is_guessed_from_its_bytes() -> None:
    written = len(INSTRUCTION) + len("“é”".encode())
    assert sized(asked("a", "“é”")).prompt == written // 3 + TEMPLATE_TOKENS


def test_the_longest_variant_counts() -> None:
    plain = sized(asked("a", "So?"))
    steered = sized(asked("a", "So?", steering=preferring("extremely verbose")))
    assert steered.prompt > plain.prompt


def test_a_question_that_cannot_be_asked_is_refused() -> None:
    with pytest.raises(EmptyQuestion):
        sized(asked("a", " "))


# Batches ------------------------------------------------------------------------------------


def test_questions_of_equal_streams_stand_together_in_their_order() -> None:
    mixed = [one("a", streams=2), one("b", streams=1), one("c", streams=2), one("d", streams=1)]
    assert keys(packed(mixed, cells=1000)) == ["bd", "ac"]


def test_a_batch_has_no_more_streams_than_a_model_decodes_at_once() -> None:
    many = [one(key, streams=6) for key in "abcde"]
    assert keys(packed(many, cells=10_000)) == ["ab", "cd", "e"]


def test_the_longest_prompt_and_the_longest_answer_decide_what_fits_the_cache() -> None:
    # Each gets an equal part: 3 × (40 + 60) is all there is.
    questions = [
        one("a", streams=1, prompt=40, longest=5),
        one("b", streams=1, prompt=1, longest=60),
        one("c", streams=1, prompt=1, longest=1),
    ]
    assert keys(packed(questions, cells=300)) == ["abc"]
    assert keys(packed(questions, cells=299)) == ["ab", "c"]


def test_what_is_too_large_even_alone_is_tried_alone() -> None:
    questions = [one("a", streams=1), one("b", streams=1, prompt=500), one("c", streams=1)]
    assert keys(packed(questions, cells=100)) == ["a", "b", "c"]


def test_nothing_makes_no_batch() -> None:
    assert packed([], cells=100) == []


QUESTIONS = st.lists(
    st.builds(
        one,
        st.sampled_from("abcdef"),
        streams=st.integers(1, 5),
        prompt=st.integers(1, 200),
        longest=st.integers(1, 200),
    ),
    max_size=40,
)


@given(questions=QUESTIONS, cells=st.integers(1, 4000))
def test_every_question_is_in_one_batch_that_fits_and_could_take_no_other(
    questions: list[Sized], cells: int
) -> None:
    batches = packed(questions, cells=cells)
    assert sorted(map(id, questions)) == sorted(id(q) for batch in batches for q in batch)
    for batch in batches:
        assert len({question.streams for question in batch}) == 1
        assert len(batch) == 1 or fits(batch, cells)
    for batch, later in pairwise(batches):
        assert batch[0].streams != later[0].streams or not fits((*batch, later[0]), cells)


def fits(batch: tuple[Sized, ...], cells: int) -> bool:
    streams = sum(question.streams for question in batch)
    prompt = max(question.prompt for question in batch)
    answer = max(question.longest for question in batch)
    return streams <= MAX_STREAMS and streams * (prompt + answer) <= cells
