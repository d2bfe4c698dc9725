"""Work that takes long: how far it has come, how long it will take, and the way to end it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

FINE = 1000
"""Steps of the bar."""


class BuildLine(QWidget):
    """Shows what it is given; `cancel` is the button."""

    def __init__(
        self,
        look: Look,
        *,
        name: str,
        stop: str,
        stop_name: str,
        kept: str,
        parent: QWidget | None = None,
    ) -> None:
        """
        name       of the bar, for those who cannot see it
        stop       what the button says; `stop_name` says it to those who see nothing around it
        kept       what stopping costs
        """
        super().__init__(parent)
        self.bar = QProgressBar(self)
        self.words, self.doing = QLabel(self), QLabel(self)
        self.cancel = QPushButton(stop, self)
        self.bar.setAccessibleName(name)
        self.cancel.setAccessibleName(stop_name)
        self.cancel.setToolTip(kept)
        self._arrange()
        self.set_look(look)

    def show_progress(self, share: float | None, *, words: str, doing: str) -> None:
        """share  in [0, 1]; None before it is known"""
        self.bar.setValue(round((share or 0.0) * FINE))
        self.bar.setAccessibleDescription(words)
        self.words.setText(words)
        self.doing.setText(doing)
        self.doing.setVisible(bool(doing))

    def show_ending(self, ending: bool) -> None:
        """It was cancelled, and will end soon."""
        if ending and self.cancel.hasFocus():
            self.setFocus()
        self.cancel.setEnabled(not ending)

    @property
    def focused(self) -> bool:
        """The keyboard is here."""
        return self.hasFocus() or self.cancel.hasFocus()

    def set_look(self, look: Look) -> None:
        for part in (self.words, self.cancel):
            part.setFont(look.plain)
        self.doing.setFont(look.small)

    def _arrange(self) -> None:
        self.bar.setObjectName("bar")
        self.bar.setRange(0, FINE)
        self.bar.setTextVisible(False)
        self.cancel.setObjectName("plain")
        self.doing.setObjectName("muted")
        for label in (self.words, self.doing):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(self.words)
        said.addWidget(self.doing)
        row = QHBoxLayout()
        row.setSpacing(tokens.PADDING)
        row.addLayout(said, 1)
        row.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignTop)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self.bar)
        stack.addLayout(row)
