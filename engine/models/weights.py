"""The weights of a GGUF file as float32 arrays, one tensor at a time.

The file is read, never mapped, and a few rows are decoded at once: nothing larger than the tensor
that is asked for is ever in memory. Shapes are numpy's, rows first; GGUF writes them the other
way round. How ggml's formats are decoded is the business of the gguf package, which is imported
when the first tensor is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError, UnsupportedModel
from engine.models.formats import BLOCKS
from engine.models.gguf import check, read_header
from engine.models.header import Header, Tensor, damaged, file_name, printable
from engine.models.layout import stored_bytes
from engine.numerics import F32

CHUNK = 1 << 20
"""Weights that are decoded or encoded at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The tensors of one file; it is opened for each reading and closed again."""

    header: Header
    tensors: dict[str, Tensor]

    @property
    def path(self) -> Path:
        return self.header.path

    def shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name].dims[::-1]

    def read(self, name: str) -> F32:
        """A tensor, decoded, float32, as `shape` says.

        Raises DamagedModel where the file breaks off or a weight is no finite number,
        UnsupportedModel where its format cannot be decoded, ModelError (unreadable).
        """
        tensor = self.tensors[name]
        try:
            with self.path.open("rb") as file:
                values = decode(self._chunks(file, tensor), tensor.type, self.shape(name))
        except NotImplementedError as error:
            raise UnsupportedModel(
                f"{file_name(self.path)} stores tensor {printable(name)} as "
                f"{BLOCKS[tensor.type][0]}, which cannot be merged; choose the F16 file of it."
            ) from error
        except OSError as error:
            raise unreadable(self.path, error) from error
        if not np.isfinite(values).all():
            what = f"tensor {printable(name)} holds weights that are not finite numbers"
            raise damaged(self.path, what)
        return values

    def raw(self, name: str) -> Iterator[bytes]:
        """The bytes of a tensor as they stand in the file. Raises DamagedModel, ModelError."""
        try:
            with self.path.open("rb") as file:
                yield from self._chunks(file, self.tensors[name])
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _chunks(self, file: BinaryIO, tensor: Tensor) -> Iterator[bytes]:
        """Whole rows, about CHUNK weights at a time."""
        file.seek(self.header.data_offset + tensor.offset)
        row = stored_bytes(tensor.dims[:1], tensor.type)
        left = stored_bytes(tensor.dims, tensor.type)
        size = row * max(1, CHUNK // max(1, *tensor.dims[:1]))
        while left:
            data = file.read(min(size, left))
            if not data or len(data) % row:
                raise damaged(self.path, f"it ends inside tensor {printable(tensor.name)}")
            left -= len(data)
            yield data


def open_weights(path: Path) -> Weights:
    """The weights of a model that `check` lets pass; nothing but the header is read yet.

    Raises what `read_header` and `check` raise.
    """
    header = read_header(path)
    check(header)
    return weights_of(header)


def weights_of(header: Header) -> Weights:
    """The tensors that a header names. Raises DamagedModel where one cannot lie in the file."""
    for tensor in header.tensors:
        _check_place(header, tensor)
    return Weights(header=header, tensors={tensor.name: tensor for tensor in header.tensors})


def _check_place(header: Header, tensor: Tensor) -> None:
    name = f"tensor {printable(tensor.name)}"
    if tensor.type not in BLOCKS:
        raise UnsupportedModel(
            f"{file_name(header.path)} stores {name} in format {tensor.type}, which this version "
            "cannot read; choose another quantization of this model."
        )
    label, block, _ = BLOCKS[tensor.type]
    if not tensor.dims or tensor.elements < 1 or tensor.dims[0] % block:
        shape = " by ".join(str(dim) for dim in tensor.dims) or "()"
        raise damaged(header.path, f"{name} has the shape {shape}, which {label} cannot store")
    end = header.data_offset + tensor.offset + stored_bytes(tensor.dims, tensor.type)
    if end > header.file_size:
        what = f"{name} ends at byte {end}, but the file has only {header.file_size}"
        raise damaged(header.path, what)


def unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{file_name(path)} cannot be read ({error.strerror or error}); "
        "check its permissions or choose another model."
    )


# Decoding and encoding ----------------------------------------------------------------------


def decode(chunks: Iterator[bytes], type: int, shape: tuple[int, ...]) -> F32:
    """Whole rows of ggml's format, in pieces → float32. Raises NotImplementedError."""
    from gguf import GGMLQuantizationType, quants  # takes a tenth of a second, and few merge

    try:
        kind = GGMLQuantizationType[BLOCKS[type][0]]
    except KeyError as error:
        raise NotImplementedError(BLOCKS[type][0]) from error
    values = np.empty((int(np.prod(shape[:-1])), shape[-1]), np.float32)
    row, at = stored_bytes(shape[-1:], type), 0
    for chunk in chunks:
        data = np.frombuffer(chunk, np.uint8).reshape(-1, row)
        with np.errstate(all="ignore"):  # what is not finite is looked for afterwards
            values[at : at + len(data)] = quants.dequantize(data, kind)
        at += len(data)
    return values.reshape(shape)


def encode(values: F32, type: int) -> Iterator[bytes]:
    """float32 → ggml's format, about CHUNK weights at a time.

    type  F32, F16 or Q8_0; for the last, rows have to be multiples of 32
    """
    from gguf import GGMLQuantizationType, quants

    kind = GGMLQuantizationType(type)
    rows = values.reshape(-1, values.shape[-1])
    step = max(1, CHUNK // rows.shape[1])
    for at in range(0, len(rows), step):
        # A block of nothing but denormals divides by zero on its way to becoming zeros.
        with np.errstate(all="ignore"):
            coded: npt.NDArray[np.generic] = quants.quantize(rows[at : at + step], kind)
        yield coded.tobytes()
