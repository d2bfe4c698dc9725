"""The owner's data as a whole: what is kept where, all of it taken out, all of it erased."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import AttuneError, InputError, StorageError
from engine.paths import DataFolder, confirm, sync_folder
from engine.session import erasing, selftest
from engine.session.chats import Chats
from engine.session.erasing import LOCK, RINGS, Own
from engine.store import backups, calibration, chat_tables, database, profile, schema
from engine.store.backups import Backups
from engine.store.schema import Kind
from engine.types.data import (
    DataExport,
    DataFile,
    DataKind,
    DataOverview,
    DataPart,
    Erasable,
    Receipt,
)
from engine.types.learning import Learned
from engine.types.models import ModelCard
from engine.types.work import Notice

if TYPE_CHECKING:
    from engine.session.profiles import Profiles

PROFILE_NAME = f"profile{profile.SUFFIX}"
ANSWERS_NAME = "answers.jsonl"
CHATS_FOLDER = "chats"


class Data:
    """Everything that is kept of one owner. Every method blocks."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        logs: Path,
        chats: Callable[[], Chats],
        profiles: Callable[[], Profiles],
        learned: Callable[[], Learned],
        models: Callable[[], Sequence[ModelCard]],
        spawn: selftest.Spawn,
        at_rest: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float],
    ) -> None:
        """
        logs     the folder of the log
        models   that can be chosen
        spawn    starts an inference child
        at_rest  while it lasts nothing of this process uses the folder, and no child runs;
                 afterwards all of it is read anew
        clock    seconds since the epoch
        """
        self._folder, self._logs = folder, logs
        self._chats, self._profiles = chats, profiles
        self._learned, self._models = learned, models
        self._spawn, self._at_rest, self._clock = spawn, at_rest, clock

    @property
    def backups(self) -> Backups:
        """The copies of chats and votes."""
        return self._chats().backups

    # Looking ----------------------------------------------------------------------------------

    def overview(self) -> DataOverview:
        """What is kept where, how many and how many bytes. What is damaged is not counted, and the
        part says why. Raises StorageError where the folder cannot be read."""
        own, _ = erasing.sorted_out(self._folder.root)
        parts = tuple(self._part(kind, path, count, own) for kind, path, count in self._kinds(own))
        size = sum(file.size for file in own)
        return DataOverview(folder=str(self._folder.root), parts=parts, size=size)

    def check(self) -> tuple[Notice, ...]:
        """Let SQLite check every database; returns what is wrong, a sentence for each, () if
        nothing is. Raises StorageError where one cannot be opened."""
        found = []
        for path, kind in self._databases():
            if path.exists() and (problems := backups.check(path, kind)):
                text = f"{path.name} is damaged ({problems[0]}); put a copy of it back."
                found.append(Notice(code="damaged", text=text))
        return tuple(found)

    def offline(self) -> bool:
        """Whether the process that runs models was refused a socket to a network by the system,
        found out by starting one. Raises EngineError."""
        return selftest.probe(self._spawn).offline

    def in_use(self) -> bool:
        """Whether a window is open on this folder, this process's own included."""
        try:
            with (self._folder.root / LOCK).open("r+b") as file:
                return _locked(file)
        except FileNotFoundError:
            return False
        except OSError:  # as Windows answers for a file that somebody holds
            return True

    # Taking out -------------------------------------------------------------------------------

    def export(self, to: Path) -> DataExport:
        """Write everything as open files into a new folder, or a new zip file where the name ends
        in .zip: chats as Markdown and JSON, those in the trash too, the profile with the texts that
        were kept, settings, the list of models, measured answers as JSON lines.

        What cannot be read is left out, and that is said. Raises InputError where something of that
        name is there, StorageError where it cannot be written; nothing is left behind then.
        """
        to = to.expanduser().absolute()
        if os.path.lexists(to):
            raise InputError(f"{to} is there already; choose another name. Nothing was written.")
        with _written(to), _folder_beside(to) as made:
            part = made / "export"
            part.mkdir(mode=0o700)
            left_out = tuple(self._write(part))
            files = sorted(path for path in part.rglob("*") if path.is_file())
            for path in files:
                path.chmod(0o600)
            found = DataExport(
                path=str(to),
                files=tuple(path.relative_to(part).as_posix() for path in files),
                size=sum(path.stat().st_size for path in files),
                left_out=left_out,
            )
            if to.suffix.lower() == ".zip":
                part = _packed(part, files)
            else:
                _sync(part, files)
            part.rename(to)
        confirm(to)
        return found

    # Erasing ----------------------------------------------------------------------------------

    def erasable(self) -> Erasable:
        """What `erase` would erase; nothing is changed. Raises StorageError."""
        own, stays = self._sorted_out()
        files = tuple(DataFile(path=str(file.path), size=file.size) for file in own)
        return Erasable(folder=str(self._folder.root), files=files, stays=stays)

    def erase(self) -> Receipt:
        """Erase every file that Attune made in the data folder, and the log; afterwards the engine
        is as on a first start. What Attune did not make stays and is named, and so does what cannot
        be erased; a second call tries that again. The receipt is kept nowhere.

        Nothing may be measured, trained or merged meanwhile. Raises StorageError where another
        program is writing; nothing is erased then.
        """
        erasing.check_free(self._sorted_out()[0])
        with self._at_rest():
            own, stays = self._sorted_out()
            erased, failed = erasing.erase(own, clock=self._clock)
            root = self._folder.root
            # Whoever starts Attune again rings there, and the open window watches that very folder.
            keep = frozenset({RINGS} if self.in_use() else ())
            erasing.remove_empty(root, logs=self._logs, keep=keep)
            sync_folder(root)
        return Receipt(
            folder=str(root), at=self._clock(), erased=erased, failed=failed, stays=stays
        )

    # ------------------------------------------------------------------------------------------

    def _sorted_out(self) -> tuple[tuple[Own, ...], tuple[DataFile, ...]]:
        """As they stand, the lock of an open window being no file to erase."""
        own, stays = erasing.sorted_out(self._folder.root, logs=self._logs)
        if not self.in_use():
            return own, stays
        held = [file for file in own if file.path == self._folder.root / LOCK]
        reason = "the open window needs it, and takes it away when it closes"
        locks = (DataFile(path=str(file.path), size=file.size, reason=reason) for file in held)
        return tuple(file for file in own if file not in held), (*stays, *locks)

    def _databases(self) -> tuple[tuple[Path, Kind], ...]:
        return (
            (self._folder.chats, chat_tables.KIND),
            (self._folder.record, schema.record()),
            (self._folder.calibration, calibration.KIND),
        )

    def _kinds(self, own: Sequence[Own]) -> Iterator[tuple[DataKind, Path, Callable[[], int]]]:
        """Each kind, where it is, and what counts it."""
        folder, root = self._folder, self._folder.root

        def files(kind: DataKind, *, ending: str = "") -> int:
            return sum(file.kind == kind and file.path.name.endswith(ending) for file in own)

        def learned(of: Callable[[Learned], int]) -> int:
            return of(self._learned()) if folder.record.exists() else 0

        def told(known: Learned) -> int:
            return sum(bool(trait.votes) for trait in known.traits)

        def work() -> int:
            return len({file.path.parent for file in own if file.kind == "work"})

        yield "chats", folder.chats, lambda: _count(folder.chats, chat_tables.KIND, "chats")
        yield "votes", folder.record, lambda: learned(lambda known: known.votes)
        yield "profile", folder.record, lambda: learned(told)
        answers = folder.calibration
        yield "answers", answers, lambda: _count(answers, calibration.KIND, "answers")
        yield "models", folder.models, lambda: sum(not card.starter for card in self._models())
        yield "made", root / "made", lambda: files("made", ending=".gguf")
        yield "settings", folder.settings, lambda: files("settings", ending=".json")
        yield "backups", folder.backups, lambda: files("backups", ending=".db")
        yield "work", root, work

    def _part(
        self, kind: DataKind, path: Path, count: Callable[[], int], own: Sequence[Own]
    ) -> DataPart:
        counted: int | None = None
        trouble = ""
        try:
            counted = count()
        except AttuneError as error:
            trouble = error.message
        size = sum(file.size for file in own if file.kind == kind)
        return DataPart(kind=kind, count=counted, size=size, path=str(path), trouble=trouble)

    def _write(self, into: Path) -> Iterator[str]:
        """Write every part; yields a sentence for each that is left out. Raises OSError."""
        for write in (self._write_chats, self._write_profile, self._write_answers):
            try:
                yield from write(into)
            except StorageError as error:
                if isinstance(error.__cause__, OSError):  # not what is read: where it is to go
                    raise error.__cause__ from None
                yield error.message
        folder = self._folder
        for source in (folder.settings, folder.models, folder.provenance, folder.connections):
            if source.exists():
                shutil.copyfile(source, into / source.name)
        own, _ = erasing.sorted_out(self._folder.root)
        made = [f for f in own if f.kind == "made" and f.path.suffix == ".gguf"]
        if made:
            size = sum(file.size for file in made)
            yield (
                f"Adapters and models that were made here stay where they are: {len(made)} in "
                f"{made[0].path.parent}, {size / 1e6:,.0f} MB."
            )
        came = [f for f in own if f.path.parent == folder.downloaded and f.path.suffix == ".gguf"]
        if came:
            size = sum(file.size for file in came)
            yield (
                f"Models that were downloaded stay where they are: {len(came)} in "
                f"{folder.downloaded}, {size / 1e6:,.0f} MB."
            )

    def _write_chats(self, into: Path) -> Iterator[str]:
        if not self._folder.chats.exists():
            return
        chats = self._chats()
        if ids := chats.ids(trash=True):
            chats.export(into, chats=ids, format="json")
            (into / CHATS_FOLDER).mkdir(mode=0o700)
            chats.export(into / CHATS_FOLDER, chats=ids, format="md")
        yield from ()

    def _write_profile(self, into: Path) -> Iterator[str]:
        if not self._folder.record.exists():
            return
        for texts in (True, False):
            try:
                found = self._profiles().export(into / PROFILE_NAME, texts=texts)
            except InputError as error:  # too many for a profile
                yield error.message
                continue
            if found.left_out:
                yield f"{found.left_out} votes have features that no profile may hold."
            return

    def _write_answers(self, into: Path) -> Iterator[str]:
        path = self._folder.calibration
        if not path.exists():
            return
        file = database.File(path, kind=calibration.KIND)
        try:
            with file.reading() as connection, (into / ANSWERS_NAME).open("w") as lines:
                rows = connection.execute("SELECT * FROM answers ORDER BY at, candidate, question")
                names = [column[0] for column in rows.description]
                for row in rows:
                    lines.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")
        finally:
            file.close()
        yield from ()


