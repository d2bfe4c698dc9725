"""The preferences as small removable words, and a field for one more."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QEvent, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QPushButton, QWidget

from desktop.prose import hint
from desktop.widgets import escape
from desktop.widgets.flow import FlowLayout

LONGEST = 200
"""Characters of one preference."""

SHOWN = 32
"""Characters of it on a chip; the tooltip has the rest."""


class WishField(QLineEdit):
    """A field that is there only while a preference is being written.

    left()  Escape, or the keyboard went elsewhere
    """

    left = Signal()

    def event(self, event: QEvent) -> bool:
        return escape.taken(event, leave=self.left.emit) or super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()


class Chips(QWidget):
    """Shows preferences in words.

    add_asked(str)     the owner wrote one more
    remove_asked(int)  the owner chose the chip with this index
    """

    add_asked = Signal(str)
    remove_asked = Signal(int)

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: list[QPushButton] = []
        self._resting = False
        self._flow = FlowLayout(self)
        self._wish = WishField(self)
        self._add = QPushButton(self.tr("+ preference"), self)
        self._prepare()

    def show_words(self, words: tuple[str, ...], *, full: bool, resting: bool) -> None:
        """One chip per preference; `resting` while they have no effect."""
        focused = next((i for i, chip in enumerate(self._chips) if chip.hasFocus()), None)
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.deleteLater()
        self._chips = [self._chip(i, word, resting) for i, word in enumerate(words)]
        for i, chip in enumerate(self._chips):
            self._flow.insert(i, chip)
            chip.show()
        self._add.setVisible(not full and self._wish.isHidden())
        self._order()
        if focused is not None:
            self._focus_near(focused)

    def begin(self) -> None:
        """Open the field for a new preference."""
        if self._add.isHidden() and self._wish.isHidden():
            return
        self._wish.clear()
        self._wish.show()
        self._add.hide()
        self._wish.setFocus(Qt.FocusReason.OtherFocusReason)

    def _prepare(self) -> None:
        self._add.setObjectName("quiet")
        self._add.setAccessibleName(self.tr("Add a preference"))
        self._add.clicked.connect(self.begin)
        self._wish.setObjectName("wish")
        self._wish.setMaxLength(LONGEST)
        self._wish.setMinimumWidth(220)
        self._wish.setPlaceholderText(self.tr("concise, warm, for a child"))
        self._wish.setAccessibleName(self.tr("New preference"))
        self._wish.setCompleter(self._suggestions())
        self._wish.returnPressed.connect(self._finish)
        self._wish.left.connect(self._close)
        self._wish.hide()
        self._flow.addWidget(self._wish)
        self._flow.addWidget(self._add)

    def _suggestions(self) -> QCompleter:
        words = self.tr("concise|detailed|simple words|formal|friendly|creative|step by step")
        completer = QCompleter(QStringListModel(words.split("|"), self), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        if (popup := completer.popup()) is not None:
            popup.setAccessibleName(self.tr("Suggested preferences"))
        return completer

    def _chip(self, index: int, word: str, resting: bool) -> QPushButton:
        short = word if len(word) <= SHOWN else f"{word[: SHOWN - 1]}…"
        chip = QPushButton(short.replace("&", "&&") + "  ✕", self)
        chip.setObjectName("chip")
        chip.setProperty("resting", resting)
        chip.setAccessibleName(self.tr("Remove the preference {0}").format(word))
        chip.setToolTip(hint(self.tr("Remove “{0}” (Alt+{1})").format(word, index + 1)))
        chip.clicked.connect(partial(self.remove_asked.emit, index))
        return chip

    def _order(self) -> None:
        row: list[QWidget] = [*self._chips, self._wish, self._add]
        for first, second in pairwise(row):
            self.setTabOrder(first, second)

    def _focus_near(self, index: int) -> None:
        if self._chips:
            self._chips[min(index, len(self._chips) - 1)].setFocus()
        else:
            self._add.setFocus()

    def _finish(self) -> None:
        text = self._wish.text()
        self._wish.clear()
        self._close()
        self._add.setFocus()
        if text.strip():
            self.add_asked.emit(text)

    def _close(self) -> None:
        if self._wish.isHidden():
            return
        had_focus = self._wish.hasFocus()
        self._wish.hide()
        self._add.show()
        if had_focus:
            self._add.setFocus()
