"""A sentence in the sidebar about what was done, and the way back beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

LASTS = 12_000
"""Milliseconds that a sentence stays without a way back; with one it stays."""


class SideNote(QWidget):
    """Not there while there is nothing to say.

    chosen()  the button was pressed
    """

    chosen = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setMinimumWidth(1)
        self.button = QPushButton(self)
        self.button.setObjectName("plain")
        self.button.setAccessibleName(self.tr("Undo"))
        self.button.clicked.connect(self.chosen)
        self._gone = QTimer(self, singleShot=True, interval=LASTS)
        self._gone.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, tokens.GAP, tokens.GAP)
        row.setSpacing(tokens.GAP)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        self.set_look(look)
        self.hide()

    def show_sentence(self, sentence: str, *, button: str = "", name: str = "") -> None:
        """An empty sentence takes it away. name  what the button does, for those who listen"""
        self.words.setText(sentence)
        self.words.setAccessibleName(sentence)
        self.button.setText(button)
        self.button.setAccessibleName(name or button or self.tr("Undo"))
        self.button.setVisible(bool(button))
        self.setVisible(bool(sentence))
        self._gone.stop()
        if sentence and not button:
            self._gone.start()

    def set_look(self, look: Look) -> None:
        self.words.setFont(look.small)
        self.button.setFont(look.small)
