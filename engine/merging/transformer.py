"""A llama-type transformer forwards and, by hand, backwards: numpy alone.

Shapes as in `engine.merging.layers`; n is the number of rows of a pack.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import InvalidParameter, UnsupportedModel
from engine.merging.adapters import Gradients, Linear, lora_a, lora_b
from engine.merging.layers import (
    Floats,
    attend,
    attend_reverse,
    cross_entropy,
    rms_norm,
    rms_norm_reverse,
    rotate,
    swiglu,
    swiglu_reverse,
    turns,
)
from engine.merging.packing import Example, Pack, one_sequence, packs
from engine.merging.shape import EMBEDDING, HEAD, LAST_NORM, Shape, block_tensor
from engine.numerics import Ids

HEAD_ROWS = 256
"""Rows of logits at once: each has the size of the vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights, and adapters on them.

    weights   by GGUF name as in `Shape.tensors`, matrices (out, in), all float32 or all float64;
              other names are not looked at
    adapters  A and B of block matrices, by the names of `engine.merging.adapters`
    scale     s = α / r of the adapters

    Raises UnsupportedModel where a tensor is missing or of another shape or type, and where an
    adapter is not one of a block matrix.
    """

    shape: Shape
    weights: Mapping[str, Floats]
    adapters: Mapping[str, Floats] = field(default_factory=dict)
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name, size in self.shape.tensors().items():
            self._check(name, self.weights.get(name), size)
        adapted = self._adapted()
        for name, size in adapted.items():
            self._check(name, self.adapters.get(name), size)
        for name in sorted(self.adapters.keys() - adapted.keys()):
            raise UnsupportedModel(
                f"The adapter changes {name}, but only matrices of the blocks can be adapted."
            )

    def _adapted(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes that both halves of each adapter must have."""
        found: dict[str, tuple[int, ...]] = {}
        for name in self.shape.matrices():
            a, b = lora_a(name), lora_b(name)
            if a in self.adapters or b in self.adapters:
                outputs, inputs = self.weights[name].shape
                rank = len(self.adapters[a]) if a in self.adapters else 0
                found |= {a: (rank, inputs), b: (outputs, rank)}
        return found

    def _check(self, name: str, array: Floats | None, size: tuple[int, ...]) -> None:
        if array is None or array.shape != size or array.dtype != self.dtype:
            what = "missing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise UnsupportedModel(
                f"The tensor {name} is {what}, but must be {self.dtype} of shape {size}."
            )

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """float64 where the embedding is, else float32."""
        embedding = self.weights.get(EMBEDDING)
        exact = embedding is not None and embedding.dtype == np.float64
        return np.dtype(np.float64 if exact else np.float32)

    def linear(self, layer: int, part: str) -> Linear:
        """A matrix of a block, with its adapter if it has one."""
        name = block_tensor(layer, part)
        return Linear(
            name=name,
            weight=self.weights[name],
            a=self.adapters.get(lora_a(name)),
            b=self.adapters.get(lora_b(name)),
            scale=self.scale,
        )

    @property
    def head(self) -> Linear:
        """From hidden states to logits."""
        name = EMBEDDING if self.shape.tied else HEAD
        return Linear(name=name, weight=self.weights[name])


def forward(model: Model, tokens: Ids) -> Floats:
    """Logits of what follows each token, (n, V), for one sequence of n ≥ 1."""
    _check_tokens(tokens, vocab=model.shape.vocab)
    hidden = _Pass(model, one_sequence(tokens), Gradients(())).forward()
    last = rms_norm(hidden, model.weights[LAST_NORM], epsilon=model.shape.epsilon)
    return model.head.apply(last)


def loss(model: Model, examples: Sequence[Example]) -> float:
    """L of `loss_and_gradients`, which raises the same; a third of its time."""
    return loss_and_gradients(model, examples, wanted=())[0]


