"""What a profile file comes to where something was learned already: the change, and its words.

A merge fills in and never overrules: votes that count here stay as they are, settings that the
owner has set stay, own traits keep their wording, and what either side removed is not asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as replaced
from itertools import islice
from pathlib import Path

from engine.config import Settings
from engine.errors import InvalidParameter
from engine.preference import traits as trait_list
from engine.session import objectives
from engine.store import duels, profile
from engine.store.changes import Carried, Import, Taste
from engine.store.profile import Profile, ProfileAnswer, ProfileVote
from engine.store.record import Standing, StoredAnswer, StoredDuel
from engine.types.learning import Outcome, Trait
from engine.types.profiles import SettingChange
from engine.types.steering import Preference

_LONGEST_NAME = 80
_OWN = "own-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An import before it is made.

    change  as the record keeps it
    new     duels that are not on record
    The counts and `refused` are those of `engine.types.profiles.ProfileDiff`.
    """

    change: Import
    new: tuple[StoredDuel, ...]
    known: int
    differing: int
    left_out: int
    refused: tuple[str, ...]


def plan(
    found: Profile,
    path: Path,
    *,
    standing: Standing,
    present: Mapping[str, StoredDuel | None],
    taste: Taste,
    replace: bool,
) -> Plan:
    """What taking in this profile means here.

    standing  what counts now
    present   of the profile's duels those that are on record; None is unreadable
    taste     the settings now

    Raises InvalidProfile.
    """
    own, refused = _own(found, path)
    counting = {ballot.duel.id: ballot.outcome for ballot in standing.ballots}
    votes = _sorted_out(found.votes, counting=counting, present=present, replace=replace)
    theirs = taste_in(found)
    change = Import(
        name=_name(path),
        replace=replace,
        votes=tuple(votes.carried),
        traits=own if replace else _further(own, standing.traits),
        removed=_removed(found, own, standing=standing, replace=replace),
        before=taste,
        after=theirs if replace else _merged(taste, theirs),
    )
    return Plan(
        change=change,
        new=tuple(votes.new),
        known=votes.known,
        differing=votes.differing,
        left_out=votes.left_out,
        refused=refused,
    )


# Votes --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Votes:
    carried: list[Carried]
    new: list[StoredDuel]
    known: int = 0
    differing: int = 0
    left_out: int = 0


def _sorted_out(
    votes: Sequence[ProfileVote],
    *,
    counting: Mapping[str, Outcome],
    present: Mapping[str, StoredDuel | None],
    replace: bool,
) -> _Votes:
    found = _Votes([], [])
    for vote in votes:
        known = vote.duel in counting and _is_same(present.get(vote.duel), vote)
        found.known += known
        found.differing += known and counting[vote.duel] != vote.outcome
        if known and not replace:
            continue
        if vote.duel not in present:
            found.new.append(duel_of(vote))
            found.carried.append(Carried(duel=vote.duel, outcome=vote.outcome))
        elif (muted := _muted(present[vote.duel], vote)) is not None:
            found.carried.append(Carried(duel=vote.duel, outcome=vote.outcome, muted=muted))
        else:
            found.left_out += 1
    return found


def _is_same(duel: StoredDuel | None, vote: ProfileVote) -> bool:
    """Whether a duel on record is the vote's, whatever either of them was to forget."""
    if duel is None:
        return False
    there = [(answer.tokens, answer.surprise) for answer in vote.answers]
    here = [(answer.tokens, answer.surprise) for answer in duel.answers]
    return (duel.at, duel.model, here) == (vote.at, vote.model, there)


def _muted(duel: StoredDuel | None, vote: ProfileVote) -> tuple[str, ...] | None:
    """The traits that the vote, unlike the duel of its id on record, says nothing about; None
    where that is another duel, tells less than the vote, or is unreadable."""
    if duel is None:
        return None
    told = {trait for trait in _told(vote_of(duel, vote.outcome)) if trait}
    muted = tuple(sorted(told - _told(vote)))
    same = vote_of(duels.without(duel, muted), vote.outcome)
    return muted if same == _untold(vote) else None


def _told(vote: ProfileVote) -> set[str]:
    """The traits that a vote says something about."""
    streams = {stream[:-1] for answer in vote.answers for stream in answer.utilities}
    return streams | {trait for answer in vote.answers for trait in answer.scores} | {vote.trait}


def vote_of(duel: StoredDuel, outcome: Outcome, *, texts: bool = False) -> ProfileVote:
    """A vote as the file has it.

    texts  with what was asked and answered, where that was kept
    """
    first, second = (_answer_of(answer, texts=texts) for answer in duel.answers)
    return ProfileVote(
        duel=duel.id,
        at=duel.at,
        outcome=outcome,
        model=duel.model,
        learner=duel.learner,  # type: ignore[arg-type]  # what is none is found by `fits`
        trait=duel.trait,
        answers=(first, second),
        question=duel.question if texts else "",
    )


def _answer_of(answer: StoredAnswer, *, texts: bool) -> ProfileAnswer:
    return ProfileAnswer(
        finish=answer.finish,  # type: ignore[arg-type]
        tokens=answer.tokens,
        surprise=answer.surprise,
        utilities=answer.utilities,
        scores=answer.scores,
        text=answer.text if texts else "",
    )


