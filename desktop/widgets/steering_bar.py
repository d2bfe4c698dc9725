"""Preferences, their strength, and the switch that rests them, in one row that can wrap."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.chips import Chips
from desktop.widgets.flow import FlowLayout
from desktop.widgets.strength import Strength
from desktop.widgets.toggle import Toggle


class SteeringBar(QWidget):
    """Shows what steers the next answer.

    add_asked(str)           one more preference
    remove_asked(int)        one less, by index
    strength_changed(float)  in [0, 1]
    neutral_changed(bool)    the untouched model, or not
    """

    add_asked = Signal(str)
    remove_asked = Signal(int)
    strength_changed = Signal(float)
    neutral_changed = Signal(bool)

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips = Chips(parent=self)
        self._controls = QWidget(self)
        self._strength = Strength(parent=self._controls)
        self._neutral = Toggle(self.tr("Neu&tral"), parent=self._controls)
        self._steers = False
        self._prepare()

    def show_values(
        self,
        words: tuple[str, ...],
        *,
        full: bool,
        strength: float,
        neutral: bool,
        learned: bool,
    ) -> None:
        """learned  something that votes taught acts on answers, too"""
        self._chips.show_words(words, full=full, resting=neutral)
        self._strength.show_fraction(strength, resting=neutral)
        # Without a preference there is nothing that could be strong.
        self._strength.setVisible(bool(words))
        blocked = self._neutral.blockSignals(True)
        self._neutral.setChecked(neutral)
        self._neutral.blockSignals(blocked)
        self._steers = bool(words) or neutral
        self.show_learned(learned)

    def show_learned(self, learned: bool) -> None:
        """Whether what votes taught acts: the switch is there whenever something steers."""
        self._neutral.setVisible(self._steers or learned)

    def begin_preference(self) -> None:
        self._chips.begin()

    def set_look(self, look: Look) -> None:
        self.setFont(look.plain)
        self._neutral.set_look(look)

    def _prepare(self) -> None:
        self._neutral.setAccessibleName(self.tr("Neutral answers"))
        told = self.tr("The untouched model answers; preferences and votes rest.")
        self._neutral.setToolTip(told)
        self._neutral.setAccessibleDescription(told)
        # Its room is there before it is: the question above it must not move at the first vote.
        room = self._neutral.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self._neutral.setSizePolicy(room)
        self._chips.add_asked.connect(self.add_asked)
        self._chips.remove_asked.connect(self.remove_asked)
        self._strength.changed.connect(self.strength_changed)
        self._neutral.toggled.connect(self.neutral_changed)
        row = FlowLayout(self._controls)
        row.setContentsMargins(tokens.INSET - tokens.GAP_SMALL, 0, 0, 0)
        row.setSpacing(tokens.GAP_WIDE)
        # The strength last: its word changes length while the slider moves.
        row.addWidget(self._neutral)
        row.addWidget(self._strength)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP_SMALL)
        stack.addWidget(self._chips)
        stack.addWidget(self._controls)
