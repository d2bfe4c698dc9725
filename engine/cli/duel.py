"""`attune duel`: two answers to one question, and how to vote on them."""

from __future__ import annotations

import argparse
from typing import Any

from engine.api import (
    NEUTRAL,
    Duel,
    Engine,
    EngineError,
    InputError,
    Message,
    Question,
    Settings,
    Steering,
    check_question,
)
from engine.cli.ask import learns, read_question, sampling_of
from engine.cli.output import Output
from engine.cli.terminal import Held, hold, start

NOTHING_TO_VOTE_ON = {
    "same": "Both came out nearly alike, so there is nothing to vote on.",
    "cut": "An answer did not come to its end, so there is nothing to vote on.",
}


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show both answers; a vote may follow at any time."""
    text = read_question(arguments.question)
    engine = Engine(arguments.data_dir, safe=arguments.safe_mode)
    try:
        if not learns(arguments, engine.settings):
            raise InputError(
                "Nothing is learned here, so there is nothing to compare. Say --scope everywhere, "
                "or ask for one answer with 'attune ask'."
            )
        question = Question(
            messages=(Message(role="user", text=text),),
            steering=_remembered(engine.settings),
            sampling=sampling_of(arguments, engine.settings),
        )
        check_question(question)
        start(engine, arguments.model, output)
        held = hold(engine, question, output)
    finally:
        engine.close()
    output.text(f"\nB\n{held.texts[1]}\n")
    if held.duel is not None:
        output.text(_how_to_vote(held.duel))
    error = held.error or _cut_short(held)
    code = output.result(_result(held), error=error)
    return 130 if error is None and "stopped" in _ends(held) else code


def _remembered(settings: Settings) -> Steering:
    """The owner's preferences, which both answers follow."""
    if settings.neutral or not settings.preferences:
        return NEUTRAL
    return Steering(method="amulet", preferences=settings.preferences, gamma=settings.gamma)


def _how_to_vote(duel: Duel) -> str:
    if duel.verdict != "open":
        return NOTHING_TO_VOTE_ON[duel.verdict]
    return f"{duel.why}\nVote with: attune vote {duel.id} first|second|equal|neither"


def _ends(held: Held) -> tuple[str, ...]:
    """Why each answer ended; "" where that was not told."""
    return tuple(answer.finish for answer in held.duel.answers) if held.duel else ("", "")


def _cut_short(held: Held) -> EngineError | None:
    if "interrupted" not in _ends(held):
        return None
    return EngineError("The answers are not complete: the model's process died. Ask again.")


def _result(held: Held) -> dict[str, Any]:
    duel = held.duel
    return {
        "duel": duel.id if duel else "",
        "answers": [
            {"text": text, "tokens": tokens, "finish": finish}
            for text, tokens, finish in zip(held.texts, held.tokens, _ends(held), strict=True)
        ],
        "why": duel.why if duel else "",
        "verdict": duel.verdict if duel else "cut",
    }
