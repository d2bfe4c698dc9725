"""What was learned, row by row: words on both ends, a picture between them, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.table import show_whole
from desktop.widgets.trait_plot import Mark, Plotting, picture

LESS, PICTURE, MORE, SURE = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trait.

    less, more  words for the left and the right end
    leaning     -1 to the left, 1 to the right, 0 neither: the end that is written strongly
    sure        how sure, in a few words
    told        the whole row in words, for those who cannot see the picture
    """

    id: str
    less: str
    more: str
    leaning: int
    sure: str
    told: str
    mark: Mark


class TraitTable(QTableWidget):
    """The rows are the text, the picture lies on one column of them.

    selected(str)  the id of the row that the owner went to
    """

    selected = Signal(str)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(0, 4, parent)
        self._look = look
        self._rows: tuple[Row, ...] = ()
        self._picture: QWidget | None = None
        self.plotting = Plotting()
        self.plotting.ready.connect(self._draw)
        self.setObjectName("table")
        self.setAccessibleName(self.tr("What I learned, trait by trait"))
        self._prepare()
        self.currentCellChanged.connect(self._moved)

    @property
    def current(self) -> str:
        """The id of the row that the keyboard is in; "" for none."""
        row = self.currentRow()
        return self._rows[row].id if 0 <= row < len(self._rows) else ""

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these; the row that was selected stays so."""
        if tuple(rows) == self._rows:
            return
        kept = self.current
        self._rows = tuple(rows)
        blocked = self.blockSignals(True)
        self.setRowCount(len(self._rows))
        for number, row in enumerate(self._rows):
            self._write(number, row)
        ids = [row.id for row in self._rows]
        if ids:
            self.setCurrentCell(ids.index(kept) if kept in ids else 0, LESS)
        self.blockSignals(blocked)
        self._fit()
        self._draw()
        self.selected.emit(self.current)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.setFont(look.plain)
        for number, row in enumerate(self._rows):
            self._write(number, row)
        self._fit()
        self._draw()

    # Parts ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        self.horizontalHeader().hide()
        show_whole(self)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)

    def _write(self, number: int, row: Row) -> None:
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for column, text, aligned, strong in (
            (LESS, row.less, right, row.leaning < 0),
            (PICTURE, "", left, False),
            (MORE, row.more, left, row.leaning > 0),
            (SURE, row.sure, right, bool(row.leaning)),
        ):
            item = QTableWidgetItem(text)
            item.setTextAlignment(aligned)
            item.setForeground(self._look.text if strong else self._look.muted)
            item.setFont(self._font(strong=strong and column != SURE))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, row.told)
            if text:
                item.setToolTip(hint(row.told))
            self.setItem(number, column, item)

    def _font(self, *, strong: bool) -> QFont:
        return tokens.strong(self._look.plain) if strong else self._look.plain

    def _fit(self) -> None:
        """Words as wide as they need, the picture takes the rest; no scrolling inside."""
        height = self.fontMetrics().height() + tokens.ROW_GAP
        self.verticalHeader().setDefaultSectionSize(height)
        for number in range(len(self._rows)):
            self.setRowHeight(number, height)
        self.setFixedHeight(max(height * len(self._rows), 1))
        room = self.viewport().width()
        needed = {column: self.sizeHintForColumn(column) + 4 for column in (LESS, MORE, SURE)}
        # Where it gets narrow, how sure is left to the words below.
        self.setColumnHidden(SURE, sum(needed.values()) + tokens.PICTURE_LEAST > room)
        needed[SURE] = 0 if self.isColumnHidden(SURE) else needed[SURE]
        spare = room - needed[SURE] - tokens.PICTURE_LEAST
        for column in (LESS, MORE):
            self.setColumnWidth(column, max(min(needed[column], spare // 2), 1))
        if needed[SURE]:
            self.setColumnWidth(SURE, needed[SURE])
        used = sum(self.columnWidth(column) for column in (LESS, MORE)) + needed[SURE]
        self.setColumnWidth(PICTURE, max(room - used, 1))
        self._place()

    def _draw(self) -> None:
        if self._picture is not None:
            self._picture.hide()
            self._picture.deleteLater()
            self._picture = None
        if self.plotting.module is None or not self._rows:
            return
        marks = [row.mark for row in self._rows]
        viewport = self.viewport()
        self._picture = picture(self.plotting.module, marks, self._look, parent=viewport)
        self._place()
        self._picture.show()

    def _place(self) -> None:
        if self._picture is not None:
            left, width = self.columnViewportPosition(PICTURE), self.columnWidth(PICTURE)
            self._picture.setGeometry(left, 0, width, self.height())

    def _moved(self, row: int, column: int, old: int, _: int) -> None:
        if row != old:
            self.selected.emit(self.current)

    # Qt ---------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.plotting.begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling is the page's

    def minimumSizeHint(self) -> QSize:
        return QSize(tokens.PICTURE_LEAST, 1)
