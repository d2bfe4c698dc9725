"""What the commands that make something share: Ctrl+C stops the work, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.api import Engine, Progress
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


def how_far(progress: Progress) -> str:
    """What is done at this moment, how much of the whole is, and how long the rest will take."""
    said = f"{progress.done / max(1, progress.total):.0%}: {progress.text}"
    if progress.left is None or progress.done == progress.total:
        return said
    minutes = progress.left / 60
    return f"{said}, about {f'{minutes:.0f} min' if minutes >= 1 else 'a minute'} left"
