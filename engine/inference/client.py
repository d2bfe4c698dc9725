"""The parent's side of the inference child: starts it, talks to it, notices when it is gone.

One request at a time, from one thread; `cancel` and `kill` may come from any. The child owns
nothing, so ending it is always safe.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from engine.errors import (
    AttuneError,
    EngineCrashed,
    EngineMismatch,
    EngineSilent,
    from_code,
)
from engine.inference import protocol
from engine.inference.death import Death, explain

log = logging.getLogger("engine.child")

HELLO_SECONDS = 30.0
STOP_SECONDS = 2.0
"""After a cancel the child has this long to end the request before it is ended itself."""

SILENCE_SECONDS = {"template": 15.0, "decode": 120.0}
"""How long a phase may be silent; reading a large file or a long prompt may take any time."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE")
_KEPT_FOR_GPU = ("CUDA_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES", "VK_DRIVER_FILES")


_UNREADABLE = Death(cause="fault", text="What the model's process said could not be understood.")


class ChildDied(EngineCrashed):
    """EngineCrashed with what is known about it."""

    def __init__(self, death: Death, *, detail: str = "") -> None:
        super().__init__(death.text, detail=detail)
        self.death = death


class _Wake:
    """Put in the queue so that a waiting request looks at the clock again."""


class _End:
    """The child's output has closed."""


def own_command() -> tuple[str, ...]:
    """How Attune starts its inference child: the same program, told to be the child."""
    # -I: neither the current folder nor the owner's Python settings reach the child.
    return (sys.executable, "-I", "-X", "utf8", "-m", "engine.inference.host")


class Client:
    """A running child."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """Start the child and wait for its hello.

        Raises EngineCrashed, EngineSilent or EngineMismatch.
        """
        self._inbox: SimpleQueue[protocol.Reply | _Wake | _End] = SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=40)
        self._writing = threading.Lock()
        self._ids = 0
        self._current: int | None = None
        self._cancelled: tuple[int, float] | None = None
        self._unreadable = False
        self._phase = "start"
        self._process = _spawn(command or own_command())
        self._threads = [
            threading.Thread(target=target, name=f"child-{name}", daemon=True)
            for name, target in (("replies", self._read), ("words", self._listen))
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._greet()
        except AttuneError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def next_id(self) -> int:
        """A number for the next request."""
        self._ids += 1
        return self._ids

    def request(
        self, message: protocol.Request
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        """Send a request and yield its items; the last one is Done… or Cancelled.

        Raises the error that the child reports, EngineCrashed when it dies, EngineSilent when it
        stays silent for longer than its phase allows.
        """
        assert not isinstance(message, protocol.Cancel)
        self._current, self._phase = message.id, "load"
        try:
            self._send(message)
            while True:
                reply = self._next()
                if isinstance(reply, protocol.Failed):
                    raise from_code(reply.code, reply.message, detail=reply.detail)
                yield reply
                if isinstance(reply, protocol.Done | protocol.Cancelled):
                    return
        except GeneratorExit:
            self.cancel()  # nobody reads on, so nobody waits for it
            raise
        finally:
            self._current = None

    def cancel(self) -> None:
        """End the running request, if there is one. Any thread."""
        current = self._current
        if current is None:
            return
        if self._cancelled is None or self._cancelled[0] != current:
            self._cancelled = current, time.monotonic()
        try:
            self._send(protocol.Cancel(target=current))
        except EngineCrashed:
            return
        self._inbox.put(_Wake())

    def kill(self) -> None:
        """End the child now and wait until it is gone. Safe to call twice, from any thread."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._tidy()

    def close(self) -> None:
        """Let the child leave by itself; end it if it does not."""
        with self._writing:
            if self._process.stdin is not None:
                try:
                    self._process.stdin.close()
                except OSError:
                    log.debug("the child had gone before its input was closed")
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._tidy()

    # ----------------------------------------------------------------------------------------

    def _greet(self) -> None:
        reply = self._receive(HELLO_SECONDS)
        if not isinstance(reply, protocol.Hello):
            raise EngineSilent("The model's process did not start. Start Attune again.")
        if (reply.protocol, reply.build) != (protocol.PROTOCOL, protocol.BUILD):
            raise EngineMismatch(
                f"The model's process is of version {reply.build}, the window of "
                f"{protocol.BUILD}. Install Attune again."
            )
        self._phase = "idle"

    def _next(self) -> protocol.Item | protocol.Done | protocol.Failed | protocol.Cancelled:
        """The next message of the current request."""
        while True:
            reply = self._receive(self._patience())
            if reply is None:
                self._give_up()
            elif not isinstance(reply, protocol.Hello) and reply.id == self._current:
                if isinstance(reply, protocol.Phase):
                    self._phase = reply.phase
                elif isinstance(reply, protocol.StartedItem):
                    self._phase = "decode"
                return reply

    def _patience(self) -> float | None:
        cancelled = self._cancelled
        if cancelled is not None and cancelled[0] == self._current:
            return max(0.0, cancelled[1] + STOP_SECONDS - time.monotonic())
        return SILENCE_SECONDS.get(self._phase)

    def _receive(self, patience: float | None) -> protocol.Reply | None:
        """A message, or None when patience ran out or has to be looked at again."""
        try:
            reply = self._inbox.get(timeout=patience)
        except Empty:
            return None
        if isinstance(reply, _End):
            self._inbox.put(reply)
            raise self._died()
        if isinstance(reply, _Wake):
            return self._receive(self._patience())
        return reply

    def _give_up(self) -> None:
        phase, cancelled = self._phase, self._cancelled
        self.kill()
        stopping = cancelled is not None and cancelled[0] == self._current
        what = "did not stop" if stopping else f"was silent while in {phase}"
        raise EngineSilent(f"The model's process {what} and was ended.", detail=phase)

    def _died(self) -> ChildDied:
        try:
            status = self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._unreadable = True
            self._process.kill()
            status = self._process.wait()
        self._tidy()
        # A child that was ended for what it said did not run out of memory.
        death = _UNREADABLE if self._unreadable else explain(status, phase=self._phase)
        return ChildDied(death, detail="\n".join(self._last_words))

    def _send(self, message: protocol.Request) -> None:
        with self._writing:
            stdin = self._process.stdin
            assert stdin is not None
            try:
                protocol.send(stdin, message)  # type: ignore[arg-type]
            except (OSError, ValueError) as error:
                log.info("the child is gone: %s", error)
                raise ChildDied(explain(self._process.poll(), phase=self._phase)) from error

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                if line.endswith(b"\n"):  # half a line is the last word of a child that died
                    self._inbox.put(protocol.read_reply(line))
        except (AttuneError, ValueError, OSError) as error:
            log.error("the child's output could not be read: %s", error)
            self._unreadable = True
            self._process.kill()
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
                thread.join(timeout=STOP_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    log.debug("a pipe of the child was already broken")


def _spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
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
            cwd=Path(__file__).parent,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            # Ctrl+C in a terminal is for the parent; it then stops the answer in good order.
            start_new_session=os.name == "posix",
        )
    except OSError as error:
        raise EngineCrashed(
            f"The model's process could not be started ({error}). Install Attune again."
        ) from error
