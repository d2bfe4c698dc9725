"""Votes as a learner sees them, and how likely each outcome is: the model of the voter.

Letters: u(y) = w · f(y) utility of an answer, z = u(first) − u(second), t half the width of what
counts as equal, ε the share of votes that say the opposite of what was meant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.numerics import F64
from engine.types.learning import Outcome

FLIPS = 0.1
"""ε: about one pairwise judgement in ten is not repeated by the same person."""

TIE = 0.4
"""t, in logits: differences within ± t are as likely called equal as not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One vote that counts.

    asked       id of the trait that the duel was about, "" where it was about none
    first       what is known of the first answer: φ in nats by stream ("short+", "short-")
    second      the same of the second answer; a stream that is missing was not measured
    model       id of the model that wrote both
    embeddings  of both answers, float32, (2, d), or None
    scores      what was counted in the finished texts, by trait, more of it being higher; a trait
                that is missing was not counted
    """

    duel: str
    asked: str
    outcome: Outcome
    first: Mapping[str, float]
    second: Mapping[str, float]
    model: str = ""
    embeddings: npt.NDArray[np.float32] | None = None
    scores: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {})


def lean(side: Mapping[str, float], trait: str) -> float:
    """How far an answer leans to the first pole of a trait, nats, as its own streams tell."""
    return side.get(trait + "+", 0.0) - side.get(trait + "-", 0.0)


def borne_out(vote: Evidence) -> tuple[dict[str, float], dict[str, float]]:
    """φ of both answers, without what was only heard and cannot be seen.

    A stream that listened may well prefer the answer that shows less of its trait: without a list
    in either, "a list of short points" likes the shorter one. So a trait that the duel is not
    about has its say only where the finished texts differ to the same side, or where nobody
    counted.
    """

    def kept(side: Mapping[str, float]) -> dict[str, float]:
        return {stream: phi for stream, phi in side.items() if _is_seen(vote, stream[:-1])}

    return kept(vote.first), kept(vote.second)


def _is_seen(vote: Evidence, trait: str) -> bool:
    first, second = (scores.get(trait) for scores in vote.scores)
    if trait == vote.asked or first is None or second is None:
        return True
    return (first - second) * (lean(vote.first, trait) - lean(vote.second, trait)) > 0.0


def chances(z: F64, *, flips: float = FLIPS, tie: float = TIE) -> F64:
    """Probabilities of (first, second, equal) at each z, float64, (…, 3).

    Rao and Kupper (1967): P(first) = σ(z − t), P(second) = σ(−z − t), the rest is "equal"; then a
    share ε of the decided votes is turned round.
    """
    first, second = sigmoid(z - tie), sigmoid(-z - tie)
    return np.stack(
        [
            (1.0 - flips) * first + flips * second,
            (1.0 - flips) * second + flips * first,
            1.0 - first - second,
        ],
        axis=-1,
    )


def log_likelihood(outcome: Outcome, first: F64, second: F64) -> F64:
    """log P(outcome) where the answers are worth `first` and `second` logits; any shape.

    "neither" says that both fall short of the untouched model, which is worth 0: it is a vote
    about each of the two, and no tie between them.
    """
    if outcome == "neither":
        return _log_short(first) + _log_short(second)
    z = first - second
    if outcome == "equal":
        # 1 − σ(z − t) − σ(−z − t) would be lost in rounding where |z| is large.
        room = math.log(math.expm1(2.0 * TIE))
        return room + _log_sigmoid(z - TIE) + _log_sigmoid(-z - TIE)
    found: F64 = np.log(chances(z)[..., 0 if outcome == "first" else 1])
    return found


def information(mean: F64, sd: F64) -> F64:
    """What a vote would tell about z ~ N(mean, sd²), in bits: its mutual information with z.

    H(E[p]) − E[H(p)], as in BALD (Houlsby et al. 2011, arXiv 1112.5745), by Gauss–Hermite
    quadrature. Noise of the voter counts as noise: the most is well below one bit.
    """
    z = np.expand_dims(mean, -1) + np.expand_dims(sd, -1) * _NODES
    p = chances(z)
    expected = np.tensordot(p, _WEIGHTS, axes=([-2], [0]))
    found: F64 = entropy(expected) - entropy(p) @ _WEIGHTS
    return np.maximum(found, 0.0)


def _log_sigmoid(x: F64) -> F64:
    found: F64 = -np.logaddexp(0.0, -x)
    return found


def sigmoid(x: F64) -> F64:
    """1 / (1 + e^−x), without overflow."""
    found: F64 = 0.5 * (1.0 + np.tanh(0.5 * x))
    return found


def _log_short(utility: F64) -> F64:
    found: F64 = np.log((1.0 - FLIPS) * sigmoid(-utility) + FLIPS * sigmoid(utility))
    return found


def entropy(p: F64) -> F64:
    """In bits, over the last axis."""
    safe = np.maximum(p, 1e-12)
    found: F64 = -(safe * np.log2(safe)).sum(axis=-1)
    return found


_POINTS, _MASSES = np.polynomial.hermite_e.hermegauss(31)
_NODES: F64 = _POINTS
_WEIGHTS: F64 = _MASSES / _MASSES.sum()
