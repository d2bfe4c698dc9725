"""Erasing everything: a word that has to be typed, and the receipt."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from desktop import data as words
from desktop.languages import tr
from desktop.style.tokens import Look
from desktop.widgets.leaf import Leaf
from engine.api import Receipt, receipt_text

ROWS = 14
"""Lines of the receipt that are seen without scrolling."""


class EraseEverything(Leaf):
    """Nothing is erased by mistake.

    agreed()  the word was typed, and the button pressed
    """

    agreed = Signal()

    def __init__(self, look: Look, *, parent: QWidget) -> None:
        headline = tr("Erase everything that Attune keeps of you?")
        super().__init__(look, title=tr("Erase everything"), headline=headline, parent=parent)
        told = self.tr(
            "Chats, votes, what was learned, measured answers, adapters and models made here, "
            "settings, and all copies. There is no way back. Your model files stay where they are."
        )
        self.word = self.tr("erase")
        asked = self.tr("Type “{0}” to go on:").format(self.word)
        label = QLabel(asked, self)
        label.setFont(look.plain)
        self.field = QLineEdit(self)
        self.field.setObjectName("field")
        self.field.setAccessibleName(asked)
        self.field.setFont(look.plain)
        label.setBuddy(self.field)
        for part in (self.label(told), label, self.field):
            self.stack.addWidget(part)
        self.name_go(self.tr("Erase everything"))
        self.close_with_buttons()
        self.go.setEnabled(False)
        self.field.textChanged.connect(self._typed)
        self.field.returnPressed.connect(self._go)
        self.go.clicked.connect(self._go)
        self.field.setFocus()

    def _typed(self, text: str) -> None:
        self.go.setEnabled(text.strip().casefold() == self.word.casefold())

    def _go(self) -> None:
        if self.go.isEnabled():
            self.accept()
            self.agreed.emit()


class ReceiptView(Leaf):
    """Every file that is gone, and what stays. Kept nowhere, unless the owner saves it.

    save_asked(Receipt)  write it to a file
    """

    save_asked = Signal(object)

    def __init__(self, receipt: Receipt, look: Look, *, parent: QWidget) -> None:
        headline = words.gone(receipt)
        super().__init__(look, title=tr("Receipt"), headline=headline, parent=parent)
        self.text = QPlainTextEdit(receipt_text(receipt), self)
        self.text.setObjectName("field")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Receipt"))
        self.text.setFont(look.code)
        self.text.setMinimumHeight(self.text.fontMetrics().lineSpacing() * ROWS)
        self.stack.addWidget(self.text, 100)
        save = QPushButton(self.tr("Save receipt…"), self)
        self.save = save
        self.cancel.hide()
        self.name_go(self.tr("Close"))
        self.close_with_buttons(save)
        save.clicked.connect(lambda: self.save_asked.emit(receipt))
        self.go.clicked.connect(self.accept)
        self.go.setFocus()
