"""Votes in the window: on which answers one is due, what it taught, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from desktop.actions import votes
from desktop.conversation import Turn
from desktop.desk import Desk
from desktop.findings import acting
from desktop.views.menus import Menus
from desktop.views.page import Page
from desktop.views.places import Places
from desktop.views.sidebar import Sidebar
from desktop.widgets.steering_bar import SteeringBar


class Thumbs(QObject):
    """Joins the desk's votes to the page, the menus and the sidebar."""

    def __init__(
        self, desk: Desk, *, window: QObject, menus: Menus, page: Page, places: Places,
        sidebar: Sidebar, steering: SteeringBar, tell: Callable[[str], None],
        keep_focus: Callable[[], None],
    ) -> None:  # fmt: skip
        """
        tell        says a sentence in the conversation, where that is on the screen
        keep_focus  saves the keyboard from a button that goes away
        """
        super().__init__(window)
        self._desk, self._menus, self._page = desk, menus, page
        self._places, self._sidebar, self._steering = places, sidebar, steering
        self._tell, self._keep_focus = tell, keep_focus
        desk.learning.changed.connect(self.show_learned)
        desk.learning.failed.connect(tell)
        desk.voting.changed.connect(self._changed)
        desk.voting.undone.connect(self._undone)
        page.voted.connect(partial(votes.vote_on, desk))
        page.skipped.connect(partial(votes.skip_turn, desk))
        page.reopened.connect(partial(votes.vote_after_all, desk))
        page.undo_asked.connect(self._take_back)

    @property
    def acts(self) -> bool:
        """Something was learned that steers answers."""
        learned = self._desk.learning.learned
        return learned is not None and bool(acting(learned))

    def show(self) -> None:
        """Whether a vote is due, and whether there is something to take back."""
        votable = self._desk.asking.conversation.open_turn() is not None
        learned = self._desk.learning.learned
        undoable = learned is not None and bool(learned.undoable)
        self._menus.show_votes(votable=votable and self._places.at_chat, undoable=undoable)

    def show_learned(self) -> None:
        """How many votes there are, and whether they steer."""
        learned = self._desk.learning.learned
        self._sidebar.show_votes(learned.votes if learned is not None else 0)
        self._steering.show_learned(self.acts)
        self.show()

    def _changed(self, turn: Turn) -> None:
        if turn.pair is not None and not turn.pair.open:
            self._keep_focus()
        self._page.settle(turn)
        self.show()

    def _take_back(self, turn: Turn) -> None:
        self._keep_focus()
        votes.take_back(self._desk, turn)

    def _undone(self, words: str) -> None:
        self._tell(self.tr("Taken back: {0}.").format(words))
