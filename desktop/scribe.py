"""Keeping a question and its answers while they come. On the lane's thread, without Qt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from desktop.conversation import Kept
from engine.api import Answer, AttuneError, Chats, Chunk, Duel, Scope

log = logging.getLogger("desktop.scribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where in the chats that are kept a question stands.

    chat      "" begins one
    parent    the answer that it follows; "" is a first question
    orphan    the question before it, where that has no answer at all
    again     id of the question itself, where it is answered once more
    former    the answer that the chat went on with until now, where there is one
    versions  ids of the versions of the question that there are
    answers   ids of the answers that it has, the oldest first
    model     id of what is about to answer
    steered   words that it is steered towards
    scope     how far what is learned goes, in a chat that is begun
    """

    chat: str = ""
    parent: str = ""
    orphan: str = ""
    again: str = ""
    former: str = ""
    versions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    model: str = ""
    steered: tuple[str, ...] = ()
    scope: Scope = "everywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Under which ids a turn is kept from now on."""

    chat: str
    kept: Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStored:
    """The chat is kept no more, and why, in a sentence."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the owner wants of an answer that is being written; set on another thread.

    told  it is to end
    left  its chat was left: what there is of it stays, even if that is nothing
    shut  the window closes: it was not the owner who found that it said enough
    """

    told: Event = field(default_factory=Event)
    left: Event = field(default_factory=Event)
    shut: Event = field(default_factory=Event)


class Scribe:
    """Passes on what the engine says, and keeps it on the way.

    Where it cannot be kept, the answer goes on all the same, and that is said once.
    """

    def __init__(
        self, chats: Callable[[], Chats], spot: Spot, *, text: str, wishes: Wishes
    ) -> None:
        """
        chats  where to keep it; looked up on the lane's thread
        text   the question
        """
        self._find, self._spot, self._text, self._wishes = chats, spot, text, wishes
        self._question = self._chat = ""
        self._answers: list[str] = []
        self._open: list[str] = []
        self._came = self._failed = self._broken = self._over = False

    @property
    def chat(self) -> str:
        """Id of the chat that it is kept in; "" where it is not, or not yet."""
        return self._chat or self._spot.chat

    def through(self, events: Iterable[object], *, doubled: type) -> Iterator[object]:
        """The same events, and in between what became of the keeping.

        doubled  type of the event which says that two answers will be written
        """
        try:
            yield from self._try(self._ask)
            for event in events:
                if not self._answers:
                    number = 2 if isinstance(event, doubled) else 1
                    yield from self._try(partial(self._begin, number))
                yield from self._try(partial(self._hear, event))
                yield event
        except AttuneError:
            self._failed = True
            raise
        finally:
            for _ in self._try(self._end):
                """Nobody hears it any more; the log has it."""

    def _try(self, step: Callable[[], Stored | None]) -> Iterator[Stored | NotStored]:
        if self._over:
            return
        try:
            stored = step()
        except AttuneError as error:
            self._over = True
            log.warning("the chat is kept no more: %s", error.message)
            yield NotStored(sentence=error.message)
        else:
            if stored is not None:
                yield stored

    # Steps --------------------------------------------------------------------------------

    def _ask(self) -> Stored:
        spot, chats = self._spot, self._find()
        if spot.again:
            self._question = spot.again
            return self._stored(spot.chat)
        parent = spot.parent
        if spot.orphan:  # Attune ended before its answer began, and questions follow answers only
            parent = chats.begin_answer(spot.orphan).id
            chats.break_off(parent)
        asked = chats.ask(self._text, chat=spot.chat, parent=parent, scope=spot.scope)
        self._question, self._chat = asked.id, asked.chat
        return self._stored(asked.chat)

    def _begin(self, number: int) -> Stored:
        for place in range(number):
            begun = self._find().begin_answer(
                self._question, model=self._spot.model, choose=place == 0
            )
            self._answers.append(begun.id)
            self._open.append(begun.id)
            self._chat = begun.chat
        return self._stored(self._chat)

    def _hear(self, event: object) -> None:
        if isinstance(event, Chunk):
            self._came = self._came or bool(event.text)
            self._append(self._answers[event.answer], event)
        elif isinstance(event, Answer):
            self._finish((event,))
        elif isinstance(event, Duel):
            self._finish(event.answers, duel=event.id)

    def _append(self, answer: str, chunk: Chunk) -> None:
        try:
            self._find().append(answer, chunk.text, tokens=chunk.tokens)
        except AttuneError as error:  # it is tried again with the next one, and at the end
            log.warning("a piece of an answer is not kept yet: %s", error.message)

    def _finish(self, ended: tuple[Answer, ...], *, duel: str = "") -> None:
        self._came = self._came or any(answer.text for answer in ended)
        self._broken = any(answer.finish == "interrupted" for answer in ended)
        if self._taken_back or self._shut_off(ended):
            return
        facts: dict[str, object] = {"steered": list(self._spot.steered)}
        for id, answer in zip(self._answers, ended, strict=True):
            self._find().finish(id, answer, duel=duel, facts=facts)
            self._open.remove(id)

    def _end(self) -> None:
        """What was begun and did not end stays as far as it came; where nothing did, it goes."""
        chats = self._find()
        if not self._came and (self._failed or self._taken_back):
            self._withdraw(chats)
        for answer in self._open:
            chats.break_off(answer)

    def _withdraw(self, chats: Chats) -> None:
        for answer in reversed(self._open):
            chats.withdraw(answer)
        self._open.clear()
        if self._question and not self._spot.again:
            chats.withdraw(self._question)
        if self._spot.former:
            chats.choose(self._spot.former)

    @property
    def _taken_back(self) -> bool:
        """The owner ended it before anything came, and gets the question back."""
        told, left = self._wishes.told.is_set(), self._wishes.left.is_set()
        return told and not left and not self._came and not self._broken

    def _shut_off(self, ended: tuple[Answer, ...]) -> bool:
        """It is unfinished, and the next start says so."""
        stopped = any(answer.finish == "stopped" for answer in ended)
        return stopped and self._wishes.shut.is_set()

    def _stored(self, chat: str) -> Stored:
        spot, answers = self._spot, tuple(self._answers)
        kept = Kept(
            question=self._question,
            questions=spot.versions if spot.again else (*spot.versions, self._question),
            answers=answers,
            versions=(*spot.answers, *answers),
        )
        return Stored(chat=chat, kept=kept)
