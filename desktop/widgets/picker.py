"""A line that opens to a list of words of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QStyle, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

ROOM = 3 * tokens.PADDING
"""Pixels beside the words: the frame and the mark that says that it opens."""

LEAST = 90


class Picker(QComboBox):
    """Painted from the look, as the buttons beside it are; the wheel is the page's.

    chosen(str)  the id of what the owner chose
    """

    chosen = Signal(str)

    def __init__(self, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look: Look | None = None
        self.setAccessibleName(name)
        self.view().setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda row: self.chosen.emit(str(self.itemData(row))))

    @property
    def current(self) -> str:
        """The id of what is chosen; "" where there is nothing."""
        return str(self.currentData()) if self.count() else ""

    def show_words(self, words: Sequence[tuple[str, str]]) -> None:
        """Ids and words; what was chosen stays so where it is still there."""
        if [(self.itemData(row), self.itemText(row)) for row in range(self.count())] == list(words):
            return
        kept = self.current
        blocked = self.blockSignals(True)
        self.clear()
        for id, word in words:
            self.addItem(word, id)
        self.blockSignals(blocked)
        self.show_chosen(kept)
        self.updateGeometry()

    def show_chosen(self, id: str) -> None:
        """Mark this one; the first, where it is not there."""
        blocked = self.blockSignals(True)
        self.setCurrentIndex(max(self.findData(id), 0) if self.count() else -1)
        self.blockSignals(blocked)
        self.update()

    def set_look(self, look: Look) -> None:
        self._look = look
        self.setFont(look.plain)
        self.update()

    def _paint_mark(self, painter: QPainter, colour: QColor) -> None:
        """A small angle that points down."""
        edge = tokens.PADDING + 4
        across = edge if self.isRightToLeft() else self.width() - edge
        middle = QPointF(across, self.height() / 2 + 1)
        painter.setPen(QPen(colour, 1.6, c=Qt.PenCapStyle.RoundCap))
        sides = [middle + QPointF(-4, -3), middle + QPointF(0, 1.5), middle + QPointF(4, -3)]
        painter.drawPolyline(sides)

    # Qt ---------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        words = (self.itemText(row) for row in range(self.count()))
        widest = max((metrics.horizontalAdvance(word) for word in words), default=0)
        return QSize(max(widest, LEAST) + ROOM, metrics.height() + 2 * (4 + tokens.FOCUS))

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST + ROOM, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._look is None:
            return
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inset = tokens.FOCUS / 2
        painter.setPen(QPen(look.accent if self.hasFocus() else look.line, tokens.FOCUS))
        painter.setBrush(look.surface if self.underMouse() and self.isEnabled() else look.page)
        frame = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(frame, tokens.RADIUS, tokens.RADIUS)
        colour = look.text if self.isEnabled() else look.muted
        self._paint_mark(painter, colour)
        painter.setPen(colour)
        area = self.rect().adjusted(tokens.PADDING, 0, tokens.PADDING - ROOM, 0)
        area = QStyle.visualRect(self.layoutDirection(), self.rect(), area)
        elide = Qt.TextElideMode.ElideRight
        shown = self.fontMetrics().elidedText(self.currentText(), elide, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
