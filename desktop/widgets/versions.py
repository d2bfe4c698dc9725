"""Which of several versions is shown, and the way to the others."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


class Versions(QWidget):
    """One line: ‹ 2 of 3 ›. Not there where there is one version only.

    chosen(str)  the id of another version
    """

    chosen = Signal(str)

    def __init__(
        self, look: Look, *, earlier: str, later: str, parent: QWidget | None = None
    ) -> None:
        """earlier, later  what the two buttons are called"""
        super().__init__(parent)
        self._ids: tuple[str, ...] = ()
        self._place = 0
        self.earlier, self.later = self._button("‹", earlier, -1), self._button("›", later, 1)
        self.words = QLabel(self)
        self.words.setObjectName("muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.GAP_SMALL, 0, 0, 0)
        row.setSpacing(0)
        for part in (self.earlier, self.words, self.later):
            row.addWidget(part)
        row.addStretch(1)
        self.set_look(look)
        self.hide()

    def show_versions(self, ids: tuple[str, ...], current: str, *, enabled: bool) -> None:
        """enabled  another one can be chosen now"""
        self._ids = ids
        self._place = ids.index(current) if current in ids else 0
        said = self.tr("{0} of {1}").format(self._place + 1, len(ids))
        self.words.setText(said)
        self.words.setAccessibleName(self.tr("Version {0}").format(said))
        self.earlier.setEnabled(enabled and self._place > 0)
        self.later.setEnabled(enabled and self._place + 1 < len(ids))
        self.setVisible(len(ids) > 1 and current in ids)

    def take_focus(self) -> None:
        """Put the keyboard on a button that leads on."""
        (self.later if self.later.isEnabled() else self.earlier).setFocus()

    def set_look(self, look: Look) -> None:
        for part in (self.earlier, self.words, self.later):
            part.setFont(look.small)

    def _button(self, text: str, name: str, step: int) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("quiet")
        button.setProperty("soft", True)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: self._go(step))
        return button

    def _go(self, step: int) -> None:
        self.chosen.emit(self._ids[self._place + step])
