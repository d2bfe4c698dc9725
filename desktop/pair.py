"""Two answers to one question, and what their owner says about them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desktop.prose import brief
from engine.api import Answer, Duel, Outcome

Stage = Literal["writing", "open", "voting", "voted", "skipped", "same", "cut", "past"]


@dataclass(slots=True, eq=False, kw_only=True)
class Pair:
    """Grows with its answers, then waits for a vote; lives on the GUI thread only.

    why       why there are two, in words
    here      only votes of this chat count for that
    pieces    of both answers as they are written
    duel      the engine's last word, once both have ended
    stage     writing → open → voting → voted; or skipped, same or cut, where no vote counts; or
              past: read from the chats that are kept
    went_on   number of the answer that the chat went on with; None while nothing follows
    outcome   of the vote that is being sent or that counts
    said      a sentence about the vote: what it moved, or why it was refused
    newest    the vote is what Undo would take back
    """

    why: str = ""
    here: bool = False
    pieces: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    duel: Duel | None = None
    stage: Stage = "writing"
    went_on: int | None = None
    outcome: Outcome | None = None
    said: str = ""
    newest: bool = False

    @property
    def id(self) -> str:
        """What a vote names; "" where there is nothing to vote on."""
        return self.duel.id if self.duel else ""

    @property
    def open(self) -> bool:
        """A vote can be given now."""
        return self.stage == "open"

    @property
    def settled(self) -> bool:
        """One answer stands, the other steps back."""
        return self.stage in ("voted", "skipped", "same", "past")

    @property
    def begun(self) -> tuple[int, ...]:
        """The numbers of the answers of which something was written."""
        return tuple(number for number in (0, 1) if self.text_of(number))

    @property
    def both_cut(self) -> bool:
        """Neither of the two came to its own end."""
        ends = [answer.finish for answer in self.duel.answers] if self.duel else []
        return all(finish in ("stopped", "interrupted") for finish in ends)

    @property
    def chosen(self) -> int:
        """The number of the answer that the chat goes on with: the first unless voted down. What
        was asked since follows the one that stood then, whatever is voted later."""
        if self.went_on is not None:
            return self.went_on
        if self.outcome == "second":
            return 1
        return 0 if self.text_of(0) or not self.text_of(1) else 1

    @property
    def text(self) -> str:
        """The answer that the chat goes on with."""
        return self.text_of(self.chosen)

    @property
    def answer(self) -> Answer | None:
        return self.duel.answers[self.chosen] if self.duel else None

    def text_of(self, number: int) -> str:
        """What answer 0 or 1 says so far."""
        pieces = self.pieces[number]
        if len(pieces) > 1:
            pieces[:] = ["".join(pieces)]
        return pieces[0] if pieces else ""

    def finish_of(self, number: int) -> str:
        """Why answer 0 or 1 ended; "" while nobody knows."""
        return self.duel.answers[number].finish if self.duel else ""

    def add(self, text: str, *, answer: int) -> None:
        self.pieces[answer].append(text)

    def close(self, duel: Duel) -> None:
        """Both have ended; the engine knows best what they say and whether to ask for a vote."""
        self.duel, self.why = duel, duel.why or self.why
        for pieces, answer in zip(self.pieces, duel.answers, strict=True):
            if answer.text:
                pieces[:] = [answer.text]
        self.stage = duel.verdict

    def cut(self) -> None:
        """They ended by a fault: what there is of them stays."""
        self.stage = "cut"

    def send(self, outcome: Outcome) -> None:
        """A vote is on its way; the answer it chooses stands from now on."""
        self.stage, self.outcome, self.said = "voting", outcome, ""

    def settle(self, outcome: Outcome, *, sentence: str) -> None:
        """The vote counts."""
        self.stage, self.outcome, self.said = "voted", outcome, brief(sentence)

    def skip(self) -> None:
        """The chat goes on with the first answer; a vote can still be given later."""
        self.stage, self.outcome, self.said = "skipped", None, ""

    def reopen(self, *, sentence: str = "") -> None:
        """No vote counts: as it was before one was given."""
        self.stage, self.outcome, self.said = "open", None, brief(sentence)
        self.newest = False
