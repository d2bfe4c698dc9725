"""One window for each data folder: whoever starts Attune again rings, and the open window comes up.

Without a socket: a lock file says who is at home, and a ring is a small file in a folder that the
open window watches. It takes the file away as the answer.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from PySide6.QtCore import QFileSystemWatcher, QLockFile, QObject, Signal

from engine.api import AttuneError

log = logging.getLogger("desktop.doorbell")

LOCK, RINGS = "window.lock", "rings"
PATIENCE = 5.0
"""Seconds that an open window may take to answer; while it draws a long answer it is deaf."""

PAUSE = 0.02
LONGEST = 64 * 1024
"""Bytes of a ring that are read."""


class Doorbell(QObject):
    """Held by the open window as long as it lives.

    rang(tuple)  somebody started Attune again, with these files (tuple[str, ...])
    """

    rang = Signal(tuple)

    def __init__(self, lock: QLockFile, rings: Path) -> None:
        super().__init__()
        self._lock, self._rings = lock, rings
        self._at_home: Callable[[], bool] = lambda: False
        self._watcher = QFileSystemWatcher([str(rings)], self)
        self._watcher.directoryChanged.connect(lambda _: self.listen())

    def begin(self, at_home: Callable[[], bool]) -> None:
        """Answer from now on, as long as somebody is at home, and whoever has rung already."""
        self._at_home = at_home
        self.listen()

    def listen(self) -> None:
        """Answer whoever has rung. Who is about to leave does not: the visitor may move in."""
        if not self._at_home():
            return
        for ring in sorted(self._rings.glob("*.json")):
            files = _read(ring)
            try:
                ring.unlink()
            except OSError as error:  # it will be answered with the next one
                log.warning("a ring could not be answered: %s", error)
            else:
                self.rang.emit(files)

    def close(self) -> None:
        """Nobody is at home any more."""
        if watched := self._watcher.directories():
            self._watcher.removePaths(watched)
        self._lock.unlock()


def move_in(folder: Path) -> Doorbell | None:
    """Be the one window of this data folder; None where another one is open already.

    Raises AttuneError where the folder cannot be used.
    """
    lock = QLockFile(str(folder / LOCK))
    lock.setStaleLockTime(0)  # a window may be open for weeks; one whose process is gone is none
    if not lock.tryLock(0):
        if lock.error() == QLockFile.LockError.LockFailedError:
            return None
        raise AttuneError(
            f"The data folder {folder} cannot be used (no file can be made in it). Choose another "
            "one with --data-dir."
        )
    rings = _made(folder / RINGS)
    _forget_old(rings, since=(folder / LOCK).stat().st_mtime_ns)
    return Doorbell(lock, rings)


def ring(
    folder: Path, files: tuple[str, ...], *, clock: Callable[[], float] = monotonic
) -> Doorbell | None:
    """Have the open window of this data folder come up and open the files. Where it is closed
    instead, be the one window from then on.

    Raises AttuneError where it does not answer.
    """
    bell = _put(_made(folder / RINGS), files)
    until = clock() + PATIENCE
    while bell.exists():
        if (own := move_in(folder)) is not None:
            bell.unlink(missing_ok=True)
            return own
        if clock() > until:
            bell.unlink(missing_ok=True)
            raise AttuneError(
                "Attune is open already, but its window does not answer. Close it, or end its "
                "process, and start again."
            )
        sleep(PAUSE)
    return None


def _forget_old(rings: Path, *, since: int) -> None:
    """Remove what was rung while nobody was at home, and leave what came in the meantime.

    since  when the lock was taken, by the clock of the files, in nanoseconds
    """
    for left in rings.iterdir():
        with suppress(OSError):  # its visitor has gone, or is just writing it
            if left.stat().st_mtime_ns < since:
                left.unlink()


def _put(rings: Path, files: tuple[str, ...]) -> Path:
    """The file, which appears whole."""
    text = json.dumps([str(Path(file).absolute()) for file in files])
    try:
        descriptor, part = tempfile.mkstemp(suffix=".part", dir=rings)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(part).replace(Path(part).with_suffix(".json"))
    except OSError as error:
        raise _unusable(rings, error) from error


def _read(ring: Path) -> tuple[str, ...]:
    """The files that were named; none where the ring says anything else."""
    try:
        with ring.open("rb") as file:
            found = json.loads(file.read(LONGEST))
    except (OSError, ValueError, RecursionError) as error:
        log.warning("a ring could not be read: %s", error)
        return ()
    known = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return tuple(found) if known else ()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _unusable(folder: Path, error: OSError) -> AttuneError:
    return AttuneError(
        f"The folder {folder} cannot be used ({error.strerror or error}). Choose another data "
        "folder with --data-dir."
    )
