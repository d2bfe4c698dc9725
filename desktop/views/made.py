"""What the workshop made: a row for each, which opens to its card."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import workshop as words
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.made_card import MadeCard
from desktop.widgets.drawer import Drawer
from engine.api import Made


class MadeRow(QWidget):
    """One adapter or merged model; its card is built when it is first opened.

    add_asked(Made)     it shall be among the owner's models
    out_asked(Made)     it shall not be any more
    folder_asked(Made)  show where its file is
    remove_asked(Made)  delete its file
    spoken(str)         what the keys point at in its card
    grown()             its card is there
    """

    add_asked = Signal(object)
    out_asked = Signal(object)
    folder_asked = Signal(object)
    remove_asked = Signal(object)
    spoken = Signal(str)
    grown = Signal()

    def __init__(self, made: Made, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._made, self._look = made, look
        self.name, self.told, self.state = QLabel(self), QLabel(self), QLabel(self)
        self.add = self._button(self.tr("Add to my models"))
        self.out = self._button(self.tr("Take out of my models"))
        self.folder = self._button(self.tr("Show in folder"))
        self.remove = self._button(self.tr("Remove"))
        self._inside = QWidget(self)
        self.card: MadeCard | None = None
        self.drawer = Drawer(
            self._inside, beside=(self.add, self.out, self.folder, self.remove), parent=self
        )
        self._arrange()
        self._connect()
        self.show_made(made)
        self.set_look(look)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        inside = self.card.stops if self.card is not None else []
        return [self.drawer.line, self.add, self.out, self.folder, self.remove, *inside]

    def show_made(self, made: Made) -> None:
        self._made = made
        name, theirs = words.named(made.name), bool(made.model)
        self.name.setText(name)
        self.told.setText(words.told(made))
        self.state.setText(self.tr("In your models"))
        self.state.setVisible(theirs)
        if (self.add if theirs else self.out).hasFocus():
            self.setFocus()  # it goes away: a second press of the key must not hit its neighbour
        self.add.setVisible(not theirs)
        self.out.setVisible(theirs)
        self.remove.setVisible(not theirs)  # the engine would refuse it
        for button, said in (
            (self.add, self.tr("Add {0} to my models")),
            (self.out, self.tr("Take {0} out of my models")),
            (self.folder, self.tr("Show {0} in its folder")),
            (self.remove, self.tr("Remove {0}")),
        ):
            button.setAccessibleName(said.format(name))
        title = self.tr("What came of it")
        self.drawer.show_title(title, name=self.tr("{0}: what came of it").format(name))
        parts = [name, self.told.text(), self.state.text() if theirs else ""]
        self.setAccessibleName(". ".join(part for part in parts if part))

    def set_look(self, look: Look) -> None:
        self._look = look
        strong = tokens.strong(look.plain)
        self.name.setFont(strong)
        for part in (self.told, self.state, self.add, self.out, self.folder, self.remove):
            part.setFont(look.plain)
        self.drawer.set_look(look)
        if self.card is not None:
            self.card.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _open(self, opened: bool) -> None:
        if opened and self.card is None:
            self.card = MadeCard(self._made, self._look, parent=self._inside)
            self.card.spoken.connect(self.spoken)
            self._room.addWidget(self.card)
            self.card.show()
            self.grown.emit()

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("quiet")
        button.setProperty("soft", True)
        return button

    def _connect(self) -> None:
        self.drawer.line.toggled.connect(self._open)
        self.add.clicked.connect(lambda: self.add_asked.emit(self._made))
        self.out.clicked.connect(lambda: self.out_asked.emit(self._made))
        self.folder.clicked.connect(lambda: self.folder_asked.emit(self._made))
        self.remove.clicked.connect(lambda: self.remove_asked.emit(self._made))

    def _arrange(self) -> None:
        for label in (self.name, self.told):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(1)  # one long word is no reason for a wide page
            label.setContentsMargins(tokens.INSET, 0, 0, 0)
        for label in (self.told, self.state):
            label.setObjectName("muted")
        self._room = QVBoxLayout(self._inside)
        self._room.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        top.setSpacing(tokens.PADDING)
        top.addWidget(self.name, 1)
        top.addWidget(self.state, 0, Qt.AlignmentFlag.AlignTop)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(2)
        stack.addLayout(top)
        stack.addWidget(self.told)
        stack.addWidget(self.drawer)


class MadeList(QWidget):
    """All that was made, the newest first; signals as those of a row."""

    add_asked = Signal(object)
    out_asked = Signal(object)
    folder_asked = Signal(object)
    remove_asked = Signal(object)
    spoken = Signal(str)
    grown = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.rows: dict[str, MadeRow] = {}
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, tokens.INSET, 0)
        self._stack.setSpacing(tokens.PADDING)
        self.setAccessibleName(self.tr("Made here"))

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        return [stop for row in self.rows.values() for stop in row.stops]

    def show_made(self, made: Sequence[Made]) -> None:
        """Rows of what is still there stay as they are, open or closed."""
        wanted = {each.path: each for each in made}
        for path in [path for path in self.rows if path not in wanted]:
            row = self.rows.pop(path)
            if row.isAncestorOf(self.focusWidget()) or row.hasFocus():
                self.setFocus()  # else the key that is pressed next would hit another one
            row.hide()
            row.deleteLater()
        found = {path: self.rows.get(path) or self._row(each) for path, each in wanted.items()}
        self.rows = found
        for place, (path, row) in enumerate(found.items()):
            row.show_made(wanted[path])
            self._stack.insertWidget(place, row)

    def set_look(self, look: Look) -> None:
        self._look = look
        for row in self.rows.values():
            row.set_look(look)

    def _row(self, made: Made) -> MadeRow:
        row = MadeRow(made, self._look, parent=self)
        row.add_asked.connect(self.add_asked)
        row.out_asked.connect(self.out_asked)
        row.folder_asked.connect(self.folder_asked)
        row.remove_asked.connect(self.remove_asked)
        row.spoken.connect(self.spoken)
        row.grown.connect(self.grown)
        return row
