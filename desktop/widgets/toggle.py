"""A check box whose mark can be seen on any background."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QStyle, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

LEAST = 120
"""Pixels that it can be narrowed to; the words then end with an ellipsis."""


class Toggle(QCheckBox):
    """Painted from the look: the system's box all but vanishes on some dark palettes."""

    def __init__(self, text: str, *, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._look: Look | None = None

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def _box(self) -> QRectF:
        size = tokens.BOX
        left = self.width() - size - tokens.GAP_SMALL if self.isRightToLeft() else tokens.GAP_SMALL
        return QRectF(left, (self.height() - size) / 2, size, size)

    def _paint_box(self, painter: QPainter, look: Look) -> None:
        box, checked = self._box().adjusted(0.5, 0.5, -0.5, -0.5), self.isChecked()
        painter.setPen(QPen(look.accent if checked else look.muted, 1))
        painter.setBrush(look.accent if checked else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 3, 3)
        if checked:
            mark = [QPointF(0.22, 0.52), QPointF(0.43, 0.74), QPointF(0.79, 0.28)]
            spots = [
                box.topLeft() + QPointF(p.x() * box.width(), p.y() * box.height()) for p in mark
            ]
            painter.setPen(QPen(look.on_accent, 2, c=Qt.PenCapStyle.RoundCap))
            painter.drawPolyline(spots)

    # Qt ---------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        plain = self.text().replace("&", "")
        width = metrics.horizontalAdvance(plain) + tokens.BOX + tokens.GAP + 4 * tokens.GAP_SMALL
        return QSize(width, metrics.height() + tokens.GAP)

    def minimumSizeHint(self) -> QSize:
        size = self.sizeHint()
        return QSize(min(size.width(), LEAST), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._look is None:
            return
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_box(painter, look)
        painter.setPen(look.text)
        before = tokens.GAP_SMALL + tokens.BOX + tokens.GAP
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic
        room = self.rect().adjusted(before, 0, -tokens.GAP_SMALL, 0)
        room = QStyle.visualRect(self.layoutDirection(), self.rect(), room)
        elide = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), elide, room.width(), int(flags))
        painter.drawText(room, int(flags), text)
        if self.hasFocus():
            painter.setPen(QPen(look.accent, tokens.FOCUS))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(area, tokens.RADIUS, tokens.RADIUS)
        painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def hitButton(self, position: object) -> bool:
        return True
