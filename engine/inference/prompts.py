"""From a chat to tokens that fit: rendered, control tokens disarmed, oldest turns dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.errors import PromptTooLong
from engine.inference.model import LanguageModel
from engine.inference.streams import cells_needed
from engine.inference.templates import ChatFormat
from engine.inference.variants import Chat

RESERVE = 256
"""Tokens of an answer that must fit besides the prompt, where so many were asked for."""

DROP_STEP = 4
"""Messages are dropped in steps of two turns, so that the prefix that follows stays the same for a
few turns and the cache keeps its worth."""

_FIRST_STAND_IN = 0xF0000  # a plane for private use: no model's text contains it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Prompt tokens of every variant, and how many of the oldest messages were left out."""

    prompts: tuple[tuple[int, ...], ...]
    dropped: int


def fit(
    chats: Sequence[Chat], *, model: LanguageModel, form: ChatFormat, max_tokens: int
) -> Fitted:
    """Tokens of the chats; the same messages are dropped from all of them until they fit.

    The system message and the last question always stay.
    Raises PromptTooLong when these alone do not fit.
    """
    shape = model.shape
    reserve = min(max_tokens, RESERVE, shape.cells // (4 * len(chats)), shape.trained // 4)
    droppable = len(chats[0]) - 2
    prompts: tuple[tuple[int, ...], ...] = ()
    for dropped in _drop_counts(droppable):
        prompts = tuple(
            tuple(tokens(_without(chat, dropped), model=model, form=form)) for chat in chats
        )
        if _fits(prompts, reserve=reserve, model=model):
            return Fitted(prompts=prompts, dropped=dropped)
    raise PromptTooLong(
        f"The question has {max(map(len, prompts))} tokens, but this model and its memory take "
        f"{_limit(len(prompts), reserve=reserve, model=model)}. Shorten it or raise the context."
    )


def tokens(chat: Chat, *, model: LanguageModel, form: ChatFormat) -> list[int]:
    """Tokens of one chat. A control token written out in a message is read as plain text."""
    stand_ins: dict[str, str] = {}
    safe = [replace(m, text=_disarm(m.text, model, stand_ins)) for m in chat]
    text = form.render(safe)
    begins = bool(form.marks[0]) and text.startswith(form.marks[0])
    result: list[int] = []
    for position, (piece, literal) in enumerate(_split(text, stand_ins)):
        first = position == 0 and not begins
        result += model.tokenize(piece, special=not literal, begin=first)
    return result


def _drop_counts(droppable: int) -> list[int]:
    steps = list(range(0, droppable, DROP_STEP))
    return [*steps, droppable] if droppable else [0]


def _without(chat: Chat, dropped: int) -> Chat:
    """The chat without its oldest messages; what remains begins with a question."""
    rest = list(chat[1 + dropped :])
    while len(rest) > 1 and rest[0].role == "assistant":
        rest.pop(0)
    return (chat[0], *rest)


def _fits(prompts: Sequence[Sequence[int]], *, reserve: int, model: LanguageModel) -> bool:
    shape = model.shape
    longest = max(map(len, prompts)) + reserve
    return longest <= shape.trained and cells_needed(prompts, each=reserve) <= shape.cells


def _limit(streams: int, *, reserve: int, model: LanguageModel) -> int:
    shape = model.shape
    return min(shape.trained - reserve, shape.cells - streams * reserve)


def _disarm(text: str, model: LanguageModel, stand_ins: dict[str, str]) -> str:
    """Put a private character in the place of each control token that the text spells out."""
    for token in set(model.tokenize(text, special=True)):
        if not model.is_control(token):
            continue
        written = model.control_text(token)
        if written and written in text:
            stand_in = chr(_FIRST_STAND_IN + len(stand_ins))
            stand_ins[stand_in] = written
            text = text.replace(written, stand_in)
    return text


def _split(text: str, stand_ins: dict[str, str]) -> list[tuple[str, bool]]:
    """Pieces of the rendered text; True marks a control token that is only text."""
    pieces, start = [], 0
    for i, character in enumerate(text):
        if character in stand_ins:
            pieces += [(text[start:i], False), (stand_ins[character], True)]
            start = i + 1
    pieces.append((text[start:], False))
    return [pieces[0], *(p for p in pieces[1:] if p[0])]
