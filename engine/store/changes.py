"""The owner's changes as rows, and their fold: what stands when all of them are read in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from engine.types.learning import Outcome, Trait
from engine.types.steering import Preference

Kind = Literal[
    "vote", "withdraw", "forget", "reset", "add_trait", "remove_trait", "override", "import",
]  # fmt: skip

UNREADABLE = (msgspec.MsgspecError, RecursionError, TypeError)
"""What decoding a damaged body raises, or one that damage has made NULL."""

_TAKEN_BACK = {
    "vote": ("the vote", "on"),
    "withdraw": ("the deletion of the vote", "on"),
    "forget": ("the forgetting", "of"),
    "reset": ("the reset", "of"),
    "add_trait": ("the addition", "of"),
    "remove_trait": ("the removal", "of"),
    "override": ("the choice of another setting", "for"),
    "import": ("the import", "of"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The body of a vote.

    chat   id of the chat that it was given in; "" where that is kept nowhere
    local  it counts in that chat only
    """

    outcome: Outcome
    chat: str = ""
    local: bool = False


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
class Carried:
    """A vote that an import brings.

    muted  ids of traits that the duel on record tells of, and this vote says nothing about
    """

    duel: str
    outcome: Outcome
    muted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """The settings that belong to a taste; see `engine.config.Settings`."""

    preferences: tuple[Preference, ...]
    gamma: float
    neutral: bool
    sliders: dict[str, float]
    fade: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """The body of an import; votes that count already are passed over.

    name     of the profile, for people
    replace  what stood before counts no more
    votes    in the order they were given, on duels that are on record
    traits   the owner's own that it adds or words anew
    removed  ids of traits that are not to be asked about any more
    before   settings that it found
    after    settings that it leaves
    """

    name: str
    replace: bool
    votes: tuple[Carried, ...]
    traits: tuple[Trait, ...]
    removed: tuple[str, ...]
    before: Taste
    after: Taste


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The body of what has nothing more to say."""


NOTHING = Nothing()

Body = Vote | About | Trait | Override | Import | Nothing
Row = tuple[int, str, str | None, str]
"""Number, kind, duel, body; in JSON, where fields that are not known here are ignored."""

_vote = msgspec.json.Decoder(Vote)
_about = msgspec.json.Decoder(About)
_trait = msgspec.json.Decoder(Trait)
_override = msgspec.json.Decoder(Override)
_import = msgspec.json.Decoder(Import)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """Of an import, what it takes to name it."""

    name: str


_name = msgspec.json.Decoder(_Name)


class Counted(NamedTuple):
    """A vote that counts: number of the change that brought it, outcome, the traits that it says
    nothing about, the chat that it was given in, and whether it counts only there."""

    change: int
    outcome: Outcome
    muted: tuple[str, ...] = ()
    chat: str = ""
    local: bool = False


@dataclass(slots=True, kw_only=True)
class Fold:
    """What the changes so far come to.

    votes       duel → what counts, in the order of voting; of an import in its own order
    traits      the owner's own by id, removed ones too, in the order they were added
    removed     ids of traits that are not asked about
    forgotten   trait id → number of the change
    overrides   members of the portfolio that were taken in the place of others, by number
    imports     numbers of the imports
    unreadable  rows left out
    """

    votes: dict[str, Counted] = field(default_factory=dict)
    traits: dict[str, Trait] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    forgotten: dict[str, int] = field(default_factory=dict)
    overrides: dict[int, Override] = field(default_factory=dict)
    imports: set[int] = field(default_factory=set)
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
                vote = _vote.decode(body)
                self.votes.pop(duel, None)
                self.votes[duel] = Counted(id, vote.outcome, chat=vote.chat, local=vote.local)
            case "withdraw" if duel is not None:
                self.votes.pop(duel, None)
            case "forget":
                self.forgotten[_about.decode(body).trait] = id
            case "reset":
                self._reset()
            case "add_trait":
                self._put(_trait.decode(body))
            case "remove_trait":
                self.removed.add(_about.decode(body).trait)
            case "override":
                self.overrides[id] = _override.decode(body)
            case "import":
                self._take_in(id, _import.decode(body))
            case _:
                raise msgspec.ValidationError(f"a change that is {kind!r} on {duel!r}")

    def _reset(self) -> None:
        self.votes.clear()
        self.forgotten.clear()
        self.overrides.clear()

    def _take_in(self, id: int, brought: Import) -> None:
        if brought.replace:
            # A profile is what holds everywhere: what is kept to a chat is not its to replace.
            local = {duel: vote for duel, vote in self.votes.items() if vote.local}
            forgotten = dict(self.forgotten) if local else {}
            self._reset()
            self.votes |= local
            self.forgotten |= forgotten
            self.traits.clear()
            self.removed.clear()
        for vote in brought.votes:
            self.votes.setdefault(vote.duel, Counted(id, vote.outcome, vote.muted))
        self.traits |= {trait.id: trait for trait in brought.traits}
        self.removed.update(brought.removed)
        self.imports.add(id)

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
    """The change as what Undo takes back; trait is that of its duel, None where it has none. A
    profile stands in quotes: it may be called like a trait."""
    what, link = _TAKEN_BACK.get(kind, ("the last change", "of"))
    trait = trait or _object_in(kind, body)
    return f"{what} {link} {trait}" if trait else what


def _object_in(kind: str, body: str) -> str:
    try:
        if kind == "add_trait":
            return _trait.decode(body).id
        if kind == "import":
            return f'"{_name.decode(body).name}"'
        return _about.decode(body).trait
    except UNREADABLE:
        return ""


def import_in(body: str) -> Import | None:
    """What an import brought; None where it cannot be read."""
    try:
        return _import.decode(body)
    except UNREADABLE:
        return None
