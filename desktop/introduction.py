"""Which part of "how Attune works" comes next: each is shown once, where its owner is anyway."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.asking import Asking
from desktop.conversation import Turn
from desktop.findings import acting
from desktop.learning import Learning
from desktop.window_state import INTRODUCED, Introduced
from engine.api import Voted

Offer = Literal["", "compare", "again"]


class Introduction(QObject):
    """Follows what happens. Lives on the GUI thread.

    shown    what the owner knows by now
    offer    what is offered under the last answer: two answers to compare; the same question again,
             so that the effect of the first vote is seen; or nothing

    changed()  one of these is new
    """

    changed = Signal()

    def __init__(self, asking: Asking, learning: Learning, *, shown: Introduced) -> None:
        super().__init__()
        self._asking, self._learning = asking, learning
        self.shown: Introduced = shown
        self.offer: Offer = ""
        asking.asked.connect(self._asked)
        asking.settled.connect(self._settled)
        asking.cleared.connect(self._left)
        asking.opened.connect(self._left)
        learning.voted.connect(self._voted)
        learning.changed.connect(self._compare)
        learning.undone.connect(lambda _: self._left())

    @property
    def greets(self) -> bool:
        """It is to be said what Attune is."""
        return self.shown == "nothing"

    def skip(self) -> None:
        """The owner knows, or does not want to."""
        self._go("all")

    def _go(self, shown: Introduced, offer: Offer = "") -> None:
        later = max(self.shown, shown, key=INTRODUCED.index)
        if (later, offer) != (self.shown, self.offer):
            self.shown, self.offer = later, offer
            self.changed.emit()

    # What happens -------------------------------------------------------------------------

    def _asked(self, _: Turn) -> None:
        self._go("attune")

    def _settled(self, turn: Turn) -> None:
        if self.shown != "attune" or self._asking.conversation.private:
            return
        if turn.pair is not None:  # who sees two answers needs no offer of them
            self._go("thumbs")
        elif turn.personal and turn.state == "done" and not turn.broken and turn.text:
            self._go("thumbs", "compare")

    def _voted(self, voted: object) -> None:
        if self.shown != "thumbs" or not isinstance(voted, Voted):
            return
        if acting(voted.learned):
            self._go("all", "again")

    def _compare(self) -> None:
        """Who has voted somewhere before needs no introduction."""
        learned = self._learning.learned
        if learned is not None and learned.votes and self.shown in ("nothing", "attune"):
            self._go("all")

    def _left(self) -> None:
        self._go(self.shown)
