"""Changing what the next answer is steered towards."""

from __future__ import annotations

from desktop.desk import Desk

NUDGE = 0.1
"""How far one key press moves the strength."""


def add_preference(desk: Desk, text: str) -> None:
    desk.use(desk.taste.adding(text))


def remove_preference(desk: Desk, index: int) -> None:
    desk.use(desk.taste.without(index))


def set_strength(desk: Desk, fraction: float) -> None:
    desk.use(desk.taste.at_strength(fraction))


def stronger(desk: Desk) -> None:
    set_strength(desk, desk.taste.strength + NUDGE)


def weaker(desk: Desk) -> None:
    set_strength(desk, desk.taste.strength - NUDGE)


def set_neutral(desk: Desk, neutral: bool) -> None:
    desk.use(desk.taste.as_neutral(neutral))
