"""Members of a merge: fine-tuned models and adapters of one base, as changes of its weights.

Everything that can be known to go wrong is looked for before any work: hours of training on
models that do not belong together would end in a file that writes nonsense.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError, UnsupportedModel
from engine.models import layout
from engine.models.adapters import is_adapter, open_adapter
from engine.models.cards import own_card
from engine.models.formats import BLOCKS
from engine.models.header import Header, file_name, printable, read_header
from engine.models.huggingface import FineTune, open_fine_tune, shown, stranger
from engine.models.safetensors import is_safetensors
from engine.models.weights import Weights, open_weights
from engine.numerics import F32
from engine.types.work import Notice

NEAREST, FARTHEST = 1e-5, 0.3
"""‖τ‖/‖θ0‖ of a member lies strictly between: below it is the base, above another model."""

COARSE = 6.0
"""Bits per weight at which a member's file buries its change: 5-bit formats take 5.5 to 6."""

MOSTLY = 0.5
"""Share of ‖τ‖² from which on rounding of the base is most of what a member seems to change."""

_FREE = ("context_length", "vocab_size")
"""Fields of the architecture that a fine-tuned model may change."""

_IMPLIED = ("attention.key_length", "attention.value_length", "rope.dimension_count")
"""Fields that some converters leave out where they follow from the others."""


_PEFT = ("adapter_config.json", "adapter_model.safetensors")
"""Files of PEFT."""


class Member(Protocol):
    """One of the models to be merged."""

    @property
    def path(self) -> Path: ...

    def change(self, name: str) -> F32 | None:
        """τ = θ − θ0 of a tensor of the base; None where the member leaves it alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FullModel:
    """A member that is a whole model."""

    base: Weights
    weights: Weights

    @property
    def path(self) -> Path:
        return self.weights.path

    def change(self, name: str) -> F32 | None:
        """θ − θ0, float32. Raises what `Weights.read` raises."""
        difference: F32 = self.weights.read(name) - self.base.read(name)
        return difference


def open_member(path: Path, *, base: Weights) -> Member:
    """A model or adapter that fits the base; of weights only headers are read.

    path  a GGUF file; or a fine-tuned model as Hugging Face keeps it, see `open_fine_tune`

    Raises UnsupportedModel where it is not made from this base, naming the field or tensor, and
    what `read_header`, `check` and `open_fine_tune` raise.
    """
    refuse_peft(path)
    if is_safetensors(path):
        return open_fine_tune(path, base=base)
    if is_adapter(read_header(path)):
        return open_adapter(path, base=base)
    weights = open_weights(path)
    _check_settings(weights.header, base.header)
    _check_tensors(weights, base)
    _check_tokenizer(weights.header, base.header)
    return FullModel(base=base, weights=weights)


def refuse_peft(path: Path) -> None:
    """Raises UnsupportedModel for an adapter as PEFT keeps it: the folder, or the file in it."""
    if path.name in _PEFT or any((path / name).is_file() for name in _PEFT):
        raise UnsupportedModel(
            f"{file_name(path)} is an adapter as PEFT keeps it; convert it to GGUF, which "
            "convert_lora_to_gguf.py of llama.cpp does."
        )


def _check_settings(found: Header, base: Header) -> None:
    """What the weights mean must not differ: head counts, rotation, epsilon."""
    prefix = f"{base.architecture}."
    either = dict.fromkeys((*base.metadata, *found.metadata))
    for key in ("general.architecture", *(key for key in either if key.startswith(prefix))):
        theirs, ours = found.metadata.get(key), base.metadata.get(key)
        field = key.removeprefix(prefix)
        if theirs == ours or field in _FREE or (field in _IMPLIED and None in (theirs, ours)):
            continue
        raise stranger(found.path, f"{key} is {shown(theirs)}, but {shown(ours)} in the base")


def _check_tensors(found: Weights, base: Weights) -> None:
    for name in base.tensors:
        if name not in found.tensors:
            raise stranger(found.path, f"it has no tensor {printable(name)}")
        if found.shape(name) != base.shape(name):
            shapes = f"{found.shape(name)}, but {base.shape(name)} in the base"
            raise stranger(found.path, f"tensor {printable(name)} is {shapes}")
    for name in found.tensors:
        if name not in base.tensors:
            raise stranger(found.path, f"it has a tensor {printable(name)} more")


def _check_tokenizer(found: Header, base: Header) -> None:
    theirs, ours = layout.raw_fields(found), layout.raw_fields(base)
    if layout.tokenizer_hash(theirs) == layout.tokenizer_hash(ours):
        return
    field = next(key for key in layout.TOKENIZER if theirs.get(key) != ours.get(key))
    raise stranger(found.path, f"{field} is not that of the base")


def task_vector(member: Member, *, base: Weights) -> dict[str, npt.NDArray[np.float16]]:
    """All changes of a member at once, without the tensors that it leaves alone.

    float16: of a change of 3e-4 it loses at most 1e-7, far less than any file does. Memory: 2
    bytes a weight. Raises what `Weights.read` raises.
    """
    found: dict[str, npt.NDArray[np.float16]] = {}
    for name in base.tensors:
        change = member.change(name)
        if change is not None and change.any():
            found[name] = change.astype(np.float16)
    return found


# How far a member is from its base ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a member is from its base.

    ratio    ‖τ‖/‖θ0‖ over all tensors
    notices  what may make the merge worse, a sentence each
    """

    ratio: float
    notices: tuple[Notice, ...]


