"""The owner's changes as rows, and their fold: what stands when all of them are read in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from engine.types import Outcome, Trait

Kind = Literal["vote", "withdraw", "forget", "reset", "add_trait", "remove_trait", "override"]

UNREADABLE = (msgspec.MsgspecError, RecursionError)
"""What decoding a damaged body raises."""

_TAKEN_BACK = {
    "vote": ("the vote", "on"),
    "withdraw": ("the deletion of the vote", "on"),
    "forget": ("the forgetting", "of"),
    "reset": ("the reset", "of"),
    "add_trait": ("the addition", "of"),
    "remove_trait": ("the removal", "of"),
    "override": ("the choice of another setting", "for"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The body of a vote."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The body of what concerns one trait."""

    trait: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The body of a choice of one member of the portfolio in the place of another.

    gain  by objective, how much better the answers of the one that was taken score on average; in
          units of normalised reward, so that it means something without that portfolio
    """

    taken: str
    instead: str
    gain: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The body of what has nothing more to say."""


NOTHING = Nothing()

Body = Vote | About | Trait | Override | Nothing
Row = tuple[int, str, str | None, str]
"""Number, kind, duel, body; in JSON, where fields that are not known here are ignored."""

_vote = msgspec.json.Decoder(Vote)
_about = msgspec.json.Decoder(About)
_trait = msgspec.json.Decoder(Trait)
_override = msgspec.json.Decoder(Override)


@dataclass(slots=True, kw_only=True)
class Fold:
    """What the changes so far come to.

    votes       duel → number of the vote and its outcome, in the order of voting
    traits      the owner's own by id, removed ones too, in the order they were added
    removed     ids of traits that are not asked about
    forgotten   trait id → number of the change
    overrides   members of the portfolio that were taken in the place of others, by number
    unreadable  rows left out
    """

    votes: dict[str, tuple[int, Outcome]] = field(default_factory=dict)
    traits: dict[str, Trait] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    forgotten: dict[str, int] = field(default_factory=dict)
    overrides: dict[int, Override] = field(default_factory=dict)
    unreadable: int = 0

    def add(self, row: Row) -> None:
        """The next change; one that cannot be read is counted and changes nothing else."""
        try:
            self._add(*row)
        except UNREADABLE:
            self.unreadable += 1

    def _add(self, id: int, kind: str, duel: str | None, body: str) -> None:
        match kind:
            case "vote" if duel is not None:
                outcome = _vote.decode(body).outcome
                self.votes.pop(duel, None)
                self.votes[duel] = (id, outcome)
            case "withdraw" if duel is not None:
                self.votes.pop(duel, None)
            case "forget":
                self.forgotten[_about.decode(body).trait] = id
            case "reset":
                self.votes.clear()
                self.forgotten.clear()
                self.overrides.clear()
            case "add_trait":
                self._put(_trait.decode(body))
            case "remove_trait":
                self.removed.add(_about.decode(body).trait)
            case "override":
                self.overrides[id] = _override.decode(body)
            case _:
                raise msgspec.ValidationError(f"a change that is {kind!r} on {duel!r}")

    def _put(self, trait: Trait) -> None:
        self.removed.discard(trait.id)
        if trait.own:  # of a built-in one the wording is the program's
            self.traits[trait.id] = trait


def fold(rows: Iterable[Row]) -> Fold:
    """What these changes come to, oldest first."""
    result = Fold()
    for row in rows:
        result.add(row)
    return result


def in_words(kind: str, *, body: str, trait: str | None) -> str:
    """The change as what Undo takes back; trait is that of its duel, None where it has none."""
    what, link = _TAKEN_BACK.get(kind, ("the last change", "of"))
    trait = trait or _trait_in(kind, body)
    return f"{what} {link} {trait}" if trait else what


def _trait_in(kind: str, body: str) -> str:
    try:
        if kind == "add_trait":
            return _trait.decode(body).id
        return _about.decode(body).trait
    except UNREADABLE:
        return ""
