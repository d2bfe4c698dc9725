"""Two answers side by side, or stacked where there is no room, and the words to vote with."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.finishes import how_it_ended
from desktop.heard import heard
from desktop.pair import Pair
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.side import Side

LETTERS = ("A", "B")


class PairView(QWidget):
    """Shows a pair until one of its answers stands; `paint` brings it up to date.

    voted(str)         an Outcome
    skipped()          no vote, go on with the first
    link_chosen(str)   a link to the web in an answer
    copy_asked(str)    code of an answer
    """

    voted = Signal(str)
    skipped = Signal()
    link_chosen = Signal(str)
    copy_asked = Signal(str)

    def __init__(self, pair: Pair, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pair = pair
        self._look = look
        self.sides = tuple(Side(letter, look, parent=self) for letter in LETTERS)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.equal = self._button(self.tr("About equal"), "equal")
        self.neither = self._button(self.tr("Neither"), "neither")
        self.skip = self._button(self.tr("Skip"), "")
        self._words = QWidget(self)
        self._why = QLabel(self)
        self._arrange()
        self.set_look(look)

    @property
    def stacked(self) -> bool:
        return self._row.direction() == QBoxLayout.Direction.TopToBottom

    def paint(self) -> bool:
        """Show what the pair is now; True if there is more text than could be shown at once."""
        more = False
        offered = self.pair.stage in ("writing", "open", "voting")
        for number, side in enumerate(self.sides):
            if text := self.pair.text_of(number):
                side.show_text(text)
            side.setVisible(self.pair.stage != "cut" or number in self.pair.begun)
            side.show_end(how_it_ended(self.pair.finish_of(number)))
            more = side.advance() or more
            side.show_vote(enabled=self.pair.open, offered=offered)
        for button in (self.equal, self.neither, self.skip):
            button.setEnabled(self.pair.open)
        self._words.setVisible(offered)
        asked = self.tr("Why two? {0}")
        if self.pair.here:
            asked = self.tr("Why two? In this chat only its own votes count. {0}")
        self._why.setText(asked.format(heard(self.pair.why)))
        self._why.setVisible(bool(self.pair.why) and offered)
        return more

    def set_look(self, look: Look) -> None:
        self._look = look
        for side in self.sides:
            side.set_look(look)
        for part in (self.equal, self.neither, self.skip, self._why):
            part.setFont(look.small)
        self._turn()

    # Parts ------------------------------------------------------------------------------

    def _button(self, text: str, outcome: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("quiet")
        button.setAccessibleName(text)
        button.setEnabled(False)
        if outcome:
            button.clicked.connect(partial(self.voted.emit, outcome))
        else:
            button.clicked.connect(self.skipped)
        return button

    def _arrange(self) -> None:
        self._row.setSpacing(tokens.GAP_WIDE)
        for side, outcome in zip(self.sides, ("first", "second"), strict=True):
            side.chosen.connect(partial(self.voted.emit, outcome))
            side.link_chosen.connect(self.link_chosen)
            side.copy_asked.connect(self.copy_asked)
            self._row.addWidget(side, 1)
        words = QHBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(tokens.GAP_SMALL)
        words.addStretch(1)
        for button in (self.equal, self.neither, self.skip):
            words.addWidget(button)
        words.addStretch(1)
        self._why.setObjectName("muted")
        self._why.setTextFormat(Qt.TextFormat.PlainText)
        self._why.setWordWrap(True)
        self._why.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addLayout(self._row)
        stack.addWidget(self._words)
        stack.addWidget(self._why)

    def _turn(self) -> None:
        """Side by side where each has room for a line that can be read."""
        narrow = (self.width() - tokens.GAP_WIDE) // 2 < self._look.side_least
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(down if narrow else across)

    # Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._turn()
        super().resizeEvent(event)
