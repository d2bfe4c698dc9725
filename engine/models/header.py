"""Reads the header of a GGUF file, bounded: no count or length is believed before it is checked.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
The file is read, never mapped: a mapped file that shrinks meanwhile kills the process.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.errors import DamagedModel, ModelError, ModelNotFound, NotAModel, UnsupportedModel

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
VOCABULARY_KEY = "tokenizer.ggml.tokens"

MAX_FIELDS = 65_536
MAX_TENSORS = 65_536
MAX_DIMS = 4
MAX_KEY = 1024
MAX_TENSOR_NAME = 63
MAX_STRINGS = 1 << 22
"""Strings in all arrays of one header: the largest vocabularies with merges have a fifth."""
MAX_ITEM = 1 << 20
"""Bytes of one string inside an array."""
MAX_KEPT_TEXT = 64 << 10
"""Bytes of a text value that is kept; longer ones are only measured."""
MAX_KEPT_TOTAL = 4 << 20
MAX_KEPT_VALUES = 512
"""Elements of a numeric array that is kept: one per layer at most."""
_WINDOW = 1 << 20

_NUMBERS = {
    0: ("u8", "<B"),
    1: ("i8", "<b"),
    2: ("u16", "<H"),
    3: ("i16", "<h"),
    4: ("u32", "<I"),
    5: ("i32", "<i"),
    6: ("f32", "<f"),
    7: ("bool", "<?"),
    10: ("u64", "<Q"),
    11: ("i64", "<q"),
    12: ("f64", "<d"),
}
_STRING, _ARRAY = 8, 9
_BYTES_OF_TEXT = (9, 10, 13, *range(0x21, 0x7F), *range(0x80, 0xC0), *range(0xC2, 0xF5))
"""What UTF-8 is made of; a space is a letter of its own to the tokenizers that ask for bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """An array field. `values` only for a short numeric one, else empty."""

    type: str
    count: int
    values: tuple[int | float | bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Omitted:
    """A text too long to keep; its length in bytes."""

    length: int


Value = str | int | float | bool | Array | Omitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """Where one tensor lies. `type` is the number of ggml, `offset` counts from the data offset."""

    name: str
    dims: tuple[int, ...]
    type: int
    offset: int

    @property
    def elements(self) -> int:
        return math.prod(self.dims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What is kept of the token list.

    repeated       the first token that occurs twice, or None
    missing_bytes  byte values of ordinary text that no token stands for ("<0x41>" or "A")
    """

    count: int
    repeated: str | None
    missing_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Everything that a GGUF file says of itself, its weights and its vocabulary apart.

    data_offset  bytes from the start of the file to the first tensor
    file_size    bytes
    vocabulary   None where there is no list of tokens
    """

    path: Path
    version: int
    alignment: int
    metadata: dict[str, Value]
    tensors: tuple[Tensor, ...]
    data_offset: int
    file_size: int
    vocabulary: Vocabulary | None

    @property
    def architecture(self) -> str:
        """ "" where it is missing or not a text."""
        value = self.metadata.get("general.architecture", "")
        return value if isinstance(value, str) else ""


def read_header(path: Path) -> Header:
    """The header of a GGUF file; total: returns or raises one of the errors below.

    Reads the header alone: about 0.2 µs per vocabulary entry, memory in proportion to it.

    Raises ModelNotFound (no such file), NotAModel (no GGUF file), DamagedModel (its header breaks
    off or contradicts itself), UnsupportedModel (a version or byte order that is not read) and
    ModelError (the system refuses to read it).
    """
    try:
        with _open(path) as file:
            return _Reader(file, path).header()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelNotFound(
            f"There is no file {printable(str(path), 200)}; check the name or choose another model."
        ) from error
    except OSError as error:
        raise ModelError(
            f"{file_name(path)} cannot be read ({error.strerror or error}); "
            "check its permissions or choose another model."
        ) from error


def _open(path: Path) -> BinaryIO:
    # A pipe would block for ever and /dev/zero never ends, so the kind is asked first.
    if "\0" in str(path):
        raise FileNotFoundError
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise NotAModel(f"{file_name(path)} is a folder; choose a GGUF file inside it.")
    if not stat.S_ISREG(mode):
        raise NotAModel(f"{file_name(path)} is not an ordinary file; choose a GGUF file.")
    return open(path, "rb", buffering=_WINDOW)


def printable(text: str, length: int = 60) -> str:
    """Text from a file, fit to be shown: no control or direction characters, not long."""
    clean = "".join(c if c.isprintable() else "?" for c in text[: length + 1])
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def file_name(path: Path) -> str:
    """The file's name as messages show it."""
    return printable(path.name or str(path))


def damaged(path: Path, what: str) -> DamagedModel:
    """One sentence: the file, what cannot be right, and the way out."""
    return DamagedModel(
        f"{file_name(path)} is damaged: {what}; download it again or choose another model."
    )


class _Reader:
    """A cursor over the file that never asks for more than is left."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        self._at = 0
        self._strings_left = MAX_STRINGS
        self._text_left = MAX_KEPT_TOTAL
        self._vocabulary: Vocabulary | None = None

    def header(self) -> Header:
        self._check_magic()
        version = self._check_version()
        n_tensors = self._count("tensors", MAX_TENSORS, smallest=24)
        n_fields = self._count("metadata fields", MAX_FIELDS, smallest=13)
        metadata = self._metadata(n_fields)
        alignment = self._alignment(metadata)
        tensors = self._tensors(n_tensors)
        return Header(
            path=self._path,
            version=version,
            alignment=alignment,
            metadata=metadata,
            tensors=tensors,
            data_offset=-(-self._at // alignment) * alignment,
            file_size=self._size,
            vocabulary=self._vocabulary,
        )

    # The frame ------------------------------------------------------------------------------

    def _check_magic(self) -> None:
        found = self._file.read(4)
        self._at = len(found)
        if found != MAGIC:
            shown = printable(found.decode("latin-1")) if found else "nothing"
            raise NotAModel(
                f"{file_name(self._path)} is not a GGUF model: it begins with {shown!r} instead "
                "of 'GGUF'; choose a file that ends in .gguf."
            )

    def _check_version(self) -> int:
        version = self._number("<I", "the version")
        if version in VERSIONS:
            return version
        if version & 0xFFFF == 0 and version:
            why = "is written for big-endian computers"
        else:
            why = f"has GGUF version {version}, and only versions 2 and 3 are read"
        raise UnsupportedModel(
            f"{file_name(self._path)} {why}; choose a current GGUF file of this model."
        )

    def _count(self, what: str, cap: int, *, smallest: int) -> int:
        number = self._number("<Q", f"the number of {what}")
        if number > cap:
            raise self._damage(f"it claims {number} {what}, but {cap} are the most")
        if number * smallest > self._left:
            raise self._damage(f"it claims {number} {what}, but only {self._left} bytes follow")
        return number

    # Metadata -------------------------------------------------------------------------------

    def _metadata(self, count: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for number in range(count):
            key = self._name(f"the name of field {number + 1}", MAX_KEY)
            if not key or key in found:
                what = f"the field {printable(key)} occurs twice" if key else "a field has no name"
                raise self._damage(what)
            found[key] = self._value(key)
        return found

    def _value(self, key: str) -> Value:
        kind = self._number("<I", f"the type of {printable(key)}")
        if kind == _STRING:
            return self._text(key)
        if kind == _ARRAY:
            return self._array(key)
        return self._scalar(kind, key)

    def _scalar(self, kind: int, key: str) -> int | float | bool:
        if kind not in _NUMBERS:
            raise self._damage(f"the field {printable(key)} has the unknown type {kind}")
        layout = _NUMBERS[kind][1]
        data = self._take(struct.calcsize(layout), f"the value of {printable(key)}")
        value: int | float | bool = struct.unpack(layout, data)[0]
        return value

    def _text(self, key: str) -> str | Omitted:
        length = self._length(f"the text {printable(key)}")
        if length > min(MAX_KEPT_TEXT, self._text_left):
            self._skip(length)
            return Omitted(length=length)
        self._text_left -= length
        return self._take(length, f"the text {printable(key)}").decode("utf-8", "replace")

    def _array(self, key: str) -> Array:
        shown = printable(key)
        kind = self._number("<I", f"the type of {shown}")
        count = self._number("<Q", f"the length of {shown}")
        if kind == _STRING:
            return self._string_array(key, count)
        if kind not in _NUMBERS:
            what = "arrays inside an array" if kind == _ARRAY else f"the unknown type {kind}"
            raise self._damage(f"the field {shown} holds {what}")
        return self._number_array(shown, kind, count)

    def _number_array(self, shown: str, kind: int, count: int) -> Array:
        name, layout = _NUMBERS[kind]
        size = struct.calcsize(layout) * count
        if size > self._left:
            raise self._damage(f"{shown} claims {count} values, but only {self._left} bytes follow")
        if count > MAX_KEPT_VALUES:
            self._skip(size)
            return Array(type=name, count=count)
        data = self._take(size, shown)
        values = struct.unpack(f"<{count}{layout[1]}", data)
        return Array(type=name, count=count, values=values)

    def _string_array(self, key: str, count: int) -> Array:
        shown = printable(key)
        if count > self._strings_left:
            raise self._damage(f"{shown} claims {count} texts, but {MAX_STRINGS} are the most")
        if count * 8 > self._left:
            raise self._damage(f"{shown} claims {count} texts, but only {self._left} bytes follow")
        self._strings_left -= count
        if key == VOCABULARY_KEY:
            self._vocabulary = _vocabulary(self._strings(count, shown))
        else:
            for _ in self._strings(count, shown):
                pass
        return Array(type="str", count=count)

    def _strings(self, count: int, shown: str) -> Iterator[bytes]:
        """The texts of an array, read through a window instead of one call each."""
        unpack = struct.Struct("<Q").unpack_from
        start, window, at = self._at, b"", 0
        for _ in range(count):
            if at + 8 > len(window):
                start, window, at = start + at, self._window(start + at, 8, shown), 0
            after = at + 8 + unpack(window, at)[0]
            if after > len(window):
                start, window = start + at, self._window(start + at, after - at, shown)
                at, after = 0, after - at
            yield window[at + 8 : after]
            at = after
        self._at = start + at
        self._file.seek(self._at)

    def _window(self, start: int, needed: int, shown: str) -> bytes:
        if start + needed > self._size:
            raise self._damage(f"it ends inside {shown}, at byte {self._size}")
        if needed > MAX_ITEM:
            raise self._damage(f"{shown} holds a text of {needed - 8} bytes")
        self._file.seek(start)
        window = self._file.read(_WINDOW)
        if len(window) < needed:  # the file shrank since it was opened
            raise self._damage(f"it ends inside {shown}, at byte {start + len(window)}")
        return window

    def _alignment(self, metadata: dict[str, Value]) -> int:
        value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        # llama.cpp puts no upper bound, and rounding up to a huge one wraps around.
        if type(value) is not int or not 1 <= value <= 65_536 or value & (value - 1):
            shown = value if isinstance(value, int | float | str) else "no number"
            raise self._damage(
                f"general.alignment is {printable(str(shown))}, "
                "but must be a power of two of at most 65536"
            )
        return value

    # Tensors --------------------------------------------------------------------------------

    def _tensors(self, count: int) -> tuple[Tensor, ...]:
        found: dict[str, Tensor] = {}
        for number in range(count):
            tensor = self._tensor(number)
            if tensor.name in found:
                raise self._damage(f"the tensor {printable(tensor.name)} occurs twice")
            found[tensor.name] = tensor
        return tuple(found.values())

    def _tensor(self, number: int) -> Tensor:
        name = self._name(f"the name of tensor {number + 1}", MAX_TENSOR_NAME)
        shown = f"tensor {printable(name)}"
        n_dims = self._number("<I", shown)
        if n_dims > MAX_DIMS:
            raise self._damage(f"{shown} has {n_dims} dimensions, but {MAX_DIMS} are the most")
        dims = struct.unpack(f"<{n_dims}Q", self._take(8 * n_dims, shown))
        kind = self._number("<I", shown)
        return Tensor(name=name, dims=dims, type=kind, offset=self._number("<Q", shown))

    # Bytes ----------------------------------------------------------------------------------

    @property
    def _left(self) -> int:
        return self._size - self._at

    def _take(self, length: int, what: str) -> bytes:
        data = self._file.read(length) if length <= self._left else b""
        if len(data) != length:
            raise self._damage(f"it ends inside {what}, at byte {self._size}")
        self._at += length
        return data

    def _skip(self, length: int) -> None:
        self._at += length
        self._file.seek(self._at)

    def _number(self, layout: str, what: str) -> int:
        number: int = struct.unpack(layout, self._take(struct.calcsize(layout), what))[0]
        return number

    def _length(self, what: str) -> int:
        length = self._number("<Q", what)
        if length > self._left:
            raise self._damage(f"{what} claims {length} bytes, but only {self._left} bytes follow")
        return length

    def _name(self, what: str, cap: int) -> str:
        length = self._length(what)
        if length > cap:
            raise self._damage(f"{what} has {length} bytes, but {cap} are the most")
        try:
            return self._take(length, what).decode()
        except UnicodeDecodeError as error:
            raise self._damage(f"{what} is not valid UTF-8") from error

    def _damage(self, what: str) -> DamagedModel:
        return damaged(self._path, what)


def _vocabulary(tokens: Iterator[bytes]) -> Vocabulary:
    seen: set[bytes] = set()
    count, repeated = 0, None
    for token in tokens:
        count += 1
        if 0 in token:  # llama.cpp reads a token up to its first NUL
            token = token.partition(b"\0")[0]
        if token in seen and repeated is None and token:
            repeated = token
        seen.add(token)
    missing = sum(
        f"<0x{byte:02X}>".encode() not in seen and bytes([byte]) not in seen
        for byte in _BYTES_OF_TEXT
    )
    text = None if repeated is None else repeated.decode("utf-8", "replace")
    return Vocabulary(count=count, repeated=text, missing_bytes=missing)
