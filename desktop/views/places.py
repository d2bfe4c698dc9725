"""The main area: the conversation, or the page that is on the screen instead of it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.desk import Desk
from desktop.style.theme import Theme
from desktop.style.tokens import Look
from desktop.views.data import DataPage
from desktop.views.learned import LearnedPage
from desktop.views.models import ModelsPage
from desktop.views.portfolio import PortfolioPage
from desktop.views.settings import SettingsPage
from desktop.views.workshop import WorkshopPage
from desktop.widgets.paper import Paper

Place = Literal["chat", "learned", "portfolio", "workshop", "models", "data", "settings"]


class Places(QStackedWidget):
    """Makes a page when it is first asked for.

    moved(str)  the Place that is on the screen now
    told(str)   what a page says, for those who listen instead of looking
    """

    moved = Signal(str)
    told = Signal(str)

    def __init__(
        self, chat: QWidget, *, desk: Desk, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._chat, self._desk, self._theme = chat, desk, theme
        self.learned: LearnedPage | None = None
        self.portfolio: PortfolioPage | None = None
        self.workshop: WorkshopPage | None = None
        self.models: ModelsPage | None = None
        self.data: DataPage | None = None
        self.settings: SettingsPage | None = None
        self.addWidget(chat)

    @property
    def at_chat(self) -> bool:
        return self.currentWidget() is self._chat

    @property
    def at_portfolio(self) -> bool:
        return self.currentWidget() is self.portfolio

    @property
    def at_workshop(self) -> bool:
        return self.currentWidget() is self.workshop

    @property
    def at_models(self) -> bool:
        return self.currentWidget() is self.models

    def show_chat(self) -> None:
        self._go("chat", self._chat)

    def show_learned(self) -> None:
        if self.learned is None:
            self.learned = LearnedPage(self._desk, self._theme.look)
            self._add(self.learned)
        self._go("learned", self.learned)
        self.learned.enter()

    def show_portfolio(self) -> None:
        if self.portfolio is None:
            self.portfolio = PortfolioPage(self._desk, self._theme.look)
            self._add(self.portfolio)
        self._go("portfolio", self.portfolio)
        self.portfolio.enter()

    def show_workshop(self) -> None:
        if self.workshop is None:
            self.workshop = WorkshopPage(self._desk, self._theme.look)
            self._add(self.workshop)
        self._go("workshop", self.workshop)
        self.workshop.enter()

    def show_models(self) -> None:
        if self.models is None:
            self.models = ModelsPage(self._desk, self._theme.look)
            self._add(self.models)
        self._go("models", self.models)
        self.models.enter()

    def show_data(self) -> None:
        if self.data is None:
            self.data = DataPage(self._desk, self._theme.look)
            self._add(self.data)
        self._go("data", self.data)
        self.data.enter()

    def show_settings(self) -> None:
        if self.settings is None:
            self.settings = SettingsPage(self._desk, self._theme)
            self.settings.left.connect(self.show_chat)
            self._add(self.settings)
        self._go("settings", self.settings)
        self.settings.enter()

    def set_look(self, look: Look) -> None:
        for page in (
            self.learned, self.portfolio, self.workshop, self.models, self.data, self.settings,
        ):  # fmt: skip
            if page is not None:
                page.set_look(look)

    def _add(self, page: Paper) -> None:
        page.told.connect(self.told)
        self.addWidget(page)

    def _go(self, place: Place, page: QWidget) -> None:
        if self.currentWidget() is not page:
            self.setCurrentWidget(page)
            self.moved.emit(place)
