"""What a portfolio, a pool and a build come to, in words: percentages and plain words."""

from __future__ import annotations

from desktop.heard import heard, setting
from desktop.languages import tr
from desktop.prose import LONGEST_NAME, brief
from engine.api import Candidate, LeftOut, Member, Pool, Portfolio, Progress, Route

NO_BREAK = "\u00a0"

MINUTE, HOUR = 60.0, 3600.0


def named(candidate: Candidate) -> str:
    """Its name, which comes from a file, on one line of limited length."""
    return brief(setting(candidate.name), longest=LONGEST_NAME)


def headline(portfolio: Portfolio) -> str:
    """How many settings are worth keeping."""
    members, measured = len(portfolio.members), len(portfolio.candidates)
    return tr("Of {0} settings measured, %n is/are worth keeping.", "", members).format(measured)


def strength(portfolio: Portfolio, member: int) -> str:
    """What one member is best at, and for how many tastes it is the best."""
    share = portfolio.certificate.usage[member]
    best = heard(brief(portfolio.members[member].best_at).rstrip("."))
    served = tr("serves {0} of all tastes").format(percentage(share))
    return f"{best[:1].upper()}{best[1:]}  ·  {served}"


def trouble(member: Member) -> str:
    """Why it cannot be had now; "" if it can."""
    return "" if member.fits else tr("Not now: {0}").format(heard(brief(member.reason)))


def reason(route: Route) -> str:
    """Why this member, without its name: "because you like shorter answers"."""
    why = brief(route.why.removeprefix(route.member.name).removeprefix(", "))
    return heard(why.rstrip("."))


def next_answer(route: Route, *, stated: bool) -> str:
    """Who answers next, and why, as a line.

    stated  the owner has preferences of their own, which come before the member's
    """
    said = tr("Answers next: {0} — {1}.").format(named(route.member), reason(route))
    if stated and route.member.preferences:
        return " ".join((said, tr("Your own preferences act instead of its.")))
    return said


def refusals(route: Route) -> tuple[str, ...]:
    """Members that cannot be had now, each with the reason."""
    return tuple(map(refusal, route.refused))


def refusal(left: LeftOut) -> str:
    """Which setting it is, and why it cannot be had or was not chosen from."""
    return tr("{0}: {1}").format(named(left.candidate), heard(brief(left.reason)))


def stance(names: tuple[str, ...], weights: tuple[float, ...]) -> str:
    """The owner's weights: "50 % shorter answers, 30 % quality"; the largest first."""
    pairs = sorted(zip(weights, names, strict=True), key=lambda pair: -pair[0])
    return ", ".join(
        f"{percentage(weight)} {heard(name)}" for weight, name in pairs if weight >= 0.005
    )


def contents(pool: Pool) -> str:
    """What a build would measure, and what of it is there."""
    models = len({candidate.model for candidate in pool.candidates})
    settings, missing = len(pool.candidates), pool.answers - pool.known
    parts = [
        tr("%n model(s)", "", models),
        tr("%n setting(s)", "", settings),
        tr("%Ln answer(s)", "", pool.answers),
    ]
    said = ", ".join(parts)
    said = f"{said[:1].upper()}{said[1:]}"
    if not pool.known:
        return f"{said}."
    if missing <= 0:
        return tr("{0}, all of which are there.").format(said)
    return tr("{0}, of which %Ln is/are there already.", "answers", pool.known).format(said)


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
        return tr("less than a minute left")
    if progress.left < 1.5 * HOUR:
        return tr("about %n minute(s) left", "", round(progress.left / MINUTE))
    return tr("about %n hour(s) left", "", round(progress.left / HOUR))


def percentage(share: float) -> str:
    """The number and its sign stay on one line."""
    if 0.0 < share < 0.01:
        return tr("under 1 %").replace("1 %", f"1{NO_BREAK}%")
    return f"{round(100 * share)}{NO_BREAK}%"
