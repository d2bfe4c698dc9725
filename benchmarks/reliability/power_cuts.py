"""The power goes at any moment; whatever was acknowledged is there, and nothing is damaged (R2).

    python -m benchmarks.reliability.power_cuts [--count 2000] [--seed 0] [--out FILE]
        [--synchronous 3]

A child says and votes as an owner does, in a folder that it makes, or that an earlier cut has left;
or it does another of the owner's deeds. Every call that changes the folder is written down, with
the moments at which something was acknowledged. Of each such log twenty points are drawn; for each
the folder is made as a power cut may leave it there (`disk.py`), and a program starts on that:
whatever was acknowledged has to be there, what was under way wholly or not at all, and SQLite must
find both files sound. Linux with gcc: `faults.py` says how.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Protocol

from benchmarks.reliability import commits, disk, faults, recorder
from benchmarks.reliability.commits import Kept, Owner, difference, looked, unsound
from benchmarks.reliability.deeds import DEEDS, RESTORES, Deed, opened
from benchmarks.reliability.disk import Disk, Fate, Keep, Left
from benchmarks.reliability.forks import Child
from benchmarks.reliability.recorder import mark
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
from benchmarks.reliability.states import Judge, State
from engine.paths import data_folder
from engine.store import database

CUTS = 20
"""Points that are drawn from one log."""

COMMITS = 40
"""In one log, at the most."""

NAMING = ("create", "mkdir", "rename", "link", "unlink")

FIRST, LATER = "first start", "after a cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What became of one cut.

    what     was done: commits in a new folder, or in one that an earlier cut had left, or a deed
    keep     how much of what was not synced was there
    at       calls before it, of so many
    waiting  changes that were not synced
    told     commits that were acknowledged, or whether the deed was
    problem  what was not as promised, "" where all was
    """

    number: int
    what: str
    keep: Keep
    at: int
    of: int
    waiting: int
    told: int
    seconds: float
    problem: str


# What is written down -----------------------------------------------------------------------


class Recording:
    """What a program did to a folder.

    calls  in the order of time
    """

    def __init__(self, folder: Path, act: Callable[[], None]) -> None:
        """Have a child do it. Raises SystemExit where that fails, or is not fully written down."""
        self._start = Disk(folder)
        with tempfile.NamedTemporaryFile(dir=folder.parent) as log:

            def recorded(_: object) -> None:
                with recorder.recorded(folder, Path(log.name)):
                    act()

            if Child(recorded).end():
                raise SystemExit(f"What was to be written down in {folder} fails.")
            self.calls = recorder.read(Path(log.name), folder)
        whole = self.disk(len(self.calls)).left(Fate(Random(0), keep="all"))
        if whole != Disk(folder).left(Fate(Random(0), keep="none")):
            raise SystemExit(f"Something changed {folder} that was not written down.")

    def disk(self, at: int) -> Disk:
        """After so many calls."""
        there = deepcopy(self._start)
        for call in self.calls[:at]:
            there.do(call)
        return there

    def marks(self, at: int) -> int:
        """How much was acknowledged by then."""
        return sum(call.what == "mark" for call in self.calls[:at])

    def draw_point(self, draw: Random) -> int:
        """How many calls were done: any number, or one directly after something was acknowledged,
        or a name was changed, which is rare among writes."""
        after = draw.choice((("mark",), NAMING, (), ()))
        points = [at for at, call in enumerate(self.calls, 1) if call.what in after]
        return draw.choice(points) if points else draw.randint(0, len(self.calls))


def draw_keep(draw: Random) -> Keep:
    keeps: tuple[Keep, ...] = ("none", "some", "some", "some", "some", "all")
    return draw.choice(keeps)


class Scene(Protocol):
    """What is cut."""

    what: str
    recording: Recording

    def judged(self, left: Left, at: int) -> str:
        """What is wrong with what a cut after so many calls left, "" where nothing is."""
        ...


# An owner who says and votes ------------------------------------------------------------------


