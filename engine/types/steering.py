"""How an answer is pulled towards what its owner wants, and how its tokens are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["base", "pref", "la", "amulet"]
Place = Literal["end", "system"]
Combine = Literal["sum", "compose"]
METHODS: tuple[Method, ...] = ("base", "pref", "la", "amulet")
MAX_GAMMA = 10.0
"""The largest strength γ on offer: twice the published 4.65; beyond it small models derail."""

MAX_WEIGHT = 2.0

MAX_PREFERENCES = 4
"""Preferences at once; with "sum" each costs a stream."""

MAX_THETA = 2.5
"""The largest weight θ that votes can give a trait, in either direction."""

MAX_PULLS = 8
"""Learned pulls at once; each costs a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What the owner wants, in words.

    text    one adjective ("concise") or a sentence of their own
    weight  multiplies γ for this preference alone, in [0, MAX_WEIGHT]
    """

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A preference sentence with the weight that it acts with; its utility φ is added up.

    theta  θ in [−MAX_THETA, MAX_THETA]; 0 only listens: the answer is not changed
    """

    sentence: str
    theta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A neural reward on the mean hidden state of the answer so far, to decode with.

    Source: T-POP (arXiv 2509.24696). Arrays are float32 in native byte order, flattened.

    network      W1 (units × d), b1, w2, b2, in this order
    units        hidden units
    omega        ω ≥ 0, weight of the reward
    squash       reward through a sigmoid, or as it is
    candidates   k: tokens of each answer that are weighed
    exploration  ν ≥ 0: how strongly this answer is pulled to where the reward is unsure, measured
                 against the first answer of the same batch that does not explore; 0 is none
    spread       V, the diagonal, as long as `network`; empty where `exploration` is 0
    """

    network: bytes
    units: int
    omega: float = 1.0
    squash: Literal["sigmoid", "raw"] = "sigmoid"
    candidates: int = 8
    exploration: float = 0.0
    spread: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How an answer is pulled towards the preferences and what was learned.

    method        "base" ignores them, "pref" only states them, "la" is γ = 2, "amulet" uses gamma
    gamma         strength γ in [0, MAX_GAMMA]; 0 equals "pref"
    plausibility  κ in (0, 1]: tokens less likely than κ × the likeliest are cut before steering;
                  None is off and reproduces the paper exactly
    place         where the preference sentence stands: after the last question, or in the system
                  message as published
    combine       several preferences: a stream each ("sum"), or one composed sentence ("compose")
    pulls         what was learned from votes; acts with every method
    reward        the learned reward of the neural form, or None
    """

    method: Method = "base"
    preferences: tuple[Preference, ...] = ()
    gamma: float = 2.0
    plausibility: float | None = 0.1
    place: Place = "end"
    combine: Combine = "sum"
    pulls: tuple[Pull, ...] = ()
    reward: Reward | None = None


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
