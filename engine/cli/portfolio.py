"""`attune portfolio`: the settings worth keeping, how good they are, and which one answers next."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from engine.api import (
    MAX_MEMBERS,
    QUESTIONS,
    Engine,
    Notice,
    Pool,
    Portfolio,
    Progress,
    Route,
    certified,
    worst_served,
)
from engine.cli.output import Output
from engine.errors import InputError, InvalidParameter

TOLD_EVERY = 5.0
"""Per cent between two lines of progress."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Build, show or change the portfolio."""
    engine = Engine(arguments.data_dir)
    try:
        return _VERBS[arguments.verb](engine, arguments, output)
    finally:
        engine.close()


# Verbs --------------------------------------------------------------------------------------


def _build(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    changes = {"calibration_questions": arguments.questions, "members": arguments.most}
    wanted = {name: value for name, value in changes.items() if value is not None}
    _check_build(arguments)
    if wanted:
        engine.change(**wanted)
    built = None
    told = -TOLD_EVERY
    try:
        for event in engine.build_portfolio():
            match event:
                case Notice():
                    output.note(event.text)
                case Progress():
                    share = 100.0 * event.done / max(1, event.total)
                    if share - told >= TOLD_EVERY or event.done == event.total:
                        told = share
                        output.note(_progress(event))
                case Portfolio():
                    built = event
    except KeyboardInterrupt:
        engine.stop_build()
        raise
    if built is None:
        raise InputError("The build was stopped; what was measured is kept. Build again to go on.")
    return _say(built, output)


def _show(engine: Engine, _arguments: argparse.Namespace, output: Output) -> int:
    return _say(_built(engine), output)


def _check(engine: Engine, _arguments: argparse.Namespace, output: Output) -> int:
    found = engine.check_portfolio()
    for notice in found:
        output.text(notice.text)
    if not found:
        output.text("The models are unchanged, and the certificate comes out the same again.")
    return output.result({"ok": not found, "findings": [asdict(notice) for notice in found]})


def _route(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    _built(engine)
    if arguments.slider:
        known = engine.settings.sliders
        engine.change(sliders=known | dict(map(_slider, arguments.slider)))
    if arguments.automatic is not None:
        engine.change(routing=arguments.automatic == "on")
    route = engine.override(arguments.take) if arguments.take else engine.route()
    if route is None:
        raise InputError("No member can answer now. See 'attune portfolio show' for the reasons.")
    output.text(route.why)
    for other in route.others:
        output.text(f"  or {other.name}  ({other.id})")
    for refused in route.refused:
        output.text(f"  not {refused.candidate.name}: {refused.reason}")
    return output.result(_routed(route, automatic=engine.settings.routing))


def _pool(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    pool = _changed_pool(engine, arguments)
    for candidate in pool.candidates:
        output.text(f"{candidate.id}  {candidate.name}")
    for candidate in pool.removed:
        output.text(f"{candidate.id}  {candidate.name}  (left out)")
    missing = pool.answers - pool.known
    output.text(
        f"{len(pool.candidates)} settings; {missing} of {pool.answers} answers are missing."
    )
    return output.result(asdict(pool))


_VERBS: dict[str, Callable[[Engine, argparse.Namespace, Output], int]] = {
    "build": _build,
    "show": _show,
    "check": _check,
    "route": _route,
    "pool": _pool,
}

# How ----------------------------------------------------------------------------------------


def _check_build(arguments: argparse.Namespace) -> None:
    for name, value, low, high in (
        ("questions", arguments.questions, *QUESTIONS),
        ("most", arguments.most, 1, MAX_MEMBERS),
    ):
        if value is not None and not low <= value <= high:
            raise InvalidParameter.outside(name, value, f"from {low} to {high}")


def _built(engine: Engine) -> Portfolio:
    """Raises InputError where nothing was built yet."""
    portfolio = engine.portfolio()
    if portfolio is None:
        raise InputError("There is no portfolio yet. Make one with 'attune portfolio build'.")
    return portfolio


def _progress(progress: Progress) -> str:
    said = f"{progress.text}: {progress.done} of {progress.total} answers"
    if progress.left is None or progress.done == progress.total:
        return said
    minutes = progress.left / 60
    return f"{said}, about {f'{minutes:.0f} min' if minutes >= 1 else 'a minute'} left"


def _say(portfolio: Portfolio, output: Output) -> int:
    for notice in portfolio.notices:
        output.note(notice.text)
    shares = portfolio.certificate.usage
    for member, share in zip(portfolio.members, shares, strict=True):
        candidate = portfolio.candidates[member.index]
        output.text(f"{candidate.name}  ({candidate.id})")
        said = f"  {member.best_at}; serves {share * 100:.0f} % of tastes"
        output.text(said if member.fits else f"{said}; not now: {member.reason}")
    output.text(certified(portfolio))
    output.text(worst_served(portfolio))
    for left in portfolio.left_out:
        output.text(f"Left out: {left.candidate.name}: {left.reason}")
    return output.result(_result(portfolio))


def _result(portfolio: Portfolio) -> dict[str, Any]:
    certificate = portfolio.certificate
    return asdict(portfolio) | {
        "traits": [asdict(objective) for objective in portfolio.objectives],
        "member_indices": [member.index for member in portfolio.members],
        "epsilon": certificate.epsilon.value,
        "delta": certificate.delta.value,
        "witness": list(certificate.epsilon.witness),
    }


def _routed(route: Route, *, automatic: bool) -> dict[str, Any]:
    return asdict(route) | {"automatic": automatic}


def _slider(text: str) -> tuple[str, float]:
    """Raises InvalidParameter."""
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not name or not 0.0 <= value <= 1.0:
        raise InvalidParameter.outside("slider", text, 'like "short+=0.9", with 0 to 1')
    return name, value


def _changed_pool(engine: Engine, arguments: argparse.Namespace) -> Pool:
    if arguments.remove:
        return engine.remove_candidate(arguments.remove)
    if arguments.restore:
        return engine.restore_candidate(arguments.restore)
    if arguments.add:
        return engine.add_candidate(
            arguments.add, preferences=tuple(arguments.prefer), gamma=arguments.strength
        )
    return engine.pool()
