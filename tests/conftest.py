"""After every test nothing is left behind: no thread, no child process, no open file."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

settings.register_profile(
    "attune",
    derandomize=True,
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # to explain takes minutes
)
settings.load_profile("attune")

SECONDS = 3.0
"""What is ending when a test is over has this long to be gone."""

_FILES = Path("/proc/self/fd")
_CHILDREN = Path(f"/proc/{os.getpid()}/task")
_OF_THE_SYSTEM = ("/dev/", "anon_inode:", "/memfd:", "/proc/", "/sys/", "/usr/", "/etc/", "/run/")
"""Opened by libraries for the life of the process: displays, fonts, event loops."""


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or an open file."""
    threads, children, files = set(threading.enumerate()), _children(), _files()
    yield
    left = _left(threads, children, files)
    deadline = time.monotonic() + SECONDS
    while left and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
        left = _left(threads, children, files)
    if left:
        pytest.fail("The test left behind " + ", ".join(left) + ". Close what it opened.")


def _left(threads: set[threading.Thread], children: set[int], files: dict[int, str]) -> list[str]:
    alive = [f"the thread {t.name}" for t in threading.enumerate() if t not in threads]
    running = [f"the process {pid} ({_command(pid)})" for pid in _children() - children]
    now = _files()
    opened = [f"the file {now[fd]}" for fd in now if files.get(fd) != now[fd]]
    return alive + running + opened


def _children() -> set[int]:
    """Processes that this one has started; none where the system does not tell."""
    found: set[int] = set()
    if _CHILDREN.is_dir():
        for task in _CHILDREN.iterdir():
            try:
                found |= {int(pid) for pid in (task / "children").read_text().split()}
            except OSError:
                continue
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    except OSError:
        return "gone meanwhile"


def _files() -> dict[int, str]:
    """Open descriptors and what they lead to, libraries' own left out."""
    found: dict[int, str] = {}
    for name in os.listdir(_FILES) if _FILES.is_dir() else ():
        try:
            target = os.readlink(_FILES / name)
        except OSError:
            continue
        if not target.startswith(_OF_THE_SYSTEM) and "/site-packages/" not in target:
            found[int(name)] = target
    return found
