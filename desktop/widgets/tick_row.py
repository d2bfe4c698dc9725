"""Something that can be ticked, with a line below that says more about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.toggle import Toggle

UNDER = tokens.GAP_SMALL + tokens.BOX + tokens.GAP
"""Pixels from the left to where the words of the tick begin."""


class TickRow(QWidget):
    """The line is always there, so that nothing moves when it says something else.

    ticked(bool)  the owner ticked it, or not any more
    """

    ticked = Signal(bool)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toggle = Toggle("", parent=self)
        self.toggle.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.line = QLabel(self)
        self.line.setObjectName("muted")
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setWordWrap(True)
        self.line.setMinimumWidth(1)  # one long word is no reason for a wide page
        self.line.setIndent(UNDER)  # a margin would not turn with the page
        self.toggle.toggled.connect(self.ticked)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        stack.addWidget(self.toggle)
        stack.addWidget(self.line)
        self.set_look(look)

    def show_row(self, name: str, line: str, *, ticked: bool) -> None:
        self.toggle.setText(name.replace("&", "&&"))
        self.toggle.setToolTip(hint(name))
        self.toggle.setAccessibleName(name)
        self.toggle.setAccessibleDescription(line)
        self.line.setText(line)
        blocked = self.toggle.blockSignals(True)
        self.toggle.setChecked(ticked)
        self.toggle.blockSignals(blocked)

    def set_look(self, look: Look) -> None:
        self.toggle.setFont(look.plain)
        self.toggle.set_look(look)
        self.line.setFont(look.small)
