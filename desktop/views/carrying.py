"""Profile files in the window: asked about in a small page, told where the owner is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop.actions import profiles
from desktop.desk import Desk
from desktop.profile_files import Looked
from desktop.prose import brief
from desktop.style.tokens import Look
from desktop.views.places import Places
from desktop.views.profile_dialogs import ExportProfile, ImportPreview
from desktop.widgets.paper import Paper


class Carrying(QObject):
    """Joins the desk's profile files to the window."""

    def __init__(
        self,
        desk: Desk,
        *,
        window: QWidget,
        places: Places,
        look: Callable[[], Look],
        tell: Callable[[str], None],
    ) -> None:
        """tell  says a sentence in the conversation"""
        super().__init__(window)
        self._desk, self._window, self._places = desk, window, places
        self._look, self._tell = look, tell
        self.preview: ImportPreview | None = None
        desk.profiles.looked.connect(self._show)
        desk.profiles.wrote.connect(self._say)
        desk.profiles.failed.connect(self._say)

    def begin_import(self) -> None:
        profiles.pick(self._desk, parent=self._window)

    def begin_export(self) -> None:
        dialog = ExportProfile(self._look(), parent=self._window)
        dialog.chosen.connect(self._export)
        dialog.open()

    def _export(self, texts: bool) -> None:
        profiles.export(self._desk, texts=texts, parent=self._window)

    def _show(self, looked: Looked) -> None:
        if self.preview is not None:
            self.preview.reject()  # another file was opened meanwhile
        self.preview = ImportPreview(looked, self._look(), parent=self._window)
        self.preview.chosen.connect(self._take_in)
        self.preview.finished.connect(partial(self._closed, self.preview))
        self.preview.open()

    def _closed(self, preview: ImportPreview, _: object = None) -> None:
        if self.preview is preview:
            self.preview = None

    def _take_in(self, looked: Looked, replace: bool) -> None:
        self._places.show_learned()  # where it can be seen what it did, and undone
        profiles.take_in(self._desk, looked, replace=replace)

    def _say(self, sentence: str) -> None:
        page = self._places.currentWidget()
        if isinstance(page, Paper):
            page.say(brief(sentence))
        else:
            self._tell(sentence)
