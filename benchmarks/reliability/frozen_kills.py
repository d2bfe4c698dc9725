"""The packaged program is killed at random moments; what it acknowledged is there, and whole (R1).

    python -m benchmarks.reliability.frozen_kills PROGRAM [--model FILE] [--jobs 1]
                                                  [--count 1000] [--seed 0] [--out FILE]

PROGRAM is the program that an installer brings, as `dist/attune/attune`; nothing of the tree runs
in it. A case is one start of it and its end with SIGKILL: mostly of a chat in the terminal that
asks, is answered by a real model, votes and takes back; of commands that take chats in and vote;
of the window, on a screen in memory, with keys that a program presses. The kill comes after so many
acknowledged deeds and a moment by chance, and meets the program alone: what it has started has to
end by itself. Then a copy of the data folder is read; the folder itself is left as it is to the
next start, which has to go well. In the terminal all must be there that was acknowledged, and at
most the one commit more that was under way; of the window all that another reader had found in the
folder just before. Linux; the window needs Xvfb and xdotool. FILE is the model that answers most
questions, the smaller the more of them; without it the starter model does.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Literal

from benchmarks.reliability import frozen_lives
from benchmarks.reliability.commits import Kept, unsound
from benchmarks.reliability.engines import children
from benchmarks.reliability.frozen import GONE_SECONDS, Orphans, Program, adopt_orphans, orphans
from benchmarks.reliability.frozen_judging import copied, found, judged, outlived
from benchmarks.reliability.frozen_lives import Course, Fuse, Talk
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    chance,
    conclude,
    never,
    spread,
)
from engine.config import SettingsFile
from installer.linux.prove.screen import screen

KILLS = 50
"""In one data folder; the next one is as new."""

Way = Literal["chat", "commands", "window"]

WAYS: tuple[Way, ...] = ("chat", "commands", "window")
WEIGHTS = (82, 10, 8)
"""How often a life is of each way."""

MOST_TOLD = {"chat": 10, "commands": 2, "window": 3}
"""Deeds before a kill, at the most; of the window questions."""

AT_START = {"chat": 0.15, "commands": 0.15, "window": 0.5}
"""Share of the kills that come before the first deed."""

STARTER = "smollm2-135m-instruct"
Paces = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What became of one life of the program.

    way       what it was used for
    model     id of the one that answered; "" where none did
    moment    in which the kill came
    told      commits that were acknowledged; of the window, what another reader had seen of it
    messages  in these
    untold    a deed was there that was not acknowledged: the kill came in between
    hot       files that were left in the middle of a transaction
    orphans   processes that outlived the program
    gone      seconds until they were gone
    seconds   of this case
    problem   what was not as promised, "" where all was
    """

    number: int
    way: Way
    model: str
    moment: str
    told: int
    messages: int
    untold: bool
    hot: int
    orphans: int
    gone: float
    seconds: float
    problem: str


# Killing ------------------------------------------------------------------------------------


