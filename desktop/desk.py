"""Everything the window can ask for, joined: loading, asking, voting, choosing, taste, closing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.asking import Asking
from desktop.bridge import Bridge, Listener, once
from desktop.building import Building
from desktop.chats import Chats
from desktop.choosing import Choosing
from desktop.crafting import Crafting
from desktop.fetching import Fetching
from desktop.heard import heard
from desktop.keeping import Keeping
from desktop.learning import Learning
from desktop.library import Library
from desktop.loading import Loading
from desktop.options import Options
from desktop.profile_files import ProfileFiles
from desktop.shelf import Shelf
from desktop.taste import Taste
from desktop.voting import Voting
from engine.api import AttuneError, Backup, Candidate, Engine

log = logging.getLogger("desktop.desk")

SAVE_AFTER = 400
"""Milliseconds of rest before the preferences are saved: a slider moves many times."""

VOTES = "record.db"
"""The file of the votes, as its copies name it."""

TEND_AFTER = 5_000
"""Milliseconds of rest before the chats are looked after."""

TEND_AGAIN = 24 * 3_600_000
"""Milliseconds after which the chats are looked after again."""

PATIENCE = 8.0
"""Seconds that a closing window waits for the engine before it goes without."""


class Desk(QObject):
    """Owns the engine's threads and the owner's present taste.

    taste_changed(Taste)  preferences, strength or neutral changed
    settings_changed()    what was to be remembered is, or is not
    noticed(str)          a sentence for the owner, from whichever part
    safe_began()          the rest of this run is in safe mode
    """

    taste_changed = Signal(object)
    settings_changed = Signal()
    noticed = Signal(str)
    safe_began = Signal()

    def __init__(self, engine: Engine, *, model: str | None = None) -> None:
        super().__init__()
        self.engine = engine
        self.taste = Taste.remembered(engine.settings)
        self._saved = self.taste
        self.bridge = Bridge(self)
        self.loading = Loading(engine, self.bridge, model=model)
        self.options = Options(engine, self.bridge, self.loading)
        self.learning = Learning(engine, self.bridge)
        self.choosing = Choosing(engine, self.bridge)
        self.building = Building(engine)
        self.shelf = Shelf(engine, self.bridge)
        self.crafting = Crafting(engine)
        self.library = Library(engine, self.bridge)
        self.fetching = Fetching(engine)
        self.keeping = Keeping(engine, self.bridge)
        self.profiles = ProfileFiles(engine, self.bridge)
        self.chats = Chats(engine)
        self.asking = Asking(
            engine, self.bridge, self.loading, self.learning,
            taste=lambda: self.taste, member=lambda: self.member,
        )  # fmt: skip
        self.voting = Voting(self.learning, conversation=lambda: self.asking.conversation)
        self._closed = self._tended = False
        self._tending = QTimer(self, singleShot=True)
        self._saving = 0
        self._rest = QTimer(self, singleShot=True, interval=SAVE_AFTER)
        self._rest.timeout.connect(self.save)
        self.loading.noticed.connect(self._tell)
        # What was learned acts differently with another model.
        self.loading.settled.connect(self.learning.fetch)
        self._connect_choosing()
        self._connect_chats()
        self.crafting.ended.connect(self.shelf.fetch)
        self.shelf.listed.connect(self.loading.fetch)
        self._connect_library()
        self.settings_changed.connect(self.options.follow)
        self.learning.imported.connect(self._follow_settings)
        self.learning.undone.connect(self._follow_settings)
        self.keeping.restored.connect(self._renew)
        self.keeping.erased.connect(self._begin_anew)
        self.keeping.failed.connect(lambda _: self.keeping.fetch())
        self.keeping.did.connect(lambda _: self.keeping.fetch())
        for source in (self.loading.failed, self.asking.noticed):
            source.connect(self.noticed)

    @property
    def member(self) -> Candidate | None:
        """What answers next by Attune's own choice; None while the owner chooses."""
        here = self.asking.conversation.scope == "everywhere"
        chosen = self.choosing.automatic and self.taste.personal and not self.loading.wished
        route = self.choosing.route
        return route.member if chosen and here and route is not None else None

    @property
    def reading(self) -> str:
        """Said where something is still to be read, which an answer under way comes before."""
        if self.asking.busy:
            return self.tr("An answer is being written; this comes after it.")
        return self.tr("Reading …")

    def use(self, taste: Taste) -> None:
        """Ask with this taste from the next question on, and remember it."""
        if taste == self.taste:
            return
        self.taste = taste
        self._rest.start()
        self.taste_changed.emit(taste)

    def remember(self, **changes: Any) -> None:
        """Change settings that act from the next question on."""
        work = once(partial(self.engine.change, **changes))
        told = Listener(heard=self._remembered, failed=self._not_remembered)
        self.bridge.submit(work, told, lasting=True)

    def stop(self) -> None:
        """End what is under way: the answer, or else the loading of a model."""
        if self.asking.busy:
            self.asking.stop()
        elif self.loading.busy:
            self.engine.stop()

    def choose(self, model: str) -> None:
        """Answer with another model; what is under way ends."""
        self.stop()
        self._choose_no_more()
        self.loading.choose(model)

    def add_model(self, path: Path) -> None:
        """Add a file and answer with it; what is under way ends."""
        self.stop()
        self._choose_no_more()
        self.loading.add(path)

    def take_in(self, profile: Path, *, replace: bool, said: str) -> None:
        """Take a profile in; `said` of it when it is done."""
        self.save()  # what was set before it comes before it
        self.learning.take_in(profile, replace=replace, said=said)

    def erase(self) -> None:
        """Erase everything and begin as on a first start; what is under way ends."""
        self.save()
        self.stop()
        self.keeping.erase()

    def resume(self) -> None:
        """Open the chat whose answer the end of the last run cut off, unless another has begun."""

        def wanted() -> bool:
            conversation = self.asking.conversation
            return not (conversation.turns or conversation.chat or conversation.private)

        self.chats.resume(wanted=wanted)

    def play_safe(self) -> None:
        """The starter model on the processor, no steering and the usual settings, for this run."""

        def done() -> None:
            self._follow_settings()
            self.safe_began.emit()
            self.loading.start_usual()

        self.stop()
        self.bridge.submit(once(self.engine.play_safe), Listener(done=done), lasting=True)

    def report(self, about: tuple[tuple[str, str], ...], heard: Callable[[object], None]) -> None:
        """Have what a report of a mistake should hold; `about` is more of it."""
        work = once(partial(self.engine.report, about=about))
        self.bridge.submit(work, Listener(heard=heard, failed=self._not_remembered))

    def save(self) -> None:
        """Write the taste if it differs from what is on the disk."""
        self._rest.stop()
        if self.taste == self._saved:
            return
        self._saved = replace(self.taste)
        self._saving += 1
        work = once(partial(self.engine.change, **_settings(self.taste)))
        listener = Listener(failed=self._save_failed, done=self._is_saved)
        self.bridge.submit(work, listener, lasting=True)

    def close(self) -> bool:
        """Save, stop, end the engine and its thread; twice is once. False if it hung."""
        if self._closed:
            return True
        self._closed = True
        self.asking.end()
        self.save()
        self.choosing.save()
        self.engine.stop()
        # First what takes long, which the engine must outlive.
        ended = self.chats.close(timeout=PATIENCE)
        ended = self.building.close(timeout=PATIENCE) and ended
        ended = self.crafting.close(timeout=PATIENCE) and ended
        ended = self.fetching.close(timeout=PATIENCE) and ended
        ended = self.library.close(timeout=PATIENCE) and ended
        stop, last = self.engine.stop, self.engine.close
        ended = self.bridge.close(stop=stop, last=last, timeout=PATIENCE) and ended
        if not ended:
            log.error("the engine did not end within %g seconds", PATIENCE)
        return ended

    def _connect_chats(self) -> None:
        for moved in (self.asking.keeping_changed, self.asking.settled, self.asking.withdrawn):
            moved.connect(lambda *_: self.chats.touch())
        self.voting.changed.connect(self.asking.go_on_with)
        self.chats.opened.connect(self.asking.take)
        self.asking.settled.connect(self.begin_tending)
        self.loading.settled.connect(self.begin_tending)
        self._tending.timeout.connect(self._tend)

    def _connect_library(self) -> None:
        """Wherever the list of models changes, all that show it hear of it."""
        self.fetching.ended.connect(self.library.follow)
        for listed in (self.library.listed, self.fetching.finished):
            listed.connect(lambda *_: self.loading.fetch())
            listed.connect(lambda *_: self.choosing.follow())
        for moved in (self.shelf.listed, self.settings_changed):
            moved.connect(self.library.follow)

    def begin_tending(self) -> None:
        """Look after the copies of the chats in a while, if nothing else is under way then."""
        if not self._tended and not self._closed:
            self._tending.start(TEND_AFTER)

    def _tend(self) -> None:
        self._tended = not (self.asking.busy or self.loading.busy or self._closed)
        if self._tended:  # else it begins anew when that has settled
            self.chats.tend()
            self._tending.start(TEND_AGAIN)  # a window may be open for weeks

    def _connect_choosing(self) -> None:
        follow = self.choosing.follow
        moves = (self.loading.settled, self.learning.changed, self.asking.settled)
        for moved in (*moves, self.shelf.listed):
            moved.connect(lambda *_: follow())
        self.choosing.took.connect(self.learning.fetch)  # it can be taken back, and it taught
        self.building.finished.connect(self.choosing.hear)
        self.building.ended.connect(self.choosing.fetch)

    def _choose_no_more(self) -> None:
        """The owner's own choice of a model is not to be undone by the next question."""
        if self.choosing.automatic:
            self.choosing.set_automatic(False)
            said = self.tr("You chose a model, so Attune no longer chooses for you.")
            self.noticed.emit(said)

    def _tell(self, sentence: str) -> None:
        said = heard(sentence)
        if not self.asking.note(said):
            self.noticed.emit(said)

    def _remembered(self, _: object) -> None:
        self.settings_changed.emit()

    def _not_remembered(self, error: AttuneError) -> None:
        self.settings_changed.emit()  # whoever showed the wish shows the truth again
        self.noticed.emit(error.message)

    def _renew(self, what: object) -> None:
        """The files are others now: all that was read of them is read again."""
        elsewhere = isinstance(what, Backup) and not self.asking.conversation.keeps
        if not elsewhere and not (isinstance(what, Backup) and what.of == VOTES):
            self.asking.clear()  # what it says is kept no more
        self._follow_settings()
        self.choosing.forget()
        for part in (self.chats, self.learning, self.shelf, self.loading, self.keeping):
            part.fetch()
        self.library.follow()

    def _begin_anew(self, receipt: object) -> None:
        self._renew(receipt)
        self.loading.start()

    def _follow_settings(self, _: object = None) -> None:
        """Show the settings as they are, unless the owner is just changing them."""
        if self._rest.isActive() or self._saving:
            return
        self._saved = Taste.remembered(self.engine.settings)
        if self.taste != self._saved:
            self.taste = self._saved
            self.taste_changed.emit(self.taste)
        self.settings_changed.emit()
        self.choosing.follow()

    def _is_saved(self) -> None:
        self._saving -= 1

    def _save_failed(self, error: AttuneError) -> None:
        self._saving -= 1
        self._saved = Taste(gamma=-1.0)  # equals no taste, so the next change tries again
        self.noticed.emit(error.message)


def _settings(taste: Taste) -> dict[str, Any]:
    return {
        "preferences": taste.preferences,
        "gamma": taste.gamma,
        "neutral": taste.neutral,
    }
