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
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”")

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
        # Qt quotes what it was given, which may be anything.
        told = Fact(_QUOTED.sub("'…'", said))
        level = _LEVELS.get(kind, logging.WARNING)
        qt_log.log(level, "%s: %s", Fact(context.category or "default"), told)

    qInstallMessageHandler(heard)


def boot() -> str:
    """Changes with each start of the machine; "" where Qt cannot tell."""
    return bytes(QSysInfo.bootUniqueId().data()).decode("ascii", "replace")


def _opened(path: Path) -> int | None:
    """A descriptor that stays open, since nothing can be opened any more when it is needed."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return None
