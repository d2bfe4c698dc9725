"""A record of votes in memory: what the engine's promises about learning come to, and no more."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace

from engine.api import (
    EVERYWHERE,
    Learned,
    LearnedTrait,
    LearnerName,
    Moved,
    Outcome,
    PastVote,
    Reach,
    Trait,
    Voted,
)
from engine.errors import (
    AlreadyVoted,
    InputError,
    InvalidParameter,
    NothingToUndo,
    StorageError,
    UnknownDuel,
    UnknownTrait,
)

SHORT = Trait(
    id="short", more="shorter answers", less="longer answers",
    sentence="Answer briefly.", opposite="Answer at length.", visible=1.0,
)  # fmt: skip
LISTS = Trait(
    id="lists", more="bulleted lists", less="flowing paragraphs",
    sentence="Use lists.", opposite="Use paragraphs.", visible=0.9,
)  # fmt: skip
FORMAL = Trait(
    id="formal", more="a formal tone", less="a casual tone",
    sentence="Be formal.", opposite="Be casual.", visible=0.9,
)  # fmt: skip

WORDS = {
    "vote": "the vote on", "withdraw": "the deletion of the vote on", "forget": "the forgetting of",
    "add": "the addition of", "remove": "the removal of", "restore": "the return of",
    "reset": "the reset", "import": "the import of",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A duel that can be voted on."""

    id: str
    trait: str
    question: str = ""
    at: float = 1_750_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    kind: str
    about: str
    outcome: Outcome = "equal"
    reach: Reach = EVERYWHERE


def told(
    trait: Trait, *, weight: float, low: float, high: float, sure: float, **rest: object
) -> LearnedTrait:
    """What is learned about a trait, for tests that say it themselves."""
    plain = LearnedTrait(
        trait=trait, weight=weight, low=low, high=high, sure=sure, theta=0.0, votes=(), to_settle=3
    )
    return replace(plain, **rest)  # type: ignore[arg-type]


