"""`attune duel`: two answers to one question, and how to vote on them."""

from __future__ import annotations

import argparse
from typing import Any

from engine.api import NEUTRAL, Duel, Engine, Message, Question, Settings, Steering, check_question
from engine.cli.ask import read_question, sampling_of
from engine.cli.output import Output
from engine.cli.terminal import hold, start

NOTHING_TO_VOTE_ON = {
    "same": "Both came out nearly alike, so there is nothing to vote on.",
    "cut": "An answer did not come to its end, so there is nothing to vote on.",
}


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show both answers; a vote may follow at any time."""
    text = read_question(arguments.question)
    engine = Engine(arguments.data_dir)
    try:
        question = Question(
            messages=(Message(role="user", text=text),),
            steering=_remembered(engine.settings),
            sampling=sampling_of(arguments, engine.settings),
        )
        check_question(question)
        start(engine, arguments.model, output)
        duel = hold(engine, question, output)
    finally:
        engine.close()
    output.text(f"\nB\n{duel.answers[1].text}\n")
    output.text(_how_to_vote(duel))
    code = output.result(_result(duel))
    stopped = any(answer.finish == "stopped" for answer in duel.answers)
    return 130 if stopped else code


def _remembered(settings: Settings) -> Steering:
    """The owner's preferences, which both answers follow."""
    if settings.neutral or not settings.preferences:
        return NEUTRAL
    return Steering(method="amulet", preferences=settings.preferences, gamma=settings.gamma)


def _how_to_vote(duel: Duel) -> str:
    if duel.verdict != "open":
        return NOTHING_TO_VOTE_ON[duel.verdict]
    return f"{duel.why}\nVote with: attune vote {duel.id} first|second|equal|neither"


def _result(duel: Duel) -> dict[str, Any]:
    return {
        "duel": duel.id,
        "answers": [
            {"text": answer.text, "tokens": answer.tokens, "finish": answer.finish}
            for answer in duel.answers
        ],
        "why": duel.why,
        "verdict": duel.verdict,
    }
