"""`attune portfolio`: the settings worth keeping, how good they are, and which one answers next."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
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
from engine.cli.interrupt import interrupt_stops
from engine.cli.output import Output
from engine.errors import InputError, InvalidParameter, Stopped

_BUILD = "attune portfolio build"

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
    _check_build(arguments)
    changes = {"calibration_questions": arguments.questions, "members": arguments.most}
    wanted = {name: value for name, value in changes.items() if value is not None}
    if wanted:
        engine.change(**wanted)
    built: Portfolio | None = None
    stopped = ""
    progress = _Told(output)
    with interrupt_stops(engine.portfolio.stop):
        for event in engine.portfolio.build():
            match event:
                case Notice(code="build_stopped"):
                    stopped = event.text
                case Notice():
                    output.note(event.text)
                case Progress():
                    progress.hear(event)
                case Portfolio():
                    built = event
    if stopped:
        output.fail(Stopped(stopped))
        return 130
    assert built is not None
    return _say(built, output)


def _show(engine: Engine, _arguments: argparse.Namespace, output: Output) -> int:
    return _say(_built(engine), output)


def _check(engine: Engine, _arguments: argparse.Namespace, output: Output) -> int:
    _built(engine)
    found = engine.portfolio.check()
    for notice in found:
        output.text(notice.text)
    if found:
        output.text(f"To build again: {_BUILD}")
    else:
        output.text("The models are unchanged, and the certificate comes out the same again.")
    return output.result({"ok": not found, "findings": [asdict(notice) for notice in found]})


def _route(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    known = [objective.id for objective in _built(engine).objectives]
    sliders = dict(_slider(text, known) for text in arguments.slider)
    if sliders:
        engine.change(sliders=engine.settings.sliders | sliders)
    if arguments.automatic is not None:
        engine.change(routing=arguments.automatic == "on")
    route = (
        engine.portfolio.route()
        if arguments.take is None
        else engine.portfolio.override(arguments.take)
    )
    if route is None:
        raise InputError("No member can answer now. See 'attune portfolio show' for the reasons.")
    output.text(route.why)
    for other in route.others:
        output.text(f"  or {other.name}  ({other.id})")
    for refused in route.refused:
        output.text(f"  not {refused.candidate.name}: {refused.reason}")
    if not engine.settings.routing:
        output.note("It answers once Attune may choose: 'attune portfolio route --automatic on'.")
    return output.result(_routed(route, automatic=engine.settings.routing))


def _pool(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    _check_pool(arguments)
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


def _check_pool(arguments: argparse.Namespace) -> None:
    """Refuse what would be passed over in silence."""
    changes = (arguments.remove, arguments.restore, arguments.add)
    if sum(change is not None for change in changes) > 1:
        raise InputError("Give one of --remove, --restore and --add at a time.")
    if arguments.add is None and arguments.prefer:
        raise InputError("--prefer is of a setting to add. Say of which model with --add.")


def _built(engine: Engine) -> Portfolio:
    """Raises InputError where nothing was built yet."""
    portfolio = engine.portfolio.current()
    if portfolio is None:
        raise InputError(f"There is no portfolio yet. Make one with '{_BUILD}'.")
    return portfolio


class _Told:
    """Says how far a build has come, now and then."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said = -TOLD_EVERY

    def hear(self, progress: Progress) -> None:
        share = 100.0 * progress.done / max(1, progress.total)
        over = progress.done == progress.total and share > self._said
        if over or share - self._said >= TOLD_EVERY:
            self._said = share
            self._output.note(_progress(progress))


def _progress(progress: Progress) -> str:
    said = f"{progress.text}: {progress.done} of {progress.total} answers"
    if progress.left is None or progress.done == progress.total:
        return said
    minutes = progress.left / 60
    return f"{said}, {f'about {minutes:.0f} min' if minutes >= 1 else 'less than a minute'} left"


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


def _slider(text: str, known: Sequence[str]) -> tuple[str, float]:
    """Raises InvalidParameter."""
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not name or not 0.0 <= value <= 1.0:
        raise InvalidParameter.outside("slider", text, 'like "short+=0.9", with 0 to 1')
    if name not in known:
        raise InvalidParameter.outside("slider", name, f"one of {', '.join(known)}")
    return name, value


def _changed_pool(engine: Engine, arguments: argparse.Namespace) -> Pool:
    if arguments.remove is not None:
        return engine.portfolio.candidates.remove(arguments.remove)
    if arguments.restore is not None:
        return engine.portfolio.candidates.restore(arguments.restore)
    if arguments.add is not None:
        return engine.portfolio.candidates.add(
            arguments.add, preferences=tuple(arguments.prefer), gamma=arguments.strength
        )
    return engine.portfolio.candidates.pool()
