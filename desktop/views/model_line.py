"""Which model answers, whether it is there, and how much room it has: in the menu, and below."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.desk import Desk
from desktop.heard import heard
from desktop.prose import LONGEST_NAME, brief
from desktop.views.menus import Menus
from desktop.views.page import Page
from desktop.widgets.status_line import StatusLine
from engine.api import ModelCard, Ready


class ModelLine(QObject):
    """Joins the loading of models to the window.

    told(str)  what is going on, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(
        self, desk: Desk, *, window: QObject, menus: Menus, page: Page, status: StatusLine
    ) -> None:
        super().__init__(window)
        self._asking, self._loading = desk.asking, desk.loading
        self._menus, self._page, self._status = menus, page, status
        desk.asking.measured.connect(self._measured)
        desk.loading.began.connect(self._began)
        desk.loading.ready.connect(self._ready)
        desk.loading.failed.connect(self._failed)
        desk.loading.passing.connect(self._passing)
        for over in (desk.loading.settled, desk.loading.failed):
            over.connect(lambda *_: page.show_passing(""))
        desk.loading.listed.connect(self._list)

    def show_none(self) -> None:
        """No model is there, and none is on its way."""
        self._show(self.tr("not loaded"))

    def _measured(self, used: int, speed: float | None) -> None:
        ready = self._loading.current
        self._status.show_speed(speed)
        self._status.show_context(used, ready.context if ready else 0)

    def _began(self) -> None:
        self._show(self.tr("loading …"))

    def _passing(self, text: str) -> None:
        sentence = brief(heard(text))
        self._page.show_passing(sentence)
        self.told.emit(sentence)

    def _ready(self, ready: Ready) -> None:
        self._show(ready.device)
        self._status.show_context(self._asking.used, ready.context)
        self._menus.show_models(self._loading.cards, ready.model)

    def _failed(self, _: str) -> None:
        ready = self._loading.current
        if ready is not None:
            self._show(ready.device)
        else:
            self.show_none()
        self._menus.show_models(self._loading.cards, ready.model if ready else "")

    def _list(self, cards: tuple[ModelCard, ...]) -> None:
        ready = self._loading.current
        self._menus.show_models(cards, ready.model if ready else "")
        if ready is not None and not self._loading.busy:
            self._show(ready.device)

    def _show(self, state: str) -> None:
        ready = self._loading.current
        name = ready.name if ready else self.tr("Model")
        self._status.show_model(brief(name, longest=LONGEST_NAME), state=brief(heard(state)))
