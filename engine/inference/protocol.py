"""What the parent and the inference child say to each other: JSON lines, one message each.

The child speaks first, with Hello. Every request has an id and ends in exactly one of Done…,
Failed or Cancelled; between them come items that carry the id and a sequence number. Nothing else
in Attune knows that this is JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Literal

import msgspec

from engine.errors import EngineError, InvalidParameter, InvalidText
from engine.types.answers import Answer, Chunk, Question, Started
from engine.types.models import Launch
from engine.types.work import Notice
from engine.version import __version__

PROTOCOL = 1
BUILD = __version__


class _Message(msgspec.Struct, frozen=True, tag=True, kw_only=True, forbid_unknown_fields=True):
    """A line."""


# From the parent ----------------------------------------------------------------------------


class Probe(_Message, frozen=True):
    """Ask what this machine offers; loads no model."""

    id: int


class Try(_Message, frozen=True):
    """Load a model, decode a little, forget it again: one rung of the self-test."""

    id: int
    path: str
    launch: Launch


class Load(_Message, frozen=True):
    """Load a model and keep it. `plain` skips the model's own chat template; of `adapters`, which
    act together, each is a path and a scale, 1 as it was trained."""

    id: int
    path: str
    name: str
    launch: Launch
    plain: bool = False
    adapters: tuple[tuple[str, float], ...] = ()


class Generate(_Message, frozen=True):
    """Answer questions, all in one batch; a duel is one question twice, steered differently.

    `seed` is used where a question has none.
    Raises InvalidParameter for a number that is not finite.
    """

    id: int
    questions: tuple[Question, ...]
    seed: int

    def __post_init__(self) -> None:
        check_finite(self.questions)


class Tokenize(_Message, frozen=True):
    """Ask how the model reads questions, template and all but without their steering, and what
    tokens texts of its own would be made of."""

    id: int
    questions: tuple[Question, ...] = ()
    replies: tuple[str, ...] = ()


class Cancel(_Message, frozen=True):
    """End the request `target`; a generation then ends with what it has."""

    target: int


Request = Probe | Try | Load | Generate | Tokenize | Cancel


# From the child -----------------------------------------------------------------------------


class Hello(_Message, frozen=True):
    """The first line."""

    protocol: int
    build: str
    pid: int


class Phase(_Message, frozen=True):
    """Where a request stands, so that the parent knows how long silence is normal."""

    id: int
    seq: int
    phase: Literal["template", "prefill", "decode", "load"]


class NoticeItem(_Message, frozen=True):
    id: int
    seq: int
    notice: Notice


class StartedItem(_Message, frozen=True):
    id: int
    seq: int
    started: Started


class ChunkItem(_Message, frozen=True):
    id: int
    seq: int
    chunk: Chunk


class Probed(_Message, frozen=True):
    """Done: CPU libraries best first, devices in words, whether a GPU can take layers, and whether
    the child tried to open a socket to a network and was refused."""

    id: int
    variants: tuple[str, ...]
    devices: tuple[str, ...]
    gpu: bool
    offline: bool


class Tried(_Message, frozen=True):
    """Done: it works, this fast, with this many threads."""

    id: int
    tokens_per_second: float
    threads: int


class Loaded(_Message, frozen=True):
    """Done: the model is ready; `width` is the length of its hidden states."""

    id: int
    device: str
    context: int
    template: Literal["model", "plain"]
    reason: str
    seconds: float
    width: int = 0


class Answered(_Message, frozen=True):
    """Done: the whole answers, in the order of the questions."""

    id: int
    answers: tuple[Answer, ...]


class Tokenized(_Message, frozen=True):
    """Done: token ids in the order of the request; `end` is the token that ends a reply, None where
    the model has none."""

    id: int
    prompts: tuple[tuple[int, ...], ...]
    replies: tuple[tuple[int, ...], ...]
    end: int | None


class Failed(_Message, frozen=True):
    """The request could not be carried out; see `engine.errors`."""

    id: int
    code: str
    message: str
    detail: str = ""


class Cancelled(_Message, frozen=True):
    """The request was ended before it was done."""

    id: int


Done = Probed | Tried | Loaded | Answered | Tokenized
Item = Phase | NoticeItem | StartedItem | ChunkItem
Reply = Hello | Item | Done | Failed | Cancelled

_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_reply: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
_encode = msgspec.json.Encoder()


class ProtocolError(EngineError):
    """A line that is not one of the messages above."""

    code = "protocol"


class _Numbered(msgspec.Struct):
    """Anything with an id."""

    id: int


_numbered = msgspec.json.Decoder(_Numbered)


def send(channel: BinaryIO, message: msgspec.Struct) -> None:
    """Write one line and flush it.

    Raises InvalidText for half a character, OSError when the other side is gone.
    """
    try:
        line = _encode.encode(message)
    except UnicodeEncodeError as error:
        raise InvalidText(
            "The text has a character that is not valid Unicode. Remove it and ask again."
        ) from error
    channel.write(line + b"\n")
    channel.flush()


def refusal(line: bytes, error: EngineError) -> Failed | None:
    """What to say about a request that could not be read; None where it has not even an id."""
    try:
        numbered = _numbered.decode(line)
    except msgspec.MsgspecError:
        return None
    return Failed(id=numbered.id, code=error.code, message=error.message, detail=error.detail)


def read_request(line: bytes) -> Request:
    """A parent's line. Raises ProtocolError."""
    try:
        return _request.decode(line)
    except msgspec.MsgspecError as error:
        raise ProtocolError("A request could not be read.", detail=str(error)) from error


def read_reply(line: bytes) -> Reply:
    """A child's line. Raises ProtocolError."""
    try:
        return _reply.decode(line)
    except msgspec.MsgspecError as error:
        raise ProtocolError("A reply could not be read.", detail=str(error)) from error


def check_finite(questions: Iterable[Question]) -> None:
    """Raises InvalidParameter for a number that is not finite: JSON has no word for it."""
    for name, value in (number for question in questions for number in _numbers(question)):
        if not math.isfinite(value):
            raise InvalidParameter.outside(name, value, "a finite number")


def _numbers(question: Question) -> Iterator[tuple[str, float]]:
    """Every number of a question that may not be finite, by name."""
    steering, sampling = question.steering, question.sampling
    yield "strength", steering.gamma
    yield "plausibility", 1.0 if steering.plausibility is None else steering.plausibility
    yield from (("weight", preference.weight) for preference in steering.preferences)
    yield from (("weight of a trait", pull.theta) for pull in steering.pulls)
    if steering.reward is not None:
        yield "weight of the reward", steering.reward.omega
        yield "exploration", steering.reward.exploration
    yield "temperature", sampling.temperature
    yield "top-p", sampling.top_p
    yield "min-p", sampling.min_p
    yield "repetition penalty", sampling.repetition_penalty
