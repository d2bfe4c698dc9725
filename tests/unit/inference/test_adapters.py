"""What a child is loaded with, and how it says that its model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import NotReady
from engine.inference import protocol
from engine.inference.client import Client
from engine.inference.prompts import tokens
from engine.inference.templates import choose
from engine.inference.variants import plan
from engine.types.answers import Question
from engine.types.models import Launch
from tests.fakes import host as fake
from tests.fakes.asking import preferring, question
from tests.fakes.model import CHATML, END, FakeModel

pytestmark = pytest.mark.usefixtures("threads")

Start = Callable[..., Client]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that follow a script."""
    clients: list[Client] = []

    def starter(**script: Any) -> Client:
        clients.append(Client(fake.command(**script)))
        return clients[-1]

    yield starter
    for client in clients:
        client.kill()


def load(client: Client, *adapters: tuple[str, float]) -> None:
    request = protocol.Load(
        id=client.next_id(), path="x", name="X", launch=Launch(context=2048), adapters=adapters
    )
    *_, done = client.request(request)
    assert isinstance(done, protocol.Loaded)


def answer(client: Client) -> str:
    request = protocol.Generate(id=client.next_id(), questions=(question("Hi?"),), seed=1)
    *_, done = client.request(request)
    assert isinstance(done, protocol.Answered)
    return done.answers[0].text


def read(client: Client, *questions: Question, replies: tuple[str, ...] = ()) -> list[object]:
    request = protocol.Tokenize(id=client.next_id(), questions=questions, replies=replies)
    return list(client.request(request))


def tokenized(
    client: Client, *questions: Question, replies: tuple[str, ...] = ()
) -> protocol.Tokenized:
    *_, done = read(client, *questions, replies=replies)
    assert isinstance(done, protocol.Tokenized)
    return done


def prompt(asked: Question) -> tuple[int, ...]:
    """As the child itself would read it to answer."""
    model = FakeModel()
    form = choose(model.template, marks=model.marks, speaks_chatml=True)
    return tuple(tokens(plan(asked).chats[0], model=model, form=form))


# Adapters -----------------------------------------------------------------------------------


def test_adapters_act_until_the_next_model_is_loaded(start: Start) -> None:
    client = start(answers=("Yes.",))
    load(client, ("/a/warm.gguf", 1.0), ("/a/short.gguf", -0.5))
    assert answer(client) == "[warm.gguf 1] [short.gguf -0.5] Yes."
    load(client)
    assert answer(client) == "Yes."


# Reading ------------------------------------------------------------------------------------


def test_questions_are_read_as_they_are_asked_and_replies_as_they_are_written(
    start: Start,
) -> None:
    client = start()
    load(client)
    asked = question("How?"), question("Why?", "So.", "And <|im_end|> then?")
    found = tokenized(client, *asked, replies=("é", "<|im_end|>", ""))
    assert found.prompts == tuple(map(prompt, asked))
    assert found.replies == (tuple("é".encode()), tuple(b"<|im_end|>"), ())
    assert found.end == END


def test_steering_is_no_part_of_how_a_question_is_read(start: Start) -> None:
    client = start()
    load(client)
    steered = question("How?", steering=preferring("brief"))
    assert tokenized(client, steered).prompts == (prompt(question("How?")),)


def test_nothing_can_be_read_before_a_model_is_there(start: Start) -> None:
    with pytest.raises(NotReady):
        read(start(), question("How?"))


def test_a_template_that_refuses_a_chat_is_replaced_and_that_is_said(start: Start) -> None:
    refusing = "{% if messages|length > 3 %}{{ raise_exception('No.') }}{% endif %}" + CHATML
    client = start(template=refusing)
    load(client)
    events = read(client, question("How?", "So.", "And?", "Then.", "Why?"))
    assert [e.notice.code for e in events if isinstance(e, protocol.NoticeItem)] == [
        "plain_template"
    ]
    assert isinstance(events[-1], protocol.Tokenized)
    assert events[-1].prompts[0]
