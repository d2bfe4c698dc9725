"""A question, and what comes of it: events while an answer is written, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.types.steering import NEUTRAL, Sampling, Steering
from engine.types.work import Notice

Role = Literal["system", "user", "assistant"]
Finish = Literal["end", "length", "context", "stopped", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat, as its reader sees it."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that one answer depends on; messages end with the owner's.

    personal  whether what was learned from votes is added to `steering`
    embed     whether the answer's embedding is wanted
    """

    messages: tuple[Message, ...]
    steering: Steering = NEUTRAL
    sampling: Sampling = field(default_factory=Sampling)
    personal: bool = False
    embed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A model is loaded.

    model   its id; of a file that was not added, the one it would get
    name    what people call it
    device  where it runs, in words ("CPU, icelake, 2 threads")
    """

    model: str
    name: str
    device: str
    context: int
    template: Literal["model", "plain"]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The prompt is understood; text follows.

    prompt_tokens  tokens of the longest prompt variant
    cached_tokens  of these, how many were in the KV cache already
    dropped        messages left out because the chat outgrew the context
    streams        sequences decoded in parallel
    gamma          the strength that acts, 0 where none does
    """

    prompt_tokens: int
    cached_tokens: int
    context: int
    dropped: int
    streams: int
    seed: int
    gamma: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Text to append to answer number `answer`; tokens generated so far."""

    text: str
    tokens: int
    answer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Where the time of one answer went."""

    load: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    steer: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A finished answer; `finish` says why it ended.

    used       tokens of the context that the chat occupies now
    gamma      the strength that acted, 0 where none did
    utilities  φ in nats of each pull: Σ over the answer's tokens of L_j − Lb
    surprise   mean −log p of the answer's tokens under the untouched model, nats
    embedding  mean last hidden state over the answer's tokens, float32, (d,); b"" unless asked for
    """

    text: str
    finish: Finish
    tokens: int
    streams: int
    gamma: float
    seed: int
    used: int
    context: int
    model: str
    seconds: Seconds = field(default_factory=Seconds)
    utilities: tuple[float, ...] = ()
    surprise: float = 0.0
    embedding: bytes = b""

    @property
    def tokens_per_second(self) -> float | None:
        """Speed after the first token; None before two tokens exist."""
        spent = self.seconds.decode + self.seconds.steer
        return (self.tokens - 1) / spent if self.tokens > 1 and spent > 0 else None


AnswerEvent = Notice | Started | Chunk | Answer | Ready

StartEvent = Notice | Ready
