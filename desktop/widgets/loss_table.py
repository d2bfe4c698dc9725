"""A table of losses: a row for each model, a column for each member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QTableWidget,
    QTableWidgetItem,
)

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.table import show_whole

MARK = "•"
"""Stands before what is best, which is bold, too."""

NUMBER_LEAST = 44
"""Pixels of a column of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number.

    told  what it is, in words
    best  better than the others of its column that it is compared with
    """

    text: str
    told: str
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """strong  the one that the table is about"""

    name: str
    cells: tuple[Cell, ...]
    strong: bool = False


class LossTable(QTableWidget):
    """Shows what it is given; the arrow keys go from number to number."""

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Row],
        look: Look,
        *,
        name: str,
    ) -> None:
        # Without a parent: the style sheet of one would be asked before there is a name to go by.
        super().__init__(len(rows), len(columns) + 1)
        self._rows, self._look = tuple(rows), look
        self.setObjectName("table")
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(["", *columns])
        self._prepare()
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.setFont(look.plain)
        self.horizontalHeader().setFont(look.small)
        for number, row in enumerate(self._rows):
            self._write(number, row)
        self._fit()

    # Parts ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        show_whole(self)
        header = self.horizontalHeader()
        for beside in (header, self.verticalHeader()):
            beside.setAccessibleName(self.accessibleName())
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _write(self, number: int, row: Row) -> None:
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self.setItem(number, 0, self._item(row.name, row.name, left, strong=row.strong))
        for column, cell in enumerate(row.cells, 1):
            text = f"{MARK} {cell.text}" if cell.best else cell.text
            self.setItem(number, column, self._item(text, cell.told, right, strong=cell.best))

    def _item(
        self, text: str, told: str, aligned: Qt.AlignmentFlag, *, strong: bool
    ) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setFont(tokens.strong(self._look.plain) if strong else self._look.plain)
        item.setTextAlignment(aligned)
        item.setForeground(self._look.text if strong else self._look.muted)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
        item.setToolTip(hint(told))
        return item

    def _fit(self) -> None:
        """Numbers as wide as they need, names the rest; no scrolling inside."""
        height = self.fontMetrics().height() + tokens.GAP
        self.verticalHeader().setDefaultSectionSize(height)
        header = self.horizontalHeader()
        header.setFixedHeight(height)
        self.setFixedHeight(height * (len(self._rows) + 1) + 2)
        numbers = range(1, self.columnCount())
        wanted = max((self.sizeHintForColumn(column) for column in numbers), default=0)
        wanted = max(wanted + tokens.PADDING, NUMBER_LEAST)
        room = self.viewport().width()
        name = min(self.sizeHintForColumn(0) + tokens.GAP, max(room - wanted * len(numbers), 1))
        name = max(name, min(room // 4, tokens.PICTURE_LEAST))
        self.setColumnWidth(0, name)
        for column in numbers:
            self.setColumnWidth(column, min(wanted, max((room - name) // len(numbers), 1)))

    # Qt ---------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.currentRow() < 0:
            self.setCurrentCell(0, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling is the page's

    def minimumSizeHint(self) -> QSize:
        return QSize(tokens.PICTURE_LEAST, 1)
