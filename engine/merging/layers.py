"""The pieces of a llama-type transformer, each with its reverse.

A reverse takes dy, the gradient of a loss with respect to what the piece returned, and what the
piece was given; it returns the gradients with respect to that. Nothing is remembered between the
two: what is cheap is computed again, which is what keeps memory small.

Letters: n rows (one per token), d the width, H query heads, K key/value heads, D numbers per head.
Arrays are float32, or float64 throughout where exactness is tested; results have the type of what
came in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.numerics import Ids

Floats = npt.NDArray[np.floating]
Turns = npt.NDArray[np.complexfloating]


# Norm ---------------------------------------------------------------------------------------


def rms_norm(x: Floats, weight: Floats, *, epsilon: float) -> Floats:
    """w · x / √(mean x² + ε), for each row.

    x (n, d); weight (d,); returns (n, d)
    """
    y = x * _inverse_rms(x, epsilon)
    y *= weight
    return y


def rms_norm_reverse(
    dy: Floats, x: Floats, weight: Floats, *, epsilon: float
) -> tuple[Floats, Floats]:
    """dx, (n, d), and dweight, (d,).

    With x̂ = x/rms: dx = (w·dy − x̂ mean(w·dy·x̂)) / rms, and dweight = Σ dy·x̂ over rows.
    """
    inverse = _inverse_rms(x, epsilon)
    unit = x * inverse
    dweight: Floats = np.einsum("nd,nd->d", dy, unit)
    dx = dy * weight
    along = np.einsum("nd,nd->n", dx, unit)[:, None] / x.shape[1]
    unit *= along
    dx -= unit
    dx *= inverse
    return dx, dweight


def _inverse_rms(x: Floats, epsilon: float) -> Floats:
    """(n, 1)"""
    squares = np.einsum("nd,nd->n", x, x)[:, None] / x.shape[1]
    found: Floats = 1.0 / np.sqrt(squares + epsilon)
    return found


# Rotary position ------------------------------------------------------------------------------


def turns(positions: Ids, *, size: int, base: float, like: Floats) -> Turns:
    """e^{i p b^{−2j/D}} for each position p and pair j, complex, (n, 1, D/2).

    positions  (n,), from 0
    size       D, even
    base       b > 0
    like       an array of the type that the turns are for
    """
    speeds = base ** (-np.arange(0, size, 2) / size)
    angles = positions[:, None, None] * speeds
    found: Turns = np.exp(1j * angles).astype(_complex_of(like))
    return found


def rotate(x: Floats, by: Turns) -> Floats:
    """Rotates neighbours, x_2j and x_2j+1, as a llama file in GGUF form has them (interleaved).

    x   (n, heads, D)
    by  `turns`, (n, 1, D/2); their conjugates undo the rotation, which is also its reverse
    """
    pairs = np.ascontiguousarray(x).view(by.dtype)
    turned: Floats = (pairs * by).view(x.dtype)
    return turned


def _complex_of(like: Floats) -> type[np.complexfloating]:
    return np.complex64 if like.dtype == np.float32 else np.complex128


# Attention ------------------------------------------------------------------------------------


def attend(q: Floats, k: Floats, v: Floats) -> Floats:
    """Causal attention with grouped queries, softmax(q kᵀ / √D) v.

    q        (n, H, D), already rotated; head h reads key head ⌊h K / H⌋
    k, v     (m, K, D) with m ≥ n: the queries are those of the last n keys, and each sees the keys
             up to its own
    returns  (n, H, D)
    """
    queries = _by_key_head(q, heads=k.shape[1])
    weights = _attention(queries, k, count=len(q))
    return _by_row(weights @ v.transpose(1, 0, 2), count=len(q))


def attend_reverse(dy: Floats, q: Floats, k: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """dq, dk and dv, each of the shape of q, k and v.

    With P the attention: dv = Pᵀ dy and, for dS = P · (dP − Σ P dP), dq = dS k / √D and
    dk = dSᵀ q / √D. The sum over the queries that share a key head is in the products.
    """
    heads = k.shape[1]
    queries, upstream = _by_key_head(q, heads=heads), _by_key_head(dy, heads=heads)
    weights = _attention(queries, k, count=len(q))
    dv = weights.transpose(0, 2, 1) @ upstream
    slopes = upstream @ v.transpose(1, 2, 0)
    slopes -= np.einsum("krm,krm->kr", slopes, weights)[:, :, None]
    slopes *= weights
    slopes *= q.shape[2] ** -0.5
    dq = _by_row(slopes @ k.transpose(1, 0, 2), count=len(q))
    dk = slopes.transpose(0, 2, 1) @ queries
    return dq, dk.transpose(1, 0, 2), dv.transpose(1, 0, 2)


def _attention(queries: Floats, k: Floats, *, count: int) -> Floats:
    """P: what each query takes of each key; rows sum to 1. (K, H/K · n, m)"""
    scores = queries @ k.transpose(1, 2, 0)
    scores *= queries.shape[2] ** -0.5
    by_query = scores.reshape(len(scores), -1, count, len(k))
    future = np.arange(len(k)) > np.arange(len(k) - count, len(k))[:, None]
    np.copyto(by_query, -np.inf, where=future)
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=2, keepdims=True)
    return scores


def _by_key_head(x: Floats, *, heads: int) -> Floats:
    """(n, H, D) → (K, H/K · n, D): one product serves all queries of a key head."""
    count, _, size = x.shape
    grouped = x.reshape(count, heads, -1, size).transpose(1, 2, 0, 3)
    return grouped.reshape(heads, -1, size)


def _by_row(x: Floats, *, count: int) -> Floats:
    """(K, H/K · n, D) → (n, H, D)"""
    heads, _, size = x.shape
    return x.reshape(heads, -1, count, size).transpose(2, 0, 1, 3).reshape(count, -1, size)


# Feed-forward ---------------------------------------------------------------------------------


def swiglu(gate: Floats, up: Floats) -> Floats:
    """gate · σ(gate) · up, element by element."""
    y = _sigmoid(gate)
    y *= gate
    y *= up
    return y


def swiglu_reverse(dy: Floats, gate: Floats, up: Floats) -> tuple[Floats, Floats]:
    """dgate = dy · up · σ (1 + gate (1 − σ)) and dup = dy · gate · σ, with σ = σ(gate)."""
    sigma = _sigmoid(gate)
    silu = sigma * gate
    dup = dy * silu
    # σ (1 + g (1 − σ)) = σ + gσ − σ gσ
    silu -= sigma * silu
    silu += sigma
    silu *= up
    silu *= dy
    return silu, dup


def _sigmoid(x: Floats) -> Floats:
    """By way of tanh, which cannot overflow."""
    found: Floats = np.tanh(0.5 * x)
    found += 1.0
    found *= 0.5
    return found


# Loss -----------------------------------------------------------------------------------------


def cross_entropy(logits: Floats, targets: Ids, weights: Floats) -> tuple[float, Floats]:
    """Σ_n w_n (−log softmax(logits_n)[target_n]) in nats, and its gradient.

    logits   (n, V), overwritten: the gradient w (softmax − one-hot) takes their place
    targets  (n,), in [0, V)
    weights  (n,), ≥ 0; 0 masks a row out
    """
    rows = np.arange(len(logits))
    logits -= logits.max(axis=1, keepdims=True)
    reached = logits[rows, targets]
    np.exp(logits, out=logits)
    total = logits.sum(axis=1)
    loss = float((weights * (np.log(total) - reached)).sum(dtype=np.float64))
    logits *= (weights / total)[:, None]
    logits[rows, targets] -= weights
    return loss, logits
