"""A small page over the window that asks before something is done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

WIDTH = 620
"""Pixels that it is wide at least, where the window is."""


class Leaf(QDialog):
    """Has a title; what follows is put into `stack`, and last the two buttons.

    go      does it
    cancel  leaves everything as it is; Escape does, too
    """

    def __init__(self, look: Look, *, title: str, headline: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self.go, self.cancel = QPushButton(self), QPushButton(self.tr("Cancel"), self)
        self._dress(self.cancel, "plain")
        self._dress(self.go, "primary")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setObjectName("stack")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(min(WIDTH, parent.width() - 2 * tokens.GUTTER))
        self.stack = QVBoxLayout(self)
        self.stack.setContentsMargins(*[tokens.GUTTER] * 4)
        self.stack.setSpacing(tokens.PADDING)
        heading = self.label(headline)
        strong = tokens.strong(look.body)
        heading.setFont(strong)
        self.stack.addWidget(heading)
        self.cancel.clicked.connect(self.reject)

    def label(self, text: str = "", *, muted: bool = False) -> QLabel:
        """A text that is put nowhere yet."""
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setFont(self._look.plain)
        label.setObjectName("muted" if muted else "headline")
        return label

    def name_go(self, text: str) -> None:
        self.go.setText(text)
        self.go.setAccessibleName(text)

    def close_with_buttons(self, *more: QPushButton) -> None:
        """The last row: other buttons, what leaves everything as it is, what does it."""
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP)
        for button in more:
            self._dress(button, "plain")
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.go)
        self.stack.addSpacing(tokens.GAP)
        self.stack.addStretch(1)
        self.stack.addLayout(row)

    def _dress(self, button: QPushButton, kind: str) -> None:
        button.setObjectName(kind)
        button.setAutoDefault(False)
        button.setAccessibleName(button.text())
        button.setFont(self._look.plain)

    # Qt ---------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Enter presses the button that the keyboard is on, and no other.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if isinstance(button := self.focusWidget(), QPushButton):
                button.click()
            return
        super().keyPressEvent(event)
