"""A file on the hub, named by its owner: for those who know which model they want."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.build_line import BuildLine
from desktop.widgets.drawer import Drawer
from desktop.widgets.entries import Work

LONGEST = 200
"""Characters of a repository and of a file."""


class NamedFile(QWidget):
    """Folded away until it is asked for.

    asked(str, str)  get this file: "owner/name" and "model.gguf"
    stopped()        what is being got shall end
    """

    asked = Signal(str, str)
    stopped = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._why = ""
        self._inside, self._fields = QWidget(self), QWidget()
        self.repository, self.file = QLineEdit(), QLineEdit()
        self.get = QPushButton(self.tr("Get it"))
        self._told = QLabel()
        self.line = BuildLine(
            look,
            name=self.tr("How far the file is"),
            stop=self.tr("Stop"),
            stop_name=self.tr("Stop getting the file"),
            kept=self.tr("What came so far is kept"),
        )
        self._labels: list[QLabel] = []
        self._arrange()
        self.drawer = Drawer(self._inside, parent=self)
        self.drawer.show_title(self.tr("Another one, by its name on the hub"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, tokens.INSET, 0)
        outer.addWidget(self.drawer)
        self._connect()
        self.set_look(look)
        self._show()

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        return [self.drawer.line, self.repository, self.file, self.get, self.line.cancel]

    def show_reason(self, why: str) -> None:
        """Why nothing can be got now; "" where it can."""
        self._why = why
        self._show()

    def show_work(self, work: Work | None) -> None:
        """None where no file is being got."""
        if self.line.focused if work is None else self.get.hasFocus():
            self.setFocus()  # else a second press of the key would hit what comes next
        self.line.setVisible(work is not None)
        self._fields.setVisible(work is None)
        if work is not None:
            self.drawer.line.setChecked(True)
            self.line.show_progress(work.share, words=work.words, doing=work.doing)
            self.line.show_ending(work.ending)

    def set_look(self, look: Look) -> None:
        for part in (self.repository, self.file, self.get, *self._labels):
            part.setFont(look.plain)
        self._told.setFont(look.small)
        self.drawer.set_look(look)
        self.line.set_look(look)

    # Parts ------------------------------------------------------------------------------

    @property
    def _wanted(self) -> tuple[str, str]:
        return self.repository.text().strip(), self.file.text().strip()

    def _show(self) -> None:
        ready = all(self._wanted) and not self._why
        if not ready and self.get.hasFocus():
            self.setFocus()
        self.get.setEnabled(ready)
        missing = self.tr("Name the repository and the file.")
        told = self.tr(
            "The hub is huggingface.co. The file has to be a GGUF model; it is compared with the "
            "hash that the hub tells. Attune has not tried it."
        )
        self._told.setText(self._why or told)
        self.get.setAccessibleDescription("" if ready else self._why or missing)

    def _ask(self) -> None:
        if self.get.isEnabled():
            self.asked.emit(*self._wanted)

    def _connect(self) -> None:
        for field in (self.repository, self.file):
            field.textChanged.connect(self._show)
            field.returnPressed.connect(self._ask)
        self.get.clicked.connect(self._ask)
        self.line.cancel.clicked.connect(self.stopped)

    def _arrange(self) -> None:
        self.get.setObjectName("plain")
        self.get.setAccessibleName(self.tr("Get the file that is named"))
        self._told.setObjectName("muted")
        self._told.setTextFormat(Qt.TextFormat.PlainText)
        self._told.setWordWrap(True)
        fields = QVBoxLayout(self._fields)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(tokens.GAP)
        for title, field, shown in (
            (self.tr("Repository"), self.repository, "owner/name-GGUF"),
            (self.tr("File"), self.file, "name-Q4_K_M.gguf"),
        ):
            label = QLabel(title)
            label.setBuddy(field)
            self._labels.append(label)
            field.setObjectName("field")
            field.setMaxLength(LONGEST)
            field.setPlaceholderText(shown)
            field.setAccessibleName(title)
            fields.addWidget(label)
            fields.addWidget(field)
        row = QHBoxLayout()
        row.addWidget(self.get)
        row.addStretch(1)
        fields.addLayout(row)
        self.line.hide()
        stack = QVBoxLayout(self._inside)
        stack.setContentsMargins(tokens.INSET, 0, 0, tokens.GAP)
        stack.setSpacing(tokens.GAP)
        for part in (self._fields, self.line, self._told):
            stack.addWidget(part)
