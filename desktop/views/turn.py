"""One question and its answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.conversation import Turn
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.reader import Reader


class NoticeLine(QLabel):
    """A quiet sentence in the conversation."""

    def __init__(self, text: str, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, 0, tokens.GAP_SMALL)
        self.setText(text)
        self.setAccessibleName(text)
        self.setFont(look.small)


class TurnView(QWidget):
    """Shows a turn as it grows; `paint` brings it up to date.

    link_chosen(str)   a link to the web in the answer
    copy_asked(str)    code of the answer
    """

    link_chosen = Signal(str)
    copy_asked = Signal(str)

    def __init__(self, turn: Turn, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.turn = turn
        self._look = look
        self._lines: list[NoticeLine] = []
        self._question = Reader(look, bubble=True, parent=self)
        self._answer = Reader(look, parent=self)
        self._state = NoticeLine("", look, parent=self)
        self._foot = QWidget(self)
        self._buttons = QHBoxLayout(self._foot)
        self._above, self._below = QVBoxLayout(), QVBoxLayout()
        self._arrange()
        self.paint()

    def paint(self) -> bool:
        """Show what the turn is now; True if there is more text than could be shown at once."""
        if self.turn.text:
            self._answer.show_markdown(self.turn.text)
            self._answer.show()
        more = self._answer.advance()
        self._show_notes()
        self._show_state()
        return more

    def offer(self, actions: list[QAction]) -> None:
        """Put actions on this answer under it: it is the last one, and done."""
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for action in actions:
            self._buttons.addWidget(self._button(action))
        self._buttons.addStretch(1)
        self._foot.setVisible(bool(actions))

    def set_look(self, look: Look) -> None:
        self._look = look
        self._question.set_look(look)
        self._answer.set_look(look)
        for line in (*self._lines, self._state):
            line.setFont(look.small)
        self._size_question()

    # Parts ------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self._question.setAccessibleName(self.tr("You asked"))
        self._answer.setAccessibleName(self.tr("Answer"))
        self._answer.hide()
        for reader in (self._question, self._answer):
            reader.link_chosen.connect(self.link_chosen)
            reader.copy_asked.connect(self.copy_asked)
        self._question.show_text(self.turn.question)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(0)
        self._foot.hide()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self._question)
        stack.addSpacing(tokens.GAP_SMALL)
        for part in (self._above, self._answer, self._below, self._state, self._foot):
            stack.addLayout(part) if isinstance(part, QVBoxLayout) else stack.addWidget(part)

    def _show_notes(self) -> None:
        shown = {line.text() for line in self._lines}
        for layout, sentences in ((self._above, self.turn.before), (self._below, self.turn.after)):
            for sentence in sentences:
                if sentence not in shown:
                    line = NoticeLine(sentence, self._look, parent=self)
                    layout.addWidget(line)
                    self._lines.append(line)

    def _show_state(self) -> None:
        text = self._words()
        self._state.setText(text)
        self._state.setAccessibleName(text)
        self._state.setVisible(bool(text))

    def _words(self) -> str:
        """What is happening to the answer, or how it ended."""
        match self.turn.state:
            case "waiting":
                return self.tr("Waiting for the model …")
            case "reading":
                return self.tr("Reading …")
            case "writing":
                return ""
        return "  ·  ".join(part for part in (self._ending(), self._steered()) if part)

    def _ending(self) -> str:
        if self.turn.broken:
            return self.tr("Interrupted: this is what there was.")
        match self.turn.answer.finish if self.turn.answer else "end":
            case "stopped":
                return self.tr("Stopped.")
            case "length":
                return self.tr("Ended at the longest answer allowed.")
            case "context":
                return self.tr("Ended because the context is full.")
        return ""

    def _steered(self) -> str:
        steering = self.turn.steering
        if steering.method == "base":
            return ""
        words = ", ".join(preference.text for preference in steering.preferences)
        return self.tr("Steered towards: {0}").format(words)

    def _button(self, action: QAction) -> QPushButton:
        button = QPushButton(action.iconText(), self._foot)
        button.setObjectName("quiet")
        button.setProperty("soft", True)
        button.setFont(self._look.small)
        button.setAccessibleName(action.text().replace("&", ""))
        native = QKeySequence.SequenceFormat.NativeText
        button.setToolTip(action.shortcut().toString(native))
        button.clicked.connect(action.trigger)
        return button

    def _size_question(self) -> None:
        room = self.width()
        ideal = self._question.ideal_width()
        self._question.setFixedWidth(max(min(ideal, room), 48))

    # Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._size_question()
