"""The chats that are kept, as last told by the engine: the list, what was searched for, opening one
and changing it. On the GUI thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from desktop import reopening
from desktop.bridge import Bridge, Job, Listener, once
from desktop.chat_words import exported, imported
from desktop.reopening import Reopened
from engine.api import AttuneError, Chat, Engine, Found, Imported, OpenChat

log = logging.getLogger("desktop.chats")

CHATS = "attune-chats"
"""Name of the thread that reads chats: finding one does not wait for an answer."""

PAGE = 100
"""Chats that are read at once."""

REST = 200
"""Milliseconds of rest before what was typed is searched for."""

SOON = 100
"""Milliseconds in which several changes are told together."""

MOST_FOUND = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """Chats, of the list or of the trash, and whether there are more of them."""

    chats: tuple[Chat, ...]
    more: bool


class Chats(QObject):
    """Every change of a chat as a whole goes through here.

    chats    those of the list that were read, pinned ones first, then the newest
    more     there are more of them
    trash    those that were deleted, the newest first
    words    what is searched for; "" is nothing
    found    what a search found
    trouble  why nothing could be read the last time, in a sentence; "" if it could

    changed()          `chats` or `trouble` is new
    searched()         `words` or `found` is new
    trash_changed()    `trash` is new
    opened(Reopened)   a chat, or another branch of one
    lost(str)          a chat could not be opened, and why
    deleted(Chat)      one went to the trash; `undelete` brings it back
    did(str)           what the owner wanted is done, in a sentence
    failed(str)        it could not be done, and why
    """

    changed = Signal()
    searched = Signal()
    trash_changed = Signal()
    opened = Signal(object)
    lost = Signal(str)
    deleted = Signal(object)
    did = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._bridge = Bridge(self, name=CHATS)
        self.chats: tuple[Chat, ...] = ()
        self.trash: tuple[Chat, ...] = ()
        self.found: tuple[Found, ...] = ()
        self.words = self.trouble = ""
        self.more = False
        self._reading = False
        self._search: Job | None = None
        self._open: Job | None = None
        self._soon = QTimer(self, singleShot=True, interval=SOON)
        self._soon.timeout.connect(self.fetch)
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._search_now)

    # Reading ----------------------------------------------------------------------------

    def fetch(self) -> None:
        """Read the list anew, as far as it was read."""
        limit = max(PAGE, len(self.chats))
        listener = Listener(heard=self._listed, failed=self._unread)
        self._bridge.submit(once(partial(self._pages, limit)), listener)

    def touch(self) -> None:
        """Something was said: read the list anew soon."""
        if not self._soon.isActive():
            self._soon.start()

    def fetch_more(self) -> None:
        """Read the next page of the list."""
        if self.more and not self._reading:
            self._reading = True
            listener = Listener(heard=self._listed, failed=self._unread)
            limit = len(self.chats) + PAGE
            self._bridge.submit(once(partial(self._pages, limit)), listener)

    def fetch_trash(self) -> None:
        listener = Listener(heard=self._trashed, failed=self._failed)
        self._bridge.submit(once(self._trash), listener)

    def search(self, words: str) -> None:
        """Look for chats, after a moment in which nothing else was typed; "" is the list again."""
        self.words = words.strip()
        if self.words:
            self._rest.start()
        else:
            self._rest.stop()
            self._forget(self._search)
            self.found = ()
            self.searched.emit()

    def open(self, chat: str) -> None:
        """Read a chat, to go on with it; one that is still being read is forgotten."""
        self._read(lambda: self._engine.chats.open(chat))

    def resume(self, *, wanted: Callable[[], bool]) -> None:
        """Open the chat in which something was said last, if its answer is unfinished.

        wanted  whether it is still to be opened, once it was read
        """

        def heard(item: object) -> None:
            if wanted():
                self._opened(item)

        listener = Listener(heard=heard, failed=self._unread)
        self._open = self._bridge.submit(once(self._unfinished), listener)

    def choose(self, message: str) -> None:
        """Let the branch go through this version of a question or of an answer."""
        self._read(lambda: self._engine.chats.choose(message))

    def read_duels(self, answers: Iterable[str], told: Callable[[object], None]) -> None:
        """Read both answers of duels; `told` hears a dict by id of the one that was asked for."""
        asked = tuple(answers)
        work = once(lambda: reopening.duels(self._engine.chats, asked))
        self._bridge.submit(work, Listener(heard=told))

    # Changing ---------------------------------------------------------------------------

    def rename(self, chat: str, title: str) -> None:
        self._do(lambda: self._engine.chats.rename(chat, title))

    def pin(self, chat: str, *, pinned: bool) -> None:
        self._do(lambda: self._engine.chats.pin(chat, pinned=pinned))

    def delete(self, chat: Chat) -> None:
        """Put a chat into the trash."""
        self._do(lambda: self._engine.chats.delete(chat.id), lambda _: self.deleted.emit(chat))

    def undelete(self, chat: Chat) -> None:
        """Take a chat out of the trash."""
        said = self.tr("“{0}” is back.").format(chat.title)
        self._do(lambda: self._engine.chats.undelete(chat.id), lambda _: self._undeleted(said))

    def erase(self, chat: Chat) -> None:
        """Erase a chat for good."""
        said = self.tr("“{0}” is erased.").format(chat.title)
        self._do(
            lambda: self._engine.chats.erase(chat.id), lambda _: self._undeleted(said),
            after=self.fetch_trash,
        )  # fmt: skip

    def export(self, to: Path, *, chat: str = "", format: Literal["md", "json"]) -> None:
        """Write a chat to a new file, or all of them; "" is all."""
        chats = (chat,) if chat else None
        self._do(
            lambda: self._engine.chats.export(to, chats=chats, format=format),
            lambda paths: self.did.emit(exported(paths if isinstance(paths, tuple) else ())),
        )

    def print(
        self, to: Path, *, chat: str, press: Callable[[OpenChat], Iterable[bytes]]
    ) -> None:  # fmt: skip
        """Write a chat to a new PDF. The end of the window leaves it undone.

        press  makes the file, on the thread of the chats: b"" after each piece of the work
        """

        def work() -> Iterator[object]:
            for content in press(self._engine.chats.open(chat)):
                # Nothing yet is an item too: who closes the window need not wait for the rest.
                yield self._engine.chats.keep_document(to, content) if content else None

        def heard(item: object) -> None:
            if isinstance(item, tuple):
                self.did.emit(exported(item))

        self._bridge.submit(work, Listener(heard=heard, failed=self._failed))

    def import_file(self, path: Path) -> None:
        """Take in the chats of a file."""
        self._do(lambda: self._engine.chats.import_file(path), self._imported)

    def tend(self) -> None:
        """Make the copies that are due, and erase what has been in the trash for long."""
        work = once(lambda: self._engine.chats.tend())
        self._bridge.submit(work, Listener(failed=self._failed))

    def close(self, *, timeout: float) -> bool:
        """End the thread; False if it hung."""
        self._rest.stop()
        self._soon.stop()
        return self._bridge.close(stop=lambda: None, timeout=timeout)

    # ------------------------------------------------------------------------------------

    def _read(self, call: Callable[[], OpenChat]) -> None:
        self._forget(self._open)
        work = once(lambda: reopening.read(self._engine.chats, call()))
        self._open = self._bridge.submit(work, Listener(heard=self._opened, failed=self._lost))

    def _do(
        self,
        call: Callable[[], object],
        done: Callable[[object], None] = lambda _: None,
        *,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        def heard(result: object) -> None:
            self._again()
            done(result)

        def failed(error: AttuneError) -> None:
            self._again()
            after()
            self.failed.emit(error.message)

        self._bridge.submit(once(call), Listener(heard=heard, failed=failed), lasting=True)

    def _again(self) -> None:
        """Show how everything stands."""
        self.fetch()
        if self.words:
            self._search_now()

    def _forget(self, job: Job | None) -> None:
        if job is not None:
            self._bridge.withdraw(job)

    def _search_now(self) -> None:
        self._forget(self._search)
        words = self.words
        work = once(lambda: self._engine.chats.search(words, limit=MOST_FOUND))
        listener = Listener(heard=self._found, failed=self._failed)
        self._search = self._bridge.submit(work, listener)

    # What the engine says ---------------------------------------------------------------

    def _listed(self, item: object) -> None:
        self._reading = False
        if isinstance(item, _Listed):
            self.chats, self.more, self.trouble = item.chats, item.more, ""
            self.changed.emit()

    def _unread(self, error: AttuneError) -> None:
        self._reading = False
        self.trouble = error.message
        self.changed.emit()

    def _trashed(self, item: object) -> None:
        if isinstance(item, _Listed):
            self.trash = item.chats
            self.trash_changed.emit()

    def _found(self, item: object) -> None:
        if isinstance(item, tuple):
            self.found = item
            self.searched.emit()

    def _opened(self, item: object) -> None:
        if isinstance(item, Reopened):
            self.opened.emit(item)

    def _lost(self, error: AttuneError) -> None:
        self.fetch()  # it may be gone
        self.lost.emit(error.message)

    def _undeleted(self, said: str) -> None:
        self.fetch_trash()
        self.did.emit(said)

    def _imported(self, result: object) -> None:
        if isinstance(result, Imported):
            self.did.emit(imported(result))

    def _failed(self, error: AttuneError) -> None:
        self.failed.emit(error.message)

    # On the thread of the chats ---------------------------------------------------------

    def _pages(self, limit: int) -> _Listed:
        """At least so many, if there are."""
        chats: tuple[Chat, ...] = ()
        page: tuple[Chat, ...] = ()
        while len(chats) < limit:
            page = self._engine.chats.page(limit=PAGE, before=chats[-1].id if chats else "")
            chats += page
            if len(page) < PAGE:
                break
        return _Listed(chats=chats, more=len(page) == PAGE)

    def _unfinished(self) -> Reopened | None:
        chats = self._engine.chats
        newest = max(chats.page(limit=PAGE), key=lambda chat: chat.changed, default=None)
        if newest is None:
            return None
        opened = chats.open(newest.id)
        return reopening.read(chats, opened) if reopening.unfinished(opened) else None

    def _trash(self) -> _Listed:
        return _Listed(chats=self._engine.chats.page(limit=500, trash=True), more=False)
