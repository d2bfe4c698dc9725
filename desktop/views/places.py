"""The main area: the conversation, or the page that is on the screen instead of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.style.tokens import Look
from desktop.views.learned import LearnedPage


class Places(QStackedWidget):
    """Makes the page "What I learned" when it is first asked for.

    moved(bool)  whether that page is on the screen now
    """

    moved = Signal(bool)

    def __init__(
        self,
        chat: QWidget,
        *,
        learned: Callable[[], LearnedPage],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._chat, self._make = chat, learned
        self.learned: LearnedPage | None = None
        self.addWidget(chat)

    @property
    def at_chat(self) -> bool:
        return self.currentWidget() is self._chat

    def show_chat(self) -> None:
        if not self.at_chat:
            self.setCurrentWidget(self._chat)
            self.moved.emit(False)

    def show_learned(self) -> None:
        if self.learned is None:
            self.learned = self._make()
            self.addWidget(self.learned)
        if self.at_chat:
            self.setCurrentWidget(self.learned)
            self.moved.emit(True)
        self.learned.enter()

    def set_look(self, look: Look) -> None:
        if self.learned is not None:
            self.learned.set_look(look)
