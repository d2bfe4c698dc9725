"""The list of chats in the sidebar: the field above it, and what was done below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop.chat_words import Row
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.chat_list import ChatList
from desktop.widgets.search_field import SearchField
from desktop.widgets.side_note import SideNote


class ChatSide(QWidget):
    """Shows rows that it is given.

    chosen(Chat)              open it
    menu_asked(Chat, QPoint)  what else can be done with it
    searched(str)             look for this
    more_asked()              more of the list
    left()                    back to the conversation
    undo_asked()              take back what was done last
    """

    chosen = Signal(object)
    menu_asked = Signal(object, QPoint)
    searched = Signal(str)
    more_asked = Signal()
    left = Signal()
    undo_asked = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = SearchField(self)
        self.list = ChatList(look, name=self.tr("Chats"), parent=self)
        self.told = QLabel(self)
        self.note = SideNote(look, parent=self)
        self._arrange()
        self.field.searched.connect(self.searched)
        self.field.down_asked.connect(self.list.enter)
        self.field.left.connect(self.left)
        self.list.chosen.connect(self.chosen)
        self.list.menu_asked.connect(self.menu_asked)
        self.list.more_asked.connect(self.more_asked)
        self.note.chosen.connect(self.undo_asked)

    def show_rows(self, rows: Sequence[Row], *, more: bool, told: str) -> None:
        """told  what stands there instead of a list; "" where there is one"""
        self.list.show_rows(rows, more=more)
        self.told.setText(told)
        self.told.setAccessibleName(told)
        self.told.setVisible(bool(told))

    def begin_search(self) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def set_look(self, look: Look) -> None:
        self.field.setFont(look.small)
        self.told.setFont(look.small)
        self.list.set_look(look)
        self.note.set_look(look)

    def _arrange(self) -> None:
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setWordWrap(True)
        self.told.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, 0, 0)
        self.told.hide()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP_SMALL)
        stack.addWidget(self.field)
        stack.addWidget(self.told)
        stack.addWidget(self.list, 1)
        stack.addWidget(self.note)
