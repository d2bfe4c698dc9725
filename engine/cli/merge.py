"""`attune merge`: several fine-tuned models or adapters of one base become one model."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from engine.api import Engine, Notice, Progress
from engine.cli.interrupt import INTERRUPTED
from engine.cli.making import carried_out, how_far
from engine.cli.output import Output
from engine.errors import InternalError
from engine.models.cards import MergeCard


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Merge, and tell what came of it."""
    engine = Engine(arguments.data_dir)
    card = carried_out(engine, output, lambda: _merged(engine, arguments, output))
    if card is None:
        return INTERRUPTED
    _say(card, output)
    return output.result({"path": str(arguments.out.expanduser().absolute()), "card": asdict(card)})


def _merged(engine: Engine, arguments: argparse.Namespace, output: Output) -> MergeCard:
    for event in engine.workshop.merge(
        arguments.base,
        arguments.members,
        out=arguments.out,
        method=arguments.method,
        storage="F16" if arguments.type == "f16" else "Q8_0",
        epochs=arguments.epochs,
        seed=arguments.seed,
    ):
        match event:
            case Notice():
                output.note(event.text)
            case Progress():
                output.note(how_far(event))
            case MergeCard():
                return event
    raise InternalError("The merge ended without a card.")


def _say(card: MergeCard, output: Output) -> None:
    size = card.output.size / 1e6
    output.text(f"{card.output.name}  ({card.method}, {size:.0f} MB)")
    if card.scores:
        output.text("  Loss on each member's own answers to questions that no mask has seen:")
    longest = max(map(len, card.scores), default=0)
    for name, tasks in card.scores.items():
        losses = "  ".join(f"{loss:7.3f}" for loss in tasks.values())
        output.text(f"  {name:<{longest}}  {losses}   sum {sum(tasks.values()):7.3f}")
    for density in card.density:
        output.text(f"  {density.share:.1%} of the masked weights are those of the member added")
    output.text(f"  {card.survival.share:.1%} of the merged change is in the file")
