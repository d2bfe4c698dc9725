"""The download program: one order in, one file or one sentence out.

It is started when the owner asks for a model, and ends when that is there, cannot be had, or is
no longer wanted: its input closes then. Nothing else of Attune opens a connection.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from engine.errors import AttuneError, Offline
from engine.models import offline
from engine.models.connections import ConnectionLog
from engine.models.order import (
    Connected,
    Order,
    Progressed,
    Report,
    failed,
    line_of,
    read_order,
)

TOLD_EVERY = 0.1
"""Seconds between two lines of progress."""


def main(argv: Sequence[str]) -> int:
    """Carry out the order on standard input; 0 where the file was delivered, else 1.

    The only entry, from source and from an installed Attune.
    """
    arguments = _parser().parse_args(argv)
    reports = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no report
    try:
        if refused := offline.why(asked=arguments.offline, variables=os.environ):
            raise Offline(refused)
        order = read_order(sys.stdin.buffer.readline())
        _carry_out(order, arguments, reports)
    except AttuneError as error:
        _say(reports, failed(error))
        return 1
    return 0


def _carry_out(order: Order, arguments: argparse.Namespace, reports: BinaryIO) -> None:
    # Read when the library is imported: no reports about its use, and no protocol that the log of
    # connections does not see.
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    from engine.download.delivery import Manner, deliver
    from engine.download.wire import Wire

    wire = Wire(
        ConnectionLog(Path(order.log)),
        purpose=f"{order.file} of {order.repository}",
        clock=time.time,
        connected=lambda host: _say(reports, Connected(host=host)),
    )
    wire.guard()
    _end_with_input(lambda: wire.end("stopped"))
    manner = Manner()
    if arguments.endpoint:
        manner = Manner(
            endpoint=arguments.endpoint, patience=arguments.patience, pauses=arguments.pauses
        )
    progress = _Progress(reports, clock=time.monotonic)
    try:
        delivered = deliver(order, wire=wire, tell=progress.tell, manner=manner)
    finally:
        wire.end("done")
    _say(reports, delivered)


class _Progress:
    """Tells how far it is, but not for every block."""

    def __init__(self, reports: BinaryIO, *, clock: Callable[[], float]) -> None:
        self._reports, self._clock = reports, clock
        self._told = -TOLD_EVERY

    def tell(self, done: int, total: int) -> None:
        now = self._clock()
        if now - self._told >= TOLD_EVERY or done == total:
            self._told = now
            _say(self._reports, Progressed(done=done, total=total))


def _end_with_input(before: Callable[[], None]) -> None:
    """Have this process end at once when its input closes; what came stays as it is."""

    def watch() -> None:
        try:
            while os.read(0, 1):
                pass
            before()
        finally:  # whatever happens: nobody is there any more to end this
            os._exit(1)

    threading.Thread(target=watch, name="input", daemon=True).start()


_saying = threading.Lock()


def _say(reports: BinaryIO, report: Report) -> None:
    with _saying:
        try:
            reports.write(line_of(report))
            reports.flush()
        except OSError:  # nobody reads on: the input has closed as well, and ends this
            return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="attune-download",
        description="Gets one model for Attune, which starts this program with an order on its "
        "standard input. There is nothing to do with it by hand.",
    )
    parser.add_argument("--offline", action="store_true", help="refuse to make a connection")
    tests = parser.add_argument_group("for tests")
    tests.add_argument("--endpoint", default="", metavar="URL", help="a server that is no hub")
    tests.add_argument("--patience", type=float, default=20.0, metavar="SECONDS")
    tests.add_argument("--pauses", type=float, nargs="*", default=(), metavar="SECONDS")
    return parser
