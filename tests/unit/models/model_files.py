"""Tiny models in other formats, and with other weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from engine.models import layout
from engine.models.formats import BLOCKS
from engine.models.layout import F32_TYPE, Entry
from engine.models.weights import Weights, encode, open_weights
from engine.numerics import F32
from tests.fixtures.tiny_gguf import write_tiny_llama

NUMBERS = {label: number for number, (label, _, _) in BLOCKS.items()}
MATRIX, NORM, TABLE = "blk.0.attn_q.weight", "blk.1.ffn_norm.weight", "token_embd.weight"


def tiny(folder: Path, *, label: str = "F32", name: str = "base.gguf", seed: int = 0) -> Weights:
    """A tiny model whose matrices are stored as `label`."""
    source = open_weights(write_tiny_llama(folder / f"source-{name}", seed=seed))
    return rewritten(source, folder / name, label=label)


def rewritten(
    source: Weights,
    path: Path,
    *,
    label: str = "F32",
    change: Mapping[str, F32] | None = None,
) -> Weights:
    """A model with the same header, each weight changed and each matrix stored as `label`."""
    entries, data = [], []
    for name in source.tensors:
        shape = source.shape(name)
        entry = Entry(name=name, shape=shape, type=NUMBERS[label] if len(shape) > 1 else F32_TYPE)
        values = source.read(name)
        if change is not None and name in change:
            values = values + change[name]
        entries.append(entry)
        data.append(_padded(encode(values, entry.type)))
    fields = layout.raw_fields(source.header)
    path.write_bytes(layout.header_bytes(fields, entries) + b"".join(data))
    return open_weights(path)


def _padded(chunks: Iterable[bytes]) -> bytes:
    data = b"".join(chunks)
    return data.ljust(layout.padded(len(data), 32), b"\0")


def changes(base: Weights, *, scale: float = 1e-3, seed: int = 1, only: str = "") -> dict[str, F32]:
    """Normal changes of every tensor whose name begins with `only`."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.normal(size=base.shape(name)) * scale).astype(np.float32)
        for name in base.tensors
        if name.startswith(only)
    }
