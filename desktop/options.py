"""The settings that the page of that name shows, as their owner wants them. On the GUI thread."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener, once
from desktop.loading import Loading
from engine.api import AttuneError, Engine, Settings

PAGE = (
    "language", "colours", "send_key", "duel_every", "scope", "threads", "context", "cpu_only",
)  # fmt: skip
"""What goes back to what it was at first, with DRAWN: all that is on the page but being offline,
which is a promise and no taste."""

DRAWN = ("temperature", "max_tokens")
"""What is on the page of how answers are drawn."""

RUNNING = frozenset({"threads", "context", "cpu_only"})
"""What a model is loaded with."""


class Options(QObject):
    """A wish acts at once; where it cannot be saved, what was before acts again.

    values   the settings, with what is being saved
    changed()    `values` are others, or may be
    did(str)     what the owner wanted is done, in a sentence; `undo` takes it back
    failed(str)  a wish could not be saved, and why
    """

    changed = Signal()
    did = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge, loading: Loading) -> None:
        super().__init__()
        self._engine, self._bridge, self._loading = engine, bridge, loading
        self._wishes: list[dict[str, Any]] = []
        self._former: dict[str, Any] = {}
        self._again = False  # what a model is loaded with is another, and it runs as before
        self.values = engine.settings

    def change(self, **wish: Any) -> None:
        """Change settings by name, and save them; a model is loaded again where it runs otherwise
        then."""
        if all(getattr(self.values, name) == value for name, value in wish.items()):
            return
        again = any(
            name in RUNNING and getattr(self.values, name) != value for name, value in wish.items()
        )
        self._wishes.append(wish)
        self.follow()
        work = once(partial(self._engine.change, **wish))
        listener = Listener(failed=self._unsaved, done=partial(self._saved, again))
        self._bridge.submit(work, listener, lasting=True)

    def draw(self, **wish: Any) -> None:
        """Have answers drawn otherwise, from the next one on: change what is named in DRAWN."""
        self.change(sampling=replace(self.values.sampling, **wish))

    def reset(self) -> None:
        """Everything on the page as it was at first; `undo` takes that back."""
        usual, now = Settings(), self.values
        drawn = {name: getattr(usual.sampling, name) for name in DRAWN}
        self._former = {name: getattr(now, name) for name in (*PAGE, "sampling")}
        first = {name: getattr(usual, name) for name in PAGE}
        self.change(**first, sampling=replace(now.sampling, **drawn))
        self.did.emit(self.tr("These settings are as they were at first."))

    def undo(self) -> None:
        """Everything on the page as it was before it was reset."""
        former, self._former = self._former, {}
        self.change(**former)

    def follow(self) -> None:
        """The engine's settings are others."""
        values = self._engine.settings
        for wish in self._wishes:
            values = replace(values, **wish)
        self.values = values
        self.changed.emit()

    def _saved(self, again: bool) -> None:
        del self._wishes[0]
        self.follow()
        self._again = self._again or again
        self._load_again()

    def _unsaved(self, error: AttuneError) -> None:
        del self._wishes[0]
        self.follow()
        self._load_again()
        self.failed.emit(error.message)

    def _load_again(self) -> None:
        """Once, however many wishes came together."""
        if self._again and not self._wishes:
            self._again = False
            self._loading.reload()
