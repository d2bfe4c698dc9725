"""The writer is killed at random moments; whatever it acknowledged is there, and whole (R1).

    python -m benchmarks.reliability.commits [--count 100] [--seed 0] [--out FILE]

A case is one data folder with a hundred kills. A forked child says and votes as an owner does,
through the store's own doors, and tells of each commit when it has returned. After so many of them
and a moment by chance it is ended with SIGKILL. Then everything is read and compared: with what
was told, or with that and the one commit that was under way. No model is needed; what the votes are
on is made up. This exercises a program that ends at any moment, not a loss of power.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.reliability.forks import Child, Line
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    chance,
    conclude,
    never,
    run,
    spread,
)
from engine.store import backups, chat_tables, schema
from engine.store.chats import ChatStore
from engine.store.record import Record, StoredAnswer, StoredDuel
from engine.types.learning import OUTCOMES, Outcome

KILLS = 100
CHECKED = 20
"""SQLite checks both files after every so many kills."""

MOST_TOLD = 26
"""Commits before a kill, at the most."""

LONGEST = 6_000
"""Characters of a text: some need several pages."""

Kind = Literal["ask", "begin", "append", "finish", "hold", "vote", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One thing that an owner does, in one transaction.

    text   of the message, or of the piece that is appended
    fresh  a question that begins a chat
    duel   its id, where it is about one
    """

    kind: Kind
    text: str = ""
    fresh: bool = False
    duel: str = ""
    outcome: Outcome = "first"


