"""Work of minutes or hours: on a thread of its own, so that the chat goes on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener, Work
from desktop.heard import heard
from engine.api import AttuneError, Notice, Progress


class LongWork(QObject):
    """At most one piece at a time. Lives on the GUI thread.

    progress  how far it has come; None before that is known, and while nothing is done

    began()           work is under way
    progressed()      `progress` is new, or it was told to stop
    noticed(str)      something the owner should know meanwhile
    finished(object)  what came of it
    ended()           it is over: finished, stopped or failed; what was done is kept
    failed(str)       it did not come to its end, and why
    """

    began = Signal()
    progressed = Signal()
    noticed = Signal(str)
    finished = Signal(object)
    ended = Signal()
    failed = Signal(str)

    def __init__(self, *, name: str, stop: Callable[[], None]) -> None:
        """
        name  of the thread
        stop  ends what the engine does, from any thread
        """
        super().__init__()
        self._name, self._stop = name, stop
        self._bridge: Bridge | None = None  # most windows are closed without having needed it
        self._busy = self._told = False
        self.progress: Progress | None = None

    @property
    def busy(self) -> bool:
        return self._busy

    @property
    def ending(self) -> bool:
        """It was told to stop, and has not yet."""
        return self._busy and self._told

    def cancel(self) -> None:
        """End it soon; what is done is kept."""
        if self._busy:
            self._told = True
            self._stop()
            self.progressed.emit()

    def close(self, *, timeout: float) -> bool:
        """End the thread. False if the engine did not let go of it."""
        if self._bridge is None:
            return True
        return self._bridge.close(stop=self._stop, timeout=timeout)

    def _begin(self, work: Work) -> None:
        self._busy, self._told, self.progress = True, False, None
        self._bridge = self._bridge or Bridge(self, name=self._name)
        listener = Listener(heard=self._heard, failed=self._failed, done=self._end)
        self._bridge.submit(work, listener)
        self.began.emit()

    def _heard(self, event: object) -> None:
        match event:
            case Progress():
                self.progress = event
                if self._told:
                    self._stop()  # the first may have come before it could listen
                self.progressed.emit()
            case Notice():
                self.noticed.emit(heard(event.text))
            case _:
                self.finished.emit(event)

    def _failed(self, error: AttuneError) -> None:
        self._end()
        self.failed.emit(error.message)

    def _end(self) -> None:
        self._busy = self._told = False
        self.progress = None
        self.ended.emit()
