"""Processes that are killed where it matters: at a step that can leave a trace on the disk."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

CALLS = ("fsync", "replace", "link", "unlink", "open", "close", "write")
"""Of the system, that can leave a trace on the disk; those of SQLite are counted beside them."""

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="a child of our own is a matter of POSIX"
)


def doing(act: Callable[[], object], *, until: int) -> int:
    """Kill this process before or after what may leave a trace, at the `until`-th such moment;
    returns how many there were, where there are fewer."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == until:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            step()
            found = call(*arguments, **named)
            step()
            return found

        return counting

    class Connection(sqlite3.Connection):
        execute = counted(sqlite3.Connection.execute)
        backup = counted(sqlite3.Connection.backup)

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
        act()
    return steps


def killed(act: Callable[[], object], *, at: int) -> None:
    """Do it in a child that is killed at a step."""
    child = os.fork()
    if not child:
        try:
            doing(act, until=at)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
