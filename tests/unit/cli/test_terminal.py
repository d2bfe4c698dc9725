"""The terminal: lines that stay lines, and Ctrl+C that never waits for itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from engine.api import Answer, Engine, InputError, Notice, Question
from engine.cli.output import Output
from engine.cli.terminal import stream

ANSWER = Answer(
    text="", finish="stopped", tokens=0, streams=1, gamma=0.0, seed=1, used=0, context=9, model="m"
)


class Busy:
    """An engine that is interrupted while the main thread holds what a stop needs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stopped: list[bool] = []

    def answer(self, question: Question) -> Iterator[Answer | Notice]:
        with self.lock:
            signal.raise_signal(signal.SIGINT)
            yield Notice(code="busy", text="still here")
        yield ANSWER

    def stop(self) -> None:
        got = self.lock.acquire(timeout=1)
        if got:
            self.lock.release()
        self.stopped.append(got)


def test_ctrl_c_stops_the_answer_even_while_the_main_thread_holds_the_lock() -> None:
    engine = Busy()
    before = signal.getsignal(signal.SIGINT)
    answer = stream(cast(Engine, engine), Question(messages=()), Output(json=True))
    assert answer is ANSWER
    assert engine.stopped == [True], "the stop is over when the next answer may begin"
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_twice_leaves() -> None:
    class Stubborn(Busy):
        def answer(self, question: Question) -> Iterator[Answer | Notice]:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
            yield ANSWER

    engine = Stubborn()
    with pytest.raises(KeyboardInterrupt):
        stream(cast(Engine, engine), Question(messages=()), Output(json=True))
    assert engine.stopped == [True]


@pytest.mark.parametrize("length", [10, 399, 400, 401, 5000])
def test_an_error_is_one_line_that_fits_on_a_screen(
    capsys: pytest.CaptureFixture[str], length: int
) -> None:
    message = f"first\r\nsecond\u2028third\n{'x' * length}"
    assert Output(json=False).fail(InputError(message)) == 1
    err = capsys.readouterr().err
    assert err.startswith("attune: first second third xxx")
    assert err.endswith("…\n" if length > 370 else "x\n")
    assert err.count("\n") == 1
    assert len(err) <= 401


def test_programs_get_the_whole_message(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).fail(InputError("x" * 5000))
    assert "x" * 5000 in capsys.readouterr().out
