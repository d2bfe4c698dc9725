"""What a screen reader says of answers: that one is there, and either of two by its key."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from desktop.conversation import Turn
from desktop.desk import Desk
from desktop.views.menus import Menus
from desktop.views.page import Page
from desktop.views.pair import LETTERS

LONGEST = 2_000
"""Characters of an answer that a screen reader is asked to say."""


class Hearing(QObject):
    """Joins the actions for it to the page.

    told(str)  an answer, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(self, desk: Desk, *, window: QObject, menus: Menus, page: Page) -> None:
        super().__init__(window)
        self._desk, self._menus, self._page = desk, menus, page
        for number, action in enumerate(menus.hear):
            menus.on(action, partial(self._hear, number))

    def say_end(self, turn: Turn) -> None:
        """An answer is finished, or two are ready to be voted on."""
        if turn.pair is not None and turn.pair.open:
            keys = (
                action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                for action in (*self._menus.hear, *self._menus.votes[:2])
            )
            ready = self.tr(
                "Both answers are ready. {0} says A, {1} says B; {2} if A is better, {3} if B is."
            )
            self.told.emit(ready.format(*keys))
            return
        self.told.emit(self.tr("The answer is finished. {0}").format(turn.text[:LONGEST]))

    def _hear(self, number: int) -> None:
        turn = self._desk.asking.conversation.open_turn()
        if turn is not None and turn.pair is not None:
            self._page.focus_answer(turn, number)
            said = self.tr("Answer {0}. {1}")
            self.told.emit(said.format(LETTERS[number], turn.pair.text_of(number)[:LONGEST]))
