"""A few words in a row of which exactly one is chosen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from desktop.style.tokens import Look
from desktop.widgets.flow import FlowLayout


class Choice(QWidget):
    """Arrow keys move between the words.

    chosen(int)  the owner chose the word of this value
    """

    chosen = Signal(int)

    def __init__(self, words: dict[int, str], *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self.setAccessibleName(name)
        row = FlowLayout(self)
        for value, word in words.items():
            button = QPushButton(word, self)
            button.setObjectName("choice")
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {word}")
            self._group.addButton(button, value)
            row.addWidget(button)
        self._group.idClicked.connect(self.chosen)

    @property
    def buttons(self) -> dict[int, QPushButton]:
        found = ((self._group.id(b), b) for b in self._group.buttons())
        return {value: b for value, b in found if isinstance(b, QPushButton)}

    def show_value(self, value: int) -> None:
        """Mark one word; none, where the value has no word."""
        button = self._group.button(value)
        if button is not None:
            button.setChecked(True)
        elif (old := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            old.setChecked(False)
            self._group.setExclusive(True)

    def set_look(self, look: Look) -> None:
        for button in self._group.buttons():
            button.setFont(look.plain)
