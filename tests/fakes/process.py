"""A thread that passes for a child process: the same host and the same pipes, ready at once.

`own_threads` puts it in the place of `subprocess`, for command lines of `tests.fakes.host`. What it
cannot show (signals, variables, descriptors) is tested with real processes in test_client.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn, cast

import msgspec
import pytest

from engine.inference import child, client
from engine.inference.host import Host
from tests.fakes.host import FakeLibrary, Fate, Script


class Died(BaseException):
    """Unwinds the thread, as a signal ends a process."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ThreadProcess:
    """Looks like `subprocess.Popen` to the client."""

    def __init__(self, script: Script) -> None:
        requests, self.stdin = _pipe()
        self.stdout, self._replies = _pipe()
        self.stderr, self._words = _pipe()
        self.pid = os.getpid()
        self.returncode: int | None = None
        self._killed, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(script, _Lines(requests)), name="fake child", daemon=True
        )
        self._thread.start()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired("fake child", timeout or 0.0)
        self._thread.join()
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        self._killed.set()
        self.stdin.close()  # wakes a host that waits for a request

    # The world that the host lives in ---------------------------------------------------------

    def die(self, status: int) -> NoReturn:
        raise Died(status)

    def freeze(self) -> NoReturn:
        self._killed.wait()
        raise Died(-signal.SIGKILL)

    # What the host writes to ------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        if self._killed.is_set():
            raise Died(-signal.SIGKILL)
        return self._replies.write(data)

    def flush(self) -> None:
        try:
            self._replies.flush()
        except OSError:
            raise Died(1) from None

    # -------------------------------------------------------------------------------------------

    def _run(self, script: Script, requests: _Lines) -> None:
        status = 0
        try:
            fate = Fate(script, self)
            fate.meet("start", wait=lambda _over: None)
            host = Host(FakeLibrary(fate), replies=cast(BinaryIO, self))
            host.serve(cast(BinaryIO, requests))
        except Died as died:
            status = died.status
        self.returncode = -signal.SIGKILL if self._killed.is_set() else status
        for pipe in (self._replies, self._words):
            try:
                pipe.close()
            except OSError:
                continue
        self._over.set()


class _Lines:
    """Lines of a pipe that is closed at its end, in the thread that reads it."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def __iter__(self) -> Iterator[bytes]:
        with self._pipe as pipe:
            yield from pipe


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """The end to read from and the end to write to."""
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")


def own_threads(patch: pytest.MonkeyPatch) -> None:
    """Let children that follow a script run as threads; all others stay processes."""

    def start(command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
        try:
            script = msgspec.json.decode(command[-1], type=Script)
        except msgspec.DecodeError:
            return child.start(command, **how)
        return cast("subprocess.Popen[bytes]", ThreadProcess(script))

    patch.setattr(client, "start", start)
