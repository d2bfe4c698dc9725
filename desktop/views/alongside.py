"""What runs beside the chat, told where its owner is: measuring, training, merging, getting."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop import models, workshop
from desktop.desk import Desk
from desktop.heard import heard
from desktop.long_work import LongWork
from desktop.portfolio import headline, percentage, reached
from desktop.views.places import Places
from desktop.views.sidebar import Sidebar
from engine.api import Portfolio


class Alongside(QObject):
    """How far it is stands in the sidebar; how it ended is told, unless its own page does."""

    def __init__(
        self, desk: Desk, *, sidebar: Sidebar, places: Places, tell: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._building, self._crafting = desk.building, desk.crafting
        self._fetching = desk.fetching
        self._sidebar, self._places, self._tell = sidebar, places, tell
        for work, show in (
            (self._building, self._show_build), (self._crafting, self._show_craft),
            (self._fetching, self._show_fetch),
        ):  # fmt: skip
            for moved in (work.began, work.progressed, work.ended):
                moved.connect(show)
        self._building.finished.connect(self._built)
        self._building.failed.connect(self._not_built)
        self._crafting.finished.connect(self._crafted)
        self._crafting.failed.connect(self._not_crafted)
        self._fetching.finished.connect(self._fetched)
        self._fetching.failed.connect(self._not_fetched)

    def _show_build(self) -> None:
        self._sidebar.show_build(_share(self._building))

    def _show_craft(self) -> None:
        self._sidebar.show_craft(_share(self._crafting))

    def _show_fetch(self) -> None:
        self._sidebar.show_fetch(_share(self._fetching))

    def _built(self, portfolio: Portfolio) -> None:
        said = self.tr("Your models are measured. {0}")
        self._not_built(said.format(headline(portfolio)))

    def _not_built(self, sentence: str) -> None:
        if not self._places.at_portfolio:
            self._tell(heard(sentence))

    def _crafted(self, result: object) -> None:
        self._not_crafted(workshop.finished(result))

    def _not_crafted(self, sentence: str) -> None:
        if not self._places.at_workshop:
            self._tell(heard(sentence))

    def _fetched(self, result: object) -> None:
        self._not_fetched(models.finished(result))

    def _not_fetched(self, sentence: str) -> None:
        if not self._places.at_models:
            self._tell(heard(sentence))


def _share(work: LongWork) -> str:
    """How far it is; "" while nothing is done."""
    if not work.busy:
        return ""
    return percentage(reached(work.progress)) if work.progress is not None else "…"
