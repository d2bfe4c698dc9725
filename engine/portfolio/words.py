"""What a certificate says, in words: no more than what is proved."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.types.portfolio import Certificate, Objective, Portfolio

NAMED, ALONE = 0.1, 0.995
"""Least weight of an objective that is worth naming, and that leaves no room for another."""

ROUNDING = 1e-7
"""Per cent."""


def certified(portfolio: Portfolio) -> str:
    """The certificate as one sentence. What is promised is rounded down."""
    proof, members = portfolio.certificate, len(portfolio.members)
    if len(portfolio.candidates) == 1:
        return "Only one setting was measured, so there was nothing to choose from."
    wishes = listed([objective.name for objective in portfolio.objectives])
    served = "this one setting reaches" if members == 1 else f"one of these {members} reaches"
    return (
        f"Whatever mix of {wishes} you want, {served} {_reached(proof.epsilon.value)} of the best "
        f"of the {len(portfolio.candidates)} settings measured{_range(proof)}. It was measured on "
        f"{proof.prompts} questions that nothing was chosen on, by Attune's own scores."
    )


def worst_served(portfolio: Portfolio) -> str:
    """Who the certificate is tight for. What they lack is rounded up."""
    gap = portfolio.certificate.epsilon
    short = 100 - _at_least(1.0 - gap.value)
    if short == 0:
        return "Nobody is served worse than by the best setting measured."
    wishes = wanted(portfolio.objectives, gap.witness)
    return f"Worst served: someone who wants {wishes}; {short} % short of the best."


def wanted(objectives: Sequence[Objective], weights: Sequence[float]) -> str:
    """Weights in words: what is wanted most comes first, what hardly counts is left out."""
    pairs = sorted(zip(weights, objectives, strict=True), key=lambda pair: -pair[0])
    if pairs[0][0] > ALONE:
        return f"only {pairs[0][1].name}"
    named = [(weight, objective.name) for weight, objective in pairs if weight >= NAMED]
    return listed([f"{name} ({_whole(weight)} %)" for weight, name in named])


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _reached(gap: float) -> str:
    share = _at_least(1.0 - gap)
    return "100 %" if share == 100 else f"at least {share} %"


def _range(proof: Certificate) -> str:
    """Of what would be reached on other questions; nothing where they would change nothing."""
    worst, best = _at_least(1.0 - proof.high), _at_most(1.0 - proof.low)
    if worst == 100:
        return ""
    return f" ({worst} to {best} %, were other questions asked)"


def _at_least(share: float) -> int:
    """Per cent, rounded down; what is only rounding does not cost one."""
    return math.floor(100.0 * share + ROUNDING)


def _at_most(share: float) -> int:
    return math.ceil(100.0 * share - ROUNDING)


def _whole(share: float) -> str:
    return f"{100.0 * share:.0f}"
