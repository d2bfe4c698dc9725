"""What an empty chat shows: three questions to try."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Welcome(QWidget):
    """Teaches by offering.

    chosen(str)  one of the questions
    """

    chosen = Signal(str)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headline = QLabel(self.tr("What would you like to know?"), self)
        self._hint = QLabel(
            self.tr("Try one, then add a preference such as “concise” and regenerate."),
            self,
        )
        self._questions = [self._question(text) for text in self._texts()]
        self._arrange()
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        headline = look.body
        large = type(headline)(headline)
        large.setPointSizeF(headline.pointSizeF() * 1.7)
        large.setWeight(large.Weight.DemiBold)
        self._headline.setFont(large)
        self._hint.setFont(look.plain)
        for question in self._questions:
            question.setFont(look.body)

    def _texts(self) -> tuple[str, str, str]:
        return (
            self.tr("How do I keep basil alive?"),
            self.tr("Why is the sky blue, and sunsets red?"),
            self.tr("Write a birthday message for a colleague."),
        )

    def _question(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("suggestion")
        button.setAccessibleName(self.tr("Ask: {0}").format(text))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(partial(self.chosen.emit, text))
        return button

    def _arrange(self) -> None:
        self._headline.setObjectName("headline")
        self._hint.setObjectName("muted")
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        for label in (self._headline, self._hint):
            label.setWordWrap(True)
            label.setContentsMargins(tokens.INSET, 0, 0, 0)
            stack.addWidget(label)
        stack.addSpacing(tokens.GAP_WIDE)
        for question in self._questions:
            stack.addWidget(question)
