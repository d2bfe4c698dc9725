"""Every message comes out as it went in; anything else is refused in one sentence."""

from __future__ import annotations

import io
import json
import typing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter, InvalidText
from engine.inference import protocol
from engine.inference.protocol import ProtocolError
from engine.types.answers import Answer, Chunk, Message, Question, Seconds, Started
from engine.types.models import Launch
from engine.types.steering import Preference, Pull, Reward, Sampling, Steering
from engine.types.work import Notice

LAUNCH = Launch(variant="haswell", gpu_layers=-1, extra_bufts=False, threads=3, context=1234)
QUESTION = Question(
    messages=(
        Message(role="system", text="Be kind."),
        Message(role="user", text='naïve 👩‍🚀\n\u2028 \u0000 \\ " line'),
    ),
    steering=Steering(
        method="la",
        preferences=(Preference(text="concise", weight=0.5),),
        gamma=3.25,
        plausibility=None,
        place="system",
        combine="compose",
    ),
    sampling=Sampling(temperature=0.0, top_k=1, top_p=0.5, max_tokens=7, seed=2**62),
)
STARTED = Started(prompt_tokens=1, cached_tokens=2, context=3, dropped=4, streams=5, seed=6)
ANSWER = Answer(
    text="é",
    finish="length",
    tokens=1,
    streams=2,
    gamma=0.1,
    seed=4,
    used=5,
    context=6,
    model="M",
    seconds=Seconds(load=0.1, prefill=0.2, decode=0.3, steer=1e-9),
)
PULLED = replace(
    QUESTION,
    steering=Steering(
        pulls=(Pull(sentence="Be brief.", theta=-1.5),),
        reward=Reward(network=b"\0\xff", units=3, spread=b""),
    ),
)
REQUESTS = (
    protocol.Probe(id=1),
    protocol.Try(id=2, path="/ä/b.gguf", launch=LAUNCH),
    protocol.Load(
        id=3, path="p", name="N", launch=LAUNCH, plain=True, adapters=(("ä.gguf", 1.0), ("b", -0.5))
    ),
    protocol.Generate(id=4, questions=(QUESTION, QUESTION), seed=2**32),
    protocol.Generate(id=5, questions=(PULLED,), seed=1),
    protocol.Tokenize(id=6, questions=(QUESTION,), replies=("naïve 👩‍🚀", "")),
    protocol.Cancel(target=4),
)
REPLIES = (
    protocol.Hello(protocol=1, build="0.1", pid=7),
    protocol.Phase(id=1, seq=1, phase="prefill"),
    protocol.NoticeItem(id=1, seq=2, notice=Notice(code="c", text="t")),
    protocol.StartedItem(id=1, seq=3, started=STARTED),
    protocol.ChunkItem(id=1, seq=4, chunk=Chunk(text=" a\n", tokens=2, answer=1)),
    protocol.Probed(id=1, variants=("a", "b"), devices=(), gpu=True, offline=True),
    protocol.Tried(id=1, tokens_per_second=12.5, threads=2),
    protocol.Loaded(id=1, device="CPU", context=9, template="plain", reason="r", seconds=0.5),
    protocol.Answered(id=1, answers=(ANSWER,)),
    protocol.Tokenized(id=1, prompts=((1, 2), ()), replies=((3,),), end=None),
    protocol.Failed(id=1, code="input", message="m", detail="d"),
    protocol.Cancelled(id=1),
)


def kinds(messages: typing.Iterable[object]) -> set[type]:
    return {type(message) for message in messages}


def written(message: protocol.Request | protocol.Reply) -> bytes:
    channel = io.BytesIO()
    protocol.send(channel, message)
    return channel.getvalue()


def test_every_kind_of_message_is_tested_here() -> None:
    assert kinds(REQUESTS) == set(typing.get_args(protocol.Request))
    assert kinds(REPLIES) == set(typing.get_args(protocol.Reply))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_a_request_comes_out_as_it_went_in(request_: protocol.Request) -> None:
    line = written(request_)
    assert protocol.read_request(line) == request_
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize("reply", REPLIES, ids=lambda r: type(r).__name__)
def test_a_reply_comes_out_as_it_went_in(reply: protocol.Reply) -> None:
    line = written(reply)
    assert protocol.read_reply(line) == reply
    assert line.count(b"\n") == 1


def test_the_two_directions_are_not_mixed_up() -> None:
    for request in REQUESTS:
        with pytest.raises(ProtocolError):
            protocol.read_reply(written(request))
    for reply in REPLIES:
        with pytest.raises(ProtocolError):
            protocol.read_request(written(reply))


