"""A list whose rows say what something is and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.build_line import BuildLine
from desktop.widgets.flow import FlowLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Something that can be done with it.

    told  what the button says to those who do not see its row
    main  what one comes to the row for
    why   why it cannot be done now; "" where it can
    """

    id: str
    text: str
    told: str
    main: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row; empty texts take no room.

    state  how it stands, at the right of the name
    facts  on the line below the name
    note   on the line below that
    hint   what is shown to who rests the mouse on it
    """

    id: str
    name: str
    state: str = ""
    facts: str = ""
    note: str = ""
    hint: str = ""
    verbs: tuple[Verb, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is being done with a row.

    share   in [0, 1]; None before it is known
    words   what it is and how far; `doing` says more
    ending  it was told to stop
    """

    share: float | None
    words: str
    doing: str
    ending: bool


class EntryRow(QWidget):
    """Shows what it is given; while something is done with it, how far that is.

    asked(str)  the id of the Verb that was chosen
    stopped()   what is being done shall end
    """

    asked = Signal(str)
    stopped = Signal()

    def __init__(self, entry: Entry, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.entry = entry
        self.name, self.state = QLabel(self), QLabel(self)
        self.facts, self.note = QLabel(self), QLabel(self)
        self.buttons: dict[str, QPushButton] = {}
        self.line: BuildLine | None = None
        self._verbs = QWidget(self)
        self._flow = FlowLayout(self._verbs)
        self._arrange()
        self._write(entry)
        self.set_look(look)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the left."""
        line = [self.line.cancel] if self.line is not None else []
        return [*self.buttons.values(), *line]

    def show_entry(self, entry: Entry) -> None:
        if entry != self.entry:
            self._write(entry)

    def show_work(self, work: Work | None) -> None:
        """None where nothing is being done with it."""
        if work is None and self.line is None:
            return
        line = self.line or self._make_line()
        if line.focused if work is None else self._verbs.isAncestorOf(self.focusWidget()):
            self.setFocus()  # it goes away: a second press of the key must not hit what comes
        line.setVisible(work is not None)
        self._verbs.setVisible(work is None)
        self.note.setVisible(work is None and bool(self.entry.note))
        if work is not None:
            line.show_progress(work.share, words=work.words, doing=work.doing)
            line.show_ending(work.ending)

    def set_look(self, look: Look) -> None:
        self._look = look
        strong = tokens.strong(look.plain)
        self.name.setFont(strong)
        for part in (self.state, self.facts, *self.buttons.values()):
            part.setFont(look.plain)
        self.note.setFont(look.small)
        if self.line is not None:
            self.line.set_look(look)

    # Parts ------------------------------------------------------------------------------

    @property
    def _working(self) -> bool:
        return self.line is not None and not self.line.isHidden()

    def _write(self, entry: Entry) -> None:
        self.entry = entry
        for label, text in (
            (self.name, entry.name), (self.state, entry.state), (self.facts, entry.facts),
            (self.note, entry.note),
        ):  # fmt: skip
            label.setText(text)
            label.setVisible(bool(text) and (label is not self.note or not self._working))
        self.facts.setToolTip(hint(entry.hint))
        told = (entry.name, entry.state, entry.facts, entry.note)
        self.setAccessibleName(". ".join(text for text in told if text))
        wanted = {verb.id: verb for verb in entry.verbs}
        for id in [id for id in self.buttons if id not in wanted]:
            self._drop(self.buttons.pop(id))
        for place, verb in enumerate(entry.verbs):
            self._show_verb(self.buttons.get(verb.id) or self._button(verb, place), verb)
        self.buttons = {id: self.buttons[id] for id in wanted}
        framed = bool(entry.verbs) and entry.verbs[0].main
        self._flow.setContentsMargins(
            *((tokens.INSET, tokens.GAP_SMALL) if framed else (0, 0)), 0, 0
        )

    def _show_verb(self, button: QPushButton, verb: Verb) -> None:
        if verb.why and button.hasFocus():
            self.setFocus()  # else the keyboard would go on to the next button by itself
        button.setEnabled(not verb.why)
        button.setText(verb.text)
        button.setAccessibleName(verb.told)
        button.setAccessibleDescription(verb.why)
        button.setToolTip(hint(verb.why))

    def _button(self, verb: Verb, place: int) -> QPushButton:
        button = QPushButton(self._verbs)
        button.setObjectName("plain" if verb.main else "quiet")
        button.setProperty("soft", not verb.main)
        button.setFont(self._look.plain)
        button.clicked.connect(lambda: self.asked.emit(verb.id))
        self._flow.insert(place, button)
        button.show()
        self.buttons[verb.id] = button
        return button

    def _drop(self, button: QPushButton) -> None:
        if button.hasFocus():
            self.setFocus()
        button.hide()
        self._flow.removeWidget(button)
        button.deleteLater()

    def _make_line(self) -> BuildLine:
        name = self.entry.name
        self.line = BuildLine(
            self._look,
            name=self.tr("How far it is with {0}").format(name),
            stop=self.tr("Stop"),
            stop_name=self.tr("Stop: {0}").format(name),
            kept=self.tr("What came so far is kept"),
        )
        self.line.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, 0, 0)
        self.line.cancel.clicked.connect(self.stopped)
        self._stack.addWidget(self.line)
        return self.line

    def _arrange(self) -> None:
        for label in (self.name, self.facts, self.note):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(1)  # one long word is no reason for a wide page
            label.setContentsMargins(tokens.INSET, 0, 0, 0)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self.state, self.facts, self.note):
            label.setObjectName("muted")
        top = QHBoxLayout()
        top.setSpacing(tokens.PADDING)
        top.addWidget(self.name, 1)
        top.addWidget(self.state, 0, Qt.AlignmentFlag.AlignTop)
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(2)
        self._stack.addLayout(top)
        for part in (self.facts, self.note, self._verbs):
            self._stack.addWidget(part)


class EntryList(QWidget):
    """Rows that keep their place and the keyboard while others come and go.

    asked(str, str)  ids of the Entry and of the Verb that was chosen
    stopped()        what is being done with a row shall end
    """

    asked = Signal(str, str)
    stopped = Signal()

    def __init__(self, look: Look, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._working = ""
        self.rows: dict[str, EntryRow] = {}
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, tokens.INSET, 0)
        self._stack.setSpacing(tokens.PADDING)
        self.setAccessibleName(name)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        return [stop for row in self.rows.values() for stop in row.stops]

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; ids are unique."""
        wanted = {entry.id: entry for entry in entries}
        for id in [id for id in self.rows if id not in wanted]:
            self._drop(self.rows.pop(id))
        moved = list(self.rows) != list(wanted)
        self.rows = {id: self.rows.get(id) or self._row(entry) for id, entry in wanted.items()}
        for place, (id, row) in enumerate(self.rows.items()):
            row.show_entry(wanted[id])
            if moved:
                self._stack.insertWidget(place, row)
                row.show()  # now, so that the keyboard can go to it

    def show_work(self, id: str, work: Work | None) -> EntryRow | None:
        """Something is being done with this row, and with no other; returns it if it is there."""
        before = self.rows.get(self._working)
        if before is not None and (self._working != id or work is None):
            before.show_work(None)
        row = self.rows.get(id) if work is not None else None
        self._working = id if row is not None else ""
        if row is not None:
            row.show_work(work)
        return row

    def set_look(self, look: Look) -> None:
        self._look = look
        for row in self.rows.values():
            row.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _row(self, entry: Entry) -> EntryRow:
        row = EntryRow(entry, self._look, parent=self)
        row.asked.connect(lambda verb: self.asked.emit(entry.id, verb))
        row.stopped.connect(self.stopped)
        return row

    def _drop(self, row: EntryRow) -> None:
        if row.hasFocus() or row.isAncestorOf(self.focusWidget()):
            self.setFocus()  # else the key that is pressed next would hit another one
        row.hide()
        row.deleteLater()
