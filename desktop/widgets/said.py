"""A sentence about what was done, and the button that takes it back."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Said(QWidget):
    """One line with at most one button.

    chosen()  the button was pressed
    """

    chosen = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton(self)
        self._button.setObjectName("plain")
        self._button.setAccessibleName(self.tr("Undo"))
        self._button.clicked.connect(self.chosen)
        self._wait = QTimer(self, singleShot=True, interval=QApplication.doubleClickInterval())
        self._wait.timeout.connect(partial(self._button.setEnabled, True))
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.INSET, 0, 0, 0)
        row.setSpacing(tokens.PADDING)
        row.addWidget(self._text, 100)
        row.addWidget(self._button)
        row.addStretch(1)
        self.set_look(look)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_sentence(
        self, sentence: str, *, button: str = "", name: str = "", quiet: bool = False
    ) -> None:
        """An empty sentence hides the line; without a button's word there is none."""
        self._text.setText(sentence)
        self._text.setAccessibleName(sentence)
        if button and button != self._button.text():
            # The second half of a double click on what stood here before is not meant for it.
            self._button.setEnabled(False)
            self._wait.start()
        self._button.setText(button)
        self._button.setAccessibleName(name or button or self.tr("Undo"))
        self._button.setVisible(bool(button))
        if quiet != (self._text.objectName() == "muted"):
            self._text.setObjectName("muted" if quiet else "")
            self.style().polish(self._text)
        self._fit()
        self.setVisible(bool(sentence))

    def set_look(self, look: Look) -> None:
        self._text.setFont(look.plain)
        self._button.setFont(look.small)
        self._fit()

    def _fit(self) -> None:
        """The button stands right behind the sentence."""
        self._text.setMaximumWidth(self._text.fontMetrics().horizontalAdvance(self.text) + 4)
