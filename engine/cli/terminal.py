"""An engine used from a terminal: loading with notices, streaming, Ctrl+C that stops an answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.api import (
    Answer,
    AttuneError,
    Chunk,
    Duel,
    DuelEvent,
    Engine,
    Notice,
    Question,
    Ready,
    Started,
)
from engine.cli.interrupt import interrupt_stops
from engine.cli.output import Output
from engine.errors import InvalidText


class Lines:
    """What is typed or piped in, line by line."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._next: str | None = None

    def read(self, prompt: str, *, interrupted: str | None = None) -> str | None:
        """The next line that is text, or None at the end of the input.

        interrupted  what Ctrl+C stands for; None asks again
        """
        if self._next is not None:
            line, self._next = self._next, None
            return line
        while True:
            try:
                return _typed(prompt) if sys.stdin.isatty() else _piped()
            except KeyboardInterrupt:
                self._output.note("")
                if interrupted is not None:
                    return interrupted
            except InvalidText as error:
                self._output.complain(error)

    def put_back(self, line: str) -> None:
        """Let a line be the next one."""
        self._next = line


def start(
    engine: Engine,
    model: str | None,
    output: Output,
    *,
    adapters: Sequence[tuple[Path, float]] = (),
) -> Ready:
    """Load the model, with adapters that act on it, and pass on notices."""
    ready: Ready | None = None
    for event in engine.start(model, adapters=adapters):
        if isinstance(event, Notice):
            output.note(event.text)
        elif isinstance(event, Ready):
            ready = event
    assert ready is not None
    return ready


def stream(engine: Engine, question: Question, output: Output) -> Answer:
    """Print an answer as it comes. Ctrl+C stops it and keeps what is there; twice leaves."""
    answer: Answer | None = None
    with interrupt_stops(engine.stop):
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


@dataclass(slots=True)
class Held:
    """What came of a duel.

    texts, tokens  of both answers, as far as they came
    duel           None where an error came first
    error          why there is no more, or why what follows will not go well
    """

    texts: list[str] = field(default_factory=lambda: ["", ""])
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    duel: Duel | None = None
    error: AttuneError | None = None


def hold(engine: Engine, question: Question, output: Output) -> Held:
    """Print the first answer of a duel, headed A, as it comes; the second is for the caller.

    Ctrl+C stops both; twice leaves. Raises an error only where no answer has begun.
    """
    held = Held()
    try:
        with interrupt_stops(engine.stop):
            for event in engine.duel(question):
                _hear(held, event, output)
    except AttuneError as error:
        if not any(held.texts):
            raise
        held.error = error
        if held.duel is None:
            output.text("")
    assert held.duel is not None or held.error is not None
    return held


def _hear(held: Held, event: DuelEvent, output: Output) -> None:
    match event:
        case Notice():
            output.note(event.text)
        case Started():
            output.text("A")
        case Chunk():
            held.texts[event.answer] += event.text
            held.tokens[event.answer] = event.tokens
            if event.answer == 0:
                output.text(event.text, end="")
        case Duel():
            held.duel = event
            held.texts = [answer.text for answer in event.answers]
            held.tokens = [answer.tokens for answer in event.answers]
            output.text("")
        case _:
            pass


def decode(data: bytes) -> str:
    """Text from bytes. Raises InvalidText naming the place."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidText(
            f"The question is not valid UTF-8 (byte {error.start + 1}). Write it in UTF-8."
        ) from error


def _typed(prompt: str) -> str | None:
    try:
        return decode(input(prompt).encode(errors="surrogateescape"))
    except EOFError:
        return None
    except UnicodeError as error:
        raise InvalidText("The line is not valid UTF-8. Write it in UTF-8.") from error


def _piped() -> str | None:
    data = sys.stdin.buffer.readline()
    return decode(data) if data else None
