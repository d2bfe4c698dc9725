"""The vote on two answers in the conversation, and taking it back. On the GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.conversation import Conversation, Turn
from desktop.heard import heard
from desktop.learning import Learning
from desktop.pair import Pair
from engine.api import Outcome, Voted


class Voting(QObject):
    """Moves pairs from stage to stage; what counts is what the engine says.

    changed(Turn)  its two answers are at another stage
    told(str)      what happened to a vote, for those who listen instead of looking
    undone(str)    something was taken back that is not in this conversation; which, in words
    """

    changed = Signal(object)
    told = Signal(str)
    undone = Signal(str)

    def __init__(self, learning: Learning, *, conversation: Callable[[], Conversation]) -> None:
        super().__init__()
        self._learning, self._conversation = learning, conversation
        self._returned = False
        learning.voted.connect(self._voted)
        learning.refused.connect(self._refused)
        learning.changed.connect(self._compare)
        learning.undone.connect(self._undone)

    def vote(self, turn: Turn, outcome: Outcome) -> bool:
        """Send a vote; False where none can be given now, such as right after another one."""
        pair = turn.pair
        if pair is None or not pair.open:
            return False
        pair.send(outcome)
        self.changed.emit(turn)
        self._learning.vote(pair.id, outcome, reach=self._conversation().reach)
        return True

    def skip(self, turn: Turn) -> None:
        """Go on with the first answer, without a vote."""
        if turn.pair is not None and turn.pair.open:
            turn.pair.skip()
            self.changed.emit(turn)
            self.told.emit(self.tr("Skipped."))

    def take_back(self, turn: Turn) -> None:
        """Undo the vote, as long as it is the newest change."""
        if turn.pair is not None and turn.pair.stage == "voted":
            self._learning.undo_vote(turn.pair.id)

    def reopen(self, turn: Turn) -> None:
        """Vote after all."""
        if turn.pair is not None and turn.pair.stage == "skipped":
            turn.pair.reopen()
            self.changed.emit(turn)

    # What the engine says ---------------------------------------------------------------

    def _voted(self, voted: Voted) -> None:
        turn = self._find(voted.duel)
        if turn is not None and turn.pair is not None:
            turn.pair.settle(voted.outcome, sentence=heard(voted.sentence))
            self.changed.emit(turn)
            self.told.emit(turn.pair.said)

    def _refused(self, duel: str, sentence: str) -> None:
        turn = self._find(duel)
        if turn is not None and turn.pair is not None:
            turn.pair.reopen(sentence=sentence)
            self.changed.emit(turn)
            self.told.emit(turn.pair.said)
        self._learning.fetch()  # it may have a vote already, from elsewhere

    def _compare(self) -> None:
        """Votes are also taken back, deleted and brought back elsewhere: follow the record."""
        self._returned = False
        counted = {vote.duel: vote.outcome for vote in self._learning.votes}
        for turn in self._conversation().turns:
            pair = turn.pair
            if pair is None or not pair.id:
                continue
            newest = pair.id == self._learning.newest_vote
            # An older list would take back what has just been counted.
            followed = self._learning.current and self._follow(pair, counted.get(pair.id))
            self._returned |= followed
            if followed or pair.newest != newest:
                pair.newest = newest
                self.changed.emit(turn)

    def _follow(self, pair: Pair, outcome: Outcome | None) -> bool:
        """Whether it stood otherwise than in the record, where its vote has this outcome."""
        if pair.stage == "voted" and outcome is None:
            pair.reopen(sentence=self.tr("The vote was taken back; you can vote again."))
            return True
        if pair.stage in ("open", "skipped") and outcome is not None:
            pair.settle(outcome, sentence=self.tr("Your vote counts."))
            return True
        return False

    def _undone(self, words: str) -> None:
        if self._returned:
            self.told.emit(self.tr("Taken back: {0}.").format(words))
        else:
            self.undone.emit(words)

    def _find(self, duel: str) -> Turn | None:
        turns = self._conversation().turns
        return next((turn for turn in turns if turn.pair and turn.pair.id == duel), None)
