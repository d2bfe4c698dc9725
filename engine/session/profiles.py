"""Profile files: what was learned, taken along and taken in.

The record and the settings are two files, and a process can be killed between them. So an import
says in the record what it makes of the settings, and before that is committed a note with the
number of the change is put beside it; whoever starts next finds the note and brings the settings to
where the record says they are. Undo goes the same way back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from engine.config import Settings, write_atomically
from engine.errors import StorageError
from engine.preference import traits as trait_list
from engine.session import importing
from engine.session.importing import Plan, taste_of
from engine.session.learning import Answering, Learning, Manner
from engine.store import duels, profile
from engine.store.changes import Taste
from engine.store.profile import Profile, ProfileSettings, ProfileTrait, Reading, Stated
from engine.store.record import Ballot, Record, Standing
from engine.types.learning import Learned, LearnedTrait, Trait
from engine.types.profiles import Exported, ProfileDiff

log = logging.getLogger("engine.profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """Of an import that is about to be made, or taken back: the number of the change."""

    change: int
    undone: bool = False


class Profiles:
    """Writes profile files and takes them in."""

    def __init__(
        self,
        record: Record,
        *,
        settings: Callable[[], Settings],
        change: Callable[..., Settings],
        note: Path,
        clock: Callable[[], float],
    ) -> None:
        """
        settings  as they are now
        change    changes some of them by name, and saves them
        note      where it is noted that the settings may lag behind the record
        clock     seconds since the epoch
        """
        self._record, self._settings, self._change = record, settings, change
        self._note, self._clock = note, clock
        self._announced: _Note | None = None

    def export(self, path: Path, *, texts: bool = False) -> Exported:
        """Write what was learned to a file, NAME.attune-profile; a profile there is replaced.

        texts  with the questions and answers that were kept with votes

        Raises InputError, StorageError.
        """
        standing, taste = self._record.standing(), taste_of(self._settings())
        votes = [
            importing.vote_of(_folded(ballot, standing), ballot.outcome, texts=texts)
            for ballot in standing.ballots
        ]
        kept = tuple(vote for vote in votes if profile.fits(vote))
        found = Profile(
            exported=float(self._clock()),
            traits=_traits(standing, _learned(standing, taste)),
            settings=_settings(taste),
            votes=kept,
        )
        size = profile.write(path, found)
        return Exported(path=str(path), votes=len(kept), left_out=len(votes) - len(kept), size=size)

    def check(self, path: Path) -> None:
        """Raises ProfileError where a file is no profile that could be taken in."""
        profile.read(path)

    def preview(self, path: Path, *, replace: bool = False) -> ProfileDiff:
        """What `import_` would change; nothing is changed. Raises ProfileError, StorageError."""
        return self._planned(path, replace=replace)[1]

    def import_(self, path: Path, *, replace: bool = False) -> ProfileDiff:
        """Take a profile in, as one change that Undo takes back; returns what it changed.

        replace  what stands here counts no more; else both count, and what was said here stays

        Raises ProfileError, and StorageError; nothing is changed then, unless it says that the
        settings could not be saved: these follow at the next start.
        """
        planned, diff = self._planned(path, replace=replace)
        if not diff.empty:
            self._record.import_(planned.change, planned.new, committing=self._announce)
            self.settle()
        return diff

    def undo(self, take_back: Callable[[], str]) -> str:
        """Take the newest change back by `take_back`, and with an import the settings it changed,
        but for those that became others since. Returns what that returns."""
        newest = self._record.newest_import()
        if newest is None:
            return take_back()
        try:
            self._announce(newest, undone=True)
        except OSError as error:
            raise StorageError(
                f"{self._note} cannot be written ({error.strerror or error}); free some space, and "
                "undo again. Nothing was undone."
            ) from error
        try:
            return take_back()
        finally:
            self.settle()

    def settle(self) -> None:
        """Bring the settings to where the record says that imports left them, where that was
        interrupted. Raises StorageError."""
        # Another start may have taken the note away, before what it tells of was on record.
        noted, self._announced = self._noted() or self._announced, None
        if noted is None:
            return
        if (found := self._record.imported(noted.change)) is not None:
            change, stands = found
            now, then = (change.before, change.after) if stands else (change.after, change.before)
            if not (stands and noted.undone):  # else nothing came of taking it back
                self._move(now, then)
        try:
            self._note.unlink(missing_ok=True)
        except OSError as error:  # all is done; whoever starts next finds that, and tries again
            log.warning("the note of an import stays: %r", error)

    # ----------------------------------------------------------------------------------------

    def _planned(self, path: Path, *, replace: bool) -> tuple[Plan, ProfileDiff]:
        found = profile.read(path)
        standing, taste = self._record.standing(), taste_of(self._settings())
        planned = importing.plan(
            found,
            path,
            standing=standing,
            present=self._record.present(vote.duel for vote in found.votes),
            taste=taste,
            replace=replace,
        )
        after = self._record.foreseen(planned.change, planned.new)
        return planned, _difference(planned, found, standing=standing, after=after)

    def _announce(self, number: int, *, undone: bool = False) -> None:
        """Note an import that is about to be made or taken back. Raises OSError."""
        self._announced = _Note(change=number, undone=undone)
        write_atomically(self._note, msgspec.json.encode(self._announced) + b"\n")

    def _noted(self) -> _Note | None:
        """The import that was under way; None where there is no note. A damaged one is of none."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=_Note)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("the note of an import is damaged: %r", error)
            return _Note(change=0)

    def _move(self, now: Taste, then: Taste) -> None:
        """From one taste to the other, where the settings still are what the first one says."""
        here = taste_of(self._settings())
        names = [part.name for part in fields(Taste)]
        wanted = {
            name: getattr(then, name)
            for name in names
            if getattr(here, name) == getattr(now, name) != getattr(then, name)
        }
        if wanted:
            self._change(**wanted)


