"""The weights of safetensors files, in which Hugging Face keeps models: one file, or shards.

A file is 8 bytes with the length of its header, little endian; the header, a JSON object of
name → dtype, shape and data_offsets; and the weights without a gap between them. A model in shards
has an index beside them. https://github.com/huggingface/safetensors

The package of that name is not used. With numpy it raises TypeError on BF16 (0.8.0), which most
models are stored in; it maps the file, and a mapped file that shrinks meanwhile kills the process;
and its errors name no tensor. What is read here becomes `Weights`, as that of a GGUF file does, so
that both are decoded and looked through by the same code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from engine.errors import DamagedModel, ModelNotFound, NotAModel, UnsupportedModel
from engine.models.header import (
    MAX_DIMS,
    MAX_TENSORS,
    Header,
    Tensor,
    damaged,
    file_name,
    printable,
)
from engine.models.layout import F16_TYPE, F32_TYPE, stored_bytes
from engine.models.weights import Weights, unreadable, weights_of

SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"
IN_FOLDER = ("model" + SUFFIX, "model" + INDEX_SUFFIX)
"""What is looked for in a folder, the first of them that is there."""

MAX_JSON = 100_000_000
"""Bytes of a header or of a file beside it; of a header the format allows no more."""

_TYPES = {"F32": F32_TYPE, "F16": F16_TYPE, "BF16": 30}
"""dtype → ggml's number."""

_Form = TypeVar("_Form")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What a header says of one tensor; offsets count from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """weight_map: name of a tensor → name of the file beside the index that holds it."""

    weight_map: dict[str, str]


def is_safetensors(path: Path) -> bool:
    """Whether a path names a safetensors file, an index, or a folder, by its looks alone."""
    return path.name.endswith((SUFFIX, INDEX_SUFFIX)) or os.path.isdir(path)


def weight_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the weights of a member, in order of their names.

    path  a model file of any kind, which is its own answer; an index; or a folder

    Raises NotAModel (a folder with neither), DamagedModel, ModelNotFound and ModelError (index).
    """
    place = _place(path)
    return _shards(place, _weight_map(place)) if place.name.endswith(INDEX_SUFFIX) else (place,)


def open_safetensors(path: Path) -> dict[str, Weights]:
    """Name of a tensor → the file that holds it; only headers are read.

    path  a file, an index of shards, or a folder with either

    Raises UnsupportedModel where weights are stored in another type than F32, F16 or BF16,
    DamagedModel where a header or the index contradicts itself or the size of its file, and what
    `weight_files` raises.
    """
    place = _place(path)
    if not place.name.endswith(INDEX_SUFFIX):
        weights = _weights(place)
        return dict.fromkeys(weights.tensors, weights)
    named = _weight_map(place)
    found: dict[str, Weights] = {}
    for weights in map(_weights, _shards(place, named)):
        for name in weights.tensors:
            if named.get(name) != weights.path.name:
                raise damaged(weights.path, f"its index has no tensor {printable(name)} in it")
            found[name] = weights
    for name in named:
        if name not in found:
            raise damaged(place, f"tensor {printable(name)} is not in the file that it names")
    return found


def read_json(path: Path, form: type[_Form]) -> _Form:
    """A JSON file as what it should be; fields that are not asked for are passed over.

    Raises DamagedModel (no JSON, or another form; it names the field), ModelNotFound, ModelError.
    """
    with _opened(path) as (file, size):
        if size > MAX_JSON:
            raise damaged(path, f"it has {size} bytes, and {MAX_JSON} are the most")
        raw = file.read(size)
    return _decoded(raw, form, path)


# Files --------------------------------------------------------------------------------------


def _place(path: Path) -> Path:
    if not os.path.isdir(path):
        return path
    for name in IN_FOLDER:
        if os.path.isfile(path / name):
            return path / name
    raise NotAModel(
        f"The folder {file_name(path)} has neither {IN_FOLDER[0]} nor {IN_FOLDER[1]}; choose a "
        "model file inside it."
    )


def _weight_map(index: Path) -> dict[str, str]:
    return read_json(index, _Index).weight_map


def _shards(index: Path, named: Mapping[str, str]) -> tuple[Path, ...]:
    names = sorted(set(named.values()))
    for name in names:
        # Only what lies beside the index, whatever system it was written on.
        if not name.endswith(SUFFIX) or set(name) & set("/\\:\0"):
            raise damaged(index, f"it names {printable(name)!r}, which is no file beside it")
    if not names:
        raise damaged(index, "it names no file")
    return tuple(index.with_name(name) for name in names)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A file and its size in bytes."""
    try:
        if not os.path.isfile(path):  # a pipe would block for ever
            raise FileNotFoundError
        with path.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {file_name(path)}; check the name.") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _decoded(raw: bytes | msgspec.Raw, form: type[_Form], path: Path) -> _Form:
    try:
        return msgspec.json.decode(raw, type=form)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its JSON is not as it must be ({printable(str(error))})") from error


