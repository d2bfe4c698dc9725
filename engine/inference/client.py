"""The parent's side of the inference child: starts it, talks to it, notices when it is gone.

One request at a time, from one thread; `cancel` and `kill` may come from any. The child owns
nothing, so ending it is always safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from engine import program
from engine.errors import (
    AttuneError,
    EngineCrashed,
    EngineMismatch,
    EngineSilent,
    from_code,
)
from engine.inference import protocol
from engine.inference.child import Child, Gone, start
from engine.inference.death import Death, explain

HELLO_SECONDS = 30.0
STOP_SECONDS = 2.0
"""After a cancel the child has this long to end the request before it is ended itself."""

SILENCE_SECONDS = {"template": 15.0, "decode": 120.0}
"""How long a phase may be silent; reading a large file or a long prompt may take any time."""

BACKGROUND_SLOWNESS = 10.0
"""How many times longer all this takes where others want the whole processor."""

_UNREADABLE = Death(cause="fault", text="What the model's process said could not be understood.")


class ChildDied(EngineCrashed):
    """EngineCrashed with what is known about it."""

    def __init__(self, death: Death, *, detail: str = "") -> None:
        super().__init__(death.text, detail=detail)
        self.death = death


def by_template(error: EngineCrashed | EngineSilent) -> bool:
    """Whether the model's own chat template is likely to have ended the child, or held it up."""
    return error.death.by_template if isinstance(error, ChildDied) else error.detail == "template"


def own_command() -> tuple[str, ...]:
    """How Attune starts its inference child: the same program, told to be the child."""
    return program.command("engine.inference.host")


class Client:
    """A running child."""

    def __init__(self, command: Sequence[str] | None = None, *, background: bool = False) -> None:
        """Start the child and wait for its hello.

        background  it belongs to long work: it stays in this process's group, to be ended with it,
                    and may be slow, since it gets what others leave of the processor

        Raises EngineCrashed, EngineSilent or EngineMismatch.
        """
        self._ids = 0
        self._current: int | None = None
        self._cancelled: tuple[int, float] | None = None
        self._phase = "start"
        self._slowness = BACKGROUND_SLOWNESS if background else 1.0
        self._process = start(
            command or own_command(), name="The model's process", own_session=not background
        )
        self._child = Child(self._process, read=protocol.read_reply)
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
            try:
                self._child.send(message)
            except Gone:
                raise self._died() from None
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
            self._child.send(protocol.Cancel(target=current))
        except Gone:
            return
        self._child.wake()

    def kill(self) -> None:
        """End the child now and wait until it is gone. Safe to call twice, from any thread."""
        self._child.kill()

    def close(self) -> None:
        """Let the child leave by itself; end it if it does not."""
        self._child.close(within=STOP_SECONDS)

    # ----------------------------------------------------------------------------------------

    def _greet(self) -> None:
        reply = self._receive(lambda: HELLO_SECONDS * self._slowness)
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
            reply = self._receive(self._patience)
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
        seconds = SILENCE_SECONDS.get(self._phase)
        return seconds and seconds * self._slowness

    def _receive(self, patience: Callable[[], float | None]) -> protocol.Reply | None:
        """A message, or None when patience ran out."""
        try:
            return self._child.receive(patience)
        except Gone:
            raise self._died() from None

    def _give_up(self) -> None:
        phase, cancelled = self._phase, self._cancelled
        self.kill()
        stopping = cancelled is not None and cancelled[0] == self._current
        what = "did not stop" if stopping else f"was silent while in {phase}"
        raise EngineSilent(f"The model's process {what} and was ended.", detail=phase)

    def _died(self) -> ChildDied:
        status = self._child.ended(within=STOP_SECONDS)
        words = self._child.last_words
        # A child that was ended for what it said did not run out of memory.
        death = (
            _UNREADABLE if status is None else explain(status, phase=self._phase, last_words=words)
        )
        return ChildDied(death, detail=words)
