"""Where the owner writes a question."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QTextEdit, QToolButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look

_PAGES: dict[int, int] = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


class Editor(QTextEdit):
    """Plain text that grows with its lines. Enter sends, Shift+Enter begins a new line; or
    Ctrl+Enter sends, and Enter begins one.

    enter_sends       which of the two it is
    send_asked()      the key that sends was pressed
    pages_asked(int)  Page Up (-1) or Page Down (1), which belong to the conversation
    focused(bool)     the keyboard came or went
    """

    send_asked = Signal()
    pages_asked = Signal(int)
    focused = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.enter_sends = True
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(tokens.GAP_SMALL)
        self.document().documentLayout().documentSizeChanged.connect(self.fit)
        self.viewport().setAutoFillBackground(False)

    def fit(self) -> None:
        """As high as the text, up to some lines; then it scrolls."""
        line = self.fontMetrics().lineSpacing()
        height = math.ceil(self.document().size().height())
        most = line * tokens.COMPOSER_LINES + 2 * tokens.GAP_SMALL
        self.setFixedHeight(max(line + 2 * tokens.GAP_SMALL, min(height, most)))

    @property
    def composing(self) -> bool:
        """An input method is in the middle of a word; Enter belongs to it."""
        return bool(self.textCursor().block().layout().preeditAreaText())

    # Qt ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # With nothing typed to take back, Undo belongs to the vote.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Undo)
            and not self.document().isUndoAvailable()
        ):
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not self.composing and self._sends(event):
            self.send_asked.emit()
        elif event.key() in _PAGES and not event.modifiers():
            self.pages_asked.emit(_PAGES[event.key()])
        else:
            super().keyPressEvent(event)

    def _sends(self, event: QKeyEvent) -> bool:
        if self.enter_sends:
            return not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():  # never an image or a file
            self.insertPlainText(source.text())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused.emit(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(80, super().minimumSizeHint().height())


class Composer(QFrame):
    """The editor and the button beside it, in one frame.

    send_asked()      the key that sends was pressed; `text` holds the question
    pages_asked(int)  the conversation should move by a page, -1 is up
    typed()           `text` is another
    """

    send_asked = Signal()
    pages_asked = Signal(int)
    typed = Signal()

    def __init__(self, *, send: QAction, stop: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._send, self._stop = send, stop
        self._editor = Editor(self)
        self._editor.setAccessibleName(self.tr("Your question"))
        self.set_send_key("enter")
        self._editor.setPlaceholderText(self.tr("Ask anything"))
        self._button = QToolButton(self)
        self._button.setObjectName("primary")
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_busy(False)
        self._arrange()
        self._editor.send_asked.connect(self.send_asked)
        self._editor.pages_asked.connect(self.pages_asked)
        self._editor.textChanged.connect(self.typed)
        self._editor.focused.connect(self._light)
        self.setFocusProxy(self._editor)

    @property
    def text(self) -> str:
        return self._editor.toPlainText()

    def clear(self) -> None:
        self._editor.clear()

    def put_back(self, text: str) -> None:
        """Give words back to edit, before whatever has been typed since."""
        typed = self._editor.toPlainText()
        self._editor.setPlainText(f"{text}\n\n{typed}" if typed.strip() else text)
        cursor = self._editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self._editor.setTextCursor(cursor)

    def set_send_key(self, key: Literal["enter", "ctrl+enter"]) -> None:
        """What sends from now on."""
        self._editor.enter_sends = key == "enter"
        told = {
            "enter": self.tr("Enter sends, Shift+Enter begins a line"),
            "ctrl+enter": self.tr("Ctrl+Enter sends, Enter begins a line"),
        }
        self._editor.setAccessibleDescription(told[key])

    def show_busy(self, busy: bool) -> None:
        """The one button sends, or stops the answer under way."""
        for action in self._button.actions():
            self._button.removeAction(action)
        action = self._stop if busy else self._send
        self._button.setDefaultAction(action)
        self._button.setAccessibleName(action.text().replace("&", ""))

    def set_look(self, look: Look) -> None:
        self._editor.setFont(look.body)
        self._editor.fit()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.GAP, tokens.GAP, tokens.GAP, tokens.GAP)
        row.addWidget(self._editor, 1)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignBottom)

    def _light(self, lit: bool) -> None:
        self.setProperty("lit", lit)
        self.style().polish(self)
