"""`attune profile`: what was learned from votes, and how to change it. No model is loaded."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from engine.api import Engine, Learned, Outcome, PastVote, Settings
from engine.cli import profile_file
from engine.cli.learned import profile, steering, table
from engine.cli.output import Output
from engine.errors import InputError, InvalidParameter, UnknownTrait

_MOST = 1_000_000
_BACK = "'attune profile undo' brings {} back."

_OUTCOMES: dict[Outcome, str] = {
    "first": "A was better",
    "second": "B was better",
    "equal": "about equal",
    "neither": "neither",
}


@dataclass(frozen=True, slots=True)
class _Said:
    """What a verb did: lines for people, a result for programs."""

    lines: tuple[str, ...]
    result: dict[str, Any]


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show or change what was learned."""
    engine = Engine(arguments.data_dir)
    try:
        said = _VERBS[arguments.verb](engine, arguments)
    finally:
        engine.close()
    for line in said.lines:
        output.text(line)
    return output.result(said.result)


# To see -------------------------------------------------------------------------------------


def _show(engine: Engine, _arguments: argparse.Namespace) -> _Said:
    learned = engine.learning.learned()
    return _Said(tuple(table(learned)), profile(learned))


def _votes(engine: Engine, arguments: argparse.Namespace) -> _Said:
    trait = arguments.trait
    if trait is not None:
        trait = _trait(_asked(engine), trait)
    votes = engine.learning.past_votes(trait)
    lines = tuple(map(_vote_line, votes)) or ("No vote counts yet.",)
    return _Said(lines, {"votes": [asdict(vote) for vote in votes]})


def _vote_line(vote: PastVote) -> str:
    question = " ".join(vote.question.split())
    room = 7 if vote.local else 27
    if len(question) > room:
        question = f"{question[: room - 1]}…"
    shown = f"{_when(vote.at):16}  {vote.duel:8}  {vote.trait:8.8}  {_OUTCOMES[vote.outcome]:12}"
    where = "(in its chat only)" if vote.local else ""
    return "  ".join(filter(None, (shown, where, question))).rstrip()


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "?"


# To change ----------------------------------------------------------------------------------


def _undo(engine: Engine, _arguments: argparse.Namespace) -> _Said:
    undone = engine.learning.undo()
    said = _changed(engine.learning.learned(), f"Took back {undone}.")
    return _Said(said.lines, {"undone": undone} | said.result)


def _reset(engine: Engine, _arguments: argparse.Namespace) -> _Said:
    return _changed(engine.learning.reset(), f"No vote counts any more. {_BACK.format('them')}")


def _rebuild(engine: Engine, _arguments: argparse.Namespace) -> _Said:
    learned = engine.learning.rebuild()
    return _changed(learned, f"Derived everything anew; votes that count: {learned.votes}.")


def _drop_texts(engine: Engine, _arguments: argparse.Namespace) -> _Said:
    engine.learning.drop_texts()
    return _changed(
        engine.learning.learned(), "No question and no answer is kept any more; the votes are."
    )


def _forget(engine: Engine, arguments: argparse.Namespace) -> _Said:
    trait = _trait(_asked(engine), arguments.trait)
    before = engine.learning.learned().undoable
    learned = engine.learning.forget_trait(trait)
    if learned.undoable == before:  # twice the same forgetting would be one as well
        return _changed(learned, f"No vote says anything about {trait}; nothing was changed.")
    return _changed(learned, f"Votes so far say nothing about {trait}. {_BACK.format('that')}")


def _remove(engine: Engine, arguments: argparse.Namespace) -> _Said:
    trait = _trait(_asked(engine), arguments.trait)
    learned = engine.learning.remove_trait(trait)
    return _changed(learned, f"Asks no more about {trait}. {_BACK.format('it')}")


def _restore(engine: Engine, arguments: argparse.Namespace) -> _Said:
    trait = _trait([removed.id for removed in engine.learning.learned().removed], arguments.trait)
    return _changed(engine.learning.restore_trait(trait), f"Asks about {trait} again.")


def _delete(engine: Engine, arguments: argparse.Namespace) -> _Said:
    learned = engine.learning.delete_vote(arguments.duel)
    return _changed(learned, f"The vote on {arguments.duel} counts no more. {_BACK.format('it')}")


