"""What the votes taught, and changing it: rebuilt from the record whenever that changed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import InputError, InvalidParameter
from engine.preference import traits as trait_list
from engine.preference.ballots import Evidence
from engine.preference.learner import Contrast, Learner, Serving, percent
from engine.preference.neural import NeuralLearner
from engine.preference.utilities import UtilityLearner
from engine.store import duels
from engine.store.record import Ballot, Record, Standing, StoredDuel
from engine.types.learning import (
    Learned,
    LearnedTrait,
    LearnerName,
    Moved,
    Outcome,
    PastVote,
    Trait,
    Voted,
)
from engine.types.scope import EVERYWHERE, Reach, Scope

MOVED = 0.005
"""Probabilities that moved by less are not worth a word."""

BESIDE = 0.1
"""Of a trait that the vote was not about, what is worth a word beside the one that it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What the owner decided about learning.

    learner  the form of T-POP
    fade     votes after which an older one counts half; None never
    neutral  the untouched model answers
    """

    learner: LearnerName
    fade: float | None
    neutral: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The model that answers: its id, and the length of its hidden states."""

    id: str
    width: int


class _Known(NamedTuple):
    """What a learner was built from; reach says whose votes."""

    reach: Reach
    stamp: int
    model: Answering
    learner: LearnerName
    fade: float | None


