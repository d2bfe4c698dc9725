"""What an owner does that changes files, through the engine's door, and what is there afterwards.

Nothing here needs a model: answers are given in pieces as a model would give them, and the duels on
record are made up. Clock and ids are the same each time, so that two folders can be compared.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from benchmarks.reliability.commits import duel
from engine.api import Answer, Engine, StorageError
from engine.session.importing import taste_of
from engine.store import backups, chat_tables, schema
from engine.store.changes import Taste
from engine.store.profile import SUFFIX
from engine.types.learning import Outcome

GOLDEN = Path(__file__).parents[2] / "tests" / "fixtures"
PROFILE = GOLDEN / "profiles" / f"v1-full{SUFFIX}"
NOW = 1_790_000_000.0
PIECES = tuple(f"Piece {number} of an answer. " * (20 * number) for number in range(1, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an owner finds, read by a program that has just started.

    votes    duel and outcome, in the order that they count in
    chats    of each, its title, and role, text and state of its messages
    copies   of which file, whether it is sound, and rows in it
    outside  files beside the data folder, by name and hash
    """

    votes: tuple[tuple[str, str], ...]
    traits: tuple[str, ...]
    removed: frozenset[str]
    taste: Taste
    chats: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    copies: tuple[tuple[str, bool, int], ...]
    outside: tuple[tuple[str, str], ...]


Allowed = Callable[[Seen, Seen, Seen], bool]
"""Given what there was, what there would be and what there is."""


def _nothing(_: Path) -> None:
    """What everybody has is enough."""


