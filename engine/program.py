"""Attune's own programs: how one process of it starts another.

From source that is Python and the name of a module. An installed Attune has no Python that would
take a name: the same program is started once more and told which part to be. What downloads is a
program of its own, since nothing else of Attune may bring what speaks to a network.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

BE = "--be"
"""Before the name of a module: what tells an installed Attune to be that part of itself."""

PARTS = ("engine.inference.host", "engine.jobs.host")
"""Modules that an installed Attune can be told to be."""

DOWNLOADER = "engine.download"
"""The module that is a program of its own in an installed Attune, `attune-download`."""

DOWNLOADER_APP = "Attune Download.app"
"""What it is wrapped in on macOS, where a program inside another has to be a bundle."""

_ENDING = ".exe" if os.name == "nt" else ""


def command(module: str) -> tuple[str, ...]:
    """What starts this module, one of PARTS or DOWNLOADER, in a process of its own."""
    if not installed():
        # -I: neither the current folder nor the owner's Python settings reach the child.
        return (sys.executable, "-I", "-X", "utf8", "-m", module)
    if module == DOWNLOADER:
        return (str(_downloader()),)
    return (str(folder() / f"attune{_ENDING}"), BE, module)


def folder() -> Path:
    """A folder of Attune's own that is surely there, where nobody else puts anything."""
    return Path(sys.executable if installed() else __file__).resolve().parent


def installed() -> bool:
    """Whether this is the program that an installer brought, and not Python with packages."""
    return bool(getattr(sys, "frozen", False))


def _downloader() -> Path:
    if sys.platform == "darwin":
        app = folder().parent / "Helpers" / DOWNLOADER_APP
        return app / "Contents" / "MacOS" / "attune-download"
    return folder() / "download" / f"attune-download{_ENDING}"
