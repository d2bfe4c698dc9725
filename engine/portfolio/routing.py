"""Which member answers: what the owner's weights may be, learned from votes, and the best for them.

The owner's weights w are unknown, and so is β, how much a difference in reward sways them. Votes
and overrides make some values more likely than others, and draws of both carry that. Nothing of
it is stored: the same record and generator give the same beliefs.

A vote is about two answers and is decided by z = β w·(r(first) − r(second)). An override, where the
owner takes another member than the one that was chosen for them, is one about mean rewards.

Source: PALM (arXiv 2604.04144) takes the weights as given. Learning them with draws, and asking
where they disagree most, is ours, close to PReF (arXiv 2503.06358).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.weights import Flags, extremes
from engine.types.learning import Outcome

DRAWS = 8192
"""Half of them from what is believed beforehand, half from where the votes point."""

ROUNDS = 3
"""How often it is looked where the votes point."""

SWAY, SWAY_SPREAD = math.log(6.0), 0.5
"""ln β before any vote is N(SWAY, SWAY_SPREAD²): a reward of 1 more is worth about 6 logits."""

SLIDER = 4.0
"""At its upper end a slider multiplies an objective's concentration by this, at its lower end it
divides it."""

SLIPS = 0.1
"""ε: share of votes that say the opposite of what was meant."""

TIE = 0.4
"""t, in logits: differences within ± t are as likely called equal as not."""

NARROWER, FLAT = 0.6, 0.3
"""The fitted distribution has this share of the concentration that was found, and at least that
much for each objective: where the votes point is drawn from with wide tails."""

LEAST = 1e-4
"""The least variance that is fitted to."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A vote on two answers, or a member taken instead of another.

    difference  rewards of the first less those of the second, float64, (d,), in [−1, 1]; NaN where
                one of them was not measured, which counts as no difference
    outcome     what was said; "neither" tells nothing of the difference

    Raises InvalidParameter for infinite differences.
    """

    difference: F64
    outcome: Outcome

    def __post_init__(self) -> None:
        if np.isinf(self.difference).any():
            allowed = "finite, or NaN where it was not measured"
            raise InvalidParameter.outside("difference", self.difference.tolist(), allowed)


def override(R: F64, *, taken: int, instead_of: int) -> Comparison:
    """That the owner took one candidate instead of the one that was chosen; R is (n, d)."""
    return Comparison(difference=R[taken] - R[instead_of], outcome="first")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beliefs:
    """Draws of the owner's weights with their probabilities.

    weights  w, float64, (S, d), each ≥ 0 with a sum of 1
    sway     β, float64, (S,), > 0, logits per unit of reward
    mass     float64, (S,), sums to 1
    """

    weights: F64
    sway: F64
    mass: F64

    @property
    def mean(self) -> F64:
        """The expected weights w̄, (d,); what a linear taste is best served by."""
        found: F64 = self.mass @ self.weights
        return found

    @property
    def effective(self) -> float:
        """Draws that this many equally probable ones would be worth, in [1, S]."""
        return float(1.0 / np.sum(self.mass**2))

    def variances(self, R: F64) -> F64:
        """Of w·(R_p − R_q) for each two rows of R (k, d), float64, (k, k)."""
        scores = self.weights @ R.T
        scores -= self.mass @ scores
        covariance = (scores * self.mass[:, None]).T @ scores
        each = np.diag(covariance)
        return np.maximum(each[:, None] + each - 2.0 * covariance, 0.0)

    def most_informative(self, R: F64) -> tuple[int, int]:
        """The two rows of R (k, d) whose comparison tells most, in ascending order.

        It is the pair whose difference in worth is the least certain; of equal ones the first.

        Raises InvalidParameter for fewer than two rows.
        """
        if len(R) < 2:
            raise InvalidParameter.outside("number of members to compare", len(R), "at least 2")
        first, second = np.triu_indices(len(R), k=1)
        widest = int(self.variances(R)[first, second].argmax())
        return int(first[widest]), int(second[widest])


def believe(
    sliders: F64,
    comparisons: Sequence[Comparison],
    *,
    rng: np.random.Generator,
    floors: F64 | None = None,
    fade: float | None = None,
) -> Beliefs:
    """What is believed of the owner's weights after these comparisons, oldest first.

    sliders  how much the owner says that each objective counts, float64, (d,), in [0, 1]; all ½
             make every weighting as likely as any other
    floors   least weights, (d,), ≥ 0, with a sum below 1; None for none
    fade     comparisons after which an older one counts half (its likelihood to the power of ½),
             > 0; None never

    The draws are weighed by the true posterior (importance sampling). Half of them come from the
    prior; the other half from a Dirichlet distribution fitted to what the draws so far say, a few
    times over (population Monte Carlo, Cappé et al. 2004), so hundreds of votes are no trouble.

    Raises InvalidParameter for arguments outside these ranges.
    """
    prior = _Guess(concentration=_concentration(sliders), middle=SWAY, spread=SWAY_SPREAD)
    _check(comparisons, objectives=len(prior.concentration), fade=fade)
    vertices = extremes(floors, objectives=len(prior.concentration))

    def drawn_from(guess: _Guess) -> _Draws:
        shares, log_sway = guess.draw(DRAWS // 2, rng=rng)
        sway, weights = np.exp(log_sway), shares @ vertices
        return _Draws(shares, log_sway, _told(comparisons, weights, sway, fade=fade))

    broad = draws = drawn_from(prior)
    mass = _normalised(broad.told)
    for _ in range(ROUNDS):
        guess = _fitted(draws, mass)
        draws = broad.joined(drawn_from(guess))
        before, after = (g.log_density(draws) for g in (prior, guess))
        mass = _normalised(draws.told + before - np.logaddexp(before, after))
    return Beliefs(weights=draws.shares @ vertices, sway=np.exp(draws.log_sway), mass=mass)


def log_likelihood(outcome: Outcome, z: F64, *, slips: float = SLIPS, tie: float = TIE) -> F64:
    """log P(outcome) where the first answer is worth z logits more than the second; any shape.

    Rao and Kupper (1967): P(first) = σ(z − t), P(second) = σ(−z − t), the rest is "equal"; then a
    share ε of the decided votes is turned round. "neither" is as likely whatever z is.

    slips  ε in [0, ½]
    tie    t in logits, ≥ 0; > 0 for "equal"
    """
    if outcome == "neither":
        return np.zeros_like(z)
    if outcome == "equal":
        # 1 − σ(z − t) − σ(−z − t) would be lost in rounding where |z| is large.
        room = math.log(math.expm1(2.0 * tie))
        return room - (np.logaddexp(0.0, tie - z) + np.logaddexp(0.0, tie + z))
    lead = z if outcome == "first" else -z
    found: F64 = np.log((1.0 - slips) * _sigmoid(lead - tie) + slips * _sigmoid(-lead - tie))
    return found


def route(
    weights: F64,
    R: F64,
    *,
    allowed: Flags,
    current: int | None = None,
    swap_cost: float = 0.0,
) -> int:
    """The place of the member that answers next.

    weights    the owner's, w̄, float64, (d,)
    R          mean rewards of the members, float64, (k, d)
    allowed    which of them can be had now, (k,); another one is never chosen
    current    the member that answered last; None for none
    swap_cost  reward that a change of members costs, ≥ 0: the current one stays unless another
               is worth more than that beyond it
    returns    the best one; of equal ones the first

    Raises InvalidParameter where no member is allowed.
    """
    if not np.any(allowed):
        raise InvalidParameter("No member of the portfolio can be had now. Allow at least one.")
    worth = np.where(allowed, R @ weights, -np.inf)
    best = int(worth.argmax())
    if current is not None and worth[best] - worth[current] <= swap_cost:
        return current
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Draws of the weights without their floors, (S, d), of ln β, (S,), and the log-likelihood of
    all that was said, (S,)."""

    shares: F64
    log_sway: F64
    told: F64

    def joined(self, other: _Draws) -> _Draws:
        return _Draws(
            np.concatenate([self.shares, other.shares]),
            np.concatenate([self.log_sway, other.log_sway]),
            np.concatenate([self.told, other.told]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Guess:
    """Weights from a Dirichlet distribution beside ln β from a normal one.

    concentration  float64, (d,), > 0
    """

    concentration: F64
    middle: float
    spread: float

    def draw(self, count: int, *, rng: np.random.Generator) -> tuple[F64, F64]:
        shares = rng.dirichlet(self.concentration, count)
        return shares, rng.normal(self.middle, self.spread, count)

    def log_density(self, draws: _Draws) -> F64:
        """At each draw, (S,), up to what all guesses have in common."""
        # A small concentration draws weights that are 0 in floating point.
        shares = np.log(np.maximum(draws.shares, 1e-300))
        of_each = sum(math.lgamma(a) for a in self.concentration)
        known = math.lgamma(self.concentration.sum()) - of_each - math.log(self.spread)
        far = (draws.log_sway - self.middle) / self.spread
        found: F64 = known + shares @ (self.concentration - 1.0) - 0.5 * far**2
        return found


def _fitted(draws: _Draws, mass: F64) -> _Guess:
    """A guess with the mean and the overall spread of the draws, and somewhat wider."""
    mean = mass @ draws.shares
    variance = float(mass @ ((draws.shares - mean) ** 2).sum(axis=1))
    total = float((mean * (1.0 - mean)).sum()) / max(variance, LEAST) - 1.0
    middle = float(mass @ draws.log_sway)
    spread = math.sqrt(float(mass @ (draws.log_sway - middle) ** 2) + LEAST)
    return _Guess(
        concentration=np.maximum(NARROWER * total * mean, FLAT),
        middle=middle,
        spread=spread / NARROWER**0.5,
    )


def _concentration(sliders: F64) -> F64:
    """Of the Dirichlet prior: 1 for a slider in the middle, (d,)."""
    known = np.asarray(sliders, dtype=np.float64)
    if known.ndim != 1 or not ((known >= 0.0) & (known <= 1.0)).all():
        raise InvalidParameter.outside("sliders", known.tolist(), "numbers from 0 to 1")
    found: F64 = SLIDER ** (2.0 * known - 1.0)
    return found


def _check(comparisons: Sequence[Comparison], *, objectives: int, fade: float | None) -> None:
    if fade is not None and not fade > 0.0:
        raise InvalidParameter.outside("fade", fade, "more than 0, or None")
    for said in comparisons:
        if said.difference.shape != (objectives,):
            found = said.difference.shape
            raise InvalidParameter.outside("shape of a difference", found, f"({objectives},)")


def _told(comparisons: Sequence[Comparison], weights: F64, sway: F64, *, fade: float | None) -> F64:
    """log P of everything that was said for each draw, (S,)."""
    total = np.zeros(len(sway))
    for later, said in enumerate(reversed(comparisons)):
        worth = 1.0 if fade is None else 0.5 ** (later / fade)
        z = sway * (weights @ np.nan_to_num(said.difference))
        total += worth * log_likelihood(said.outcome, z)
    return total


def _sigmoid(x: F64) -> F64:
    """1 / (1 + e^−x), without overflow."""
    found: F64 = 0.5 * (1.0 + np.tanh(0.5 * x))
    return found


def _normalised(log_mass: F64) -> F64:
    mass = np.exp(log_mass - log_mass.max())
    found: F64 = mass / mass.sum()
    return found
