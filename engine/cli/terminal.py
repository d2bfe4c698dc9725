"""An engine used from a terminal: loading with notices, streaming, Ctrl+C that stops an answer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.api import Answer, Chunk, Engine, Notice, Question, Ready
from engine.cli.output import Output
from engine.errors import InvalidText


def start(engine: Engine, model: str | None, output: Output) -> float:
    """Load the model and pass on notices; returns the seconds it took."""
    seconds = 0.0
    for event in engine.start(model):
        if isinstance(event, Notice):
            output.note(event.text)
        elif isinstance(event, Ready):
            seconds = event.seconds
    return seconds


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
    pressed = False

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        engine.stop()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
