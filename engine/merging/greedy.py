"""What a model writes when it always takes the likeliest token, and how sure it was of each.

The same arithmetic as in `engine.merging.transformer`, with the keys and values of earlier tokens
kept. Several answers take their steps together: each matrix then meets a row of every one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.merging.layers import Floats, Turns, attend, rms_norm, rotate, swiglu, turns
from engine.merging.samples import entropies
from engine.merging.shape import EMBEDDING, LAST_NORM, block_tensor
from engine.merging.transformer import Model
from engine.numerics import F32, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What followed one prompt.

    tokens       token ids, the end among them where it was reached
    uncertainty  H of the prediction that each was taken from, nats, as many
    """

    tokens: tuple[int, ...]
    uncertainty: tuple[float, ...]


def write(
    model: Model, prompts: Sequence[Sequence[int]], *, most: int, ends: Collection[int]
) -> tuple[Written, ...]:
    """Continue each prompt with the likeliest token, again and again; of equals the first.

    prompts  token ids, each at least one
    most     tokens that each is continued by at most, ≥ 1
    ends     tokens after which nothing follows

    Raises InvalidParameter.
    """
    if most < 1:
        raise InvalidParameter.outside("most", most, "at least 1")
    if not all(prompts):
        raise InvalidParameter("A prompt has no tokens; give each at least one.")
    courses = [_Course(model, prompt, most) for prompt in prompts]
    # Prompts are of different lengths and read one by one; steps are taken together.
    first = [_predict(model, [course], [np.asarray(course.prompt)]) for course in courses]
    live, logits = courses, np.concatenate(first) if first else np.empty((0, 1), np.float32)
    while live:
        for course, row, nats in zip(live, logits, entropies(logits), strict=True):
            course.take(int(row.argmax()), float(nats))
        live = [c for c in live if c.tokens[-1] not in ends and len(c.tokens) < most]
        if live:
            logits = _predict(model, live, [np.asarray(c.tokens[-1:]) for c in live])
    return tuple(Written(tokens=tuple(c.tokens), uncertainty=tuple(c.nats)) for c in courses)


class _Course:
    """One prompt and what has followed it so far, with room for the keys and values of all."""

    def __init__(self, model: Model, prompt: Sequence[int], most: int) -> None:
        shape = model.shape
        room = (shape.layers, len(prompt) + most, shape.kv_heads, shape.head_dim)
        self.prompt = tuple(prompt)
        self.keys, self.values = np.empty(room, model.dtype), np.empty(room, model.dtype)
        self.length = 0
        self.tokens: list[int] = []
        self.nats: list[float] = []

    def take(self, token: int, nats: float) -> None:
        self.tokens.append(token)
        self.nats.append(nats)


def _predict(model: Model, courses: Sequence[_Course], added: Sequence[Ids]) -> F32:
    """Read more tokens of each course; logits of what follows the last of each, (courses, V)."""
    shape = model.shape
    ends = np.cumsum([len(tokens) for tokens in added])
    positions = [
        np.arange(c.length, c.length + len(t)) for c, t in zip(courses, added, strict=True)
    ]
    embedding = model.weights[EMBEDDING]
    by = turns(np.concatenate(positions), size=shape.head_dim, base=shape.base, like=embedding)
    x = embedding[np.concatenate(added)]
    rows = [slice(end - len(t), end) for end, t in zip(ends, added, strict=True)]
    for layer in range(shape.layers):
        x = _block(model, layer, x, by, list(zip(courses, rows, strict=True)))
    for course, tokens in zip(courses, added, strict=True):
        course.length += len(tokens)
    last = rms_norm(x[ends - 1], model.weights[LAST_NORM], epsilon=shape.epsilon)
    return model.head.apply(last).astype(np.float32, copy=False)


def _block(
    model: Model, layer: int, x: Floats, by: Turns, parts: Sequence[tuple[_Course, slice]]
) -> Floats:
    """One block on new rows, (n, d); each course has its slice of them."""

    def linear(part: str, x: Floats) -> Floats:
        return model.linear(layer, part).apply(x)

    def norm(part: str, x: Floats) -> Floats:
        weight = model.weights[block_tensor(layer, part)]
        return rms_norm(x, weight, epsilon=model.shape.epsilon)

    def heads(x: Floats) -> Floats:
        return x.reshape(len(x), -1, model.shape.head_dim)

    normed = norm("attn_norm", x)
    q = rotate(heads(linear("attn_q", normed)), by)
    k = rotate(heads(linear("attn_k", normed)), by)
    v = heads(linear("attn_v", normed))
    mixed = np.empty_like(q)
    for course, rows in parts:
        stop = course.length + rows.stop - rows.start
        course.keys[layer, course.length : stop] = k[rows]
        course.values[layer, course.length : stop] = v[rows]
        mixed[rows] = attend(q[rows], course.keys[layer, :stop], course.values[layer, :stop])
    middle = linear("attn_output", mixed.reshape(len(x), -1))
    middle += x
    normed = norm("ffn_norm", middle)
    found = linear("ffn_down", swiglu(linear("ffn_gate", normed), linear("ffn_up", normed)))
    found += middle
    return found
