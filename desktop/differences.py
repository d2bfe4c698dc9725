"""What a profile would change, in words: percentages and plain words, as on "What I learned"."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QDateTime, QLocale

from desktop import findings
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import LONGEST_NAME, brief
from engine.api import LearnedTrait, ProfileDiff, Trait

MOVED = 0.05
"""Probabilities that differ by less are not worth a line."""

Row = tuple[str, str, str]
"""What it is about, how it is now, and how it will be."""


def headline(diff: ProfileDiff) -> str:
    return tr("The profile “{0}”").format(brief(diff.name, longest=LONGEST_NAME))


def origin(diff: ProfileDiff) -> str:
    """When it was written."""
    moment = QDateTime.fromSecsSinceEpoch(int(min(max(diff.exported, 0.0), 1e11)))
    return tr("Written {0}").format(QLocale().toString(moment, QLocale.FormatType.ShortFormat))


def summary(diff: ProfileDiff) -> str:
    """Votes and traits that come and go, a sentence each."""
    return "\n".join([*_votes(diff), *_traits(diff)])


def rows(diff: ProfileDiff) -> tuple[Row, ...]:
    """The traits that move, the surest first, and the settings that become others."""
    settings = (
        (_begun(heard(s.name)), brief(heard(s.before)), brief(heard(s.after)))
        for s in diff.settings
    )
    return (*_moving(diff), *settings)


def taken_in(diff: ProfileDiff) -> str:
    """After it was taken in."""
    said = tr("The profile “{0}” is taken in: {1}.")
    return said.format(brief(diff.name, longest=LONGEST_NAME), _new(diff))


def _votes(diff: ProfileDiff) -> Iterator[str]:
    said = _begun(tr("{0}, %n known already", "", diff.known).format(_new(diff)))
    if diff.dropped:
        said = tr("{0}, %n of yours count(s) no more", "", diff.dropped).format(said)
    yield f"{said}."
    if diff.differing:
        said = (
            tr("Where a vote differs ({0}), the file's counts.")
            if diff.replace
            else tr("Where a vote differs ({0}), yours stays.")
        )
        yield said.format(diff.differing)
    if diff.left_out:
        yield tr("Left out, because they are about other duels here: {0}.").format(diff.left_out)
    if diff.texts:
        yield tr("With question and answers: {0}.").format(diff.texts)


def _new(diff: ProfileDiff) -> str:
    return tr("%n new vote(s)", "", diff.new)


def _traits(diff: ProfileDiff) -> Iterator[str]:
    for words, traits in (
        (tr("Adds your own: {0}"), diff.added),
        (tr("Words anew: {0}"), diff.reworded),
        (tr("Asks no more about: {0}"), diff.gone),
        (tr("Asks again about: {0}"), diff.back),
    ):
        for trait in traits:
            yield words.format(_called(trait))
    for sentence in diff.refused:
        yield tr("Not taken in: {0}").format(brief(sentence))


def _called(trait: Trait) -> str:
    return brief(trait.sentence if trait.own else heard(trait.more))


def _moving(diff: ProfileDiff) -> Iterator[Row]:
    old = {found.trait.id: found for found in diff.before.traits}
    new = {found.trait.id: found for found in diff.after.traits}
    for id in [*new, *(id for id in old if id not in new)]:
        now, then = old.get(id), new.get(id)
        lead = then or old[id]
        if now is None or then is None or abs(now.sure - then.sure) >= MOVED:
            yield brief(heard(lead.liked)), _sure(now, lead), _sure(then, lead)


def _sure(found: LearnedTrait | None, lead: LearnedTrait) -> str:
    """How sure, and of what where that is not what the line is about."""
    if found is None:
        return tr("not asked about")
    sure = findings.sure(found)
    if found.liked == lead.liked:
        return sure
    return tr("{0}: {1}").format(sure, brief(heard(found.liked)))


def _begun(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
