"""Whether a model fits this computer's memory: an estimate from its header."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from engine.models.gguf import Facts
from engine.types.library import FitWord, MemoryFit
from engine.types.work import Notice

OVERHEAD = 300_000_000
"""Bytes besides weights and cache: buffers for computing, the program itself."""


WELL, TIGHT = 0.6, 0.9
"""Shares of the memory: up to the first there is room for other programs, up to the second the
model runs. Beyond, the system begins to swap."""


def needed(facts: Facts, *, context: int) -> int:
    """Bytes that a model takes with a cache of `context` tokens."""
    return estimate(facts.size, facts.cache_per_token, context=context)


def estimate(size: int, cache_per_token: int, *, context: int) -> int:
    """The same from the bytes of the weights and the numbers in the cache per token."""
    return size + 2 * cache_per_token * context + OVERHEAD  # two bytes a number


def installed() -> int | None:
    """Bytes of memory in this computer; None where the system does not tell."""
    if sys.platform == "win32":
        return _installed_on_windows()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def available() -> int | None:
    """Bytes that programs can still have without swapping; None where the system does not tell."""
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^MemAvailable:\s*(\d+) kB", told, flags=re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def fit(need: int, *, memory: int | None, measured: bool = False) -> MemoryFit:
    """How something that needs so many bytes fits a machine that has so many."""
    return MemoryFit(word=_word(need, memory), needed=need, memory=memory, measured=measured)


def peak(pid: int) -> int | None:
    """The most bytes that a process has had in memory, the file of its model included, which it
    maps; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    told = re.search(r"^VmHWM:\s*(\d+) kB", status, flags=re.MULTILINE)
    return int(told[1]) * 1024 if told else None


def shortage(facts: Facts, *, context: int) -> Notice | None:
    """A warning where the model needs more than there is; it is tried all the same."""
    need, have = needed(facts, context=context), installed()
    if have is None or need <= have:
        return None
    text = (
        f"This model needs about {need / 1e9:.1f} GB, and the computer has {have / 1e9:.1f} GB. "
        "It may be very slow, or the system may end it. A smaller model answers better here."
    )
    return Notice(code="memory_short", text=text)


def _word(need: int, memory: int | None) -> FitWord:
    if memory is None:
        return "unknown"
    if need <= WELL * memory:
        return "well"
    return "tight" if need <= TIGHT * memory else "large"


def _installed_on_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):  # MEMORYSTATUSEX
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 6),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009 - only Windows has it
    return status.total if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