def loss_and_gradients(
    model: Model,
    examples: Sequence[Example],
    *,
    wanted: Collection[str],
    into: dict[str, Floats] | None = None,
) -> tuple[float, dict[str, Floats]]:
    """L = Σ w (−log p(token)) / Σ w over all tokens of all examples, and dL/dθ by tensor.

    wanted   names of tensors, those of adapters among them; fewer take less time, and nothing is
             done below the lowest block that has one
    into     gradients to add to, such as another task's: its arrays are changed and returned
    returns  L in nats, and arrays of the shape and type of the tensors

    Raises InvalidParameter where a token is outside the vocabulary, no token counts, or a wanted
    tensor is not there.
    """
    for example in examples:
        _check_tokens(example.tokens, vocab=model.shape.vocab)
    total = sum(example.total for example in examples)
    if not total > 0.0:
        raise InvalidParameter("No token of the examples counts; give at least one a weight.")
    for name in sorted(set(wanted) - model.shape.tensors().keys() - model.adapters.keys()):
        raise InvalidParameter(f"There is no tensor {name} to take the gradient of.")
    gradients = Gradients(wanted, into=into)
    found = sum(_Pass(model, pack, gradients).run(total=total) for pack in packs(examples))
    return found, gradients.by_name


def _check_tokens(tokens: Ids, *, vocab: int) -> None:
    if not len(tokens):
        raise InvalidParameter("There are no tokens to read; give at least one.")
    for extreme in (int(tokens.min()), int(tokens.max())):
        if not 0 <= extreme < vocab:
            raise InvalidParameter.outside("a token", extreme, f"from 0 to {vocab - 1}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the way back needs of a block and would be dear to compute again.

    x, middle  (n, d), what each half of the block was given
    q, k, v    (n, heads, D), rotated
    mixed      (n, H D), what attention made of the values
    gate, up   (n, ff)
    """

    x: Floats
    q: Floats
    k: Floats
    v: Floats
    mixed: Floats
    middle: Floats
    gate: Floats
    up: Floats


class _Pass:
    """Once forwards and back with one pack."""

    def __init__(self, model: Model, pack: Pack, gradients: Gradients) -> None:
        shape = model.shape
        self._model, self._shape = model, shape
        self._pack = pack
        self._gradients = gradients
        self._lowest = _lowest_block(gradients.wanted, layers=shape.layers)
        self._kept: list[_Kept] = []
        self._turns = turns(
            pack.positions, size=shape.head_dim, base=shape.base, like=model.weights[EMBEDDING]
        )

    def run(self, *, total: float) -> float:
        """This pack's share of a mean over weights that sum to `total`; adds to the gradients."""
        hidden = self.forward()
        loss, dx = self._predict(hidden, total=total)
        for layer in reversed(range(self._lowest, self._shape.layers)):
            dx = self._block_reverse(layer, dx, self._kept.pop())
        self._gradients.add_rows(
            EMBEDDING, self._pack.tokens, dx, like=self._model.weights[EMBEDDING]
        )
        return loss

    def forward(self) -> Floats:
        """Hidden states after the last block, (n, d)."""
        x = self._model.weights[EMBEDDING][self._pack.tokens]
        for layer in range(self._shape.layers):
            kept = self._block(layer, x)
            x = self._model.linear(layer, "ffn_down").apply(swiglu(kept.gate, kept.up))
            x += kept.middle
            if layer >= self._lowest:
                self._kept.append(kept)
        return x

    def _block(self, layer: int, x: Floats) -> _Kept:
        """All of a block but its last product."""
        normed = self._norm(block_tensor(layer, "attn_norm"), x)
        q = rotate(self._heads(self._linear(layer, "attn_q", normed)), self._turns)
        k = rotate(self._heads(self._linear(layer, "attn_k", normed)), self._turns)
        v = self._heads(self._linear(layer, "attn_v", normed))
        mixed = np.empty_like(q)
        for span in self._pack.spans:
            mixed[span.rows] = attend(q[span.rows], span.seen(k), span.seen(v))
        mixed = mixed.reshape(len(x), -1)
        middle = self._linear(layer, "attn_output", mixed)
        middle += x
        normed = self._norm(block_tensor(layer, "ffn_norm"), middle)
        gate = self._linear(layer, "ffn_gate", normed)
        up = self._linear(layer, "ffn_up", normed)
        return _Kept(x=x, q=q, k=k, v=v, mixed=mixed, middle=middle, gate=gate, up=up)

    def _predict(self, hidden: Floats, *, total: float) -> tuple[float, Floats]:
        """The loss, and its gradient with respect to the last hidden states."""
        pack, head = self._pack, self._model.head
        x = hidden[pack.asked]
        normed = self._norm(LAST_NORM, x)
        dy = np.empty_like(x)
        weights = (pack.weights / total).astype(x.dtype)
        loss = 0.0
        for start in range(0, len(x), HEAD_ROWS):
            here = slice(start, start + HEAD_ROWS)
            logits = head.apply(normed[here])
            nats, dlogits = cross_entropy(logits, pack.targets[here], weights[here])
            loss += nats
            if self._gradients.wanted:
                dy[here] = head.reverse(dlogits, normed[here], gradients=self._gradients)
        dx = np.zeros_like(hidden)
        if self._gradients.wanted:
            dx[pack.asked] = self._norm_reverse(LAST_NORM, dy, x)
        return loss, dx

    def _block_reverse(self, layer: int, dx: Floats, kept: _Kept) -> Floats:
        """From the gradient of what a block returned to that of what it was given."""
        hidden = swiglu(kept.gate, kept.up)
        dhidden = self._linear_reverse(layer, "ffn_down", dx, hidden)
        dgate, dup = swiglu_reverse(dhidden, kept.gate, kept.up)
        normed = self._norm(block_tensor(layer, "ffn_norm"), kept.middle)
        dnormed = self._linear_reverse(layer, "ffn_gate", dgate, normed)
        dnormed += self._linear_reverse(layer, "ffn_up", dup, normed)
        dmiddle = self._norm_reverse(block_tensor(layer, "ffn_norm"), dnormed, kept.middle)
        dmiddle += dx
        return self._attention_reverse(layer, dmiddle, kept)

    def _attention_reverse(self, layer: int, dmiddle: Floats, kept: _Kept) -> Floats:
        """The same for the first half of a block."""
        dmixed = self._heads(self._linear_reverse(layer, "attn_output", dmiddle, kept.mixed))
        dq = np.empty_like(kept.q)
        dk, dv = np.zeros_like(kept.k), np.zeros_like(kept.v)
        for span in self._pack.spans:
            rows = span.rows
            k, v = span.seen(kept.k), span.seen(kept.v)
            dq[rows], dkeys, dvalues = attend_reverse(dmixed[rows], kept.q[rows], k, v)
            span.add(dkeys, to=dk)
            span.add(dvalues, to=dv)
        back = self._turns.conj()
        dq, dk = rotate(dq, back), rotate(dk, back)
        normed = self._norm(block_tensor(layer, "attn_norm"), kept.x)
        dnormed = np.zeros_like(normed)
        for part, dy in (("attn_q", dq), ("attn_k", dk), ("attn_v", dv)):
            dnormed += self._linear_reverse(layer, part, dy.reshape(len(dy), -1), normed)
        dx = self._norm_reverse(block_tensor(layer, "attn_norm"), dnormed, kept.x)
        dx += dmiddle
        return dx

    def _linear(self, layer: int, part: str, x: Floats) -> Floats:
        return self._model.linear(layer, part).apply(x)

    def _linear_reverse(self, layer: int, part: str, dy: Floats, x: Floats) -> Floats:
        return self._model.linear(layer, part).reverse(dy, x, gradients=self._gradients)

    def _norm(self, name: str, x: Floats) -> Floats:
        return rms_norm(x, self._model.weights[name], epsilon=self._shape.epsilon)

    def _norm_reverse(self, name: str, dy: Floats, x: Floats) -> Floats:
        weight = self._model.weights[name]
        dx, dweight = rms_norm_reverse(dy, x, weight, epsilon=self._shape.epsilon)
        if name in self._gradients.wanted:
            self._gradients.add(name, dweight)
        return dx

    def _heads(self, x: Floats) -> Floats:
        """(n, heads · D) → (n, heads, D)"""
        return x.reshape(len(x), -1, self._shape.head_dim)


def _lowest_block(wanted: Collection[str], *, layers: int) -> int:
    """The lowest block that the way back has to reach; `layers` where it has to reach none."""
    if EMBEDDING in wanted:
        return 0
    return min(
        (int(name.split(".")[1]) for name in wanted if name.startswith("blk.")), default=layers
    )