class Learning:
    """Knows what the votes say, at any moment. Every method blocks for a moment; what changes
    something is on the disk when it returns.

    Raises StorageError where the record cannot be used.
    """

    def __init__(
        self,
        record: Record,
        *,
        manner: Callable[[], Manner],
        model: Callable[[], Answering],
        take_back: Callable[[], str] | None = None,
        copies: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        """
        manner     what the owner wants now
        model      which model answers now
        take_back  takes the newest change back where that concerns more than the record; returns
                   which, as the record tells it. None is the record alone
        copies     of the record, besides those beside its file
        """
        self.record = record
        self._manner, self._model = manner, model
        self._take_back, self._copies = take_back or record.undo, copies
        self._built: dict[Scope, tuple[_Known, Learner, Standing]] = {}

    def serving(self, reach: Reach = EVERYWHERE) -> Serving:
        """How answers are steered by what was learned."""
        return self._current(reach)[0].serving()

    def contrast(
        self, *, without: Collection[str] = (), reach: Reach = EVERYWHERE
    ) -> Contrast | None:
        """The duel that would tell most; None where there is nothing to ask about."""
        if not reach.learns:
            return None
        learner, standing = self._current(reach)
        askable = self._model().width if learner.name == "neural" else _asked(standing)
        return learner.contrast(without=without) if askable else None

    def learned(self, *, reach: Reach = EVERYWHERE) -> Learned:
        """What the votes say that count there, for the owner to see."""
        learner, standing = self._current(reach)
        traits, manner = learner.traits(), self._manner()
        return Learned(
            traits=traits,
            learner=manner.learner,
            neutral=manner.neutral,
            votes=len(_heard(standing, reach)),
            to_settle=sum(trait.to_settle for trait in traits),
            removed=tuple(t for t in self._known() if t.id in standing.removed),
            undoable=self._in_words(standing.undoable),
            newest_vote=standing.newest_vote,
            unreadable=standing.unreadable,
            scope=reach.scope,
        )

    def vote(self, duel: str, outcome: Outcome, *, reach: Reach = EVERYWHERE) -> Voted:
        """Record a vote and say what it moved where it is given; what is learned everywhere comes
        with it.

        reach  where it is given, and how far it counts

        Raises UnknownDuel, AlreadyVoted, StorageError, and InputError where nothing is learned;
        nothing is recorded then.
        """
        if not reach.learns:
            raise InputError(
                "Nothing is learned in this chat, so a vote would count nowhere. Let it learn, "
                "then vote again."
            )
        before = {t.trait.id: t for t in self.learned(reach=reach).traits}
        asked = self.record.duel(duel).trait  # before the vote: what cannot be read is not voted on
        self.record.vote(duel, outcome, chat=reach.chat, local=reach.scope == "chat")
        now = self.learned(reach=reach)
        changed = _moved(before, now.traits, asked=asked)
        return Voted(
            duel=duel,
            outcome=outcome,
            sentence=_sentence(changed, now, asked=asked, outcome=outcome),
            changed=changed,
            learned=now if reach.scope == "everywhere" else self.learned(),
        )

    def undo(self) -> str:
        """Take the newest change back: a vote, a deletion, a forgotten trait … Returns which, in
        words. Raises NothingToUndo."""
        return self._in_words(self._take_back())

    def past_votes(self, trait: str | None = None) -> tuple[PastVote, ...]:
        """Votes that count, the newest first, also those that count in their chats only; those
        behind what is known of a trait everywhere, if it is named.

        Raises UnknownTrait.
        """
        standing = self._current()[1]
        if trait is not None:
            self.find(trait)
            about = [b for b in standing.ballots if _about(b, standing) == trait]
            return tuple(_past(ballot, local=False) for ballot in reversed(about))
        local = {ballot.duel.id for ballot in standing.local}
        ballots = reversed(_together(standing.ballots, standing.local))
        return tuple(_past(ballot, local=ballot.duel.id in local) for ballot in ballots)

    def delete_vote(self, duel: str) -> Learned:
        """A vote counts no more; Undo brings it back. Raises UnknownDuel."""
        self.record.withdraw(duel)
        return self.learned()

    def forget_trait(self, trait: str) -> Learned:
        """Earlier votes say nothing about a trait any more; nothing is changed where none does.
        Raises UnknownTrait."""
        found, standing = self.find(trait), self._current()[1]
        if _is_spoken_of(found.id, standing):
            self.record.forget(found.id)
        return self.learned()

    def add_trait(self, sentence: str) -> Learned:
        """Learn about something in the owner's own words, too. Raises InvalidParameter."""
        asked = _asked(self._current()[1])
        self.record.add_trait(trait_list.own(sentence, existing=[t.sentence for t in asked]))
        return self.learned()

    def remove_trait(self, trait: str) -> Learned:
        """Ask no more about a trait, and steer by it no more. Raises UnknownTrait."""
        self.record.remove_trait(self.find(trait).id)
        return self.learned()

    def restore_trait(self, trait: str) -> Learned:
        """Ask about a removed trait again; its votes count again.

        Raises UnknownTrait, and InvalidParameter where it is not removed or there is no room.
        """
        found, standing = self.find(trait), self._current()[1]
        if found.id not in standing.removed:
            raise InvalidParameter(
                f"The trait {found.id!r} is asked about already; name one that was removed."
            )
        if len(_asked(standing)) >= trait_list.MAX_TRAITS:
            raise InvalidParameter(
                f"{trait_list.MAX_TRAITS} traits are asked about, and those are the most; "
                "remove one first."
            )
        self.record.add_trait(found)
        return self.learned()

    def reset(self) -> Learned:
        """No vote counts any more; Undo brings them back."""
        self.record.reset()
        return self.learned()

    def drop_texts(self) -> None:
        """Erase every question and answer that was kept with a vote, in the copies too; the votes
        stay. Raises StorageError; nothing is erased from the record then."""
        self.record.drop_texts(also=self._copies())

    def find(self, trait: str) -> Trait:
        """A trait by its id. Raises UnknownTrait."""
        return trait_list.find(trait, self._known())

    def rebuild(self) -> Learned:
        """Forget what was derived and derive it again from the record."""
        self._built.clear()
        return self.learned()

    # ----------------------------------------------------------------------------------------

    def _known(self) -> tuple[Trait, ...]:
        """Every trait, those that were removed too."""
        return (*trait_list.BUILT_IN, *self._current()[1].traits)

    def _in_words(self, change: str) -> str:
        """A change as the record tells it, with the trait's name for its id at the end."""
        kind, _, last = change.rpartition(" ")
        names = {trait.id: _named(trait) for trait in self._known()}
        return f"{kind} {names[last]}" if last in names else change

    def _current(self, reach: Reach = EVERYWHERE) -> tuple[Learner, Standing]:
        if reach.scope == "everywhere":
            reach = EVERYWHERE  # the same whichever chat it is
        manner = self._manner()
        known = _Known(reach, self.record.stamp(), self._model(), manner.learner, manner.fade)
        built = self._built.get(reach.scope)
        if built is None or built[0] != known:
            standing = self.record.standing()
            built = self._built[reach.scope] = known, _learner(standing, known), standing
        return built[1], built[2]


def _heard(standing: Standing, reach: Reach) -> Sequence[Ballot]:
    """The votes that count there."""
    if reach.scope == "everywhere":
        return standing.ballots
    if not reach.learns:
        return ()
    given = [ballot for ballot in standing.ballots if ballot.chat == reach.chat]
    return _together(given, [ballot for ballot in standing.local if ballot.chat == reach.chat])


def _together(ballots: Sequence[Ballot], local: Sequence[Ballot]) -> Sequence[Ballot]:
    """Both, by time; among themselves they keep their order."""
    return list(heapq.merge(ballots, local, key=lambda ballot: ballot.duel.at))


def _learner(standing: Standing, known: _Known) -> Learner:
    evidence = [_evidence(ballot, standing) for ballot in _heard(standing, known.reach)]
    if known.learner == "neural":
        same = [e for e in evidence if e.model == known.model.id]
        return NeuralLearner(same, width=known.model.width, fade=known.fade)
    return UtilityLearner(_asked(standing), evidence, model=known.model.id, fade=known.fade)


def _asked(standing: Standing) -> tuple[Trait, ...]:
    """The traits that are asked about and steer."""
    known = (*trait_list.BUILT_IN, *standing.traits)
    return tuple(trait for trait in known if trait.id not in standing.removed)


def _speaks(ballot: Ballot, trait: str, standing: Standing) -> bool:
    """Whether a vote came after its owner had the trait forgotten."""
    return ballot.change > standing.forgotten.get(trait, -1)


def _is_spoken_of(trait: str, standing: Standing) -> bool:
    """Whether a vote, or a choice of who answers, may still say something about a trait."""
    since = standing.forgotten.get(trait, -1)
    if any(change > since for change, _ in standing.overrides):
        return True
    ballots = (*standing.ballots, *standing.local)
    return any(
        _speaks(ballot, trait, standing) and duels.without(ballot.duel, {trait}) != ballot.duel
        for ballot in ballots
    )


def _about(ballot: Ballot, standing: Standing) -> str:
    """The trait that a vote is about; "" where it is about none, or none that it may speak of."""
    trait = ballot.duel.trait
    return trait if _speaks(ballot, trait, standing) else ""


def _evidence(ballot: Ballot, standing: Standing) -> Evidence:
    def kept(utilities: dict[str, float]) -> dict[str, float]:
        return {
            stream: value
            for stream, value in utilities.items()
            if _speaks(ballot, stream[:-1], standing)
        }

    duel = ballot.duel
    first, second = (kept(answer.utilities) for answer in duel.answers)
    return Evidence(
        duel=duel.id,
        asked=_about(ballot, standing),
        outcome=ballot.outcome,
        first=first,
        second=second,
        model=duel.model,
        embeddings=_embeddings(duel),
        scores=(duel.answers[0].scores, duel.answers[1].scores),
    )


def _embeddings(duel: StoredDuel) -> npt.NDArray[np.float32] | None:
    """Of both answers, float32, (2, d); None where one has none or its bytes are damaged."""
    first, second = (answer.embedding for answer in duel.answers)
    if not first or len(first) != len(second) or len(first) % np.dtype(np.float32).itemsize:
        return None
    return np.frombuffer(first + second, np.float32).reshape(2, -1)


def _named(trait: Trait) -> str:
    """Both poles in a few words: "shorter or longer answers"."""
    more, less = trait.more.split(), trait.less.split()
    if more[1:] == less[1:]:
        return f"{more[0]} or {trait.less}"
    return f"{trait.more} or {trait.less}"


def _past(ballot: Ballot, *, local: bool) -> PastVote:
    duel = ballot.duel
    return PastVote(
        duel=duel.id,
        at=duel.at,
        outcome=ballot.outcome,
        trait=duel.trait,
        question=duel.question,
        answers=(duel.answers[0].text, duel.answers[1].text),
        model=duel.model,
        local=local,
    )


def _moved(
    before: dict[str, LearnedTrait], now: tuple[LearnedTrait, ...], *, asked: str
) -> tuple[Moved, ...]:
    """What moved, the trait that was asked about first, then by how far."""
    found = []
    for trait in now:
        was = before[trait.trait.id].sure if trait.trait.id in before else 0.5
        if abs(trait.sure - was) >= MOVED:
            old = was if trait.sure >= 0.5 else 1 - was
            moved = Moved(trait=trait.trait.id, pole=trait.liked, before=old, after=trait.likely)
            found.append(moved)
    return tuple(sorted(found, key=lambda m: (m.trait != asked, -abs(m.after - m.before))))


def _sentence(changed: tuple[Moved, ...], now: Learned, *, asked: str, outcome: Outcome) -> str:
    """One line for the owner: what moved and how sure."""
    if now.learner == "neural":
        return "Noted. The next answer takes it into account."
    if changed and changed[0].trait == asked:
        first, *others = changed
        name = first.pole[0].upper() + first.pole[1:]
        said = f"{name}: {_step(first)} sure"
        # Answers tell of more than what they were about; what moved a lot is not kept quiet.
        far = (other for other in others if abs(other.after - other.before) >= BESIDE)
        beside = next(far, None)
        return f"{said}; {beside.pole}: {_step(beside)}." if beside else f"{said}."
    if outcome == "neither":
        return "Noted: neither is what you want."
    if outcome == "equal":
        return "Noted: it makes little difference to you."
    return "Noted: as expected."


def _step(moved: Moved) -> str:
    before, after = percent(moved.before), percent(moved.after)
    return f"{before} → {after}" if before != after else f"still {after}"
