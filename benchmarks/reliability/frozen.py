"""The packaged program as its owner has it: started, spoken to, heard line by line, and killed.

Linux alone: what loses its parent to a kill becomes a child of this process, which so sees what is
left, and how long.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.engines import children

PATIENCE = 120.0
"""Seconds without a word after which a program hangs; the machine may have much other work."""

GONE_SECONDS = 5.0
"""What a program has started may outlive it by so much."""

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on a descendant that loses its parent is a child of this process."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise SystemExit("This system cannot tell what outlives a program. Linux 3.4 can.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The packaged program on one data folder.

    display  of the X server that its window is to come up on
    """

    path: Path
    folder: Path
    display: str = ""

    def done(self, *words: str) -> str:
        """Carry out a command to its end; what it says on standard output."""
        command = (str(self.path), *words)
        told = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        if told.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed: {told.stderr.strip()}")
        return told.stdout

    def begin(self, *words: str) -> Run:
        """Start a command; without words, the window."""
        return Run((str(self.path), *words), environment=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Of its owner, with a data folder of its own."""
        own = {"ATTUNE_DATA_DIR": str(self.folder), "OPENBLAS_NUM_THREADS": "1"}
        screen = {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"} if self.display else {}
        return os.environ | own | screen


@dataclass(slots=True)
class _Heard:
    """Bytes of one output: all that have not been taken, and whether more may come."""

    waiting: bytes = b""
    open: bool = True


class Run:
    """A program that was started.

    begun  when, by the monotonic clock
    """

    def __init__(self, command: tuple[str, ...], *, environment: dict[str, str]) -> None:
        self.begun = time.monotonic()
        self._process = subprocess.Popen(
            command, env=environment, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        pipes = (self._process.stdout, self._process.stderr)
        self._heard = {pipe.fileno(): _Heard() for pipe in pipes if pipe is not None}
        self._shown, self._words = self._heard.values()

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, line: str) -> None:
        """Type a line; nothing happens where nobody reads it any more."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())

    def word(self, *, before: float) -> str | None:
        """The next line on standard error; None where the time came, or its end."""
        self._hear(lambda: b"\n" in self._words.waiting, before=before)
        line, found, rest = self._words.waiting.partition(b"\n")
        if not found:
            return None
        self._words.waiting = rest
        return line.decode(errors="replace")

    def answers(self, *, before: float) -> bool:
        """Whether a whole line is on standard output before that time."""
        return self._hear(lambda: b"\n" in self._shown.waiting, before=before)

    def ends(self, *, before: float) -> bool:
        """Whether it closes its outputs before that time."""
        return self._hear(lambda: not self.speaks, before=before)

    @property
    def speaks(self) -> bool:
        """Whether more may come."""
        return any(heard.open for heard in self._heard.values())

    @property
    def streams(self) -> bool:
        """Whether something is on standard output that was not taken."""
        return bool(self._shown.waiting)

    def taken(self) -> str:
        """What came on standard output since this was asked last."""
        shown, self._shown.waiting = self._shown.waiting, b""
        return shown.decode(errors="replace")

    def kill(self) -> int:
        """End it, and nothing that it has started, with SIGKILL, and hear the rest of what it said;
        minus the signal, or the exit code of one that had ended before."""
        self._process.kill()
        code = self._process.wait()
        self.ends(before=time.monotonic() + GONE_SECONDS)
        self._close()
        return code

    def end(self) -> int:
        """Wait for a program that has closed its outputs; its exit code."""
        self._close()
        return self._process.wait(PATIENCE)

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _hear(self, until: Callable[[], bool], *, before: float) -> bool:
        while not until():
            left = before - time.monotonic()
            listening = [number for number, heard in self._heard.items() if heard.open]
            if left <= 0 or not listening:
                return False
            for number in select.select(listening, [], [], left)[0]:
                said = os.read(number, 65_536)
                self._heard[number].waiting += said
                self._heard[number].open = bool(said)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """What a killed program had started: how many outlived it, seconds until the last was gone,
    and those that were not gone after GONE_SECONDS."""

    count: int
    seconds: float
    left: tuple[str, ...] = ()


def orphans(*, but: Collection[int]) -> Orphans:
    """Wait until nothing is left of what was killed just now; end what does not go.

    but  children of this process that have nothing to do with it
    """
    begun = time.monotonic()
    count = 0
    while alive := [pid for pid in children() if pid not in but]:
        count = max(count, len(alive))
        if time.monotonic() > begun + GONE_SECONDS:
            left = tuple(_called(pid) for pid in alive)
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
            _bury()
            return Orphans(count=count, seconds=GONE_SECONDS, left=left)
        time.sleep(0.002)
    _bury()
    return Orphans(count=count, seconds=time.monotonic() - begun)


def _called(pid: int) -> str:
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return line.decode(errors="replace").strip()
    return str(pid)


def _bury() -> None:
    """Take note of the ends of all children, so that they are not listed for ever."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
