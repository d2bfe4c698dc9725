"""Ways on where something is wrong: a run that ended badly, a model's file that is gone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop.actions import mending
from desktop.actions import models as model_actions
from desktop.desk import Desk
from desktop.style.tokens import Look
from desktop.views.last_end import LastEnd
from desktop.views.page import Page
from desktop.widgets.offer import Choice
from engine.api import Ending


class Mending(QObject):
    """Joins what went wrong to the page.

    sheet  how the last run ended, while that is on the screen

    told(str)  something for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(
        self, desk: Desk, *, window: QWidget, page: Page, look: Look, ending: Ending | None,
        leave: Callable[[], object],
    ) -> None:  # fmt: skip
        """leave  gives the keyboard back to the question"""
        super().__init__(window)
        self._desk, self._window, self._page, self._leave = desk, window, page, leave
        self.sheet: LastEnd | None = None
        desk.loading.lost.connect(self._offer_search)
        desk.loading.began.connect(lambda: page.show_offer("lost", "", []))
        desk.safe_began.connect(self._show_safe)
        page.offer.chosen.connect(self._chosen)
        if ending is not None:
            self._show_end(ending, look)
        if desk.engine.safe:
            self._show_safe()

    def set_look(self, look: Look) -> None:
        if self.sheet is not None:
            self.sheet.set_look(look)

    # How the last run ended ---------------------------------------------------------------

    def _show_end(self, ending: Ending, look: Look) -> None:
        sheet = self.sheet = LastEnd(ending, look)
        sheet.safe_asked.connect(self._go_safe)
        sheet.usual_asked.connect(self._go_on)
        sheet.copy_asked.connect(self._copy)
        sheet.folder_asked.connect(self._open_folder)
        self._page.put_first(sheet)
        self._desk.asking.asked.connect(self._put_away)  # who asks has decided
        self.told.emit(sheet.sentence)

    def _go_safe(self) -> None:
        self._put_away()
        self._desk.resume()
        self._desk.play_safe()

    def _go_on(self) -> None:
        self._put_away()
        self._desk.resume()
        self._desk.loading.ensure()

    def _put_away(self, _: object = None) -> None:
        if self.sheet is not None:
            self._leave()
            self._page.take_away(self.sheet)
            self.sheet = None

    def _copy(self) -> None:
        mending.copy_diagnostics(self._desk, told=self._say)

    def _open_folder(self) -> None:
        mending.open_log_folder(self._desk, told=self._say)

    def _say(self, sentence: str) -> None:
        if self.sheet is not None:
            self.sheet.tell(sentence)
        self.told.emit(sentence)

    # A model whose file is gone -----------------------------------------------------------

    def _offer_search(self) -> None:
        self._page.show_offer(
            "lost",
            self.tr("The file of the model that you chose was moved or deleted."),
            [
                Choice(id="find", text=self.tr("Find the file…")),
                Choice(id="starter", text=self.tr("Use the starter model")),
            ],
        )

    def _chosen(self, choice: str) -> None:
        if choice == "find":
            model_actions.open_model(self._desk, parent=self._window)
        elif choice == "starter":
            self._leave()
            self._page.show_offer("lost", "", [])
            mending.use_starter(self._desk)

    # Safe mode ----------------------------------------------------------------------------

    def _show_safe(self) -> None:
        self._window.setWindowTitle(self.tr("Safe mode – Attune"))
        said = self.tr(
            "Safe mode: the starter model answers on the processor alone, nothing is steered, and "
            "the usual settings act. Start Attune again to have your own back."
        )
        self._page.notice(said)
        self.told.emit(said)
