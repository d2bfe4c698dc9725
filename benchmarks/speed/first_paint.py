"""Opens the real window, prints the time of its first paint, closes it.

Started by `benchmarks.speed.starting` as a process of its own, with a data folder to use.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop import app
from desktop.desk import Desk
from desktop.views.window import Window
from engine.api import Ending, OpenWindow


class FirstPaint(QObject):
    """Hears every event until a widget is painted."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            print(time.time(), flush=True)
            QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
            QTimer.singleShot(0, QApplication.closeAllWindows)
        return False


def main(data_dir: str) -> int:
    build = app.build
    watcher = FirstPaint()

    def watched_build(desk: Desk, *, ending: Ending | None = None) -> Window:
        QApplication.instance().installEventFilter(watcher)  # type: ignore[union-attr]
        return build(desk, ending=ending)

    app.build = watched_build
    return app.open_window(OpenWindow(data_dir=Path(data_dir)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
