"""Whether what the packaged program acknowledged is in its data folder, and whole (R1)."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.reliability.commits import Kept, Owner, difference
from benchmarks.reliability.frozen_lives import Course, Deed
from engine.cli.output import printable
from engine.store.record import StoredDuel

Messages = list[tuple[str, str, str]]
"""Of a chat: role, text and state of each."""

FILES = ("record.db", "chats.db")


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of what holds chats and votes, as a program that starts now would find it."""
    with tempfile.TemporaryDirectory(prefix="frozen-copy-") as name:
        for file in FILES:
            for path in folder.glob(f"{file}*"):
                shutil.copyfile(path, Path(name) / path.name)
        yield Path(name)


def found(folder: Path) -> Kept:
    """Everything that is there; duels by their question."""
    if not any((folder / file).exists() for file in FILES):
        return Kept()
    owner = Owner(folder, seed=0)
    try:
        all_of_it = owner.found(_ids(folder / "record.db"))
    finally:
        owner.close()
    names = {id: duel.question for id, duel in all_of_it.duels.items()}
    return Kept(
        chats=all_of_it.chats,
        duels={names[id]: duel for id, duel in all_of_it.duels.items()},
        votes={names.get(id, id): outcome for id, outcome in all_of_it.votes.items()},
    )


def _ids(record: Path) -> list[str]:
    if not record.exists():
        return []
    with closing(sqlite3.connect(record)) as connection:
        return [id for (id,) in connection.execute("SELECT id FROM duels")]


def judged(kept: Kept, course: Course, there: Kept) -> tuple[bool, str]:
    """Whether what was under way is there, and what is lost or torn, "" where nothing is."""
    first = _meant(kept, course.told, there)
    second = _meant(first, [course.under], there)
    problem = "" if there in (first, second) else difference(first, there)
    return first != there == second, problem or _unlike(there, course.shown)


def _meant(kept: Kept, deeds: Sequence[Deed], there: Kept) -> Kept:
    """What has to be there. The program draws what is in a duel: it only has to be there once, and
    to stay as it was then."""
    commits = [commit for deed in deeds for commit in deed]
    later = kept.after(commits)
    for commit in commits:
        if commit.kind == "hold" and commit.duel in there.duels:
            later.duels[commit.duel] = there.duels[commit.duel]
    return later


def _unlike(there: Kept, shown: dict[str, str]) -> str:
    """What a duel on record says other than what was on the screen."""
    for question, text in shown.items():
        if question in there.duels and not _is_shown(there.duels[question], text):
            return f"the duel {question[:40]!r} is torn: it is not what was shown"
    return ""


def _is_shown(duel: StoredDuel, text: str) -> bool:
    first, second = (printable(answer.text) for answer in duel.answers)
    return first.strip() in text and f"\nB\n{second}\n" in text


def outlived(seen: Kept, there: Kept) -> str:
    """What another reader saw before the kill and is not there any more; more may be there, and
    an answer that was being written may have gone on."""
    if len(there.chats) < len(seen.chats):
        return "a chat is lost"
    left = Kept(
        chats=[_as_far(a, b) for a, b in zip(seen.chats, there.chats, strict=False)],
        duels={id: duel for id, duel in there.duels.items() if id in seen.duels},
        votes={id: vote for id, vote in there.votes.items() if id in seen.votes},
    )
    return "" if left == seen else difference(seen, left)


def _as_far(before: Messages, after: Messages) -> Messages:
    """The messages of a chat as far as they were there before."""
    return [
        old if old[2] == "partial" and new[0] == old[0] and new[1].startswith(old[1]) else new
        for old, new in zip(before, after, strict=False)
    ]