def _untold(vote: ProfileVote) -> ProfileVote:
    return vote_of(duel_of(vote), vote.outcome)


def duel_of(vote: ProfileVote) -> StoredDuel:
    """The duel as it goes on record; what only served to hold it is not in the file."""
    first, second = (
        StoredAnswer(
            text=answer.text,
            finish=answer.finish,
            tokens=answer.tokens,
            utilities=answer.utilities,
            scores=answer.scores,
            surprise=answer.surprise,
        )
        for answer in vote.answers
    )
    return StoredDuel(
        id=vote.duel,
        at=vote.at,
        model=vote.model,
        learner=vote.learner,
        trait=vote.trait,
        why="",
        question=vote.question,
        answers=(first, second),
        swapped=False,
        detail={},
    )


# Traits -------------------------------------------------------------------------------------


def _own(found: Profile, path: Path) -> tuple[tuple[Trait, ...], tuple[str, ...]]:
    """The owner's own traits, and the sentences that are refused, with the reason."""
    own, refused = [], []
    for entry in found.traits:
        if not entry.sentence:
            continue
        try:
            trait = trait_list.own(entry.sentence, existing=())
        except InvalidParameter as error:
            refused.append(f'"{entry.sentence}": {error.message}')
            continue
        if not entry.id.startswith(_OWN) or trait.sentence != entry.sentence:
            raise profile.invalid(path, f"{entry.id} is no trait of an owner's own")
        own.append(replaced(trait, id=entry.id))
    return tuple(own), tuple(refused)


def _further(own: Sequence[Trait], here: Sequence[Trait]) -> tuple[Trait, ...]:
    known = {trait.id for trait in here}
    return tuple(trait for trait in own if trait.id not in known)


def _removed(
    found: Profile, own: Sequence[Trait], *, standing: Standing, replace: bool
) -> tuple[str, ...]:
    """What is not to be asked about any more: what the file says, and of its own traits the last
    ones, where there would be too many."""
    said = [entry.id for entry in found.traits if entry.removed]
    already = frozenset[str]() if replace else standing.removed
    removed = already | set(said)
    here = () if replace else standing.traits
    known = {trait.id for trait in (*trait_list.BUILT_IN, *here, *own)}
    surplus = max(0, len(known - removed) - trait_list.MAX_TRAITS)
    new = [trait.id for trait in reversed(_further(own, here)) if trait.id not in removed]
    kept = {id for id in said if id not in already}
    return tuple(sorted(kept | set(islice(new, surplus))))


# Settings -----------------------------------------------------------------------------------


def taste_of(settings: Settings) -> Taste:
    """Of the settings those that belong to a taste."""
    return Taste(**{part.name: getattr(settings, part.name) for part in fields(Taste)})


def taste_in(found: Profile) -> Taste:
    """The settings in a file."""
    s = found.settings
    return Taste(
        preferences=tuple(Preference(text=p.text, weight=p.weight) for p in s.preferences),
        gamma=s.gamma,
        neutral=s.neutral,
        sliders=s.sliders,
        fade=s.fade,
    )


def _merged(mine: Taste, theirs: Taste) -> Taste:
    """Mine, where I have set something."""
    usual = taste_of(Settings())
    return Taste(
        preferences=mine.preferences or theirs.preferences,
        gamma=mine.gamma if mine.gamma != usual.gamma else theirs.gamma,
        neutral=mine.neutral,  # of a stranger's it would silence everything at once
        sliders=theirs.sliders | mine.sliders,
        fade=theirs.fade if mine.fade is None else mine.fade,
    )


def setting_changes(before: Taste, after: Taste) -> tuple[SettingChange, ...]:
    """What differs, in words."""
    old, new = _in_words(before), _in_words(after)
    return tuple(
        SettingChange(name=_NAMES[part], before=old[part], after=new[part])
        for part in _NAMES
        if getattr(before, part) != getattr(after, part)
    )


_NAMES = {
    "preferences": "preferences",
    "gamma": "strength",
    "neutral": "neutral",
    "sliders": "what matters",
    "fade": "old votes",
}


def _in_words(taste: Taste) -> dict[str, str]:
    stated = [_stated(preference) for preference in taste.preferences]
    sliders = [f"{_named(id)} {value:.0%}" for id, value in sorted(taste.sliders.items())]
    fade = taste.fade
    return {
        "preferences": ", ".join(stated) or "none",
        "gamma": f"{taste.gamma:g}",
        "neutral": "on" if taste.neutral else "off",
        "sliders": ", ".join(sliders) or "nothing set",
        "fade": "count fully" if fade is None else f"count half once {fade:g} are newer",
    }


def _stated(preference: Preference) -> str:
    weight = preference.weight
    return f'"{preference.text}"' + (f" × {weight:g}" if weight != 1.0 else "")


def _named(objective: str) -> str:
    if objective == objectives.QUALITY:
        return "good answers"
    known = {trait.id for trait in trait_list.BUILT_IN}
    return objectives.name_of(objective) if objective[:-1] in known else objective


def _name(path: Path) -> str:
    """Of a profile, for one line."""
    name = "".join(letter for letter in path.stem if letter.isprintable())
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
