"""What the owner wants, as a sentence that a model can read.

The form for a single adjective is the paper's (Amulet, arXiv 2502.19148, authors' code); free
text stands as the owner wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidParameter
from engine.types.steering import Preference

_UNSPACED = "\u2e80"
"""From here on scripts write sentences without spaces."""

MAX_LENGTH = 300
"""Characters; a preference is a sentence, not a document."""


def sentence(preference: Preference) -> str:
    """The preference sentence. Raises InvalidParameter when it is empty or too long."""
    text = " ".join(preference.text.split())
    if not text:
        raise InvalidParameter("A preference is empty. Say in a few words how answers should be.")
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(
            f"A preference has {len(text)} characters, but {MAX_LENGTH} are the most."
        )
    if text.replace("-", "").isalpha() and max(text) < _UNSPACED:
        return f"Your answer should be {text} as much as possible."
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…。" else f"{text}."


def compose(preferences: Sequence[Preference]) -> str:
    """All preference sentences as one, in the order given."""
    return " ".join(sentence(p) for p in preferences)
