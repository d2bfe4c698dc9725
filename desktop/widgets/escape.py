"""Escape where something is open: it is for that, and does not stop the answer at the same time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent


def taken(event: QEvent, *, leave: Callable[[], object]) -> bool:
    """Whether this was Escape; then `leave` is called where the key went down, and no shortcut of
    the window hears of it."""
    if not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Escape:
        return False
    event.accept()
    if event.type() == QEvent.Type.KeyPress:
        leave()
    return True
