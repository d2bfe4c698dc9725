"""A thumb, painted: fonts that have one are not everywhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from desktop.style.tokens import Look

SIZE = 16
ROOM = 4
"""Empty pixels behind it: Qt sets the word close to its icon."""

SCALE = 3
"""Pixels per point, for screens that have more than one."""

_HAND = (
    (5.2, 7.2), (7.6, 3.2), (8.2, 1.6), (9.8, 2.0), (10.0, 3.8), (9.4, 6.2),
    (13.4, 6.2), (14.4, 7.4), (13.2, 13.0), (12.0, 14.0), (7.4, 14.0), (5.2, 13.0),
)  # fmt: skip


def thumb(look: Look, *, leftward: bool) -> QIcon:
    """In the colour of text, and muted where its button is disabled.

    leftward  the word stands to the left of it
    """
    icon = QIcon()
    icon.addPixmap(_painted(look.text, leftward=leftward), QIcon.Mode.Normal)
    icon.addPixmap(_painted(look.muted, leftward=leftward), QIcon.Mode.Disabled)
    return icon


def _painted(colour: QColor, *, leftward: bool) -> QPixmap:
    pixmap = QPixmap((SIZE + ROOM) * SCALE, SIZE * SCALE)
    pixmap.setDevicePixelRatio(SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(ROOM if leftward else 0, 0)
    pen = QPen(colour, 1.4)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    hand = QPainterPath()
    hand.addPolygon(QPolygonF([QPointF(x, y) for x, y in _HAND]))
    hand.closeSubpath()
    hand.addRoundedRect(QRectF(1.6, 7.2, 2.4, 6.6), 1, 1)
    painter.drawPath(hand)
    painter.end()
    return pixmap
