"""Starting: `attune --version`, and the window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.speed.measure import Row


def run(*, times: int) -> list[Row]:
    """Seconds from the start of a process, warm."""
    attune = str(Path(sys.executable).with_name("attune"))
    with tempfile.TemporaryDirectory() as folder:
        return [
            _row("attune --version, s", 0.15, times, lambda: _spent([attune, "--version"])),
            _row("window visible from start, s", 1.0, times, lambda: _first_paint(folder)),
        ]


def _row(name: str, target: float, times: int, measure: Callable[[], float]) -> Row:
    measure()
    found = [measure() for _ in range(times)]
    return Row(
        name=name,
        model="",
        ratio=median(found),
        spread=(min(found), max(found)),
        target=target,
        low=True,
        detail="whole process",
    )


def _spent(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _first_paint(folder: str) -> float:
    """Seconds from the start of the process to the first paint, on a real display if possible."""
    environment = os.environ | ({} if _display() else {"QT_QPA_PLATFORM": "offscreen"})
    begun = time.time()
    command = [sys.executable, "-m", "benchmarks.speed.first_paint", folder]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0]) - begun


def _display() -> bool:
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
