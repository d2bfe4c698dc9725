"""The reward network learned from votes, anew after each of them.

Source: T-POP (arXiv 2509.24696), its refit. Each vote is a pair of answers; the network is trained
so that the difference of their rewards says which was better (Bradley and Terry). Every refit
starts from the same weights and sees all votes, so what was learned depends on the votes alone,
not on the order in which refits happened.

Of the two defects of the release one is mended here: its label is reversed, so that a preferred
first answer pushes the first reward *down*. The other, a V that shrinks where it should grow, is
mended in `engine.steering.network`.

Letters as in `engine.network`; N is the number of pairs, B of those in a batch, l a label, and V
the diagonal of explored directions, one number per weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.network import Network
from engine.numerics import F32

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""AdamW: memory of the mean gradient and of its square, and what keeps from dividing by 0."""

DECAY_OFFSET = 50
"""Weights decay by 1/(N + 50): the fewer votes, the more the network is held back."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A vote on two complete answers.

    first   feature of the first answer, float32, (d,), of length 1
    second  feature of the second
    label   l in [0, 1]: 1 where the first was better, 0 where the second, 0.5 for equal
    weight  ≥ 0, finite: how much the vote counts; votes that fade have less than 1

    Raises InvalidParameter for a label or weight outside its range.
    """

    first: F32
    second: F32
    label: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.label <= 1.0:
            raise InvalidParameter.outside("label", self.label, "a number from 0 to 1")
        if not 0.0 <= self.weight < math.inf:
            raise InvalidParameter.outside("weight", self.weight, "a finite number ≥ 0")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Votes:
    """Pairs side by side, as arrays.

    features  float32, (2, N, d): first and second answers
    labels    l, float32, (N,)
    weights   float32, (N,)
    """

    features: F32
    labels: F32
    weights: F32

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Votes:
        """Stacked, in their order; there must be at least one."""
        return cls(
            features=np.stack([[p.first for p in pairs], [p.second for p in pairs]]),
            labels=np.array([p.label for p in pairs], dtype=pairs[0].first.dtype),
            weights=np.array([p.weight for p in pairs], dtype=pairs[0].first.dtype),
        )


def initial(units: int, width: int, rng: np.random.Generator) -> Network:
    """θ0, untaught: weights from N(0, 2/fan-in), biases 0.

    units  m ≥ 1; 64 to 128 is ample
    width  d ≥ 1
    rng    gives the same network for the same state: keep the seed with what was learned

    Raises InvalidParameter for a number below 1.
    """
    for name, value in (("units", units), ("width", width)):
        if value < 1:
            raise InvalidParameter.outside(name, value, "a whole number ≥ 1")
    W1 = rng.standard_normal((units, width), dtype=np.float32) * np.float32(math.sqrt(2 / width))
    w2 = rng.standard_normal(units, dtype=np.float32) * np.float32(math.sqrt(2 / units))
    return Network(W1=W1, b1=np.zeros(units, np.float32), w2=w2, b2=0.0)


def loss_and_gradient(network: Network, votes: Votes) -> tuple[float, F32]:
    """How badly the network explains the votes, and the way to do worse.

    margin = r1 − r2;  L = 1/B Σ weight · ( l softplus(−margin) + (1 − l) softplus(margin) )

    returns  L ≥ 0 in nats, and ∂L/∂θ, float32, (n,), in the order of `Network.vector`

    The same for (first, second, l) and (second, first, 1 − l). ∂L/∂b2 is 0.
    Differs from the release: l is 1, not 0, where the first answer was better. Differs from the
    paper: a mean over the batch, as in the release, instead of a sum; its penalty λ|θ|² is the
    decay in `AdamW`; labels between 0 and 1, and weights.
    """
    X = votes.features.reshape(-1, network.width)  # firsts, then seconds: (2 B, d)
    H = network.hidden(X)
    first, second = network.of_hidden(H).reshape(2, -1)
    margin = first - second
    count = len(margin)
    # l softplus(−x) + (1 − l) softplus(x) = softplus(x) − l x
    losses = votes.weights * (np.logaddexp(0, margin) - votes.labels * margin)
    sigmoid = 0.5 + 0.5 * np.tanh(0.5 * margin)  # exp(−margin) would overflow
    pull = votes.weights * (sigmoid - votes.labels) / count  # ∂L/∂r1 = −∂L/∂r2
    A = network.slopes(H)
    of_W1 = (A * np.concatenate([pull, -pull])[:, None]).T @ X
    # Differences first: what is the same for both answers must give 0 and not a rounding error,
    # which Adam would take for a small but certain gradient and follow with whole steps.
    of_b1, of_w2 = pull @ (A[:count] - A[count:]), pull @ (H[:count] - H[count:])
    parts = [of_W1.ravel(), of_b1, of_w2, np.zeros_like(of_b1[:1])]
    return float(losses.sum()) / count, np.concatenate(parts)


