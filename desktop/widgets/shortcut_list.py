"""A list of every action and its keys."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.style import tokens


class ShortcutList(QDialog):
    """Shows actions by menu, and scrolls where they are more than the screen is high; closes with
    Escape."""

    def __init__(
        self, groups: Iterable[tuple[str, list[QAction]]], *, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self._inside = QWidget(self)
        grid = QGridLayout(self._inside)
        grid.setContentsMargins(0, 0, tokens.GUTTER, 0)
        grid.setHorizontalSpacing(2 * tokens.GUTTER)
        grid.setVerticalSpacing(tokens.GAP_SMALL)
        for title, actions in groups:
            self._group(grid, title, actions)
        self._row(grid, self.tr("New line in the question"), self.tr("Shift+Enter"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[tokens.GUTTER] * 4)
        area = self._scrolled()
        outer.addWidget(area)
        outer.addSpacing(tokens.GAP_WIDE)
        outer.addWidget(buttons)
        around = self.sizeHint() - area.sizeHint()
        room = self.screen().availableGeometry().height() - 3 * tokens.GUTTER
        wanted = self._inside.sizeHint() + around
        self.resize(wanted.width() + tokens.GUTTER, min(wanted.height(), room))

    def _scrolled(self) -> QScrollArea:
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.windowTitle())
        area.setWidget(self._inside)
        area.setMinimumWidth(self._inside.sizeHint().width())
        return area

    def _group(self, grid: QGridLayout, title: str, actions: list[QAction]) -> None:
        heading = QLabel(title, self)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setContentsMargins(0, tokens.GAP if grid.rowCount() > 1 else 0, 0, 0)
        grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
        for action in filter(QAction.isVisible, actions):
            native = QKeySequence.SequenceFormat.NativeText
            keys = "  ·  ".join(key.toString(native) for key in action.shortcuts())
            self._row(grid, action.text().replace("&", "").rstrip("…"), keys)

    def _row(self, grid: QGridLayout, text: str, keys: str) -> None:
        row = grid.rowCount()
        for column, words in enumerate((text, keys)):
            label = QLabel(words, self)
            label.setTextFormat(Qt.TextFormat.PlainText)
            grid.addWidget(label, row, column)
