"""The bytes of a GGUF file around its weights: fields as they stand, and a new header from them.

A merged model keeps the metadata of its base. Fields are copied byte for byte and not decoded, so
that what is no valid text, as some tokens are not, comes out as it went in.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import DamagedModel
from engine.models.formats import BLOCKS
from engine.models.header import DEFAULT_ALIGNMENT, MAGIC, Header, damaged

VERSION = 3
F32_TYPE, F16_TYPE, Q8_0_TYPE = 0, 1, 8
"""ggml's numbers of the types that are written."""

TOKENIZER = tuple(
    f"tokenizer.ggml.{field}"
    for field in ("model", "pre", "tokens", "token_type", "merges", "scores")
)
"""What decides which numbers a text becomes. Not what stands around it, such as the template."""

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_FLOAT32, _UINT32, _STRING, _ARRAY = 6, 4, 8, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tensor of a file to be written.

    shape  as numpy has it: rows first
    type   the number of ggml
    """

    name: str
    shape: tuple[int, ...]
    type: int

    @property
    def bytes(self) -> int:
        return stored_bytes(self.shape, self.type)


def stored_bytes(shape: Sequence[int], type: int) -> int:
    """Bytes of an array of this shape, rows first, in a file."""
    _, block, size = BLOCKS[type]
    count = 1
    for dimension in shape:
        count *= dimension
    return count // block * size


def text(value: str) -> bytes:
    """A field that holds a text: its type and value as a file has them."""
    data = value.encode()
    return struct.pack("<IQ", _STRING, len(data)) + data


def uint32(value: int) -> bytes:
    return struct.pack("<II", _UINT32, value)


def float32(value: float) -> bytes:
    return struct.pack("<If", _FLOAT32, value)


def raw_fields(header: Header) -> dict[str, bytes]:
    """Every field of a file, in its order: key → type and value, the bytes as they stand.

    Reads the file again, up to its weights. Raises DamagedModel where it is no longer what
    `header` says, OSError.
    """
    with header.path.open("rb") as file:
        data = file.read(header.data_offset)
    try:
        return dict(_fields(data))
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise _changed(header) from error


def _fields(data: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 24
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        (length,) = struct.unpack_from("<Q", data, at)
        at += 8 + length
        key = data[at - length : at].decode()
        end = _after(data, at)
        if end > len(data):
            raise struct.error
        found.append((key, data[at:end]))
        at = end
    return found


def _after(data: bytes, at: int) -> int:
    """Where the field ends whose type stands at byte `at`."""
    (kind,) = struct.unpack_from("<I", data, at)
    if kind == _STRING:
        return at + 12 + int(struct.unpack_from("<Q", data, at + 4)[0])
    if kind != _ARRAY:
        return at + 4 + _SIZES[kind]
    item, count = struct.unpack_from("<IQ", data, at + 4)
    at += 16
    if item != _STRING:
        return int(at + count * _SIZES[item])
    length = struct.Struct("<Q").unpack_from
    for _ in range(count):
        at += 8 + length(data, at)[0]
    return at


def _changed(header: Header) -> DamagedModel:
    return damaged(header.path, "its header is not what it was a moment ago")


def tokenizer_hash(fields: Mapping[str, bytes]) -> str:
    """SHA-256, hex, of the fields that decide which numbers a text becomes."""
    digest = hashlib.sha256()
    for key in TOKENIZER:
        digest.update(key.encode() + b"\0" + fields.get(key, b"") + b"\0")
    return digest.hexdigest()


def header_bytes(
    fields: Mapping[str, bytes], entries: Sequence[Entry], *, alignment: int = DEFAULT_ALIGNMENT
) -> bytes:
    """Everything before the weights, padded; they follow in the order of `entries`, each padded.

    fields     as from `raw_fields`; a changed alignment has to stand among them, too
    """
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(entries), len(fields))]
    for key, value in fields.items():
        parts += [_name(key), value]
    offset = 0
    for entry in entries:
        dims = entry.shape[::-1]
        parts += [_name(entry.name), struct.pack(f"<I{len(dims)}Q", len(dims), *dims)]
        parts.append(struct.pack("<IQ", entry.type, offset))
        offset += padded(entry.bytes, alignment)
    data = b"".join(parts)
    return data.ljust(padded(len(data), alignment), b"\0")


def padded(size: int, alignment: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // alignment) * alignment


def _name(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
