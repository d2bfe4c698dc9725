"""Deleted chats: brought back, or erased for good."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.actions import chats as actions
from desktop.chat_words import Row, title
from desktop.desk import Desk
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.chat_list import ChatList


class Trash(QDialog):
    """A list, and what can be done with the chat that the keyboard is on."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk = desk
        self.list = ChatList(look, name=self.tr("Deleted chats"), parent=self)
        self.restore = QPushButton(self.tr("Restore"), self)
        self.erase = QPushButton(self.tr("Erase for good…"), self)
        self._leave = QPushButton(self.tr("Close"), self)
        self._told = QLabel(self)
        self._arrange(look)
        self.restore.clicked.connect(self._restore)
        self.erase.clicked.connect(self._erase)
        self._leave.clicked.connect(self.accept)
        self.list.selectionModel().currentChanged.connect(self._show_choice)
        desk.chats.trash_changed.connect(self.refresh)
        self.refresh()
        desk.chats.fetch_trash()

    def refresh(self) -> None:
        """Show what was deleted."""
        place = max(0, self.list.currentIndex().row())
        trash = self._desk.chats.trash
        self.list.show_rows([Row(text=title(chat), chat=chat) for chat in trash])
        if self.list.current is None and trash:
            self.list.setCurrentIndex(self.list.rows.index(min(place, len(trash) - 1)))
        told = self.tr("Deleted chats can be had back for 30 days.")
        self._told.setText(told if trash else self.tr("There are no deleted chats."))
        self._show_choice()

    def _show_choice(self) -> None:
        for button in (self.restore, self.erase):
            button.setEnabled(self.list.current is not None)

    def _restore(self) -> None:
        if (chat := self.list.current) is not None:
            actions.undelete(self._desk, chat)

    def _erase(self) -> None:
        if (chat := self.list.current) is not None:
            actions.erase(self._desk, chat, parent=self)

    def _arrange(self, look: Look) -> None:
        self.setWindowTitle(self.tr("Deleted chats"))
        self.setFont(look.plain)
        self.resize(420, 460)
        for button in (self.restore, self.erase, self._leave):
            button.setObjectName("plain")
            button.setAccessibleName(button.text().rstrip("…"))
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.restore)
        row.addWidget(self.erase)
        row.addStretch(1)
        row.addWidget(self._leave)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(*[tokens.GUTTER] * 4)
        stack.setSpacing(tokens.PADDING)
        stack.addWidget(self._told)
        stack.addWidget(self.list, 1)
        stack.addLayout(row)
