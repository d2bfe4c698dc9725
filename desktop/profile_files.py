"""Profile files that are looked at before they are taken in, and written. On the GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop import data as words
from desktop.bridge import Bridge, Listener, once
from engine.api import AttuneError, Engine, Exported, ProfileDiff

SUFFIX = ".attune-profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a file would change, both ways of taking it in."""

    path: Path
    merge: ProfileDiff
    replace: ProfileDiff


class ProfileFiles(QObject):
    """
    looked(Looked)  a file was read
    wrote(str)      one was written, in a sentence
    failed(str)     that could not be done, and why
    """

    looked = Signal(object)
    wrote = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge

    def look(self, path: Path) -> None:
        """See what a file would change; nothing is changed."""
        listener = Listener(heard=self.looked.emit, failed=self._failed)
        self._bridge.submit(partial(self._compare, path), listener)

    def export(self, path: Path, *, texts: bool) -> None:
        """Write what was learned.

        texts  with the questions and answers that were kept with votes
        """
        work = once(partial(self._write, path, texts=texts))
        listener = Listener(heard=self._written, failed=self._failed)
        self._bridge.submit(work, listener, lasting=True)

    def _written(self, found: object) -> None:
        if isinstance(found, Exported):
            self.wrote.emit(words.profile_written(found))

    def _failed(self, error: AttuneError) -> None:
        self.failed.emit(error.message)

    # On the lane's thread ---------------------------------------------------------------

    def _compare(self, path: Path) -> Iterator[Looked]:
        profiles = self._engine.profiles
        merge, replace = profiles.preview(path), profiles.preview(path, replace=True)
        yield Looked(path=path, merge=merge, replace=replace)

    def _write(self, path: Path, *, texts: bool) -> Exported:
        return self._engine.profiles.export(path, texts=texts)
