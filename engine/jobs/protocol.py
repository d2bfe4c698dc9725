"""What the parent and the job child say to each other: JSON lines, one message each.

The manners are those of the inference child: Hello first, an id for every request, items, and one
of Done, Failed or Cancelled at the end. A kind of work is a message of `Work` with items of its
own; the rest of this page does not change for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.inference.protocol import BUILD as BUILD
from engine.inference.protocol import Cancel as Cancel
from engine.inference.protocol import Cancelled as Cancelled
from engine.inference.protocol import Failed as Failed
from engine.inference.protocol import Hello as Hello
from engine.inference.protocol import ProtocolError as ProtocolError
from engine.inference.protocol import check_finite
from engine.inference.protocol import refusal as refusal
from engine.inference.protocol import send as send
from engine.types import Answer, Launch, Question

PROTOCOL = 1


class _Message(msgspec.Struct, frozen=True, tag=True, kw_only=True, forbid_unknown_fields=True):
    """A line, or the part of one that says of which kind it is."""


# Work and what comes of it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question; `key` names its answer and is unique in its request."""

    key: str
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model and what it is asked.

    model  its id
    name   what people call it
    size   of its file; how long it takes is guessed from it before the model was tried
    """

    model: str
    name: str
    path: str
    size: int
    launch: Launch
    questions: tuple[Asked, ...]


class Calibrate(_Message, frozen=True):
    """Have models answer questions, one model after another, many questions together.

    `seed` is used where a question has none.
    Raises InvalidParameter for a number that is not finite.
    """

    subjects: tuple[Subject, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        check_finite(asked.question for subject in self.subjects for asked in subject.questions)


class ProgressItem(_Message, frozen=True):
    """How many answers there are, of how many; `left` in seconds, None before it can be guessed.

    A question that cannot be answered counts as done.
    """

    done: int
    total: int
    left: float | None


class AnsweredItem(_Message, frozen=True):
    """A whole answer; its model is the id. `seconds` is its share of what its batch took."""

    key: str
    answer: Answer
    seconds: float


class QuestionFailed(_Message, frozen=True):
    """A question that this model cannot answer; see `engine.errors` for the code."""

    key: str
    code: str
    message: str
    detail: str = ""


class ModelFailed(_Message, frozen=True):
    """A model that cannot be loaded, or goes on dying; its remaining questions have no answers."""

    model: str
    code: str
    message: str
    detail: str = ""


Work = Calibrate
"""A kind of work; merging models and training adapters belong here, too."""

Item = ProgressItem | AnsweredItem | QuestionFailed | ModelFailed


# From the parent ----------------------------------------------------------------------------


class Begin(_Message, frozen=True):
    """Do this work."""

    id: int
    work: Work


Request = Begin | Cancel


# From the child -----------------------------------------------------------------------------


class Told(_Message, frozen=True):
    """Something that came of the work so far."""

    id: int
    seq: int
    item: Item


class Done(_Message, frozen=True):
    """The work is done; all that came of it has been told."""

    id: int


Reply = Hello | Told | Done | Failed | Cancelled

_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_reply: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


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
