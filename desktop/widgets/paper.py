"""A page beside the conversation: a column that scrolls, and a line at its foot."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.column import Column
from desktop.widgets.said import Said

TITLE = 1.7
"""Size of the title relative to the text."""


MARGIN = 40
"""Pixels above and below what is scrolled to."""


class Paper(QWidget):
    """Has a title, a lead and a line that teaches; what follows them is put into `stack`.

    told(str)  something happened that who listens should hear
    """

    told = Signal(str)

    def __init__(self, look: Look, *, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._area, self._column = QScrollArea(self), Column(look.page_measure)
        self._title, self._lead, self._teach = QLabel(title), QLabel(), QLabel()
        self.said = Said(look)
        self._bar = QFrame(self)
        self._foot = Column(look.page_measure)
        self._foot.setObjectName("")
        self.setObjectName("stack")
        self.setAccessibleName(title)
        self._arrange_area(title)
        self._arrange_heading()
        self._arrange_foot()

    @property
    def stack(self) -> QVBoxLayout:
        return self._column.stack

    @property
    def headline(self) -> str:
        return f"{self._title.text()} {self._lead.text()}"

    def teach(self, text: str) -> None:
        """What is to be known of the page; an empty text takes no room."""
        self._teach.setText(text)
        self._teach.setVisible(bool(text))

    def say(self, sentence: str, *, button: str = "", aloud: bool = True) -> None:
        """A sentence at the foot, in sight wherever the page is scrolled to."""
        self.said.show_sentence(sentence, button=button)
        self._foot.set_bar(self._area.width() - self._area.viewport().width())
        self._bar.show()
        if aloud and self.isVisible():
            self.told.emit(sentence)

    def hush(self) -> None:
        """Nothing at the foot."""
        self.said.show_sentence("")
        self._bar.hide()

    def reveal(self, part: QWidget, y: int) -> None:
        """Scroll to where this height of a part can be seen."""
        spot = part.mapTo(self._column, QPoint(0, y))
        self._area.ensureVisible(spot.x(), spot.y(), 0, MARGIN)

    def set_look(self, look: Look) -> None:
        for column in (self._column, self._foot):
            column.set_measure(look.page_measure)
        large = tokens.strong(look.body, scale=TITLE)
        self._title.setFont(large)
        self._lead.setFont(look.body)
        self._teach.setFont(look.plain)
        self.said.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _arrange_area(self, title: str) -> None:
        self._area.setObjectName("page")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setAccessibleName(title)
        self._area.setWidget(self._column)

    def _arrange_heading(self) -> None:
        self._title.setObjectName("headline")
        self._lead.setObjectName("headline")
        self._teach.setObjectName("muted")
        self.stack.setContentsMargins(0, tokens.GUTTER + tokens.GAP, 0, tokens.GUTTER)
        self.stack.setSpacing(tokens.GAP)
        for label in (self._title, self._lead, self._teach):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
            self.stack.addWidget(label)

    def _arrange_foot(self) -> None:
        self._bar.setObjectName("said")
        inside = QVBoxLayout(self._bar)
        inside.setContentsMargins(0, tokens.GAP, 0, tokens.GAP)
        inside.addWidget(self._foot)
        self._foot.stack.addWidget(self.said)
        self._bar.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._area, 1)
        outer.addWidget(self._bar)