def _add(engine: Engine, arguments: argparse.Namespace) -> _Said:
    before = _asked(engine)
    learned = engine.learning.add_trait(arguments.text)
    new = [found.trait.id for found in learned.traits if found.trait.id not in before]
    return _changed(learned, f"Asks about it, too, as {new[0]}." if new else "Asks about it, too.")


def _export(engine: Engine, arguments: argparse.Namespace) -> _Said:
    file = arguments.file
    if os.path.lexists(file) and not arguments.force:
        raise InputError(
            f"{file} is there already; choose another name, or replace it with --force. Nothing "
            "was written."
        )
    found = engine.profiles.export(file, texts=arguments.with_texts)
    return _Said(tuple(profile_file.written(found)), profile_file.exported(found))


def _import(engine: Engine, arguments: argparse.Namespace) -> _Said:
    dry_run, replace = arguments.dry_run, arguments.replace
    act = engine.profiles.preview if dry_run else engine.profiles.import_
    diff = act(arguments.file, replace=replace)
    said = tuple(profile_file.lines(diff, dry_run=dry_run))
    return _Said(said, profile_file.difference(diff, dry_run=dry_run))


def _changed(learned: Learned, sentence: str) -> _Said:
    return _Said((sentence, steering(learned)), profile(learned))


def _asked(engine: Engine) -> list[str]:
    """Ids of the traits that are asked about."""
    return [found.trait.id for found in engine.learning.learned().traits]


def _trait(known: Sequence[str], given: str) -> str:
    """The id that is meant: it may be cut short, as in the table. Unknown ones stay as they are.

    Raises UnknownTrait where several begin like that.
    """
    begins = [id for id in known if id.startswith(given.rstrip("…"))]
    if given in known or not given or not begins:
        return given
    if len(begins) > 1:
        raise UnknownTrait(f"{given!r} may be {' or '.join(begins)}. Write more of it.")
    return begins[0]


# How Attune learns --------------------------------------------------------------------------


def _set(engine: Engine, arguments: argparse.Namespace) -> _Said:
    changes = _changes(arguments)
    settings = engine.change(**changes) if changes else engine.settings
    return _Said(_manner(settings), _settings(settings))


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises InvalidParameter."""
    wanted: dict[str, Any] = {}
    if arguments.duels is not None:
        if not 0 <= arguments.duels <= _MOST:
            raise InvalidParameter.outside("duels", arguments.duels, f"from 0 to {_MOST}")
        wanted["duel_every"] = arguments.duels
    if arguments.learner is not None:
        wanted["learner"] = arguments.learner
    if arguments.keep_texts is not None:
        wanted["keep_texts"] = arguments.keep_texts == "on"
    if arguments.neutral is not None:
        wanted["neutral"] = arguments.neutral == "on"
    if arguments.fade is not None:
        wanted["fade"] = _fade(arguments.fade)
    return wanted


def _fade(text: str) -> float | None:
    if text == "off":
        return None
    try:
        votes = float(text)
    except ValueError:
        votes = math.nan
    if not 0.0 < votes <= _MOST:  # NaN, which is no number, too
        allowed = f"above 0 and at most {_MOST}, or off"
        raise InvalidParameter.outside("fade", text, allowed)
    return votes


def _manner(settings: Settings) -> tuple[str, ...]:
    often = {0: "never", 1: "with any question"}.get(
        settings.duel_every, f"at most once in {settings.duel_every} questions"
    )
    fade = settings.fade
    old = "count fully" if fade is None else f"count half once {fade:g} are newer"
    kept = "kept with their votes" if settings.keep_texts else "not kept with votes"
    return (
        f"Two answers   {often}",
        f"Learner       {settings.learner}",
        f"Texts         {kept}",
        f"Neutral       {'on' if settings.neutral else 'off'}",
        f"Old votes     {old}",
    )


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "duels": settings.duel_every,
        "learner": settings.learner,
        "keep_texts": settings.keep_texts,
        "neutral": settings.neutral,
        "fade": settings.fade,
    }


_VERBS: dict[str, Callable[[Engine, argparse.Namespace], _Said]] = {
    "show": _show,
    "votes": _votes,
    "undo": _undo,
    "reset": _reset,
    "rebuild": _rebuild,
    "drop-texts": _drop_texts,
    "forget": _forget,
    "remove": _remove,
    "restore": _restore,
    "delete": _delete,
    "add": _add,
    "set": _set,
    "export": _export,
    "import": _import,
}