def _count(path: Path, kind: Kind, table: str) -> int:
    """Rows of a table; 0 where there is no such file, which is not made."""
    if not path.exists():
        return 0
    file = database.File(path, kind=kind)
    try:
        with file.reading() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        file.close()


@contextmanager
def _written(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{to} cannot be written ({error.strerror or error}); free some space or choose "
            "another place. Nothing was written."
        ) from error


@contextmanager
def _folder_beside(to: Path) -> Iterator[Path]:
    """A folder for a moment; that it cannot be taken away is no reason to say that nothing was
    written."""
    with tempfile.TemporaryDirectory(
        prefix=".attune-", dir=to.parent, ignore_cleanup_errors=True
    ) as made:
        yield Path(made)


def _packed(folder: Path, files: Sequence[Path]) -> Path:
    """A new zip file beside a folder, closed to other users."""
    to = folder.with_name("export.zip")
    descriptor = os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        # Not strict: a clock that was far off gives files a time that no zip can hold.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
            for path in files:
                packed.write(path, path.relative_to(folder).as_posix())
        file.flush()
        os.fsync(descriptor)
    return to


def _sync(folder: Path, files: Sequence[Path]) -> None:
    """Have files, and all names below a folder, outlive a power cut."""
    for path in files:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    for below in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        sync_folder(below)


def _locked(file: IO[bytes]) -> bool:
    """Whether somebody holds an open file, as Qt's locks do."""
    if sys.platform == "win32":
        return False  # who holds it does not let others open it for writing
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
