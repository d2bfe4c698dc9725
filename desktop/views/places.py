"""The main area: the conversation, or the page that is on the screen instead of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.style.tokens import Look
from desktop.views.learned import LearnedPage
from desktop.views.portfolio import PortfolioPage

Place = Literal["chat", "learned", "portfolio"]


class Places(QStackedWidget):
    """Makes a page when it is first asked for.

    moved(str)  the Place that is on the screen now
    """

    moved = Signal(str)

    def __init__(
        self,
        chat: QWidget,
        *,
        learned: Callable[[], LearnedPage],
        portfolio: Callable[[], PortfolioPage],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._chat, self._make_learned, self._make_portfolio = chat, learned, portfolio
        self.learned: LearnedPage | None = None
        self.portfolio: PortfolioPage | None = None
        self.addWidget(chat)

    @property
    def at_chat(self) -> bool:
        return self.currentWidget() is self._chat

    @property
    def at_portfolio(self) -> bool:
        return self.currentWidget() is self.portfolio

    def show_chat(self) -> None:
        self._go("chat", self._chat)

    def show_learned(self) -> None:
        if self.learned is None:
            self.learned = self._make_learned()
            self.addWidget(self.learned)
        self._go("learned", self.learned)
        self.learned.enter()

    def show_portfolio(self) -> None:
        if self.portfolio is None:
            self.portfolio = self._make_portfolio()
            self.addWidget(self.portfolio)
        self._go("portfolio", self.portfolio)
        self.portfolio.enter()

    def set_look(self, look: Look) -> None:
        for page in (self.learned, self.portfolio):
            if page is not None:
                page.set_look(look)

    def _go(self, place: Place, page: QWidget) -> None:
        if self.currentWidget() is not page:
            self.setCurrentWidget(page)
            self.moved.emit(place)
