"""An engine used from a terminal: loading with notices, streaming, Ctrl+C that stops an answer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.api import Answer, Chunk, Engine, Notice, Question, Ready
from engine.cli.output import Output
from engine.errors import InvalidText

_PATIENCE = 5.0
"""Seconds that a stop may take after its answer has ended; it only has a message to write."""


def start(engine: Engine, model: str | None, output: Output) -> Ready:
    """Load the model and pass on notices."""
    ready: Ready | None = None
    for event in engine.start(model):
        if isinstance(event, Notice):
            output.note(event.text)
        elif isinstance(event, Ready):
            ready = event
    assert ready is not None
    return ready


def stream(engine: Engine, question: Question, output: Output) -> Answer:
    """Print an answer as it comes. Ctrl+C stops it and keeps what is there; twice leaves."""
    answer: Answer | None = None
    with _interrupt_stops(engine):
        for event in engine.answer(question):
            if isinstance(event, Notice):
                output.note(event.text)
            elif isinstance(event, Chunk):
                output.text(event.text, end="")
            elif isinstance(event, Answer):
                answer = event
                output.text("")
    assert answer is not None
    return answer


def decode(data: bytes) -> str:
    """Text from bytes. Raises InvalidText naming the place."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidText(
            f"The question is not valid UTF-8 (byte {error.start + 1}). Write it in UTF-8."
        ) from error


@contextmanager
def _interrupt_stops(engine: Engine) -> Iterator[None]:
    stopper: threading.Thread | None = None

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopper
        if stopper is not None:
            raise KeyboardInterrupt
        # Not here: this interrupts the main thread, which may hold the lock that a stop needs.
        stopper = threading.Thread(target=engine.stop, name="stop", daemon=True)
        stopper.start()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if stopper is not None:
            stopper.join(_PATIENCE)  # so that it cannot hit the next answer
