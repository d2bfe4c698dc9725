"""Follows the system's colours, contrast and font, and the owner's zoom."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.style.tokens import ZOOM_LIMIT, Look, look_for


class Theme(QObject):
    """Tells how the window looks now. Windows call `refresh` when Qt tells them of a change.

    changed(Look)  colours, contrast, font or zoom changed
    """

    changed = Signal(object)

    def __init__(self, *, zoom: int = 0) -> None:
        super().__init__()
        self.zoom = _limited(zoom)
        self.look = self._derive()
        # Some platforms tell the scheme, others only send windows a new palette or font.
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh)

    def set_zoom(self, steps: int) -> None:
        if _limited(steps) != self.zoom:
            self.zoom = _limited(steps)
            self.refresh()

    def refresh(self) -> None:
        look = self._derive()
        if look != self.look:
            self.look = look
            self.changed.emit(look)

    def _derive(self) -> Look:
        palette, font = QGuiApplication.palette(), QApplication.font()
        return look_for(palette, font=font, zoom=self.zoom, contrast=_high_contrast())


def _limited(zoom: int) -> int:
    return max(-ZOOM_LIMIT // 2, min(zoom, ZOOM_LIMIT))


def _high_contrast() -> bool:
    hints = QGuiApplication.styleHints()  # kept: its parts live no longer than this name
    return bool(hints.accessibility().contrastPreference().value)
