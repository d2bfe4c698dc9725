"""The page "Models": what is on this computer, what can be had, and what other programs have."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop import models as words
from desktop.actions import library as actions
from desktop.actions import models as choosing
from desktop.desk import Desk
from desktop.fetching import Check, Get, GetFile, TakeIn
from desktop.heard import heard
from desktop.languages import tr
from desktop.portfolio import reached
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views import model_entries as entries
from desktop.views.adding import Adding
from desktop.views.model_entries import Standing
from desktop.views.named_file import NamedFile
from desktop.widgets.entries import EntryList, Work
from desktop.widgets.paper import Paper
from desktop.widgets.tick_row import TickRow
from engine.api import ModelCard, Ready


class ModelsPage(Paper):
    """Shows what the desk knows of it, and passes on what its owner wants."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look, title=tr("Models"), parent=parent)
        self._desk = desk
        self.installed = EntryList(look, name=self.tr("On this computer"))
        self.adding = Adding(look)
        self.offered = EntryList(look, name=self.tr("Recommended"))
        self.offline = TickRow(look)
        self.named = NamedFile(look)
        self.found = EntryList(look, name=self.tr("In the folders of other apps"))
        self._measured, self._none = QLabel(), QLabel()
        self._stops: list[QWidget] = []
        self._sections: list[QLabel] = []
        self._body: list[QWidget] = []
        self._loading = self._came = ""
        self._wish: bool | None = None
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
        self._desk.library.fetch()
        self._desk.library.search()

    def refresh(self) -> None:
        """Show how everything stands."""
        library, standing = self._desk.library, self._standing
        self._show_heading()
        self.installed.show_entries([entries.installed(m, standing) for m in library.installed])
        self.offered.show_entries([entries.offered(m, standing) for m in library.recommended])
        found = [m for m in library.found or () if not m.installed]
        self.found.show_entries([entries.elsewhere(m, standing) for m in found])
        for part in self._body:  # after the rows are there: all of them are laid out at once
            part.setVisible(library.known)
        self._none.setVisible(library.known and not found)
        self.adding.show_busy(standing.busy)
        self._show_offline()
        self.named.show_reason(standing.offline or self._busy)
        self._order()
        self._show_work()
        self._take_focus()

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        strong = tokens.strong(look.plain)
        for label in self._sections:
            label.setFont(strong)
        for part in (self._none, self._measured):
            part.setFont(look.plain)
        for view in (
            self.installed, self.adding, self.offered, self.named, self.offline, self.found,
        ):  # fmt: skip
            view.set_look(look)

    # How everything stands --------------------------------------------------------------

    @property
    def _standing(self) -> Standing:
        loading, library = self._desk.loading, self._desk.library
        answers = loading.current.model if loading.current is not None else ""
        return Standing(
            answers=answers,
            loading=self._loading if loading.busy else "",
            busy=self._desk.fetching.busy,
            offline=brief(heard(library.offline)) or self._soon_offline,
        )

    @property
    def _soon_offline(self) -> str:
        """The switch is on, and the engine is still to hear of it: an answer may come first."""
        return self.tr("Offline mode is being switched on.") if self._wish else ""

    @property
    def _busy(self) -> str:
        fetching = self._desk.fetching
        mine = isinstance(fetching.task, GetFile)
        return self.tr("One thing is done at a time.") if fetching.busy and not mine else ""

    def _show_heading(self) -> None:
        library, current = self._desk.library, self._desk.loading.current
        teaching = ""
        if library.trouble:
            lead = brief(heard(library.trouble))
        elif not library.known:
            lead = self.tr("Reading …")
        else:
            name = current.name if current is not None else ""
            lead = words.headline(library.installed, answers=name)
            if len(library.installed) == 1:
                teaching = self.tr(
                    "The model that came with Attune is small, so that it runs everywhere. A "
                    "larger one knows more and is slower. It is downloaded once, and answers "
                    "without a network ever after."
                )
        self._lead.setText(lead)
        self.teach(teaching)

    def _show_offline(self) -> None:
        """The switch; where the system switched it on, it cannot be switched off here."""
        library = self._desk.library
        why = brief(heard(library.offline))
        given = bool(why) and not library.chosen and self._wish is None
        chosen = library.chosen if self._wish is None else self._wish
        if given and self.offline.toggle.hasFocus():
            self.setFocus()
        self.offline.show_row(
            self.tr("Offline mode"),
            why
            if given
            else self.tr("While it is on, Attune's download program is never started."),
            ticked=chosen or given,
        )
        self.offline.toggle.setEnabled(not given)
        tried = self.tr(
            "Each was tried with Attune, and what comes is compared with a hash that came with "
            "it. Getting one is the only thing for which Attune ever uses a network."
        )
        self._measured.setText(why or tried)

    # What is done -----------------------------------------------------------------------

    def _show_work(self) -> None:
        """At the row that it is about."""
        work = self._work
        place, id = self._place if work is not None else (None, "")
        for view in (self.installed, self.offered, self.found):
            view.show_work(id if view is place else "", work if view is place else None)
        for part in (self.adding, self.named):
            part.show_work(work if part is place else None)

    @property
    def _place(self) -> tuple[EntryList | Adding | NamedFile | None, str]:
        """Where what is done is shown, and the id of its row."""
        task = self._desk.fetching.task
        match task:
            case Check():
                return self.installed, task.model.card.id
            case Get():
                return self.offered, task.model.id
            case TakeIn():
                inside = str(task.path) in self.found.rows
                return (self.found, str(task.path)) if inside else (self.adding, "")
            case GetFile():
                return self.named, ""
            case None:
                return None, ""

    @property
    def _stop(self) -> QPushButton | None:
        """The button that ends what is done."""
        place, id = self._place
        if isinstance(place, EntryList):
            row = place.rows.get(id)
            return row.line.cancel if row is not None and row.line is not None else None
        return place.line.cancel if place is not None else None

    @property
    def _work(self) -> Work | None:
        fetching = self._desk.fetching
        if not fetching.busy:
            return None
        progress, ending = fetching.progress, fetching.ending
        if ending:
            said, doing = self.tr("Ending …"), self.tr("What came so far is kept.")
        else:
            said = words.advancing(fetching.task, progress)
            doing = words.step(fetching.task, progress)
        share = reached(progress) if progress is not None else None
        return Work(share=share, words=said, doing=doing, ending=ending)

    def _began(self) -> None:
        self.hush()
        taken = self.isVisible() and self.isAncestorOf(self.focusWidget())
        if taken:
            self.setFocus()  # else the keyboard would wander off what is switched off now
        self.refresh()
        if taken and (stop := self._stop) is not None:
            stop.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.isVisible():
            self.told.emit(words.doing(self._desk.fetching.task))

    def _finished(self, result: object) -> None:
        self._came = result.id if isinstance(result, ModelCard) else ""
        button = self.tr("Use it now") if self._came else ""
        self.say(words.finished(result), button=button)

    def _said(self, sentence: str) -> None:
        self.say(brief(heard(sentence)))

    # What the owner does ----------------------------------------------------------------

    def _use(self, id: str) -> None:
        self._loading = id
        self.hush()
        choosing.choose_model(self._desk, id)

    def _use_what_came(self) -> None:
        if self._came:
            self._use(self._came)

    def _answers(self, ready: Ready) -> None:
        if ready.model == self._loading:
            self._loading = ""
            self._said(self.tr("{0} answers from now on.").format(words.named(ready.name)))
        self.refresh()

    def _not_loaded(self, sentence: str) -> None:
        if self._loading:
            self._loading = ""
            self._said(sentence)
        self.refresh()

    def _asked_of_installed(self, id: str, verb: str) -> None:
        model = next((m for m in self._desk.library.installed if m.card.id == id), None)
        if model is None:
            return
        match verb:
            case entries.USE:
                self._use(id)
            case entries.VERIFY:
                actions.verify(self._desk, model)
            case entries.REMOVE:
                actions.remove(self._desk, model, parent=self)

    def _asked_of_offered(self, id: str, _: str) -> None:
        for model in self._desk.library.recommended:
            if model.id == id:
                actions.get(self._desk, model)

    def _asked_of_found(self, path: str, _: str) -> None:
        for model in self._desk.library.found or ():
            if model.path == path:
                actions.use_from_there(self._desk, model)

    def _set_offline(self, offline: bool) -> None:
        self._wish = offline
        actions.set_offline(self._desk, offline)
        self.refresh()

    def _settled(self) -> None:
        """What was to be remembered is, or could not be: then the switch goes back."""
        if self._wish is not None and self._desk.engine.settings.offline != self._wish:
            self._wish = None
            self.refresh()

    def _told(self) -> None:
        """There is news of the models, and of what offline mode does to them."""
        if self._desk.library.chosen == self._wish:
            self._wish = None
        self.refresh()

    # Joining ----------------------------------------------------------------------------

    def _order(self) -> None:
        """The keyboard goes from the top to the bottom, whenever a row was made."""
        stops = [
            *self.installed.stops, *self.adding.stops, *self.offered.stops, *self.named.stops,
            self.offline.toggle, *self.found.stops,
        ]  # fmt: skip
        if stops != self._stops:
            self._stops = stops
            for before, after in pairwise(stops):
                QWidget.setTabOrder(before, after)

    def _take_focus(self) -> None:
        if not self._entering or not self._desk.library.known:
            return
        self._entering = False
        if not self.hasFocus():
            return
        stop = self._stop if self._desk.fetching.busy else None
        first = (each for each in self._stops if each.isEnabled() and each.isVisibleTo(self))
        part = stop or next(first, None)
        if part is not None:
            part.setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(part, 0)

    def _connect(self) -> None:
        desk = self._desk
        desk.library.changed.connect(self._told)
        desk.library.did.connect(self._said)
        desk.library.failed.connect(self._said)
        desk.loading.began.connect(self.refresh)
        desk.loading.ready.connect(self._answers)
        desk.loading.failed.connect(self._not_loaded)
        desk.settings_changed.connect(self._settled)
        desk.fetching.began.connect(self._began)
        desk.fetching.progressed.connect(self._show_work)
        desk.fetching.ended.connect(self.refresh)
        desk.fetching.finished.connect(self._finished)
        desk.fetching.noticed.connect(self._said)
        desk.fetching.failed.connect(self._said)
        self.installed.asked.connect(self._asked_of_installed)
        self.offered.asked.connect(self._asked_of_offered)
        self.found.asked.connect(self._asked_of_found)
        self.named.asked.connect(partial(actions.get_file, desk))
        self.adding.asked.connect(partial(actions.add_file, desk, parent=self))
        self.offline.ticked.connect(self._set_offline)
        self.said.chosen.connect(self._use_what_came)
        for view in (self.installed, self.adding, self.offered, self.named, self.found):
            view.stopped.connect(partial(actions.stop, desk))

    def _section(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName("section")
        label.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        self._sections.append(label)
        return label

    def _arrange(self) -> None:
        self._none.setText(
            self.tr("Models of LM Studio, Jan, GPT4All and Ollama are shown here, where there are.")
        )
        for label in (self._measured, self._none):
            label.setObjectName("muted")
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        self.offline.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        for title, parts in (
            (self.tr("On this computer"), (self.installed, self.adding)),
            (
                self.tr("Recommended"),
                (self._measured, self.offered, self.named, self.offline),
            ),
            (self.tr("In the folders of other apps"), (self._none, self.found)),
        ):
            self._body += [title_label := self._section(title)]
            self.stack.addSpacing(tokens.GUTTER - tokens.GAP)
            self.stack.addWidget(title_label)
            for part in parts:
                self.stack.addWidget(part)
        self._body += [self.installed, self.adding, self._measured, self.offered, self.named]
        self._body += [self.offline, self.found]
        self.stack.addStretch(1)
