"""One trait in words, the votes behind it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import findings
from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.flow import FlowLayout
from engine.api import LearnedTrait, PastVote

SHOWN = 5
"""Votes that are seen without scrolling."""


class TraitDetail(QWidget):
    """Shows a trait; the buttons concern it, or the vote that is selected.

    delete_asked(PastVote)      this vote shall not count
    forget_asked(LearnedTrait)  earlier votes shall say nothing about it
    remove_asked(LearnedTrait)  it shall not be asked about
    """

    delete_asked = Signal(object)
    forget_asked = Signal(object)
    remove_asked = Signal(object)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trait: LearnedTrait | None = None
        self._votes: tuple[PastVote, ...] = ()
        self._title, self._belief = QLabel(self), QLabel(self)
        self._behind = QLabel(self)
        self.list = QListWidget(self)
        self.delete = self._button(self.tr("Delete this vote"))
        self.forget = self._button(self.tr("Forget this trait"))
        self.remove = self._button(self.tr("Stop asking"))
        self._arrange()
        self.set_look(look)

    @property
    def words(self) -> str:
        return self._belief.text()

    def show_trait(self, trait: LearnedTrait, votes: Sequence[PastVote]) -> None:
        """votes  those behind what is known of it, the newest first"""
        self._trait = trait
        self._title.setText("  ↔  ".join(findings.poles(trait)))
        told = (findings.belief(trait), findings.effect(trait), findings.reach(trait))
        self._belief.setText(" ".join(told[:2]) if findings.undecided(trait) else " ".join(told))
        self._belief.setAccessibleName(self._belief.text())
        if not votes and any(part.hasFocus() for part in (self.list, self.delete, self.forget)):
            self.setFocus()  # else a second press of the key would hit the next button
        self.forget.setEnabled(bool(votes))
        self._show_votes(tuple(votes))

    def set_look(self, look: Look) -> None:
        for part in (self._belief, self.list, self.delete, self.forget, self.remove):
            part.setFont(look.plain)
        title = tokens.strong(look.plain)
        self._title.setFont(title)
        self._behind.setFont(look.small)
        self._fit()

    # Parts ------------------------------------------------------------------------------

    def _show_votes(self, votes: tuple[PastVote, ...]) -> None:
        if votes != self._votes:
            kept = max(self.list.currentRow(), 0)
            self._votes = votes
            self.list.clear()
            for vote in votes:
                line = findings.past_vote(vote)
                item = QListWidgetItem(line)
                item.setToolTip(hint(line))
                self.list.addItem(item)
            self.list.setCurrentRow(min(kept, len(votes) - 1))
        for part in (self.list, self.delete):
            part.setVisible(bool(votes))
        self._behind.setText(
            self.tr("The votes behind it, the newest first:")
            if votes
            else self.tr("No vote stands behind it yet.")
        )
        self._fit()

    def _fit(self) -> None:
        height = self.list.fontMetrics().height() + tokens.GAP
        for row in range(self.list.count()):
            self.list.item(row).setSizeHint(QSize(0, height))
        self.list.setFixedHeight(height * max(min(self.list.count(), SHOWN), 1) + 2)

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        button.setAccessibleName(text)
        return button

    def _arrange(self) -> None:
        self.list.setObjectName("list")
        self.list.setAccessibleName(self.tr("Votes behind this trait"))
        self.list.setFrameShape(self.list.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._behind.setObjectName("muted")
        self.forget.setToolTip(self.tr("Earlier votes say nothing about it any more"))
        self.remove.setToolTip(self.tr("Attune neither asks about it nor steers by it"))
        self.delete.clicked.connect(self._delete)
        self.forget.clicked.connect(lambda: self.forget_asked.emit(self._trait))
        self.remove.clicked.connect(lambda: self.remove_asked.emit(self._trait))
        buttons = QWidget(self)
        row = FlowLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.delete, self.forget, self.remove):
            row.addWidget(button)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        for label in (self._title, self._belief, self._behind):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        for part in (self._title, self._belief, self._behind, self.list, buttons):
            stack.addWidget(part)

    def _delete(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._votes):
            self.delete_asked.emit(self._votes[row])
