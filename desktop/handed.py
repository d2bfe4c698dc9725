"""What the desktop hands to a program that runs: files to open, and how it tells programs apart."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFileOpenEvent, QGuiApplication

Open = Callable[[tuple[str, ...]], object]


def be_told_apart(id: str) -> None:
    """One button in the task bar of Windows, under our own name; else it is Python's."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(id)


class HandedFiles(QObject):
    """Hears of files that macOS wants opened: a double click comes as an event, never as an
    argument, and may come before there is a window."""

    def __init__(self, app: QGuiApplication, *, listens: bool) -> None:
        """listens  whether this system has such events; every event of the program is looked at"""
        super().__init__(app)
        self._open: Open | None = None
        self._waiting: list[str] = []
        if listens:
            app.installEventFilter(self)

    def begin(self, open: Open) -> None:
        """Open what was handed over so far, and whatever is from now on."""
        self._open = open
        waiting, self._waiting = self._waiting, []
        for file in waiting:
            open((file,))

    # Qt ---------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.FileOpen or not isinstance(event, QFileOpenEvent):
            return False
        if file := event.file():
            if self._open is None:
                self._waiting.append(file)
            else:
                self._open((file,))
        return True
