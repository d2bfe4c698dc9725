"""The quiet left edge: where one is, and where else one can go."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Sidebar(QFrame):
    """Shows what it is given; the actions are the menu's own, the list of chats is another's."""

    def __init__(
        self,
        *,
        new_chat: QAction,
        chat: QAction,
        learned: QAction,
        portfolio: QAction,
        workshop: QAction,
        models: QAction,
        data: QAction,
        settings: QAction,
        chats: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(tokens.SIDEBAR)
        self._new = self._entry(self.tr("+  New chat"), new_chat, name=self.tr("New chat"))
        self.chat = self._entry(self.tr("Chat"), chat)
        self.learned = self._entry(self.tr("What I learned"), learned)
        self.portfolio = self._entry(self.tr("Portfolio"), portfolio)
        self.workshop = self._entry(self.tr("Workshop"), workshop)
        self.models = self._entry(self.tr("Models"), models)
        self.data = self._entry(self.tr("Your data"), data)
        self.settings = self._entry(self.tr("Settings"), settings)
        self._chats = chats
        self._count, self._share = QLabel(self.learned), QLabel(self.portfolio)
        self._craft, self._fetch = QLabel(self.workshop), QLabel(self.models)
        self._promise = QLabel(self.tr("Nothing you write leaves this computer."), self)
        self._promise.setWordWrap(True)
        self._promise.setContentsMargins(tokens.INSET, 0, 0, 0)
        self._arrange()
        self.show_place("chat")

    def show_votes(self, votes: int) -> None:
        """How many votes there are, small, beside what they taught."""
        self._count.setText(str(votes) if votes else "")
        self.learned.setAccessibleDescription(self.tr("%n vote(s)", "", votes))

    def show_build(self, share: str) -> None:
        """How far the models are measured, small; "" while they are not being."""
        self._share.setText(share)
        told = self.tr("{0} measured").format(share) if share else ""
        self.portfolio.setAccessibleDescription(told)

    def show_craft(self, share: str) -> None:
        """How far what the workshop makes is, small; "" while it makes nothing."""
        self._craft.setText(share)
        told = self.tr("{0} made").format(share) if share else ""
        self.workshop.setAccessibleDescription(told)

    def show_fetch(self, share: str) -> None:
        """How far the model is that is being got, or checked, small; "" while none is."""
        self._fetch.setText(share)
        told = self.tr("{0} done").format(share) if share else ""
        self.models.setAccessibleDescription(told)

    def show_place(self, place: str) -> None:
        """Mark the entry of what is on the screen."""
        for entry, its in (
            (self.chat, "chat"), (self.learned, "learned"), (self.portfolio, "portfolio"),
            (self.workshop, "workshop"), (self.models, "models"), (self.data, "data"),
            (self.settings, "settings"),
        ):  # fmt: skip
            here = place == its
            entry.setProperty("here", here)
            entry.setAccessibleName(
                self.tr("{0}, shown now").format(entry.text()) if here else entry.text()
            )
            entry.style().polish(entry)

    def set_look(self, look: Look) -> None:
        for entry in (
            self._new, self.chat, self.learned, self.portfolio, self.workshop, self.models,
            self.data, self.settings,
        ):  # fmt: skip
            entry.setFont(look.plain)
        for label in (self._count, self._share, self._craft, self._fetch, self._promise):
            label.setFont(look.small)

    def _entry(self, text: str, action: QAction, *, name: str = "") -> QPushButton:
        entry = QPushButton(text, self)
        entry.setObjectName("quiet")
        entry.setAccessibleName(name or text)
        entry.setToolTip(action.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
        entry.clicked.connect(action.trigger)
        return entry

    def _arrange(self) -> None:
        for entry, label in (
            (self.learned, self._count), (self.portfolio, self._share),
            (self.workshop, self._craft), (self.models, self._fetch),
        ):  # fmt: skip
            inside = QVBoxLayout(entry)
            inside.setContentsMargins(0, 0, tokens.PADDING, 0)
            inside.addWidget(label, 0, Qt.AlignmentFlag.AlignRight)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.GAP, tokens.PADDING, tokens.GAP, tokens.PADDING)
        stack.setSpacing(tokens.GAP_SMALL)
        stack.addWidget(self._new)
        stack.addSpacing(tokens.GAP_SMALL)
        stack.addWidget(self._chats, 1)
        stack.addSpacing(tokens.GAP_SMALL)
        stack.addWidget(self.chat)
        stack.addWidget(self.learned)
        stack.addWidget(self.portfolio)
        stack.addWidget(self.workshop)
        stack.addWidget(self.models)
        stack.addWidget(self.data)
        stack.addWidget(self.settings)
        stack.addSpacing(tokens.GAP_SMALL)
        stack.addWidget(self._promise)
