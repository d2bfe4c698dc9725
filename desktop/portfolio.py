"""What a portfolio, a pool and a build come to, in words: percentages and plain words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from desktop.prose import LONGEST_NAME, brief
from engine.api import Candidate, Member, Pool, Portfolio, Progress, Route

NO_BREAK = "\u00a0"

MINUTE, HOUR = 60.0, 3600.0


def named(candidate: Candidate) -> str:
    """Its name, which comes from a file, on one line of limited length."""
    return brief(candidate.name, longest=LONGEST_NAME)


def headline(portfolio: Portfolio) -> str:
    """How many settings are worth keeping."""
    members, measured = len(portfolio.members), len(portfolio.candidates)
    if members == 1:
        said = _tr("Of {0} settings measured, one is worth keeping.")
        return said.format(measured)
    said = _tr("Of {0} settings measured, {1} are worth keeping.")
    return said.format(measured, members)


def strength(portfolio: Portfolio, member: int) -> str:
    """What one member is best at, and for how many tastes it is the best."""
    share = portfolio.certificate.usage[member]
    best = brief(portfolio.members[member].best_at).rstrip(".")
    served = _tr("serves {0} of all tastes").format(percentage(share))
    return f"{best[:1].upper()}{best[1:]}  ·  {served}"


def trouble(member: Member) -> str:
    """Why it cannot be had now; "" if it can."""
    return "" if member.fits else _tr("Not now: {0}").format(brief(member.reason))


def reason(route: Route) -> str:
    """Why this member, without its name: "because you like shorter answers"."""
    return brief(route.why.removeprefix(route.member.name).removeprefix(", ")).rstrip(".")


def next_answer(route: Route, *, stated: bool) -> str:
    """Who answers next, and why, as a line.

    stated  the owner has preferences of their own, which come before the member's
    """
    said = _tr("Answers next: {0} — {1}.").format(named(route.member), reason(route))
    if stated and route.member.preferences:
        return f"{said} {_tr('Your own preferences act instead of its.')}"
    return said


def refusals(route: Route) -> tuple[str, ...]:
    """Members that cannot be had now, each with the reason."""
    return tuple(f"{named(left.candidate)}: {brief(left.reason)}" for left in route.refused)


def stance(names: tuple[str, ...], weights: tuple[float, ...]) -> str:
    """The owner's weights: "50 % shorter answers, 30 % quality"; the largest first."""
    pairs = sorted(zip(weights, names, strict=True), key=lambda pair: -pair[0])
    return ", ".join(f"{percentage(weight)} {name}" for weight, name in pairs if weight >= 0.005)


def contents(pool: Pool) -> str:
    """What a build would measure, and what of it is there."""
    models = len({candidate.model for candidate in pool.candidates})
    settings, missing = len(pool.candidates), pool.answers - pool.known
    parts = [
        _tr("one model") if models == 1 else _tr("{0} models").format(models),
        _tr("one setting") if settings == 1 else _tr("{0} settings").format(settings),
        _tr("{0} answers").format(_number(pool.answers)),
    ]
    said = ", ".join(parts)
    said = f"{said[:1].upper()}{said[1:]}"
    if not pool.known:
        return f"{said}."
    if missing <= 0:
        return _tr("{0}, all of which are there.").format(said)
    return _tr("{0}, of which {1} are there already.").format(said, _number(pool.known))


def advance(progress: Progress) -> str:
    """How far a build has come and how long it will take."""
    parts = [percentage(reached(progress)), left(progress)]
    return ", ".join(part for part in parts if part)


def reached(progress: Progress) -> float:
    """Share of a build that is done."""
    return min(max(progress.done / max(progress.total, 1), 0.0), 1.0)


def left(progress: Progress) -> str:
    """Time left, in words; "" where there is no estimate."""
    if progress.left is None:
        return ""
    if progress.left < MINUTE:
        return _tr("less than a minute left")
    if progress.left < 1.5 * MINUTE:
        return _tr("about a minute left")
    if progress.left < 1.5 * HOUR:
        return _tr("about {0} minutes left").format(round(progress.left / MINUTE))
    return _tr("about {0} hours left").format(round(progress.left / HOUR))


def percentage(share: float) -> str:
    """The number and its sign stay on one line."""
    if 0.0 < share < 0.01:
        return _tr("under 1 %").replace("1 %", f"1{NO_BREAK}%")
    return f"{round(100 * share)}{NO_BREAK}%"


def _number(count: int) -> str:
    return QLocale().toString(count)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Portfolio", text)
