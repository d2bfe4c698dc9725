"""Linear layers, low-rank adapters on them, and where their gradients go.

An adapter of the matrix W, (out, in), is two thin ones, A (r, in) and B (out, r): the layer
computes with W + s B A without ever forming it. In files and here A is called W's name with
".lora_a" behind it, B the same with ".lora_b", and s = α / r.

Source: LoRA (arXiv 2106.09685); the names are those of adapters in GGUF form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.merging.layers import Floats
from engine.numerics import Ids


def lora_a(name: str) -> str:
    """What the A of the matrix `name` is called."""
    return f"{name}.lora_a"


def lora_b(name: str) -> str:
    """What the B of the matrix `name` is called."""
    return f"{name}.lora_b"


def initial(
    weights: Mapping[str, Floats], names: Iterable[str], *, rank: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Adapters that change nothing yet: A uniform in ±1/√in, B zero.

    weights  by name, of which `names` are the matrices (out, in) that get an adapter
    rank     r, at least 1 and at most the shorter side of each matrix
    """
    found: dict[str, Floats] = {}
    for name in names:
        outputs, inputs = weights[name].shape
        if not 1 <= rank <= min(outputs, inputs):
            raise InvalidParameter.outside(
                "the rank of an adapter", rank, f"from 1 to {min(outputs, inputs)} for {name}"
            )
        type_ = weights[name].dtype
        bound = inputs**-0.5
        found[lora_a(name)] = rng.uniform(-bound, bound, (rank, inputs)).astype(type_)
        found[lora_b(name)] = np.zeros((outputs, rank), type_)
    return found


def change(adapters: Mapping[str, Floats], name: str, *, scale: float) -> Floats:
    """s B A: what an adapter adds to the matrix `name`, (out, in)."""
    found: Floats = adapters[lora_b(name)] @ adapters[lora_a(name)]
    found *= scale
    return found


class Gradients:
    """Gradients of those tensors that are wanted, summed over whatever adds to them.

    wanted  names of tensors
    into    where sums go on from, and the arrays are changed; None starts with nothing
    """

    def __init__(self, wanted: Collection[str], *, into: dict[str, Floats] | None = None) -> None:
        self.wanted = frozenset(wanted)
        self.by_name: dict[str, Floats] = {} if into is None else into

    def add(self, name: str, gradient: Floats) -> None:
        """Keeps the array itself where it is the first of its name."""
        if name in self.by_name:
            self.by_name[name] += gradient
        else:
            self.by_name[name] = gradient

    def add_product(self, name: str, dy: Floats, x: Floats) -> None:
        """Adds dyᵀ x, (out, in), the gradient of the matrix in y = x Wᵀ; nothing if not wanted."""
        if name in self.wanted:
            self.add(name, dy.T @ x)

    def add_rows(self, name: str, rows: Ids, dy: Floats, *, like: Floats) -> None:
        """Adds each row of dy to that row of the gradient of a table; nothing if not wanted.

        rows  (n,), may repeat
        like  the table, for its shape and type
        """
        if name in self.wanted:
            if name not in self.by_name:
                self.by_name[name] = np.zeros_like(like)
            np.add.at(self.by_name[name], rows, dy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """y = x (W + s B A)ᵀ, where the second part is there only with an adapter.

    What of W, A and B is trained and what is frozen is up to the names that are wanted.

    name    of W
    weight  W, (out, in)
    a, b    A, (r, in), and B, (out, r); both or none
    scale   s
    """

    name: str
    weight: Floats
    a: Floats | None = None
    b: Floats | None = None
    scale: float = 1.0

    def apply(self, x: Floats) -> Floats:
        """(n, in) → (n, out)"""
        y = x @ self.weight.T
        if self.a is not None and self.b is not None:
            thin = x @ self.a.T
            thin *= self.scale
            y += thin @ self.b.T
        return y

    def reverse(self, dy: Floats, x: Floats, *, gradients: Gradients) -> Floats:
        """dx, (n, in), adding to the gradients of W, A and B.

        dW = dyᵀ x; dA = s (dy B)ᵀ x and dB = s dyᵀ (x Aᵀ), which never form dW.
        """
        dx = dy @ self.weight
        gradients.add_product(self.name, dy, x)
        if self.a is not None and self.b is not None:
            back = dy @ self.b
            back *= self.scale
            thin = x @ self.a.T
            thin *= self.scale
            gradients.add_product(lora_a(self.name), back, x)
            gradients.add_product(lora_b(self.name), dy, thin)
            dx += back @ self.a
        return dx
