"""A base and the members to be merged: all that can be known to go wrong, before any work."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, InvalidParameter, UnsupportedModel
from engine.jobs.protocol import LEARNED, Merge
from engine.merging.packing import ROWS
from engine.merging.shape import Shape, shape_of
from engine.merging.transformer import HEAD_ROWS
from engine.models import memory
from engine.models.cards import check_place
from engine.models.header import file_name
from engine.models.members import Member, open_member, refuse_peft
from engine.models.partial import check_space
from engine.models.safetensors import weight_files
from engine.models.weights import Weights, open_weights

MOST_MEMBERS = 8

BYTES_PER_WEIGHT = 20
"""Of training a mask: θ0 4, A and B 2 each, m 4, the mixture 4, the gradient 4."""

SUFFIX = ".gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A base and members that fit it; of their files only headers have been read.

    shape  of the base, where the method needs gradients; else None
    """

    base: Weights
    members: tuple[Member, ...]
    shape: Shape | None

    @property
    def weights(self) -> int:
        """How many the base has."""
        return sum(tensor.elements for tensor in self.base.tensors.values())

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all tensors of the base, matrices as (out, in)."""
        return {name: self.base.shape(name) for name in self.base.tensors}


def gather(request: Merge, *, installed: int | None = None) -> Family:
    """Open what is to be merged and refuse what cannot be.

    installed  bytes of memory in this computer; None asks the system

    Raises InputError (too few members, a file named twice, a name that cannot be written to, too
    little memory), UnsupportedModel (another base, or a base without gradients here), StorageError
    (too little space, a folder that cannot be written to) and what reading the headers raises.
    """
    _check_names(request)
    base = open_weights(Path(request.base))
    members = tuple(open_member(Path(path), base=base) for path in request.members)
    shape = _shape(request, base)
    family = Family(base=base, members=members, shape=shape)
    if shape is not None:
        have = memory.installed() if installed is None else installed
        _check_memory(needed_memory(shape, weights=family.weights), have)
        check_space(Path(request.folder), kept_bytes(family), "what a stopped merge goes on with")
    size = family.weights * (2 if request.storage == "F16" else 34 / 32)
    check_space(Path(request.out).parent, size, file_name(Path(request.out)))
    return family


def _check_names(request: Merge) -> None:
    count = len(request.members)
    if not 2 <= count <= MOST_MEMBERS:
        raise InputError(f"There are {count} members to merge; name from 2 to {MOST_MEMBERS}.")
    out = Path(request.out)
    if out.suffix != SUFFIX:
        raise InvalidParameter.outside("the name of the new file", out.name, f"like NAME{SUFFIX}")
    check_place(out)
    if out.exists():
        raise InputError(f"{file_name(out)} exists already; choose another name or remove it.")
    seen = {Path(request.base).resolve()}
    for path in map(Path, request.members):
        refuse_peft(path)
        places = {file.resolve() for file in weight_files(path)}
        if places & seen:
            raise InputError(f"{file_name(path)} is named twice; name each file once.")
        seen |= places


def _shape(request: Merge, base: Weights) -> Shape | None:
    if request.method not in LEARNED:
        return None
    try:
        sizes = {name: base.shape(name) for name in base.tensors}
        return shape_of(base.header.metadata, sizes)
    except UnsupportedModel as error:
        raise UnsupportedModel(
            f"{error.message} The methods average, arithmetic, ties and random-mask merge any "
            "model.",
            detail=error.detail,
        ) from error


# Room ---------------------------------------------------------------------------------------


def needed_memory(shape: Shape, *, weights: int) -> int:
    """Bytes that training a mask takes at most, about."""
    heads = 2 * (shape.heads + shape.kv_heads) * shape.head_dim
    row = 4 * shape.layers * (2 * shape.width + heads + 2 * shape.ff)
    logits = 3 * 4 * HEAD_ROWS * shape.vocab
    return BYTES_PER_WEIGHT * weights + ROWS * row + logits + memory.OVERHEAD


def _check_memory(need: int, have: int | None) -> None:
    if have is not None and need > have:
        raise InputError(
            f"Training the mask needs about {need / 1e9:.1f} GB of memory, and this computer has "
            f"{have / 1e9:.1f} GB. Merge smaller models, or use the method average, which needs "
            "little."
        )


def kept_bytes(family: Family) -> int:
    """What the logits of all masks take on the disk, and once more while one is replaced."""
    assert family.shape is not None
    masked = sum(math.prod(family.base.shape(name)) for name in family.shape.matrices())
    return 4 * masked * len(family.members)
