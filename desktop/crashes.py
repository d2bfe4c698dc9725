"""What is written down for the case that the window ends badly: mistakes, signals of the system."""

from __future__ import annotations

import faulthandler
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QSysInfo, QtMsgType, qInstallMessageHandler

from engine.api import FAULTS, Fact, mistakes_logged

qt_log = logging.getLogger("desktop.qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_GIVEN = re.compile(r"(?<!:):(?!:)|['\"“”‘’„«`]")
"""Where what Qt was given begins: a quote, or a colon that is not of a C++ name."""

_KNOWN = frozenset(
    {
        "QBasicTimer::start", "QBasicTimer::stop", "QBackingStore::endPaint()",
        "QCoreApplication::postEvent", "QEventLoop", "QFileSystemWatcher", "QFont::fromString",
        "QFont::setPixelSize", "QFont::setPointSize", "QFont::setPointSizeF", "QIODevice::read",
        "QIODevice::write", "QLayout", "QLocalServer::listen", "QLocalSocket", "QObject",
        "QObject::connect", "QObject::disconnect", "QObject::installEventFilter()",
        "QObject::killTimer", "QObject::moveToThread", "QObject::setParent", "QObject::startTimer",
        "QPaintDevice", "QPainter::begin", "QPainter::begin()", "QPainter::end", "QPixmap",
        "QPixmap::scaled", "QSocketNotifier", "QSystemTrayIcon::setVisible",
        "QTextCursor::setPosition", "QThread", "QThread::wait", "QWidget::paintEngine",
        "QWidget::repaint", "QWidget::setMaximumSize", "QWidget::setMinimumSize",
        "QWindowsWindow::setGeometry", "QXcbClipboard", "QXcbConnection",
        "Could not find the Qt platform plugin", "Could not load the Qt platform plugin",
        "This plugin does not support propagateSizeHints()",
        "This plugin supports grabbing the mouse only for popup windows",
        "The Wayland connection broke. Did the Wayland compositor die?",
    }
)  # fmt: skip
"""How messages of Qt begin that may stand in a log; all of it is in Qt's own source."""

SERVER_GONE = "connection broke"
"""What Qt says of an X server or a Wayland compositor that went away, before it ends the process:
a logout, as a rule."""


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Write down in the folder of the log what ends this process, and errors that nobody caught."""
    descriptor = _opened(folder / FAULTS)
    if descriptor is not None:
        faulthandler.enable(descriptor)
    try:
        with mistakes_logged():
            yield
    finally:
        if descriptor is not None:
            faulthandler.disable()
            os.close(descriptor)


def log_qt(server_gone: Callable[[], object]) -> None:
    """Log what Qt says from now on.

    server_gone  the screen goes away, and the process with it
    """

    def heard(kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
        said = message or ""
        if SERVER_GONE in said:
            server_gone()
        level = _LEVELS.get(kind, logging.WARNING)
        category = Fact(context.category or "default")
        qt_log.log(level, "%s: %s (%d characters)", category, _told(said), len(said))

    qInstallMessageHandler(heard)


def boot() -> str:
    """Changes with each start of the machine; "" where Qt cannot tell."""
    return bytes(QSysInfo.bootUniqueId().data()).decode("ascii", "replace")


def _told(said: str) -> Fact:
    """How a message begins, where that is known; the rest is what Qt was given, or files."""
    begins = _GIVEN.split(said, maxsplit=1)[0].strip()
    return Fact(begins if begins in _KNOWN else "…")


def _opened(path: Path) -> int | None:
    """A descriptor that stays open, since nothing can be opened any more when it is needed."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return None
