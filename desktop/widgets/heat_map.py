"""A picture of shares in rows and columns: the darker, or the brighter, the more."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look, mix

FAINT = 0.07
"""How much accent there is in a cell of nothing: it can be told from the page."""

ROW, ROW_LEAST = 12, 6
"""Pixels of a row, and at least, where there are many."""

TALL = 384
"""Pixels that the rows may take before they become lower."""

WIDEST = 620
EVERY = 5
"""Every so many rows have their name beside them."""

INSIDE = 6
"""Pixels between the frame that shows where the keyboard is and what is in it."""

LEGEND = 140
"""Pixels of the scale below."""

MOVES: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What is shown.

    rows, columns  their names
    cells          in [0, top], rows × columns; None where there is nothing to show
    words          each cell in words
    scale          names of 0 and of the top
    top            the share that has the full colour, in (0, 1]
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    words: tuple[tuple[str, ...], ...]
    scale: tuple[str, str]
    top: float


class HeatMap(QWidget):
    """The mouse and the arrow keys point at a cell.

    pointed(str)  the cell that is pointed at, in words; "" when it is none
    spoken(str)   the same, where the keys did it
    """

    pointed = Signal(str)
    spoken = Signal(str)

    def __init__(
        self, shares: Shares, look: Look, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._shown, self._look = shares, look
        self._at: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMaximumWidth(WIDEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        told = (", ".join(words) for words in shares.words)
        self.setAccessibleDescription(". ".join(told))
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.setFixedHeight(self._bottom() + self._line() + INSIDE)
        self.update()

    def colour(self, share: float) -> QColor:
        """Of a cell."""
        part = min(share / self._shown.top, 1.0)
        return mix(self._look.page, self._look.accent, FAINT + (1.0 - FAINT) * part)

    @property
    def mark(self) -> QRect:
        """Where the cell is that is pointed at; empty where there is none."""
        return self.cell(*self._at) if self._at is not None else QRect()

    def cell(self, row: int, column: int) -> QRect:
        """Where a cell is."""
        left, width = self._left(), self._width()
        return QRect(
            round(left + column * width),
            self._top() + row * self._row(),
            round(left + (column + 1) * width) - round(left + column * width),
            self._row(),
        )

    # Sizes ------------------------------------------------------------------------------

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self._look.small)

    def _line(self) -> int:
        return self._metrics().height()

    def _row(self) -> int:
        return max(min(ROW, TALL // max(len(self._shown.rows), 1)), ROW_LEAST)

    def _left(self) -> int:
        widest = max(map(self._metrics().horizontalAdvance, self._shown.rows), default=0)
        return INSIDE + widest + tokens.GAP

    def _width(self) -> float:
        return (self.width() - self._left() - INSIDE) / max(len(self._shown.columns), 1)

    def _top(self) -> int:
        """Of the rows."""
        return INSIDE + self._line() + tokens.GAP_SMALL

    def _bottom(self) -> int:
        """Of the rows, where the scale begins."""
        rows = len(self._shown.rows) * self._row()
        return self._top() + rows + tokens.GAP

    # Pointing ---------------------------------------------------------------------------

    def _find(self, spot: QPointF) -> tuple[int, int] | None:
        row = int((spot.y() - self._top()) // self._row())
        column = int((spot.x() - self._left()) // self._width())
        inside = 0 <= row < len(self._shown.rows) and 0 <= column < len(self._shown.columns)
        return (row, column) if inside else None

    def _point(self, at: tuple[int, int] | None) -> None:
        if at != self._at:
            self._at = at
            self.update()
            self.pointed.emit(self._words())

    def _words(self) -> str:
        return self._shown.words[self._at[0]][self._at[1]] if self._at is not None else ""

    # Painting ---------------------------------------------------------------------------

    def _paint_names(self, painter: QPainter) -> None:
        metrics, look = self._metrics(), self._look
        painter.setPen(look.muted)
        for column, name in enumerate(self._shown.columns):
            area = self.cell(0, column)
            area.moveTop(INSIDE)
            area.setHeight(self._line())
            room = area.width() - tokens.GAP_SMALL
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), shown)
        for row in range(0, len(self._shown.rows), EVERY):
            middle = self.cell(row, 0).center().y()
            area = QRect(
                0, middle - self._line() // 2, self._left() - tokens.GAP_SMALL, self._line()
            )
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(area, int(flags), self._shown.rows[row])

    def _paint_cells(self, painter: QPainter) -> None:
        nothing = QBrush(self._look.muted, Qt.BrushStyle.BDiagPattern)
        for row, cells in enumerate(self._shown.cells):
            for column, share in enumerate(cells):
                area = self.cell(row, column).adjusted(0, 0, -1, -1)
                painter.fillRect(area, nothing if share is None else self.colour(share))

    def _paint_mark(self, painter: QPainter) -> None:
        if self._at is None:
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        area = QRectF(self.cell(*self._at)).adjusted(-1, -1, 0, 0)
        for colour, width in ((self._look.page, 4), (self._look.text, 2)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(area)

    def _paint_scale(self, painter: QPainter) -> None:
        top, metrics = self._bottom(), self._metrics()
        low, high = self._shown.scale
        left = self._left() + metrics.horizontalAdvance(low) + tokens.GAP
        bar = QRectF(left, top + (self._line() - ROW) / 2, LEGEND, ROW)
        shades = QLinearGradient(bar.topLeft(), bar.topRight())
        for part in (0.0, 1.0):
            shades.setColorAt(part, self.colour(part * self._shown.top))
        painter.fillRect(bar, shades)
        painter.setPen(self._look.muted)
        for text, spot in ((low, self._left()), (high, round(bar.right()) + tokens.GAP)):
            area = QRect(spot, top, metrics.horizontalAdvance(text) + 2, self._line())
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), text)

    # Qt ---------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        return QSize(tokens.PICTURE_LEAST, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._look.small)
        self._paint_names(painter)
        self._paint_cells(painter)
        self._paint_scale(painter)
        self._paint_mark(painter)
        if self.hasFocus():
            painter.setPen(QPen(self._look.accent, tokens.FOCUS))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._find(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._point(self._at or (0, 0))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = MOVES.get(event.key())
        if move is None:
            super().keyPressEvent(event)
            return
        row, column = self._at or (0, 0)
        rows, columns = len(self._shown.rows), len(self._shown.columns)
        at = (min(max(row + move[0], 0), rows - 1), min(max(column + move[1], 0), columns - 1))
        self._point(at)
        self.spoken.emit(self._words())
