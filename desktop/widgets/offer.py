"""A sentence and what can be done about it, on a line that can wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.flow import FlowLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button: what it stands for, and its words; the first of them is on it."""

    id: str
    text: str
    name: str = ""


class Offer(QWidget):
    """Shows one offer, or none.

    chosen(str)  id of the Choice
    """

    chosen = Signal(str)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._text = QLabel(self)
        self._text.setObjectName("muted")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._row = QWidget(self)
        self._flow = FlowLayout(self._row)
        self.buttons: list[QPushButton] = []
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self._text)
        stack.addWidget(self._row)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_offer(self, sentence: str, choices: Sequence[Choice] = ()) -> None:
        """An empty sentence hides it."""
        self._text.setText(sentence)
        self._text.setAccessibleName(sentence)
        for button in self.buttons:
            self._flow.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = [self._button(choice) for choice in choices]
        for button in self.buttons:
            self._flow.addWidget(button)
            button.show()
        self.set_look(self._look)
        self.setVisible(bool(sentence))

    def set_look(self, look: Look) -> None:
        self._look = look
        self._text.setFont(look.plain)
        for button in self.buttons:
            button.setFont(look.small)

    def _button(self, choice: Choice) -> QPushButton:
        button = QPushButton(choice.text, self._row)
        button.setObjectName("plain")
        button.setAccessibleName(choice.name or choice.text)
        button.clicked.connect(partial(self.chosen.emit, choice.id))
        return button
