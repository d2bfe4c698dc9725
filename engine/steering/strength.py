"""From the game's four parameters to its one number: the strength γ.

Source: Zhang et al., Amulet (ICLR 2025, arXiv 2502.19148). Every round of the published game is
linear in the two log-prob vectors up to a constant, so T rounds collapse into

    P_T = log-softmax( Lp + γ (Lp − Lb) )

with γ a function of (α, λ, η, T) alone: see docs/algorithms/amulet.md.
"""

from __future__ import annotations

import math

from engine.errors import InvalidParameter
from engine.types.steering import MAX_GAMMA

LINEAR_ALIGNMENT = 2.0
"""γ of Linear Alignment, the paper's LA baseline."""


def gamma(*, alpha: float = 2.0, lam: float = 2.0, eta: float = 10.0, rounds: int = 60) -> float:
    """Strength that T rounds of the game amount to.

    γ_0 = S_0 = 0;  S_t = S_{t−1} + 1 + γ_{t−1};  γ_t = (α S_t/t + γ_{t−1}/(η t)) / (λ + 1/(η t))

    alpha   α ≥ 0, weight of the utility
    lam     λ > 0, pull towards the preference prompt
    eta     η > 0, learning rate
    rounds  T in 1..1000

    Raises InvalidParameter for a parameter outside its range.
    """
    _require("alpha", alpha, low=0.0, open_low=False)
    _require("lambda", lam, low=0.0)
    _require("eta", eta, low=0.0)
    if not 1 <= rounds <= 1000:
        raise InvalidParameter.outside("rounds", rounds, "a whole number from 1 to 1000")
    current = total = 0.0
    for t in range(1, rounds + 1):
        total += 1.0 + current
        step = 1.0 / (eta * t)
        current = (alpha * total / t + current * step) / (lam + step)
    return current


def bounded_gamma(*, alpha: float, lam: float, eta: float, rounds: int) -> float:
    """`gamma`, refused above what is on offer, since α/λ > 1 makes it explode with T.

    Raises InvalidParameter, also where γ exceeds MAX_GAMMA or is not finite.
    """
    value = gamma(alpha=alpha, lam=lam, eta=eta, rounds=rounds)
    if not math.isfinite(value) or value > MAX_GAMMA:
        raise InvalidParameter(
            f"alpha {alpha:g}, lambda {lam:g}, eta {eta:g} and {rounds} rounds give a strength of "
            f"{value:.4g}, but {MAX_GAMMA:g} is the most. Lower alpha or raise lambda."
        )
    return value


def _require(name: str, value: float, *, low: float, open_low: bool = True) -> None:
    inside = value > low if open_low else value >= low
    if not (math.isfinite(value) and inside):
        sign = ">" if open_low else "≥"
        raise InvalidParameter.outside(name, value, f"a finite number {sign} {low:g}")
