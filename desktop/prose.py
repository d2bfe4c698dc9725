"""What a text of a model consists of, as plain values that cannot do anything. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import urlsplit

# Overrides and isolates can make a link or a line of code read as what it is not.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069\x00\ufffc]")
# What is no space, no line end and no letter either; U+FFFC is Qt's mark for an object.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffc]")

LONGEST = 500
"""Characters of a sentence for the owner: laying out a huge one would stop the window."""

LONGEST_NAME = 60
"""Characters of a model's name, which comes from its file."""

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run of text that looks alike. `link` is an http(s) address, or empty."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a block stands: how deep in lists, how deep in quotes."""

    depth: int = 0
    quote: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The mark of a list item. `list` tells lists apart within a passage."""

    list: int
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text; a heading if `level` is 1 to 6, a list item's beginning if `item` is set."""

    spans: tuple[Span, ...]
    place: Place = Place()
    level: int = 0
    item: Item | None = None
    tight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code block; `open` while its end has not been written yet."""

    text: str
    language: str = ""
    place: Place = Place()
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells by rows, the header first."""

    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    aligns: tuple[Align, ...]
    place: Place = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A horizontal line."""

    place: Place = Place()


Block = Paragraph | Code | Table | Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One top-level piece of Markdown; `line` is where it begins in the source, from 0.

    Text that follows can change the last passage, never an earlier one.
    """

    line: int
    blocks: tuple[Block, ...]


def plain(text: str) -> str:
    """Text without the characters that make it read as what it is not: for links and names."""
    return _BIDI.sub("", text)


def brief(text: str, *, longest: int = LONGEST) -> str:
    """One plain line of limited length: for sentences and names, which may quote a file."""
    start = text[: 4 * longest]  # more is not even worth cleaning
    clean = " ".join(_CONTROLS.sub("", plain(start)).split())
    if len(clean) <= longest and len(start) == len(text):
        return clean
    return f"{clean[: longest - 1]}…"


def hint(text: str) -> str:
    """Text as a tooltip that shows it as it is. Left to itself Qt takes what looks like HTML for
    that, and reads the files that it names. "" is no tooltip."""
    return f"<qt>{escape(text)}</qt>" if text else ""


def web_address(address: str) -> str:
    """The address if it leads to the web, else nothing."""
    clean = _BIDI.sub("", address).strip()
    try:
        parts = urlsplit(clean)
    except ValueError:
        return ""
    return clean if parts.scheme in ("http", "https") and parts.netloc else ""


def without_overrides(text: str) -> str:
    """Text without what turns its direction around, and without Qt's mark for an object."""
    return _OVERRIDES.sub("", text)
