"""What is proved of a portfolio, and how sure that is: the numbers shown beside it.

The gaps are exact for the mean rewards that were measured. Other prompts would have given other
means, so the prompts are drawn anew, with replacement, and the gap of each draw is computed
(bootstrap): all candidates answered the same prompts, so they are drawn together. Members are
chosen on one half of the prompts and certified on the other; a gap on the half that they were
chosen on is too good to be true.

Source: PALM (arXiv 2604.04144) reports ε, δ and the perplexity of the usage. The bootstrap, the
halves and the spread over even weights are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.corners import epsilons
from engine.portfolio.gaps import additive, multiplicative, shortfalls
from engine.portfolio.rewards import mean
from engine.portfolio.weights import evenly
from engine.types.portfolio import Certificate

Places = npt.NDArray[np.intp]

RESAMPLES = 400
DRAWS = 20_000

INTERVAL = (2.5, 97.5)
"""Percentiles of the bootstrap between which ε is expected."""


def certify(
    rewards: F64,
    members: Sequence[int],
    *,
    rng: np.random.Generator,
    selecting: float,
    floors: F64 | None = None,
    resamples: int = RESAMPLES,
    draws: int = DRAWS,
) -> Certificate:
    """The certificate of the members, in their order, within their pool.

    rewards    normalised, float64, (n, N, d), in [0, 1], on the N prompts of the certifying half
    members    places of the portfolio's members in the pool
    selecting  ε on the half that the members were chosen on
    floors     least weights, (d,), ≥ 0, with a sum below 1; None for none
    resamples  draws of N prompts for the interval of ε, ≥ 1
    draws      weights for the mean gap and the usage, ≥ 1

    The same generator gives the same certificate. ε of noisy means is on average above the one of
    the true means, and that of a resample above both: the interval errs to the high side.

    Raises InvalidParameter for arguments outside these ranges.
    """
    for name, value in (("resamples", resamples), ("draws", draws)):
        if value < 1:
            raise InvalidParameter.outside(name, value, "at least 1")
    R = mean(rewards)
    again = _resampled(rewards, resamples, rng=rng)
    low, high = np.percentile(epsilons(again, members, floors=floors), INTERVAL)
    weights = evenly(draws, floors=floors, objectives=R.shape[1], rng=rng)
    scores = weights @ R.T
    shares, _ = shortfalls(scores, members)
    usage = shares_served(scores[:, list(members)])
    return Certificate(
        epsilon=multiplicative(R, members, floors=floors),
        delta=additive(R, members, floors=floors),
        low=float(low),
        high=float(high),
        selecting=selecting,
        mean=float(shares.mean()),
        p95=float(np.percentile(shares, 95.0)),
        usage=usage,
        perplexity=perplexity(usage),
        prompts=np.shape(rewards)[1],
    )


def shares_served(scores: F64) -> tuple[float, ...]:
    """The share of the weightings that each member serves; the first of equals serves.

    scores  w·R_p of S weightings, float64, (S, k)
    """
    served = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    return tuple((served / len(scores)).tolist())


def perplexity(usage: Sequence[float]) -> float:
    """exp(−Σ q ln q): how many members are in use, in [1, members], of shares that sum to 1."""
    return math.exp(-sum(q * math.log(q) for q in usage if q > 0.0))


def halves(prompts: int, *, rng: np.random.Generator) -> tuple[Places, Places]:
    """Places of the prompts to select on and of those to certify on, each in ascending order.

    Of an odd number one more certifies. The same generator gives the same halves.

    Raises InvalidParameter for fewer than 2 prompts.
    """
    if prompts < 2:
        raise InvalidParameter.outside("number of prompts", prompts, "at least 2")
    shuffled = rng.permutation(prompts)
    return np.sort(shuffled[: prompts // 2]), np.sort(shuffled[prompts // 2 :])


def _resampled(rewards: F64, count: int, *, rng: np.random.Generator) -> F64:
    """Mean rewards of `count` draws of as many prompts, with replacement, (count, n, d)."""
    candidates, prompts, objectives = np.shape(rewards)
    drawn = rng.multinomial(prompts, np.full(prompts, 1.0 / prompts), size=count) / prompts
    by_prompt = np.asarray(rewards, dtype=np.float64).swapaxes(0, 1).reshape(prompts, -1)
    again: F64 = (drawn @ by_prompt).reshape(count, candidates, objectives)
    return again
