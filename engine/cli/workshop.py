"""`attune workshop train`: an adapter that does of itself what a preference does."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from engine.api import Engine, Notice, Progress, TrainedAdapter
from engine.cli.interrupt import INTERRUPTED
from engine.cli.making import carried_out, how_far
from engine.cli.output import Output
from engine.errors import InternalError

TOLD_EVERY = 10.0
"""Per cent between two lines of progress, unless another part of the work has begun."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Train, and tell what came of it."""
    engine = Engine(arguments.data_dir)
    trained = carried_out(engine, output, lambda: _trained(engine, arguments, output))
    if trained is None:
        return INTERRUPTED
    _say(trained, output, base=arguments.base or trained.base)
    return output.result(asdict(trained))


def _trained(engine: Engine, arguments: argparse.Namespace, output: Output) -> TrainedAdapter:
    events = engine.workshop.train(
        arguments.trait,
        out=arguments.out,
        base=arguments.base,
        steps=arguments.steps,
        seed=arguments.seed,
    )
    part, told = "", 0.0
    for event in events:
        match event:
            case Notice():
                output.note(event.text)
            case Progress():
                begun, share = _part(event), 100.0 * event.done / max(1, event.total)
                if begun != part or share - told >= TOLD_EVERY or event.done == event.total:
                    part, told = begun, share
                    output.note(how_far(event))
            case _:
                return event
    raise InternalError("The training ended without an adapter.")


def _part(progress: Progress) -> str:
    """What the text says before its figures."""
    return progress.text.partition(",")[0].partition(":")[0]


def _say(trained: TrainedAdapter, output: Output, *, base: str) -> None:
    """base  as the owner can name it: the id of a file that was not added is no model's"""
    output.text(f"{trained.path}: {trained.name}, for {trained.base}")
    output.text(
        f"On {trained.questions} other questions, {trained.name} scored {trained.plain:.2f} "
        f"without steering, {trained.amulet:.2f} with Amulet and {trained.adapter:.2f} with the "
        "adapter."
    )
    if trained.kept is not None:
        output.text(f"It keeps {trained.kept:.0%} of what Amulet does.")
    if trained.time is not None:
        output.text(f"A token takes {trained.time:.0%} of the time that it takes with Amulet.")
    output.text(f"Use it: attune ask --model {base} --adapter {trained.path} QUESTION")
