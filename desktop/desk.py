"""Everything that the window can ask for, joined: loading, asking, voting, taste, closing."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.asking import Asking
from desktop.bridge import Bridge, Listener, once
from desktop.learning import Learning
from desktop.loading import Loading
from desktop.taste import Taste
from desktop.voting import Voting
from engine.api import AttuneError, Engine

log = logging.getLogger("desktop.desk")

SAVE_AFTER = 400
"""Milliseconds of rest before the preferences are saved: a slider moves many times."""

PATIENCE = 8.0
"""Seconds that a closing window waits for the engine before it goes without."""


class Desk(QObject):
    """Owns the engine's thread and the owner's present taste.

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
        self.asking = Asking(
            engine, self.bridge, self.loading, self.learning, taste=lambda: self.taste
        )
        self.voting = Voting(self.learning, conversation=lambda: self.asking.conversation)
        self._closed = False
        self._rest = QTimer(self, singleShot=True, interval=SAVE_AFTER)
        self._rest.timeout.connect(self.save)
        self.loading.noticed.connect(self._tell)
        # What was learned acts differently with another model.
        self.loading.settled.connect(self.learning.fetch)
        for source in (self.loading.failed, self.asking.noticed):
            source.connect(self.noticed)

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
        self.loading.choose(model)

    def add_model(self, path: Path) -> None:
        """Add a file and answer with it; what is under way ends."""
        self.stop()
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
        ended = self.bridge.close(stop=self.engine.stop, last=self.engine.close, timeout=PATIENCE)
        if not ended:
            log.error("the engine did not end within %g seconds", PATIENCE)
        return ended

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
