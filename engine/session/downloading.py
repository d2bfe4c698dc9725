"""A download as its owner sees it: the download program is started, heard, and ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock

from engine import program
from engine.errors import AttuneError, DownloadError, InputError, Stopped, from_code
from engine.inference.child import Child, Gone, start
from engine.models import order
from engine.models.header import printable
from engine.models.order import Connected, Delivered, Failed, Order, Progressed, Report
from engine.types.work import Notice, Progress

LEAVE_SECONDS = 5.0
"""After its input has closed, the program has this long to leave before it is ended."""

STEADY_SECONDS = 2.0
"""Before, there is no saying how long the rest will take."""

_NAME = "The download program"


class Errand:
    """Something that takes long and is done alone; `stop` is for any thread."""

    def __init__(self, done: str) -> None:
        """done  what is done to a model: "downloaded" """
        self._done = done
        self._busy, self._stopping = Lock(), Event()
        self._child: Child[Report] | None = None

    @contextmanager
    def begun(self) -> Iterator[None]:
        """While it lasts. Raises InputError where something is under way already."""
        if not self._busy.acquire(blocking=False):
            raise InputError(
                f"A model is being {self._done} already. Wait for it, or stop it first."
            )
        try:
            self._stopping.clear()
            yield
        finally:
            self._busy.release()

    def check(self) -> None:
        """Raises Stopped where `stop` was called since it was begun."""
        if self._stopping.is_set():
            raise Stopped("It was stopped. Begun again, it goes on where it was.")

    def stop(self) -> None:
        """End it. Any thread."""
        self._stopping.set()
        if (child := self._child) is not None:
            child.close(within=LEAVE_SECONDS)

    @contextmanager
    def having(self, child: Child[Report]) -> Iterator[None]:
        """While this child works for it; it is ended at the end."""
        self._child = child
        try:
            yield
        finally:
            self._child = None
            child.close(within=LEAVE_SECONDS)


class Downloader:
    """Starts the download program, once for every order."""

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        command  of the program, for tests; None is Attune's own
        clock    seconds
        """
        self._command, self._clock = command, clock

    def deliver(
        self, wanted: Order, errand: Errand
    ) -> Generator[Notice | Progress, None, Delivered]:
        """Have a file delivered; a Notice for each connection, Progress in bytes.

        Raises Stopped, and what the program reports: DownloadError, StorageError, InputError.
        """
        errand.check()
        command = self._command or program.command(program.DOWNLOADER)
        child = Child(start(command, name=_NAME), read=order.read_report)
        with errand.having(child):
            _hand_over(child, wanted)
            errand.check()  # it may have been stopped before there was a child to end
            return (yield from self._heard(child, wanted, errand))

    def _heard(
        self, child: Child[Report], wanted: Order, errand: Errand
    ) -> Generator[Notice | Progress, None, Delivered]:
        pace = Pace(self._clock)
        text = f"Getting {printable(wanted.file.rpartition('/')[2])}"
        while True:
            try:
                report = child.receive(lambda: None)
            except Gone:
                errand.check()
                raise _ended(child) from None
            match report:
                case Delivered():
                    return report
                case Failed():
                    errand.check()
                    raise _reported(report)
                case Progressed(done=done, total=total):
                    left = pace.left(done, total)
                    yield Progress(done=done, total=total, left=left, text=text)
                case Connected(host=host):
                    yield Notice(code="connected", text=f"Connected to {printable(host)}.")


class Pace:
    """How long the rest takes, from how long it took since the first word of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def left(self, done: int, total: int) -> float | None:
        """In seconds; None before there is an estimate."""
        now = self._clock()
        if self._first is None:
            self._first = now, done
        began, before = self._first
        if now - began < STEADY_SECONDS or done <= before:
            return None
        return (total - done) * (now - began) / (done - before)


def _hand_over(child: Child[Report], wanted: Order) -> None:
    try:
        child.send(wanted)
    except Gone:
        raise _ended(child) from None


def _reported(report: Failed) -> AttuneError:
    return from_code(report.code, report.message, detail=report.detail)


def _ended(child: Child[Report]) -> DownloadError:
    child.ended(within=LEAVE_SECONDS)
    return DownloadError(
        f"{_NAME} ended without a word. What came is kept: get the model again to go on there.",
        detail=child.last_words,
    )
