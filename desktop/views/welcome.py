"""What an empty chat shows: three questions to try; on a first start, what Attune is, too."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Suggestion(QPushButton):
    """A question; of one that is longer than the button is wide, as much as there is room for."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self._whole = text

    # Qt ---------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - 2 * tokens.INSET
        elide = Qt.TextElideMode.ElideRight
        self.setText(self.fontMetrics().elidedText(self._whole, elide, room))


class Welcome(QWidget):
    """Teaches by offering.

    chosen(str)  one of the questions
    skipped()    the owner needs no introduction
    """

    chosen = Signal(str)
    skipped = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headline = QLabel(self)
        self._words = QLabel(self._introduction(), self)
        self._questions = [self._question(text) for text in self._texts()]
        self.skip = QPushButton(self.tr("Skip the introduction (Esc)"), self)
        self._arrange()
        self.set_look(look)
        self.show_greeting(False)

    def show_greeting(self, first: bool) -> None:
        """first  say what Attune is"""
        later = self.tr("What would you like to know?")
        self._headline.setText(self.tr("Welcome to Attune") if first else later)
        self._words.setVisible(first)
        self.skip.setVisible(first)

    def set_look(self, look: Look) -> None:
        headline = look.body
        large = tokens.strong(headline, scale=1.7)
        self._headline.setFont(large)
        self._words.setFont(look.body)
        self.skip.setFont(look.small)
        for question in self._questions:
            question.setFont(look.body)

    def _introduction(self) -> str:
        return self.tr(
            "A language model answers you here, on this computer, and learns from a few thumbs how "
            "you like to be answered. Nothing you write leaves this computer."
        )

    def _texts(self) -> tuple[str, str, str]:
        return (
            self.tr("How do I keep basil alive?"),
            self.tr("Why is the sky blue, and sunsets red?"),
            self.tr("Write a birthday message for a colleague."),
        )

    def _question(self, text: str) -> Suggestion:
        button = Suggestion(text, self)
        button.setObjectName("suggestion")
        button.setAccessibleName(self.tr("Ask: {0}").format(text))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(partial(self.chosen.emit, text))
        return button

    def _arrange(self) -> None:
        self._headline.setObjectName("headline")
        self._words.setObjectName("muted")
        self.skip.setObjectName("quiet")
        self.skip.setProperty("soft", True)
        self.skip.setAccessibleName(self.skip.text())
        self.skip.clicked.connect(self.skipped)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        for label in (self._headline, self._words):
            label.setWordWrap(True)
            label.setContentsMargins(tokens.INSET, 0, 0, 0)
            stack.addWidget(label)
        stack.addSpacing(tokens.GAP_WIDE)
        for question in self._questions:
            stack.addWidget(question)
        stack.addWidget(self.skip, 0, Qt.AlignmentFlag.AlignLeft)
