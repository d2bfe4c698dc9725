"""Writes a merged model: the base's metadata, its unchanged tensors, and the changed ones anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import InternalError, InvalidParameter
from engine.models import layout
from engine.models.formats import BLOCKS
from engine.models.gguf import check, read_header
from engine.models.header import file_name
from engine.models.layout import F16_TYPE, F32_TYPE, Q8_0_TYPE, Entry
from engine.models.partial import check_space, creating
from engine.models.survival import ENOUGH, Survival, Trace, summed, trace
from engine.models.weights import CHUNK, Weights, decode, encode
from engine.numerics import F32

Storage = Literal["Q8_0", "F16"]
STORAGES: tuple[Storage, ...] = ("Q8_0", "F16")

Change = Callable[[str], npt.NDArray[np.floating] | None]
"""Name of a tensor → what is added to it, in any precision; None leaves it alone."""

Progress = Callable[[int, int], None]
"""Called with the weights done and the weights in all; what it raises ends the work."""

Describe = Callable[[Path, "Written"], None]
"""Called with a whole file that has not its name yet; what it raises removes the file."""

FAITHFUL = 0.03
"""How far from 1 the share of one tensor may be before it is stored more finely."""

NEGLIGIBLE = 1e-5
"""‖τ‖/‖θ‖ of one tensor up to which its change may get lost: no format is finer than the steps of
float32, and what is in the file is judged over all tensors."""

_TYPES = {"Q8_0": (Q8_0_TYPE, F16_TYPE, F32_TYPE), "F16": (F16_TYPE, F32_TYPE)}
_FILE_TYPES = {"Q8_0": 7, "F16": 1}
"""Values of general.file_type."""

_QUANTIZATION_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a new file is like.

    size    bytes
    stored  tensors by the name of their format
    """

    size: int
    survival: Survival
    stored: dict[str, int]


def write_model(
    path: Path,
    *,
    base: Weights,
    change: Change,
    name: str,
    storage: Storage = "Q8_0",
    progress: Progress | None = None,
    describe: Describe | None = None,
) -> Written:
    """Write base + change as a model of its own and read back what of the change is in it.

    change   asked once for each tensor of the base, in their order
    name     for general.name
    storage  of changed matrices. One whose change the format would lose, because the base lies on
             the same grid (`engine.models.survival`), is stored in F16, or at last in F32. Vectors
             are F32. What is unchanged keeps its bytes and its format.

    Metadata is that of the base but for general.name and general.file_type. The file appears
    under its name when it is complete, checked and described, and never in the place of another.
    Memory: some copies of the largest tensor.

    Raises InvalidParameter (a storage that would erase the merge, no change at all, a path that
    is the base's), InputError (the name is taken), StorageError, and what `Weights.read` raises.
    """
    _check_request(path, base, storage)
    fields, alignment = _fields(base, name, storage), base.header.alignment
    entries: list[Entry] = []
    traces: list[Trace] = []
    total, done = sum(tensor.elements for tensor in base.tensors.values()), 0

    def whole(part: Path) -> None:
        if describe is not None:
            describe(part, written)

    with creating(path, whole=whole) as file:
        # Neither types nor offsets change the length of a header, so it can follow at the end.
        file.seek(len(layout.header_bytes(fields, _as_it_was(base), alignment=alignment)))
        for entry, found in _add_tensors(file, base, change, storage):
            entries.append(entry)
            traces += [found] if found is not None else []
            done += base.tensors[entry.name].elements
            if progress is not None:
                progress(done, total)
        size = file.tell()
        file.seek(0)
        file.write(layout.header_bytes(fields, entries, alignment=alignment))
        file.flush()
        survival = _checked(Path(file.name), base, traces)
        written = Written(size=size, survival=survival, stored=_counted(entries))
    return written


def _check_request(path: Path, base: Weights, storage: str) -> None:
    if storage not in STORAGES:
        raise InvalidParameter(
            f"storage is {storage!r}, but must be {' or '.join(STORAGES)}: rounded to fewer bits, "
            "most weights would fall back to those of the base and the merge would be erased."
        )
    if path.exists() and path.samefile(base.path):
        raise InvalidParameter(f"{file_name(path)} is the base itself; choose another name.")
    needed = sum(
        layout.stored_bytes(t.dims[::-1], _TYPES[storage][0] if len(t.dims) > 1 else F32_TYPE)
        for t in base.tensors.values()
    )
    check_space(path.parent, needed, file_name(path))


