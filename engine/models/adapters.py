"""Adapters in GGUF files: a low-rank change to some matrices of a model (LoRA).

A matrix W, (out, in), becomes W + α/r · B A with A (r, in) and B (out, r): arXiv 2106.09685. The
file has the tensors NAME.lora_a and NAME.lora_b in these shapes, and the fields that llama.cpp
asks for: general.type "adapter", general.architecture, adapter.type "lora" and adapter.lora.alpha.
For the table of embeddings both are turned around, (rows, r) and (width, r).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import InternalError, InvalidParameter, UnsupportedModel
from engine.models import layout
from engine.models.header import (
    DEFAULT_ALIGNMENT,
    Header,
    damaged,
    file_name,
    printable,
    read_header,
)
from engine.models.layout import F16_TYPE, F32_TYPE, Entry
from engine.models.partial import creating
from engine.models.weights import Weights, encode, weights_of
from engine.numerics import F32

Storage = Literal["F16", "F32"]
ALPHA = "adapter.lora.alpha"
EMBEDDING = "token_embd.weight"

_A, _B = ".lora_a", ".lora_b"
_INVOKED = "adapter.alora.invocation_tokens"
STORAGES: tuple[Storage, ...] = ("F16", "F32")

_STORED = {"F16": F16_TYPE, "F32": F32_TYPE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """a (r, in) and b (out, r), float32; the change is α/r · b a."""

    a: F32
    b: F32

    @property
    def rank(self) -> int:
        return len(self.a)

    def named(self, name: str) -> dict[str, F32]:
        """Both as a file calls them, for the tensor `name`."""
        return {name + _A: self.a, name + _B: self.b}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """An adapter file whose tensors all fit the base. `names` are those of the base it changes."""

    weights: Weights
    alpha: float
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.weights.path

    def factors(self, name: str) -> Factors:
        """Of one of `names`. Raises what `Weights.read` raises."""
        return Factors(a=self.weights.read(name + _A), b=self.weights.read(name + _B))

    def change(self, name: str) -> F32 | None:
        """α/r · B A, as the tensor of the base is shaped; None where it is left alone."""
        if name not in self.names:
            return None
        found = self.factors(name)
        a, b = found.a, found.b
        if name == EMBEDDING:
            return (a @ b.T) * np.float32(_scale(self.alpha, a.shape[1]))
        return (b @ a) * np.float32(_scale(self.alpha, found.rank))


def _scale(alpha: float, rank: int) -> float:
    """An α of 0 stands for no scaling, as in llama.cpp."""
    return alpha / rank if alpha else 1.0


def is_adapter(header: Header) -> bool:
    return header.metadata.get("general.type") == "adapter" or "adapter.type" in header.metadata


def open_adapter(path: Path, *, base: Weights) -> Adapter:
    """An adapter whose every tensor fits the base.

    Raises UnsupportedModel (another kind of adapter, or for another model), DamagedModel (halves
    that do not go together) and what `read_header` raises; both name the field or tensor.
    """
    header = read_header(path)
    _check_kind(header, base.header)
    weights = weights_of(header)
    # llama.cpp passes over the norms of some adapters, too.
    halves = [name for name in weights.tensors if not name.endswith("_norm.weight")]
    names = _changed(halves)
    for name in names:
        _check_fits(weights, base, name)
    return Adapter(weights=weights, alpha=_alpha(header), names=names)


def _changed(halves: Iterable[str]) -> tuple[str, ...]:
    """The tensors that these are halves of an adapter for, each once."""
    return tuple(dict.fromkeys(name.removesuffix(_A).removesuffix(_B) for name in halves))


def _check_kind(header: Header, base: Header) -> None:
    wanted = {"adapter.type": "lora", "general.architecture": base.architecture}
    for key, value in wanted.items():
        found = header.metadata.get(key, "missing")
        if found != value:
            raise UnsupportedModel(
                f"{file_name(header.path)} cannot be merged: {key} is {printable(str(found))}, but "
                f"must be {printable(value)}; choose an adapter of this base."
            )
    if _INVOKED in header.metadata:
        raise UnsupportedModel(
            f"{file_name(header.path)} acts only after certain words ({_INVOKED}), which a merged "
            "model cannot; choose an ordinary adapter."
        )


def _alpha(header: Header) -> float:
    alpha = header.metadata.get(ALPHA, 0.0)
    if not (isinstance(alpha, float) and math.isfinite(alpha)):
        raise damaged(header.path, f"{ALPHA} is no finite number")
    return alpha


def _check_fits(adapter: Weights, base: Weights, name: str) -> None:
    for suffix in (_A, _B):
        if name + suffix not in adapter.tensors:
            raise damaged(adapter.path, f"the tensor {printable(name)}{suffix} is missing")
    a, b = adapter.shape(name + _A), adapter.shape(name + _B)
    if name not in base.tensors:
        raise _misfit(adapter, name, "which the base does not have")
    shape = base.shape(name)
    turned = name == EMBEDDING
    fits = len(a) == len(b) == len(shape) == 2 and a[turned] == b[1]
    if not fits or (b[0], a[1 - turned]) != (shape[::-1] if turned else shape):
        raise _misfit(adapter, name, f"whose halves {a} and {b} do not make a matrix of {shape}")


def _misfit(adapter: Weights, name: str, why: str) -> UnsupportedModel:
    return UnsupportedModel(
        f"{file_name(adapter.path)} changes the tensor {printable(name)}, {why}; choose an "
        "adapter of this base."
    )


# Making one ---------------------------------------------------------------------------------


def write_adapter(
    path: Path,
    *,
    base: Weights,
    halves: Mapping[str, F32],
    alpha: float,
    name: str,
    storage: Storage = "F16",
    describe: Callable[[Path], None] | None = None,
) -> int:
    """Write an adapter for the base that llama.cpp loads; returns its size in bytes.

    halves  NAME.lora_a, (r, in), and NAME.lora_b, (out, r), of each matrix of the base that is
            changed, not the embeddings; ranks may differ
    alpha   α > 0 of α/r
    describe  called with the whole file before it has its name; what it raises removes the file

    Raises InvalidParameter, InputError (the name is taken), StorageError; InternalError where
    halves do not fit their matrix.
    """
    if not (math.isfinite(alpha) and alpha > 0.0):
        raise InvalidParameter.outside("alpha", alpha, "above 0")
    if storage not in _STORED:
        raise InvalidParameter.outside("storage", storage, " or ".join(STORAGES))
    if not halves:
        raise InvalidParameter("The adapter changes nothing; train it or choose a larger change.")
    kind = _STORED[storage]
    for tensor in _changed(halves):
        _check_halves(base, tensor, halves)
        _check_size(tensor, halves, storage)
    entries = [Entry(name=n, shape=half.shape, type=kind) for n, half in halves.items()]
    with creating(path, whole=describe) as file:
        file.write(layout.header_bytes(_fields(base.header, alpha, name), entries))
        for entry in entries:
            for chunk in encode(halves[entry.name], kind):
                file.write(chunk)
            file.write(bytes(layout.padded(entry.bytes, DEFAULT_ALIGNMENT) - entry.bytes))
        return file.tell()


def _fields(base: Header, alpha: float, name: str) -> dict[str, bytes]:
    return {
        "general.architecture": layout.text(base.architecture),
        "general.type": layout.text("adapter"),
        "general.name": layout.text(name),
        "adapter.type": layout.text("lora"),
        ALPHA: layout.float32(alpha),
    }


def _check_halves(base: Weights, name: str, halves: Mapping[str, F32]) -> None:
    a, b = halves.get(name + _A), halves.get(name + _B)
    if a is None or b is None or name not in base.tensors or name == EMBEDDING:
        raise InternalError(f"There are not two halves of a change of a matrix {name}.")
    out, width = (*base.shape(name), 0)[:2]
    if a.shape != (len(a), width) or b.shape != (out, len(a)):
        raise InternalError(f"Halves {b.shape} and {a.shape} do not make a change of {name}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InvalidParameter(f"The adapter of {name} is not finite; train it with smaller steps.")


def _check_size(name: str, halves: Mapping[str, F32], storage: Storage) -> None:
    most = max(float(np.abs(halves[name + suffix]).max()) for suffix in (_A, _B))
    if storage == "F16" and most > float(np.finfo(np.float16).max):
        raise InvalidParameter(
            f"The adapter of {name} is too large for F16 ({most:.1e}); store it as F32."
        )