@dataclass(slots=True)
class Kept:
    """What has to be there.

    chats  of each, role, text and state of its messages
    """

    chats: list[list[tuple[str, str, str]]] = field(default_factory=list)
    duels: dict[str, StoredDuel] = field(default_factory=dict)
    votes: dict[str, Outcome] = field(default_factory=dict)

    def after(self, commits: list[Commit]) -> Kept:
        """What has to be there once these are done, too."""
        later = deepcopy(self)
        for commit in commits:
            later._take(commit)
        return later

    def _take(self, commit: Commit) -> None:
        match commit.kind:
            case "ask":
                if commit.fresh:
                    self.chats.append([])
                self.chats[-1].append(("user", commit.text, "whole"))
            case "begin":
                self.chats[-1].append(("assistant", "", "partial"))
            case "append":
                role, text, state = self.chats[-1][-1]
                self.chats[-1][-1] = role, text + commit.text, state
            case "finish":
                self.chats[-1][-1] = "assistant", commit.text, "whole"
            case "hold":
                self.duels[commit.duel] = duel(commit.duel)
            case "vote":
                self.votes[commit.duel] = commit.outcome
            case "withdraw":
                del self.votes[commit.duel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What became of one data folder.

    kills    that it suffered
    told     commits that were acknowledged
    untold   commits that were there without having been acknowledged: the kill came in between
    early    kills before the first commit, while the files were being opened
    checks   times that SQLite found both files sound
    each     mean seconds from one kill to the next
    problem  what was not as promised, "" where all was
    """

    number: int
    kills: int
    told: int
    untold: int
    early: int
    checks: int
    each: float
    problem: str


# What the owner does ------------------------------------------------------------------------


def commits(draw: random.Random, name: str) -> Iterator[Commit]:
    """Without end; a chat that was begun before a kill is not gone on with.

    name  that no other owner of the folder has
    """
    number = 0
    while True:
        yield from _round(draw, f"{name}-{number}", fresh=number == 0 or draw.random() < 0.3)
        number += 1


def _round(draw: random.Random, name: str, *, fresh: bool) -> Iterator[Commit]:
    yield Commit(kind="ask", text=_text(draw, f"Question {name}"), fresh=fresh)
    yield Commit(kind="begin")
    texts = [_text(draw, f"Piece {name} {part}") for part in range(draw.randint(1, 3))]
    for text in texts:
        yield Commit(kind="append", text=text)
    yield Commit(kind="finish", text="".join(texts))
    yield Commit(kind="hold", duel=name)
    yield Commit(kind="vote", duel=name, outcome=draw.choice(OUTCOMES))
    if draw.random() < 0.2:
        yield Commit(kind="withdraw", duel=name)


def _text(draw: random.Random, name: str) -> str:
    more = draw.choice((0, 40, 300, LONGEST))
    return f"{name}. " + "Bäume, 山 and words. "[: draw.randint(0, 20)] * (more // 20)


def duel(name: str) -> StoredDuel:
    """A duel with features as they are recorded, by its id."""
    draw = random.Random(name)
    streams = ("short+", "short-", "warm+", "warm-", "lists+", "lists-")
    first, second = (
        StoredAnswer(
            text=f"{name} {place} " + "word " * draw.randint(0, 400),
            finish="end",
            tokens=draw.randint(1, 100),
            utilities={stream: draw.gauss(0.0, 10.0) for stream in streams},
            surprise=draw.random(),
            embedding=draw.randbytes(draw.choice((0, 2_304))),
        )
        for place in "AB"
    )
    return StoredDuel(
        id=name, at=draw.random(), model="model", learner="utilities", trait="short", why="why",
        question=f"Question {name}", answers=(first, second), swapped=draw.random() < 0.5,
        detail={"seed": 7},
    )  # fmt: skip


class Owner:
    """Carries commits out, in files that it opens when they are first needed."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._record = Record(folder / "record.db", clock=lambda: 0.0)
        draw = random.Random(seed)
        self._chats = ChatStore(folder / "chats.db", clock=lambda: 0.0, rng=draw)
        self._chat = self._answer = self._question = ""

    def do(self, commit: Commit) -> None:
        """On the disk when it returns."""
        match commit.kind:
            case "ask":
                chat, parent = ("", "") if commit.fresh else (self._chat, self._answer)
                asked = self._chats.ask(commit.text, chat=chat, parent=parent)
                self._chat, self._question = asked.chat, asked.id
            case "begin":
                self._answer = self._chats.begin_answer(self._question).id
            case "append":
                self._chats.append(self._answer, commit.text, tokens=1)
            case "finish":
                self._chats.finish(self._answer, state="whole", text=commit.text, facts={})
            case "hold":
                self._record.open_duel(duel(commit.duel))
            case "vote":
                self._record.vote(commit.duel, commit.outcome)
            case "withdraw":
                self._record.withdraw(commit.duel)

    def found(self, duels: list[str]) -> Kept:
        """Everything that is there; of duels those that are asked for."""
        chats = self._chats.whole(self._chats.ids(trash=True))
        present = self._record.present(duels)
        return Kept(
            chats=[[(m.role, m.text, m.state) for m in chat.messages] for chat in chats],
            duels={id: duel for id, duel in present.items() if duel is not None},
            votes={b.duel.id: b.outcome for b in self._record.standing().ballots},
        )

    def close(self) -> None:
        self._record.close()
        self._chats.close()


# Killing and looking ------------------------------------------------------------------------


class Home:
    """A data folder whose owners are killed one after the other."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self._folder, self._draw = folder, draw
        self._kept = Kept()
        self._opening, self._pace = 0.02, 0.003
        self.kills = self.told = self.untold = self.early = self.checks = 0

    def live(self, *, kills: int) -> str:
        """Suffer so many; what is wrong, "" where nothing is."""
        while self.kills < kills:
            if problem := self._kill() or (self._check() if self.kills % CHECKED == 0 else ""):
                return f"kill {self.kills}: {problem}"
        return ""

    def _kill(self) -> str:
        self.kills += 1
        seed = self._draw.getrandbits(64)
        name = f"{self.kills}-{seed & 0xFFFF:x}"
        # One in ten while the files are opened, where a journal of the last one is rolled back.
        wanted = 0 if self._draw.random() < 0.1 else self._draw.randint(1, MOST_TOLD)
        delay = self._draw.uniform(0.0, 1.5 * self._pace if wanted else self._opening)
        child = Child(lambda line: _act(self._folder, seed, name, line))
        if not child.hear(until=lambda said: len(said) >= wanted):
            child.end()
            return "the writer ended by itself, or hangs"
        if wanted:
            self._learn(time.monotonic() - child.begun, wanted)
        time.sleep(delay)
        if not child.kill():
            return "the writer ended by itself"
        return self._compare(seed, name, told=len(child.said))

    def _learn(self, spent: float, wanted: int) -> None:
        """How long opening and a commit take here, so that kills fall into them."""
        if wanted == 1:
            self._opening += 0.2 * (spent - self._opening)
        else:
            pace = max(0.0, spent - self._opening) / (wanted - 1)
            self._pace += 0.1 * (pace - self._pace)

    def _compare(self, seed: int, name: str, *, told: int) -> str:
        done = commits(random.Random(seed), name)
        first = self._kept.after([next(done) for _ in range(told)])
        second = first.after([next(done)])
        found = looked(self._folder, [*second.duels])
        self.told += told
        self.early += not told
        self.untold += found == second
        self._kept = found
        return "" if found in (first, second) else difference(first, found)

    def _check(self) -> str:
        self.checks += 1
        return unsound(self._folder)


def _act(folder: Path, seed: int, name: str, line: Line) -> None:
    owner = Owner(folder, seed=seed)
    for commit in commits(random.Random(seed), name):
        owner.do(commit)
        line.tell(b".")


def looked(folder: Path, duels: list[str]) -> Kept:
    """What a program finds that starts now; of duels those that are asked for."""
    owner = Owner(folder, seed=0)
    try:
        return owner.found(duels)
    finally:
        owner.close()


def difference(meant: Kept, found: Kept) -> str:
    """What is lost, or torn, in a few words."""
    if len(found.chats) < len(meant.chats):
        return "a chat is lost"
    for before, after in zip(meant.chats, found.chats, strict=False):
        if len(after) < len(before):
            return f"a message is lost: {before[len(after)][1][:40]!r}"
        for wanted, got in zip(before, after, strict=False):
            if wanted != got:
                return f"a message is torn: {wanted!r:.60} became {got!r:.60}"
    for id, wanted_duel in meant.duels.items():
        if found.duels.get(id) != wanted_duel:
            return f"the duel {id} is {'torn' if id in found.duels else 'lost'}"
    if lost := meant.votes.items() - found.votes.items():
        return f"votes are lost: {sorted(lost)[:3]}"
    return "there is more than was done"


def unsound(folder: Path) -> str:
    """What SQLite finds wrong with either file, or with the search index; "" is sound."""
    kinds = ((folder / "record.db", schema.record()), (folder / "chats.db", chat_tables.KIND))
    problems = [f"{p.name}: {w}" for p, kind in kinds if p.exists() for w in backups.check(p, kind)]
    with closing(sqlite3.connect(folder / "chats.db")) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_words'")
        try:
            for (name,) in found.fetchall():
                connection.execute(
                    f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"
                )
        except sqlite3.DatabaseError as error:
            problems.append(f"the index of words: {error}")
    return "; ".join(problems)


def life(number: int, *, seed: int, kills: int = KILLS) -> Life:
    """One case."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="commits-") as name:
        home = Home(Path(name), chance(seed, number))
        problem = home.live(kills=kills) or unsound(Path(name))
    return Life(
        number=number, kills=home.kills, told=home.told, untold=home.untold, early=home.early,
        checks=home.checks + 1, each=round((time.monotonic() - begun) / home.kills, 4),
        problem=problem,
    )  # fmt: skip


# The table ----------------------------------------------------------------------------------


def findings(lives: list[Life]) -> list[Finding]:
    """The promises of R1."""
    kills, told = sum(life.kills for life in lives), sum(life.told for life in lives)
    early, untold = sum(life.early for life in lives), sum(life.untold for life in lives)
    checks = sum(life.checks for life in lives)
    return [
        Finding(
            promise="kills of the writer",
            found=f"{kills:,}: {early:,} before the first commit, {untold:,} after a commit and "
            "before it was told",
            target="10,000 in the full run",
            met=kills > 0,
        ),
        Finding(
            promise="commits that were acknowledged",
            found=f"{told:,}",
            target="≥ 100,000 in the full run",
            met=told >= 10 * kills,
        ),
        never(
            "folders in which one was lost or torn, or that SQLite finds damaged",
            [life for life in lives if life.problem],
            of=len(lives),
        ),
        Finding(
            promise="checks of both files and of the search index by SQLite",
            found=f"{checks:,}",
            target=f"each {CHECKED}th kill and at the end",
            met=checks > 0,
        ),
        Finding(
            promise="from one kill to the next, mean of a folder",
            found=spread([life.each for life in lives]),
            target="–",
            met=True,
        ),
    ]


def main() -> int:
    given = arguments(__doc__, name="commits", count=100).parse_args()
    ledger = Ledger(given.out, Life, seed=given.seed)
    run(
        ledger,
        count=given.count,
        case=lambda number: life(number, seed=given.seed),
        tell=lambda c: f"{c.kills} kills, {c.told} commits, {c.each} s each {c.problem}",
    )
    about = {"SQLite": sqlite3.sqlite_version, "seed": given.seed}
    return conclude(
        given.out, title="R1: kills of the writer", about=about, findings=findings(ledger.cases)
    )


if __name__ == "__main__":
    sys.exit(main())
