"""The parent's side of the job child: starts it, gives it work, notices when it is gone.

One work at a time, from one thread; `cancel` and `kill` may come from any. The child owns nothing,
so ending it is always safe: what it had finished has been told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from engine import program
from engine.errors import AttuneError, EngineCrashed, EngineMismatch, EngineSilent, from_code
from engine.inference.child import Child, Gone, start
from engine.inference.death import Cause, explain
from engine.jobs import protocol
from engine.jobs.priority import CREATION_FLAGS

HELLO_SECONDS = 30.0
STOP_SECONDS = 4.0
"""After a cancel the child has this long to end the work, and with it the processes that it has
started, before all of them are ended; twice what it gives to those."""

_NAME = "The process for long work"
_ENDED: dict[Cause, str] = {
    "memory": f"{_NAME} was ended, perhaps because memory ran out.",
    "processor": f"{_NAME} used an instruction that this processor does not have.",
}
_ENDED_ELSE = f"{_NAME} crashed."


class JobDied(EngineCrashed):
    """EngineCrashed, where the job child itself is what died."""

    def __init__(self, cause: Cause, *, detail: str = "") -> None:
        said = _ENDED.get(cause, _ENDED_ELSE)
        super().__init__(f"{said} What it had finished is kept; start it again.", detail=detail)


def own_command() -> tuple[str, ...]:
    """How Attune starts its job child: the same program, told to be the child."""
    return program.command("engine.jobs.host")


class JobClient:
    """A running job child."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """Start the child and wait for its hello.

        Raises EngineCrashed, EngineSilent or EngineMismatch.
        """
        self._ids = 0
        self._current: int | None = None
        self._cancelled: tuple[int, float] | None = None
        process = start(command or own_command(), name=_NAME, flags=CREATION_FLAGS)
        self._child = Child(process, read=protocol.read_reply, leads=True)
        try:
            self._greet()
        except AttuneError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    def run(
        self, work: protocol.Work
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        """Have work done and yield what comes of it; the last one is Done or Cancelled.

        Raises the error that the child reports, JobDied when it dies.
        """
        self._ids += 1
        self._current = self._ids
        try:
            self._send(protocol.Begin(id=self._current, work=work))
            while True:
                match self._next(self._current):
                    case protocol.Told(item=item):
                        yield item
                    case protocol.Failed() as failed:
                        raise from_code(failed.code, failed.message, detail=failed.detail)
                    case end:
                        yield end
                        return
        except GeneratorExit:
            self.cancel()  # nobody reads on, so nobody waits for it
            raise
        finally:
            self._current = None

    def cancel(self) -> None:
        """End the running work, if there is any; `run` then ends with Cancelled. Any thread."""
        current = self._current
        if current is None:
            return
        if self._cancelled is None or self._cancelled[0] != current:
            self._cancelled = current, time.monotonic()
        try:
            self._send(protocol.Cancel(target=current))
        except EngineCrashed:
            return
        self._child.wake()

    def kill(self) -> None:
        """End the child and all that it has started, now. Safe to call twice, from any thread."""
        self._child.kill()

    def close(self) -> None:
        """Let the child leave by itself; end it and all that it has started if it does not."""
        self._child.close(within=STOP_SECONDS)

    # ----------------------------------------------------------------------------------------

    def _greet(self) -> None:
        try:
            reply = self._child.receive(lambda: HELLO_SECONDS)
        except Gone:
            raise self._died() from None
        if not isinstance(reply, protocol.Hello):
            raise EngineSilent(f"{_NAME} did not start. Start Attune again.")
        if (reply.protocol, reply.build) != (protocol.PROTOCOL, protocol.BUILD):
            raise EngineMismatch(
                f"{_NAME} is of version {reply.build}, the window of {protocol.BUILD}. Install "
                "Attune again."
            )

    def _next(
        self, current: int
    ) -> protocol.Told | protocol.Done | protocol.Failed | protocol.Cancelled:
        """The next message of the current work."""
        while True:
            try:
                reply = self._child.receive(self._patience)
            except Gone:
                raise self._died() from None
            if reply is None:
                self.kill()  # which is what a cancel comes to where it is not heard
                return protocol.Cancelled(id=current)
            if not isinstance(reply, protocol.Hello) and reply.id == current:
                return reply

    def _patience(self) -> float | None:
        """Work may be silent for any time, unless it was cancelled."""
        cancelled = self._cancelled
        if cancelled is None or cancelled[0] != self._current:
            return None
        return max(0.0, cancelled[1] + STOP_SECONDS - time.monotonic())

    def _died(self) -> JobDied:
        status = self._child.ended(within=STOP_SECONDS)
        cause = "fault" if status is None else explain(status, phase="work").cause
        return JobDied(cause, detail=self._child.last_words)

    def _send(self, message: protocol.Request) -> None:
        try:
            self._child.send(message)
        except Gone as gone:
            cause = explain(self._child.status, phase="work").cause
            raise JobDied(cause, detail=self._child.last_words) from gone
