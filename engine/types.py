"""The values that cross boundaries: frozen, keyword-only, made of plain Python types.

Seconds and bytes unless a name says otherwise. Probabilities are in [0, 1], strengths γ and
weights θ are dimensionless, utilities are in nats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant"]
Method = Literal["base", "pref", "la", "amulet"]
Place = Literal["end", "system"]
Combine = Literal["sum", "compose"]
Finish = Literal["end", "length", "context", "stopped", "interrupted"]

METHODS: tuple[Method, ...] = ("base", "pref", "la", "amulet")
MAX_GAMMA = 10.0
"""The largest strength γ on offer: twice the published 4.65; beyond it small models derail."""

MAX_WEIGHT = 2.0
MAX_PREFERENCES = 4
"""Preferences at once; with "sum" each costs a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat, as its reader sees it."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What the owner wants, in words.

    text    one adjective ("concise") or a sentence of their own
    weight  multiplies γ for this preference alone, in [0, MAX_WEIGHT]
    """

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How an answer is pulled towards the preferences.

    method        "base" ignores them, "pref" only states them, "la" is γ = 2, "amulet" uses gamma
    gamma         strength γ in [0, MAX_GAMMA]; 0 equals "pref"
    plausibility  κ in (0, 1]: tokens less likely than κ × the likeliest are cut before steering;
                  None is off and reproduces the paper exactly
    place         where the preference sentence stands: after the last question, or in the system
                  message as published
    combine       several preferences: a stream each ("sum"), or one composed sentence ("compose")
    """

    method: Method = "base"
    preferences: tuple[Preference, ...] = ()
    gamma: float = 2.0
    plausibility: float | None = 0.1
    place: Place = "end"
    combine: Combine = "sum"


NEUTRAL = Steering()
"""The untouched model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is drawn after steering; every rule is off at its neutral value.

    temperature         in [0, 5]; 0 takes the likeliest token
    top_k               in [0, 10^6]; 0 is off
    top_p, min_p        in [0, 1]; 1 and 0 are off
    repetition_penalty  in [1, 10]: divides the probability of tokens seen in the last 64; 1 is off
    max_tokens          in [1, 10^6]
    seed                in [0, 2^63), or None for one drawn afresh (the answer says which)
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.3
    max_tokens: int = 512
    seed: int | None = None


_SAMPLING_RANGES: tuple[tuple[str, float, float], ...] = (
    ("temperature", 0, 5),
    ("top_k", 0, 1_000_000),
    ("top_p", 0, 1),
    ("min_p", 0, 1),
    ("repetition_penalty", 1, 10),
    ("max_tokens", 1, 1_000_000),
    ("seed", 0, 2**63 - 1),
)


def out_of_range(sampling: Sampling) -> tuple[str, float, str] | None:
    """Name, value and allowed range of the first number that is outside its own; None if none."""
    for name, low, high in _SAMPLING_RANGES:
        value = getattr(sampling, name)
        if value is not None and not low <= value <= high:  # NaN is outside, too
            return name.replace("_", "-"), value, f"from {low} to {high}"
    return None


GREEDY = Sampling(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that one answer depends on; messages end with the owner's."""

    messages: tuple[Message, ...]
    steering: Steering = NEUTRAL
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the inference child runs llama.cpp; found by the self-test and remembered.

    variant      name of the CPU library ("haswell"), or None where only one is built
    gpu_layers   layers on the GPU; 0 is CPU only, -1 all
    extra_bufts  whether weights may be repacked for this CPU (off avoids AMX where it faults)
    threads      threads for decoding, ≥ 1
    context      tokens in the KV cache, all streams together
    """

    variant: str | None = None
    gpu_layers: int = 0
    extra_bufts: bool = True
    threads: int = 1
    context: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model that the owner can choose.

    id          short and stable; what `--model` takes
    path        absolute; the file is referenced, never copied
    sha256      of the whole file, hex, as recorded when it was added
    parameters  count of weights, 0 where the header does not tell
    context     tokens the model was trained for
    licence     as the file states it, "" where it does not
    available   whether the file is still there
    """

    id: str
    name: str
    path: str
    sha256: str
    size: int
    architecture: str
    parameters: int
    context: int
    licence: str
    starter: bool = False
    available: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the owner should know that is not an error: one sentence."""

    code: str
    text: str


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

    used   tokens of the context that the chat occupies now
    gamma  the strength that acted, 0 where none did
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

    @property
    def tokens_per_second(self) -> float | None:
        """Speed after the first token; None before two tokens exist."""
        spent = self.seconds.decode + self.seconds.steer
        return (self.tokens - 1) / spent if self.tokens > 1 and spent > 0 else None


AnswerEvent = Notice | Started | Chunk | Answer | Ready
StartEvent = Notice | Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rung of the self-test: which settings were tried and how it went."""

    launch: Launch
    works: bool
    tokens_per_second: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `attune doctor` shows."""

    version: str
    system: str
    cpu: str
    cpu_variant: str
    variants: tuple[str, ...]
    devices: tuple[str, ...]
    threads: int
    model: str
    data_dir: str
    sqlite: str
    launch: Launch
    self_test: tuple[Trial, ...]
    remembered: bool


def template_notice(name: str, reason: str) -> Notice:
    """Said where a model's chat template is replaced."""
    text = f"{name} comes without a usable chat template ({reason}); a plain one is used."
    return Notice(code="plain_template", text=text)
