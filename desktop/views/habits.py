"""How Attune asks and what it keeps: the switches under what was learned."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.heard import heard
from desktop.settings import paces
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.choice import Choice
from desktop.widgets.flow import FlowLayout
from desktop.widgets.toggle import Toggle
from engine.api import Trait

LONGEST = 300
"""Characters of a trait in the owner's own words."""


class Habits(QWidget):
    """Shows what is set.

    neutral_changed(bool)  the untouched model, or not
    pace_changed(int)      two answers at most once in so many questions
    keep_changed(bool)     questions and answers are kept with votes
    add_asked(str)         one more trait, in the owner's words
    erase_asked()          erase the questions and answers that were kept
    reset_asked()          start over
    restore_asked(Trait)   ask about a removed trait again
    """

    neutral_changed = Signal(bool)
    pace_changed = Signal(int)
    keep_changed = Signal(bool)
    add_asked = Signal(str)
    erase_asked = Signal()
    reset_asked = Signal()
    restore_asked = Signal(object)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.neutral = Toggle(self.tr("Neutral: the untouched model answers"), parent=self)
        self.keep = Toggle(self.tr("Keep questions and answers with votes"), parent=self)
        self.pace = Choice(paces(), name=self.tr("How often two answers"), parent=self)
        self.field = QLineEdit(self)
        self.add = QPushButton(self.tr("Add"), self)
        self.erase = QPushButton(self.tr("Erase kept texts"), self)
        self.reset = QPushButton(self.tr("Start over"), self)
        self._adding = QWidget(self)
        self._removed = QWidget(self)
        self._offers = FlowLayout()
        self._labels: list[QLabel] = []
        self._titles: list[QLabel] = []
        self._arrange()
        self._connect()
        self.set_look(look)

    def show_values(self, *, neutral: bool, pace: int, keep: bool) -> None:
        for toggle, value in ((self.neutral, neutral), (self.keep, keep)):
            blocked = toggle.blockSignals(True)
            toggle.setChecked(value)
            toggle.blockSignals(blocked)
        self.pace.show_value(pace)

    def show_learner(self, *, traits: bool, votes: int) -> None:
        """Without traits that can be read none can be added; without votes nothing starts over."""
        self._adding.setVisible(traits)
        self.reset.setEnabled(votes > 0)

    def show_kept(self, kept: bool) -> None:
        """Whether there are questions or answers that could be erased."""
        if not kept and self.erase.hasFocus():
            self.setFocus()  # else a second press of the key would hit the next button
        self.erase.setVisible(kept)

    def show_removed(self, traits: tuple[Trait, ...]) -> None:
        """Traits that are not asked about, each with a button that brings it back."""
        while (item := self._offers.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.deleteLater()
        for trait in traits:
            self._offers.addWidget(self._offer(trait))
        self._removed.setVisible(bool(traits))

    def set_look(self, look: Look) -> None:
        self.setFont(look.plain)
        title = tokens.strong(look.plain)
        for label in self._titles:
            label.setFont(title)
        for label in self._labels:
            label.setFont(look.small)
        for toggle in (self.neutral, self.keep):
            toggle.set_look(look)
        self.pace.set_look(look)
        for part in (self.neutral, self.keep, self.field, self.add, self.erase, self.reset):
            part.setFont(look.plain)

    # Parts ------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.neutral.toggled.connect(self.neutral_changed)
        self.keep.toggled.connect(self.keep_changed)
        self.pace.chosen.connect(self.pace_changed)
        self.field.returnPressed.connect(self._add)
        self.add.clicked.connect(self._add)
        self.erase.clicked.connect(self.erase_asked)
        self.reset.clicked.connect(self.reset_asked)

    def _add(self) -> None:
        if self.field.text().strip():
            self.add_asked.emit(self.field.text())

    def _arrange(self) -> None:
        self._name()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        inside = QVBoxLayout(self._adding)
        inside.setContentsMargins(0, 0, 0, tokens.GAP_WIDE)
        inside.setSpacing(tokens.GAP)
        inside.addWidget(self._title(self.tr("Add a trait in your own words"), self.field))
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP)
        row.addWidget(self.field, 1)
        row.addWidget(self.add)
        inside.addLayout(row)
        stack.addWidget(self._adding)
        below = QVBoxLayout(self._removed)
        below.setContentsMargins(0, 0, 0, tokens.GAP_WIDE)
        below.setSpacing(tokens.GAP)
        below.addWidget(self._title(self.tr("Not asked about"), self._removed))
        below.addLayout(self._offers)
        self._removed.hide()
        stack.addWidget(self._removed)
        stack.addWidget(self._title(self.tr("How often two answers"), self.pace))
        stack.addWidget(self.pace)
        stack.addSpacing(tokens.GAP)
        stack.addWidget(self.neutral, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(self.keep, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(self._label(self._kept()))
        stack.addWidget(self.erase, 0, Qt.AlignmentFlag.AlignLeft)
        self.erase.hide()
        stack.addSpacing(tokens.GAP_WIDE)
        stack.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(
            self._label(self.tr("No vote so far will count any more. Undo brings them back."))
        )

    def _offer(self, trait: Trait) -> QPushButton:
        words = self.tr("Ask about “{0}” again").format(heard(trait.more))
        button = QPushButton(words, self)
        button.setObjectName("plain")
        button.setAccessibleName(words)
        button.setFont(self.add.font())
        button.clicked.connect(lambda: self.restore_asked.emit(trait))
        return button

    def _name(self) -> None:
        for part in (self.neutral, self.keep, self.add, self.erase, self.reset):
            part.setAccessibleName(part.text())
        self.add.setAccessibleName(self.tr("Add this trait"))
        self.keep.setAccessibleDescription(self._kept())
        for button in (self.add, self.erase, self.reset):
            button.setObjectName("plain")
        self.field.setObjectName("field")
        self.field.setMaxLength(LONGEST)
        self.field.setPlaceholderText(self.tr("Begin with the answer, then explain."))
        self.field.setAccessibleName(self.tr("A trait in your own words"))

    def _kept(self) -> str:
        return self.tr(
            "Then you can read above what a vote was about. They stay on this computer; while this "
            "is off, only numbers about new answers are kept, and earlier texts stay until they "
            "are erased."
        )

    def _title(self, text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName("section")
        label.setBuddy(buddy)
        self._titles.append(label)
        return label

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName("muted")
        label.setWordWrap(True)
        self._labels.append(label)
        return label
