"""What is kept of the owner, as last told by the engine: taken out, put back, erased. On the GUI
thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop import data as words
from desktop.bridge import Bridge, Listener, once
from engine.api import (
    AttuneError,
    Backup,
    DataExport,
    DataOverview,
    Engine,
    Receipt,
    StorageError,
    receipt_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How everything stands."""

    overview: DataOverview
    backups: tuple[Backup, ...]


class Keeping(QObject):
    """Whatever concerns all data at once goes through here.

    overview  what is kept where; None before that is known
    backups   copies of the files that last, the newest first
    offline   whether the system refuses a network to the process that runs models; None where
              that is not known
    trouble   why nothing could be read the last time, in a sentence; "" if it could
    busy      something is being written, put back, checked or erased

    changed()         something of these is new
    did(str)          what the owner wanted is done, in a sentence
    failed(str)       it could not be done, and why
    restored(Backup)  a copy took the place of its file
    erased(Receipt)   everything was erased, as far as it could be
    """

    changed = Signal()
    did = Signal(str)
    failed = Signal(str)
    restored = Signal(object)
    erased = Signal(object)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self.overview: DataOverview | None = None
        self.backups: tuple[Backup, ...] = ()
        self.offline: bool | None = None
        self.trouble = ""
        self.busy = False
        self._asked = False

    def fetch(self) -> None:
        """Ask for everything; whether there is a network only once, because a process is started
        for that."""
        listener = Listener(heard=self._hear, failed=self._unread)
        self._bridge.submit(once(self._look), listener)
        if not self._asked:
            self._asked = True
            self._bridge.submit(once(self._probe), Listener(heard=self._hear_offline))

    def export(self, to: Path) -> None:
        """Write everything as open files to a new folder or zip file."""
        self._do(partial(self._engine.data.export, to), self._exported)

    def check(self) -> None:
        """Look for damage."""
        self._do(self._check, self._checked)

    def restore(self, backup: Backup) -> None:
        """Put a copy in the place of its file; what is there is kept."""
        self._do(partial(self._restore, backup), self._put_back)

    def erase(self) -> None:
        """Erase everything."""
        self._do(self._engine.data.erase, self.erased.emit)

    def save_receipt(self, receipt: Receipt, path: Path) -> None:
        """Write it where the owner wants it."""
        call = partial(_write, path, receipt_text(receipt))
        self._do(call, lambda _: self.did.emit(words.saved(path)))

    # ------------------------------------------------------------------------------------

    def _do(self, call: Callable[[], object], done: Callable[[object], None]) -> None:
        def heard(item: object) -> None:
            self._rest()
            done(item)

        def failed(error: AttuneError) -> None:
            self._rest()
            self.failed.emit(error.message)

        self.busy = True
        self.changed.emit()
        self._bridge.submit(once(call), Listener(heard=heard, failed=failed), lasting=True)

    def _rest(self) -> None:
        self.busy = False
        self.changed.emit()

    def _hear(self, item: object) -> None:
        if isinstance(item, _Told):
            self.overview, self.backups, self.trouble = item.overview, item.backups, ""
            self.changed.emit()

    def _unread(self, error: AttuneError) -> None:
        self.trouble = error.message
        self.changed.emit()

    def _hear_offline(self, offline: object) -> None:
        self.offline = offline is True
        self.changed.emit()

    def _exported(self, found: object) -> None:
        if isinstance(found, DataExport):
            self.did.emit(words.exported(found))

    def _checked(self, sentence: object) -> None:
        self.did.emit(str(sentence))

    def _put_back(self, backup: object) -> None:
        if isinstance(backup, Backup):
            self.restored.emit(backup)
            self.did.emit(words.put_back(backup))

    # On the lane's thread ---------------------------------------------------------------

    def _look(self) -> _Told:
        data = self._engine.data
        return _Told(overview=data.overview(), backups=data.backups.list())

    def _probe(self) -> bool:
        return self._engine.data.offline()

    def _check(self) -> str:
        return words.sound(tuple(notice.text for notice in self._engine.data.check()))

    def _restore(self, backup: Backup) -> Backup:
        self._engine.data.backups.restore(backup.name)
        return backup


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}); choose another place."
        ) from error
