"""The job child: long work, one at a time, and nothing that must last.

Started by name, never imported by the parent. The main thread does the work; a second thread reads
the lines, so that a cancel is seen at once. The child ends when its input closes, whatever it is
doing. What the work is, the host does not know: see `begin`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, Protocol

from engine.errors import AttuneError, EngineError, InternalError, Stopped
from engine.inference.client import Client
from engine.inference.confinement import confine
from engine.jobs import protocol
from engine.jobs.calibration import Calibration
from engine.jobs.priority import give_way

log = logging.getLogger("engine.jobs")

GRACE_SECONDS = 4.0
"""Work that does not end for this long after the parent has gone is left where it is."""


class Working(Protocol):
    """Work under way."""

    def run(self) -> Generator[protocol.Item, None, None]:
        """Do it and tell what comes of it. Raises Stopped where `cancel` cut it short, and any
        AttuneError. Closing the iterator ends what was started for it."""
        ...

    def cancel(self) -> None:
        """End it soon, before it was run or while it is. From another thread; may come twice."""
        ...


class Host:
    """Does work until the input closes."""

    def __init__(self, begin: Callable[[protocol.Work], Working], *, replies: BinaryIO) -> None:
        self._begin = begin
        self._replies = replies
        self._queue: SimpleQueue[protocol.Begin | protocol.Failed | None] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()
        self._current: tuple[int, Working] | None = None
        self._closed = False

    def serve(self, requests: BinaryIO, *, deserted: Callable[[], None] = lambda: None) -> None:
        """Say hello, then do what is asked. Returns when the input closes.

        deserted  called when the input has closed, from another thread, while work may go on
        """
        self._say(protocol.Hello(protocol=protocol.PROTOCOL, build=protocol.BUILD, pid=os.getpid()))
        reader = threading.Thread(target=self._listen, args=(requests, deserted), daemon=True)
        reader.start()
        try:
            while (request := self._queue.get()) is not None:
                if isinstance(request, protocol.Failed):
                    self._say(request)
                else:
                    self._serve(request)
        except _Unheard:
            log.info("nobody listens any more")

    # The reading thread ---------------------------------------------------------------------

    def _listen(self, requests: BinaryIO, deserted: Callable[[], None]) -> None:
        for line in requests:
            try:
                request = protocol.read_request(line)
            except EngineError as error:
                log.error("refused a line: %s", error.detail)
                if (failed := protocol.refusal(line, error)) is not None:
                    self._queue.put(failed)
                continue
            if isinstance(request, protocol.Cancel):
                self._cancel(request.target)
            else:
                self._queue.put(request)
        # The parent is gone or wants us gone: stop what is running, then leave.
        self._queue.put(None)
        self._leave()
        deserted()

    def _cancel(self, target: int) -> None:
        with self._lock:
            self._cancelled.add(target)
            if self._current is not None and self._current[0] == target:
                self._current[1].cancel()

    def _leave(self) -> None:
        with self._lock:
            self._closed = True
            if self._current is not None:
                self._current[1].cancel()

    # The working thread ---------------------------------------------------------------------

    def _serve(self, request: protocol.Begin) -> None:
        try:
            self._work(request)
            self._say(protocol.Done(id=request.id))
        except Stopped:
            self._say(protocol.Cancelled(id=request.id))
        except AttuneError as error:
            self._fail(request.id, error)
        except MemoryError:
            self._fail(request.id, InternalError("The process for long work ran out of memory."))
        except Exception as error:
            log.exception("work failed")
            told = InternalError(
                f"Something unexpected went wrong ({type(error).__name__}: {error}). "
                "Please report it."
            )
            self._fail(request.id, told)
        finally:
            with self._lock:
                self._current = None

    def _work(self, request: protocol.Begin) -> None:
        working = self._begin(request.work)
        with self._lock:
            self._current = request.id, working
            if self._closed or request.id in self._cancelled:
                working.cancel()
        with closing(working.run()) as items:
            for seq, item in enumerate(items, 1):
                self._say(protocol.Told(id=request.id, seq=seq, item=item))

    def _fail(self, request: int, error: AttuneError) -> None:
        self._say(
            protocol.Failed(id=request, code=error.code, message=error.message, detail=error.detail)
        )

    def _say(self, message: protocol.Reply) -> None:
        try:
            protocol.send(self._replies, message)
        except OSError as error:
            raise _Unheard from error


class _Unheard(BaseException):
    """The parent is gone. No Exception, so that no work takes it for its own."""


def begin(work: protocol.Work) -> Working:
    """The right kind of worker for this work."""
    match work:
        case protocol.Calibrate():
            return Calibration(work, spawn=lambda: Client(background=True), clock=time.monotonic)
        case protocol.Merge():
            from engine.jobs.merging import Merging  # numpy comes with it
            from engine.jobs.reading import Reading

            reading = Reading(work, spawn=lambda: Client(background=True))
            return Merging(work, reading=reading, clock=time.monotonic)
        case protocol.Train():
            from engine.jobs.training import Training

            return Training(work, spawn=lambda: Client(background=True), clock=time.monotonic)


def main(begin: Callable[[protocol.Work], Working] = begin) -> int:
    """Take over standard input and output; what others print goes to standard error."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    sys.path[:] = [entry for entry in sys.path if entry not in {"", str(Path.cwd())}]
    confine()
    give_way()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Host(begin, replies=replies).serve(sys.stdin.buffer, deserted=_insist)
    return 0


def _insist() -> None:
    """Leave even if the work does not end, and leave nothing behind that it has started."""
    time.sleep(GRACE_SECONDS)
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
