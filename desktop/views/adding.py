"""A model file of the owner's own, taken in where it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.build_line import BuildLine
from desktop.widgets.entries import Work


class Adding(QWidget):
    """A button; while a file is read, how far that is.

    asked()    let the owner pick a file
    stopped()  what is being read shall not be added
    """

    asked = Signal()
    stopped = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = QPushButton(self.tr("Add a file…"), self)
        self.add.setObjectName("plain")
        self.add.setAccessibleName(self.tr("Add a model from a file"))
        self.line = BuildLine(
            look,
            name=self.tr("How far the file is read"),
            stop=self.tr("Stop"),
            stop_name=self.tr("Stop adding the file"),
            kept=self.tr("Nothing is added then"),
        )
        self.line.hide()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addWidget(self.line)
        self.add.clicked.connect(self.asked)
        self.line.cancel.clicked.connect(self.stopped)
        self.set_look(look)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        return [self.add, self.line.cancel]

    def show_busy(self, busy: bool) -> None:
        """Something is done, this or something else."""
        if busy and self.add.hasFocus():
            self.setFocus()
        self.add.setEnabled(not busy)

    def show_work(self, work: Work | None) -> None:
        """None where no file is being read."""
        if work is None and self.line.focused:
            self.setFocus()  # else a second press of the key would hit what comes next
        self.line.setVisible(work is not None)
        if work is not None:
            self.line.show_progress(work.share, words=work.words, doing=work.doing)
            self.line.show_ending(work.ending)

    def set_look(self, look: Look) -> None:
        self.add.setFont(look.plain)
        self.line.set_look(look)
