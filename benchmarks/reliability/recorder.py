"""A library that writes down every call that changes a folder; compiled when it is needed.

It stands between SQLite, Python and the system as the one in `faults.py` does, which says how a
program is started with either.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

SOURCE = Path(__file__).with_name("recorder.c")
LOADED = "recorder_begin"
"""What it has and no other library."""

What = Literal[
    "create", "mkdir", "write", "truncate", "sync", "rename", "link", "unlink", "mark"
]  # fmt: skip

_LETTERS: dict[str, What] = dict(zip("cdwtsrlum", get_args(What), strict=True))
_HEAD = struct.Struct("<cIIQq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was done, and what it did.

    path   in the folder, "" is the folder itself; of "create", "mkdir", "rename", "link", "unlink"
           (which is rmdir, too)
    to     the second name, of "rename" and "link"
    node   the number of the file or folder, of "create", "mkdir", "write", "truncate", "sync"; one
           that is gone may give its number to a new one
    place  the first byte that is written, or the bytes that a truncated file has
    data   that was written; the text of a "mark"
    """

    what: What
    path: str = ""
    to: str = ""
    node: int = 0
    place: int = 0
    data: bytes = b""


@contextmanager
def recorded(folder: Path, log: Path) -> Iterator[None]:
    """Write down what changes below a folder, given without links in its path, in a file that is
    elsewhere. This program has to be started with the library."""
    library = ctypes.CDLL(None)
    library.recorder_begin(os.fsencode(folder), os.fsencode(log))
    try:
        yield
    finally:
        library.recorder_end()


def mark(text: bytes) -> None:
    """Write down that something is so by now."""
    ctypes.CDLL(None).recorder_mark(text)


def read(log: Path, folder: Path) -> list[Call]:
    """What was written down, in the order of time."""
    raw, calls, at = log.read_bytes(), [], 0
    while at < len(raw):
        letter, first, second, node, place = _HEAD.unpack_from(raw, at)
        middle = at + _HEAD.size + first
        begin, at = at + _HEAD.size, middle + second
        calls.append(_call(_LETTERS[letter.decode()], node, place, raw[begin:middle],
                           raw[middle:at], folder))  # fmt: skip
    return calls


def _call(what: What, node: int, place: int, first: bytes, second: bytes, folder: Path) -> Call:
    if what in ("write", "mark"):
        return Call(what=what, node=node, place=place, data=first)
    path, to = (_inside(name, folder) if name else "" for name in (first, second))
    return Call(what=what, path=path, to=to, node=node, place=place)


def _inside(name: bytes, folder: Path) -> str:
    path = os.path.relpath(os.path.normpath(os.fsdecode(name)), folder)
    return "" if path == "." else path
