"""A field that looks for chats while one types."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

LONGEST = 200
"""Characters that are searched for."""


class SearchField(QLineEdit):
    """Escape clears it, and leaves it where there is nothing to clear.

    searched(str)  what stands in it
    down_asked()   on to what was found
    left()         back to where one was
    """

    searched = Signal(str)
    down_asked = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("field")
        self.setMaxLength(LONGEST)
        self.setPlaceholderText(self.tr("Search"))
        self.setAccessibleName(self.tr("Search all chats"))
        self.setMinimumWidth(1)
        self.textChanged.connect(self.searched)
        self.returnPressed.connect(self.down_asked)

    # Qt ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # Escape is for this field, and does not stop the answer at the same time.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.accept()
            if self.text():
                self.clear()
            else:
                self.left.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.down_asked.emit()
        else:
            super().keyPressEvent(event)
