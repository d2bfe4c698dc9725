"""Decoding with a learned reward: what T-POP does at each token, on arrays.

Background: two answers to one question are written side by side. At each token the likeliest few
candidates are weighed with a reward network. The first answer takes what is likely and expected
to be liked; the second is also pulled to where the network is unsure, measured against the first,
so that the vote between them teaches most.

Source: T-POP (arXiv 2509.24696). Of the two defects of its release one is mended here: a direction
once explored counts as *less* unsure (`widened`); the other, a reversed label, in
`engine.preference.refit`. Features are ours: a running mean of the answering model's own hidden
states (`Pooling`), where the paper has a second model read the whole text anew for each candidate.

Letters: r a reward, f what is made of it (`squashed`), ω its weight, u unsureness in units of
reward, ν its weight, g = ∂r/∂θ; V is the diagonal of explored directions here, one number per
weight of the network. m, d, K, n and θ as in `engine.network`. Probabilities are those of the
model at temperature 1, neither logits nor log-probs.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.network import Network
from engine.numerics import F32

Squash = Literal["sigmoid", "raw"]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-4
"""More than float32 moves f, where features have length 1 and rewards are of order 1 to 10."""

_TIE = 1e-12
"""More than float64 moves p + ω f, where ω f is below a thousand."""


# Features -----------------------------------------------------------------------------------


class Pooling:
    """Features of an answer that grows: x = normalise( (S + h)/(t + 1) ).

    S is the sum of the hidden states h of the t tokens so far. Only the answer is pooled: the
    prompt is the same for all candidates and would dilute what tells them apart.

    Differs from the paper: it embeds prompt and answer with a second model.
    """

    def __init__(self, width: int) -> None:
        """An empty answer; width is d, the length of a hidden state."""
        # float64: float32 would drift over a thousand tokens of large hidden states.
        self._sum = np.zeros(width, dtype=np.float64)
        self._count = 0

    def add(self, state: F32) -> None:
        """The answer has grown by a token with this hidden state, (d,)."""
        self._sum += state
        self._count += 1

    def mean(self) -> F32:
        """Mean hidden state of the answer, (d,), not normalised; zeros while it is empty."""
        mean: F32 = (self._sum / max(self._count, 1)).astype(np.float32)
        return mean

    def feature(self) -> F32:
        """Feature of the answer as it stands, (d,), of length 1; zeros while it is empty.

        Also the feature of a candidate that ends the text, which adds nothing to read.
        """
        feature: F32 = _normalised(self._sum[None])[0]
        return feature

    def features(self, states: F32) -> F32:
        """Features of the answer with one more token, for each candidate.

        states   hidden states of the candidates, float32, (K, d), finite
        returns  float32, (K, d), rows of length 1; zeros where states cancel out
        """
        return _normalised(self._sum + states)

    def reach(self, *, longest: float) -> float:
        """How far apart the features of two candidates can be at most, in [0, 2].

        |x − x'| ≤ 2 H / |S|: adding h with |h| ≤ H turns S by at most arcsin(H/|S|), so two
        candidates, or one and the end of the text, are at most twice that angle apart, and the
        chord of 2 arcsin(H/|S|) is 2 H/|S|. Features have length 1, so 2 bounds them anyway.

        longest  H ≥ 0: no candidate's hidden state is longer
        """
        length = float(np.linalg.norm(self._sum))
        return min(2.0, 2.0 * longest / length) if length > 0.0 else 2.0


def _normalised(rows: npt.NDArray[np.float64]) -> F32:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0.0] = 1.0
    normalised: F32 = (rows / lengths).astype(np.float32)
    return normalised


# Reward and unsureness ----------------------------------------------------------------------


def squashed(rewards: F32, how: Squash) -> F32:
    """f: the rewards as they are ("raw", the paper) or 1/(1 + exp(−r)) ("sigmoid", the release).

    rewards  float32, (K,); returns float32, (K,), in [0, 1] for "sigmoid"
    """
    if how == "raw":
        return rewards
    sigmoid: F32 = 0.5 + 0.5 * np.tanh(0.5 * rewards)  # exp(−r) would overflow
    return sigmoid


def unsureness(network: Network, X: F32, reference: F32, spread: F32) -> F32:
    """u of each candidate: how little is known about its difference to the other answer.

    u(x) = √( Σ_i (g_i(x) − g_i(x1))² / V_i )          (paper, exploration bonus, V diagonal)

    X          features of the second answer's candidates, float32, (K, d)
    reference  x1: feature of the first answer with the token it took, float32, (d,)
    spread     V, float32, (n,), > 0
    returns    u, float32, (K,), ≥ 0, exactly 0 where x = x1

    No gradient is written out. With a = a1 + Δa and x = x1 + Δx the part of W1 is
    a xᵀ − a1 x1ᵀ = Δa xᵀ + a1 Δxᵀ, and its squares over V_W sum to
    Δa²·(V_W⁻¹ x²) + 2 Δa a1·(V_W⁻¹ (x Δx)) + a1²·(V_W⁻¹ Δx²): two products of (K, d) with
    (d, m). Differences come before squares, so near texts lose no digits in float32.

    Differs from the paper: the diagonal of V stands for the whole matrix of n × n numbers, as in
    the release; and no 1/√m, likewise.
    """
    m, d = network.units, network.width
    inverse = 1 / spread
    of_W1 = inverse[: m * d].reshape(m, d)
    of_b1, of_w2 = inverse[m * d : -1].reshape(2, m)
    H = network.hidden(np.concatenate([reference[None], X]))
    A = network.slopes(H)
    a1, dA, dH = A[0], A[1:] - A[0], H[1:] - H[0]
    dX = X - reference
    # One product for both: the larger matrix is read once.
    squares, crossed = (np.concatenate([X * X, X * dX]) @ of_W1.T).reshape(2, len(X), m)
    total: F32 = (dA * (dA * squares + 2 * a1 * crossed)).sum(axis=1)
    total += (dX * dX) @ ((a1 * a1) @ of_W1)
    total += (dA * dA) @ of_b1 + (dH * dH) @ of_w2  # ∂r/∂b2 is 1 for all
    # Products of a matrix may round alike rows differently.
    total[~dX.any(axis=1)] = 0
    return np.sqrt(np.maximum(total, 0))


def widened(network: Network, x1: F32, x2: F32, spread: F32) -> F32:
    """V after both answers took a token: V_i + (g_i(x1) − g_i(x2))².

    x1, x2   features of the answers with the tokens they took, float32, (d,)
    spread   V, float32, (n,), read
    returns  float32, (n,): nowhere less than V

    Differs from the release: it adds the square to 1/V, so that u grows where it should fall.
    """
    g1, g2 = network.gradients(np.stack([x1, x2]))
    wider: F32 = spread + np.square(g1 - g2)
    return wider


# The choice ---------------------------------------------------------------------------------


def choose_first(probabilities: F32, f: F32, *, omega: float) -> int:
    """Position of the first answer's token: argmax of p + ω f; the lowest among equals.

    probabilities  p, float32, (K,), K ≥ 1
    f              float32, (K,)
    omega          ω ≥ 0; 0, like an f that is the same for all, gives the likeliest candidate
    """
    return int(_scores(probabilities, f, omega=omega).argmax())


def choose_second(
    probabilities: F32, f: F32, u: F32, *, omega: float, nu: float, forbidden: int | None
) -> int:
    """Position of the second answer's token: argmax of p + ω (f + ν u), but not `forbidden`.

    probabilities, f, u  float32, (K,), K ≥ 1
    omega                ω ≥ 0
    nu                   ν ≥ 0
    forbidden            position of the token that the first answer took: then the second best is
                         taken; None where it is no candidate here, or an answer has ended

    A lone candidate is taken even where it is forbidden.
    Differs from the release: there the arms also avoid each other after one has ended.
    """
    scores = _scores(probabilities, f, omega=omega)
    scores += omega * nu * u.astype(np.float64)
    if forbidden is not None:
        scores[forbidden] = -np.inf
    return int(scores.argmax())


def _scores(probabilities: F32, f: F32, *, omega: float) -> npt.NDArray[np.float64]:
    # float64: 0.1 in float32 may vanish beside a large raw reward, and with it the language model.
    return probabilities.astype(np.float64) + omega * f.astype(np.float64)


# Candidates that need no weighing -----------------------------------------------------------


def lipschitz(network: Network) -> float:
    """A bound on |r(x) − r(x')| / |x − x'|: the largest singular value of W1 times |w2|.

    relu moves each unit by at most as much as its input, so
    |r − r'| ≤ |w2| |relu(z) − relu(z')| ≤ |w2| |W1 (x − x')| ≤ |w2| ‖W1‖ |x − x'|.
    Takes about a millisecond: once per answer, not per token.
    """
    W1 = network.W1.astype(np.float64)
    w2 = network.w2.astype(np.float64)
    return float(np.linalg.norm(W1, ord=2) * np.linalg.norm(w2))


def largest_gap(slope: float, *, reach: float, how: Squash) -> float:
    """How much f can differ between two candidates at most.

    slope  of `lipschitz`
    reach  of `Pooling.reach`: how far apart their features can be
    how    a sigmoid is nowhere steeper than 1/4, and lies between 0 and 1
    """
    return slope * reach if how == "raw" else min(1.0, slope * reach / 4.0)


def may_win(probabilities: F32, *, omega: float, gap: float) -> Mask:
    """Which candidates can still be the argmax of p + ω f, before any f is known.

    v stays where p_v + ω gap ≥ max p. The others can be skipped, and the choice is the same: let
    t be the likeliest candidate and v one that was cut, p_v + ω gap < p_t. As f_v ≤ f_t + gap,

        p_v + ω f_v ≤ p_v + ω gap + ω f_t < p_t + ω f_t,

    so v is beaten, strictly, by t, which always stays. A cut candidate is therefore never chosen
    and never among equals, and the order of those that stay is kept.

    probabilities  p, float32, (K,), K ≥ 1
    omega          ω ≥ 0
    gap            ≥ 0, finite: |f_v − f_w| ≤ gap for all candidates v, w (`largest_gap`)
    returns        bool, (K,), true at the likeliest

    `ROUNDING` widens the gap, so that the law holds for rewards in float32 too. It says nothing
    about `choose_second` where ν > 0: u jumps where a unit switches on, so no slope bounds it.

    Raises InvalidParameter for a negative or unbounded omega or gap.
    """
    for name, value in (("omega", omega), ("gap", gap)):
        if not 0.0 <= value < np.inf:
            raise InvalidParameter.outside(name, value, "a finite number ≥ 0")
    p = probabilities.astype(np.float64)
    mask: Mask = p + (omega * (gap + ROUNDING) + _TIE) >= p.max()
    return mask
