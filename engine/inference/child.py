"""A child process and two pipes of lines: heard, spoken to, ended, and nothing of it left behind.

What the lines say is for others to know.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import msgspec

from engine import program
from engine.errors import AttuneError, EngineCrashed
from engine.inference import protocol

log = logging.getLogger("engine.child")

TIDY_SECONDS = 2.0
"""The reading threads have this long to notice that the pipes have closed."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE")
_KEPT_FOR_GPU = ("CUDA_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES", "VK_DRIVER_FILES")

Reply = TypeVar("Reply")


class Gone(Exception):
    """The child has closed its output, or reads no more."""


class _Wake:
    """Put in the queue so that whoever waits looks at the clock again."""


class _End:
    """The child's output has closed."""


def start(
    command: Sequence[str], *, name: str, own_session: bool = True, flags: int = 0
) -> subprocess.Popen[bytes]:
    """Start a program of ours with pipes and few variables.

    name         what a message calls it
    own_session  False leaves it in this process's group, to be ended with it
    flags        for Windows: what the process may be told when it is made

    Raises EngineCrashed where it cannot be started.
    """
    environment = {k: os.environ[k] for k in (*_KEPT, *_KEPT_FOR_GPU) if k in os.environ}
    # numpy is used for one row at a time; threads of its own would only fight for the cores.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    # An abort would otherwise start a debugger, where one is installed, and wait for it.
    environment["GGML_NO_BACKTRACE"] = "1"
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=program.folder(),
            creationflags=flags | getattr(subprocess, "CREATE_NO_WINDOW", 0),
            # Ctrl+C in a terminal is for the parent; it then ends the work in good order.
            start_new_session=own_session and os.name == "posix",
        )
    except OSError as error:
        raise EngineCrashed(
            f"{name} could not be started ({error}). Install Attune again."
        ) from error


class Child(Generic[Reply]):
    """A running process; `receive` is for one thread, all else for any."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        read: Callable[[bytes], Reply],
        leads: bool = False,
    ) -> None:
        """read makes a message of a line; leads says that its whole group is ended with it."""
        self._process, self._read, self._leads = process, read, leads
        self._inbox: SimpleQueue[Reply | _Wake | _End] = SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=40)
        self._writing = threading.Lock()
        self._unreadable = False
        self._threads = [
            threading.Thread(target=target, name=f"child-{name}", daemon=True)
            for name, target in (("replies", self._hear), ("words", self._listen))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended, as subprocess reports it; None where it has not."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """What it said last on its standard error."""
        return "\n".join(self._last_words)

    def receive(self, patience: Callable[[], float | None]) -> Reply | None:
        """The next message, or None when patience (seconds, None without end) ran out.

        patience  is asked again after `wake`

        Raises Gone after the last message.
        """
        while True:
            try:
                found = self._inbox.get(timeout=patience())
            except Empty:
                return None
            if isinstance(found, _End):
                self._inbox.put(found)
                raise Gone
            if not isinstance(found, _Wake):
                return found

    def wake(self) -> None:
        """Let `receive` look at its patience again."""
        self._inbox.put(_Wake())

    def send(self, message: msgspec.Struct) -> None:
        """Send a line. Raises Gone, InvalidText."""
        with self._writing:
            stdin = self._process.stdin
            assert stdin is not None
            try:
                protocol.send(stdin, message)  # type: ignore[arg-type]
            except (OSError, ValueError) as error:
                log.info("the child is gone: %s", error)
                raise Gone from error

    def ended(self, *, within: float) -> int | None:
        """How it ended, once its output has closed; None where it was ended for what it said, or
        because it went on for longer than `within` seconds."""
        try:
            self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self._unreadable = True
            self._end()
        status = self._process.wait()
        self._tidy()
        return None if self._unreadable else status

    def kill(self) -> None:
        """End it now and wait until it is gone. Safe to call twice, from any thread."""
        self._end()
        self._process.wait()
        self._tidy()

    def close(self, *, within: float) -> None:
        """Close its input, so that it leaves by itself within so many seconds, or is ended."""
        with self._writing:
            if self._process.stdin is not None:
                try:
                    self._process.stdin.close()
                except OSError:
                    log.debug("the child had gone before its input was closed")
        try:
            self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self._end()
            self._process.wait()
        self._tidy()

    # ----------------------------------------------------------------------------------------

    def _end(self) -> None:
        if self._process.returncode is not None:
            return  # its number may be somebody else's by now
        if self._leads and os.name == "posix":
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except OSError as error:  # nothing but a zombie is left of the group
                log.debug("the child's group had gone: %s", error)
        self._process.kill()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                if line.endswith(b"\n"):  # half a line is the last word of a child that died
                    self._inbox.put(self._read(line))
        except (AttuneError, ValueError, OSError) as error:
            log.error("the child's output could not be read: %s", error)
            self._unreadable = True
            self._end()
        self._inbox.put(_End())

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            words = line.decode(errors="replace").rstrip()
            self._last_words.append(words)
            log.debug("%s", words)

    def _tidy(self) -> None:
        """Wait for the readers and close the pipes, so that nothing is left behind."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=TIDY_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    log.debug("a pipe of the child was already broken")
