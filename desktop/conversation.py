"""The chat that is on the screen, without Qt: turns, and what the model is shown of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from desktop.pair import Pair
from desktop.prose import brief
from engine.api import NEUTRAL, Answer, Duel, Message, Reach, Sampling, Scope, Steering
from engine.api import Question as EngineQuestion

State = Literal["waiting", "reading", "writing", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Under which ids a turn is kept; "" and () where it is not, or not yet.

    question   of the question
    questions  of all its versions, the oldest first
    answers    of the answer, or of the two
    versions   of all answers to the question, the oldest first
    duel       of the duel that the answer is from, where the other one was not read yet
    stands     the one of two answers that the chat goes on with; "" is the first
    """

    question: str = ""
    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    duel: str = ""
    stands: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Turn:
    """One question and its answer; lives on the GUI thread only.

    before, after  sentences for the owner, shown above and below the answer
    broken         the answer ended by a fault; what there is of it stays
    personal       what was learned from votes may act
    learned        what of it acts, in words
    pair           where two answers are written instead of one
    kept           under which ids
    replaced       the turns that it stands in place of, until it is settled
    past           it was read from the chats that are kept
    model          name of what answered, where it was read
    ended_by       the same as the answer's `finish`, where it was read
    steered        words that the answer is steered towards
    """

    question: str
    steering: Steering = NEUTRAL
    personal: bool = False
    learned: tuple[str, ...] = ()
    pair: Pair | None = None
    state: State = "waiting"
    pieces: list[str] = field(default_factory=list)
    answer: Answer | None = None
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    broken: bool = False
    kept: Kept = Kept()
    replaced: tuple[Turn, ...] = ()
    past: bool = False
    model: str = ""
    ended_by: str = ""
    steered: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The answer so far; of two the one that the chat goes on with."""
        if self.pair is not None:
            return self.pair.text
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def ended(self) -> Answer | None:
        """The engine's last word on that answer."""
        return self.pair.answer if self.pair is not None else self.answer

    @property
    def finish_word(self) -> str:
        """Why that answer ended; "" while nobody knows."""
        return self.ended.finish if self.ended is not None else self.ended_by

    @property
    def answer_id(self) -> str:
        """Of the answer that the chat goes on with; "" where it is not kept."""
        chosen = self.pair.chosen if self.pair is not None else 0
        return self.kept.answers[chosen] if chosen < len(self.kept.answers) else ""

    def add(self, text: str, *, answer: int = 0) -> None:
        if self.pair is not None:
            self.pair.add(text, answer=answer)
        else:
            self.pieces.append(text)
        self.state = "writing"

    def note(self, sentence: str) -> None:
        """Keep a sentence at the place where the reader is: under the text once there is any."""
        (self.after if self.text else self.before).append(brief(sentence))

    def finish(self, answer: Answer) -> None:
        """Take the whole text from the engine, which knows best what it said."""
        self.answer = answer
        self.pieces = [answer.text] if answer.text else self.pieces
        self.broken = answer.finish == "interrupted"
        self.state = "done"

    def close(self, duel: Duel) -> None:
        """Take both texts from the engine."""
        if self.pair is None:
            self.pair = Pair()
        self.pair.close(duel)
        self.broken = any(answer.finish == "interrupted" for answer in duel.answers)
        self.state = "done"

    def interrupt(self, sentence: str) -> None:
        """End it without the engine's last word."""
        self.after.append(brief(sentence))
        if self.pair is not None:
            self.pair.cut()
        self.broken = True
        self.state = "done"


class Conversation:
    """Turns in order; at most the last one is unfinished.

    chat     id under which it is kept; "" where it is not, or not yet
    title    of that chat
    private  it is kept nowhere, and nothing is learned from it
    scope    how far what is learned in it goes
    trouble  why it is kept no more, in a sentence; "" if it is
    """

    def __init__(
        self,
        turns: Iterable[Turn] = (),
        *,
        chat: str = "",
        title: str = "",
        private: bool = False,
        scope: Scope = "everywhere",
    ) -> None:
        self.turns = list(turns)
        self.chat, self.title, self.private = chat, title, private
        self.scope: Scope = scope
        self.trouble = ""

    @property
    def last(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    @property
    def keeps(self) -> bool:
        """What is said next is kept."""
        return not self.private and not self.trouble

    @property
    def reach(self) -> Reach:
        """Where a vote is given in it, and how far it counts."""
        return Reach(chat=self.chat, scope=self.scope)

    def begin(self, text: str, *, steering: Steering, personal: bool) -> Turn:
        if self.last is not None and self.last.pair is not None:
            self.last.pair.went_on = self.last.pair.chosen
        words = () if steering.method == "base" else steering.preferences
        turn = Turn(
            question=text, steering=steering, personal=personal,
            steered=tuple(preference.text for preference in words),
        )  # fmt: skip
        self.turns.append(turn)
        return turn

    def begin_again(self, *, steering: Steering, personal: bool) -> Turn | None:
        """Replace the last turn by a fresh one that remembers it, should the engine refuse."""
        if not self.turns:
            return None
        old = self.turns.pop()
        turn = self.begin(old.question, steering=steering, personal=personal)
        turn.replaced = (old,)
        turn.kept = replace(old.kept, answers=(), duel="")
        return turn

    def begin_instead(self, old: Turn, text: str, *, steering: Steering, personal: bool) -> Turn:
        """Ask something else instead: `old` and all that followed it go, unless it is refused."""
        place = self.turns.index(old)
        replaced = tuple(self.turns[place:])
        del self.turns[place:]
        turn = self.begin(text, steering=steering, personal=personal)
        turn.replaced, turn.kept = replaced, Kept(questions=old.kept.questions)
        return turn

    def before(self, turn: Turn) -> Turn | None:
        """The turn that this one follows."""
        place = self.turns.index(turn)
        return self.turns[place - 1] if place else None

    def withdraw(self, turn: Turn) -> tuple[Turn, ...]:
        """Take back a turn that produced nothing; returns those that it had replaced."""
        self.turns.remove(turn)
        self.turns.extend(turn.replaced)
        if self.last is not None and self.last.pair is not None and not self.last.past:
            self.last.pair.went_on = None
        if not self.turns:
            self.chat = self.title = ""  # a chat that holds nothing is not kept
        return turn.replaced

    def open_turn(self) -> Turn | None:
        """The last turn whose two answers can be voted on now."""
        votable = (turn for turn in reversed(self.turns) if turn.pair and turn.pair.open)
        return next(votable, None)

    def question(self, turn: Turn, *, sampling: Sampling) -> EngineQuestion:
        """What the engine needs to answer `turn`, which is the last one.

        Turns without an answer are left out: chat templates expect the roles to alternate.
        """
        messages: list[Message] = []
        for earlier in self.turns[: self.turns.index(turn)]:
            if earlier.text:
                messages.append(Message(role="user", text=earlier.question))
                messages.append(Message(role="assistant", text=earlier.text))
        messages.append(Message(role="user", text=turn.question))
        return EngineQuestion(
            messages=tuple(messages),
            steering=turn.steering,
            sampling=sampling,
            personal=turn.personal,
        )
