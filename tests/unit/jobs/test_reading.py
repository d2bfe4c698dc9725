"""How the base reads the prompts of a merge is asked of an inference child, which may die of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineCrashed, Stopped
from engine.inference.client import Client
from engine.inference.prompts import tokens
from engine.inference.templates import choose
from engine.inference.variants import plan
from engine.jobs.protocol import Merge
from engine.jobs.reading import Reading
from engine.types.models import Launch
from tests.fakes import host as fake
from tests.fakes.asking import question
from tests.fakes.host import Trouble
from tests.fakes.model import FakeModel

pytestmark = pytest.mark.usefixtures("threads")

TEXTS = ("How are you?", "What is <|im_end|> for?")
MERGE = Merge(
    base="/models/fake.gguf", members=("a", "b"), out="out.gguf", folder="state", method="calm",
    storage="Q8_0", epochs=2, seed=0, launch=Launch(context=2048), prompts=(), held_out=(),
)  # fmt: skip


def reading(
    *, before: Callable[[], None] = lambda: None, spawned: list[Client] | None = None, **script: Any
) -> Reading:
    def spawn() -> Client:
        client = Client(fake.command(**script))
        if spawned is not None:
            spawned.append(client)
        before()
        return client

    return Reading(MERGE, spawn=spawn)


def expected() -> tuple[tuple[int, ...], ...]:
    """As the child itself would read these to answer them."""
    model = FakeModel()
    form = choose(model.template, marks=model.marks, speaks_chatml=True)
    chats = [plan(question(text)).chats[0] for text in TEXTS]
    return tuple(tuple(tokens(chat, model=model, form=form)) for chat in chats)


def test_prompts_are_those_that_an_answer_would_begin_with_and_the_child_is_closed() -> None:
    spawned: list[Client] = []
    assert reading(spawned=spawned).tokens(TEXTS) == expected()
    assert [client.alive for client in spawned] == [False]


def test_a_child_that_dies_once_is_started_again(tmp_path: Path) -> None:
    trouble = Trouble(at="load", times=1, count=str(tmp_path / "count"))
    spawned: list[Client] = []
    assert reading(spawned=spawned, troubles=(trouble,)).tokens(TEXTS) == expected()
    assert len(spawned) == 2


def test_a_model_that_no_child_survives_is_an_error_and_leaves_none() -> None:
    spawned: list[Client] = []
    with pytest.raises(EngineCrashed):
        reading(spawned=spawned, troubles=(Trouble(at="load"),)).tokens(TEXTS)
    assert not any(client.alive for client in spawned)


def test_a_cancel_is_heard_before_and_while_the_child_starts() -> None:
    early = reading()
    early.cancel()
    with pytest.raises(Stopped):
        early.tokens(TEXTS)

    late: list[Reading] = []
    late.append(reading(before=lambda: late[0].cancel()))
    with pytest.raises(Stopped):
        late[0].tokens(TEXTS)


def test_it_is_the_base_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    real = Client.request

    def spied(client: Client, message: Any) -> Any:
        loaded.extend([message.path] if hasattr(message, "path") else [])
        return real(client, message)

    monkeypatch.setattr(Client, "request", spied)
    reading().tokens(TEXTS)
    assert loaded == [MERGE.base]
    assert replace(Launch(), context=2048) == MERGE.launch
