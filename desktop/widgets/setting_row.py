"""One setting: its name, what it does, and what changes it."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

_SEPARATOR = re.compile(r"(?<=[/\\])")
_BREAK = "\u200b"
"""Where a path may go on in the next line."""


class SettingRow(QWidget):
    """What changes it stands below, so that all of it fits a narrow window."""

    def __init__(
        self, title: str, told: str, control: QWidget | None, *, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title, self._told = QLabel(title, self), QLabel(self)
        self.control, self.told = control, ""
        for label in (self._title, self._told):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._title.setObjectName("section")
        self._told.setObjectName("muted")
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, tokens.GUTTER)
        stack.setSpacing(tokens.GAP_SMALL)
        stack.addWidget(self._title)
        stack.addWidget(self._told)
        self.tell(told)
        if control is not None:
            self._title.setBuddy(control)
            stack.addSpacing(tokens.GAP_SMALL)
            stack.addWidget(control, 0, _side(control))

    def tell(self, text: str) -> None:
        """What it does, or how it stands; an empty text takes no room."""
        self.told = text
        self._told.setText(_SEPARATOR.sub(_BREAK, text))
        self._told.setAccessibleName(text)
        self._told.setVisible(bool(text))

    def set_look(self, look: Look) -> None:
        strong = tokens.strong(look.plain)
        self._title.setFont(strong)
        self._told.setFont(look.plain)


def _side(control: QWidget) -> Qt.AlignmentFlag:
    """What grows with its words stands on the left; what wraps takes the whole width."""
    layout = control.layout()
    wraps = layout is not None and layout.hasHeightForWidth()
    return Qt.AlignmentFlag(0) if wraps else Qt.AlignmentFlag.AlignLeft
