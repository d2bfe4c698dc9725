"""The chat that is on the screen, without Qt: turns, and what the model is shown of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desktop.pair import Pair
from desktop.prose import brief
from engine.api import NEUTRAL, Answer, Duel, Message, Sampling, Steering
from engine.api import Question as EngineQuestion

State = Literal["waiting", "reading", "writing", "done"]


@dataclass(slots=True, eq=False, kw_only=True)
class Turn:
    """One question and its answer; lives on the GUI thread only.

    before, after  sentences for the owner, shown above and below the answer
    broken         the answer ended by a fault; what there is of it stays
    personal       what was learned from votes may act
    learned        what of it acts, in words
    pair           where two answers are written instead of one
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
    previous: Turn | None = None

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
    """Turns in order; at most the last one is unfinished."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    @property
    def last(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    def begin(self, text: str, *, steering: Steering, personal: bool) -> Turn:
        turn = Turn(question=text, steering=steering, personal=personal)
        self.turns.append(turn)
        return turn

    def begin_again(self, *, steering: Steering, personal: bool) -> Turn | None:
        """Replace the last turn by a fresh one that remembers it, should the engine refuse."""
        if not self.turns:
            return None
        old = self.turns.pop()
        turn = self.begin(old.question, steering=steering, personal=personal)
        turn.previous = old
        return turn

    def withdraw(self, turn: Turn) -> Turn | None:
        """Take back a turn that produced nothing; returns the one it had replaced, if any."""
        self.turns.remove(turn)
        if turn.previous is not None:
            self.turns.append(turn.previous)
        return turn.previous

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
