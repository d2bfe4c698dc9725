"""Long work takes what the processor has to spare."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

log = logging.getLogger("engine.jobs")

NICENESS = 10
"""About a tenth of what others get where they want all. With 19, the most, a child took half a
minute to start on a busy machine (measured), which looks like one that hangs. What is started from
here has it, too."""

CREATION_FLAGS: int = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
"""For Windows, where the parent says so; what the child starts is then below normal, too."""

_AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let everything else go first. Best effort: a system that offers none of this does the work
    all the same."""
    if hasattr(os, "nice"):
        os.nice(max(0, NICENESS - os.nice(0)))
    # Where Linux gives every session a share of its own, niceness counts within a session only;
    # the session has a niceness, too (sched(7), "The autogroup feature").
    try:
        if _AUTOGROUP.exists():
            _AUTOGROUP.write_text(str(NICENESS), encoding="ascii")
    except OSError as error:
        log.info("the session's niceness could not be set: %s", error)
