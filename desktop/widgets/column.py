"""A column of comfortable width in the middle of whatever room there is."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.style import tokens


class Column(QWidget):
    """Keeps its contents no wider than the measure, and centred."""

    def __init__(
        self, measure: int, *, gutter: int = tokens.GUTTER, parent: QWidget | None = None
    ) -> None:
        """gutter  room on both sides, however narrow it gets"""
        super().__init__(parent)
        self._measure, self._gutter, self._bar = measure, gutter, 0
        self.setObjectName("column")
        self.stack = QVBoxLayout(self)
        self.stack.setSpacing(0)
        self.stack.setContentsMargins(0, 0, 0, 0)
        self._centre()

    @property
    def inner_width(self) -> int:
        return min(self._measure, self.width() - 2 * self._gutter)

    def set_measure(self, measure: int) -> None:
        self._measure = measure
        self._centre()

    def set_bar(self, width: int) -> None:
        """Leave room on the right, as the scroll bar of a column above does."""
        self._bar = width
        self._centre()

    def _centre(self) -> None:
        side = max(self._gutter, (self.width() - self._bar - self._measure) // 2)
        margins = self.stack.contentsMargins()
        self.stack.setContentsMargins(side, margins.top(), side + self._bar, margins.bottom())

    # Qt ---------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        # The margins of now are no reason not to become narrower.
        margins, hint = self.stack.contentsMargins(), super().minimumSizeHint()
        spare = margins.left() + margins.right() - 2 * self._gutter - self._bar
        return QSize(hint.width() - spare, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._centre()
        super().resizeEvent(event)
