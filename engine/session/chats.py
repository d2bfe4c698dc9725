"""The chats that are kept, for the window and the terminal: the store, answers that stream into it,
files to take out and to take in, and the copies.

A private chat is never given to any of this.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.errors import AttuneError, InputError, StorageError
from engine.paths import DataFolder
from engine.store import chat_files, chat_tables, schema
from engine.store.backups import Backups, Kept
from engine.store.chats import ChatStore
from engine.store.record import Record
from engine.types.answers import Answer, Seconds
from engine.types.chats import Chat, ChatMessage, Found, Imported, MessageState, OpenChat
from engine.types.data import Backup
from engine.types.scope import Scope

log = logging.getLogger("engine.session.chats")

PIECE_SECONDS = 0.25
PIECE_TOKENS = 20
"""An answer is kept whenever so much time or so many tokens have passed: what a crash can lose."""

JSON_NAME = "attune-chats.json"

ExportFormat = Literal["md", "json"]


@dataclass(slots=True)
class _Piece:
    """What came of an answer and is not kept yet. kept: tokens that are."""

    since: float
    tokens: int = 0
    kept: int = 0
    texts: list[str] = field(default_factory=list)


class Chats:
    """All that can be done with chats. Every method blocks for a moment and may be called from any
    thread; what writes is on disk when it returns.

    Raises StorageError (DamagedRecord, NewerRecord) where a file cannot be used, UnknownChat and
    UnknownMessage for an id that is not there.
    """

    def __init__(
        self,
        folder: DataFolder,
        record: Record,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        record     of votes: copies of it are made, too
        clock      seconds since the epoch
        rng        draws ids
        monotonic  seconds that never go back
        """
        self._store = ChatStore(folder.chats, clock=clock, rng=rng)
        self._path = folder.chats
        files = (
            Kept(path=folder.chats, kind=chat_tables.KIND, close=self._store.close),
            Kept(path=folder.record, kind=schema.record(), close=record.close),
        )
        self.backups = Backups(folder.backups, files=files, clock=clock)
        self._clock, self._rng, self._monotonic = clock, rng, monotonic
        self._lock = threading.Lock()
        self._pieces: dict[str, _Piece] = {}

    # Saying -----------------------------------------------------------------------------------

    def ask(
        self, text: str, *, chat: str = "", parent: str = "", scope: Scope = "everywhere"
    ) -> ChatMessage:
        """Keep a question before it is answered; the branch goes on with it.

        chat    "" begins a new one, with a title made from the question
        parent  the answer that it follows; "" is a first question
        scope   how far what is learned goes, in a chat that is begun

        An edited question has the parent of the old one. Raises EmptyQuestion, InputError.
        """
        return self._store.ask(text, chat=chat, parent=parent, scope=scope)

    def begin_answer(self, question: str, *, model: str = "", choose: bool = True) -> ChatMessage:
        """Keep an answer that is about to be written, or written again: "partial".

        choose  whether the branch goes on with it; False for the second answer of a duel

        Raises InputError.
        """
        return self._store.begin_answer(question, model=model, choose=choose)

    def append(self, answer: str, text: str, *, tokens: int) -> None:
        """Take what came of an answer; it is kept a piece at a time.

        tokens  of the answer so far

        Where a piece cannot be kept, it is tried again with the next one.
        """
        with self._lock:
            now = self._monotonic()
            piece = self._pieces.setdefault(answer, _Piece(since=now))
            piece.texts.append(text)
            piece.tokens = tokens
            if now - piece.since >= PIECE_SECONDS or tokens - piece.kept >= PIECE_TOKENS:
                self._keep(answer, piece)

    def finish(
        self, answer: str, ended: Answer, *, duel: str = "", facts: dict[str, object] | None = None
    ) -> ChatMessage:
        """Keep an answer with the engine's last word.

        duel   id of the duel that it is an answer of
        facts  to keep beside it, as JSON has them; "seconds" is added
        """
        with self._lock:
            states: dict[str, MessageState] = {
                "stopped": "stopped",
                "interrupted": "interrupted",
            }
            kept = self._store.finish(
                answer,
                state=states.get(ended.finish, "whole"),
                text=ended.text,
                model=ended.model,
                finish=ended.finish,
                tokens=ended.tokens,
                duel=duel,
                facts={"seconds": _spent(ended.seconds)} | (facts or {}),
            )
            self._pieces.pop(answer, None)
            return kept

    def break_off(self, answer: str, *, facts: dict[str, object] | None = None) -> ChatMessage:
        """Keep an answer that ended without the engine's last word, as far as it came."""
        with self._lock:
            piece = self._pieces.get(answer)
            if piece is not None and piece.texts:
                self._keep(answer, piece)
            kept = self._store.finish(answer, state="interrupted", facts=facts or {})
            self._pieces.pop(answer, None)
            return kept

    def withdraw(self, message: str) -> None:
        """Take back a question without answers, or an answer of which nothing came.

        The branch goes on with the newest other version, if there is one; a chat that holds nothing
        any more is gone. Raises InputError where something would be lost.
        """
        self._store.withdraw(message)
        with self._lock:
            self._pieces.pop(message, None)

    def _keep(self, answer: str, piece: _Piece) -> None:
        self._store.append(answer, "".join(piece.texts), tokens=piece.tokens)
        piece.texts.clear()
        piece.since, piece.kept = self._monotonic(), piece.tokens

    def _keep_pieces(self) -> None:
        """Keep what came of answers that are being written, as far as it can be."""
        with self._lock:
            for answer, piece in self._pieces.items():
                with suppress(AttuneError):  # it is tried again with the next piece
                    self._keep(answer, piece)

    # Reading ----------------------------------------------------------------------------------

    def page(self, *, limit: int = 100, before: str = "", trash: bool = False) -> tuple[Chat, ...]:
        """A page of the list: pinned ones first, then the newest.

        before  id of the last chat of the page before
        trash   those that were deleted instead

        Raises InvalidParameter for a limit outside 1..500.
        """
        return self._store.chats(limit=limit, before=before, trash=trash)

    def open(self, chat: str) -> OpenChat:
        """A chat and its current branch; one from the trash, too."""
        return self._store.open(chat)

    def versions(self, message: str) -> tuple[ChatMessage, ...]:
        """A message and all others that follow the same parent, the oldest first."""
        return self._store.versions(message)

    def choose(self, message: str) -> OpenChat:
        """Let the branch go through this message, and below it on as it did when it was there."""
        return self._store.choose(message)

    def search(self, text: str, *, limit: int = 50) -> tuple[Found, ...]:
        """Chats that hold every word of any text that is typed; the last word may go on.

        Those whose titles fit come first, then those with the newest message that fits. Raises
        InvalidParameter for a limit outside 1..500.
        """
        return self._store.search(text, limit=limit)

    # The list ---------------------------------------------------------------------------------

    def rename(self, chat: str, title: str) -> None:
        """Give a chat the owner's title. Raises InvalidParameter for an empty or a long one."""
        self._store.rename(chat, title)

    def pin(self, chat: str, *, pinned: bool = True) -> None:
        """Keep a chat at the top of the list, or no more."""
        self._store.pin(chat, pinned=pinned)

    def set_scope(self, chat: str, scope: Scope) -> None:
        """Say how far what is learned in a chat goes from now on."""
        self._store.set_scope(chat, scope)

    def delete(self, chat: str) -> None:
        """Put a chat into the trash, for 30 days."""
        self._store.delete(chat)

    def undelete(self, chat: str) -> None:
        """Take a chat out of the trash."""
        self._store.undelete(chat)

    def erase(self, chat: str) -> None:
        """Erase a chat for good: from all copies of the file, and from the file.

        Raises StorageError where a copy cannot be read, naming it; the rest is done.
        """
        self._store.delete(chat)  # whatever happens now, it goes in the end
        unread = self._erase_copies([chat])
        self._store.erase([chat])
        if unread:
            raise StorageError(
                f"The chat is erased, but {unread[0]} cannot be read and may still hold it; delete "
                "that file yourself."
            )

    def tend(self) -> tuple[Backup, ...]:
        """Erase what has been in the trash for 30 days, then make the copies that are due.

        For a thread in the background, once after the start: it takes a second with large files.
        """
        try:
            if self._path.exists():
                self._empty_trash()
        finally:  # damaged chats are no reason to copy no votes
            made = self.backups.make_due()
        return made

    def _empty_trash(self) -> None:
        expired = self._store.expired()
        for path in self._erase_copies(expired):
            log.warning("old chats could not be erased from %s", path)
        self._store.erase_expired(expired)

    def _erase_copies(self, chats: Sequence[str]) -> list[Path]:
        """Returns the copies that cannot be read."""
        unread = []
        if chats:
            self.backups.drop_unfinished(self._path)
        copies = (*self.backups.copies_of(self._path), *schema.copies(self._path))
        for path in copies if chats else ():
            copy = ChatStore(path, clock=self._clock, rng=self._rng)
            try:
                there = set(copy.ids(trash=True))
                if held := [chat for chat in chats if chat in there]:
                    copy.erase(held)
            except StorageError:
                unread.append(path)
            finally:
                copy.close()
                for older in schema.copies(path):  # put there where it was of an older version
                    older.unlink(missing_ok=True)
        return unread

    # Files ------------------------------------------------------------------------------------

    def ids(self, *, trash: bool = False) -> tuple[str, ...]:
        """All chats, the oldest first; trash: those in the trash, too."""
        return self._store.ids(trash=trash)

    def export(
        self, to: Path, *, chats: Sequence[str] | None = None, format: ExportFormat = "md"
    ) -> tuple[Path, ...]:
        """Write chats to new files; returns which.

        to      a folder that is there, or the file; for several chats as Markdown a folder, which
                is made if it is missing
        chats   ids; None is all that are not in the trash
        format  "md": the current branches, to read, a file each; "json": everything, in one file

        Raises InputError where there is nothing to export, or a file is there already, and
        StorageError where one cannot be written.
        """
        ids = tuple(chats) if chats is not None else self._store.ids()
        if not ids:
            raise InputError("There are no chats to export; say something first.")
        self._keep_pieces()
        if format == "json":
            path = to / JSON_NAME if os.path.isdir(to) else to
            files = [(path, chat_files.to_json(self._store.whole(ids)))]
        else:
            files = self._markdown(to, ids)
        return _written(files)

    def keep_document(self, to: Path, content: bytes) -> tuple[Path, ...]:
        """Write a chat that was made into a document elsewhere to a new file, which has its name
        only when it is whole; returns it. Raises what `export` raises."""
        part = to.with_name(f"{to.name}.part")
        if os.path.lexists(to):
            raise _taken(to)
        _written([(part, content)])
        try:
            part.rename(to)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise _unwritable(to, error) from error
        return (to,)

    def _markdown(self, to: Path, ids: Sequence[str]) -> list[tuple[Path, bytes]]:
        opened = [self._store.open(id) for id in ids]
        texts = [
            chat_files.to_markdown(one, finished=self._finished(one)).encode() for one in opened
        ]
        if len(ids) == 1 and not os.path.isdir(to):
            return [(to, texts[0])]
        names = [chat_files.file_name(one.chat) for one in opened]
        return [(to / name, text) for name, text in zip(names, texts, strict=True)]

    def _finished(self, opened: OpenChat) -> dict[str, int]:
        """Of answers that were not written to their end, how many other versions were."""
        return {
            message.id: sum(v.state == "whole" for v in self._store.versions(message.id))
            for message in opened.messages
            if message.state in ("partial", "interrupted")
        }

    def import_file(self, path: Path) -> Imported:
        """Take in the chats of a file, all or none: our own JSON, ChatGPT's conversations.json or
        the zip with it, Open WebUI's chat export. Chats that are here already are passed over.

        Raises UnreadableArchive and other InputErrors; nothing is taken in then.
        """
        from engine.session.archives import read_archive

        archive = read_archive(path, now=self._clock())
        skipped = self._store.put(archive.chats)
        messages = sum(len(chat.messages) for chat in archive.chats)
        return Imported(
            chats=len(archive.chats) - len(skipped),
            messages=messages - sum(len(chat.messages) for chat in skipped),
            skipped=len(skipped),
            notices=archive.notices,
        )

    def close(self) -> None:
        """Close the file; whatever is asked next opens it again."""
        self._store.close()


def _spent(seconds: Seconds) -> float:
    return round(seconds.load + seconds.prefill + seconds.decode + seconds.steer, 3)


def _written(files: Sequence[tuple[Path, bytes]]) -> tuple[Path, ...]:
    """Write new files, closed to other users, all or none."""
    done: list[Path] = []
    path = Path()
    try:
        for path, data in files:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            done.append(path)
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
    except OSError as error:
        for one in done:
            one.unlink(missing_ok=True)
        where = error.filename or path  # a write that fails names no file
        if isinstance(error, FileExistsError):
            raise _taken(where) from error
        raise _unwritable(where, error) from error
    return tuple(done)


def _taken(path: Path | str) -> InputError:
    return InputError(f"{path} is there already; choose another place. Nothing was written.")


def _unwritable(path: Path | str, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written ({error.strerror or error}); free some space or choose "
        "another place. Nothing was written."
    )
