"""What votes say about the weights of the traits: a Bayesian logistic regression, exactly.

The likelihood is that of `engine.preference.ballots`, the prior Gaussian. Newton's method finds
the most probable weights; draws around them are weighed by the true posterior (importance
sampling), so means and intervals carry no Gaussian assumption, only the noise of the draws. With
at most a dozen weights that is milliseconds, and every vote counts at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.numerics import F64
from engine.preference.ballots import FLIPS, TIE, log_likelihood, sigmoid
from engine.types.learning import Outcome

DRAWS = 4096
WORK = 100_000
"""Draws × votes at most; with many votes the posterior is nearly Gaussian and few draws do."""

FREEDOM = 6.0
"""Degrees of freedom of the draws: few votes leave long tails, longer than a Gaussian's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """N votes on pairs with m features each.

    first, second  features of both answers, float64, (N, m)
    outcomes       N of them
    worth          how much each vote counts, float64, (N,), in [0, 1]: old ones may fade
    """

    first: F64
    second: F64
    outcomes: tuple[Outcome, ...]
    worth: F64

    def groups(self) -> Iterator[tuple[Outcome, F64, F64, F64]]:
        """Votes by outcome: it, features of both answers, worth."""
        told = np.asarray(self.outcomes)
        for outcome in dict.fromkeys(self.outcomes):
            here = told == outcome
            yield outcome, self.first[here], self.second[here], self.worth[here]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of the weights before any vote: independent Gaussians, logits.

    mean, sd  float64, (m,); sd > 0
    """

    mean: F64
    sd: F64


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Draws of the weights with their probabilities.

    draws  float64, (S, m), logits
    mass   float64, (S,), sums to 1
    """

    draws: F64
    mass: F64

    @property
    def mean(self) -> F64:
        """(m,)"""
        found: F64 = self.mass @ self.draws
        return found

    @property
    def sd(self) -> F64:
        """(m,)"""
        found: F64 = np.sqrt(self.mass @ (self.draws - self.mean) ** 2)
        return found

    @property
    def positive(self) -> F64:
        """Probability that each weight is above 0, (m,)."""
        found: F64 = self.mass @ (self.draws > 0.0)
        return found

    def quantile(self, share: float) -> F64:
        """The value that each weight stays below with probability `share`, (m,)."""
        order = np.argsort(self.draws, axis=0)
        reached = np.cumsum(self.mass[order], axis=0)
        places = (reached < share).sum(axis=0).clip(max=len(self.mass) - 1)
        sorted_draws = np.take_along_axis(self.draws, order, axis=0)
        found: F64 = sorted_draws[places, np.arange(order.shape[1])]
        return found

    @property
    def effective(self) -> float:
        """Draws that this many equally probable ones would be worth, in [1, S]."""
        return float(1.0 / np.sum(self.mass**2))


def infer(votes: Votes, *, prior: Prior, rng: np.random.Generator) -> Posterior:
    """The posterior of the weights given the votes. The same generator gives the same draws."""
    size = votes.first.shape[1]
    best = most_probable(votes, prior=prior)
    # Solving with the triangular factor of the precision gives draws of its inverse.
    factor = np.linalg.cholesky(_precision(best, votes, prior=prior))
    count = min(DRAWS, max(256, WORK // max(1, len(votes.outcomes))))
    noise = _balanced(rng, count, size)
    draws = best + np.linalg.solve(factor.T, noise.T).T
    log_proposal = -0.5 * (FREEDOM + size) * np.log1p((noise**2).sum(axis=1) / FREEDOM)
    log_mass = log_posterior(draws, votes, prior=prior) - log_proposal
    mass = np.exp(log_mass - log_mass.max())
    return Posterior(draws=draws, mass=mass / mass.sum())


def log_posterior(weights: F64, votes: Votes, *, prior: Prior) -> F64:
    """Up to a constant, for each row of `weights`, float64, (S, m) → (S,)."""
    total: F64 = -0.5 * (((weights - prior.mean) / prior.sd) ** 2).sum(axis=1)
    for outcome, first, second, worth in votes.groups():
        total = total + log_likelihood(outcome, weights @ first.T, weights @ second.T) @ worth
    return total


def most_probable(votes: Votes, *, prior: Prior, rounds: int = 50, close: float = 1e-6) -> F64:
    """The most probable weights, (m,).

    Newton's method with the expected curvature, which is positive definite even where the flips
    bend the likelihood the other way; a step that makes things worse is halved.
    """
    w: F64 = prior.mean.copy()
    value = float(log_posterior(w[None], votes, prior=prior)[0])
    for _ in range(rounds):
        gradient, precision, _ = _slope(w, votes, prior=prior)
        step = np.linalg.solve(precision, gradient)
        better = _climb(w, np.asarray(step, np.float64), value, votes, prior=prior)
        if better is None:
            break
        gained = better[1] - value
        w, value = better
        if gained < close:
            break
    return w


def _precision(best: F64, votes: Votes, *, prior: Prior) -> F64:
    """The curvature around the most probable weights, (m, m), positive definite."""
    _, expected, observed = _slope(best, votes, prior=prior)
    # Where votes contradict each other the curvature that they have and the one that they should
    # have differ; only the second is sure to be positive definite.
    smallest = float(np.linalg.eigvalsh(observed)[0])
    return observed if smallest > 0.5 * float((prior.sd**-2).min()) else expected


def _climb(
    w: F64, step: F64, value: float, votes: Votes, *, prior: Prior
) -> tuple[F64, float] | None:
    """The first of w + step, w + step/2, … that is better than w; None where none is."""
    for halvings in range(12):
        tried = w + step / 2**halvings
        found = float(log_posterior(tried[None], votes, prior=prior)[0])
        if found > value:
            return tried, found
    return None


def _slope(w: F64, votes: Votes, *, prior: Prior) -> tuple[F64, F64, F64]:
    """Gradient of the log posterior, (m,), its expected and its observed negative curvature."""
    gradient = -(w - prior.mean) / prior.sd**2
    expected = observed = np.diag(prior.sd**-2)
    for outcome, first, second, worth in votes.groups():
        sides = (first, second) if outcome == "neither" else (first - second,)
        for side in sides:
            slope, fisher, curve = _curves(outcome, side @ w)
            gradient = gradient + (worth * slope) @ side
            expected = expected + (side * (worth * fisher)[:, None]).T @ side
            observed = observed + (side * (worth * curve)[:, None]).T @ side
    return gradient, expected, observed


def _curves(outcome: Outcome, z: F64) -> tuple[F64, F64, F64]:
    """Of log P(outcome) at z: its slope, its expected and its observed negative curvature."""
    if outcome == "neither":
        falls = _bends(sigmoid(-z), sign=-1.0)
        p, up, bend = _flipped(falls, _bends(sigmoid(z), sign=1.0))
        return up / p, up**2 / (p * (1.0 - p)), (up / p) ** 2 - bend / p
    first = _bends(sigmoid(z - TIE), sign=1.0)
    second = _bends(sigmoid(-z - TIE), sign=-1.0)
    decided = np.stack([_flipped(first, second), _flipped(second, first)])
    equal = -decided.sum(axis=0) + np.asarray([1.0, 0.0, 0.0])[:, None]
    p, up, bend = np.moveaxis(np.concatenate([decided, equal[None]]), 1, 0)
    p = np.maximum(p, 1e-12)
    place = ("first", "second", "equal").index(outcome)
    slope = up[place] / p[place]
    return slope, (up**2 / p).sum(axis=0), slope**2 - bend[place] / p[place]


def _bends(p: F64, *, sign: float) -> F64:
    """A logistic curve with its first and second derivative in z, (3, N)."""
    up = p * (1.0 - p)
    return np.stack([p, sign * up, up * (1.0 - 2.0 * p)])


def _flipped(meant: F64, other: F64) -> F64:
    """A share ε of the votes says the opposite of what was meant."""
    found: F64 = (1.0 - FLIPS) * meant + FLIPS * other
    return found


def _balanced(rng: np.random.Generator, count: int, size: int) -> F64:
    """Draws of Student's t in mirrored pairs, so that what is symmetric comes out symmetric.

    A weight's numbers do not depend on how many follow it: a new trait leaves the others alone.
    """
    stretch = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, (count // 2, 1)))
    half = rng.standard_normal((size, count // 2)).T * stretch
    return np.concatenate([half, -half])
