"""Either of two answers by key: the keyboard goes to it, and a screen reader says it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

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
        self._desk, self._page = desk, page
        for number, action in enumerate(menus.hear):
            menus.on(action, partial(self._hear, number))

    def _hear(self, number: int) -> None:
        turn = self._desk.asking.conversation.open_turn()
        if turn is not None and turn.pair is not None:
            self._page.focus_answer(turn, number)
            said = self.tr("Answer {0}. {1}")
            self.told.emit(said.format(LETTERS[number], turn.pair.text_of(number)[:LONGEST]))