def measure(
    member: Member, *, base: Weights, progress: Callable[[int, int], None] | None = None
) -> Distance:
    """Read a whole member once, and refuse what cannot be merged.

    progress  called with the weights done and in all; what it raises ends the work

    Raises UnsupportedModel where ‖τ‖/‖θ0‖ is not in (1e-5, 0.3), DamagedModel where a weight is
    no finite number, and what `Weights.read` raises.
    """
    total, done = sum(tensor.elements for tensor in base.tensors.values()), 0
    change_squared = base_squared = rounding_squared = 0.0
    for name, tensor in base.tensors.items():
        squared = _squared(base.read(name))
        base_squared += squared
        rounding_squared += rounding(tensor.type) ** 2 * squared
        change = member.change(name)
        if change is not None:
            change_squared += _squared(change)
        done += tensor.elements
        if progress is not None:
            progress(done, total)
    ratio = math.sqrt(change_squared / base_squared) if base_squared else math.inf
    _check_ratio(member, ratio)
    share = rounding_squared / change_squared
    return Distance(ratio=ratio, notices=(*coarse(member), *_rounded(member, base, share)))


def _check_ratio(member: Member, ratio: float) -> None:
    if ratio <= NEAREST:
        raise UnsupportedModel(
            f"{file_name(member.path)} hardly differs from the base (by {ratio:.1e} of its "
            "weights); leave it out."
        )
    if not ratio < FARTHEST:
        raise UnsupportedModel(
            f"{file_name(member.path)} differs from the base by {ratio:.0%} of its weights, and "
            f"{FARTHEST:.0%} is the most; choose a model that was fine-tuned from this base."
        )


def _squared(values: F32) -> float:
    with np.errstate(over="ignore"):  # what is too large is refused by its ratio
        return float((values * values).sum(dtype=np.float64))


def coarse(member: Member) -> tuple[Notice, ...]:
    """What is said of a member before it is read: that its file buries its change, or that some of
    it could not be checked."""
    if isinstance(member, FineTune):
        return member.notices
    if not isinstance(member, FullModel) or (bits := stored_bits(member.weights)) > COARSE:
        return ()
    text = (
        f"{file_name(member.path)} stores a weight in {bits:.1f} bits, so that rounding buries "
        "what it learned. An adapter or the F16 file of it merges better."
    )
    return (Notice(code="coarse_member", text=text),)


def made_for_another(path: Path, *, base: str) -> tuple[Notice, ...]:
    """What is said where the card of a member names another base, of whatever shape.

    base  SHA-256 of the base, hex
    """
    try:
        named = own_card(path).base
    except ModelError:
        return ()
    if named.sha256 == base:
        return ()
    text = (
        f"{file_name(path)} was made from another file, {printable(named.name, 80)}: what it "
        "learned may do nothing for this base, or harm. Choose that one as the base."
    )
    return (Notice(code="other_base", text=text),)


def _rounded(member: Member, base: Weights, share: float) -> tuple[Notice, ...]:
    """What is said where the base's rounding explains this share of ‖τ‖², about.

    Only of what comes from Hugging Face: the base was rounded from a model there, while a GGUF
    member may come from the same rounded file.
    """
    if not isinstance(member, FineTune) or share <= MOSTLY:
        return ()
    text = (
        f"{file_name(base.path)} stores a weight in {stored_bits(base):.1f} bits, and most of what "
        f"{file_name(member.path)} seems to change is the rounding to them. A merge onto the F16 "
        "file of the base goes by what it learned."
    )
    return (Notice(code="coarse_base", text=text),)


def rounding(type: int) -> float:
    """‖ε‖/‖θ‖, about, of weights that were rounded to ggml's format of this number.

    2.2 · 2^−b for b bits a weight, scales included. Measured on the blocks of SmolLM2-135M, put
    back between the points of its grid: Q4_0 0.089, Q4_1 0.080, Q5_0 0.044, Q5_1 0.039, Q8_0
    0.0056; within 15 % of that. Formats of 16 bits and more have points of their own, and models
    come in those.
    """
    _, block, size = BLOCKS[type]
    bits = 8.0 * size / block
    return 2.2 * 2.0**-bits if bits < 16.0 else 0.0


def stored_bits(weights: Weights) -> float:
    """Bits per weight over all matrices of the blocks; inf where there are none."""
    matrices = [
        (name, tensor.type)
        for name, tensor in weights.tensors.items()
        if name.startswith("blk.") and len(tensor.dims) > 1
    ]
    size = sum(layout.stored_bytes(weights.shape(name), type) for name, type in matrices)
    count = sum(weights.tensors[name].elements for name, _ in matrices)
    return 8.0 * size / count if count else math.inf