class Talk:
    """Commits in one folder.

    folder  is made, and holds all that is needed
    after   a cut that left a folder to begin in; None begins with nothing
    """

    def __init__(self, folder: Path, draw: Random, *, name: str, after: Talk | None) -> None:
        folder.mkdir()
        self.what = LATER if after else FIRST
        self._root, self._kept, self._problem = folder / "owner", Kept(), ""
        seed = draw.getrandbits(64)
        if after is None:
            self._root.mkdir()
        else:
            self._begin_in(after, draw)
        count = draw.randint(COMMITS // 4, COMMITS)
        self._done = list(islice(commits.commits(Random(seed), name), count + 1))
        self.recording = Recording(self._root, lambda: self._act(seed, count))

    def judged(self, left: Left, at: int) -> str:
        return self._problem or self._looked(left, at)[1]

    def _begin_in(self, after: Talk, draw: Random) -> None:
        at = after.recording.draw_point(draw)
        left = after.recording.disk(at).left(Fate(draw, keep=draw_keep(draw)))
        found, self._problem = after._looked(left, at)
        if self._problem:  # nobody can go on from there
            self._root.mkdir()
        else:
            self._kept = found
            disk.put(left, self._root)

    def _act(self, seed: int, count: int) -> None:
        owner = Owner(data_folder(self._root / "data").root, seed=seed)
        for commit in self._done[:count]:
            owner.do(commit)
            mark(b"told")
        owner.close()

    def _looked(self, left: Left, at: int) -> tuple[Kept, str]:
        """What a program finds that starts on it, and what is wrong."""
        told = self.recording.marks(at)
        first = self._kept.after(self._done[:told])
        second = first.after(self._done[told : told + 1])
        look = self._root.with_name("look")
        disk.put(left, look)
        try:
            data = data_folder(look / "data").root
            found = looked(data, [*second.duels])
            wrong = "" if found in (first, second) else difference(first, found)
            return found, wrong or unsound(data)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            return first, repr(error)
        finally:
            shutil.rmtree(look)


# The other deeds ------------------------------------------------------------------------------


def _half_a_commit(root: Path) -> None:
    """Leave the record as a program does that ends in the middle of a commit, with its journal."""
    path, kept = root / "data" / "record.db", root / "kept"
    journal = path.with_name("record.db-journal")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")  # so that pages are written before it ends
        connection.execute("BEGIN")
        connection.execute("UPDATE changes SET body = body || ' '")
        connection.execute("UPDATE duels SET why = 'none'")
        shutil.copyfile(path, kept)
        half = journal.read_bytes()
    os.replace(kept, path)
    journal.write_bytes(half)


AFTER_HALF = replace(
    next(deed for deed in RESTORES if "record" in deed.name),
    name="restore of record.db, a commit half done",
    furnish=_half_a_commit,
)
WHAT = (*DEEDS, AFTER_HALF)


class Doing:
    """One deed of an owner."""

    def __init__(self, deed: Deed, folder: Path) -> None:
        self.what, self._deed = deed.name, deed
        self._judge = Judge(deed, folder)
        self.recording = Recording(self._judge.root, self._act)
        self._judge.learn()

    def judged(self, left: Left, at: int) -> str:
        shutil.rmtree(self._judge.root)
        disk.put(left, self._judge.root)
        try:
            state, problem = self._judge.judged(twice=False)
        except Exception as error:  # noqa: BLE001  # as above
            return repr(error)
        lost = self.recording.marks(at) and self._too_little(state)
        return problem or ("it was acknowledged, and is not there" if lost else "")

    def _act(self) -> None:
        engine = opened(self._judge.root)
        self._deed.act(engine, self._judge.root)
        mark(b"told")
        engine.close()

    def _too_little(self, state: State) -> bool:
        """Whether it was more that was acknowledged."""
        if self._deed.reopens:  # that was told to nobody: whoever starts next does it again
            return False
        if self._deed.name == "backup":  # a copy that was thinned out may come back
            return state == "old"
        return state != "new"


# The cuts -------------------------------------------------------------------------------------


def scene(number: int, folder: Path, *, seed: int) -> Scene:
    """Every third one is a deed; of the others, every second one begins after a cut."""
    draw = chance(seed, -1 - number)
    if number % 3 == 2:
        return Doing(WHAT[number // 3 % len(WHAT)], folder)
    folder.mkdir()
    first = Talk(folder / "first", draw, name=f"{number}-a", after=None)
    if number % 3 == 0:
        return first
    return Talk(folder / "later", draw, name=f"{number}-b", after=first)


def cut(number: int, scene: Scene, *, seed: int) -> Cut:
    """One case."""
    begun, draw = time.monotonic(), chance(seed, number)
    at, keep = scene.recording.draw_point(draw), draw_keep(draw)
    then = scene.recording.disk(at)
    problem = scene.judged(then.left(Fate(draw, keep=keep)), at)
    return Cut(
        number=number, what=scene.what, keep=keep, at=at, of=len(scene.recording.calls),
        waiting=then.waiting(), told=scene.recording.marks(at),
        seconds=round(time.monotonic() - begun, 4), problem=problem,
    )  # fmt: skip


def measure(ledger: Ledger[Cut], *, count: int, seed: int) -> None:
    """Do what is missing of so many cuts."""
    here = Path("/dev/shm")  # the disk that matters is simulated
    with tempfile.TemporaryDirectory(
        prefix="power-cuts-", dir=here if here.is_dir() else None
    ) as name:
        at: dict[int, Scene] = {}

        def case(number: int) -> Cut:
            which = number // CUTS
            if which not in at:
                at.clear()
                folder = Path(name).resolve() / str(which)
                at[which] = scene(which, folder, seed=seed)
            return cut(number, at[which], seed=seed)

        run(ledger, count=count, case=case, tell=lambda c: (
            f"{c.what}, {c.keep} of {c.waiting} at {c.at}/{c.of}, {c.told} told {c.problem}"
        ))  # fmt: skip


# The table ----------------------------------------------------------------------------------


def findings(cases: list[Cut]) -> list[Finding]:
    """The promises of R2."""
    talks = [case for case in cases if case.what in (FIRST, LATER)]
    rest = [case for case in cases if case.what not in (FIRST, LATER)]
    later = sum(case.what == LATER for case in talks)
    waiting = sum(case.waiting > 0 for case in cases)
    keeps = ", ".join(
        f"{sum(case.keep == keep for case in cases):,} {keep}" for keep in ("none", "some", "all")
    )
    return [
        Finding(
            promise="points at which the power goes",
            found=f"{len(cases):,}: {len(talks):,} among commits, {later:,} of them in a folder "
            f"that an earlier cut had left; {len(rest):,} in other deeds",
            target="2,000 in the full run",
            met=bool(cases),
        ),
        Finding(
            promise="where something was not synced yet",
            found=f"{waiting:,}, up to {max((c.waiting for c in cases), default=0)} changes",
            target="–",
            met=waiting > 0,
        ),
        Finding(promise="how much of that is there", found=keeps, target="–", met=True),
        Finding(
            promise="acknowledged commits that were looked for",
            found=f"{sum(case.told for case in talks):,}",
            target="–",
            met=any(case.told for case in talks),
        ),
        never(
            "cuts that lost or tore one of them, or after which SQLite finds a file damaged",
            [case for case in talks if case.problem],
            of=len(talks),
        ),
        never(
            "other deeds that were acknowledged and are not there, are neither done nor undone, or "
            "leave a damaged file",
            [case for case in rest if case.problem],
            of=len(rest),
        ),
        Finding(
            promise="time of one case",
            found=spread([case.seconds for case in cases]),
            target="–",
            met=True,
        ),
    ]


def main() -> int:
    if not faults.loaded(recorder.LOADED):
        module = "benchmarks.reliability.power_cuts"
        return faults.run_again(module, sys.argv[1:], source=recorder.SOURCE)
    parser = arguments(__doc__, name="power-cuts", count=2000)
    parser.add_argument(
        "--synchronous", type=int, choices=range(4), default=3,
        help="of SQLite: what ships is 3, and less is to lose commits here",
    )  # fmt: skip
    given = parser.parse_args()
    others = tuple(pair for pair in database.PRAGMAS if pair[0] != "synchronous")
    database.PRAGMAS = (*others, ("synchronous", given.synchronous))
    ledger = Ledger(given.out, Cut, seed=given.seed)
    measure(ledger, count=given.count, seed=given.seed)
    about = {"SQLite": sqlite3.sqlite_version, "synchronous": given.synchronous, "seed": given.seed}
    return conclude(
        given.out, title="R2: the power goes", about=about, findings=findings(ledger.cases)
    )


if __name__ == "__main__":
    sys.exit(main())
