"""Copies of the files that last: made when the newest is older than a day, checked, thinned, put
back.

A copy is made by SQLite from a file that others may be using, checked as a whole before it gets its
name, and closed to other users. What a restored copy takes the place of is kept beside the copies.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.errors import DamagedRecord, StorageError, UnknownBackup
from engine.paths import confirm, made, sync_folder
from engine.store import database
from engine.store.schema import Kind, keep_copy
from engine.types.data import Backup

DAY = 86_400.0
KEPT = (("%Y-%m-%d", 7), ("%G-%V", 4), ("%Y-%m", 6))
"""Of the newest days, weeks and months that have copies one copy each, the newest."""

_STAMP = "%Y-%m-%dT%H%M%SZ"
_NAME = re.compile(r"(?P<stem>\w+)-(?P<at>\d{4}-\d\d-\d\dT\d{6}Z)(?P<replaced>-replaced)?\.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that copies are made of.

    path   NAME.db
    close  closes the file in this process; whatever is asked of it next opens it again
    """

    path: Path
    kind: Kind
    close: Callable[[], None]


class Backups:
    """The copies in one folder.

    folder  made when the first copy is, in a folder that is there
    files   what is copied; a file that is missing is passed over
    clock   seconds since the epoch

    Every method raises StorageError where a file or the folder cannot be used.
    """

    def __init__(self, folder: Path, *, files: Sequence[Kept], clock: Callable[[], float]) -> None:
        self._folder, self._clock = folder, clock
        self._files = {file.path.name: file for file in files}

    def list(self) -> tuple[Backup, ...]:
        """All copies, the newest first."""
        return tuple(sorted(self._found(), key=lambda copy: (-copy.at, copy.name)))

    def make(self) -> tuple[Backup, ...]:
        """Copy every file now, and thin out older copies. Raises DamagedRecord for a damaged file;
        its copies stay as they are, and the other files are copied."""
        return self._copied([file for file in self._files.values() if file.path.exists()])

    def make_due(self) -> tuple[Backup, ...]:
        """Copy the files whose newest copy is older than a day, or from the future; as `make`."""
        newest = {copy.of: copy.at for copy in reversed(self.list()) if not copy.replaced}
        return self._copied(
            [
                file
                for name, file in self._files.items()
                if file.path.exists() and not 0.0 <= self._clock() - newest.get(name, -DAY) < DAY
            ]
        )

    def restore(self, name: str) -> Backup | None:
        """Put a copy in the place of its file; returns what was there, which is kept, if anything.

        Other programs that have the file open are told so when they write. Raises UnknownBackup,
        DamagedRecord where the copy is no sound file of its kind, and StorageError where another
        program does not let go of the file; nothing is changed then.
        """
        copy = next((copy for copy in self.list() if copy.name == name), None)
        if copy is None:
            raise UnknownBackup(f"There is no copy {name!r}; 'attune backups list' shows all.")
        file = self._files[copy.of]
        path = self._folder / name
        if problems := check(path, file.kind):
            raise DamagedRecord(
                f"The copy {path} is damaged ({problems[0]}); take another one. Nothing was "
                "changed.",
                detail="\n".join(problems),
            )
        file.close()
        try:
            with database.translated(file.path, file.kind):
                return self._replace(file, path)
        finally:
            file.close()  # another thread may have opened the one that was there, meanwhile

    def drop_unfinished(self, file: Path) -> None:
        """Delete copies of a file that are not whole: a crash left them, or they hold by now what
        they should not; whoever is making one is told so."""
        for part in self._folder.glob(f"{file.stem}-*.db.part*"):
            try:
                part.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(
                    f"{part} cannot be deleted ({error.strerror or error}); delete it yourself."
                ) from error

    def copies_of(self, file: Path) -> tuple[Path, ...]:
        """Paths of all copies of a file, and of what was replaced."""
        return tuple(self._folder / copy.name for copy in self.list() if copy.of == file.name)

    def whole_copies_of(self, file: Path) -> tuple[Path, ...]:
        """The same, for what is to be erased from all of them: those that are not whole are
        deleted first. Raises StorageError."""
        self.drop_unfinished(file)
        return self.copies_of(file)

    # ------------------------------------------------------------------------------------------

    def _found(self) -> Iterator[Backup]:
        try:
            names = os.listdir(self._folder) if self._folder.exists() else []
        except OSError as error:
            raise StorageError(
                f"The folder {self._folder} cannot be read ({error.strerror or error}); check its "
                "permissions."
            ) from error
        for name in names:
            parts = _NAME.fullmatch(name)
            if parts is None or f"{parts['stem']}.db" not in self._files:
                continue
            with suppress(ValueError, FileNotFoundError):  # no such day; or just deleted
                yield self._described(parts)

    def _described(self, parts: re.Match[str]) -> Backup:
        """Raises ValueError where there is no such day, FileNotFoundError."""
        at = datetime.strptime(parts["at"], _STAMP).replace(tzinfo=UTC)
        return Backup(
            name=parts[0],
            of=f"{parts['stem']}.db",
            at=at.timestamp(),
            size=(self._folder / parts[0]).stat().st_size,
            replaced=parts["replaced"] is not None,
        )

    def _copied(self, files: Sequence[Kept]) -> tuple[Backup, ...]:
        """Copy them; what one of them raises comes when all others are copied."""
        made: list[Backup] = []
        stopped: list[StorageError] = []
        for file in files:
            try:
                made.append(self._copy(file))
            except StorageError as error:
                stopped.append(error)
        if stopped:
            raise stopped[0]
        return tuple(made)

    def _copy(self, file: Kept) -> Backup:
        made(self._folder)
        path = self._folder / self._name(file)
        with database.translated(file.path, file.kind):
            try:
                keep_copy(file.path, path, name=file.kind.name)
            except DamagedRecord as error:
                raise DamagedRecord(
                    f"The {file.kind.name} {file.path} is damaged and was not copied; "
                    "'attune backups list' shows earlier copies.",
                    detail=error.detail,
                ) from error
            self._sync(file)
            self._thin(file, made=path.name)
            return self._named(path)

    def _thin(self, file: Kept, *, made: str) -> None:
        """made: the copy that was made just now, which stays: by a clock that was put back it is
        the oldest."""
        copies = [copy for copy in self.list() if copy.of == file.path.name and not copy.replaced]
        staying = kept([copy.at for copy in copies])
        for copy in copies:
            if copy.at not in staying and copy.name != made:
                (self._folder / copy.name).unlink(missing_ok=True)

    def _replace(self, file: Kept, copy: Path) -> Backup | None:
        """At any moment there is a file: the old one, or the copy."""
        part = file.path.with_name(f"{file.path.name}.restored")
        aside = self._folder / self._name(file, replaced=True)
        try:
            keep_copy(copy, part, name=file.kind.name)
            with _held(file.path) as there:
                if there:
                    _keep_too(file.path, aside)
                else:  # what is left beside a missing file would be rolled back into the copy
                    file.path.with_name(f"{file.path.name}-journal").unlink(missing_ok=True)
                # Or a power cut could leave the copy without what it took the place of, or with
                # the journal of that.
                self._sync(file)
                os.replace(part, file.path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        confirm(file.path)
        return self._named(aside) if there else None

    def _sync(self, file: Kept) -> None:
        """Have the names of copies, of their folder and beside the file outlive a power cut."""
        sync_folder(self._folder)
        sync_folder(file.path.parent)

    def _name(self, file: Kept, *, replaced: bool = False) -> str:
        at = datetime.fromtimestamp(self._clock(), UTC)
        while True:
            name = f"{file.path.stem}-{at:{_STAMP}}{'-replaced' if replaced else ''}.db"
            if not (self._folder / name).exists():
                return name
            at += timedelta(seconds=1)  # two in one second

    def _named(self, path: Path) -> Backup:
        """A copy that was made here; raises FileNotFoundError where it is gone already."""
        parts = _NAME.fullmatch(path.name)
        assert parts is not None
        return self._described(parts)


def kept(times: Sequence[float]) -> set[float]:
    """Of copies made at these times those that stay."""
    staying: set[float] = set()
    for period, count in KEPT:
        newest: dict[str, float] = {}
        for at in sorted(times, reverse=True):
            newest.setdefault(f"{datetime.fromtimestamp(at, UTC):{period}}", at)
        staying |= set(list(newest.values())[:count])
    return staying


def check(path: Path, kind: Kind) -> list[str]:
    """What is wrong with a file, in SQLite's words; [] is a sound file of this kind.

    Reads all of it. Raises StorageError where it cannot be opened.
    """
    if not path.exists():
        raise StorageError(f"There is no file {path}; put it back.")
    with database.translated(path, kind), closing(sqlite3.connect(path)) as connection:
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            return [str(error)]
    problems = [] if found == ["ok"] else found
    problems += [f"it has no {name}" for name in sorted(kind.tables - tables)]
    if version > len(kind.migrations):
        problems.append(f"its version is {version}, this Attune knows {len(kind.migrations)}")
    return problems


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Keep everybody else from writing to a file, once what was half written is taken back; whether
    it is there. Nobody can write to one that is no database any more.

    Raises sqlite3.OperationalError where another program does not let go of it.
    """
    if not path.exists():
        yield False
        return
    with closing(sqlite3.connect(path, timeout=database.PATIENCE)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
        if os.name == "nt":  # where no file can be replaced that anybody has open
            connection.close()
        yield True


def _keep_too(path: Path, aside: Path) -> None:
    """Give a file a second name, so that it is never without one."""
    try:
        os.link(path, aside)
    except OSError:  # a file system without links
        try:
            shutil.copyfile(path, aside)
            os.chmod(aside, 0o600)
            with aside.open("rb+") as copied:
                os.fsync(copied.fileno())
        except BaseException:
            aside.unlink(missing_ok=True)  # half of it would stand among the copies
            raise
