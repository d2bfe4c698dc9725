"""Measuring the pool, changing it, and saying who shall answer."""

from __future__ import annotations

from desktop.desk import Desk
from engine.api import Candidate


def measure(desk: Desk) -> None:
    """Build the portfolio, or go on where the last build was cancelled."""
    desk.building.begin()


def cancel(desk: Desk) -> None:
    """End the build; what is measured is kept."""
    desk.building.cancel()


def take(desk: Desk, id: str) -> None:
    """Let this member answer next; Attune learns from it."""
    portfolio, route = desk.choosing.portfolio, desk.choosing.route
    known = portfolio.candidates if portfolio is not None else ()
    offered = route.others if route is not None else ()
    for candidate in (*offered, *known):
        if candidate.id == id:
            desk.choosing.override(candidate)
            return


def choose_for_me(desk: Desk, on: bool) -> None:
    desk.choosing.set_automatic(on)


def set_slider(desk: Desk, objective: str, value: float) -> None:
    """How much an objective matters, in [0, 1]."""
    desk.choosing.set_slider(objective, value)


def leave_to_votes(desk: Desk) -> None:
    desk.choosing.reset_sliders()


def leave_out(desk: Desk, candidate: Candidate) -> None:
    """Measure it no more."""
    desk.choosing.remove(candidate)


def take_in(desk: Desk, candidate: Candidate) -> None:
    """Measure it again."""
    desk.choosing.restore(candidate)


def add_setting(desk: Desk, model: str, preferences: tuple[str, ...], gamma: float) -> None:
    desk.choosing.add(model, preferences, gamma)
