"""Opens the window: the one place that joins the concrete parts."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    QSocketNotifier,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop import display, highlight, markdown, window_state
from desktop.actions.profiles import open_file
from desktop.bridge import Listener, once
from desktop.desk import Desk
from desktop.doorbell import move_in, ring
from desktop.profile_files import SUFFIX
from desktop.prose import brief
from desktop.style.theme import Theme
from desktop.views.window import Window
from engine.api import AttuneError, Engine

if TYPE_CHECKING:
    from engine.api import OpenWindow

APP_ID = "io.github.attune.Attune"

log = logging.getLogger("desktop.app")
qt_log = logging.getLogger("desktop.qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def open_window(request: OpenWindow) -> int:
    """Show the window and stay until it is closed; where one is open on this data folder already,
    that one comes up. Raises AttuneError if it cannot be shown.

    The window is on the screen before anything of the engine is started.
    """
    qInstallMessageHandler(_log_qt)
    app = _application()
    with _explained():
        engine = Engine(request.data_dir)
        bell = move_in(engine.data_dir)
        if bell is None:
            ring(engine.data_dir, request.files)
    if bell is None:
        print("Attune is open already; its window came up.")
        return 0
    desk = Desk(engine, model=request.model)
    window = build(desk)
    window.show()
    bell.rang.connect(partial(_answer, window, desk))
    QTimer.singleShot(0, lambda: _begin(desk, request.files))
    with _signals(window.close):
        code = app.exec()
    desk.close()
    bell.close()
    return code


def build(desk: Desk) -> Window:
    """The window for a desk, where it was last time."""
    folder = desk.engine.data_dir
    state = window_state.read(folder)
    return Window(desk, Theme(zoom=state.zoom), folder=folder, state=state)


@contextmanager
def _explained() -> Iterator[None]:
    """Whoever started Attune by a click sees no terminal."""
    try:
        yield
    except AttuneError as error:
        box = QMessageBox(QMessageBox.Icon.Warning, "Attune", brief(error.message))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.exec()
        raise


def _begin(desk: Desk, files: tuple[str, ...]) -> None:
    file = Path(files[0]) if files else None
    if file is None or file.suffix == SUFFIX:
        desk.loading.start()
    if file is not None:
        open_file(desk, file)
    desk.chats.fetch()
    # Behind the model in the queue: the first answer then finds everything in place.
    desk.bridge.submit(once(_warm), Listener())


def _answer(window: Window, desk: Desk, files: tuple[str, ...]) -> None:
    """Somebody started Attune again."""
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()
    if files:
        open_file(desk, Path(files[0]))


def _warm() -> None:
    """Import, off the GUI thread, what the first answer needs."""
    markdown.passages("`warm`")
    highlight.coloured("warm", language="python", style="xcode")


def _application() -> QApplication:
    if not display.available():
        # Qt would not fail: it would end the process.
        raise AttuneError("No display was found. Use `attune chat` in a terminal instead.")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("attune")
    app.setApplicationDisplayName("Attune")
    app.setDesktopFileName(APP_ID)
    app.setWindowIcon(_icon())
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(), "qtbase", "_", folder):
        app.installTranslator(translator)
    return app


def _icon() -> QIcon:
    here = Path(__file__).parent
    for folder in (here / "assets", here.parent / "assets"):
        if (path := folder / f"{APP_ID}.svg").is_file():
            return QIcon(str(path))
    return QIcon()


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
    topic = context.category or "default"
    qt_log.log(_LEVELS.get(kind, logging.WARNING), "%s: %s", topic, message)


@contextmanager
def _signals(close: Callable[[], object]) -> Iterator[None]:
    """Ctrl+C and kill close the window in good order.

    Python runs a handler only when its interpreter next runs, which Qt's loop may put off for
    long: on POSIX a pipe wakes it, on Windows, where Qt cannot listen to pipes, a slow timer.
    """
    kinds = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        kinds.append(signal.SIGHUP)
    before = {kind: signal.signal(kind, lambda *_: close()) for kind in kinds}
    sleep = _wake_by_timer() if os.name == "nt" else _wake_by_pipe()
    try:
        yield
    finally:
        sleep()
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _wake_by_pipe() -> Callable[[], None]:
    end, begin = os.pipe()
    os.set_blocking(end, False)
    os.set_blocking(begin, False)
    notifier = QSocketNotifier(end, QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: os.read(end, 64))
    former = signal.set_wakeup_fd(begin, warn_on_full_buffer=False)

    def sleep() -> None:
        signal.set_wakeup_fd(former)
        notifier.setEnabled(False)
        os.close(end)
        os.close(begin)

    return sleep


def _wake_by_timer() -> Callable[[], None]:
    timer = QTimer(interval=250)
    timer.timeout.connect(lambda: None)
    timer.start()
    return timer.stop
