"""`attune simulate`: an invented owner votes, and what came of it is measured. Nothing is kept."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from engine.api import Answer, Engine, Simulated
from engine.cli.output import Output
from engine.cli.terminal import start

TOLD_EVERY = 10


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Simulate and print the curve, with a line on standard error while it runs."""
    engine = Engine(arguments.data_dir)
    try:
        curve = _simulated(engine, arguments, output)
    finally:
        engine.close()
    output.text("votes  win rate  utility  regret")
    for point in curve:
        output.text(
            f"{point.votes:5}  {point.win_rate * 100:6.0f} %  {point.utility:7.2f}"
            f"  {point.regret:6.2f}"
        )
    return output.result({"user": arguments.user, "curve": [asdict(point) for point in curve]})


def _simulated(
    engine: Engine, arguments: argparse.Namespace, output: Output
) -> tuple[Simulated, ...]:
    """The curve. Raises AttuneError."""
    # Before the model is loaded: a name that is wrong is told at once.
    run = engine.simulate(
        arguments.user,
        votes=arguments.votes,
        seed=arguments.seed,
        questions=arguments.questions,
    )
    start(engine, arguments.model, output)
    for answers, found in enumerate(run, 1):
        if not isinstance(found, Answer):
            return found
        if answers % TOLD_EVERY == 0:
            output.note(f"{answers} answers so far")
    return ()