WRONG = (
    b"",
    b"\n",
    b"null",
    b"[]",
    b"42",
    b"{}",
    b"{",
    b'{"type":"Probe"}',
    b'{"type":"Probe","id":"1"}',
    b'{"type":"Probe","id":1.5}',
    b'{"type":"Probe","id":1,"extra":2}',
    b'{"type":"Unknown","id":1}',
    b'{"type":"Cancel","target":null}',
    b'{"type":"Probe","id":1}{"type":"Probe","id":2}',
    b'\xff\xfe{"type":"Probe","id":1}',
    b'{"type":"Load","id":1,"path":"p","name":"n","launch":{"threads":"many"}}',
    b'{"type":"Generate","id":1,"seed":1,"question":{"messages":[{"role":"boss","text":""}]}}',
    b"[" * 100_000,
)


@pytest.mark.parametrize("line", WRONG, ids=lambda line: repr(line[:40]))
def test_what_is_no_message_is_refused(line: bytes) -> None:
    for read in (protocol.read_request, protocol.read_reply):
        with pytest.raises(ProtocolError) as caught:
            read(line)
        assert "\n" not in caught.value.message
        assert caught.value.detail


@given(line=st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(line: bytes) -> None:
    for read in (protocol.read_request, protocol.read_reply):
        with pytest.raises(ProtocolError):
            read(line)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(data=st.data())
def test_a_message_with_one_field_changed_is_a_message_or_refused(data: st.DataObject) -> None:
    messages: list[protocol.Request | protocol.Reply] = [*REQUESTS, *REPLIES]
    message = data.draw(st.sampled_from(messages))
    fields = json.loads(written(message))
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(json_value)
    line = json.dumps(fields).encode()
    for read, known in ((protocol.read_request, REQUESTS), (protocol.read_reply, REPLIES)):
        try:
            found = read(line)
        except ProtocolError:
            continue
        assert type(found) in kinds(known)


@given(text=st.text(max_size=40))
def test_any_text_of_an_owner_travels_unchanged(text: str) -> None:
    question = Question(messages=(Message(role="user", text=text),))
    request = protocol.Generate(id=1, questions=(question,), seed=0)
    found = protocol.read_request(written(request))
    assert found == request


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "change",
    [
        lambda x: {"steering": Steering(gamma=x)},
        lambda x: {"steering": Steering(plausibility=x)},
        lambda x: {"steering": Steering(preferences=(Preference(text="a", weight=x),))},
        lambda x: {"steering": Steering(pulls=(Pull(sentence="a", theta=x),))},
        lambda x: {"steering": Steering(reward=Reward(network=b"", units=1, omega=x))},
        lambda x: {"steering": Steering(reward=Reward(network=b"", units=1, exploration=x))},
        lambda x: {"sampling": Sampling(temperature=x)},
        lambda x: {"sampling": Sampling(top_p=x)},
        lambda x: {"sampling": Sampling(min_p=x)},
        lambda x: {"sampling": Sampling(repetition_penalty=x)},
    ],
)
def test_a_number_that_json_has_no_word_for_is_refused_before_it_is_sent(
    bad: float, change: typing.Callable[[float], dict[str, typing.Any]]
) -> None:
    wanted = replace(QUESTION, **change(bad))
    with pytest.raises(InvalidParameter, match="finite"):
        protocol.Generate(id=1, questions=(wanted,), seed=0)


def test_half_a_character_is_refused_and_nothing_is_written() -> None:
    channel = io.BytesIO()
    wanted = Question(messages=(Message(role="user", text="\ud83d"),))
    message = protocol.Generate(id=1, questions=(wanted,), seed=0)
    with pytest.raises(InvalidText):
        protocol.send(channel, message)
    assert channel.getvalue() == b""


def test_a_huge_number_travels_unchanged() -> None:
    wanted = replace(QUESTION, sampling=Sampling(seed=10**30))
    request = protocol.Generate(id=1, questions=(wanted,), seed=0)
    assert protocol.read_request(written(request)) == request


def test_a_request_that_cannot_be_read_is_refused_by_its_id() -> None:
    error = ProtocolError("Unreadable.", detail="why")
    found = protocol.refusal(b'{"type":"Generate","id":7,"question":null}', error)
    assert found == protocol.Failed(id=7, code="protocol", message="Unreadable.", detail="why")
    for line in (b"nonsense", b"{}", b'{"id":"seven"}'):
        assert protocol.refusal(line, error) is None


def test_a_line_is_flushed_at_once() -> None:
    class Channel(io.BytesIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed = len(self.getvalue())

    channel = Channel()
    protocol.send(channel, protocol.Probe(id=1))
    assert channel.flushed == len(channel.getvalue()) > 0
