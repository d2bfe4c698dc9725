"""Making one model of several: which members, from which base, how, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import workshop as words
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.build_line import BuildLine
from desktop.widgets.flow import FlowLayout
from desktop.widgets.picker import Picker
from desktop.widgets.tick_row import TickRow
from engine.api import Fit, Made, ModelCard

LEAST = 2
"""Members of a merge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """What is known of the members that are ticked.

    found     by path
    checking  it is not known yet
    trouble   why it could not be found out; "" if it could
    """

    found: dict[str, Fit]
    checking: bool
    trouble: str


class Merging(QWidget):
    """Shows what it is given; what is ticked is its own.

    chosen()                            what is ticked, or the base, is another now
    asked(ModelCard, tuple, str)        merge these paths by this MergeMethod
    file_asked()                        take in a file from elsewhere
    grown()                             there are other rows now
    """

    chosen = Signal()
    asked = Signal(object, object, str)
    file_asked = Signal()
    grown = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._made: tuple[Made, ...] = ()
        self._files: list[str] = []
        self._bases: tuple[ModelCard, ...] = ()
        self._ticked: set[str] = set()
        self._fits = Fits(found={}, checking=False, trouble="")
        self._busy = False
        self.rows: dict[str, TickRow] = {}
        self._title = QLabel(self.tr("Merge several into one"), self)
        self._none, self._why, self._into = QLabel(self), QLabel(self), QLabel(self)
        self._list = QWidget(self)
        self.add = QPushButton(self.tr("Add a file…"), self)
        self.base = Picker(name=self.tr("What they were made from"), parent=self)
        self.method = Picker(name=self.tr("How they are merged"), parent=self)
        self.merge = QPushButton(self)
        self.line = BuildLine(
            look,
            name=self.tr("How far the merge is"),
            stop=self.tr("Stop"),
            stop_name=self.tr("Stop merging"),
            kept=self.tr("It goes on there the next time"),
        )
        self._choices = QWidget(self)
        self._arrange()
        self._connect()
        self.set_look(look)

    # What is chosen ---------------------------------------------------------------------

    @property
    def members(self) -> tuple[str, ...]:
        """Paths of what is ticked, from the top."""
        return tuple(path for path in self.rows if path in self._ticked)

    @property
    def fitting(self) -> tuple[str, ...]:
        """Of these, what can be merged."""
        found = self._fits.found
        return tuple(path for path in self.members if path in found and not found[path].problem)

    @property
    def start(self) -> ModelCard | None:
        """The base that is shown: what the ticked ones were made for, else what is chosen."""
        return next((card for card in self._bases if card.id == self.base.current), None)

    @property
    def _given(self) -> ModelCard | None:
        ticked = (made for made in self._made if made.path in self._ticked)
        return next(filter(None, (words.base_of(made, self._bases) for made in ticked)), None)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        rows = [row.toggle for row in self.rows.values()]
        return [*rows, self.add, self.base, self.method, self.merge, self.line.cancel]

    # What is shown ----------------------------------------------------------------------

    def show_choices(self, made: tuple[Made, ...], bases: tuple[ModelCard, ...]) -> None:
        """What was made here, and what can be started from."""
        before = self.members, self.start
        self._made, self._bases = made, bases
        self.base.show_words([(card.id, words.named(card.name)) for card in bases])
        self._list_rows()
        self._show_base()
        if (self.members, self.start) != before:
            self.chosen.emit()
        self._write()

    def show_fits(self, fits: Fits) -> None:
        self._fits = fits
        self._write()

    def show_work(self, *, merging: bool, busy: bool) -> None:
        """merging  a merge is made; busy  that, or something else"""
        self._busy = busy
        self.line.setVisible(merging)
        self._choices.setVisible(not merging)
        self._why.setVisible(not merging)
        self._write()

    def add_files(self, paths: list[str]) -> None:
        """Take these in, ticked: whoever adds one wants it merged."""
        self._files += [p for p in paths if p not in self.rows and p not in self._files]
        self._ticked.update(paths)
        self._list_rows()
        self._choose()

    def set_look(self, look: Look) -> None:
        self._look = look
        strong = tokens.strong(look.plain)
        self._title.setFont(strong)
        for part in (self._none, self._into, self.add, self.merge):
            part.setFont(look.plain)
        self._why.setFont(look.small)
        for picker in (self.base, self.method):
            picker.set_look(look)
        self.line.set_look(look)
        for row in self.rows.values():
            row.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _list_rows(self) -> None:
        """Rows of what is still there stay as they are, with the keyboard in them."""
        wanted = [*(made.path for made in self._made)]
        wanted += [path for path in self._files if path not in wanted]
        for path in [path for path in self.rows if path not in wanted]:
            row = self.rows.pop(path)
            if row.toggle.hasFocus():
                self.setFocus()  # else the key that is pressed next would hit another one
            row.hide()
            row.deleteLater()
        self.rows = {path: self.rows.get(path) or self._row(path) for path in wanted}
        for place, row in enumerate(self.rows.values()):
            self._members.insertWidget(place, row)
        self._ticked &= self.rows.keys()
        self._none.setVisible(not self.rows)
        self.grown.emit()

    def _row(self, path: str) -> TickRow:
        row = TickRow(self._look, parent=self._list)
        row.ticked.connect(partial(self._tick, path))
        return row

    def _write(self) -> None:
        """What each row says, and what the button does."""
        made = {each.path: each for each in self._made}
        for path, row in self.rows.items():
            name = made[path].name if path in made else Path(path).name
            line = self._line(path, made.get(path))
            row.show_row(words.named(name), line, ticked=path in self._ticked)
        count = len(self.fitting)
        self.merge.setText(words.merge_button(count))
        self.merge.setAccessibleName(self.merge.text())
        self.merge.setEnabled(count >= LEAST and not self._busy and self.start is not None)
        why = self._reason(count)
        self._why.setText(why)
        self.merge.setAccessibleDescription(why)

    def _line(self, path: str, made: Made | None) -> str:
        if path in self._ticked and (fit := self._fits.found.get(path)) is not None:
            return words.fitting(fit)
        if path in self._ticked and self._fits.checking:
            return self.tr("Checking whether it fits …")
        return words.nature(made) if made is not None else self.tr("A file that you added")

    def _reason(self, count: int) -> str:
        """Why nothing can be merged now, or what happens if it is."""
        if self._busy:
            return self.tr("One thing is made at a time.")
        if not self._bases:
            return self.tr("None of your models can be merged into: add one to your models first.")
        if len(self.members) < LEAST:
            return self.tr("Tick two or more.")
        if self._fits.trouble:
            return self._fits.trouble
        if self._fits.checking:
            return self.tr("Checking whether they fit together …")
        if count < LEAST:
            return self.tr("Fewer than two of those that are ticked fit.")
        left = len(self.members) - count
        if left:
            return self.tr("%n that do(es) not fit is/are left out.", "members", left)
        return self.tr(
            "It takes a minute by a quick method, and minutes to hours by one that learns."
        )

    def _show_base(self) -> None:
        """What was made here has its base; it cannot be another."""
        given = self._given
        if given is not None:
            self.base.show_chosen(given.id)
        self.base.setEnabled(given is None)
        told = self.tr("What is ticked was made from it") if given is not None else ""
        self.base.setAccessibleDescription(told)
        self.base.setToolTip(told)
        for part in (self._into, self.base):
            part.setVisible(len(self._bases) > 1)

    def _tick(self, path: str, ticked: bool) -> None:
        (self._ticked.add if ticked else self._ticked.discard)(path)
        self._choose()

    def _choose(self) -> None:
        self._show_base()
        self.chosen.emit()
        self._write()

    def _ask(self) -> None:
        start = self.start
        if start is not None:
            self.asked.emit(start, self.fitting, self.method.current)

    def _connect(self) -> None:
        self.add.clicked.connect(self.file_asked)
        self.base.chosen.connect(self._choose)
        self.merge.clicked.connect(self._ask)

    def _arrange(self) -> None:
        self._title.setObjectName("section")
        self._title.setBuddy(self.add)
        self._none.setText(
            self.tr("What you train appears here. Adapters and models from elsewhere can be added.")
        )
        self._into.setText(self.tr("Into"))
        self._into.setBuddy(self.base)
        for label in (self._none, self._why, self._into):
            label.setObjectName("muted")
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(label is not self._into)
        self.add.setObjectName("plain")
        self.add.setAccessibleName(self.tr("Add a file to be merged"))
        self.merge.setObjectName("primary")
        self.method.show_words(list(words.methods()))
        self._members = QVBoxLayout(self._list)
        self._members.setContentsMargins(0, 0, 0, 0)
        self._members.setSpacing(tokens.GAP)
        row = FlowLayout(self._choices)
        for part in (self._into, self.base, self.method, self.merge):
            row.addWidget(part)
        self._into.hide()
        self.base.hide()
        self.line.hide()
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        for widget in (self._title, self._none, self._list):
            stack.addWidget(widget)
        stack.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self._choices, self._why, self.line):
            stack.addWidget(widget)
