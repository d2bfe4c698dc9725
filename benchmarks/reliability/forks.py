"""Children that are forked from a program that has loaded everything, so that a kill costs little.

The parent keeps no thread and no open database: a child that inherits either is no fair copy of a
program that has just started.
"""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

PATIENCE = 60.0
"""Seconds without a word after which a child hangs."""


class Line:
    """The child's end of what leads to its parent."""

    def __init__(self, *, out: int, into: int) -> None:
        self._out, self._into = out, into

    def tell(self, word: bytes) -> None:
        while word:
            word = word[os.write(self._out, word) :]

    def wait(self) -> None:
        """Until the parent lets it go on."""
        os.read(self._into, 1)


class Child:
    """A forked process that says something now and then."""

    def __init__(self, act: Callable[[Line], object]) -> None:
        """act  what it does; nothing that happens in it comes back but what it tells."""
        self.said = b""
        self.begun = time.monotonic()
        self._out, out = os.pipe()
        into, self._into = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._out)
            os.close(self._into)
            _be(act, Line(out=out, into=into))
        os.close(out)
        os.close(into)

    def let_go_on(self) -> None:
        """End its waiting, now or when it comes to that."""
        with suppress(BrokenPipeError):
            os.write(self._into, b".")

    def hear(self, *, until: Callable[[bytes], bool]) -> bool:
        """Listen until it has said so much; False where it ended, or hangs, before that."""
        while not until(self.said):
            ready, _, _ = select.select([self._out], [], [], PATIENCE)
            heard = os.read(self._out, 65_536) if ready else b""
            if not heard:
                return False
            self.said += heard
        return True

    def kill(self) -> bool:
        """End it with SIGKILL and hear the rest; False where it had ended before."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.end() == -signal.SIGKILL

    def end(self) -> int:
        """Hear the rest of what it says, and wait for it; its exit code, or minus the signal."""
        self.hear(until=lambda _: False)
        os.close(self._out)
        os.close(self._into)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _be(act: Callable[[Line], object], line: Line) -> None:
    """Do it, and end without what a program does at its end: that is the parent's."""
    code = 1
    try:
        act(line)
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it is, it must not come to the parent's stack
        traceback.print_exc()
    finally:
        os._exit(code)
