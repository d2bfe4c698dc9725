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
"""What goes back to what it was at first: all that is on the page but being offline, which is a
promise and no taste."""

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

    def reset(self) -> None:
        """Everything on the page as it was at first; `undo` takes that back."""
        usual = Settings()
        self._former = {name: getattr(self.values, name) for name in PAGE}
        self.change(**{name: getattr(usual, name) for name in PAGE})
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
        if again:
            self._loading.reload()

    def _unsaved(self, error: AttuneError) -> None:
        del self._wishes[0]
        self.follow()
        self.failed.emit(error.message)
