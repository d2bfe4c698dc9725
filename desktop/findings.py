"""What was learned, in words: percentages and plain words, never a weight."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from desktop.prose import brief
from engine.api import Learned, LearnedTrait, Outcome, PastVote, percent

LONGEST_QUESTION = 90
"""Characters of a question that is quoted beside its vote."""


def acting(learned: Learned) -> tuple[str, ...]:
    """The poles that answers are steered towards now, the strongest first."""
    return tuple(t.trait.more if t.theta > 0 else t.trait.less for t in learned.acting)


def headline(learned: Learned) -> str:
    """From how many votes, and how many more would settle the rest."""
    if not learned.votes:
        return _tr("Nothing learned yet")
    votes = _tr("From one vote.") if learned.votes == 1 else _tr("From {0} votes.")
    return f"{votes.format(learned.votes)} {_rest(learned)}"


def left_out(learned: Learned) -> str:
    """What of the record is damaged; "" where all of it counts."""
    if learned.unreadable == 1:
        return _tr("One vote could not be read and does not count.")
    if learned.unreadable:
        said = _tr("{0} votes could not be read and do not count.")
        return said.format(learned.unreadable)
    return ""


def _rest(learned: Learned) -> str:
    if learned.learner == "neural":
        return ""
    if not learned.to_settle:
        return _tr("There is nothing left to settle.")
    if learned.to_settle == 1:
        return _tr("One more comparison would settle the rest.")
    return _tr("About {0} more comparisons would settle the rest.").format(learned.to_settle)


def sure(trait: LearnedTrait) -> str:
    """How sure, in a few words."""
    if undecided(trait):
        return _tr("not known yet")
    return _tr("{0} sure").format(percent(trait.likely))


def undecided(trait: LearnedTrait) -> bool:
    """Nothing points either way."""
    return not trait.votes and abs(trait.sure - 0.5) < 0.05


def belief(trait: LearnedTrait) -> str:
    """How sure, as a sentence."""
    if undecided(trait):
        return _tr("It is not known yet whether you like {0} or {1}.").format(
            trait.trait.more, trait.trait.less
        )
    share = percent(trait.likely)
    begun = share[0].upper() + share[1:]
    return _tr("{0} sure you like {1}.").format(begun, trait.liked)


def reach(trait: LearnedTrait) -> str:
    """The interval, in words."""
    low, high = sorted((trait.low, trait.high), key=abs)
    if trait.low * trait.high > 0:
        least, most = _much(low), _much(high)
        if least == most:
            return _tr("How much: {0}.").format(most)
        return _tr("How much: between {0} and {1}.").format(least, most)
    less, more = f"“{trait.trait.less}”", f"“{trait.trait.more}”"
    return _tr("It could still be either: {0} {1}, or {2} {3}.").format(
        _much(trait.low), less, _much(trait.high), more
    )


def effect(trait: LearnedTrait) -> str:
    """What it does to answers now, and what it takes to settle it."""
    acts = _tr("It steers answers.") if trait.theta else _tr("It does not steer answers now.")
    if not trait.to_settle:
        return acts
    if trait.to_settle == 1:
        return f"{acts} {_tr('One more comparison would probably settle it.')}"
    more = _tr("About {0} more comparisons would probably settle it.")
    return f"{acts} {more.format(trait.to_settle)}"


def outcome(outcome: Outcome) -> str:
    return {
        "first": _tr("A was better"),
        "second": _tr("B was better"),
        "equal": _tr("about equal"),
        "neither": _tr("neither"),
    }[outcome]


def past_vote(vote: PastVote) -> str:
    """One line: when, how, and on what if that was kept."""
    parts = [when(vote), outcome(vote.outcome)]
    if vote.question:
        parts.append(f"“{brief(vote.question, longest=LONGEST_QUESTION)}”")
    return "  ·  ".join(parts)


def when(vote: PastVote) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(vote.at))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def _much(weight: float) -> str:
    if abs(weight) < 0.08:
        return _tr("barely")
    if abs(weight) < 0.35:
        return _tr("slightly")
    return _tr("clearly") if abs(weight) < 0.7 else _tr("strongly")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Findings", text)
