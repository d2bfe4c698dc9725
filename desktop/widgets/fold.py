"""An answer that stepped back: one line, which opens to the whole of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.reader import Reader


class Fold(QWidget):
    """Closed until its line is chosen.

    toggled()          opened or closed
    link_chosen(str)   a link to the web in the text
    copy_asked(str)    code of it
    """

    toggled = Signal()
    link_chosen = Signal(str)
    copy_asked = Signal(str)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._line = QPushButton(self)
        self._line.setObjectName("quiet")
        self._line.setProperty("soft", True)
        self._line.setCheckable(True)
        self._line.toggled.connect(self._turn)
        self.reader = Reader(look, parent=self)
        self.reader.hide()
        self.reader.link_chosen.connect(self.link_chosen)
        self.reader.copy_asked.connect(self.copy_asked)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self._line, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(self.reader)
        self.set_look(look)

    @property
    def open(self) -> bool:
        return self._line.isChecked()

    def show_text(self, source: str, *, title: str) -> None:
        """Markdown, which `advance` shows once the line is open."""
        self._title = title
        self.reader.setAccessibleName(title)
        self._name()
        self.reader.show_markdown(source)

    def close_up(self) -> None:
        self._line.setChecked(False)

    def advance(self) -> bool:
        return self.open and self.reader.advance()

    def set_look(self, look: Look) -> None:
        self._line.setFont(look.small)
        self.reader.set_look(look)

    def _turn(self, opened: bool) -> None:
        self.reader.setVisible(opened)
        self._name()
        self.toggled.emit()

    def _name(self) -> None:
        words = self.tr("{0} — hide") if self.open else self.tr("{0} — show")
        self._line.setText(words.format(self._title))
        self._line.setAccessibleName(self._line.text())
