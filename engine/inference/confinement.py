"""What the inference child gives up before it opens anybody's file.

Best effort: a system that offers none of this runs the child all the same.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from pathlib import Path

from engine.inference.seccomp import forbid_sockets

log = logging.getLogger("engine.host")

_PR_SET_NO_NEW_PRIVS = 38
_FIRST_TO_GO = "500"
"""Of -1000..1000: when memory runs out, the system ends the child and not the window."""


def confine() -> None:
    """No core dump with a chat in it, no new privileges, no sockets, first to go when memory runs
    out. Holds for the thread that calls it, and for all that it starts."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError) as error:
        log.info("core dumps could not be switched off: %s", error)
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    try:
        forbid_sockets()
    except OSError as error:
        log.info("sockets could not be forbidden: %s", error)
    try:
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    except OSError as error:
        log.info("the memory score could not be set: %s", error)
