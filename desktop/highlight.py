"""Code in colours, by Pygments, without Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_CODE = 20_000
"""Characters; longer code is shown plain, since colouring it would stop the window."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How a piece of code looks; an empty colour is the colour of text."""

    colour: str = ""
    bold: bool = False
    italic: bool = False


PLAIN = Ink()


@lru_cache(maxsize=64)
def coloured(text: str, *, language: str, style: str) -> tuple[tuple[str, Ink], ...]:
    """Pieces of the text, in order and complete; one plain piece if the language is unknown."""
    if not language or len(text) > MAX_CODE:
        return ((text, PLAIN),)
    pieces = tuple(_pieces(text, language, style))
    return pieces or ((text, PLAIN),)


def _pieces(text: str, language: str, style: str) -> Iterator[tuple[str, Ink]]:
    # Imported late: the window is on the screen before this is needed.
    from pygments.lexers import get_lexer_by_name
    from pygments.styles import get_style_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return
    inks = get_style_by_name(style)
    for token, piece in lexer.get_tokens(text):
        look = inks.style_for_token(token)
        yield piece, Ink(f"#{look['color']}" if look["color"] else "", look["bold"], look["italic"])
