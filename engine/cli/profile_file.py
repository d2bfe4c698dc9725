"""What `attune profile export` and `import` say: a file in one line, a difference in a few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from engine.api import Exported, Learned, LearnedTrait, ProfileDiff, Trait, percent
from engine.cli.learned import described

_MOVED = 0.05
"""Probabilities that differ by less are not worth a line."""

_WORDS = 36
_HEADER = f"  {'you like':<{_WORDS}}  {'now':>9}  {'then':>9}"


# For programs -------------------------------------------------------------------------------


def exported(found: Exported) -> dict[str, Any]:
    """A file that was written."""
    return {
        "path": found.path,
        "votes": found.votes,
        "left_out": found.left_out,
        "size": found.size,
    }


def difference(diff: ProfileDiff, *, dry_run: bool) -> dict[str, Any]:
    """What an import changed, or would."""
    return {
        "name": diff.name,
        "exported": diff.exported,
        "replace": diff.replace,
        "dry_run": dry_run,
        "empty": diff.empty,
        "new": diff.new,
        "known": diff.known,
        "differing": diff.differing,
        "left_out": diff.left_out,
        "dropped": diff.dropped,
        "texts": diff.texts,
        "added": [_own(trait) for trait in diff.added],
        "reworded": [_own(trait) for trait in diff.reworded],
        "gone": [trait.id for trait in diff.gone],
        "back": [trait.id for trait in diff.back],
        "refused": list(diff.refused),
        "settings": [
            {"name": setting.name, "before": setting.before, "after": setting.after}
            for setting in diff.settings
        ],
        "before": [described(trait) for trait in diff.before.traits],
        "after": [described(trait) for trait in diff.after.traits],
    }


def _own(trait: Trait) -> dict[str, str]:
    return {"id": trait.id, "sentence": trait.sentence}


# For people ---------------------------------------------------------------------------------


def written(found: Exported) -> Iterator[str]:
    """A file that was written."""
    yield f"Wrote {found.path}: {_votes(found.votes)}, {found.size / 1000:.1f} kB."
    if found.left_out:
        yield f"Left out: {_votes(found.left_out)}, with features that no profile may hold."


def lines(diff: ProfileDiff, *, dry_run: bool) -> Iterator[str]:
    """What an import changed, or would."""
    yield f'The profile "{diff.name}", written {_when(diff.exported)}:'
    yield f"  {_counts(diff)}."
    if diff.differing:
        whose = "the file's counts" if diff.replace else "yours stays"
        yield f"  On {_votes(diff.differing)} the outcomes differ; {whose}."
    if diff.left_out:
        yield f"  Left out: {_votes(diff.left_out)}; their duels are others here."
    if diff.texts:
        yield f"  With question and answers: {_votes(diff.texts)}."
    yield from _traits(diff)
    for setting in diff.settings:
        yield f"  {setting.name[0].upper()}{setting.name[1:]}: {setting.before} → {setting.after}"
    if rows := [*_rows(diff.before, diff.after)]:
        yield ""
        yield _HEADER
        yield from rows
        yield "  What else is known moves by less."
    yield ""
    yield _last(diff, dry_run=dry_run)


def _counts(diff: ProfileDiff) -> str:
    new = "One new vote" if diff.new == 1 else f"{diff.new} new votes"
    said = [new, f"{diff.known} known already"]
    if diff.dropped:
        said.append(f"{diff.dropped} of yours count no more")
    return ", ".join(said)


def _traits(diff: ProfileDiff) -> Iterator[str]:
    for words, traits in (
        ("Adds your own", diff.added),
        ("Words anew", diff.reworded),
        ("Asks no more about", diff.gone),
        ("Asks again about", diff.back),
    ):
        for trait in traits:
            yield f"  {words}: {trait.sentence if trait.own else trait.more}"
    for sentence in diff.refused:
        yield f"  Not taken in: {sentence}"


def _rows(before: Learned, after: Learned) -> Iterator[str]:
    """The traits that move, the surest first, by what will be liked then."""
    old = {found.trait.id: found for found in before.traits}
    new = {found.trait.id: found for found in after.traits}
    for id in [*new, *(id for id in old if id not in new)]:
        then, now = new.get(id), old.get(id)
        lead = then or now
        assert lead is not None
        shares = [_share(found, lead) for found in (now, then)]
        if None in shares or abs((shares[0] or 0.0) - (shares[1] or 0.0)) >= _MOVED:
            words = lead.liked if len(lead.liked) <= _WORDS else f"{lead.liked[: _WORDS - 1]}…"
            cells = ["–" if share is None else percent(share) for share in shares]
            yield f"  {words:<{_WORDS}}  {cells[0]:>9}  {cells[1]:>9}"


def _share(found: LearnedTrait | None, lead: LearnedTrait) -> float | None:
    """Probability of the pole that the line is about."""
    if found is None:
        return None
    return found.sure if lead.sure >= 0.5 else 1.0 - found.sure


def _last(diff: ProfileDiff, *, dry_run: bool) -> str:
    if diff.empty:
        return "There is nothing in it that is not here already."
    if dry_run:
        return "Nothing was changed; without --dry-run it is."
    return "Taken in. 'attune profile undo' takes it back."


def _votes(count: int) -> str:
    return "one vote" if count == 1 else f"{count} votes"


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "at an unknown time"
