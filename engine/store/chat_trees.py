"""Whole chats as trees: to be taken out, and to be put in after a check."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from engine.errors import InputError
from engine.store.changes import UNREADABLE
from engine.types.answers import Finish
from engine.types.chats import MessageState, Speaker
from engine.types.scope import Scope

LONGEST_TITLE = 200
LONGEST_FACTS = 65_536
"""Characters of the facts of a message, as JSON."""

MOST_TOKENS = 2**53

_FINISHES = ("", *get_args(Finish))
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message, as `engine.types.chats.ChatMessage` tells of it.

    chosen  id of the child that the branch goes on with; "" where it ends here
    """

    id: str
    parent: str
    role: Speaker
    text: str
    at: float
    chosen: str = ""
    state: MessageState = "whole"
    model: str = ""
    finish: str = ""
    tokens: int = 0
    duel: str = ""
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChat:
    """A chat with all of its messages, a parent always before its children.

    first   id of the first question that the branch begins with; "" where there is none
    source  where it was taken from, as "chatgpt:" and its id there; "" where it was made here
    scope   how far what is learned in it goes
    """

    id: str
    title: str
    named: bool
    created: float
    changed: float
    pinned: bool
    first: str
    messages: tuple[StoredMessage, ...]
    source: str = ""
    scope: Scope = "everywhere"


Fresh = Callable[[str], str]
"""Gives the id where it is one of ours and free, else another one."""


def check(chat: StoredChat) -> None:
    """Raises InputError where this cannot be a chat: the tree, a name or a number is wrong."""
    for name, value in (("created", chat.created), ("changed", chat.changed)):
        _require(math.isfinite(value), chat, f"its {name} is no time")
    _require(bool(chat.messages), chat, "it has no messages")
    known: dict[str, StoredMessage] = {}
    for message in chat.messages:
        _check_message(message, chat, known)
        known[message.id] = message
    _check_choice(chat.first, "", chat, known)
    for message in chat.messages:
        _check_choice(message.chosen, message.id, chat, known)


def _check_message(
    message: StoredMessage, chat: StoredChat, known: dict[str, StoredMessage]
) -> None:
    who = f"message {named(message.id)}"
    _require(bool(message.id) and message.id not in known, chat, f"two messages are {who}")
    parent = known.get(message.parent)
    if message.parent:
        _require(parent is not None, chat, f"what {who} follows does not stand before it")
    expected = "user" if parent is None or parent.role == "assistant" else "assistant"
    _require(message.role == expected, chat, f"{who} is out of turn")
    _require(math.isfinite(message.at), chat, f"{who} has no time")
    _require(0 <= message.tokens <= MOST_TOKENS, chat, f"{who} has {message.tokens} tokens")
    _require(message.finish in _FINISHES, chat, f"{who} ended by {message.finish[:20]!r}")
    said = len(encoded(message.facts)) <= LONGEST_FACTS
    _require(said, chat, f"{who} has too many facts beside it")


def _check_choice(
    chosen: str, parent: str, chat: StoredChat, known: dict[str, StoredMessage]
) -> None:
    fits = not chosen or (chosen in known and known[chosen].parent == parent)
    _require(fits, chat, f"{named(chosen)} cannot be where its branch goes on")


def _require(fits: bool, chat: StoredChat, reason: str) -> None:
    if not fits:
        raise InputError(
            f"The chat {named(chat.title)} cannot be taken in: {reason}. Nothing was taken in; "
            "export it again."
        )


# Rows ---------------------------------------------------------------------------------------

_PLAIN = ("role", "text", "at", "state", "model", "finish", "tokens", "duel")
COLUMNS = ", ".join((*_PLAIN, "facts"))
"""What of a message is its own, as `values` reads it."""

_facts = msgspec.json.Decoder(dict[str, object])


def named(text: str) -> str:
    """Something of the owner's in a message about it, cut where it is long."""
    return repr(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…")


def encoded(facts: dict[str, object]) -> str:
    """Facts as JSON."""
    return msgspec.json.encode(facts).decode()


def values(row: Sequence[object]) -> dict[str, Any]:
    """COLUMNS of a row by name; damaged facts are none, the message is there without them."""
    *own, body = row
    try:
        facts = _facts.decode(str(body))
    except UNREADABLE:
        facts = {}
    return {**dict(zip(_PLAIN, own, strict=True)), "facts": facts}


def read(connection: sqlite3.Connection, number: int) -> StoredChat:
    """A chat by its number, which is there."""
    rows = connection.execute(
        f"SELECT number, id, parent, chosen, {COLUMNS} FROM messages WHERE chat = ? "
        "ORDER BY number",
        (number,),
    ).fetchall()
    ids: dict[int | None, str] = {row[0]: row[1] for row in rows} | {None: ""}
    messages = []
    for _number, id, parent, chosen, *own in rows:
        chosen = ids.get(chosen, "")
        messages.append(StoredMessage(id=id, parent=ids[parent], chosen=chosen, **values(own)))
    id, title, own_title, created, changed, pinned, first, source, scope = connection.execute(
        """SELECT id, title, named, created, changed, pinned, first, source, scope FROM chats
           WHERE number = ?""",
        (number,),
    ).fetchone()
    return StoredChat(
        id=id,
        title=title,
        named=bool(own_title),
        created=created,
        changed=changed,
        pinned=bool(pinned),
        first=ids.get(first, ""),
        messages=tuple(messages),
        source=source or "",
        scope=scope,
    )


def insert(
    connection: sqlite3.Connection, chat: StoredChat, *, fresh_chat: Fresh, fresh_message: Fresh
) -> None:
    """Put in a chat that was checked."""
    number = connection.execute(
        """INSERT INTO chats (id, title, named, created, changed, pinned, source, scope)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            fresh_chat(chat.id),
            chat.title[:LONGEST_TITLE],
            chat.named,
            chat.created,
            chat.changed,
            chat.pinned,
            chat.source or None,
            chat.scope,
        ),
    ).lastrowid
    numbers: dict[str, int | None] = {"": None}
    for message in chat.messages:
        own = [getattr(message, name) for name in _PLAIN]
        place = (fresh_message(message.id), number, numbers[message.parent])
        row = (*place, *own, encoded(message.facts))
        marks = ", ".join("?" * len(row))
        numbers[message.id] = connection.execute(
            f"INSERT INTO messages (id, chat, parent, {COLUMNS}) VALUES ({marks})", row
        ).lastrowid
    connection.execute("UPDATE chats SET first = ? WHERE number = ?", (numbers[chat.first], number))
    connection.executemany(
        "UPDATE messages SET chosen = ? WHERE number = ?",
        [(numbers[m.chosen], numbers[m.id]) for m in chat.messages if m.chosen],
    )
