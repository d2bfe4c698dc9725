"""Everything the window can ask for, joined: loading, asking, voting, choosing, taste, closing."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.asking import Asking
from desktop.bridge import Bridge, Listener, once
from desktop.building import Building
from desktop.choosing import Choosing
from desktop.learning import Learning
from desktop.loading import Loading
from desktop.taste import Taste
from desktop.voting import Voting
from engine.api import AttuneError, Candidate, Engine

log = logging.getLogger("desktop.desk")

SAVE_AFTER = 400
"""Milliseconds of rest before the preferences are saved: a slider moves many times."""

PATIENCE = 8.0
"""Seconds that a closing window waits for the engine before it goes without."""


class Desk(QObject):
    """Owns the engine's threads and the owner's present taste.

    taste_changed(Taste)  preferences, strength or neutral changed
    settings_changed()    what was to be remembered is, or is not
    noticed(str)          a sentence for the owner, from whichever part
    """

    taste_changed = Signal(object)
    settings_changed = Signal()
    noticed = Signal(str)

    def __init__(self, engine: Engine, *, model: str | None = None) -> None:
        super().__init__()
        self.engine = engine
        self.taste = Taste.remembered(engine.settings)
        self._saved = self.taste
        self.bridge = Bridge(self)
        self.loading = Loading(engine, self.bridge, model=model)
        self.learning = Learning(engine, self.bridge)
        self.choosing = Choosing(engine, self.bridge)
        self.building = Building(engine)
        self.asking = Asking(
            engine, self.bridge, self.loading, self.learning,
            taste=lambda: self.taste, member=lambda: self.member,
        )  # fmt: skip
        self.voting = Voting(self.learning, conversation=lambda: self.asking.conversation)
        self._closed = False
        self._rest = QTimer(self, singleShot=True, interval=SAVE_AFTER)
        self._rest.timeout.connect(self.save)
        self.loading.noticed.connect(self._tell)
        # What was learned acts differently with another model.
        self.loading.settled.connect(self.learning.fetch)
        self._connect_choosing()
        for source in (self.loading.failed, self.asking.noticed):
            source.connect(self.noticed)

    @property
    def member(self) -> Candidate | None:
        """What answers next by Attune's own choice; None while the owner chooses."""
        chosen = self.choosing.automatic and self.taste.personal and not self.loading.wished
        route = self.choosing.route
        return route.member if chosen and route is not None else None

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

    def save(self) -> None:
        """Write the taste if it differs from what is on the disk."""
        self._rest.stop()
        if self.taste == self._saved:
            return
        self._saved = replace(self.taste)
        work = once(partial(self.engine.change, **_settings(self.taste)))
        self.bridge.submit(work, Listener(failed=self._save_failed), lasting=True)

    def close(self) -> bool:
        """Save, stop, end the engine and its thread; twice is once. False if it hung."""
        if self._closed:
            return True
        self._closed = True
        self.save()
        self.choosing.save()
        self.engine.stop()
        # First the build, which the engine must outlive.
        ended = self.building.close(timeout=PATIENCE)
        stop, last = self.engine.stop, self.engine.close
        ended = self.bridge.close(stop=stop, last=last, timeout=PATIENCE) and ended
        if not ended:
            log.error("the engine did not end within %g seconds", PATIENCE)
        return ended

    def _connect_choosing(self) -> None:
        follow = self.choosing.follow
        for moved in (self.loading.settled, self.learning.changed, self.asking.settled):
            moved.connect(lambda *_: follow())
        self.choosing.took.connect(self.learning.fetch)  # it can be taken back, and it taught
        self.building.built.connect(self.choosing.hear)
        self.building.ended.connect(self.choosing.fetch)

    def _choose_no_more(self) -> None:
        """The owner's own choice of a model is not to be undone by the next question."""
        if self.choosing.automatic:
            self.choosing.set_automatic(False)
            said = self.tr("You chose a model, so Attune no longer chooses for you.")
            self.noticed.emit(said)

    def _tell(self, sentence: str) -> None:
        if not self.asking.note(sentence):
            self.noticed.emit(sentence)

    def _remembered(self, _: object) -> None:
        self.settings_changed.emit()

    def _not_remembered(self, error: AttuneError) -> None:
        self.settings_changed.emit()  # whoever showed the wish shows the truth again
        self.noticed.emit(error.message)

    def _save_failed(self, error: AttuneError) -> None:
        self._saved = Taste(gamma=-1.0)  # equals no taste, so the next change tries again
        self.noticed.emit(error.message)


def _settings(taste: Taste) -> dict[str, Any]:
    return {
        "preferences": taste.preferences,
        "gamma": taste.gamma,
        "neutral": taste.neutral,
    }
