"""How strongly the preferences pull, in words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from desktop.style import tokens

STEPS = 40
PAGE = 4


class Strength(QWidget):
    """A slider with a word beside it.

    changed(float)  the owner moved it; a fraction in [0, 1]
    """

    changed = Signal(float)

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setObjectName("strength")
        self._slider.setRange(0, STEPS)
        self._slider.setPageStep(PAGE)
        self._slider.setFixedWidth(tokens.SLIDER_WIDTH)
        self._slider.setAccessibleName(self.tr("Strength of the preferences"))
        self._label = QLabel(self.tr("&Strength"), self)
        self._label.setBuddy(self._slider)
        self._word = QLabel(self)
        self._word.setObjectName("muted")
        self._word.setTextFormat(Qt.TextFormat.PlainText)
        self._arrange()
        self._slider.valueChanged.connect(self._moved)

    def show_fraction(self, fraction: float, *, resting: bool) -> None:
        """Show a strength without telling anybody; `resting` while it has no effect."""
        self.setEnabled(not resting)
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(round(fraction * STEPS))
        self._slider.blockSignals(blocked)
        self._name(self.tr("resting") if resting else self.words(fraction))

    def words(self, fraction: float) -> str:
        """The strength in words, with a warning where it is due."""
        if fraction == 0:
            return self.tr("only a hint")
        if fraction < 0.15:
            return self.tr("light")
        if fraction < 0.4:
            return self.tr("clear")
        if fraction < 0.7:
            return self.tr("strong")
        return self.tr("very strong, may become repetitive")

    def _moved(self, value: int) -> None:
        self._name(self.words(value / STEPS))
        self.changed.emit(value / STEPS)

    def _name(self, word: str) -> None:
        self._word.setText(word)
        self._slider.setAccessibleDescription(word)
        self.updateGeometry()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.GAP)
        for part in (self._label, self._slider, self._word):
            row.addWidget(part)
