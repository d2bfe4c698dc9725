"""What is painted under the text of a document: code panels and the bars of quotes."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTextBlock, QTextDocument

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.typesetter import PANEL, QUOTE


def paint_ground(
    painter: QPainter, document: QTextDocument, look: Look, *, exposed: QRectF
) -> None:
    """Paint what lies under the blocks that can be seen, and no more: documents are long."""
    layout, block = document.documentLayout(), _first_block(document, exposed.top())
    right = document.textWidth()
    panel, area = 0, QRectF()
    painter.setPen(Qt.PenStyle.NoPen)
    while block.isValid():
        shape, place = block.blockFormat(), layout.blockBoundingRect(block)
        number = shape.intProperty(PANEL)
        if panel and number != panel:
            _paint_panel(painter, area, look)
        if number:
            left = shape.leftMargin()
            full = QRectF(left, place.top(), right - left, place.height())
            area = area.united(full) if number == panel else full
        _paint_bars(painter, place, shape.intProperty(QUOTE), look)
        panel = number
        if place.top() > exposed.bottom():
            break
        block = block.next()
    if panel:
        _paint_panel(painter, area, look)


def _first_block(document: QTextDocument, top: float) -> QTextBlock:
    """The block to begin with: a panel is painted from its own beginning."""
    spot = QPointF(1, top - tokens.PADDING)
    at = document.documentLayout().hitTest(spot, Qt.HitTestAccuracy.FuzzyHit)
    block = document.findBlock(max(at, 0))
    number = block.blockFormat().intProperty(PANEL)
    while number and block.previous().blockFormat().intProperty(PANEL) == number:
        block = block.previous()
    return block


def _paint_panel(painter: QPainter, area: QRectF, look: Look) -> None:
    painter.setBrush(look.raised)
    grown = area.adjusted(0, -tokens.GAP, 0, tokens.PADDING)
    painter.drawRoundedRect(grown, tokens.RADIUS, tokens.RADIUS)


def _paint_bars(painter: QPainter, place: QRectF, depth: int, look: Look) -> None:
    painter.setBrush(look.line)
    for level in range(depth):
        left = tokens.INSET + tokens.QUOTE_INDENT * level
        painter.drawRoundedRect(QRectF(left, place.top(), 3, place.height()), 1.5, 1.5)