class AdamW:
    """Adam with decoupled decay (Loshchilov & Hutter 2019), in place on one vector of weights.

    θ ← θ (1 − lr · decay) − lr · m̂ / (√v̂ + ε), with m̂ and v̂ the running mean and square of the
    gradient, corrected for their start at 0.
    """

    def __init__(self, like: F32, *, learning_rate: float, decay: float) -> None:
        """Ready for the first step on vectors of the shape and dtype of `like`.

        learning_rate  lr > 0, per step
        decay          ≥ 0
        """
        self._learning_rate, self._decay = learning_rate, decay
        self._mean, self._square = np.zeros_like(like), np.zeros_like(like)
        self._scratch = np.empty_like(like)
        self._steps = 0

    def step(self, theta: F32, gradient: F32) -> None:
        """One step against the gradient. θ is changed in place, and `gradient` is used up."""
        self._steps += 1
        # Both corrections are numbers, so they move into the step and ε instead of costing a pass:
        # lr m̂/(√v̂ + ε) = lr c2/c1 · m/(√v + ε c2), with c1 = 1 − β1ᵗ and c2 = √(1 − β2ᵗ).
        c1, c2 = 1 - BETA1**self._steps, math.sqrt(1 - BETA2**self._steps)
        scratch = self._scratch
        self._mean *= BETA1
        self._mean += np.multiply(gradient, 1 - BETA1, out=scratch)
        np.square(gradient, out=gradient)
        gradient *= 1 - BETA2
        self._square *= BETA2
        self._square += gradient
        np.sqrt(self._square, out=scratch)
        scratch += EPSILON * c2
        np.divide(self._mean, scratch, out=scratch)
        scratch *= self._learning_rate * c2 / c1
        theta *= 1 - self._learning_rate * self._decay
        theta -= scratch


def refit(
    pairs: Sequence[Pair],
    *,
    start: Network,
    epochs: int = 100,
    batch: int = 8,
    learning_rate: float,
    rng: np.random.Generator,
) -> Network:
    """The network that all votes teach, from `start`: AdamW over shuffled batches.

    pairs          votes on answers, of features as long as `start.width`; none gives `start`
    start          θ0, read: the same after every vote, never what the last refit gave
    epochs         ≥ 0, passes over all pairs
    batch          ≥ 1, pairs in a step; the last of an epoch may be smaller
    learning_rate  > 0; the release has 5e-4 with 1024 units, 64 to 128 want about 2e-3
    rng            shuffles; the same state gives the same bits
    returns        a network with arrays of its own

    Each step costs O(m d) and there are epochs · ⌈N/batch⌉.

    Raises InvalidParameter for a number outside its range.
    """
    if epochs < 0:
        raise InvalidParameter.outside("epochs", epochs, "a whole number ≥ 0")
    if batch < 1:
        raise InvalidParameter.outside("batch", batch, "a whole number ≥ 1")
    if not 0.0 < learning_rate < math.inf:
        raise InvalidParameter.outside("learning_rate", learning_rate, "a finite number > 0")
    theta = start.vector()
    if not pairs:
        return Network.of(theta, units=start.units)
    votes = Votes.of(pairs)
    decay = 1 / (len(pairs) + DECAY_OFFSET)
    optimiser = AdamW(theta, learning_rate=learning_rate, decay=decay)
    for _ in range(epochs):
        order = rng.permutation(len(pairs))
        for at in range(0, len(pairs), batch):
            some = order[at : at + batch]
            network = Network.of(theta, units=start.units)
            _, gradient = loss_and_gradient(
                network,
                Votes(
                    features=votes.features[:, some],
                    labels=votes.labels[some],
                    weights=votes.weights[some],
                ),
            )
            optimiser.step(theta, gradient)
    return Network.of(theta, units=start.units)


def spread_of(visited: F32, network: Network, *, lam: float = 1.0) -> F32:
    """V as these tokens leave it, in the directions of this network:

    V_i = λ + Σ_t (g_i(x1_t) − g_i(x2_t))²

    visited  features of both answers at each token, float32, (T, 2, d); with T = 0, the start of
             a duel, V is λ everywhere, and what is explored in the duel is added token by token
    network  after the last refit
    lam      λ > 0, finite: how sure one is of each weight before anything was tried
    returns  float32, (n,), ≥ λ

    Differs from the release: it carries V over from one network to the next, although directions
    in weights mean something else after a refit. The default of Attune, T = 0, starts each duel
    anew; all tokens of earlier duels give what an unforgetting V should have become.

    Raises InvalidParameter for a λ outside its range.
    """
    if not 0.0 < lam < math.inf:
        raise InvalidParameter.outside("lambda", lam, "a finite number > 0")
    X1, X2 = visited[:, 0], visited[:, 1]
    H1, H2 = network.hidden(X1), network.hidden(X2)
    A1, A2 = network.slopes(H1), network.slopes(H2)
    dA, dX = A2 - A1, X2 - X1
    # (a2 x2ᵀ − a1 x1ᵀ)² = (Δa x2ᵀ + a1 Δxᵀ)², as products over the tokens: no gradient is written
    # out, and differences come before squares.
    of_W1 = np.square(dA).T @ np.square(X2)
    of_W1 += 2 * ((dA * A1).T @ (X2 * dX))
    of_W1 += np.square(A1).T @ np.square(dX)
    of_b1, of_w2 = np.square(dA).sum(axis=0), np.square(H2 - H1).sum(axis=0)
    parts = [of_W1.ravel(), of_b1, of_w2, np.zeros_like(of_b1[:1])]
    spread: F32 = lam + np.maximum(np.concatenate(parts), 0)  # rounding may leave less than 0
    return spread
