"""Who answers next, and what that is chosen from, as last told by the engine. On the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge import Bridge, Listener, once
from engine.api import AttuneError, Candidate, Engine, Pool, Portfolio, Route

log = logging.getLogger("desktop.choosing")

REST = 300
"""Milliseconds of rest before a slider counts: it moves many times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How everything stands; `pool` and `portfolio` are None where they were not asked for."""

    route: Route | None
    portfolio: Portfolio | None = None
    pool: Pool | None = None


class Choosing(QObject):
    """Keeps one answer to "who answers next"; every change goes through here.

    route      who suits the owner best; None before something was built, or was asked for
    portfolio  None before something was built, or before it was asked for
    pool       None before it was asked for
    trouble    why nothing could be read the last time, in a sentence; "" if it could
    known      what there is was read, so that a None means that there is none

    changed()    something of these is new
    did(str)     a change of the owner's was made, in a sentence
    took(str)    the owner took another member, in a sentence; Undo takes it back
    failed(str)  a change could not be made, and why
    """

    changed = Signal()
    did = Signal(str)
    took = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self.route: Route | None = None
        self.portfolio: Portfolio | None = None
        self.pool: Pool | None = None
        self.trouble = ""
        self.known = False
        self._following = False
        self._wished: dict[str, float] | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self.save)

    @property
    def automatic(self) -> bool:
        """The member that suits the owner answers."""
        return self._engine.settings.routing

    @property
    def sliders(self) -> dict[str, float]:
        """How much each objective matters, by id; those that are not there are neutral."""
        return dict(self._engine.settings.sliders if self._wished is None else self._wished)

    # Asking -----------------------------------------------------------------------------

    def follow(self) -> None:
        """Ask again who answers next, where that can be different by now."""
        if self._following or not (self.automatic or self.known):
            return
        self._following = True
        listener = Listener(heard=self._followed, failed=self._not_followed)
        self._bridge.submit(once(partial(self._look, pool=False)), listener)

    def fetch(self) -> None:
        """Ask for everything."""
        listener = Listener(heard=self._hear, failed=self._unread)
        self._bridge.submit(once(partial(self._look, pool=True)), listener)

    def forget(self) -> None:
        """Everything may be another now: know nothing until it is asked for."""
        self._rest.stop()
        self.route = self.portfolio = self.pool = self._wished = None
        self.known = False
        self.fetch()

    def hear(self, portfolio: Portfolio) -> None:
        """A build came to its end."""
        self.portfolio = portfolio
        self.changed.emit()

    # Changing ---------------------------------------------------------------------------

    def override(self, candidate: Candidate) -> None:
        """Take this member; it answers next, and tells something about the owner."""
        said = self.tr("{0} answers next. Attune learns from your choice.").format(candidate.name)
        self._do(
            lambda: self._engine.portfolio.override(candidate.id), partial(self.took.emit, said)
        )

    def set_automatic(self, on: bool) -> None:
        self._do(partial(self._engine.change, routing=on))

    def set_slider(self, objective: str, value: float) -> None:
        """How much it matters, in [0, 1]; 0.5 leaves it to the votes."""
        self._wished = self.sliders | {objective: value}
        self._rest.start()

    def reset_sliders(self) -> None:
        """Leave it all to the votes."""
        self._wished = {}
        self.save()
        self.changed.emit()

    def save(self) -> None:
        """Let the sliders count, if they were moved."""
        self._rest.stop()
        if self._wished is not None and self._wished != self._engine.settings.sliders:
            self._do(partial(self._engine.change, sliders=self._wished))

    def remove(self, candidate: Candidate) -> None:
        self._do(lambda: self._engine.portfolio.candidates.remove(candidate.id))

    def restore(self, candidate: Candidate) -> None:
        self._do(lambda: self._engine.portfolio.candidates.restore(candidate.id))

    def add(self, model: str, preferences: tuple[str, ...], gamma: float) -> None:
        said = self.tr("It will be measured, too.")

        def add() -> Pool:
            candidates = self._engine.portfolio.candidates
            return candidates.add(model, preferences=preferences, gamma=gamma)

        self._do(add, partial(self.did.emit, said))

    # ------------------------------------------------------------------------------------

    def _do(self, call: Callable[[], object], tell: Callable[[], object] | None = None) -> None:
        def heard(item: object) -> None:
            self._hear(item)
            if tell is not None:
                tell()

        work = once(partial(self._change, call))
        self._bridge.submit(work, Listener(heard=heard, failed=self._failed), lasting=True)

    def _hear(self, item: object) -> None:
        if not isinstance(item, _Told):
            return
        if not self._rest.isActive():
            self._wished = None
        self.route = item.route
        self.portfolio = item.portfolio or self.portfolio
        self.pool = item.pool or self.pool
        self.known = self.known or item.pool is not None
        self.trouble = ""
        self.changed.emit()

    def _failed(self, error: AttuneError) -> None:
        self._wished = None
        self.changed.emit()  # whoever showed the wish shows the truth again
        self.failed.emit(error.message)

    def _followed(self, item: object) -> None:
        self._following = False
        self._hear(item)

    def _not_followed(self, error: AttuneError) -> None:
        self._following = False
        self._unread(error)

    def _unread(self, error: AttuneError) -> None:
        self.trouble, self.route = error.message, None
        self.changed.emit()

    # On the lane's thread ---------------------------------------------------------------

    def _look(self, *, pool: bool) -> _Told:
        portfolio = self._engine.portfolio
        return _Told(
            route=portfolio.route(),
            portfolio=portfolio.current() if pool or self.known else None,
            pool=portfolio.candidates.pool() if pool else None,
        )

    def _change(self, call: Callable[[], object]) -> _Told:
        result = call()
        try:
            told = self._look(pool=self.known and not isinstance(result, Pool))
        except AttuneError as error:
            # The change itself is made: to call it a failure would invite a second one.
            log.warning("who answers next cannot be read: %s", error.message)
            told = _Told(route=None)
        if isinstance(result, Pool):
            return replace(told, pool=result)
        return replace(told, route=result) if isinstance(result, Route) else told
