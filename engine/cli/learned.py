"""How what was learned is said: a table that fits 80 columns for people, numbers for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from engine.api import Learned, LearnedTrait, percent

_WORDS = 23
_BAR = 19
_NOTICED = 0.005
"""A trait without votes that leans by less is not known yet."""

_SCALE = "against".ljust(_BAR // 2) + "|" + "for".rjust(_BAR // 2)
_HEADER = f"  {'trait':<8} {'you like':<{_WORDS}}   sure  {_SCALE}  votes  to settle"


# For programs -------------------------------------------------------------------------------


def profile(learned: Learned) -> dict[str, Any]:
    """Everything that is learned."""
    return {
        "traits": [described(trait) for trait in learned.traits],
        "votes": learned.votes,
        "to_settle": learned.to_settle,
        "neutral": learned.neutral,
        "learner": learned.learner,
        "undoable": learned.undoable,
        "unreadable": learned.unreadable,
    }


def described(found: LearnedTrait) -> dict[str, Any]:
    """One trait; `name` and `less` are its two poles."""
    return {
        "id": found.trait.id,
        "name": found.trait.more,
        "less": found.trait.less,
        "weight": found.weight,
        "low": found.low,
        "high": found.high,
        "sure": found.sure,
        "theta": found.theta,
        "votes": len(found.votes),
        "to_settle": found.to_settle,
    }


def acted(learned: Learned) -> list[dict[str, Any]]:
    """What steers answers, as `attune ask` reports it."""
    return [{"trait": t.trait.id, "pole": _pole(t)[0], "theta": t.theta} for t in learned.acting]


# For people ---------------------------------------------------------------------------------


def steering(learned: Learned) -> str:
    """What steers answers now, in one line."""
    if learned.neutral:
        return "Neutral is on: the untouched model answers, whatever was learned."
    if learned.learner == "neural":
        return "What was learned steers as a whole; this form of learning has no traits to show."
    named = [f"{words} ({percent(sure)} sure)" for words, sure in map(_pole, learned.acting)]
    return f"Steers answers now: {', '.join(named)}." if named else "Nothing steers answers yet."


def table(learned: Learned) -> Iterator[str]:
    """All of it, line by line."""
    yield _headline(learned)
    if learned.unreadable:
        yield _left_out(learned.unreadable)
    yield steering(learned)
    known = [trait for trait in learned.traits if _is_known(trait)]
    if known:
        yield ""
        yield _HEADER
        yield from map(_row, known)
    if learned.acting:
        yield "* steers answers" + (", once neutral is off" if learned.neutral else "")
    if unknown := [trait for trait in learned.traits if not _is_known(trait)]:
        yield ""
        yield "Not known yet:"
        yield from map(_open_row, sorted(unknown, key=lambda trait: trait.trait.id))
    if learned.undoable:
        yield ""
        yield f"'attune profile undo' takes back {learned.undoable}."


def _headline(learned: Learned) -> str:
    if not learned.votes:
        return "Nothing learned yet. 'attune duel QUESTION' shows two answers to vote on."
    votes = "From one vote." if learned.votes == 1 else f"From {learned.votes} votes."
    if learned.learner == "neural":
        return votes
    if not learned.to_settle:
        return f"{votes} There is nothing left to settle."
    if learned.to_settle == 1:
        return f"{votes} One more comparison would settle the rest."
    return f"{votes} About {learned.to_settle} more comparisons would settle the rest."


def _left_out(unreadable: int) -> str:
    if unreadable == 1:
        return "One vote could not be read and does not count."
    return f"{unreadable} votes could not be read and do not count."


def _row(found: LearnedTrait) -> str:
    name = f"{'*' if found.theta else ' '} {_fit(found.trait.id, 8)} {_fit(found.liked, _WORDS)}"
    votes = f"{len(found.votes):5}  {_to_settle(found)}"
    return f"{name}  {_brief(found.likely):>5}  {_bar(found)}  {votes}"


def _open_row(found: LearnedTrait) -> str:
    trait = found.trait
    words = trait.more if trait.own else f"{trait.more} or {trait.less}"
    return f"  {_fit(trait.id, 8)} {_fit(words, 57)}  {_to_settle(found)}"


def _to_settle(found: LearnedTrait) -> str:
    return f"about {found.to_settle}" if found.to_settle else "settled"


def _bar(found: LearnedTrait) -> str:
    """The weight with its interval on a line from against (left) to for (right), in ASCII."""
    sign = 1 if found.sure >= 0.5 else -1
    low, high = sorted((_place(sign * found.low), _place(sign * found.high)))
    cells = ["=" if low <= place <= high else "." for place in range(_BAR)]
    cells[_BAR // 2] = "|"
    cells[_place(sign * found.weight)] = "O"
    return "".join(cells)


def _place(weight: float) -> int:
    """From a weight in [−1, 1] to a cell."""
    return min(_BAR - 1, max(0, round((weight + 1.0) / 2.0 * (_BAR - 1))))


def _brief(share: float) -> str:
    """A percentage that fits a column."""
    return percent(share).replace("over ", ">").replace("under ", "<")


def _is_known(found: LearnedTrait) -> bool:
    return bool(found.votes) or abs(found.sure - 0.5) >= _NOTICED


def _pole(found: LearnedTrait) -> tuple[str, float]:
    """The pole that answers are steered to, and how sure it is that the owner likes it."""
    if found.theta > 0.0:
        return found.trait.more, found.sure
    return found.trait.less, 1.0 - found.sure


def _fit(text: str, width: int) -> str:
    """Text in exactly so many columns of a terminal."""
    if sum(map(_columns, text)) > width:
        while sum(map(_columns, text)) > width - 1:
            text = text[:-1]
        text = f"{text.rstrip()}…"
    return text + " " * (width - sum(map(_columns, text)))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
