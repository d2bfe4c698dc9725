"""Questions in SQL about the tables of chats; inside a transaction, by the numbers of rows."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter

from engine.errors import UnknownChat, UnknownMessage
from engine.store.chat_trees import COLUMNS, StoredChat, named, values
from engine.types.chats import Chat, ChatMessage

LONGEST_PROPOSAL = 60
"""Characters of a title that is made from the first question."""

_LONGEST_SNIPPET = 120

_SENTENCE = re.compile(r"(.+?[.!?…])\s")


def proposed_title(text: str) -> str:
    """The first sentence of a question, on one line, cut at a word where it is long."""
    line = " ".join(text.split())
    if sentence := _SENTENCE.match(line):
        line = sentence[1]
    if len(line) <= LONGEST_PROPOSAL:
        return line.removesuffix(".")
    cut = line[: LONGEST_PROPOSAL - 1]
    at_word, _, _rest = cut.rpartition(" ")
    return f"{at_word or cut}…"


# Which one is meant -------------------------------------------------------------------------


def chat_number(connection: sqlite3.Connection, id: str) -> int:
    """Raises UnknownChat."""
    row = connection.execute("SELECT number FROM chats WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise UnknownChat(f"There is no chat {named(id)}; 'attune chats list' shows all.")
    return int(row[0])


def message_number(connection: sqlite3.Connection, id: str, *, chat: int | None = None) -> int:
    """Raises UnknownMessage, also where the message is of another chat than the one meant."""
    row = connection.execute("SELECT number, chat FROM messages WHERE id = ?", (id,)).fetchone()
    if row is None or chat not in (None, row[1]):
        where = "in this chat" if row is not None else "in any chat"
        raise UnknownMessage(f"There is no message {named(id)} {where}; open the chat again.")
    return int(row[0])


def chat_of(connection: sqlite3.Connection, message: int) -> int:
    row = connection.execute("SELECT chat FROM messages WHERE number = ?", (message,)).fetchone()
    return int(row[0])


def is_answer(connection: sqlite3.Connection, message: int) -> bool:
    row = connection.execute("SELECT role FROM messages WHERE number = ?", (message,)).fetchone()
    return bool(row[0] == "assistant")


def is_there(connection: sqlite3.Connection, chat: StoredChat) -> bool:
    """Whether it is here already, or was taken from there before."""
    row = connection.execute(
        "SELECT 1 FROM chats WHERE id = ? OR source = ?", (chat.id, chat.source or None)
    ).fetchone()
    return row is not None


# The tree -----------------------------------------------------------------------------------


def children(connection: sqlite3.Connection, chat: int, parent: int | None) -> list[int]:
    """What follows a message, the oldest first; parent None: the first questions."""
    rows = connection.execute(
        "SELECT number FROM messages WHERE chat = ? AND parent IS ? ORDER BY number",
        (chat, parent),
    )
    return [number for (number,) in rows]


def chosen(connection: sqlite3.Connection, chat: int, parent: int | None) -> int | None:
    """The child that the branch goes on with."""
    if parent is None:
        row = connection.execute("SELECT first FROM chats WHERE number = ?", (chat,)).fetchone()
    else:
        row = connection.execute(
            "SELECT chosen FROM messages WHERE number = ?", (parent,)
        ).fetchone()
    number: int | None = row[0]
    return number


def choose(
    connection: sqlite3.Connection, *, chat: int, parent: int | None, child: int | None
) -> None:
    """Let the branch go on with this child; None: it ends there."""
    if parent is None:
        connection.execute("UPDATE chats SET first = ? WHERE number = ?", (child, chat))
    else:
        connection.execute("UPDATE messages SET chosen = ? WHERE number = ?", (child, parent))


def choose_path(connection: sqlite3.Connection, *, chat: int, message: int) -> None:
    """Let the branch go through this message; only what is chosen otherwise is written."""
    otherwise = connection.execute(
        """WITH RECURSIVE up (number, parent) AS (
               SELECT number, parent FROM messages WHERE number = ?
               UNION SELECT messages.number, messages.parent
               FROM up JOIN messages ON messages.number = up.parent)
           SELECT up.parent, up.number FROM up
           LEFT JOIN messages AS above ON above.number = up.parent
           WHERE above.chosen IS NOT up.number""",
        (message,),
    ).fetchall()
    for parent, child in otherwise:
        choose(connection, chat=chat, parent=parent, child=child)


def propose(connection: sqlite3.Connection, chat: int) -> None:
    """Make the title of the question that the branch begins with, unless the owner gave one."""
    row = connection.execute(
        """SELECT text FROM chats JOIN messages ON messages.number = first
           WHERE chats.number = ? AND NOT named""",
        (chat,),
    ).fetchone()
    if row is not None:
        title = proposed_title(row[0])
        connection.execute("UPDATE chats SET title = ? WHERE number = ?", (title, chat))


def erase(connection: sqlite3.Connection, chat: int) -> None:
    connection.execute("DELETE FROM messages WHERE chat = ?", (chat,))
    connection.execute("DELETE FROM chats WHERE number = ?", (chat,))


# What is there ------------------------------------------------------------------------------


def chats(
    connection: sqlite3.Connection, which: str, arguments: tuple[object, ...]
) -> Iterator[Chat]:
    """Chats for the list. which: the condition, and what may come after it"""
    rows = connection.execute(
        f"""SELECT id, title, named, created, changed, pinned, deleted, scope,
                (SELECT count(*) FROM messages WHERE chat = chats.number),
                (SELECT substr(text, 1, 400) FROM messages
                 WHERE chat = chats.number AND text <> '' ORDER BY number DESC LIMIT 1)
            FROM chats WHERE {which}""",
        arguments,
    )
    for id, title, own_title, created, changed, pinned, deleted, scope, count, text in rows:
        line = " ".join((text or "").split())
        short = len(line) <= _LONGEST_SNIPPET
        yield Chat(
            id=id,
            title=title,
            named=bool(own_title),
            created=created,
            changed=changed,
            pinned=bool(pinned),
            deleted=deleted,
            messages=count,
            snippet=line if short else f"{line[: _LONGEST_SNIPPET - 1]}…",
            scope=scope,
        )


def read_message(connection: sqlite3.Connection, number: int) -> ChatMessage:
    """A message; whether there are other versions is not looked up."""
    id, chat, parent, *own = connection.execute(
        f"""SELECT id, (SELECT id FROM chats WHERE number = chat),
                (SELECT id FROM messages AS above WHERE above.number = messages.parent), {COLUMNS}
            FROM messages WHERE number = ?""",
        (number,),
    ).fetchone()
    return ChatMessage(id=id, chat=chat, parent=parent or "", **values(own))


def branch(connection: sqlite3.Connection, chat: int) -> list[ChatMessage]:
    """The current branch of a chat, each message with its versions."""
    siblings: dict[int | None, list[str]] = defaultdict(list)
    several = """SELECT parent, id FROM messages WHERE chat = :chat AND
        ifnull(parent, 0) IN (SELECT ifnull(parent, 0) FROM messages WHERE chat = :chat
            GROUP BY parent HAVING count(*) > 1) ORDER BY number"""
    for parent, id in connection.execute(several, {"chat": chat}):
        siblings[parent].append(id)
    id, first = connection.execute(
        "SELECT id, first FROM chats WHERE number = ?", (chat,)
    ).fetchone()
    rows = connection.execute(  # the limit, so that damage that makes a circle comes to an end
        f"""WITH RECURSIVE branch (here, depth) AS (
                SELECT ?, 0 UNION ALL SELECT chosen, depth + 1
                FROM branch JOIN messages ON number = here WHERE chosen IS NOT NULL
                LIMIT (SELECT count(*) FROM messages WHERE chat = ?))
            SELECT depth, parent, id, {COLUMNS} FROM branch CROSS JOIN messages ON number = here""",
        (first, chat),
    ).fetchall()
    rows.sort(key=itemgetter(0))  # sorted already as a rule; SQLite would copy every text
    found: list[ChatMessage] = []
    above = ""
    for _depth, parent, message, *own in rows:
        versions = tuple(siblings[parent]) if parent in siblings else (message,)
        found.append(
            ChatMessage(id=message, chat=id, parent=above, versions=versions, **values(own))
        )
        above = message
    return found