class ScriptedRecord:
    """Changes in a list; everything else is derived from those that are left.

    given       what is learned whatever the votes say, or None
    unreadable  votes that are damaged
    error       raised by the next call that would change something
    broken      raised by every call that reads
    """

    def __init__(
        self, *, neutral: Callable[[], bool], undone: Callable[[str], None], threads: set[int]
    ) -> None:
        """
        neutral  whether the untouched model answers
        undone   is told what was taken back
        threads  who asked
        """
        self._neutral, self._undone, self._threads = neutral, undone, threads
        self.traits: dict[str, Trait] = {t.id: t for t in (SHORT, LISTS, FORMAL)}
        self.duels: dict[str, Held] = {}
        self.entries: list[Entry] = []
        self.given: tuple[LearnedTrait, ...] | None = None
        self.unreadable = 0
        self.learner: LearnerName = "utilities"
        self.error: Exception | None = None
        self.broken: StorageError | None = None
        self.calls: list[str] = []

    def counted(self) -> dict[str, Outcome]:
        votes: dict[str, Outcome] = {}
        for entry in self.entries:
            if entry.kind == "vote":
                votes[entry.about] = entry.outcome
            elif entry.kind == "withdraw":
                votes.pop(entry.about, None)
            elif entry.kind == "reset":
                votes.clear()
        return votes

    def heard(self, reach: Reach) -> ScriptedRecord:
        """The record as it counts there."""

        def counts(entry: Entry) -> bool:
            if entry.kind != "vote":
                return True
            if reach.scope == "everywhere":
                return entry.reach.scope == "everywhere"
            return reach.scope == "chat" and entry.reach.chat == reach.chat

        there = copy(self)
        there.entries = [entry for entry in self.entries if counts(entry)]
        return there

    def vote(self, duel: str, outcome: Outcome, *, reach: Reach = EVERYWHERE) -> Voted:
        self._threads.add(threading.get_ident())
        if not reach.learns:
            raise InputError("Nothing is learned in this chat.")
        if duel not in self.duels:
            raise UnknownDuel(f"There is no duel {duel!r}.")
        if duel in self.counted():
            raise AlreadyVoted(f"Duel {duel!r} has a vote already.")
        trait = self.traits[self.duels[duel].trait]
        before = self.heard(reach)._sure(trait)
        self._add(Entry(kind="vote", about=duel, outcome=outcome, reach=reach))
        after = self.heard(reach)._sure(trait)
        moved: tuple[Moved, ...] = (
            Moved(trait=trait.id, pole=trait.more, before=before, after=after),
        )
        sentence = f"{trait.more.capitalize()}: {before:.0%} → {after:.0%} sure."
        if outcome in ("equal", "neither"):
            moved, sentence = (), "Noted: it makes little difference to you."
        return Voted(
            duel=duel, outcome=outcome, sentence=sentence, changed=moved, learned=self.known()
        )

    def undo(self) -> str:
        self._threads.add(threading.get_ident())
        self._may_change("undo")
        if not self.entries:
            raise NothingToUndo("There is nothing to undo; vote first.")
        what = self._words(self.entries.pop())
        self._undone(what)
        return what

    def delete_vote(self, duel: str) -> Learned:
        if duel not in self.counted():
            raise UnknownDuel(f"There is no duel {duel!r}.")
        return self._add(Entry(kind="withdraw", about=duel))

    def forget_trait(self, trait: str) -> Learned:
        return self._add(Entry(kind="forget", about=self._find(trait).id))

    def add_trait(self, sentence: str) -> Learned:
        if sentence in {trait.sentence for trait in self.traits.values()}:
            raise InvalidParameter(f'There is already a trait with this sentence: "{sentence}".')
        id = f"own-{len(self.traits)}"
        self.traits[id] = Trait(
            id=id, more=sentence, less=f"not: {sentence}", sentence=sentence, own=True
        )
        return self._add(Entry(kind="add", about=id))

    def remove_trait(self, trait: str) -> Learned:
        return self._add(Entry(kind="remove", about=self._find(trait).id))

    def restore_trait(self, trait: str) -> Learned:
        return self._add(Entry(kind="restore", about=self._find(trait).id))

    def reset(self) -> Learned:
        return self._add(Entry(kind="reset", about=""))

    def drop_texts(self) -> None:
        self._threads.add(threading.get_ident())
        self._may_change("drop_texts")
        self.duels = {id: replace(duel, question="") for id, duel in self.duels.items()}

    def learned(self, *, reach: Reach = EVERYWHERE) -> Learned:
        self._threads.add(threading.get_ident())
        return self.known(reach=reach)

    def known(self, *, reach: Reach = EVERYWHERE) -> Learned:
        """The same, whoever asks."""
        if self.broken is not None:
            raise self.broken
        there = self.heard(reach)
        traits = () if self.learner == "neural" else there._learned_traits()
        return Learned(
            traits=traits,
            learner=self.learner,
            neutral=self._neutral(),
            votes=len(there.counted()),
            to_settle=sum(trait.to_settle for trait in traits),
            removed=tuple(t for t in self.traits.values() if t.id in self._removed()),
            undoable=self._words(self.entries[-1]) if self.entries else "",
            newest_vote=self._newest_vote(),
            unreadable=self.unreadable,
            scope=reach.scope,
        )

    def past_votes(self, trait: str | None = None) -> tuple[PastVote, ...]:
        if self.broken is not None:
            raise self.broken
        found = []
        kept = {e.about for e in self.entries if e.kind == "vote" and e.reach.scope == "chat"}
        for id, outcome in reversed(self.counted().items()):
            duel = self.duels[id]
            if trait in (None, duel.trait):
                answers = ("a", "b") if duel.question else ("", "")
                found.append(
                    PastVote(
                        duel=id, at=duel.at, outcome=outcome, trait=duel.trait,
                        question=duel.question, answers=answers, model="smollm2-135m",
                        local=id in kept,
                    )
                )  # fmt: skip
        return tuple(found)

    # ------------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> Learned:
        self._may_change(entry.kind)
        self.entries.append(entry)
        return self.known()

    def _may_change(self, kind: str) -> None:
        self.calls.append(kind)
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _find(self, trait: str) -> Trait:
        if trait not in self.traits:
            raise UnknownTrait(f"There is no trait {trait!r}.")
        return self.traits[trait]

    def _newest_vote(self) -> str:
        newest = self.entries[-1] if self.entries else None
        return newest.about if newest is not None and newest.kind == "vote" else ""

    def _words(self, entry: Entry) -> str:
        about = self.duels[entry.about].trait if entry.about in self.duels else entry.about
        return f"{WORDS[entry.kind]} {about}".strip()

    def _lean(self, trait: Trait) -> tuple[int, tuple[str, ...]]:
        """How many votes point to its first pole, and which ask about it, forgotten ones apart."""
        after = 0
        for number, entry in enumerate(self.entries):
            if entry.kind == "forget" and entry.about == trait.id:
                after = number
        sums, ids = 0, []
        counted = self.counted()
        for number, entry in enumerate(self.entries):
            if entry.kind != "vote" or entry.about not in counted:
                continue
            if self.duels[entry.about].trait == trait.id and number >= after:
                ids.append(entry.about)
                sums += {"first": 1, "second": -1}.get(entry.outcome, 0)
        return sums, tuple(ids)

    def _sure(self, trait: Trait) -> float:
        return 1 / (1 + math.exp(-0.8 * self._lean(trait)[0]))

    def _removed(self) -> set[str]:
        last = {e.about: e.kind for e in self.entries if e.kind in ("remove", "restore")}
        return {trait for trait, kind in last.items() if kind == "remove"}

    def _learned_traits(self) -> tuple[LearnedTrait, ...]:
        if self.given is not None:
            return self.given
        added = {e.about for e in self.entries if e.kind == "add"}
        removed = self._removed()
        found = []
        for trait in self.traits.values():
            if trait.id in removed or (trait.own and trait.id not in added):
                continue
            lean, votes = self._lean(trait)
            weight, half = math.tanh(0.4 * lean), 0.8 / math.sqrt(1 + len(votes))
            found.append(
                LearnedTrait(
                    trait=trait, weight=weight, low=max(weight - half, -1),
                    high=min(weight + half, 1), sure=self._sure(trait),
                    theta=2.0 * weight if abs(lean) else 0.0, votes=votes,
                    to_settle=max(4 - len(votes), 0),
                )
            )  # fmt: skip
        return tuple(sorted(found, key=lambda t: -abs(t.weight)))
