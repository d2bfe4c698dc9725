"""Who answers next, in the chat: said before it does, and changed with one click."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from desktop import portfolio as words
from desktop.actions import portfolio as actions
from desktop.desk import Desk
from desktop.widgets.next_line import NextLine


class NextAnswer(NextLine):
    """Shown while Attune chooses."""

    def __init__(self, desk: Desk, *, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._desk = desk
        self.chosen.connect(partial(actions.take, desk))
        desk.choosing.changed.connect(self._show)
        desk.taste_changed.connect(self._show)
        desk.asking.scope_changed.connect(self._show)
        self._show()

    def _show(self, _: object = None) -> None:
        route = self._desk.choosing.route
        if route is None or self._desk.member is None:
            self.show_next("", others=())
            return
        others = [(other.id, words.named(other)) for other in route.others]
        refused = words.refusals(route)
        line = words.next_answer(route, stated=bool(self._desk.taste.words))
        self.show_next(line, others=others, refused=refused)
