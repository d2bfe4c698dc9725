"""Asking and answering, one question at a time. Lives on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop import reopening
from desktop.bridge import Bridge, Job, Listener, once
from desktop.conversation import Conversation, Turn
from desktop.findings import acting
from desktop.heard import heard
from desktop.learning import Learning
from desktop.loading import Loading
from desktop.pair import Pair
from desktop.scribe import NotStored, Scribe, Spot, Stored, Wishes
from desktop.speed import Speedometer
from desktop.taste import Taste
from engine.api import (
    Answer,
    AttuneError,
    Candidate,
    Chunk,
    Duel,
    Engine,
    Learned,
    Notice,
    Question,
    Reach,
    Ready,
    Scope,
    Started,
)


@dataclass(frozen=True, slots=True)
class _Two:
    """Two answers will be written, and why."""

    why: str


log = logging.getLogger("desktop.asking")


class Asking(QObject):
    """The conversation on the screen and the answer under way.

    asked(Turn)            a turn begins; it stands in place of those that it `replaced`
    grew(Turn)             its text, notes or state changed
    settled(Turn)          it is done, well or not
    withdrawn(Turn)        it is taken back; those that it had replaced stand again
    returned(str)          words that the owner should get back to edit
    cleared()              a new chat
    opened()               a chat that was kept, or another branch of this one
    keeping_changed()      where this chat is kept, or that it is kept no more
    scope_changed()        how far what is learned in this chat goes, or that it is another chat
    noticed(str)           a sentence for the owner that belongs to no turn
    measured(used, speed)  tokens of the context (int), tokens per second (float or None)
    """

    asked = Signal(object)
    grew = Signal(object)
    settled = Signal(object)
    withdrawn = Signal(object)
    returned = Signal(str)
    cleared = Signal()
    opened = Signal()
    keeping_changed = Signal()
    scope_changed = Signal()
    noticed = Signal(str)
    measured = Signal(int, object)

    def __init__(
        self,
        engine: Engine,
        bridge: Bridge,
        loading: Loading,
        learning: Learning,
        *,
        taste: Callable[[], Taste],
        member: Callable[[], Candidate | None],
    ) -> None:
        """member  the setting that Attune chose to answer next, if it is the one to choose"""
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self._loading, self._learning = loading, learning
        self._taste, self._member = taste, member
        self.conversation = Conversation(scope=engine.settings.scope)
        self._job: Job | None = None
        self._turn: Turn | None = None
        self._wishes = Wishes()
        self._speed = Speedometer()
        self._prompt = self.used = 0

    @property
    def busy(self) -> bool:
        """A question waits or is being answered."""
        return self._turn is not None

    def ask(self, text: str, *, instead: Turn | None = None) -> bool:
        """False if there is nothing to ask, or another answer is under way.

        instead  a turn of this conversation whose question this is a new version of
        """
        if self.busy or not text.strip():
            return False
        self._pass_over()
        taste = self._taste()
        begin = self.conversation.begin
        if instead is not None and instead in self.conversation.turns:
            begin = partial(self.conversation.begin_instead, instead)
        self._send(begin(text.strip(), steering=taste.steering, personal=self._personal))
        return True

    def regenerate(self, *, number: Literal[1, 2] | None = None) -> bool:
        """Answer the last question afresh, with the preferences as they are now.

        number  of answers; None leaves that to Attune
        """
        if self.busy:
            return False
        taste = self._taste()
        turn = self.conversation.begin_again(steering=taste.steering, personal=self._personal)
        if turn is None:
            return False
        self._send(turn, number=number)
        return True

    def set_scope(self, scope: Scope) -> None:
        """Say how far what is learned in this chat goes from now on."""
        conversation = self.conversation
        before, conversation.scope = conversation.scope, scope
        self.scope_changed.emit()
        if not conversation.chat or scope == before:
            return

        def failed(error: AttuneError) -> None:
            conversation.scope = before
            self.scope_changed.emit()
            self.noticed.emit(error.message)

        chat = conversation.chat
        work = once(lambda: self._engine.chats.set_scope(chat, scope))
        self._bridge.submit(work, Listener(failed=failed), lasting=True)

    def note(self, sentence: str) -> bool:
        """Say it where the owner is looking: at the question that waits. False if none does."""
        if self._turn is None:
            return False
        self._turn.note(sentence)
        self.grew.emit(self._turn)
        return True

    def stop(self) -> None:
        """End the answer; a question whose answer has not begun comes back to be edited."""
        if self._turn is None or self._job is None:
            return
        waiting = self._turn.state == "waiting"
        self._wishes.told.set()
        if waiting and self._loading.busy:
            # The engine is busy with the model, not with us: leave it alone.
            self._take_back(self._turn)
        else:
            self._engine.stop()

    def clear(self, *, private: bool = False) -> None:
        """Begin a new chat; an answer under way is given up.

        private  nothing of it is kept, and nothing is learned from it
        """
        self._leave()
        self._show(Conversation(private=private, scope=self._engine.settings.scope))
        self.cleared.emit()

    def take(self, item: reopening.Reopened) -> None:
        """Go on with a chat that was kept, or with another branch of the one that is shown."""
        self._leave()
        names = {card.id: card.name for card in self._loading.cards}
        self._show(reopening.conversation(item, names=names, before=self.conversation))
        self.opened.emit()

    def go_on_with(self, turn: Turn) -> None:
        """Of two answers to the last question, keep which one the chat goes on with: before a vote
        is on record, or an end in between would leave a chat that contradicts it."""
        pair, answers = turn.pair, turn.kept.answers
        last = turn is self.conversation.last
        if pair is None or pair.stage in ("writing", "cut") or not last or len(answers) != 2:
            return
        wanted = turn.answer_id
        if wanted != (turn.kept.stands or answers[0]):
            turn.kept = replace(turn.kept, stands=wanted)
            work = once(lambda: self._engine.chats.choose(wanted))
            self._bridge.submit(work, Listener(), lasting=True)

    def end(self) -> None:
        """The window closes: a question that still waits for the model is kept, too."""
        self._wishes.shut.set()
        turn = self._turn
        if turn is None or turn.state != "waiting" or not self.conversation.keeps:
            return
        spot = self._spot(turn)
        if not turn.kept.question and not spot.orphan:
            ask = partial(self._engine.chats.ask, turn.question, scope=spot.scope)
            work = once(partial(ask, chat=spot.chat, parent=spot.parent))
            self._bridge.submit(work, Listener(), lasting=True)

    # On the lane's thread ---------------------------------------------------------------

    def _answer(
        self,
        question: Question,
        wishes: Wishes,
        scribe: Scribe | None,
        *,
        number: Literal[1, 2] | None,
        reach: Reach,
    ) -> Iterator[object]:
        if wishes.told.is_set():
            return
        nudged = False
        events = self._events(question, scribe, number=number, reach=reach)
        for event in events if scribe is None else scribe.through(events, doubled=_Two):
            yield event
            # A stop that came just before the engine began to listen is said once more.
            if wishes.told.is_set() and not nudged and isinstance(event, (Started, Chunk)):
                self._engine.stop()
                nudged = True

    def _events(
        self,
        question: Question,
        scribe: Scribe | None,
        *,
        number: Literal[1, 2] | None,
        reach: Reach,
    ) -> Iterator[object]:
        """One answer, or two where a vote would tell enough; an untouched model gives one.

        number  so many in any case
        """
        if scribe is not None:  # a chat that begins has its id only now, with its first question
            reach = replace(reach, chat=scribe.chat)
        asks = question.personal and reach.learns
        why = self._engine.wants_duel(reach=reach) if asks and number != 1 else ""
        if why or (asks and number == 2):
            yield _Two(why)
            yield from self._engine.duel(question, reach=reach)
            return
        if question.personal:
            try:
                yield self._engine.learning.learned(reach=reach)
            except AttuneError as error:  # the answer itself does without
                log.warning("what was learned cannot be read: %s", error.message)
        yield from self._engine.answer(question, reach=reach)

    # On the GUI thread again ------------------------------------------------------------

    def _send(self, turn: Turn, *, number: Literal[1, 2] | None = None) -> None:
        self._turn, self._speed, self._wishes = turn, Speedometer(), Wishes()
        member = self._member()
        self._loading.ensure(member.model if member is not None else "")
        question = self.conversation.question(turn, sampling=self._engine.settings.sampling)
        listener = Listener(
            heard=partial(self._heard, turn),
            failed=partial(self._failed, turn),
            done=partial(self._done, turn),
        )
        if self.conversation.private:
            number = 1
        scribe = self._scribe(turn)
        work = partial(
            self._answer, question, self._wishes, scribe, number=number,
            reach=self.conversation.reach,
        )  # fmt: skip
        self._job = self._bridge.submit(work, listener)
        self.asked.emit(turn)

    def _heard(self, turn: Turn, event: object) -> None:
        match event:
            case Chunk():
                turn.add(event.text, answer=event.answer)
                if event.answer == 0:
                    self._tick(event.tokens)
            case Stored():
                turn.kept, self.conversation.chat = event.kept, event.chat
                self.keeping_changed.emit()
            case NotStored():
                self.conversation.trouble = event.sentence
                turn.note(self.tr("This chat is kept no more. {0}").format(event.sentence))
                self.keeping_changed.emit()
            case _Two():
                turn.pair = Pair(why=event.why, here=self.conversation.scope == "chat")
            case Learned():
                self._learning.hear(event)
                turn.learned = acting(event)
            case Started():
                turn.state = "reading"
                self._prompt = event.prompt_tokens
                self._measure(self._prompt, None)
            case Notice():
                turn.note(heard(event.text))
            case Answer():
                turn.finish(event)
                self._measure(event.used, event.tokens_per_second)
            case Duel():
                turn.close(event)
                first = event.answers[0]
                self._measure(first.used, first.tokens_per_second)
            case Ready():
                self._loading.heard(event)
        self.grew.emit(turn)

    def _failed(self, turn: Turn, error: AttuneError) -> None:
        if not turn.text:
            self.noticed.emit(error.message)
            self._take_back(turn)
            return
        turn.interrupt(error.message)
        self._settle(turn)

    def _done(self, turn: Turn) -> None:
        if self._wishes.told.is_set() and not turn.text and not turn.broken:
            self._take_back(turn)
            return
        if turn.ended is None:
            turn.interrupt(self.tr("The answer ended early."))
        self._settle(turn)

    def _pass_over(self) -> None:
        """Who asks on without a vote goes on with the first answer."""
        turn = self.conversation.last
        if turn is not None and turn.pair is not None and turn.pair.open:
            turn.pair.skip()
            self.go_on_with(turn)
            self.grew.emit(turn)

    def _settle(self, turn: Turn) -> None:
        self._turn = self._job = None
        turn.replaced = ()  # the new answer stands
        self.settled.emit(turn)

    def _take_back(self, turn: Turn) -> None:
        if self._job is not None:
            self._bridge.withdraw(self._job)
        self._turn = self._job = None
        replaced = self.conversation.withdraw(turn)
        if not replaced or replaced[0].question != turn.question:
            self.returned.emit(turn.question)
        self.withdrawn.emit(turn)

    def _leave(self) -> None:
        """Give up the answer under way; a question that still waits is given back."""
        if self._job is not None and self._turn is not None:
            self._wishes.left.set()
            self._wishes.told.set()  # a stop that the engine misses is said once more
            self._bridge.withdraw(self._job)
            if self._turn.state == "waiting" and self._loading.busy:
                self.returned.emit(self._turn.question)
            else:
                self._engine.stop()
        self._turn = self._job = None

    def _show(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._measure(0, None)
        self.scope_changed.emit()

    @property
    def _personal(self) -> bool:
        """What was learned may act on the next answer."""
        return self._taste().personal and self.conversation.scope != "off"

    def _scribe(self, turn: Turn) -> Scribe | None:
        if not self.conversation.keeps:
            return None
        return Scribe(
            lambda: self._engine.chats, self._spot(turn), text=turn.question, wishes=self._wishes
        )

    def _spot(self, turn: Turn) -> Spot:
        above, former = self.conversation.before(turn), turn.replaced[:1]
        ready = self._loading.current
        return Spot(
            chat=self.conversation.chat,
            parent=above.answer_id if above is not None else "",
            orphan=above.kept.question if above is not None and not above.kept.answers else "",
            again=turn.kept.question,
            former=former[0].answer_id if former else "",
            versions=turn.kept.questions,
            answers=turn.kept.versions,
            model=ready.model if ready is not None else "",
            steered=turn.steered,
            scope=self.conversation.scope,
        )

    def _tick(self, tokens: int) -> None:
        speed = self._speed.tick(tokens)
        if speed is not None:
            self._measure(self._prompt + tokens, speed)

    def _measure(self, used: int, speed: float | None) -> None:
        self.used = used
        self.measured.emit(used, speed)
