"""A line in which words are searched for in what is on the page."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets import escape
from desktop.widgets.column import Column
from desktop.widgets.search_field import SearchField

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class FindField(SearchField):
    """Leaves Escape to the line that it is in.

    up_asked()  back to what was found before
    """

    up_asked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        elif event.key() == Qt.Key.Key_Up or (shifted and event.key() in ENTER):
            self.up_asked.emit()
        else:
            super().keyPressEvent(event)


class FindLine(Column):
    """Says how many places there are, and leads from one to the next; Escape closes it.

    searched(str)  what stands in the field
    stepped(int)   1 to the next place, -1 to the one before
    left()         it shall close
    """

    searched = Signal(str)
    stepped = Signal(int)
    left = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look.measure, parent=parent)
        self.look = look
        self.field, self.count = FindField(), QLabel()
        self.previous = self._button(self.tr("Previous"), self.tr("Previous place"))
        self.following = self._button(self.tr("Next"), self.tr("Next place"))
        self.close_up = self._button(self.tr("Close"), self.tr("Close the search"))
        self._arrange()
        self._connect()
        self.set_look(look)

    @property
    def wanted(self) -> str:
        return self.field.text()

    def begin(self) -> None:
        """The keyboard is in the field, and what is typed stands in place of what was there."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def show_count(self, now: int, places: int, *, most: int) -> None:
        """Which of how many places one is at, from 1; with `most` there may be more of them."""
        number = QLocale().toString
        if not self.wanted:
            said = ""
        elif not places:
            said = self.tr("Nothing found")
        elif places < most:
            said = self.tr("{0} of {1}").format(number(now), number(places))
        else:
            said = self.tr("{0} of {1} or more").format(number(now), number(places))
        self.count.setText(said)
        self.count.setAccessibleName(said)
        for button in (self.previous, self.following):
            if not places and button.hasFocus():
                self.field.setFocus()
            button.setEnabled(places > 0)

    def set_look(self, look: Look) -> None:
        self.look = look
        self.set_measure(look.measure)
        for part in (self.field, self.count, self.previous, self.following, self.close_up):
            part.setFont(look.small)

    # Parts ------------------------------------------------------------------------------

    def _button(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName("quiet")
        button.setProperty("soft", True)
        button.setAccessibleName(name)
        return button

    def _arrange(self) -> None:
        self.field.setPlaceholderText(self.tr("Find in this chat"))
        self.field.setAccessibleName(self.tr("Find in this chat"))
        self.field.setMinimumWidth(80)
        self.count.setObjectName("muted")
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP_SMALL)
        row.addWidget(self.field, 1)
        row.addSpacing(tokens.GAP_SMALL)
        for part in (self.count, self.previous, self.following, self.close_up):
            row.addWidget(part)
        self.stack.setContentsMargins(0, tokens.GAP, 0, tokens.GAP)
        self.stack.addLayout(row)

    def _connect(self) -> None:
        self.field.searched.connect(self.searched)
        self.field.down_asked.connect(partial(self.stepped.emit, 1))
        self.field.up_asked.connect(partial(self.stepped.emit, -1))
        self.following.clicked.connect(lambda: self.stepped.emit(1))
        self.previous.clicked.connect(lambda: self.stepped.emit(-1))
        self.close_up.clicked.connect(lambda: self.left.emit())

    # Qt ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        return escape.taken(event, leave=self.left.emit) or super().event(event)
