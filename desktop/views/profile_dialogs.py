"""What a profile would change, and what goes into one: asked before either is done."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop import differences
from desktop.languages import tr
from desktop.profile_files import Looked
from desktop.style.tokens import Look
from desktop.widgets.change_table import ChangeTable
from desktop.widgets.choice import Choice
from desktop.widgets.leaf import Leaf
from desktop.widgets.toggle import Toggle

MERGE, REPLACE = 0, 1


class ImportPreview(Leaf):
    """Shows what a file would change; nothing is changed before a button says so.

    chosen(Looked, bool)  take it in; True where what is here counts no more
    """

    chosen = Signal(object, bool)

    def __init__(self, looked: Looked, look: Look, *, parent: QWidget) -> None:
        headline = differences.headline(looked.merge)
        super().__init__(look, title=tr("Import profile"), headline=headline, parent=parent)
        self._looked, self._kind = looked, MERGE
        ways = {MERGE: self.tr("Add to what is here"), REPLACE: self.tr("Replace what is here")}
        self.kind = Choice(ways, name=self.tr("How to take it in"), parent=self)
        self.kind.set_look(look)
        self.summary, self.rest = self.label(), self.label(muted=True)
        titles = self.tr("What"), self.tr("Now"), self.tr("Then")
        self.table = ChangeTable(titles, name=self.tr("What changes"))
        self.table.set_look(look)
        origin = self.label(differences.origin(looked.merge), muted=True)
        for part in (origin, self.kind, self.summary, self.table, self.rest):
            self.stack.addWidget(part)
        self._choose(MERGE)
        self.close_with_buttons()
        self.kind.chosen.connect(self._choose)
        self.go.clicked.connect(self.accept)
        self.kind.buttons[MERGE].setFocus()

    def accept(self) -> None:
        super().accept()
        self.chosen.emit(self._looked, self._kind == REPLACE)

    def _choose(self, kind: int) -> None:
        self._kind = kind
        diff = self._looked.replace if kind == REPLACE else self._looked.merge
        self.kind.show_value(kind)
        self.summary.setText(differences.summary(diff))
        rows = differences.rows(diff)
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        self.rest.setText(
            self.tr("There is nothing in it that is not here already.")
            if diff.empty
            else self.tr("What is not shown stays nearly as it is. You can undo it afterwards.")
        )
        self.name_go(self.tr("Replace") if kind == REPLACE else self.tr("Merge"))
        self.go.setEnabled(not diff.empty)
        self.adjustSize()


class ExportProfile(Leaf):
    """Asks what goes into a profile, before it is asked where that goes.

    chosen(bool)  write one, with the questions and answers of votes or without
    """

    chosen = Signal(bool)

    def __init__(self, look: Look, *, parent: QWidget) -> None:
        headline = tr("Export what I learned")
        super().__init__(look, title=tr("Export profile"), headline=headline, parent=parent)
        told = self.label(
            self.tr(
                "A small file with your votes as numbers, your traits and your preferences. It "
                "works on another computer, and with another model."
            ),
            muted=True,
        )
        self.texts = Toggle(self.tr("With the questions and answers of my votes"), parent=self)
        self.texts.setAccessibleName(self.texts.text())
        self.texts.setFont(look.plain)
        self.texts.set_look(look)
        self.stack.addWidget(told)
        self.stack.addWidget(self.texts)
        self.name_go(self.tr("Choose a place…"))
        self.close_with_buttons()
        self.go.clicked.connect(self.accept)

    def accept(self) -> None:
        super().accept()
        self.chosen.emit(self.texts.isChecked())
