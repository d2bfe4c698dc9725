"""The chats that are kept, in one file.

The messages of a chat are a tree: a question that is edited and an answer that is written again
stand beside the old ones, and nothing is overwritten. Every message remembers which of its children
the branch goes on with, so that whoever comes back to a version comes back to where it was left.

A private chat is never given to this file; there is no mark for it, and nothing of it to erase.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from engine.errors import EmptyQuestion, InputError, InvalidParameter, UnknownMessage
from engine.store import chat_index, chat_rows, chat_search, chat_trees, database
from engine.store.chat_rows import chat_number, message_number
from engine.store.chat_tables import KIND
from engine.store.chat_trees import LONGEST_FACTS, LONGEST_TITLE, StoredChat, encoded, named
from engine.types.answers import Finish
from engine.types.chats import Chat, ChatMessage, Found, MessageState, OpenChat
from engine.types.scope import SCOPES, Scope

MOST_LISTED = 500
"""Chats in one page of the list, or found by one search."""

TRASH_SECONDS = 30 * 86_400.0
"""How long a deleted chat can be had back."""

_DIGITS = {"chats": 8, "messages": 12}
"""Hexadecimal digits of an id."""


class ChatStore:
    """The chats in one file, which other processes may use at the same time.

    path   the file; made on first use, in a folder that is there
    clock  seconds since the epoch
    rng    draws ids

    Threads may share it. Every method raises StorageError (DamagedRecord, NewerRecord) where the
    file cannot be used; then nothing is saved. What writes is on disk when it returns. Methods that
    take the id of a chat or a message raise UnknownChat or UnknownMessage.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float], rng: random.Random) -> None:
        self._file = database.File(path, kind=KIND)
        self._clock, self._rng = clock, rng

    # Saying -----------------------------------------------------------------------------------

    def ask(
        self, text: str, *, chat: str = "", parent: str = "", scope: Scope = "everywhere"
    ) -> ChatMessage:
        """Keep a question, from now on where the branch goes on.

        chat    "" begins a new one; one that is in the trash comes out of it
        parent  the answer that it follows; "" is a first question
        scope   of a chat that is begun; another one keeps its own

        Raises EmptyQuestion, and InputError where the parent is no answer.
        """
        if not text.strip():
            raise EmptyQuestion("There is no question to keep; write one.")
        with self._writing() as connection:
            number = chat_number(connection, chat) if chat else self._begin(connection, scope)
            above = message_number(connection, parent, chat=number) if parent else None
            if above is not None and not chat_rows.is_answer(connection, above):
                raise InputError(f"A question cannot follow {named(parent)}, which is one itself.")
            new = self._add(connection, chat=number, parent=above, role="user", text=text)
            # All the way: what it follows may be the answer that was not chosen until now.
            chat_rows.choose_path(connection, chat=number, message=new)
            if above is None:
                chat_rows.propose(connection, number)
            connection.execute("UPDATE chats SET deleted = NULL WHERE number = ?", (number,))
            self._touch(connection, number)
            return chat_rows.read_message(connection, new)

    def begin_answer(self, question: str, *, model: str = "", choose: bool = True) -> ChatMessage:
        """Keep an answer that is about to be written: empty, "partial".

        choose  whether the branch goes on with it; of two answers side by side only with one

        Raises InputError where the parent is no question.
        """
        with self._writing() as connection:
            above = message_number(connection, question)
            if chat_rows.is_answer(connection, above):
                raise InputError(f"An answer cannot follow {named(question)}, which is one itself.")
            number = chat_rows.chat_of(connection, above)
            new = self._add(connection, chat=number, parent=above, role="assistant", model=model)
            if choose:
                chat_rows.choose(connection, chat=number, parent=above, child=new)
            return chat_rows.read_message(connection, new)

    def append(self, answer: str, text: str, *, tokens: int) -> None:
        """Keep what came of an answer that is being written.

        tokens  of the answer so far
        """
        with self._writing() as connection:
            changed = connection.execute(
                """UPDATE messages SET text = text || ?, tokens = ?
                   WHERE id = ? AND state = 'partial'""",
                (text, tokens, answer),
            )
            if not changed.rowcount:
                raise _not_written(answer)

    def finish(
        self,
        answer: str,
        *,
        state: MessageState,
        text: str | None = None,
        model: str = "",
        finish: Finish | Literal[""] = "",
        tokens: int = 0,
        duel: str = "",
        facts: dict[str, object],
    ) -> ChatMessage:
        """Keep how an answer ended, with its whole text; None leaves what was appended.

        model, tokens  "" and 0 leave what is known already
        finish         "" where nobody knows

        Raises InvalidParameter for facts of more than LONGEST_FACTS characters.
        """
        body = encoded(facts)
        if len(body) > LONGEST_FACTS:
            raise InvalidParameter.outside("facts", f"{len(body)} long", f"at most {LONGEST_FACTS}")
        with self._writing() as connection:
            changed = connection.execute(
                """UPDATE messages SET text = ifnull(?, text), state = ?, finish = ?, duel = ?,
                   facts = ?, model = ifnull(nullif(?, ''), model), tokens = max(?, tokens)
                   WHERE id = ? AND state = 'partial'""",
                (text, state, finish, duel, body, model, tokens, answer),
            )
            if not changed.rowcount:
                raise _not_written(answer)
            number = message_number(connection, answer)
            self._touch(connection, chat_rows.chat_of(connection, number))
            return chat_rows.read_message(connection, number)

    def withdraw(self, message: str) -> None:
        """Take back what came to nothing: a question without answers, or an empty answer.

        The branch goes on with the newest other version, if there is one. A chat that holds nothing
        any more is gone. Raises InputError where something would be lost.
        """
        with self._writing() as connection:
            number = message_number(connection, message)
            role, text, parent, chat = connection.execute(
                "SELECT role, text, parent, chat FROM messages WHERE number = ?", (number,)
            ).fetchone()
            if (role == "assistant" and text) or chat_rows.children(connection, chat, number):
                raise InputError(
                    f"The message {named(message)} is not empty, or something follows it; delete "
                    "the chat instead."
                )
            was_chosen = number == chat_rows.chosen(connection, chat, parent)
            connection.execute("DELETE FROM messages WHERE number = ?", (number,))
            left = chat_rows.children(connection, chat, parent)
            if parent is None and not left:
                chat_rows.erase(connection, chat)
            elif was_chosen:
                newest = left[-1] if left else None
                chat_rows.choose(connection, chat=chat, parent=parent, child=newest)
                if parent is None:
                    chat_rows.propose(connection, chat)

    # Reading ----------------------------------------------------------------------------------

    def open(self, chat: str) -> OpenChat:
        """A chat and its current branch; one from the trash, too."""
        with self._file.reading() as connection:
            return _opened(connection, chat_number(connection, chat))

    def versions(self, message: str) -> tuple[ChatMessage, ...]:
        """The message and all others that follow the same parent, the oldest first."""
        with self._file.reading() as connection:
            number = message_number(connection, message)
            parent, chat = connection.execute(
                "SELECT parent, chat FROM messages WHERE number = ?", (number,)
            ).fetchone()
            found = chat_rows.children(connection, chat, parent)
            return tuple(chat_rows.read_message(connection, one) for one in found)

    def choose(self, message: str) -> OpenChat:
        """Let the branch go through this message, and below it on as it did when it was there."""
        with self._writing() as connection:
            number = message_number(connection, message)
            chat = chat_rows.chat_of(connection, number)
            chat_rows.choose_path(connection, chat=chat, message=number)
            return _opened(connection, chat)

    def chats(self, *, limit: int, before: str = "", trash: bool = False) -> tuple[Chat, ...]:
        """A page of the list: pinned ones first, then the newest.

        limit   in 1..MOST_LISTED
        before  id of the last chat of the page before; "" is the first page
        trash   those that were deleted instead

        Raises InvalidParameter.
        """
        _check_limit(limit)
        where = "deleted IS NOT NULL" if trash else "deleted IS NULL"
        order = "ORDER BY pinned DESC, changed DESC, number DESC LIMIT ?"
        with self._file.reading() as connection:
            if not before:
                return tuple(chat_rows.chats(connection, f"{where} {order}", (limit,)))
            last = chat_number(connection, before)
            after = """(pinned, changed, number) <
                       (SELECT pinned, changed, number FROM chats WHERE number = ?)"""
            return tuple(chat_rows.chats(connection, f"{where} AND {after} {order}", (last, limit)))

    def search(self, text: str, *, limit: int) -> tuple[Found, ...]:
        """Chats that hold every word of `text`, the last of which may go on; none from the trash.

        Any text will do. Those whose titles fit come first, then those with the newest message.

        Raises InvalidParameter for a limit outside 1..MOST_LISTED.
        """
        _check_limit(limit)
        with self._file.reading() as connection:
            found = []
            for hit in chat_search.search(connection, text, limit=limit):
                (chat,) = chat_rows.chats(connection, "number = ?", (hit.chat,))
                found.append(
                    Found(chat=chat, message=hit.message, snippet=hit.snippet, marks=hit.marks)
                )
            return tuple(found)

    # The list ---------------------------------------------------------------------------------

    def rename(self, chat: str, title: str) -> None:
        """Give a chat the owner's title, on one line. Raises InvalidParameter for an empty one."""
        line = " ".join(title.split())
        if not line or len(line) > LONGEST_TITLE:
            allowed = f"a line of 1 to {LONGEST_TITLE} characters"
            raise InvalidParameter.outside("title", line[:LONGEST_TITLE], allowed)
        self._set(chat, "title = ?, named = 1", line)

    def pin(self, chat: str, *, pinned: bool) -> None:
        """Keep a chat at the top of the list, or no more."""
        self._set(chat, "pinned = ?", int(pinned))

    def set_scope(self, chat: str, scope: Scope) -> None:
        """Say how far what is learned in a chat goes from now on. Raises InvalidParameter."""
        if scope not in SCOPES:
            raise InvalidParameter.outside("scope", scope, f"one of {', '.join(SCOPES)}")
        self._set(chat, "scope = ?", scope)

    def delete(self, chat: str) -> None:
        """Put a chat into the trash; one that is there stays as long as it would have."""
        self._set(chat, "deleted = ifnull(deleted, ?)", self._clock())

    def undelete(self, chat: str) -> None:
        """Take a chat out of the trash; changes nothing where it is not in it."""
        self._set(chat, "deleted = ?", None)

    def erase(self, chats: Sequence[str]) -> None:
        """Erase chats for good, all or none: their texts are in this file no more, and no word of
        what was withdrawn or renamed before; () does that alone."""
        with self._writing() as connection:
            for chat in chats:
                chat_rows.erase(connection, chat_number(connection, chat))
            chat_index.forget(connection)

    def expired(self) -> tuple[str, ...]:
        """Ids of chats that have been in the trash for more than TRASH_SECONDS."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM chats WHERE deleted < ?", (self._clock() - TRASH_SECONDS,)
            )
            return tuple(id for (id,) in rows)

    def erase_expired(self, chats: Sequence[str]) -> None:
        """As `erase`, of these what has expired still: since that was asked another program may
        have taken one out of the trash, or erased it."""
        with self._writing() as connection:
            before = self._clock() - TRASH_SECONDS
            for chat in chats:
                row = connection.execute(
                    "SELECT number FROM chats WHERE id = ? AND deleted < ?", (chat, before)
                ).fetchone()
                if row is not None:
                    chat_rows.erase(connection, row[0])
            chat_index.forget(connection)

    # Whole chats ------------------------------------------------------------------------------

    def ids(self, *, trash: bool = False) -> tuple[str, ...]:
        """All chats, the oldest first; trash: those in the trash, too."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM chats WHERE ? OR deleted IS NULL ORDER BY number", (trash,)
            )
            return tuple(id for (id,) in rows)

    def whole(self, chats: Sequence[str]) -> tuple[StoredChat, ...]:
        """Chats with everything in them, as of one moment."""
        with self._file.reading() as connection:
            return tuple(chat_trees.read(connection, chat_number(connection, id)) for id in chats)

    def put(self, chats: Iterable[StoredChat]) -> tuple[StoredChat, ...]:
        """Put in chats, all or none; returns those that were there already, and are as they were.

        Ids are kept where they are ours and free, and drawn afresh otherwise. Raises InputError
        where one cannot be a chat.
        """
        skipped = []
        with self._writing() as connection:
            for chat in chats:
                chat_trees.check(chat)
                if chat_rows.is_there(connection, chat):
                    skipped.append(chat)
                    continue
                chat_trees.insert(
                    connection,
                    chat,
                    fresh_chat=lambda id: self._fresh(connection, "chats", wanted=id),
                    fresh_message=lambda id: self._fresh(connection, "messages", wanted=id),
                )
        return tuple(skipped)

    def close(self) -> None:
        """Close the file; whatever is asked next opens it again."""
        self._file.close()

    # ------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._file.writing() as connection:
            chat_index.prepare(connection)
            yield connection
            chat_index.catch_up(connection)

    def _set(self, chat: str, assignment: str, value: object) -> None:
        with self._writing() as connection:
            number = chat_number(connection, chat)
            connection.execute(f"UPDATE chats SET {assignment} WHERE number = ?", (value, number))

    def _touch(self, connection: sqlite3.Connection, number: int) -> None:
        connection.execute("UPDATE chats SET changed = ? WHERE number = ?", (self._clock(), number))

    def _begin(self, connection: sqlite3.Connection, scope: Scope) -> int:
        now = self._clock()
        begun = connection.execute(
            "INSERT INTO chats (id, title, created, changed, scope) VALUES (?, '', ?, ?, ?)",
            (self._fresh(connection, "chats"), now, now, scope),
        )
        return _inserted(begun)

    def _add(
        self,
        connection: sqlite3.Connection,
        *,
        chat: int,
        parent: int | None,
        role: str,
        text: str = "",
        model: str = "",
    ) -> int:
        added = connection.execute(
            """INSERT INTO messages (id, chat, parent, role, text, at, state, model)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                self._fresh(connection, "messages"),
                chat,
                parent,
                role,
                text,
                self._clock(),
                "whole" if role == "user" else "partial",
                model,
            ),
        )
        return _inserted(added)

    def _fresh(self, connection: sqlite3.Connection, table: str, *, wanted: str = "") -> str:
        """The id that is wanted, where it looks like ours and is free; else one that is free."""
        digits = _DIGITS[table]
        id = wanted
        while (
            not _is_ours(id, digits)
            or connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (id,)).fetchone()
        ):
            id = f"{self._rng.getrandbits(4 * digits):0{digits}x}"
        return id


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidParameter.outside("limit", limit, f"from 1 to {MOST_LISTED}")


def _opened(connection: sqlite3.Connection, number: int) -> OpenChat:
    (chat,) = chat_rows.chats(connection, "number = ?", (number,))
    return OpenChat(chat=chat, messages=tuple(chat_rows.branch(connection, number)))


def _inserted(cursor: sqlite3.Cursor) -> int:
    number = cursor.lastrowid
    assert number is not None
    return number


def _is_ours(id: str, digits: int) -> bool:
    return len(id) == digits and not set(id) - set("0123456789abcdef")


def _not_written(answer: str) -> UnknownMessage:
    return UnknownMessage(
        f"The answer {named(answer)} is not being written; it ended, or its chat was erased."
    )
