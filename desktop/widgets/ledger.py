"""What there is, a line each: its name, how many, how large."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Ledger(QWidget):
    """Three columns; the one in the middle gives way where there is little room."""

    def __init__(self, look: Look, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._rows: tuple[tuple[str, str, str], ...] = ()
        self._labels: list[tuple[QLabel, QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.GAP_WIDE)
        self._grid.setVerticalSpacing(tokens.GAP)
        self._grid.setColumnStretch(1, 1)
        self.setAccessibleName(name)

    @property
    def lines(self) -> list[str]:
        return ["  ".join(row).strip() for row in self._rows]

    def show_rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        self._rows = tuple(rows)
        while len(self._labels) > len(rows):
            for label in self._labels.pop():
                label.hide()
                label.deleteLater()
        while len(self._labels) < len(rows):
            self._labels.append(self._line(len(self._labels)))
        for labels, row in zip(self._labels, rows, strict=True):
            for label, text in zip(labels, row, strict=True):
                label.setText(text)

    def set_look(self, look: Look) -> None:
        self._look = look
        for labels in self._labels:
            self._dress(labels)

    def _line(self, row: int) -> tuple[QLabel, QLabel, QLabel]:
        labels = QLabel(self), QLabel(self), QLabel(self)
        top = Qt.AlignmentFlag.AlignTop
        for column, label in enumerate(labels):
            label.setTextFormat(Qt.TextFormat.PlainText)
            self._grid.addWidget(label, row, column, top)
            label.setAlignment(top | (Qt.AlignmentFlag.AlignRight if column == 2 else top))
        labels[1].setWordWrap(True)
        for label in labels[1:]:
            label.setObjectName("muted")
        self._dress(labels)
        return labels

    def _dress(self, labels: tuple[QLabel, QLabel, QLabel]) -> None:
        strong = tokens.strong(self._look.plain)
        labels[0].setFont(strong)
        for label in labels[1:]:
            label.setFont(self._look.plain)
