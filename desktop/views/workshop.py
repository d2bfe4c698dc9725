"""The page "Workshop": teach a model a trait, merge several into one, see what came of it."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from desktop import workshop as words
from desktop.actions import workshop as actions
from desktop.crafting import Merge, Training
from desktop.desk import Desk
from desktop.heard import heard
from desktop.languages import tr
from desktop.portfolio import reached
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.made import MadeList
from desktop.views.merging import Fits, Merging
from desktop.views.teaching import Teaching
from desktop.widgets.build_line import BuildLine
from desktop.widgets.heat_map import HeatMap
from desktop.widgets.paper import Paper
from engine.api import Made


class WorkshopPage(Paper):
    """Shows what the desk knows of it, and passes on what its owner wants."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look, title=tr("Workshop"), parent=parent)
        self._desk = desk
        self.teaching = Teaching(look)
        self.merging = Merging(look)
        self.made = MadeList(look)
        self._made_title = QLabel(self.tr("Made here"))
        self._entering = False
        self._arrange()
        self._connect()
        self.set_look(look)
        self.refresh()

    def enter(self) -> None:
        """It comes on the screen: ask anew, and put the keyboard where something can be done."""
        self.hush()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._entering = True  # until it is known what there is to put the keyboard on
        self._desk.shelf.fetch()

    def refresh(self) -> None:
        """Show how everything stands."""
        shelf = self._desk.shelf
        self._show_heading()
        self.teaching.show_choices(shelf.poles, shelf.bases)
        self.merging.show_choices(shelf.made, shelf.bases)
        self.made.show_made(shelf.made)
        self._order()
        for part in (self.teaching, self.merging):
            part.setVisible(shelf.known)
        self._made_title.setVisible(bool(shelf.made))
        self.made.setVisible(bool(shelf.made))
        self._show_work()
        self._take_focus()

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        strong = tokens.strong(look.plain)
        self._made_title.setFont(strong)
        for part in (self.teaching, self.merging, self.made):
            part.set_look(look)

    # What there is ----------------------------------------------------------------------

    def _show_heading(self, _: object = None) -> None:
        shelf, teaching = self._desk.shelf, ""
        if shelf.trouble:
            lead = brief(shelf.trouble)
        elif not shelf.known:
            lead = self._desk.reading
        else:
            lead = words.headline(shelf.made)
            if not shelf.made:
                teaching = self.tr(
                    "An adapter is a small file with which a model answers in a way of itself, at "
                    "its plain speed, instead of being steered with every word. Merging makes one "
                    "model of several adapters or models, which keeps what each of them learned."
                )
        self._lead.setText(lead)
        self.teach(teaching)

    def _show_fits(self) -> None:
        shelf = self._desk.shelf
        trouble = brief(shelf.unfit)
        fits = Fits(found=dict(shelf.fits), checking=shelf.checking, trouble=trouble)
        self.merging.show_fits(fits)

    def _check(self) -> None:
        self._desk.shelf.check(self.merging.start, self.merging.members)

    # What is being made -----------------------------------------------------------------

    @property
    def line(self) -> BuildLine:
        """That of what is made now, or was made last."""
        merges = isinstance(self._desk.crafting.task, Merge)
        return self.merging.line if merges else self.teaching.line

    def _show_work(self) -> None:
        crafting = self._desk.crafting
        busy, task, progress = crafting.busy, crafting.task, crafting.progress
        if not busy and self.line.focused:
            self.setFocus()  # else a second press of the key would hit what comes next
        self.teaching.show_work(training=busy and isinstance(task, Training), busy=busy)
        self.merging.show_work(merging=busy and isinstance(task, Merge), busy=busy)
        if crafting.ending:
            said, doing = self.tr("Ending …"), self.tr("What was learned is kept.")
        else:
            said, doing = words.advancing(task, progress), words.step(progress)
        share = reached(progress) if progress is not None else None
        self.line.show_progress(share, words=said, doing=doing)
        self.line.show_ending(crafting.ending)

    def _began(self) -> None:
        self.hush()
        taken = self.teaching.train.hasFocus() or self.merging.merge.hasFocus()
        if taken:
            self.setFocus()
        self._show_work()
        if taken:
            self.line.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.isVisible():
            self.told.emit(words.doing(self._desk.crafting.task))

    def _finished(self, result: object) -> None:
        self.say(words.finished(result))

    def _said(self, sentence: str) -> None:
        self.say(brief(heard(sentence)))

    # What was made ----------------------------------------------------------------------

    def _add_files(self) -> None:
        self.merging.add_files(actions.pick_files(parent=self))

    def _show_folder(self, made: Made) -> None:
        if not actions.show_in_folder(made):
            self._said(self.tr("The folder cannot be opened. The file is {0}").format(made.path))

    def _remove(self, made: Made) -> None:
        actions.remove(self._desk, made, parent=self)

    def _spoken(self, text: str) -> None:
        """The keys point at something in a picture, which may be higher than the window."""
        picture = self.focusWidget()
        if isinstance(picture, HeatMap):
            self.reveal(picture, picture.mark.center().y())
        self.told.emit(text)

    # Joining ----------------------------------------------------------------------------

    def _order(self) -> None:
        """The keyboard goes from the top to the bottom, whenever a row was made."""
        for before, after in pairwise(
            [*self.teaching.stops, *self.merging.stops, *self.made.stops]
        ):
            QWidget.setTabOrder(before, after)

    def _take_focus(self) -> None:
        if not self._entering or not self._desk.shelf.known:
            return
        self._entering = False
        if not self.hasFocus():
            return
        busy = self._desk.crafting.busy
        part: QWidget = self.line.cancel if busy else self.teaching.pole
        if not part.isEnabled():
            part = self.merging.add
        part.setFocus(Qt.FocusReason.OtherFocusReason)
        if busy:
            self.reveal(self.line, 0)

    def _connect(self) -> None:
        desk = self._desk
        desk.shelf.changed.connect(self.refresh)
        for moved in (desk.asking.asked, desk.asking.settled, desk.asking.withdrawn):
            moved.connect(self._show_heading)
        desk.shelf.checked.connect(self._show_fits)
        desk.shelf.did.connect(self._said)
        desk.shelf.failed.connect(self._said)
        desk.crafting.began.connect(self._began)
        desk.crafting.progressed.connect(self._show_work)
        desk.crafting.ended.connect(self._show_work)
        desk.crafting.finished.connect(self._finished)
        desk.crafting.noticed.connect(self._said)
        desk.crafting.failed.connect(self._said)
        self.teaching.asked.connect(partial(actions.train, desk))
        self.merging.asked.connect(partial(actions.merge, desk))
        self.merging.chosen.connect(self._check)
        self.merging.file_asked.connect(self._add_files)
        for line in (self.teaching.line, self.merging.line):
            line.cancel.clicked.connect(partial(actions.stop, desk))
        self.made.add_asked.connect(partial(actions.add_to_models, desk))
        self.made.out_asked.connect(partial(actions.take_out, desk))
        self.made.folder_asked.connect(self._show_folder)
        self.made.remove_asked.connect(self._remove)
        self.made.spoken.connect(self._spoken)
        for part in (self.merging, self.made):
            part.grown.connect(self._order)

    def _arrange(self) -> None:
        self._made_title.setObjectName("section")
        self._made_title.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack = self.stack
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self.teaching)
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self.merging)
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self._made_title)
        stack.addWidget(self.made)
        stack.addStretch(1)
