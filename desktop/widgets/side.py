"""One of two answers: its letter, its text, how it ended, and the button that says it is better."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.reader import Reader
from desktop.widgets.thumb import ROOM, SIZE, thumb


class Side(QFrame):
    """Both sides look alike; only the letter tells them apart.

    chosen()           this answer is the better one
    link_chosen(str)   a link to the web in it
    copy_asked(str)    code of it
    """

    chosen = Signal()
    link_chosen = Signal(str)
    copy_asked = Signal(str)

    def __init__(self, letter: str, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("side")
        self._letter = QLabel(letter, self)
        self.reader = Reader(look, parent=self)
        self.end = QLabel(self)
        self.button = QPushButton(self.tr("{0} is better").format(letter), self)
        self._prepare(letter)
        self._arrange()
        self._size(look)

    def show_text(self, source: str) -> None:
        """Markdown; `advance` shows it."""
        self.reader.show_markdown(source)

    def advance(self) -> bool:
        return self.reader.advance()

    def show_end(self, sentence: str) -> None:
        """Why it ended, where it did not come to its own end; "" where it did."""
        self.end.setText(sentence)
        self.end.setVisible(bool(sentence))

    def show_vote(self, *, enabled: bool, offered: bool) -> None:
        """Whether a vote can be given now, and whether it ever will."""
        self.button.setEnabled(enabled)
        self.button.setVisible(offered)

    def set_look(self, look: Look) -> None:
        self.reader.set_look(look)
        self._size(look)

    def _size(self, look: Look) -> None:
        self._letter.setFont(look.plain)
        self.end.setFont(look.small)
        self.button.setFont(look.plain)
        self.button.setIcon(thumb(look, leftward=self.isRightToLeft()))
        self.button.setIconSize(QSize(SIZE + ROOM, SIZE))

    def _prepare(self, letter: str) -> None:
        self._letter.setObjectName("letter")
        self.reader.setAccessibleName(self.tr("Answer {0}").format(letter))
        self.reader.link_chosen.connect(self.link_chosen)
        self.reader.copy_asked.connect(self.copy_asked)
        self.end.setObjectName("muted")
        self.end.setTextFormat(Qt.TextFormat.PlainText)
        self.end.setWordWrap(True)
        self.end.hide()
        self.button.setObjectName("vote")
        self.button.setAccessibleName(self.button.text())
        self.button.clicked.connect(self.chosen)
        self.button.setEnabled(False)

    def _arrange(self) -> None:
        stack = QVBoxLayout(self)
        stack.setContentsMargins(1, tokens.PADDING, 1, tokens.PADDING)
        stack.setSpacing(tokens.GAP)
        self._letter.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.addWidget(self._letter)
        stack.addWidget(self.reader)
        self.end.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.addWidget(self.end)
        stack.addStretch(1)
        foot = QVBoxLayout()
        foot.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, tokens.INSET, 0)
        foot.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addLayout(foot)
