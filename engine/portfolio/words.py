"""What a certificate says, in words: no more than what is proved."""

from __future__ import annotations

from collections.abc import Sequence

from engine.types import Objective, Portfolio

NAMED = 0.1
"""Least weight of an objective that is worth naming."""


def certified(portfolio: Portfolio) -> str:
    """The certificate as one sentence."""
    proof, members = portfolio.certificate, len(portfolio.members)
    wishes = listed([objective.name for objective in portfolio.objectives])
    reached = f"at least {_whole(1.0 - proof.epsilon.value)} % of the best"
    served = "this one setting reaches" if members == 1 else f"one of these {members} reaches"
    return (
        f"Whatever mix of {wishes} you want, {served} {reached} of the "
        f"{len(portfolio.candidates)} settings measured ({_whole(1.0 - proof.high)} to "
        f"{_whole(1.0 - proof.low)} %, were other questions asked). It was measured on "
        f"{proof.prompts} questions that nothing was chosen on, by Attune's own scores."
    )


def worst_served(portfolio: Portfolio) -> str:
    """Who the certificate is tight for."""
    gap = portfolio.certificate.epsilon
    if gap.value < 0.005:
        return "Nobody is served worse than by the best setting measured."
    wishes = wanted(portfolio.objectives, gap.witness)
    return f"Worst served: someone who wants {wishes}; {_whole(gap.value)} % short of the best."


def wanted(objectives: Sequence[Objective], weights: Sequence[float]) -> str:
    """Weights in words: what is wanted most comes first, what hardly counts is left out."""
    pairs = sorted(zip(weights, objectives, strict=True), key=lambda pair: -pair[0])
    named = [(weight, objective.name) for weight, objective in pairs if weight >= NAMED]
    if len(named) == 1:
        return f"only {named[0][1]}"
    return listed([f"{name} ({_whole(weight)} %)" for weight, name in named])


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _whole(share: float) -> str:
    return f"{100.0 * share:.0f}"
