"""What changes, a row each: what it is about, how it is now, how it will be."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.table import make_bare

SHOWN = 9
"""Rows that are seen without scrolling."""


class ChangeTable(QTableWidget):
    """Goes along with the keys; nothing in it can be changed."""

    def __init__(self, titles: tuple[str, str, str], *, name: str) -> None:
        super().__init__(0, 3)  # a parent before its name: the header would stay without its style
        self._titles = titles
        self.setObjectName("table")
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(titles))
        make_bare(self)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._fit)
        header.sectionResized.connect(self._widened)
        for part in (header, self.verticalHeader()):
            part.setAccessibleName(name)

    def show_rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        _, before, after = self._titles
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            told = f"{row[0]}. {before}: {row[1]}. {after}: {row[2]}"
            for column, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(hint(text))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
                self.setItem(number, column, item)
        if rows:
            self.setCurrentCell(0, 0)
        self._fit()

    def set_look(self, look: Look) -> None:
        self.setFont(look.plain)
        self.horizontalHeader().setFont(look.small)
        self._fit()

    def _widened(self) -> None:
        self._later.start()  # once, when all three have their width

    def _fit(self) -> None:
        """Long words go on below."""
        height = self.fontMetrics().height() + tokens.GAP
        self.verticalHeader().setMinimumSectionSize(height)
        self.resizeRowsToContents()
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        shown = min(max(rows, height), SHOWN * height)
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setVerticalScrollBarPolicy(off if rows <= shown else needed)
        self.setFixedHeight(shown + self.horizontalHeader().sizeHint().height() + tokens.GAP)