# What is written ----------------------------------------------------------------------------


def _folded(ballot: Ballot, standing: Standing) -> duels.StoredDuel:
    """The duel without what was to be forgotten of it."""
    silent = {trait for trait, later in standing.forgotten.items() if ballot.change <= later}
    return duels.without(ballot.duel, silent) if silent else ballot.duel


def _traits(standing: Standing, learned: Learned) -> tuple[ProfileTrait, ...]:
    found = {known.trait.id: _reading(known) for known in learned.traits}
    known = {trait.id: trait for trait in _known(standing)}
    unknown = sorted(standing.removed - known.keys())  # built into another Attune
    return tuple(
        ProfileTrait(
            id=id,
            sentence=known[id].sentence if id in known and known[id].own else "",
            removed=id in standing.removed,
            learned=found.get(id),
        )
        for id in (*known, *unknown)
    )


def _reading(known: LearnedTrait) -> Reading:
    return Reading(
        weight=known.weight,
        low=known.low,
        high=known.high,
        sure=known.sure,
        votes=len(known.votes),
    )


def _settings(taste: Taste) -> ProfileSettings:
    stated = tuple(Stated(**asdict(preference)) for preference in taste.preferences)
    return ProfileSettings(
        preferences=stated,
        gamma=taste.gamma,
        neutral=taste.neutral,
        sliders=taste.sliders,
        fade=taste.fade,
    )


# What is compared ---------------------------------------------------------------------------


class _Foreseen(Record):
    """A record as it would stand; only what learning reads of it is there."""

    def __init__(self, standing: Standing) -> None:
        self._would_stand = standing

    def stamp(self) -> int:
        return 0

    def standing(self) -> Standing:
        return self._would_stand


def _learned(standing: Standing, taste: Taste) -> Learned:
    """What a standing says of the traits, whichever form of learning answers."""
    manner = Manner(learner="utilities", fade=taste.fade, neutral=taste.neutral)
    nobody = Answering(id="", width=0)  # features are measured on each model's own scale
    learning = Learning(_Foreseen(standing), manner=lambda: manner, model=lambda: nobody)
    return learning.learned()


def _difference(
    planned: Plan, found: Profile, *, standing: Standing, after: Standing
) -> ProfileDiff:
    change = planned.change
    here = {ballot.duel.id for ballot in standing.ballots}
    there = {ballot.duel.id for ballot in after.ballots}
    old = {trait.id: trait for trait in standing.traits}
    asked, then = _asked(standing), _asked(after)
    own = after.traits
    added = tuple(trait for trait in own if trait.id not in old)
    return ProfileDiff(
        name=change.name,
        exported=found.exported,
        replace=change.replace,
        before=_learned(standing, change.before),
        after=_learned(after, change.after),
        new=len(there - here),
        known=planned.known,
        differing=planned.differing,
        left_out=planned.left_out,
        dropped=len(here - there),
        texts=sum(_has_text(duel) for duel in planned.new),
        added=added,
        reworded=tuple(t for t in own if t.id in old and t.sentence != old[t.id].sentence),
        gone=tuple(trait for id, trait in asked.items() if id not in then),
        back=tuple(t for id, t in then.items() if id not in asked and t not in added),
        refused=planned.refused,
        settings=importing.setting_changes(change.before, change.after),
    )


def _asked(standing: Standing) -> dict[str, Trait]:
    return {trait.id: trait for trait in _known(standing) if trait.id not in standing.removed}


def _known(standing: Standing) -> tuple[Trait, ...]:
    return (*trait_list.BUILT_IN, *standing.traits)


def _has_text(duel: duels.StoredDuel) -> bool:
    return bool(duel.question or any(answer.text for answer in duel.answers))
