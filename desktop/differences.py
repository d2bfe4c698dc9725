"""What a profile would change, in words: percentages and plain words, as on "What I learned"."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from desktop import findings
from desktop.prose import LONGEST_NAME, brief
from engine.api import LearnedTrait, ProfileDiff, Trait, percent

MOVED = 0.05
"""Probabilities that differ by less are not worth a line."""

Row = tuple[str, str, str]
"""What it is about, how it is now, and how it will be."""


def headline(diff: ProfileDiff) -> str:
    return _tr("The profile “{0}”").format(brief(diff.name, longest=LONGEST_NAME))


def origin(diff: ProfileDiff) -> str:
    """When it was written."""
    moment = QDateTime.fromSecsSinceEpoch(int(min(max(diff.exported, 0.0), 1e11)))
    return _tr("Written {0}").format(QLocale().toString(moment, QLocale.FormatType.ShortFormat))


def summary(diff: ProfileDiff) -> str:
    """Votes and traits that come and go, a sentence each."""
    return "\n".join([*_votes(diff), *_traits(diff)])


def rows(diff: ProfileDiff) -> tuple[Row, ...]:
    """The traits that move, the surest first, and the settings that become others."""
    settings = (
        (f"{s.name[:1].upper()}{s.name[1:]}", brief(s.before), brief(s.after))
        for s in diff.settings
    )
    return (*_moving(diff), *settings)


def taken_in(diff: ProfileDiff) -> str:
    """After it was taken in."""
    said = _tr("The profile “{0}” is taken in: {1}.")
    return said.format(brief(diff.name, longest=LONGEST_NAME), _new(diff))


def _votes(diff: ProfileDiff) -> Iterator[str]:
    parts = [_new(diff), _tr("{0} known already").format(diff.known)]
    if diff.dropped:
        parts.append(_tr("{0} of yours count no more").format(diff.dropped))
    yield f"{', '.join(parts)}.".capitalize()
    if diff.differing:
        said = (
            _tr("Where a vote differs ({0}), the file's counts.")
            if diff.replace
            else _tr("Where a vote differs ({0}), yours stays.")
        )
        yield said.format(diff.differing)
    if diff.left_out:
        yield _tr("Left out, because they are about other duels here: {0}.").format(diff.left_out)
    if diff.texts:
        yield _tr("With question and answers: {0}.").format(diff.texts)


def _new(diff: ProfileDiff) -> str:
    return _tr("one new vote") if diff.new == 1 else _tr("{0} new votes").format(diff.new)


def _traits(diff: ProfileDiff) -> Iterator[str]:
    for words, traits in (
        (_tr("Adds your own: {0}"), diff.added),
        (_tr("Words anew: {0}"), diff.reworded),
        (_tr("Asks no more about: {0}"), diff.gone),
        (_tr("Asks again about: {0}"), diff.back),
    ):
        for trait in traits:
            yield words.format(_called(trait))
    for sentence in diff.refused:
        yield _tr("Not taken in: {0}").format(brief(sentence))


def _called(trait: Trait) -> str:
    return brief(trait.sentence if trait.own else trait.more)


def _moving(diff: ProfileDiff) -> Iterator[Row]:
    old = {found.trait.id: found for found in diff.before.traits}
    new = {found.trait.id: found for found in diff.after.traits}
    for id in [*new, *(id for id in old if id not in new)]:
        now, then = old.get(id), new.get(id)
        lead = then or old[id]
        if now is None or then is None or abs(now.sure - then.sure) >= MOVED:
            yield brief(lead.liked), _sure(now, lead), _sure(then, lead)


def _sure(found: LearnedTrait | None, lead: LearnedTrait) -> str:
    """How sure, and of what where that is not what the line is about."""
    if found is None:
        return _tr("not asked about")
    if findings.undecided(found):
        return _tr("not known yet")
    sure = _tr("{0} sure").format(percent(found.likely))
    return sure if found.liked == lead.liked else f"{sure}: {brief(found.liked)}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Differences", text)