# One file -----------------------------------------------------------------------------------


def _weights(path: Path) -> Weights:
    with _opened(path) as (file, size):
        length = int.from_bytes(file.read(8), "little")
        most = max(0, min(MAX_JSON, size - 8))
        if length > most:
            raise damaged(path, f"it claims a header of {length} bytes, but {most} are the most")
        raw = file.read(length)
    entries = _entries(raw, path)
    _check_places(path, entries, size - 8 - length)
    header = Header(
        path=path,
        version=0,
        alignment=1,
        metadata={},
        tensors=tuple(_tensor(name, entry) for name, entry in entries.items()),
        data_offset=8 + length,
        file_size=size,
        vocabulary=None,
    )
    return weights_of(header)


def _entries(raw: bytes, path: Path) -> dict[str, _Entry]:
    parts = _decoded(raw, dict[str, msgspec.Raw], path)
    parts.pop("__metadata__", None)
    if len(parts) > MAX_TENSORS:
        raise damaged(path, f"it has {len(parts)} tensors, but {MAX_TENSORS} are the most")
    return {name: _entry(name, part, path) for name, part in parts.items()}


def _entry(name: str, part: msgspec.Raw, path: Path) -> _Entry:
    try:
        entry = msgspec.json.decode(part, type=_Entry)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, name, f"is not as it must be ({printable(str(error))})") from error
    if entry.dtype not in _TYPES:
        raise UnsupportedModel(
            f"{file_name(path)} stores tensor {printable(name)} as {printable(entry.dtype)}, which "
            "cannot be merged; choose the BF16, F16 or F32 file of it."
        )
    begin, end = entry.data_offsets
    shape = " by ".join(str(size) for size in entry.shape[: MAX_DIMS + 1])
    if not 1 <= len(entry.shape) <= MAX_DIMS or min(entry.shape) < 1:
        raise _wrong(path, name, f"has the shape {printable(shape) or '()'}")
    if (need := stored_bytes(entry.shape, _TYPES[entry.dtype])) != end - begin:
        what = f"of {shape} weights takes {need} bytes, but has {end - begin}"
        raise _wrong(path, name, what)
    return entry


def _check_places(path: Path, entries: Mapping[str, _Entry], size: int) -> None:
    """Each begins where the one before ends, the last ends with the file: none can overlap."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, after = entry.data_offsets
        if begin != end:
            raise _wrong(path, name, f"begins at byte {begin} of the weights instead of {end}")
        end = after
    if end != size:
        raise damaged(path, f"its tensors take {end} bytes, but {size} follow the header")


def _tensor(name: str, entry: _Entry) -> Tensor:
    return Tensor(
        name=name,
        dims=entry.shape[::-1],
        type=_TYPES[entry.dtype],
        offset=entry.data_offsets[0],
    )


def _wrong(path: Path, name: str, what: str) -> DamagedModel:
    return damaged(path, f"tensor {printable(name)} {what}")
