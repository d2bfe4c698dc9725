"""How much each objective matters to the owner: a slider each, with a word beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.elided import ElidedLabel

STEPS = 20
PAGE = 4
NEUTRAL = 0.5


class Slide(QSlider):
    """Leaves the wheel to the page that it is on."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Word(ElidedLabel):
    """Asks for the room of its longest text: the text changes while a slider moves."""

    def __init__(self, texts: Sequence[str], *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = tuple(texts)
        self.setObjectName("muted")

    def sizeHint(self) -> QSize:
        widest = max(self.fontMetrics().horizontalAdvance(text) for text in self._texts)
        return QSize(widest + tokens.GAP, super().sizeHint().height())


class Matters(QWidget):
    """Sliders in the order of the objectives.

    moved(str, float)  the owner moved the one with this id; in [0, 1]
    reset_asked()      all of them shall be left to the votes
    """

    moved = Signal(str, float)
    reset_asked = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._names: tuple[tuple[str, str], ...] = ()
        self.sliders: dict[str, Slide] = {}
        self.words: dict[str, Word] = {}
        self._labels: list[QLabel] = []
        self.reset = QPushButton(self.tr("Leave it to my votes"), self)
        self.reset.setObjectName("plain")
        self.reset.setAccessibleName(self.reset.text())
        self.reset.clicked.connect(self.reset_asked)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.PADDING)
        self._grid.setVerticalSpacing(tokens.GAP_SMALL)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addLayout(self._grid)
        stack.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        self.set_look(look)

    def show_values(self, names: Sequence[tuple[str, str]], values: dict[str, float]) -> None:
        """names  id and words of each objective; what has no value is neutral"""
        if tuple(names) != self._names:
            self._names = tuple(names)
            self._build()
        for id, slider in self.sliders.items():
            value = values.get(id, NEUTRAL)
            blocked = slider.blockSignals(True)
            slider.setValue(round(value * STEPS))
            slider.blockSignals(blocked)
            self._name(id, value)
        if not (moved := self._moved()) and self.reset.hasFocus():
            self.setFocus()
        self.reset.setEnabled(moved)

    def set_look(self, look: Look) -> None:
        self._look = look
        for part in (*self._labels, self.reset):
            part.setFont(look.plain)
        for word in self.words.values():
            word.setFont(look.small)

    # Parts ------------------------------------------------------------------------------

    def _build(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (part := item.widget()) is not None:
                part.hide()
                part.deleteLater()
        self.sliders.clear()
        self.words.clear()
        self._labels.clear()
        for row, (id, name) in enumerate(self._names):
            self._add(row, id, name)
        self.set_look(self._look)

    def _add(self, row: int, id: str, name: str) -> None:
        slider = Slide(Qt.Orientation.Horizontal, self)
        label, word = QLabel(name, self), Word(self._all(), parent=self)
        slider.setObjectName("strength")
        slider.setRange(0, STEPS)
        slider.setPageStep(PAGE)
        slider.setMinimumWidth(tokens.SLIDER_WIDTH // 2)
        slider.setMaximumWidth(tokens.SLIDER_WIDTH)
        slider.setAccessibleName(self.tr("How much {0} matters").format(name))
        slider.valueChanged.connect(partial(self._told, id))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setBuddy(slider)
        self.sliders[id], self.words[id] = slider, word
        self._labels.append(label)
        for column, part in enumerate((label, slider, word)):
            self._grid.addWidget(part, row, column)

    def _told(self, id: str, value: int) -> None:
        self._name(id, value / STEPS)
        self.reset.setEnabled(self._moved())
        self.moved.emit(id, value / STEPS)

    def _moved(self) -> bool:
        return any(slider.value() != round(NEUTRAL * STEPS) for slider in self.sliders.values())

    def _name(self, id: str, value: float) -> None:
        word = self._word(value)
        self.words[id].setText(word)
        self.sliders[id].setAccessibleDescription(word)

    def _all(self) -> tuple[str, ...]:
        return tuple(self._word(value / STEPS) for value in range(STEPS + 1))

    def _word(self, value: float) -> str:
        if value <= 0.0:
            return self.tr("hardly at all")
        if value < NEUTRAL - 0.01:
            return self.tr("less") if value > 0.2 else self.tr("much less")
        if value > NEUTRAL + 0.01:
            return self.tr("more") if value < 0.8 else self.tr("much more")
        return self.tr("as my votes say")
