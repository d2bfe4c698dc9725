"""Reads what strace tells: which files, sockets and processes, and whose they are."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = "open,openat,openat2,creat,unlink,unlinkat,mkdir,rename,socket,connect,bind,execve,execveat"
MARK = "/answer-"
"""A file that is nowhere, asked for between two answers, so that the trace tells them apart."""

_CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')


def told_by_system(lines: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """What a trace tells of each answer beyond what a window needs, by its number.

    An answer that is missing was not in the trace at all, which is no proof of anything.
    """
    found: dict[int, tuple[str, ...]] = {}
    number: int | None = None
    for line in lines:
        name = _NAME.search(line)
        if name is not None and name[1].startswith(MARK):
            told = name[1].removeprefix(MARK)
            number = int(told) if told.isdigit() else None
            if number is not None:
                found.setdefault(number, ())
        elif number is not None and offends(line):
            found[number] = (*found[number], line.strip()[:200])
    return found


def offends(line: str) -> bool:
    """Whether a line of a trace tells of more than reading the program, its data and fonts."""
    call = _CALL.match(line)
    if call is None:  # a signal, or the end of a thread
        return False
    if not call[1].startswith(("open", "creat")):
        return True
    name = _NAME.search(call[2])
    reads = "O_WRONLY" not in line and "O_RDWR" not in line and call[1] != "creat"
    return not (reads and name is not None and is_ours(name[1]))


def is_ours(path: str) -> bool:
    """Whether a file belongs to the program, to Python, to the system's libraries or its fonts."""
    homes = (str(ROOT), sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix))
    return path.startswith((*homes, *_SYSTEM, *_fonts()))


_SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/share/", "/usr/local/share/", "/etc/ld.so.cache",
           "/etc/fonts/", "/var/cache/fontconfig/", "/sys/devices/system/cpu", "/proc/self/status",
           "/proc/cpuinfo", "/proc/meminfo", "/usr/local/lib/")  # fmt: skip


def _fonts() -> tuple[str, ...]:
    home = Path.home()
    folders = (
        ".fonts",
        ".fontconfig",
        ".local/share/fonts",
        ".cache/fontconfig",
        ".config/fontcon",
    )
    return tuple(str(home / folder) for folder in folders)
