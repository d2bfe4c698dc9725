"""What an empty chat shows after a run that ended badly: how, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.heard import heard
from desktop.prose import LONGEST_NAME, brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.flow import FlowLayout
from engine.api import Ending, describe_launch


class LastEnd(QWidget):
    """One sheet, in the page itself: nothing waits for it.

    safe_asked()    go on in safe mode
    usual_asked()   go on as ever
    copy_asked()    put what a report should hold on the clipboard
    folder_asked()  show the folder of the log
    """

    safe_asked = Signal()
    usual_asked = Signal()
    copy_asked = Signal()
    folder_asked = Signal()

    def __init__(self, ending: Ending, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headline = QLabel(self.tr("The last run ended badly"), self)
        self._sentence = QLabel(self._how(ending), self)
        self._safe_mode = QLabel(
            self.tr(
                "In safe mode the starter model answers, on the processor alone, nothing is "
                "steered, and the usual settings act, for this run. Your own stay as they are, and "
                "so do chats and votes."
            ),
            self,
        )
        self.safe = self._button(self.tr("Go on in safe mode"), "plain", self.safe_asked)
        self.usual = self._button(self.tr("Go on as ever"), "plain", self.usual_asked)
        self.copy = self._button(self.tr("Copy diagnostics"), "quiet", self.copy_asked)
        self.folder = self._button(self.tr("Open the log folder"), "quiet", self.folder_asked)
        self._told = QLabel(self)
        self._arrange()
        self.set_look(look)

    @property
    def sentence(self) -> str:
        return self._sentence.text()

    def tell(self, sentence: str) -> None:
        """What became of a button."""
        self._told.setText(sentence)
        self._told.setAccessibleName(sentence)
        self._told.setVisible(bool(sentence))

    def set_look(self, look: Look) -> None:
        headline = look.body
        large = tokens.strong(headline, scale=1.4)
        self._headline.setFont(large)
        self._sentence.setFont(look.body)
        for part in (self._safe_mode, self.safe, self.usual):
            part.setFont(look.plain)
        for part in (self.copy, self.folder, self._told):
            part.setFont(look.small)

    def _how(self, ending: Ending) -> str:
        """In one sentence; names are of files, and what a machine says is technical."""
        if ending.doing == "loading":
            model = brief(ending.model, longest=LONGEST_NAME)
            if ending.launch is None:
                return self.tr("Attune stopped while it loaded {0}.").format(model)
            settings = heard(describe_launch(ending.launch))
            return self.tr("Attune stopped while it loaded {0} with {1}.").format(model, settings)
        if ending.doing == "trying":
            return self.tr("Attune stopped while it tried which settings work on this computer.")
        if ending.fault:
            return self.tr("Attune crashed ({0}).").format(brief(ending.fault))
        return self.tr("Attune stopped while its window was open.")

    def _button(self, text: str, kind: str, asked: SignalInstance) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(kind)
        button.setProperty("soft", kind == "quiet")
        button.setAccessibleName(text)
        button.clicked.connect(asked)
        return button

    def _arrange(self) -> None:
        self._headline.setObjectName("headline")
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.PADDING)
        for label in (self._headline, self._sentence, self._safe_mode, self._told):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setContentsMargins(tokens.INSET, 0, 0, 0)
        for label in (self._safe_mode, self._told):
            label.setObjectName("muted")
        self._told.hide()
        for label in (self._headline, self._sentence):
            stack.addWidget(label)
        stack.addWidget(self._row(self.safe, self.usual, inset=tokens.INSET))
        stack.addWidget(self._safe_mode)
        stack.addWidget(self._row(self.copy, self.folder, inset=0))
        stack.addWidget(self._told)

    def _row(self, *buttons: QPushButton, inset: int) -> QWidget:
        row = QWidget(self)
        flow = FlowLayout(row)
        flow.setContentsMargins(inset, 0, 0, 0)
        for button in buttons:
            flow.addWidget(button)
        return row
