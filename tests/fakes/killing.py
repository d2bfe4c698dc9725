"""Processes that are killed where it matters: at a step that can leave a trace on the disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

import pytest

LASTING = {"execute", "fsync", "replace", "unlink", "backup", "write", "close", "mkstemp", "open"}
"""What can leave a trace on the disk is done by these."""

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="a child of our own is a matter of POSIX"
)


def doing(act: Callable[[], object], *, until: int) -> int:
    """Kill this process before or after what may leave a trace, at the `until`-th such moment;
    returns how many there were, where there are fewer."""
    steps = 0

    def watch(_frame: FrameType, event: str, what: object) -> None:
        nonlocal steps
        if event in ("c_call", "c_return") and getattr(what, "__name__", "") in LASTING:
            steps += 1
            if steps == until:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        act()
    finally:
        sys.setprofile(None)
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
