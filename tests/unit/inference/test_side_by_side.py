"""Several answers from the same batches, and what their streams tell about them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InternalError
from engine.inference.prompts import fit
from engine.inference.variants import plan
from engine.numerics import log_softmax
from engine.types.answers import Answer, Question
from engine.types.steering import MAX_THETA, Pull, Steering
from tests.fakes.asking import Asker, question
from tests.fakes.model import FakeModel, made_up

HELLO = "How do I keep basil alive?"
WATCHED = Pull(sentence="Answer in one or two sentences.", theta=0.0)
thetas = st.floats(-MAX_THETA, MAX_THETA)


def pulled(*thetas: float, seed: int = 3) -> Question:
    pulls = tuple(
        Pull(sentence=f"{WATCHED.sentence} {i or ''}".strip(), theta=theta)
        for i, theta in enumerate(thetas)
    )
    asked = question(HELLO, steering=Steering(pulls=pulls), max_tokens=6, seed=seed)
    return replace(asked, sampling=replace(asked.sampling, temperature=0.7))


def ask(asker: Asker, *questions: Question) -> list[Answer]:
    return [e for e in asker.generation(*questions).run() if isinstance(e, Answer)]


def log_prob(prompt: tuple[int, ...], answer: str) -> float:
    """log p of the answer's bytes after a prompt, token by token."""
    tokens = [*prompt, *answer.encode()]
    return sum(
        float(log_softmax(made_up(tuple(tokens[:i])))[tokens[i]])
        for i in range(len(prompt), len(tokens))
    )


@given(theta=thetas, seed=st.integers(0, 99))
def test_utilities_are_what_each_stream_alone_thinks_of_the_answer(theta: float, seed: int) -> None:
    asker = Asker(FakeModel())
    asked = pulled(theta, seed=seed)
    (answer,) = ask(asker, asked)
    if answer.finish != "length" or "\ufffd" in answer.text or answer.text != answer.text.strip():
        return  # the bytes cannot be told from the text
    chats = plan(asked).chats
    prompts = fit(chats, model=asker.model, form=asker.form, max_tokens=6).prompts
    base, liked = (log_prob(prompt, answer.text) for prompt in prompts)
    if len(answer.text.encode()) == answer.tokens:
        assert answer.utilities[0] == pytest.approx(liked - base, abs=1e-3)
        assert answer.surprise == pytest.approx(-base / answer.tokens, abs=1e-3)


@given(seed=st.integers(0, 99), more=st.integers(1, 3))
def test_streams_that_only_listen_leave_the_answer_as_it_is(seed: int, more: int) -> None:
    asker = Asker(FakeModel())
    plain = question(HELLO, max_tokens=6, seed=seed)
    plain = replace(plain, sampling=replace(plain.sampling, temperature=0.7))
    listened = pulled(*[0.0] * more, seed=seed)
    (one,), (other,) = ask(asker, plain), ask(asker, listened)
    assert one.text == other.text
    assert len(other.utilities) == more


def test_a_listener_beside_a_pull_leaves_the_pull_as_it_is() -> None:
    asker = Asker(FakeModel())
    (alone,), (beside,) = ask(asker, pulled(1.5)), ask(asker, pulled(1.5, 0.0))
    assert alone.text == beside.text
    assert beside.utilities[0] == pytest.approx(alone.utilities[0])


@given(one=thetas, other=thetas, seed=st.integers(0, 99))
def test_two_answers_at_once_are_the_answers_one_at_a_time(
    one: float, other: float, seed: int
) -> None:
    asker = Asker(FakeModel())
    asked = pulled(one, seed=seed), pulled(other, seed=seed)
    alone = [ask(asker, q)[0] for q in asked]
    for found, expected in zip(ask(asker, *asked), alone, strict=True):
        assert found.text == expected.text
        assert found.utilities == pytest.approx(expected.utilities)


def test_answers_to_different_questions_share_batches_and_nothing_else() -> None:
    asker = Asker(FakeModel())
    asked = [question(f"Why {i}?", max_tokens=4 + i, seed=i) for i in range(4)]
    alone = [ask(asker, q)[0].text for q in asked]
    assert [a.text for a in ask(asker, *asked)] == alone


def test_the_shorter_of_two_answers_ends_and_the_other_goes_on() -> None:
    asker = Asker(FakeModel())
    short, long = question(HELLO, max_tokens=2, seed=1), question(HELLO, max_tokens=9, seed=1)
    first, second = ask(asker, short, long)
    assert (first.tokens, second.tokens) == (2, 9)
    assert second.text == ask(asker, long)[0].text


def test_more_streams_than_there_are_is_a_mistake_of_ours() -> None:
    asker = Asker(FakeModel())
    with pytest.raises(InternalError):
        asker.generation(*[pulled(1.0, 1.0, 1.0)] * 5)


def test_an_embedding_is_the_mean_of_the_hidden_states_of_its_tokens() -> None:
    asker = Asker(FakeModel())
    (answer,) = ask(asker, replace(pulled(1.0), embed=True))
    assert len(np.frombuffer(answer.embedding, np.float32)) == asker.model.shape.width
    (without,) = ask(asker, pulled(1.0))
    assert (without.embedding, without.text) == (b"", answer.text)
