"""Asking and answering, one question at a time. Lives on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Event

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Job, Listener
from desktop.conversation import Conversation, Turn
from desktop.findings import acting
from desktop.learning import Learning
from desktop.loading import Loading
from desktop.pair import Pair
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
    Ready,
    Started,
)


@dataclass(frozen=True, slots=True)
class _Two:
    """Two answers will be written, and why."""

    why: str


log = logging.getLogger("desktop.asking")


class Asking(QObject):
    """The conversation on the screen and the answer under way.

    asked(Turn)            a turn begins; with `previous` set it replaces that one
    grew(Turn)             its text, notes or state changed
    settled(Turn)          it is done, well or not
    withdrawn(Turn)        it is taken back; its `previous`, if any, stands again
    returned(str)          words that the owner should get back to edit
    cleared()              a new chat
    noticed(str)           a sentence for the owner that belongs to no turn
    measured(used, speed)  tokens of the context (int), tokens per second (float or None)
    """

    asked = Signal(object)
    grew = Signal(object)
    settled = Signal(object)
    withdrawn = Signal(object)
    returned = Signal(str)
    cleared = Signal()
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
        self.conversation = Conversation()
        self._job: Job | None = None
        self._turn: Turn | None = None
        self._told = Event()
        self._speed = Speedometer()
        self._prompt = self.used = 0

    @property
    def busy(self) -> bool:
        """A question waits or is being answered."""
        return self._turn is not None

    def ask(self, text: str) -> bool:
        """False if there is nothing to ask, or another answer is under way."""
        if self.busy or not text.strip():
            return False
        self._pass_over()
        taste = self._taste()
        turn = self.conversation.begin(
            text.strip(), steering=taste.steering, personal=taste.personal
        )
        self._send(turn)
        return True

    def regenerate(self) -> bool:
        """Answer the last question afresh, with the preferences as they are now."""
        if self.busy:
            return False
        taste = self._taste()
        turn = self.conversation.begin_again(steering=taste.steering, personal=taste.personal)
        if turn is None:
            return False
        self._send(turn)
        return True

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
        self._told.set()
        if waiting and self._loading.busy:
            # The engine is busy with the model, not with us: leave it alone.
            self._take_back(self._turn)
        else:
            self._engine.stop()

    def clear(self) -> None:
        """Begin a new chat; an answer under way is given up."""
        if self._job is not None:
            self._told.set()  # a stop that the engine misses is said once more
            waiting = self._turn is not None and self._turn.state == "waiting"
            self._bridge.withdraw(self._job)
            if not (waiting and self._loading.busy):
                self._engine.stop()
        self._turn = self._job = None
        self.conversation = Conversation()
        self._measure(0, None)
        self.cleared.emit()

    # On the lane's thread ---------------------------------------------------------------

    def _answer(self, question: Question, told: Event) -> Iterator[object]:
        if told.is_set():
            return
        nudged = False
        for event in self._events(question):
            yield event
            # A stop that came just before the engine began to listen is said once more.
            if told.is_set() and not nudged and isinstance(event, (Started, Chunk)):
                self._engine.stop()
                nudged = True

    def _events(self, question: Question) -> Iterator[object]:
        """One answer, or two where a vote would tell enough; an untouched model gives one."""
        if question.personal and (why := self._engine.wants_duel()):
            yield _Two(why)
            yield from self._engine.duel(question)
            return
        if question.personal:
            try:
                yield self._engine.learned()
            except AttuneError as error:  # the answer itself does without
                log.warning("what was learned cannot be read: %s", error.message)
        yield from self._engine.answer(question)

    # On the GUI thread again ------------------------------------------------------------

    def _send(self, turn: Turn) -> None:
        self._turn, self._speed, self._told = turn, Speedometer(), Event()
        member = self._member()
        self._loading.ensure(member.model if member is not None else "")
        question = self.conversation.question(turn, sampling=self._engine.settings.sampling)
        listener = Listener(
            heard=partial(self._heard, turn),
            failed=partial(self._failed, turn),
            done=partial(self._done, turn),
        )
        self._job = self._bridge.submit(partial(self._answer, question, self._told), listener)
        self.asked.emit(turn)

    def _heard(self, turn: Turn, event: object) -> None:
        match event:
            case Chunk():
                turn.add(event.text, answer=event.answer)
                if event.answer == 0:
                    self._tick(event.tokens)
            case _Two():
                turn.pair = Pair(why=event.why)
            case Learned():
                self._learning.hear(event)
                turn.learned = acting(event)
            case Started():
                turn.state = "reading"
                self._prompt = event.prompt_tokens
                self._measure(self._prompt, None)
            case Notice():
                turn.note(event.text)
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
        if self._told.is_set() and not turn.text and not turn.broken:
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
            self.grew.emit(turn)

    def _settle(self, turn: Turn) -> None:
        self._turn = self._job = None
        turn.previous = None  # the new answer stands
        self.settled.emit(turn)

    def _take_back(self, turn: Turn) -> None:
        if self._job is not None:
            self._bridge.withdraw(self._job)
        self._turn = self._job = None
        if self.conversation.withdraw(turn) is None:
            self.returned.emit(turn.question)
        self.withdrawn.emit(turn)

    def _tick(self, tokens: int) -> None:
        speed = self._speed.tick(tokens)
        if speed is not None:
            self._measure(self._prompt + tokens, speed)

    def _measure(self, used: int, speed: float | None) -> None:
        self.used = used
        self.measured.emit(used, speed)
