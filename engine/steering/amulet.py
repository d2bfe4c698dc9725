"""Amulet in closed form: one fused pass over the vocabulary for each token.

Background: the model is asked twice, without and with a preference sentence; the difference of
the log-probs says which tokens the preference favours, and the answer is drawn from the second
distribution pushed further in that direction. The published method plays 60 rounds of a game
per token; they collapse into one number (`engine.steering.strength`).

Letters: Lb log-probs of the base stream, L_j of the stream with preference j, δ_j = L_j − Lb its
utility in nats, θ_j its weight, κ the plausibility. Functions take logits, since the constant
between logits and log-probs cancels wherever only an order or a softmax is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.numerics import F32, Ids, log_sum_exp


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Tokens that may come next.

    scores  float32, (n,): logits up to a constant; −inf means never
    ids     their token ids, (n,), or None where `scores` covers the vocabulary in order
    """

    scores: F32
    ids: Ids | None = None


def weights(strength: float, *, of: tuple[float, ...]) -> F32:
    """θ_j = 1 + γ w_j, so that one preference of weight 1 gives Lp + γ (Lp − Lb).

    of  w_j, one per preference; returns float32, (m,)
    """
    return np.float32(1.0) + np.float32(strength) * np.asarray(of, dtype=np.float32)


def log_norms(rows: Iterable[F32], *, scratch: F32) -> tuple[float, ...]:
    """log Σ exp of each row of logits, nats: what turns its logits into log-probs."""
    return tuple(log_sum_exp(row, scratch=scratch) for row in rows)


def utilities(rows: F32, token: int, *, norms: Sequence[float]) -> F32:
    """δ_j = L_j − Lb of one token, in nats, float32, (m,).

    rows   logits, float32, (1 + m, V), the base stream first
    norms  `log_norms` of the rows
    """
    found = rows[:, token] - np.asarray(norms, dtype=np.float32)
    delta: F32 = found[1:] - found[0]
    return delta


def steer(
    base: F32,
    preferred: F32,
    theta: F32,
    *,
    plausibility: float | None,
    scratch: F32,
    norms: Sequence[float] | None = None,
) -> Candidates:
    """Next-token scores: Lb + Σ_j θ_j (L_j − Lb)          (paper, eq. of P_T, in closed form)

    base          logits of the base stream, float32, (V,), read
    preferred     logits of the streams with a preference, float32, (m, V), read
    theta         θ, float32, (m,)
    plausibility  κ in (0, 1], or None; a token stays only where max(Lb, L_1 … L_m) is within
                  log κ of the largest such value
    scratch       float32, (V,), overwritten; the result may be a view of it
    norms         `log_norms` of base and preferred, where they are known
    returns       candidates; a token that any stream gives −inf has the score −inf

    Differs from the paper: the plausibility cut (None reproduces it exactly) and more than one
    preference. The cut keeps small models fluent, since δ of an improbable token is noise.
    """
    if plausibility is None:
        return Candidates(scores=_without_nan(_combine(base, preferred, theta, out=scratch)))
    if norms is None:
        norms = log_norms((base, *preferred), scratch=scratch)
    ids = plausible(base, preferred, plausibility=plausibility, norms=norms)
    scores = _combine(base[ids], preferred[:, ids], theta, out=np.empty(len(ids), np.float32))
    return Candidates(scores=_without_nan(scores), ids=ids)


def plausible(base: F32, preferred: F32, *, plausibility: float, norms: Sequence[float]) -> Ids:
    """Ids with max(Lb, L_1 … L_m) ≥ max over tokens + log κ, ascending; never empty.

    Thresholds are moved to the logits of each stream, so nothing of size V is normalised.
    """
    rows = (base, *preferred)
    floor = max(float(row.max()) - norm for row, norm in zip(rows, norms, strict=True))
    floor += float(np.log(plausibility))
    keep = base >= np.float32(floor + norms[0])
    for row, norm in zip(preferred, norms[1:], strict=True):
        keep |= row >= np.float32(floor + norm)
    ids = np.flatnonzero(keep)
    return ids if len(ids) else np.asarray([int(base.argmax())])


@np.errstate(invalid="ignore")  # −inf in a stream: `_without_nan` says what it means
def _combine(base: F32, preferred: F32, theta: F32, *, out: F32) -> F32:
    """(1 − Σθ) Lb + Σ_j θ_j L_j, for one preference without a temporary array of size V."""
    rest = np.float32(1.0) - theta.sum(dtype=np.float32)
    if len(theta) == 1 and abs(theta[0]) > 1e-6:  # a division by less may overflow
        np.multiply(base, rest / theta[0], out=out)
        np.add(out, preferred[0], out=out)
        np.multiply(out, theta[0], out=out)
        return out
    np.multiply(base, rest, out=out)
    np.add(out, theta @ preferred, out=out)
    return out


def _without_nan(scores: F32) -> F32:
    """−inf in any stream makes ±inf or NaN above; all of them mean "never"."""
    finite = np.isfinite(scores)
    if not finite.all():
        scores[~finite] = -np.inf
    return scores