def _never(_old: Seen, _new: Seen, _now: Seen) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that an owner does.

    act      does it, with an engine on the folder `data` in that folder
    furnish  puts there what it needs beside what everybody has
    between  whether something between old and new is fine, where it was not done to the end
    reopens  it is opening the files that changes them, so that looking does it, too
    """

    name: str
    act: Callable[[Engine, Path], object]
    furnish: Callable[[Path], None] = _nothing
    between: Allowed = _never
    reopens: bool = False


# A folder -----------------------------------------------------------------------------------


def opened(root: Path) -> Engine:
    """An engine on the data folder in `root`, which has started nothing."""
    ticks = count(1)
    return Engine(root / "data", seeds=lambda: next(ticks), clock=lambda: NOW)


def furnish(root: Path) -> None:
    """What everybody has: votes, chats, settings, a copy of each file, a profile that was exported
    before the last vote."""
    (root / "data").mkdir(parents=True)
    (root / "out").mkdir()
    engine = opened(root)
    try:
        engine.change(gamma=3.5, sliders={"warm+": 0.75})
        outcomes: tuple[Outcome | None, ...] = ("first", "second", None, None)
        for number, outcome in enumerate(outcomes):
            engine._record.open_duel(duel(f"d{number}"))
            if outcome is not None:
                engine._record.vote(f"d{number}", outcome)
        _talk(engine, "What is a lighthouse?")
        engine.profiles.export(root / "out" / f"before{SUFFIX}")
        engine.chats.backups.make()
        engine._record.vote("d2", "equal")
        _talk(engine, "How do I keep basil alive?")
    finally:
        engine.close()


def _talk(engine: Engine, question: str) -> None:
    asked = engine.chats.ask(question)
    begun = engine.chats.begin_answer(asked.id)
    engine.chats.finish(begun.id, _ended("Well. " * 100))


def _ended(text: str) -> Answer:
    return Answer(
        text=text, finish="end", tokens=99, streams=1, gamma=0.0, seed=1, used=200, context=2048,
        model="model",
    )  # fmt: skip


def seen(root: Path) -> Seen:
    """What is there now. Raises AttuneError where it cannot be read."""
    engine = opened(root)
    try:
        standing = engine._record.standing()
        store = engine.chats._store
        chats = store.whole(store.ids(trash=True))
        return Seen(
            votes=tuple((ballot.duel.id, ballot.outcome) for ballot in standing.ballots),
            traits=tuple(trait.id for trait in standing.traits),
            removed=standing.removed,
            taste=taste_of(engine.settings),
            chats=tuple(
                (chat.title, tuple((m.role, m.text, m.state) for m in chat.messages))
                for chat in chats
            ),
            copies=_copies(engine),
            outside=tuple(sorted(_outside(root / "out"))),
        )
    finally:
        engine.close()


def _copies(engine: Engine) -> tuple[tuple[str, bool, int], ...]:
    return tuple(
        sorted(_copied(engine.data_dir / "backups" / copy.name, copy.of)
               for copy in engine.chats.backups.list())
    )  # fmt: skip


def _copied(path: Path, of: str) -> tuple[str, bool, int]:
    kind, table = (
        (schema.record(), "changes") if of == "record.db" else (chat_tables.KIND, "messages")
    )
    if backups.check(path, kind):
        return of, False, 0
    with closing(sqlite3.connect(path)) as connection:
        return of, True, int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _outside(folder: Path) -> list[tuple[str, str]]:
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # it was to be there for a moment only
        if path.suffix == ".zip" and zipfile.is_zipfile(path):
            found += [(f"{name}/{inside}", digest) for inside, digest in _packed(path)]
        elif path.is_file():
            found.append((name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return found


def _packed(path: Path) -> list[tuple[str, str]]:
    with zipfile.ZipFile(path) as packed:
        return [(name, hashlib.sha256(packed.read(name)).hexdigest()) for name in packed.namelist()]


def litter(root: Path) -> list[str]:
    """Files and folders that were to be there for a moment only."""
    ends = (".part", ".restored", "-journal")
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.name.endswith(ends) or path.name.startswith(".")
    )


def unsound(root: Path) -> str:
    """What SQLite finds wrong with the databases; "" is sound."""
    kinds = (("record.db", schema.record()), ("chats.db", chat_tables.KIND))
    paths = ((root / "data" / name, kind) for name, kind in kinds)
    return "; ".join(w for path, kind in paths if path.exists() for w in backups.check(path, kind))


# The deeds ----------------------------------------------------------------------------------


def _answer(engine: Engine, _: Path) -> None:
    """As the window does it: a piece that cannot be kept is tried again with the next one."""
    last = engine.chats.open(engine.chats.page()[0].id).messages[-1]
    answer = last.id if last.state == "partial" else engine.chats.begin_answer(last.id).id
    for number, piece in enumerate(PIECES, 1):
        with suppress(StorageError):
            engine.chats.append(answer, piece, tokens=20 * number)
    engine.chats.finish(answer, _ended("".join(PIECES)))


def _part_of_an_answer(old: Seen, new: Seen, now: Seen) -> bool:
    """All of it as it was, and perhaps an answer that says to be partial, and begins as it would
    have."""
    ((title, before), *rest), ((also, after), *others) = old.chats[::-1], now.chats[::-1]
    if replace(now, chats=old.chats) != old or rest != others or title != also:
        return False
    *same, (role, text, state) = after
    whole = new.chats[-1][1][-1][1]
    return (
        tuple(same) == before
        and (role, state) == ("assistant", "partial")
        and (whole.startswith(text))
    )


def _question(root: Path) -> None:
    engine = opened(root)
    engine.chats.ask("What is it called?")
    engine.close()


def _some_copies(old: Seen, new: Seen, now: Seen) -> bool:
    """Sound copies of both files, old ones or new ones."""
    known, of = {*old.copies, *new.copies}, {of for of, _, _ in old.copies}
    same = replace(now, copies=old.copies) == old
    return same and known >= {*now.copies} and of == {of for of, _, _ in now.copies}


def _restore(of: str) -> Callable[[Engine, Path], object]:
    def act(engine: Engine, _: Path) -> None:
        copies = engine.chats.backups.list()
        engine.chats.backups.restore(next(c for c in copies if c.of == of and not c.replaced).name)

    return act


def _kept_too(old: Seen, _new: Seen, now: Seen) -> bool:
    """All as it was, and that was already kept under a second name."""
    sound = all(fine for _, fine, _ in now.copies)
    return replace(now, copies=old.copies) == old and sound and {*now.copies} > {*old.copies}


def _past(golden: Path) -> Callable[[Path], None]:
    def put(root: Path) -> None:
        shutil.copyfile(golden, root / "data" / "record.db")

    return put


def _imported(root: Path) -> None:
    engine = opened(root)
    engine.profiles.import_(PROFILE)
    engine.close()


def _archive(root: Path) -> None:
    nodes = {
        "a": {"id": "a", "parent": None, "children": ["b"], "message": _said("user", "Is it so?")},
        "b": {"id": "b", "parent": "a", "children": [], "message": _said("assistant", "Yes.")},
    }
    talks = [
        {"id": f"t{number}", "title": f"Talk {number}", "create_time": NOW, "update_time": NOW,
         "current_node": "b", "mapping": nodes}
        for number in range(5)
    ]  # fmt: skip
    (root / "conversations.json").write_text(json.dumps(talks))


def _said(role: str, text: str) -> dict[str, object]:
    content = {"content_type": "text", "parts": [text]}
    return {"author": {"role": role}, "content": content, "create_time": NOW, "metadata": {}}


def goldens() -> tuple[Path, ...]:
    """Records as past versions left them."""
    return tuple(sorted(GOLDEN.glob("record-v*.db")))


def _vote(engine: Engine, _: Path) -> None:
    engine.learning.vote("d3", "neither")


MIGRATIONS = tuple(
    Deed(
        name=f"migration of {golden.stem}",
        furnish=_past(golden),
        act=lambda engine, _: engine._record.standing(),
        reopens=True,
    )
    for golden in goldens()
)
IMPORTS = tuple(
    Deed(
        name=f"profile import, {'in the place of all' if whole else 'beside'}",
        act=lambda engine, _, whole=whole: engine.profiles.import_(PROFILE, replace=whole),  # type: ignore[misc]
    )
    for whole in (False, True)
)
RESTORES = tuple(
    Deed(name=f"restore of {of}", act=_restore(of), between=_kept_too)
    for of in ("record.db", "chats.db")
)
DEEDS = (
    Deed(name="vote", act=_vote),
    Deed(name="message", act=lambda engine, _: engine.chats.ask("Is it over?")),
    Deed(name="answer in pieces", furnish=_question, act=_answer, between=_part_of_an_answer),
    Deed(name="settings", act=lambda engine, _: engine.change(gamma=1.25, neutral=True)),
    Deed(
        name="profile export",
        act=lambda engine, root: engine.profiles.export(root / "out" / f"before{SUFFIX}"),
    ),
    *IMPORTS,
    Deed(
        name="undo of an import",
        furnish=_imported,
        act=lambda engine, _: engine.learning.undo(),
    ),
    Deed(name="backup", act=lambda engine, _: engine.chats.backups.make(), between=_some_copies),
    *RESTORES,
    *MIGRATIONS,
    Deed(name="export all", act=lambda engine, root: engine.data.export(root / "out" / "all")),
    Deed(
        name="export all, packed",
        act=lambda engine, root: engine.data.export(root / "out" / "all.zip"),
    ),
    Deed(
        name="chat import",
        furnish=_archive,
        act=lambda engine, root: engine.chats.import_file(root / "conversations.json"),
    ),
)
