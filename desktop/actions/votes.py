"""Saying which of two answers is better, or that it cannot be said."""

from __future__ import annotations

from desktop.conversation import Turn
from desktop.desk import Desk
from engine.api import Outcome


def vote(desk: Desk, outcome: Outcome) -> None:
    """On the newest two answers that wait for a vote."""
    if (turn := desk.asking.conversation.open_turn()) is not None:
        vote_on(desk, turn, outcome)


def vote_on(desk: Desk, turn: Turn, outcome: Outcome) -> None:
    desk.voting.vote(turn, outcome)


def skip(desk: Desk) -> None:
    if (turn := desk.asking.conversation.open_turn()) is not None:
        skip_turn(desk, turn)


def skip_turn(desk: Desk, turn: Turn) -> None:
    desk.voting.skip(turn)


def vote_after_all(desk: Desk, turn: Turn) -> None:
    desk.voting.reopen(turn)


def take_back(desk: Desk, turn: Turn) -> None:
    """Undo the vote on these two, and nothing else."""
    desk.voting.take_back(turn)


def undo(desk: Desk) -> None:
    """Take back the newest change of what was learned: a vote, a deletion, …"""
    desk.learning.undo()
