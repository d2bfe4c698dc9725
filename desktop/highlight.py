"""Code in colours, by Pygments, without Qt.

The model names the language and writes the code, and many a lexer takes seconds over a few
thousand odd characters: so it is few languages, little code, short lines and a deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from time import thread_time
from typing import Any

MAX_CODE, MAX_LINE = 8_000, 400
"""Characters; longer code, or code with a longer line, is shown plain."""

DEADLINE = 0.04
"""Seconds of this thread in which the colours are to be found, or it is plain. It is looked at
after each token; LANGUAGES are those whose lexers take little time over any one token."""

LANGUAGES = frozenset({
    "bash", "sh", "shell", "zsh", "c", "c++", "cpp", "c#", "cs", "csharp", "css", "scss", "go",
    "golang", "html", "xml", "ini", "java", "javascript", "js", "json", "kotlin", "lua", "php",
    "py", "py3", "python", "python3", "r", "rb", "ruby", "rs", "rust", "sql", "swift", "toml",
    "ts", "typescript", "yaml",
})  # fmt: skip
"""As Pygments calls them, in small letters."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How a piece of code looks; an empty colour is the colour of text."""

    colour: str = ""
    bold: bool = False
    italic: bool = False


PLAIN = Ink()


@lru_cache(maxsize=64)
def coloured(text: str, *, language: str, style: str) -> tuple[tuple[str, Ink], ...]:
    """Pieces of the text, in order and complete; one plain piece where colours cost too much."""
    if not _cheap(text, language.lower()):
        return ((text, PLAIN),)
    pieces = tuple(_pieces(text, language.lower(), style))
    # A lexer may leave something out, and one that ran out of time did.
    whole = "".join(piece for piece, _ in pieces) == text
    return pieces if whole else ((text, PLAIN),)


def _cheap(text: str, language: str) -> bool:
    if language not in LANGUAGES or not text or len(text) > MAX_CODE:
        return False
    return max(map(len, text.split("\n"))) <= MAX_LINE


def _pieces(text: str, language: str, style: str) -> Iterator[tuple[str, Ink]]:
    """As many as can be had before the deadline; neighbours that look alike are one."""
    # Imported late: the window is on the screen before this is needed.
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    inks = _inks(style)
    until = thread_time() + DEADLINE
    joined, last = "", PLAIN
    for token, piece in lexer.get_tokens(text):
        if thread_time() > until:
            return
        while token not in inks:
            token = token.parent  # a kind of its own, as YAML has them; every style knows the root
        if inks[token] != last:
            yield joined, last
            joined, last = "", inks[token]
        joined += piece
    yield joined, last


@cache
def _inks(style: str) -> dict[Any, Ink]:
    """The ink of each kind of token."""
    from pygments.styles import get_style_by_name

    return {
        token: Ink(f"#{look['color']}" if look["color"] else "", look["bold"], look["italic"])
        for token, look in get_style_by_name(style)
    }
