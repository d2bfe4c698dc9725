"""Messages come back as what they were, and nothing else is taken for one."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from engine.errors import InvalidParameter
from engine.jobs import protocol
from engine.jobs.protocol import Begin, Calibrate, ProtocolError, Told
from engine.types.answers import Answer
from engine.types.models import Launch
from engine.types.steering import Preference
from tests.fakes.asking import preferring, question
from tests.unit.jobs.conftest import asked, subject

ANSWER = Answer(
    text="Ja – «so»",
    finish="end",
    tokens=3,
    streams=2,
    gamma=1.5,
    seed=7,
    used=40,
    context=512,
    model="fake",
)
ITEMS: tuple[protocol.Item, ...] = (
    protocol.ProgressItem(done=1, total=2, left=None),
    protocol.ProgressItem(done=1, total=2, left=3.5),
    protocol.AnsweredItem(key="a", answer=ANSWER, seconds=0.5),
    protocol.QuestionFailed(key="a", code="prompt_too_long", message="Too long."),
    protocol.ModelFailed(model="fake", code="damaged_model", message="Bad.", detail="why"),
)
REPLIES: tuple[protocol.Reply, ...] = (
    protocol.Hello(protocol=1, build="x", pid=3),
    *(Told(id=1, seq=i, item=item) for i, item in enumerate(ITEMS)),
    protocol.Done(id=1),
    protocol.Failed(id=1, code="internal", message="Sorry."),
    protocol.Cancelled(id=1),
)


def line(message: msgspec.Struct) -> bytes:
    channel = io.BytesIO()
    protocol.send(channel, message)
    assert channel.getvalue().count(b"\n") == 1
    return channel.getvalue()


def test_work_comes_back_as_what_it_was() -> None:
    steered = asked("b", "«So?»\n", steering=preferring("brief"), seed=3)
    worn = subject(asked("a"), steered, adapters=(("a.gguf", 0.5),))
    begin = Begin(id=4, work=Calibrate(subjects=(worn,), seed=9, alone=True))
    assert protocol.read_request(line(begin)) == begin
    cancel = protocol.Cancel(target=4)
    assert protocol.read_request(line(cancel)) == cancel


def test_a_training_comes_back_as_what_it_was() -> None:
    work = protocol.Train(
        base="/ä/b.gguf", out="o.gguf", title="B, short", folder="f", launch=Launch(threads=2),
        trait="short+", lessons=(protocol.Lesson(question="«So?»", answer="Ja\n", whole=True),),
        reply_tokens=64, parts=("ffn_down",), steps=2, batch=1, rate=1e-3, rank=16, alpha=32.0,
        seed=2**62,
    )  # fmt: skip
    begin = Begin(id=4, work=work)
    assert protocol.read_request(line(begin)) == begin


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_comes_back_as_what_it_was(reply: protocol.Reply) -> None:
    assert protocol.read_reply(line(reply)) == reply


def test_the_name_of_the_work_stands_on_the_wire() -> None:
    """So that another kind can join it, and an older child refuse it."""
    sent = line(Begin(id=1, work=Calibrate(subjects=())))
    assert b'"type":"Calibrate"' in sent
    with pytest.raises(ProtocolError):
        protocol.read_request(sent.replace(b"Calibrate", b"Merge"))


@pytest.mark.parametrize(
    "bad", [b"", b"\n", b"[]", b'{"type":"Told"}', b'{"type":"Done","id":"x"}']
)
def test_nonsense_is_refused(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.read_reply(bad)
    with pytest.raises(ProtocolError):
        protocol.read_request(bad)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_carry_is_refused(number: float) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"temperature": number},
        {"steering": preferring("brief", gamma=number)},
        {"steering": preferring(preferences=(Preference(text="brief", weight=number),))},
    )
    for changes in wrong:
        asks = protocol.Asked(key="a", question=question("So?", **changes))
        with pytest.raises(InvalidParameter, match="finite"):
            Calibrate(subjects=(subject(asked("b")), subject(asks)))
