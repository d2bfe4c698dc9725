"""Small random transformers to take exact gradients of."""

import numpy as np

from engine.merging.layers import Floats
from engine.merging.packing import Example
from engine.merging.shape import Shape
from engine.merging.transformer import Model

TINY = Shape(layers=2, width=64, heads=4, kv_heads=2, head_dim=16, ff=96, vocab=256)


def random_weights(
    shape: Shape, rng: np.random.Generator, *, dtype: type[np.floating] = np.float64
) -> dict[str, Floats]:
    """Norms around 1, matrices such that everything stays of size 1."""
    return {
        name: (
            rng.normal(scale=size[-1] ** -0.5, size=size)
            if len(size) == 2
            else rng.uniform(0.5, 1.5, size)
        ).astype(dtype)
        for name, size in shape.tensors().items()
    }


def random_model(
    shape: Shape = TINY, *, seed: int = 0, dtype: type[np.floating] = np.float64
) -> Model:
    rng = np.random.default_rng(seed)
    return Model(shape=shape, weights=random_weights(shape, rng, dtype=dtype))


def example(tokens: list[int], weights: list[float]) -> Example:
    return Example(tokens=np.asarray(tokens), weights=np.asarray(weights))


def random_example(rng: np.random.Generator, *, length: int, vocab: int = TINY.vocab) -> Example:
    """About half of its tokens count, and not all the same; the last always does."""
    weights = rng.uniform(0.1, 2.0, length) * (rng.uniform(size=length) < 0.5)
    weights[-1] = 1.0
    return Example(tokens=rng.integers(0, vocab, length), weights=weights)
