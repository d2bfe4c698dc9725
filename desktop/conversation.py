"""The chat that is on the screen, without Qt: turns, and what the model is shown of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desktop.prose import brief
from engine.api import NEUTRAL, Answer, Message, Sampling, Steering
from engine.api import Question as EngineQuestion

State = Literal["waiting", "reading", "writing", "done"]


@dataclass(slots=True, eq=False, kw_only=True)
class Turn:
    """One question and its answer; lives on the GUI thread only.

    before, after  sentences for the owner, shown above and below the answer
    broken         the answer ended by a fault; what there is of it stays
    """

    question: str
    steering: Steering = NEUTRAL
    state: State = "waiting"
    pieces: list[str] = field(default_factory=list)
    answer: Answer | None = None
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    broken: bool = False
    previous: Turn | None = None

    @property
    def text(self) -> str:
        """The answer so far."""
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def stopped(self) -> bool:
        return self.answer is not None and self.answer.finish == "stopped"

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.state = "writing"

    def note(self, sentence: str) -> None:
        """Keep a sentence at the place where the reader is: under the text once there is any."""
        (self.after if self.pieces else self.before).append(brief(sentence))

    def finish(self, answer: Answer) -> None:
        """Take the whole text from the engine, which knows best what it said."""
        self.answer = answer
        self.pieces = [answer.text] if answer.text else self.pieces
        self.broken = answer.finish == "interrupted"
        self.state = "done"

    def interrupt(self, sentence: str) -> None:
        """End it without the engine's last word."""
        self.after.append(brief(sentence))
        self.broken = True
        self.state = "done"


class Conversation:
    """Turns in order; at most the last one is unfinished."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    @property
    def last(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    def begin(self, text: str, *, steering: Steering) -> Turn:
        turn = Turn(question=text, steering=steering)
        self.turns.append(turn)
        return turn

    def begin_again(self, *, steering: Steering) -> Turn | None:
        """Replace the last turn by a fresh one that remembers it, should the engine refuse."""
        if not self.turns:
            return None
        old = self.turns.pop()
        turn = self.begin(old.question, steering=steering)
        turn.previous = old
        return turn

    def withdraw(self, turn: Turn) -> Turn | None:
        """Take back a turn that produced nothing; returns the one it had replaced, if any."""
        self.turns.remove(turn)
        if turn.previous is not None:
            self.turns.append(turn.previous)
        return turn.previous

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
        return EngineQuestion(messages=tuple(messages), steering=turn.steering, sampling=sampling)
