"""What a question that is being typed will leave of the context: an estimate, before it is sent.

The window has no tokenizer. A token is about four bytes of text in most languages that models know
well; what the chat took so far, where that was counted, says how far off this is here. No Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.conversation import Turn

BYTES = 4.0
"""Of text in one token."""

AROUND = 8.0
"""Tokens that a chat template puts around each message."""

STEP = 4
"""Messages are left out in steps of so many, as the engine does it."""

RESERVE = 256
"""Tokens of an answer that must fit besides."""

FARTHEST = 2.0
"""How far off the estimate may be taken to be, as a factor either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Shares of the context, in [0, 1].

    taken    by the question
    left     once it is asked
    dropped  of the oldest messages, those that the model will not read any more
    fits     whether the question fits on its own
    """

    taken: float
    left: float
    dropped: int
    fits: bool


def foresee(text: str, turns: Sequence[Turn], *, used: int, context: int, answer: int) -> Room:
    """What asking `text` after these turns will come to.

    used     tokens that the chat occupies, as they were counted; 0 where that is not known
    context  tokens in all, > 0
    answer   the most tokens that an answer may have
    """
    sizes = [size for turn in turns for size in (_size(turn.question), _size(turn.text))]
    rate = _rate(sum(sizes), used)
    before = float(used) or rate * sum(sizes)
    own = rate * _size(text)
    most = context - min(RESERVE, answer, context // 4)
    dropped, kept = 0, before
    while kept + own > most and dropped < len(sizes):
        kept -= rate * sum(sizes[dropped : dropped + STEP])
        dropped = min(dropped + STEP, len(sizes))
    left = 1.0 - (max(kept, 0.0) + own) / context
    return Room(
        taken=min(own / context, 1.0), left=max(left, 0.0), dropped=dropped, fits=own <= most
    )


def _size(text: str) -> float:
    """Tokens of a message, at the usual rate."""
    return len(text.encode("utf-8", "replace")) / BYTES + AROUND


def _rate(estimated: float, used: int) -> float:
    """Tokens to one that is estimated."""
    if not estimated or not used:
        return 1.0
    return min(max(used / estimated, 1.0 / FARTHEST), FARTHEST)
