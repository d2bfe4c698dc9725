"""The bridge between the window and the engine: one thread there, one QObject here.

Work goes over as a generator and runs on a single thread, in order, so that the engine needs no
locks; only what takes minutes has a bridge of its own. What the work yields comes back through one
queued signal to a bound method of this object, which lives on the GUI thread: nothing else ever
crosses.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from time import monotonic

from PySide6.QtCore import QObject, Qt, Signal

from engine.api import AttuneError

log = logging.getLogger("desktop.bridge")

Work = Callable[[], Iterable[object]]

ENGINE = "attune-engine"
"""Name of the thread that asks, answers and learns."""

NUDGE = 0.2
"""Seconds between two requests to end, while closing."""


def once(call: Callable[[], object]) -> Work:
    """Work that yields one item: what a blocking call returns."""

    def work() -> Iterator[object]:
        yield call()

    return work


def _nothing(_: object = None) -> None:
    """A listener that does not care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Called on the GUI thread: `heard` per item, then exactly one of `failed` and `done`.

    A job that is withdrawn before its turn, or cut short by the end of the lane, ends in neither.
    """

    heard: Callable[[object], None] = _nothing
    failed: Callable[[AttuneError], None] = _nothing
    done: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work that has been handed in.

    lasting    must be done even when the window is closing (saving)
    """

    number: int
    work: Work
    lasting: bool = False
    withdrawn: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Done:
    """The last thing that is said about a job."""


class Lane:
    """A thread that talks to the engine."""

    def __init__(self, report: Callable[[int, object], None], *, name: str) -> None:
        self._report = report
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._closing = threading.Event()
        # A daemon: should the engine hang for good, the program can still end.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        self._jobs.put(job)

    def refuse(self) -> None:
        """From now on only lasting jobs are done; the running one ends with its next item."""
        self._closing.set()

    def join(self, *, nudge: Callable[[], None], timeout: float) -> bool:
        """Wait for the end. False if it did not come in time.

        nudge  ends whatever the engine is doing; repeated, for one nudge may come just before
               the engine begins to listen
        """
        self._jobs.put(None)
        until = monotonic() + timeout
        while self._thread.is_alive() and monotonic() < until:
            nudge()
            self._thread.join(min(NUDGE, timeout))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.withdrawn.is_set() or (self._closing.is_set() and not job.lasting):
                continue
            self._report(job.number, self._outcome(job))

    def _outcome(self, job: Job) -> AttuneError | _Done:
        try:
            self._drain(job)
        except AttuneError as error:
            log.warning("job %d failed: %s (%s)", job.number, error.code, error.detail)
            return error
        except Exception as error:  # the outermost loop of this thread
            log.exception("job %d met a mistake of ours", job.number)
            kind = type(error).__name__
            return AttuneError(f"Something went wrong inside Attune ({kind}); the log has more.")
        return _Done()

    def _drain(self, job: Job) -> None:
        items: Iterator[object] = iter(job.work())
        try:
            for item in items:
                self._report(job.number, item)
                if self._closing.is_set() and not job.lasting:
                    return
        finally:
            # Generators hold the engine's half of the request; end it on this thread.
            if (close := getattr(items, "close", None)) is not None:
                close()


class Bridge(QObject):
    """Hands work to the lane and gives back what it yields, on the GUI thread.

    _arrived(job, item)  emitted on the lane's thread for each item, error and end
    """

    _arrived = Signal(int, object)

    def __init__(self, parent: QObject | None = None, *, name: str = ENGINE) -> None:
        super().__init__(parent)
        self._numbers = count(1)
        self._listeners: dict[int, Listener] = {}
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._lane = Lane(self._arrived.emit, name=name)

    def submit(self, work: Work, listener: Listener, *, lasting: bool = False) -> Job:
        job = Job(number=next(self._numbers), work=work, lasting=lasting)
        self._listeners[job.number] = listener
        self._lane.put(job)
        return job

    def withdraw(self, job: Job) -> None:
        """Not wanted any more: skipped if it has not begun, and its listener hears no more."""
        job.withdrawn.set()
        self._listeners.pop(job.number, None)

    def close(
        self, *, stop: Callable[[], None], last: Callable[[], None] = _nothing, timeout: float
    ) -> bool:
        """End the lane; nothing is delivered afterwards. False if the engine did not let go.

        stop  ends what the engine is doing, from this thread
        last  done on the lane when all else is
        """
        self._lane.refuse()
        self.submit(once(last), Listener(), lasting=True)
        self._listeners.clear()
        return self._lane.join(nudge=stop, timeout=timeout)

    def _deliver(self, number: int, item: object) -> None:
        listener = self._listeners.get(number)
        if listener is None:
            return
        if not isinstance(item, (AttuneError, _Done)):
            listener.heard(item)
            return
        del self._listeners[number]
        if isinstance(item, AttuneError):
            listener.failed(item)
        else:
            listener.done()
