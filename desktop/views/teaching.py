"""Teaching a model a trait: which one, which model, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import workshop as words
from desktop.heard import heard
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.build_line import BuildLine
from desktop.widgets.flow import FlowLayout
from desktop.widgets.picker import Picker
from engine.api import ModelCard, Objective


class Teaching(QWidget):
    """Shows what it is given; while an adapter is trained, how far that is.

    asked(Objective, ModelCard)  train an adapter
    """

    asked = Signal(object, object)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._poles: tuple[Objective, ...] = ()
        self._bases: tuple[ModelCard, ...] = ()
        self._title = QLabel(self.tr("Teach a trait"), self)
        self.pole = Picker(name=self.tr("What it shall learn"), parent=self)
        self.base = Picker(name=self.tr("Which model shall learn it"), parent=self)
        self.train = QPushButton(self.tr("Train an adapter"), self)
        self.line = BuildLine(
            look,
            name=self.tr("How far the adapter is trained"),
            stop=self.tr("Stop"),
            stop_name=self.tr("Stop training"),
            kept=self.tr("It goes on there the next time"),
        )
        self._note, self._to = QLabel(self), QLabel(self.tr("to"), self)
        self._choices = QWidget(self)
        self._arrange()
        self.train.clicked.connect(self._ask)
        self.set_look(look)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        return [self.pole, self.base, self.train, self.line.cancel]

    def show_choices(self, poles: tuple[Objective, ...], bases: tuple[ModelCard, ...]) -> None:
        """What can be taught, and to which models."""
        self._poles, self._bases = poles, bases
        self.pole.show_words([(pole.id, heard(pole.name)) for pole in poles])
        self.base.show_words([(card.id, words.named(card.name)) for card in bases])
        for part in (self._to, self.base):
            part.setVisible(len(bases) > 1)

    def show_work(self, *, training: bool, busy: bool) -> None:
        """training  an adapter is made; busy  that, or something else"""
        self.line.setVisible(training)
        self._choices.setVisible(not training)
        possible = bool(self._poles and self._bases)
        self.train.setEnabled(possible and not busy)
        self._note.setText(self._remark(possible=possible, busy=busy))
        self._note.setVisible(not training)

    def set_look(self, look: Look) -> None:
        strong = tokens.strong(look.plain)
        self._title.setFont(strong)
        for part in (self.train, self._to):
            part.setFont(look.plain)
        self._note.setFont(look.small)
        for view in (self.pole, self.base, self.line):
            view.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _remark(self, *, possible: bool, busy: bool) -> str:
        if not possible:
            return self.tr("None of your models can learn here: that takes one of the llama type.")
        if busy:
            return self.tr("One thing is made at a time.")
        return self.tr(
            "It takes some minutes with a small model and longer with a large one. You can stop "
            "it and go on later, and chat meanwhile."
        )

    def _ask(self) -> None:
        poles = {pole.id: pole for pole in self._poles}
        bases = {card.id: card for card in self._bases}
        if self.pole.current in poles and self.base.current in bases:
            self.asked.emit(poles[self.pole.current], bases[self.base.current])

    def _arrange(self) -> None:
        self._title.setObjectName("section")
        self._title.setBuddy(self.pole)
        self.train.setObjectName("primary")
        self.train.setAccessibleName(self.train.text())
        self._to.setObjectName("muted")
        self._to.setBuddy(self.base)
        self._note.setObjectName("muted")
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setWordWrap(True)
        row = FlowLayout(self._choices)
        for part in (self.pole, self._to, self.base, self.train):
            row.addWidget(part)
        self._to.hide()
        self.base.hide()
        self.line.hide()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        for widget in (self._title, self._choices, self._note, self.line):
            stack.addWidget(widget)
