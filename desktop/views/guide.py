"""How Attune works, shown where its owner is: in the empty chat, and under the last answer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop.actions import chat
from desktop.desk import Desk
from desktop.introduction import Introduction
from desktop.views.page import Page
from desktop.widgets.offer import Choice
from desktop.window_state import Introduced


class Guide(QObject):
    """Joins the introduction to the page.

    moved()     the owner was shown more
    told(str)   something is offered, for those who listen instead of looking
    """

    moved = Signal()
    told = Signal(str)

    def __init__(
        self, desk: Desk, *, window: QWidget, page: Page, shown: Introduced,
        leave: Callable[[], object],
    ) -> None:  # fmt: skip
        """leave  gives the keyboard back to the question"""
        super().__init__(window)
        self._desk, self._page, self._leave = desk, page, leave
        self._introduction = Introduction(desk.asking, desk.learning, shown=shown)
        self._introduction.changed.connect(self._show)
        page.welcome.skipped.connect(self.skip)
        page.offer.chosen.connect(self._chosen)
        self._show()

    @property
    def shown(self) -> Introduced:
        return self._introduction.shown

    @property
    def greets(self) -> bool:
        """What Attune is stands in the empty chat."""
        return self._introduction.greets

    def skip(self) -> None:
        """The owner needs no introduction."""
        self._leave()
        self._introduction.skip()

    def _show(self) -> None:
        self._page.welcome.show_greeting(self._introduction.greets)
        sentence, choice = "", Choice(id="", text="")
        if self._introduction.offer == "compare":
            sentence = self.tr(
                "Now and then Attune writes two answers, and a thumb says which one is better. "
                "From that it learns how you like to be answered."
            )
            choice = Choice(id="compare", text=self.tr("Show me two answers to this"))
        elif self._introduction.offer == "again":
            sentence = self.tr("The next answer is written that way already.")
            choice = Choice(id="again", text=self.tr("Same question again?"))
        self._page.show_offer("guide", sentence, [choice] if sentence else [])
        if sentence:
            self.told.emit(sentence)
        self.moved.emit()

    def _chosen(self, choice: str) -> None:
        if choice == "compare":
            self._leave()
            chat.compare(self._desk)
        elif choice == "again":
            self._leave()
            chat.ask_again(self._desk)
