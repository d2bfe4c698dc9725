"""A library that makes the nth call fail that writes below a folder; compiled when it is needed.

It stands between SQLite, Python and the system, so a program has to be started with it: whoever
needs it starts itself again. Other such libraries can be loaded in the same way. Linux with glibc
and gcc.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
LOADED = "fault_arm"
"""What it has and no other library."""

ROOT = Path(__file__).parents[2]
KILL = -1
"""In the place of an error: the process ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is to happen.

    at      number of the call, from 1; 0 is nothing, calls are only counted
    error   of `errno`, or KILL
    lasts   every later call fails, too
    """

    at: int = 0
    error: int = 0
    lasts: bool = False


def possible() -> bool:
    """Whether the library can be had here."""
    return sys.platform == "linux" and shutil.which("gcc") is not None


def loaded(name: str = LOADED) -> bool:
    """Whether this program was started with it, or with the library that has a function `name`."""
    return hasattr(ctypes.CDLL(None), name)


def run_again(module: str, arguments: Sequence[str], *, source: Path = SOURCE) -> int:
    """Run a module with it, or with the library of another source; its exit code. Raises SystemExit
    where the library cannot be had."""
    if not possible():
        raise SystemExit("This needs Linux with glibc, and gcc.")
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        library = Path(name) / f"{source.stem}.so"
        compiler = ("gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl")
        subprocess.run(compiler, check=True)
        # Threads of numpy's would be missing in a forked child.
        loading = {"LD_PRELOAD": str(library), "OPENBLAS_NUM_THREADS": "1"}
        command = (sys.executable, "-m", module, *arguments)
        return subprocess.run(command, cwd=ROOT, env=os.environ | loading, check=False).returncode


@contextmanager
def armed(folder: Path, fault: Fault) -> Iterator[list[int]]:
    """Let it happen below a folder; afterwards the list holds how many calls there were."""
    library = ctypes.CDLL(None)
    counted: list[int] = []
    library.fault_arm(os.fsencode(folder), fault.at, fault.error, int(fault.lasts))
    try:
        yield counted
    finally:
        counted.append(int(library.fault_disarm()))
