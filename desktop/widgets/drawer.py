"""What is not needed every day, behind a line that opens it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Drawer(QWidget):
    """Closed until its line is chosen."""

    def __init__(self, content: QWidget, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._content = content
        self.line = QPushButton(self)
        self.line.setObjectName("quiet")
        self.line.setProperty("soft", True)
        self.line.setCheckable(True)
        self.line.toggled.connect(self._turn)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self.line, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(content)
        content.hide()

    @property
    def open(self) -> bool:
        return self.line.isChecked()

    def show_title(self, title: str) -> None:
        self._title = title
        self._name()

    def set_look(self, look: Look) -> None:
        self.line.setFont(look.plain)

    def _turn(self, opened: bool) -> None:
        self._content.setVisible(opened)
        self._name()

    def _name(self) -> None:
        words = self.tr("{0} — hide") if self.open else self.tr("{0} — show")
        self.line.setText(words.format(self._title))
        self.line.setAccessibleName(self.line.text())