def _fields(base: Weights, name: str, storage: Storage) -> dict[str, bytes]:
    fields = layout.raw_fields(base.header)
    fields["general.name"] = layout.text(name)
    fields["general.file_type"] = layout.uint32(_FILE_TYPES[storage])
    fields.setdefault("general.quantization_version", layout.uint32(_QUANTIZATION_VERSION))
    return fields


def _as_it_was(base: Weights) -> list[Entry]:
    return [Entry(name=n, shape=base.shape(n), type=t.type) for n, t in base.tensors.items()]


def _add_tensors(
    file: BinaryIO, base: Weights, change: Change, storage: Storage
) -> Iterator[tuple[Entry, Trace | None]]:
    """Write all tensors where the file stands, each padded; a trace of those that are changed."""
    for entry in _as_it_was(base):
        wanted, found = change(entry.name), None
        if wanted is not None and wanted.any():
            exact = wanted.astype(np.float32, copy=False)
            entry, found = _add_changed(file, base, entry, exact, storage)
        else:
            for chunk in base.raw(entry.name):
                file.write(chunk)
        file.write(bytes(layout.padded(entry.bytes, base.header.alignment) - entry.bytes))
        yield entry, found


def _add_changed(
    file: BinaryIO, base: Weights, entry: Entry, change: F32, storage: Storage
) -> tuple[Entry, Trace]:
    """Write one tensor in the coarsest format that carries its change, and read it again."""
    if change.shape != entry.shape:
        raise InternalError(
            f"The change of {entry.name} is {change.shape}, but the tensor is {entry.shape}."
        )
    original, at = base.read(entry.name), file.tell()
    merged = original + change
    if not np.isfinite(merged).all():
        raise InvalidParameter(
            f"The merged tensor {entry.name} is not finite; merge with smaller weights."
        )
    candidates, negligible = _candidates(entry, storage), _negligible(change, original)
    for type in candidates:
        entry, stored = _put(file, at, replace(entry, type=type), merged)
        found = trace(entry.name, stored - original, change)
        lost_anyway = negligible and type == candidates[-1]
        if lost_anyway or abs(found.share - 1.0) <= FAITHFUL:
            return entry, found
    raise InternalError(f"The change of {entry.name} is lost in every format.")


def _negligible(change: F32, original: F32) -> bool:
    lengths = (float((x * x).sum(dtype=np.float64)) for x in (change, original))
    return next(lengths) <= NEGLIGIBLE**2 * next(lengths)


def _put(file: BinaryIO, at: int, entry: Entry, values: F32) -> tuple[Entry, F32]:
    """Write a tensor at a place of the file; the entry, and what the file says."""
    file.seek(at)
    for chunk in encode(values, entry.type):
        file.write(chunk)
    file.seek(at)
    row = layout.stored_bytes(entry.shape[-1:], entry.type)
    step = row * max(1, CHUNK // entry.shape[-1])
    sizes = (min(step, entry.bytes - done) for done in range(0, entry.bytes, step))
    return entry, decode((file.read(size) for size in sizes), entry.type, entry.shape)


def _candidates(entry: Entry, storage: Storage) -> tuple[int, ...]:
    """Formats to try for a changed tensor, the coarsest first."""
    if len(entry.shape) == 1:
        return (F32_TYPE,)
    return tuple(t for t in _TYPES[storage] if entry.shape[-1] % BLOCKS[t][1] == 0)


def _checked(part: Path, base: Weights, traces: list[Trace]) -> Survival:
    """What survived, once the file is known to be a model like its base."""
    if not traces:
        raise InvalidParameter("The merge changes nothing; choose members that differ from it.")
    header = read_header(part)
    check(header)
    lost = base.header.metadata.keys() - header.metadata.keys()
    if lost or header.vocabulary != base.header.vocabulary:
        raise InternalError("The merged file does not hold all metadata of its base.")
    survival = summed(traces)
    if not survival.share > ENOUGH:
        raise InternalError(
            f"Only {survival.share:.0%} of the merged change is in the file; it was removed."
        )
    return survival


def _counted(entries: list[Entry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        label = BLOCKS[entry.type][0]
        counts[label] = counts.get(label, 0) + 1
    return counts
