"""What is not needed every day, behind a line that opens it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.flow import FlowLayout


class Drawer(QWidget):
    """Closed until its line is chosen."""

    def __init__(
        self,
        content: QWidget,
        *,
        beside: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        """beside  what stands on the same line"""
        super().__init__(parent)
        self._title = self._name = ""
        self._content = content
        self.line = QPushButton(self)
        self.line.setObjectName("quiet")
        self.line.setProperty("soft", True)
        self.line.setCheckable(True)
        self.line.toggled.connect(self._turn)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        row = FlowLayout()
        for part in (self.line, *beside):
            row.addWidget(part)
        stack.addLayout(row)
        stack.addWidget(content)
        content.hide()

    @property
    def open(self) -> bool:
        return self.line.isChecked()

    def show_title(self, title: str, *, name: str = "") -> None:
        """name  the title for those who cannot see what it belongs to"""
        self._title, self._name = title, name or title
        self._write()

    def set_look(self, look: Look) -> None:
        self.line.setFont(look.plain)

    def _turn(self, opened: bool) -> None:
        self._content.setVisible(opened)
        self._write()

    def _write(self) -> None:
        words = self.tr("{0} — hide") if self.open else self.tr("{0} — show")
        self.line.setText(words.format(self._title))
        self.line.setAccessibleName(words.format(self._name))
