"""What to send along with a report of a mistake: versions, the system, the log. No texts."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

from engine import logs
from engine.endings import Ending
from engine.inference import ladder
from engine.session import selftest
from engine.version import __version__

LONGEST = 64 << 10
"""Bytes of the log."""

_DOING = {
    "running": "while its window was open",
    "trying": "while it tried which settings work on this computer",
}


def text(folder: Path, *, ending: Ending | None, about: Sequence[tuple[str, str]]) -> str:
    """
    folder  of the log
    ending  the newest that was bad, if one is known
    about   what else is to be told: what it is, and its value
    """
    facts = [
        ("Attune", __version__),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Processor", selftest.cpu_name()),
        ("llama.cpp", f"llama-cpp-python {_version('llama-cpp-python')}"),
        ("SQLite", sqlite3.sqlite_version),
        *about,
        ("Bad end", described(ending) if ending else "none is known"),
    ]
    lines = [f"{label:<12}{value}" for label, value in facts]
    log = logs.tail(folder, longest=LONGEST)
    trace = [ending.trace.rstrip(), ""] if ending and ending.trace else []
    return "\n".join([*lines, "", *trace, log.rstrip() or "The log is empty.", ""])


def described(ending: Ending) -> str:
    """A bad end in words, on one line."""
    doing = _DOING.get(ending.doing, "")
    if ending.doing == "loading":
        how = f" with {ladder.describe(ending.launch)}" if ending.launch else ""
        doing = f"while it loaded {ending.model}{how}"
    fault = f" ({ending.fault})" if ending.fault else ""
    return f"Attune {ending.version} stopped {doing}, {_when(ending.at)}{fault}"


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "at an unknown time"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"
