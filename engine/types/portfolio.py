"""Candidates, the members that are kept of them, and their certificate."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.types.steering import Sampling
from engine.types.work import Notice, Progress

MAX_MEMBERS = 7
"""Members of a portfolio at most; more would have to be kept at hand for little."""

QUESTIONS = (10, 70)
"""The fewest and the most calibration questions that a candidate can be measured on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A setting that could answer: a model, and how it is used.

    id           stable, made of everything below but the name; says nothing of where a file lies
    model        id of an installed model
    name         in plain words: "Qwen2.5 0.5B, concise"
    preferences  adjectives or sentences, composed into one preference sentence; () is the plain
                 model
    gamma        strength γ in [0, MAX_GAMMA]; 0 with preferences only states them
    sampling     how tokens are drawn; the seed is not part of a candidate
    """

    id: str
    model: str
    name: str
    preferences: tuple[str, ...] = ()
    gamma: float = 0.0
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One thing that answers are scored on, and that an owner's weights can ask for.

    id     a trait's id with "+" for `more` and "-" for `less` ("short+"), or "quality"
    name   in plain words: "shorter answers"
    floor  the least weight that anybody is taken to give it, in [0, 1); weights sum to 1
    """

    id: str
    name: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far the worst-served owner is from the best in the pool, and who that is.

    value    ε is a share of the best reward, δ is in units of reward; ≥ 0
    witness  that owner's weights by objective, ≥ 0, summing to 1
    """

    value: float
    witness: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is proved of a portfolio: within ε, δ of the best of its pool, for every weighting, on
    its prompts and its scorers. No more.

    epsilon, delta  the exact gaps on the certifying half of the prompts
    low, high       95 % bootstrap interval of ε over those prompts
    selecting       ε on the other half, which the members were chosen on
    mean, p95       of the multiplicative gap over weights drawn evenly
    usage           share of evenly drawn weights that each member serves, by member
    perplexity      exp of the entropy of `usage`: members that are in use, in [1, members]
    prompts         on the certifying half
    """

    epsilon: Gap
    delta: Gap
    low: float
    high: float
    selecting: float
    mean: float
    p95: float
    usage: tuple[float, ...]
    perplexity: float
    prompts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A setting worth keeping.

    index    place in the portfolio's candidates
    best_at  what it does better than the other members, in words
    fits     whether its model is there, unchanged, and fits into this computer's memory
    reason   why it does not, in one sentence; "" where it does
    """

    index: int
    best_at: str
    fits: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A candidate that was not chosen from, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The settings worth keeping, how good they are, and what they were chosen from.

    objectives   what answers are scored on, d of them
    candidates   the pool that was measured and is safe enough
    rewards      mean normalised reward, candidates × objectives, in [0, 1], certifying half
    members      those that were chosen, the most used first
    certificate  how near to the best of the pool they are
    left_out     candidates that could not be measured or were not safe enough
    weights      the owner's, by objective, as the votes and the sliders say
    built_at     seconds since the epoch
    notices      what has changed since: a model that is gone or different
    """

    objectives: tuple[Objective, ...]
    candidates: tuple[Candidate, ...]
    rewards: tuple[tuple[float, ...], ...]
    members: tuple[Member, ...]
    certificate: Certificate
    left_out: tuple[LeftOut, ...]
    weights: tuple[float, ...]
    built_at: float
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which member answers next, said before it does.

    member   what answers
    why      in one sentence
    others   members that the owner may take instead, the next best first; taking one is evidence
    refused  members that cannot be had now, with the reason
    """

    member: Candidate
    why: str
    others: tuple[Candidate, ...] = ()
    refused: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What a build measures: generated from the installed models, and edited by the owner.

    candidates  that would be measured
    removed     generated ones that the owner took out
    answers     to be written in all
    known       of these, how many are there from an earlier build
    """

    candidates: tuple[Candidate, ...]
    removed: tuple[Candidate, ...]
    answers: int
    known: int


BuildEvent = Notice | Progress | Portfolio
