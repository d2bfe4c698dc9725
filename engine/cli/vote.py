"""`attune vote`: say which of two answers was better. No model is loaded."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from engine.api import Engine
from engine.cli.learned import described, steering
from engine.cli.output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Record the vote and say what it moved."""
    engine = Engine(arguments.data_dir)
    try:
        voted = engine.learning.vote(arguments.duel, arguments.outcome)
    finally:
        engine.close()
    output.text(voted.sentence)
    output.text(steering(voted.learned))
    return output.result(
        {
            "traits": [described(trait) for trait in voted.learned.traits],
            "changed": [asdict(moved) for moved in voted.changed],
            "sentence": voted.sentence,
        }
    )
