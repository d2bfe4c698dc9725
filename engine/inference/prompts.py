"""From a chat to tokens that fit: rendered, control tokens disarmed, oldest turns dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from engine.errors import PromptTooLong
from engine.inference.model import LanguageModel, Shape
from engine.inference.streams import cells_needed
from engine.inference.templates import ChatFormat
from engine.inference.variants import Chat

RESERVE = 256
"""Tokens of an answer that must fit besides the prompt, where so many were asked for."""

DROP_STEP = 4
"""Messages are dropped in steps of two turns, so that the prefix that follows stays the same for a
few turns and the cache keeps its worth."""

_FIRST_STAND_IN = 0xF0000  # a plane for private use


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Prompt tokens of every variant, and how many of the oldest messages were left out."""

    prompts: tuple[tuple[int, ...], ...]
    dropped: int


def fit(
    chats: Sequence[Chat],
    *,
    model: LanguageModel,
    form: ChatFormat,
    max_tokens: int,
    cells: int | None = None,
) -> Fitted:
    """Tokens of the chats; the same messages are dropped from all of them until they fit.

    cells  how much of the cache they may fill; None is all

    The system message and the last question always stay.
    Raises PromptTooLong when these alone do not fit.
    """
    shape = model.shape if cells is None else replace(model.shape, cells=cells)
    reserve = min(max_tokens, RESERVE, shape.cells // (4 * len(chats)), shape.trained // 4)
    prompter = Prompter(model=model, form=form)

    def attempt(dropped: int) -> Fitted:
        shortened = (_without(chat, dropped) for chat in chats)
        return Fitted(prompts=tuple(tuple(prompter.tokens(c)) for c in shortened), dropped=dropped)

    def fits(found: Fitted) -> bool:
        return _fits(found.prompts, reserve=reserve, shape=shape)

    found = attempt(0)
    if fits(found):
        return found
    counts = _drop_counts(len(chats[0]) - 2)
    found = attempt(counts[-1])
    if not fits(found):
        raise PromptTooLong(
            f"The question has {max(map(len, found.prompts))} tokens, but this model and its "
            f"memory take {_limit(len(chats), reserve=reserve, shape=shape)}. Shorten it."
        )
    # What fits stays fitting when more is dropped, so the least that helps is found by halving.
    low, high = 0, len(counts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        tried = attempt(counts[middle])
        low, high, found = (low, middle, tried) if fits(tried) else (middle, high, found)
    return found


class Prompter:
    """Renders and tokenizes chats; remembers which messages spell out control tokens."""

    def __init__(self, *, model: LanguageModel, form: ChatFormat) -> None:
        self._model, self._form = model, form
        self._spelled: dict[str, tuple[str, ...]] = {}

    def tokens(self, chat: Chat) -> list[int]:
        """Tokens of one chat. A control token written out in a message is read as plain text."""
        written = {w for message in chat for w in self._control_texts(message.text)}
        stand_ins = _stand_ins(written, chat)
        text = self._form.render([replace(m, text=_disarmed(m.text, stand_ins)) for m in chat])
        begin = self._form.marks[0]
        begins = bool(begin) and text.startswith(begin)
        result: list[int] = []
        originals = {stand_in: written for written, stand_in in stand_ins.items()}
        for position, (piece, literal) in enumerate(_split(text, originals)):
            first = position == 0 and not begins
            result += self._model.tokenize(piece, special=not literal, begin=first)
        return result

    def _control_texts(self, text: str) -> tuple[str, ...]:
        if text not in self._spelled:
            found = set(self._model.tokenize(text, special=True))
            written = (self._model.control_text(t) for t in found if self._model.is_control(t))
            self._spelled[text] = tuple(w for w in written if w and w in text)
        return self._spelled[text]


def tokens(chat: Chat, *, model: LanguageModel, form: ChatFormat) -> list[int]:
    """`Prompter.tokens` for a single chat."""
    return Prompter(model=model, form=form).tokens(chat)


def _drop_counts(droppable: int) -> list[int]:
    steps = list(range(0, droppable, DROP_STEP))
    return [*steps, droppable] if droppable else [0]


def _without(chat: Chat, dropped: int) -> Chat:
    """The chat without its oldest messages; what remains begins with a question."""
    rest = list(chat[1 + dropped :])
    while len(rest) > 1 and rest[0].role == "assistant":
        rest.pop(0)
    return (chat[0], *rest)


def _fits(prompts: Sequence[Sequence[int]], *, reserve: int, shape: Shape) -> bool:
    longest = max(map(len, prompts)) + reserve
    return longest <= shape.trained and cells_needed(prompts, each=reserve) <= shape.cells


def _limit(streams: int, *, reserve: int, shape: Shape) -> int:
    return min(shape.trained - reserve, shape.cells - streams * reserve)


def _stand_ins(written: set[str], chat: Chat) -> dict[str, str]:
    """A private character, one that the chat does not use, for each written-out control token."""
    used = {c for m in chat for c in m.text if ord(c) >= _FIRST_STAND_IN} if written else set()
    free = (c for i in count(_FIRST_STAND_IN) if (c := chr(i)) not in used)
    # The longest first: one control token's text may contain another's.
    return dict(zip(sorted(written, key=len, reverse=True), free, strict=False))


def _disarmed(text: str, stand_ins: dict[str, str]) -> str:
    for written, stand_in in stand_ins.items():
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
