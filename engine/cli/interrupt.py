"""Ctrl+C while an answer or long work runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_PATIENCE = 5.0
"""Seconds that a stop may take to be heard."""

INTERRUPTED = 130
"""Exit code of what Ctrl+C has ended."""


@contextmanager
def interrupt_stops(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl+C asks the work to stop, which keeps what it has done; twice leaves."""
    stopper: threading.Thread | None = None

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopper
        if stopper is not None:
            raise KeyboardInterrupt
        # Not here: this interrupts the main thread, which may hold a lock that a stop needs.
        stopper = threading.Thread(target=stop, name="stop", daemon=True)
        stopper.start()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if stopper is not None:
            stopper.join(_PATIENCE)  # so that it cannot hit what comes next
