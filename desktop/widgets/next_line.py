"""One quiet line: who answers next and why, and the way to another one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class NextLine(QWidget):
    """Shows what it is given.

    chosen(str)  the id of the member that shall answer next instead
    """

    chosen = Signal(str)

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QLabel(self)
        self.label.setObjectName("muted")
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.menu = QMenu(self.tr("Use another"), self)
        self.button = QPushButton(self.tr("Use another"), self)
        self.button.setObjectName("quiet")
        self.button.setProperty("soft", True)
        self.button.setMenu(self.menu)
        self.button.setAccessibleName(self.tr("Use another setting for the next answer"))
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.INSET, 0, 0, 0)
        row.setSpacing(tokens.GAP_SMALL)
        row.addWidget(self.label, 100)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        self.hide()

    def show_next(
        self,
        text: str,
        *,
        others: Sequence[tuple[str, str]],
        refused: Sequence[str] = (),
    ) -> None:
        """others  id and name; refused  what cannot be had, each with the reason"""
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self.menu.clear()
        for id, name in others:
            action = QAction(name.replace("&", "&&"), self.menu)
            action.triggered.connect(lambda _=False, id=id: self.chosen.emit(id))
            self.menu.addAction(action)
        for reason in refused:
            action = QAction(reason.replace("&", "&&"), self.menu)
            action.setEnabled(False)
            self.menu.addAction(action)
        self.button.setVisible(bool(others or refused))
        self._fit()
        self.setVisible(bool(text))

    def open(self) -> None:
        if self.button.isVisible():
            self.button.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.button.showMenu()

    def set_look(self, look: Look) -> None:
        for part in (self.label, self.button):
            part.setFont(look.small)
        self._fit()

    def _fit(self) -> None:
        """The button stands right behind the sentence."""
        text = self.label.text()
        self.label.setMaximumWidth(self.label.fontMetrics().horizontalAdvance(text) + 4)
