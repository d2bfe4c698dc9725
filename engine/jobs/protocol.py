"""What the parent and the job child say to each other: JSON lines, one message each.

The manners are those of the inference child: Hello first, an id for every request, items, and one
of Done, Failed or Cancelled at the end. A kind of work is a message of `Work` with items of its
own; the rest of this page does not change for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

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
from engine.types.answers import Answer, Question
from engine.types.models import Launch
from engine.types.work import Notice, Progress
from engine.types.workshop import MergeMethod, MergeStorage

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
    adapters  that act on it, each a path and a scale
    """

    model: str
    name: str
    path: str
    size: int
    launch: Launch
    questions: tuple[Asked, ...]
    adapters: tuple[tuple[str, float], ...] = ()


class Calibrate(_Message, frozen=True):
    """Have models answer questions, one model after another, many questions together.

    `seed` is used where a question has none. `alone` asks one question at a time, which is slow and
    shows how long an answer takes.
    Raises InvalidParameter for a number that is not finite.
    """

    subjects: tuple[Subject, ...]
    seed: int = 0
    alone: bool = False

    def __post_init__(self) -> None:
        check_finite(asked.question for subject in self.subjects for asked in subject.questions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """A question that every member of a merge answers; `tag` says what it is about."""

    tag: str
    text: str


class Merge(_Message, frozen=True):
    """Merge fine-tuned models or adapters of one base into one model file, with its card.

    base, members  paths
    out            of the new file; it must not exist
    folder         where what a stopped merge needs to go on is kept, for the owner alone
    epochs         at most, of each mask
    launch         how the base is run, to learn how it reads the prompts
    prompts        that masks are trained on
    held_out       that methods are compared on; none of `prompts`
    """

    base: str
    members: tuple[str, ...]
    out: str
    folder: str
    method: MergeMethod
    storage: MergeStorage
    epochs: int
    seed: int
    launch: Launch
    prompts: tuple[Prompted, ...]
    held_out: tuple[Prompted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A question and the answer that is to be learned; `whole` says that it came to its end."""

    question: str
    answer: str
    whole: bool


class Train(_Message, frozen=True):
    """Train an adapter on lessons and write it with its card. `rank` and the rest as in
    `engine.merging.training.Plan`.

    base          path of a llama-type model; `launch` says how it is run to learn how it reads
    out           of the adapter; `title` is its name in the file
    folder        where what a stopped training needs to go on is kept, for the owner alone
    trait         what is learned ("short+"), for the card
    reply_tokens  of an answer that are learned at most, from its beginning
    parts         matrices of every block that get an adapter ("ffn_down")
    """

    base: str
    out: str
    title: str
    folder: str
    launch: Launch
    trait: str
    lessons: tuple[Lesson, ...]
    reply_tokens: int
    parts: tuple[str, ...]
    steps: int
    batch: int
    rate: float
    rank: int
    alpha: float
    seed: int

    def identity(self) -> str:
        """16 hex digits; the same where the same is learned in the same way, wherever files lie."""
        places = {"base": "", "out": "", "title": "", "folder": "", "launch": Launch()}
        whole = msgspec.json.encode(msgspec.structs.replace(self, **places))
        return hashlib.sha256(whole).hexdigest()[:16]


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


LEARNED: tuple[MergeMethod, ...] = ("calm", "best")
"""Methods of merging that need gradients."""

MergePart = Literal["checking", "replies", "alone", "masks", "mixes", "writing"]
"""What a merge does, in this order; only one that learns does all."""


class StageItem(_Message, frozen=True):
    """How far one part of the work has come; "" where it has only one."""

    progress: Progress
    part: MergePart | Literal[""] = ""


class NoticeItem(_Message, frozen=True):
    """Something that the owner should know."""

    notice: Notice


Work = Calibrate | Merge | Train
"""A kind of work."""

Item = ProgressItem | AnsweredItem | QuestionFailed | ModelFailed | StageItem | NoticeItem


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
