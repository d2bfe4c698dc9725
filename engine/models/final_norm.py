"""How long a hidden state can be, read off the last norm of a model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from engine.errors import ModelError
from engine.models.header import Header, Tensor, read_header
from engine.numerics import F32

F32_TYPE = 0
"""ggml's number of the type that norms are stored in, whatever the other weights are."""

ROUNDING = 1.001
"""More than float32 adds to a length."""


def longest_hidden(path: Path) -> float:
    """H: no hidden state of the model in this GGUF file is a longer vector; inf if not known.

    A final norm scales its input to mean square 1 at most (RMS, and likewise after taking the
    mean out) and multiplies it with w, so |h| ≤ √d max|w|, and |b| more where it has a bias.

    Reads the header and one small tensor: about 0.1 s with a large vocabulary.
    """
    try:
        header = read_header(path)
        tensors = {t.name: t for t in header.tensors if t.name.startswith("output_norm.")}
        weight, bias = tensors.get("output_norm.weight"), tensors.get("output_norm.bias")
        if weight is None:
            return math.inf
        found = math.sqrt(weight.elements) * float(np.abs(_values(header, weight)).max())
        if bias is not None:
            found += float(np.linalg.norm(_values(header, bias)))
    except (ModelError, OSError, ValueError):
        return math.inf
    return found * ROUNDING if math.isfinite(found) else math.inf


def _values(header: Header, tensor: Tensor) -> F32:
    """Raises ValueError where it is no plain float32, or the file breaks off."""
    if tensor.type != F32_TYPE:
        raise ValueError(f"{tensor.name} is of type {tensor.type}")
    start = header.data_offset + tensor.offset
    with header.path.open("rb") as file:
        file.seek(start)
        return np.frombuffer(file.read(4 * tensor.elements), "<f4", count=tensor.elements)
