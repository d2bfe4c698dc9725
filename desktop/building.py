"""Measuring the pool, which takes minutes: on a thread of its own, so that the chat goes on."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener
from engine.api import AttuneError, Engine, Notice, Portfolio, Progress

BUILD = "attune-build"
"""Name of the thread that builds."""


class Building(QObject):
    """At most one build at a time. Lives on the GUI thread.

    progress  how far it has come; None before that is known, and while nothing is built

    began()             a build is under way
    progressed()        `progress` is new
    noticed(str)        something the owner should know meanwhile
    built(Portfolio)    it is done
    ended()             it is over: done, cancelled or failed; what was measured is kept
    failed(str)         it could not be done, and why
    """

    began = Signal()
    progressed = Signal()
    noticed = Signal(str)
    built = Signal(object)
    ended = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._bridge: Bridge | None = None  # most windows are closed without having built
        self._busy = self._told = False
        self.progress: Progress | None = None

    @property
    def busy(self) -> bool:
        return self._busy

    @property
    def ending(self) -> bool:
        """It was told to stop, and has not yet."""
        return self._busy and self._told

    def begin(self) -> None:
        """Build, or go on where the last build was cancelled."""
        if self._busy:
            return
        self._busy, self._told, self.progress = True, False, None
        self._bridge = self._bridge or Bridge(self, name=BUILD)
        listener = Listener(heard=self._heard, failed=self._failed, done=self._end)
        self._bridge.submit(self._engine.build_portfolio, listener)
        self.began.emit()

    def cancel(self) -> None:
        """End it soon; what is measured is kept."""
        if self._busy:
            self._told = True
            self._engine.stop_build()
            self.progressed.emit()

    def close(self, *, timeout: float) -> bool:
        """End the thread. False if the engine did not let go of it."""
        if self._bridge is None:
            return True
        return self._bridge.close(stop=self._engine.stop_build, timeout=timeout)

    def _heard(self, event: object) -> None:
        match event:
            case Progress():
                self.progress = event
                if self._told:
                    self._engine.stop_build()  # the first may have come before it could listen
                self.progressed.emit()
            case Notice():
                self.noticed.emit(event.text)
            case Portfolio():
                self.built.emit(event)

    def _failed(self, error: AttuneError) -> None:
        self._end()
        self.failed.emit(error.message)

    def _end(self) -> None:
        self._busy = self._told = False
        self.progress = None
        self.ended.emit()
