"""What the votes have taught, as last told by the engine, and changing it. On the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener, once
from desktop.heard import heard
from engine.api import (
    AttuneError,
    Engine,
    InputError,
    Learned,
    LearnedTrait,
    Outcome,
    PastVote,
    Reach,
    Trait,
    Voted,
)

log = logging.getLogger("desktop.learning")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What the engine's call returned, and how everything stands since; None where unknown."""

    result: object
    learned: Learned | None
    votes: tuple[PastVote, ...] | None


class Learning(QObject):
    """Keeps one answer to "what was learned"; every change goes through here.

    trouble  why nothing could be read the last time, in a sentence; "" if it could
    current  `votes` were read after the last change that was made here

    changed()                 `learned` and `votes` are new
    voted(Voted)              a vote counts, and what it did
    refused(duel, sentence)   a vote does not count, and why
    did(str)                  a change of the owner's was made, in a sentence; Undo takes it back
    imported()                a profile was taken in, and with it some settings changed
    undone(str)               the newest change was taken back; which, in words
    erased(str)               kept texts are gone for good, in a sentence
    failed(str)               a change could not be made, and why
    """

    changed = Signal()
    voted = Signal(object)
    refused = Signal(str, str)
    did = Signal(str)
    imported = Signal()
    undone = Signal(str)
    erased = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self.learned: Learned | None = None
        self.trouble = ""
        self.votes: tuple[PastVote, ...] = ()
        self.current = True

    @property
    def newest_vote(self) -> str:
        """The duel whose vote Undo would take back, whoever gave it; "" if it is something else."""
        return self.learned.newest_vote if self.learned is not None else ""

    def fetch(self) -> None:
        """Ask the engine how everything stands."""
        self._do(
            lambda: self._engine.learning.learned(),
            done=lambda _: self.changed.emit(),
            failed=self._unread,
            lasting=False,
        )

    def hear(self, learned: Learned) -> None:
        """The engine told by the way what it knows; of one chat only it is not for here."""
        if learned.scope == "everywhere" and learned != self.learned:
            self.learned = learned
            self.changed.emit()

    def vote(self, duel: str, outcome: Outcome, *, reach: Reach) -> None:
        def done(result: object) -> None:
            self.changed.emit()
            self.voted.emit(result)

        self._do(
            lambda: self._engine.learning.vote(duel, outcome, reach=reach),
            done=done,
            failed=partial(self.refused.emit, duel),
        )

    def undo(self) -> None:
        """Take the newest change back, whichever it was."""
        self._do(lambda: self._engine.learning.undo(), done=self._took_back)

    def undo_vote(self, duel: str) -> None:
        """Take this vote back, unless another program has changed something since."""
        late = self.tr("Something was changed after this vote, so it was not taken back.")

        def failed(sentence: str) -> None:
            self.failed.emit(sentence)
            self.fetch()

        self._do(partial(self._undo_vote, duel, late), done=self._took_back, failed=failed)

    def delete_vote(self, duel: str) -> None:
        said = self.tr("The vote is deleted.")
        self._change(lambda: self._engine.learning.delete_vote(duel), said)

    def forget(self, trait: LearnedTrait) -> None:
        said = self.tr("Earlier votes say nothing about “{0}” any more.")
        said = said.format(heard(trait.trait.more))
        self._change(lambda: self._engine.learning.forget_trait(trait.trait.id), said)

    def remove(self, trait: LearnedTrait) -> None:
        said = self.tr("Attune asks no more about “{0}”, and no longer steers by it.")
        said = said.format(heard(trait.trait.more))
        self._change(lambda: self._engine.learning.remove_trait(trait.trait.id), said)

    def restore(self, trait: Trait) -> None:
        said = self.tr("Attune asks about “{0}” again.").format(heard(trait.more))
        self._change(lambda: self._engine.learning.restore_trait(trait.id), said)

    def add(self, sentence: str) -> None:
        said = self.tr("Attune will ask about “{0}”, too.").format(sentence)
        self._change(lambda: self._engine.learning.add_trait(sentence), said)

    def reset(self) -> None:
        said = self.tr("Started over: no vote counts any more.")
        self._change(lambda: self._engine.learning.reset(), said)

    def take_in(self, profile: Path, *, replace: bool, said: str) -> None:
        """Take a profile in.

        replace  what stands here counts no more
        said     of it when it is done, in a sentence
        """

        def done(_: object) -> None:
            self.changed.emit()
            self.imported.emit()
            self.did.emit(said)

        self._do(partial(self._engine.profiles.import_, profile, replace=replace), done=done)

    def erase_texts(self) -> None:
        """Erase the questions and answers that were kept; that cannot be undone."""
        said = self.tr("The kept questions and answers are erased; the votes stay.")

        def done(_: object) -> None:
            self.changed.emit()
            self.erased.emit(said)

        self._do(lambda: self._engine.learning.drop_texts(), done=done)

    # ------------------------------------------------------------------------------------

    def _took_back(self, result: object) -> None:
        self.changed.emit()
        self.undone.emit(heard(str(result)))

    def _change(self, call: Callable[[], object], said: str) -> None:
        def done(_: object) -> None:
            self.changed.emit()
            self.did.emit(said)

        self._do(call, done=done)

    def _do(
        self,
        call: Callable[[], object],
        *,
        done: Callable[[object], None],
        failed: Callable[[str], object] | None = None,
        lasting: bool = True,
    ) -> None:
        listener = Listener(
            heard=partial(self._heard, done),
            failed=partial(self._failed, failed or self.failed.emit),
        )
        self._bridge.submit(once(partial(self._on_lane, call)), listener, lasting=lasting)

    def _heard(self, done: Callable[[object], None], item: object) -> None:
        if isinstance(item, _Answered):
            self.trouble = ""
            self.learned = item.learned or self.learned
            self.votes = self.votes if item.votes is None else item.votes
            self.current = item.votes is not None
            done(item.result)

    def _failed(self, tell: Callable[[str], object], error: AttuneError) -> None:
        tell(error.message)

    def _unread(self, sentence: str) -> None:
        # Not told aloud: answers say it themselves, and the page when it is opened.
        self.trouble = sentence
        self.changed.emit()

    # On the lane's thread ---------------------------------------------------------------

    def _on_lane(self, call: Callable[[], object]) -> _Answered:
        result = call()
        learned, votes = None, None
        try:
            learned, votes = self._learned(result), self._engine.learning.past_votes()
        except AttuneError as error:
            # The change itself is made: to call it a failure would invite a second one.
            log.warning("what was learned cannot be read: %s", error.message)
        return _Answered(result=result, learned=learned, votes=votes)

    def _undo_vote(self, duel: str, late: str) -> str:
        if self._engine.learning.learned().newest_vote != duel:
            raise InputError(late)
        return self._engine.learning.undo()

    def _learned(self, result: object) -> Learned:
        if isinstance(result, Voted):
            return result.learned
        return result if isinstance(result, Learned) else self._engine.learning.learned()
