"""What happened, a row each, the newest first: a table of words that may be long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QTableView,
)

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look

SHOWN = 8
"""Rows that are seen without scrolling."""

LEAST = 130
"""Pixels of the column that gives way, below which others are left to the tooltip."""

WIDEST = 200
"""Pixels of a column that does not give way."""

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """told  the whole row in words"""

    cells: tuple[str, ...]
    told: str


class _Lines(QAbstractTableModel):
    """Only what is on the screen is ever asked for, however long the log is."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    # Qt ---------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return line.cells[index.column()]
            case Qt.ItemDataRole.AccessibleTextRole:
                return line.told
            case Qt.ItemDataRole.ToolTipRole:
                return hint(line.told)
            case _:
                return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return self.columns[section] if role == Qt.ItemDataRole.DisplayRole else None


class LogTable(QTableView):
    """Shows what it is given; the second column gives way where there is little room, and then the
    last ones are left out, which the tooltip and the screen reader still tell."""

    def __init__(self, columns: Sequence[str], look: Look, *, name: str) -> None:
        # Without a parent: the style sheet of one would be asked before there is a name to go by.
        super().__init__()
        self._lines = _Lines(columns)
        self.setObjectName("table")
        self.setAccessibleName(name)
        self.setModel(self._lines)
        self._prepare()
        self.set_look(look)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines.lines

    def show_lines(self, lines: Sequence[Line]) -> None:
        if tuple(lines) != self._lines.lines:
            self._lines.show(tuple(lines))
            self._fit()

    def set_look(self, look: Look) -> None:
        self.setFont(look.plain)
        self.horizontalHeader().setFont(look.small)
        self._fit()

    # Parts ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        header = self.horizontalHeader()
        self.verticalHeader().hide()
        corner = self.findChildren(QAbstractButton)  # there, though nothing can be done with it
        for beside in (header, self.verticalHeader(), *corner):
            beside.setAccessibleName(self.accessibleName())
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header.setMinimumSectionSize(1)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def _fit(self) -> None:
        height = self.fontMetrics().height() + tokens.GAP
        self.verticalHeader().setDefaultSectionSize(height)
        self.horizontalHeader().setFixedHeight(height)
        self.setFixedHeight(height * (min(len(self.lines), SHOWN) + 1) + 2)
        room = self.viewport().width()
        wanted = {column: self._wanted(column) for column in self._others}
        for column in reversed(self._others):
            hidden = sum(wanted.values()) + LEAST > room and column != 0
            self.setColumnHidden(column, hidden)
            if hidden:
                del wanted[column]
        for column, width in wanted.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(1, max(room - sum(wanted.values()), 1))

    @property
    def _others(self) -> list[int]:
        return [column for column in range(len(self._lines.columns)) if column != 1]

    def _wanted(self, column: int) -> int:
        """Of what is seen without scrolling: the rest may be thousands of rows."""
        metrics = self.fontMetrics()
        texts = [line.cells[column] for line in self.lines[:SHOWN]]
        texts.append(self._lines.columns[column])
        widest = max(metrics.horizontalAdvance(text) for text in texts)
        return min(widest + tokens.GAP_WIDE, WIDEST)

    # Qt ---------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.lines:
            self.setCurrentIndex(self._lines.index(0, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(tokens.PICTURE_LEAST, 1)
