"""The quiet left edge: chats begin here."""

from __future__ import annotations

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Sidebar(QFrame):
    """Shows what it is given; the actions are the menu's own."""

    def __init__(self, *, new_chat: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(tokens.SIDEBAR)
        self._new = QPushButton(self.tr("+  New chat"), self)
        self._new.setObjectName("quiet")
        self._new.setAccessibleName(self.tr("New chat"))
        self._new.setToolTip(new_chat.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
        self._new.clicked.connect(new_chat.trigger)
        self._promise = QLabel(self.tr("Nothing you write leaves this computer."), self)
        self._promise.setWordWrap(True)
        self._promise.setContentsMargins(tokens.INSET, 0, 0, 0)
        self._arrange()

    def set_look(self, look: Look) -> None:
        self._new.setFont(look.plain)
        self._promise.setFont(look.small)

    def _arrange(self) -> None:
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.GAP, tokens.PADDING, tokens.GAP, tokens.PADDING)
        stack.addWidget(self._new)
        stack.addStretch(1)
        stack.addWidget(self._promise)
