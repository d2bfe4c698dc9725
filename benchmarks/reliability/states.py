"""What is there after a deed that something broke off: all as before, or all as if it were done."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from benchmarks.reliability.deeds import Deed, Seen, furnish, opened, seen, unsound
from engine.errors import AttuneError

STATES = ("old", "new", "between")

State = Literal["old", "new", "between"]
"""What was there: "between" where that is fine: a file that is kept under a second name before
another takes its place, the first of two migrations."""

Rows = tuple[tuple[object, ...], ...]


class Judge:
    """One deed, in fresh copies of the same folder.

    root  where it is done, broken off and looked at
    """

    def __init__(self, deed: Deed, folder: Path) -> None:
        self._deed, self._first, self.root = deed, folder / "first", folder / "owner"
        furnish(self._first)
        deed.furnish(self._first)
        self.renew()
        self._rows, self._version = _rows(self.root), _version(self.root)
        self._old = self._new = seen(self.root)
        self.renew()

    def renew(self) -> None:
        """Have the folder as it was before."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._first, self.root)

    def learn(self) -> None:
        """Take what is there now for what is there when it is done."""
        self._new = seen(self.root)

    def judged(self, *, twice: bool) -> tuple[State, str]:
        """Which state is there, and what is wrong; at the end the deed is done again.

        twice  also where it was done already
        """
        if self._deed.reopens and (torn := self._torn()):
            return "between", torn
        version = _version(self.root)
        try:
            state, problem = self._state(seen(self.root))
            if self._deed.reopens and not problem:
                state = self._came_to(version)
            if problem := problem or unsound(self.root):
                return state, problem
            if state == "new" and not twice:
                return state, ""
            self._again()
            return state, "" if self._done(state) else "doing it again comes to something else"
        except AttuneError as error:
            return "between", error.message

    def _state(self, now: Seen) -> tuple[State, str]:
        if now == self._old:
            return "old", ""
        if now == self._new:
            return "new", ""
        fine = self._deed.between(self._old, self._new, now)
        return "between", "" if fine else "it is neither old nor new"

    def _came_to(self, version: int) -> State:
        """Looking at it brought it along to the end, so its version tells what had been there; of
        several steps each is whole."""
        if version == self._version:
            return "old"
        return "new" if version == _version(self.root) else "between"

    def _again(self) -> None:
        engine = opened(self.root)
        try:
            self._deed.act(engine, self.root)
        finally:
            engine.close()

    def _done(self, before: State) -> bool:
        """Whether all of it is there in the end; what was done twice may have been kept twice."""
        now = seen(self.root)
        if before == "old":
            return now == self._new
        return (now.votes, now.chats, now.taste) == (
            self._new.votes, self._new.chats, self._new.taste,
        )  # fmt: skip

    def _torn(self) -> str:
        """What is wrong with a record that was being brought along, before anybody opens it as
        Attune does: its rows are the same ones in every version."""
        return "" if _rows(self.root) == self._rows else "the rows are others"


def _rows(root: Path) -> Rows:
    """What stands in a record of any version, a half-made journal rolled back first."""
    with closing(sqlite3.connect(root / "data" / "record.db")) as connection:
        changes = connection.execute("SELECT id, at, kind, duel, undone FROM changes ORDER BY id")
        duels = connection.execute("SELECT id, at, model, trait, body FROM duels ORDER BY id")
        return (*changes.fetchall(), *duels.fetchall())


def _version(root: Path) -> int:
    with closing(sqlite3.connect(root / "data" / "record.db")) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
