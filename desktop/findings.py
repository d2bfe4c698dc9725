"""What was learned, in words: percentages and plain words, never a weight."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale

from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from engine.api import Learned, LearnedTrait, Outcome, PastVote, percent

LONGEST_QUESTION = 90
"""Characters of a question that is quoted beside its vote."""


def acting(learned: Learned) -> tuple[str, ...]:
    """The poles that answers are steered towards now, the strongest first."""
    return tuple(heard(t.trait.more if t.theta > 0 else t.trait.less) for t in learned.acting)


def poles(trait: LearnedTrait) -> tuple[str, str]:
    """What it is when there is less of it, and when there is more."""
    return heard(trait.trait.less), heard(trait.trait.more)


MANY = 20
"""Comparisons from which on their number would only discourage."""


def headline(learned: Learned) -> str:
    """From how many votes, and how many more would settle the rest."""
    if not learned.votes:
        return tr("Nothing learned yet")
    votes = tr("From %n vote(s).", "", learned.votes)
    return f"{votes} {_rest(learned)}"


def elsewhere(votes: Sequence[PastVote]) -> str:
    """How many of these count in their chats only; "" where none does."""
    count = sum(vote.local for vote in votes)
    if not count:
        return ""
    return tr("%n vote(s) count(s) in its/their own chat only, and not here.", "", count)


def left_out(learned: Learned) -> str:
    """What of the record is damaged; "" where all of it counts."""
    if not learned.unreadable:
        return ""
    return tr("%n vote(s) could not be read and do(es) not count.", "", learned.unreadable)


def _rest(learned: Learned) -> str:
    if learned.learner == "neural":
        return ""
    if not learned.to_settle:
        return tr("There is nothing left to settle.")
    if learned.to_settle >= MANY:
        return tr("Some more comparisons would settle the rest.")
    return tr("About %n more comparison(s) would settle the rest.", "", learned.to_settle)


def sure(trait: LearnedTrait) -> str:
    """How sure, in a few words."""
    if undecided(trait):
        return tr("not known yet")
    return tr("{0} sure").format(share_of(trait.likely))


def share_of(likely: float) -> str:
    """A probability in per cent; what is nearly certain is no more than that."""
    return heard(percent(likely))


def undecided(trait: LearnedTrait) -> bool:
    """Nothing points either way."""
    return not trait.votes and abs(trait.sure - 0.5) < 0.05


def belief(trait: LearnedTrait) -> str:
    """How sure, as a sentence."""
    if undecided(trait):
        less, more = poles(trait)
        return tr("It is not known yet whether you like {0} or {1}.").format(more, less)
    share = share_of(trait.likely)
    begun = share[0].upper() + share[1:]
    return tr("{0} sure you like {1}.").format(begun, heard(trait.liked))


def reach(trait: LearnedTrait) -> str:
    """The interval, in words."""
    low, high = sorted((trait.low, trait.high), key=abs)
    if trait.low * trait.high > 0:
        least, most = _much(low), _much(high)
        if least == most:
            return tr("How much: {0}.").format(most)
        return tr("How much: between {0} and {1}.").format(least, most)
    less, more = poles(trait)
    return tr("It could still be either: {0} “{1}”, or {2} “{3}”.").format(
        _much(trait.low), less, _much(trait.high), more
    )


def effect(trait: LearnedTrait) -> str:
    """What it does to answers now, and what it takes to settle it."""
    acts = tr("It steers answers.") if trait.theta else tr("It does not steer answers now.")
    if not trait.to_settle:
        return acts
    more = tr("About %n more comparison(s) would probably settle it.", "", trait.to_settle)
    return f"{acts} {more}"


def outcome(outcome: Outcome) -> str:
    return {
        "first": tr("A was better"),
        "second": tr("B was better"),
        "equal": tr("about equal"),
        "neither": tr("neither"),
    }[outcome]


def past_vote(vote: PastVote) -> str:
    """One line: when, how, and on what if that was kept."""
    parts = [when(vote), outcome(vote.outcome)]
    if vote.local:
        parts.append(tr("in its chat only"))
    if vote.question:
        parts.append(quoted(brief(vote.question, longest=LONGEST_QUESTION)))
    return "  ·  ".join(parts)


def quoted(text: str) -> str:
    return tr("“{0}”").format(text)


def when(vote: PastVote) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(vote.at))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def _much(weight: float) -> str:
    if abs(weight) < 0.08:
        return tr("barely")
    if abs(weight) < 0.35:
        return tr("slightly")
    return tr("clearly") if abs(weight) < 0.7 else tr("strongly")
