"""Which models there are and could be, as last told by the engine. On the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener, once
from engine.api import (
    AttuneError,
    Connection,
    Engine,
    FoundModel,
    InstalledModel,
    RecommendedModel,
)

LOOK = "attune-look"
"""Name of the thread that looks which models there are: an answer does not wait for a slow disk,
and neither does the page for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How everything stands."""

    installed: tuple[InstalledModel, ...]
    recommended: tuple[RecommendedModel, ...]
    offline: str
    chosen: bool


class Library(QObject):
    """What lies on this computer, what can be had, and what was ever connected to.

    installed    models that can be chosen, the starter first
    recommended  at most three that can be had
    offline      why nothing can be downloaded, in a sentence; "" where it can
    chosen       the owner has switched offline mode on
    found        model files in the folders of other programs; None before they were looked for
    connections  every connection ever made, the newest first; None before that is known
    unread       why `connections` cannot be read, in a sentence; "" if they can
    trouble      why nothing could be read the last time, in a sentence; "" if it could
    known        what there is was read

    changed()    something of these is new
    logged()     `connections` or `unread` is new
    listed()     the models that can be chosen are others now
    did(str)     what the owner wanted is done, in a sentence
    failed(str)  it could not be done, and why
    """

    changed = Signal()
    logged = Signal()
    listed = Signal()
    did = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self._own: Bridge | None = None  # most windows are closed without having needed it
        self.installed: tuple[InstalledModel, ...] = ()
        self.recommended: tuple[RecommendedModel, ...] = ()
        self.offline, self.chosen = "", False
        self.found: tuple[FoundModel, ...] | None = None
        self.connections: tuple[Connection, ...] | None = None
        self.unread = ""
        self.trouble = ""
        self.known = False

    # Asking -----------------------------------------------------------------------------

    def fetch(self) -> None:
        """Ask which models there are and can be had."""
        listener = Listener(heard=self._hear, failed=self._untold)
        self._looker.submit(once(self._look), listener)

    def search(self) -> None:
        """Look into the folders of other programs; where that fails, there is nothing to offer."""
        listener = Listener(heard=self._hear_found)
        self._looker.submit(once(self._find), listener)

    def fetch_log(self) -> None:
        """Ask for the connections."""
        listener = Listener(heard=self._hear_log, failed=self._unread_log)
        self._looker.submit(once(self._read_log), listener)

    def follow(self) -> None:
        """Something may be different: ask again what was asked before."""
        if self.known:
            self.fetch()
        if self.found is not None:
            self.search()
        if self.connections is not None:
            self.fetch_log()

    # Changing ---------------------------------------------------------------------------

    def remove(self, model: InstalledModel) -> None:
        """Take it off the list; a downloaded file is deleted."""
        said = (
            self.tr("{0} is deleted.") if model.deletes else self.tr("{0} is off the list.")
        ).format(model.card.name)
        heard = partial(self._removed, said)
        work = once(partial(self._remove, model.card.id))
        self._bridge.submit(work, Listener(heard=heard, failed=self._failed), lasting=True)

    def close(self, *, timeout: float) -> bool:
        """End the thread. False if the engine did not let go of it."""
        if self._own is None:
            return True
        return self._own.close(stop=lambda: None, timeout=timeout)

    # ------------------------------------------------------------------------------------

    @property
    def _looker(self) -> Bridge:
        self._own = self._own or Bridge(self, name=LOOK)
        return self._own

    def _hear(self, item: object) -> None:
        if isinstance(item, _Told):
            self.installed, self.recommended = item.installed, item.recommended
            self.offline, self.chosen = item.offline, item.chosen
            self.known, self.trouble = True, ""
            self.changed.emit()

    def _untold(self, error: AttuneError) -> None:
        self.trouble = error.message
        self.changed.emit()

    def _hear_found(self, found: object) -> None:
        if isinstance(found, tuple):
            self.found = found
            self.changed.emit()

    def _hear_log(self, connections: object) -> None:
        if isinstance(connections, tuple):
            self.connections, self.unread = connections, ""
            self.logged.emit()

    def _unread_log(self, error: AttuneError) -> None:
        self.connections, self.unread = None, error.message
        self.logged.emit()

    def _removed(self, said: str, _: object) -> None:
        self.follow()
        self.listed.emit()
        self.did.emit(said)

    def _failed(self, error: AttuneError) -> None:
        self.failed.emit(error.message)

    # On a lane's thread -----------------------------------------------------------------

    def _look(self) -> _Told:
        library = self._engine.library
        chosen = self._engine.settings.offline
        return _Told(
            installed=library.installed(),
            recommended=library.recommended(),
            offline=library.offline(),
            chosen=chosen,
        )

    def _find(self) -> tuple[FoundModel, ...]:
        return self._engine.library.find()

    def _read_log(self) -> tuple[Connection, ...]:
        return self._engine.library.connections()

    def _remove(self, model: str) -> object:
        return self._engine.library.remove(model)
