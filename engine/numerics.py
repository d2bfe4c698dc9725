"""Numbers that several numerical parts need: float32, one pass where possible.

V is the size of the vocabulary; logs are natural. A *logit* has an arbitrary zero, a *log-prob*
does not: exp of log-probs sums to one.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Ids = npt.NDArray[np.intp]


def log_sum_exp(logits: F32, *, scratch: F32 | None = None) -> float:
    """log Σ_v exp(logits_v), with the largest taken out first so that nothing overflows.

    logits   float32, (V,), read; −inf allowed, −inf everywhere gives −inf, +inf anywhere gives +inf
    scratch  float32, (V,), overwritten; None allocates
    """
    top = float(logits.max())
    if not math.isfinite(top):
        return top
    shifted = np.subtract(logits, np.float32(top), out=scratch)
    np.exp(shifted, out=shifted)
    return top + float(np.log(shifted.sum(dtype=np.float32)))


def log_softmax(logits: F32) -> F32:
    """Log-probs of logits; a copy. float32 in and out, (V,)."""
    return logits - np.float32(log_sum_exp(logits))
