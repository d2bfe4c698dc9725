"""What the commands that make something share: Ctrl+C stops the work, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.api import Engine
from engine.cli.interrupt import interrupt_stops
from engine.cli.output import Output
from engine.errors import Stopped

Result = TypeVar("Result")


def carried_out(engine: Engine, output: Output, work: Callable[[], Result]) -> Result | None:
    """Do it in the workshop and close the engine; None, with a line why, where it was stopped."""
    try:
        with interrupt_stops(engine.workshop.stop):
            return work()
    except Stopped as stopped:
        output.fail(stopped)
        return None
    finally:
        engine.close()


def with_time_left(said: str, seconds: float) -> str:
    """What is told of progress, and how long it will take."""
    minutes = seconds / 60
    return f"{said}, about {f'{minutes:.0f} min' if minutes >= 1 else 'a minute'} left"