class Home:
    """A data folder whose program is killed again and again."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._kept = Kept()
        self._lives = 0

    def kill(self, number: int, way: Way, *, model: str, draw: Random, pace: Paces) -> Kill:
        """One case."""
        begun = time.monotonic()
        self._lives += 1
        others = frozenset(children())
        # Some while it starts, the others evenly over what is done after that.
        wanted = 0 if draw.random() < AT_START[way] else draw.randint(1, MOST_TOLD[way])
        fuse = Fuse(draw, wanted=wanted, pace=pace)
        course, seen = self._live(f"{number}-{self._lives}", way, model=model, draw=draw, fuse=fuse)
        after = orphans(but=others)
        hot = sum(path.stat().st_size > 0 for path in self._program.folder.glob("*.db-journal"))
        told, messages = _gain(self._kept, course, seen)
        untold, problem = self._look(course, seen)
        return Kill(
            number=number, way=way, model=model if way != "commands" else "", moment=course.moment,
            told=told, messages=messages, untold=untold, hot=hot, orphans=after.count,
            gone=round(after.seconds, 4), seconds=round(time.monotonic() - begun, 3),
            problem=course.problem or problem or _left(after),
        )  # fmt: skip

    def _live(
        self, name: str, way: Way, *, model: str, draw: Random, fuse: Fuse
    ) -> tuple[Course, Kept | None]:
        program = self._program
        if way == "window":
            return frozen_lives.window(program, fuse, name, lambda: found(program.folder))
        if way == "commands":
            open = [(d.id, q) for q, d in self._kept.duels.items() if q not in self._kept.votes]
            with tempfile.TemporaryDirectory(prefix="frozen-chats-") as into:
                todo = frozen_lives.errands(draw, name, open=open, into=Path(into))
                return frozen_lives.command(program, fuse, todo), None
        tokens = draw.choice((8, 8, 8, 40))
        return frozen_lives.chat(program, model, fuse, Talk(draw, name), tokens=tokens), None

    def _look(self, course: Course, seen: Kept | None) -> tuple[bool, str]:
        with copied(self._program.folder) as copy:
            there = found(copy)
            wrong = unsound(copy)
        untold, problem = judged(self._kept, course, there) if seen is None else (False, "")
        if seen is not None:
            problem = outlived(self._kept, seen) or outlived(seen, there)
        self._kept = there
        return untold, wrong or problem


def _gain(kept: Kept, course: Course, seen: Kept | None) -> tuple[int, int]:
    """Commits that were acknowledged in a life, and messages in them."""
    if seen is None:
        asked = [commit for deed in course.told for commit in deed if commit.kind != "begin"]
        return len(course.told), sum(commit.kind in ("ask", "finish") for commit in asked)
    said, before = (sum(map(len, each.chats)) for each in (seen, kept))
    votes = len(seen.duels) + len(seen.votes) - len(kept.duels) - len(kept.votes)
    return said - before + votes, said - before


def _left(after: Orphans) -> str:
    return f"{', '.join(after.left)} still runs after {GONE_SECONDS:g} s" if after.left else ""


# The run ------------------------------------------------------------------------------------


def prepare(path: Path, folder: Path, *, model: Path | None) -> str:
    """A data folder in which the program has tested the machine; the id of the model."""
    folder.mkdir()
    program = Program(path=path.absolute(), folder=folder)
    program.done("doctor")
    id = STARTER
    if model is not None:
        added = json.loads(program.done("models", "add", str(model.absolute()), "--json"))
        id = str(added["models"][0]["id"])
    file = SettingsFile(folder / "settings.json")
    known, _ = file.read()
    sampling = replace(known.sampling, max_tokens=12)
    file.write(
        replace(
            known, model=id, threads=1, duel_every=1, keep_texts=True, fade=5, sampling=sampling
        )
    )  # fmt: skip
    return id


def way_of(draw: Random) -> Way:
    """What the program is used for; the first that is drawn in a case."""
    return draw.choices(WAYS, WEIGHTS)[0]


class Range:
    """The packaged program, made ready once, and homes for it."""

    def __init__(
        self, path: Path, folder: Path, *, first: Path, model: str, seed: int, display: str
    ) -> None:
        """first  a data folder that `prepare` has made; model, the id of the one that answers"""
        self._path, self._folder, self._display = path, folder, display
        self._first, self._model, self._seed = first, model, seed
        self._homes: dict[str, tuple[int, Home]] = {}
        self._pace: Paces = {}

    def kill(self, number: int) -> Kill:
        """One case."""
        draw = chance(self._seed, number)
        way = way_of(draw)
        model = STARTER if way == "chat" and draw.random() < 0.04 else self._model
        home = self._home("window" if way == "window" else "terminal", number // KILLS)
        return home.kill(number, way, model=model, draw=draw, pace=self._pace)

    def _home(self, kind: str, turn: int) -> Home:
        if kind not in self._homes or self._homes[kind][0] != turn:
            folder = self._folder / f"{kind}-{turn}"
            shutil.copytree(self._first, folder)
            program = Program(path=self._path, folder=folder, display=self._display)
            self._homes[kind] = turn, Home(program)
        return self._homes[kind][1]


def findings(kills: list[Kill]) -> list[Finding]:
    """The promises of R1, of the packaged program."""
    count = len(kills)
    told, messages = sum(kill.told for kill in kills), sum(kill.messages for kill in kills)
    ways = Counter(str(kill.way) for kill in kills)
    moments = Counter(kill.moment for kill in kills)
    models = Counter(kill.model for kill in kills if kill.model)
    outliving = [kill.gone for kill in kills if kill.orphans]
    return [
        Finding(
            promise="kills of the program, and what it was used for",
            found=f"{count}: {_listed(ways)}",
            target="1,000 in the full run",
            met=count > 0,
        ),
        Finding(promise="while", found=_listed(moments), target="–", met=True),
        Finding(
            promise="lives in which a model answered", found=_listed(models), target="–", met=True
        ),
        Finding(
            promise="commits acknowledged before the kill, and messages in them",
            found=f"{told}, {messages}",
            target="–",
            met=told > 0,
        ),
        never(
            "kills after which something was lost, torn, unsound, still running, or did not start",
            [kill for kill in kills if kill.problem],
            of=count,
        ),
        Finding(
            promise="a commit that the kill came just after, before it was told; files left in the "
            "middle of a transaction",
            found=f"{sum(kill.untold for kill in kills)}; {sum(kill.hot for kill in kills)}",
            target="–",
            met=True,
        ),
        Finding(
            promise=f"until nothing was left of what it had started, in {len(outliving)} kills",
            found=spread(outliving),
            target=f"≤ {GONE_SECONDS:g} s",
            met=all(seconds < GONE_SECONDS for seconds in outliving),
        ),
        Finding(
            promise="a case, its start and its judging included",
            found=spread([kill.seconds for kill in kills]),
            target="–",
            met=True,
        ),
    ]


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())


def measure(given: argparse.Namespace) -> None:
    """Do what is missing, in as many processes as there are to be jobs."""
    ledger = Ledger(given.out, Kill, seed=given.seed)
    numbers = ledger.missing(given.count)
    if not _can_show():
        print("Xvfb and xdotool are not both here: the window is left out.", flush=True)
        numbers = [n for n in numbers if way_of(chance(given.seed, n)) != "window"]
    shares = [[n for n in numbers if n // KILLS % given.jobs == job] for job in range(given.jobs)]
    with tempfile.TemporaryDirectory(prefix="frozen-kills-") as name:
        first = Path(name) / "first"
        model = prepare(given.program, first, model=given.model)
        fork = multiprocessing.get_context("fork")
        jobs = [
            fork.Process(
                target=_work, args=(given, ledger, share, first, model, Path(name) / str(job))
            )
            for job, share in enumerate(shares)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    if any(job.exitcode for job in jobs):
        raise SystemExit("A job ended early; above is why. Run it again, it goes on from there.")


def _work(
    given: argparse.Namespace,
    ledger: Ledger[Kill],
    numbers: list[int],
    first: Path,
    model: str,
    folder: Path,
) -> None:
    """One job; all write to the end of the same file."""
    adopt_orphans()
    folder.mkdir()
    shown = screen(100 + os.getpid() % 800) if _can_show() else nullcontext()
    with shown as display:
        place = Range(
            given.program.absolute(), folder, first=first, model=model, seed=given.seed,
            display=display.name if display else "",
        )  # fmt: skip
        for number in numbers:
            ledger.add(done := place.kill(number))
            print(f"{number} {_told(done)}", flush=True)


def _can_show() -> bool:
    return all(map(shutil.which, ("Xvfb", "xdotool")))


def _told(kill: Kill) -> str:
    return f"{kill.way}, {kill.moment}, {kill.told} told, {kill.seconds} s {kill.problem}"


def main() -> int:
    parser = arguments(__doc__, name="frozen-kills", count=1000)
    parser.add_argument("program", type=Path, metavar="PROGRAM")
    parser.add_argument("--model", type=Path, metavar="FILE", help="answers most questions")
    parser.add_argument("--jobs", type=int, default=1, help="kills at the same time")
    given = parser.parse_args()
    measure(given)
    ledger = Ledger(given.out, Kill, seed=given.seed)
    about = {"SQLite": sqlite3.sqlite_version, "seed": given.seed}
    return conclude(
        given.out, title="R1: kills of the packaged program", about=about,
        findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
