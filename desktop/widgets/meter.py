"""How much of the context is used: a hair-thin bar and a number."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Meter(QWidget):
    """A bar that is filled from the left; what is about to be used is fainter."""

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._share = self._ahead = 0.0
        self.setFixedWidth(tokens.METER_WIDTH)

    def show_share(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)
        self.update()

    def show_ahead(self, share: float) -> None:
        """What is about to be used besides."""
        self._ahead = max(share, 0.0)
        self.update()

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    # Qt ---------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(tokens.METER_WIDTH, tokens.METER_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        height = tokens.METER_HEIGHT
        area = QRectF(0, (self.height() - height) / 2, self.width(), height)
        painter.setBrush(self._look.line)
        painter.drawRoundedRect(area, height / 2, height / 2)
        width = area.width()
        for share, colour in (
            (min(self._share + self._ahead, 1.0), self._look.selection),
            (self._share, self._look.accent),
        ):
            area.setWidth(width * share)
            painter.setBrush(colour)
            painter.drawRoundedRect(area, height / 2, height / 2)
        painter.end()
