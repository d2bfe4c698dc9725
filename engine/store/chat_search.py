"""Searching chats: by the index where there is one, by looking at every text where there is none.

What is typed is words, never FTS5's language: every word is quoted, the last one may go on.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

from engine.store import chat_index
from engine.store.chat_index import MESSAGES, TITLES

_LONGEST = 500
"""Characters of a query that are read."""

_BEFORE, _AFTER = 40, 120
"""Characters shown before and after the beginning of the first word that was found."""

_WORD = re.compile("[^\\W_]+(?:[\u0300-\u036f]+[^\\W_]*)*")
"""What the index takes for a word, but for private letters."""

_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no spaces between words: to the index a whole sentence of them is one word."""

_NEWEST_FIRST = "ORDER BY messages.number DESC"

_Find = Callable[[str], Iterator[tuple[int, int]]]
"""Where in a text the words stand: first character and the one after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chat by its number, and what in it fits; `message` is an id, "" is the title."""

    chat: int
    message: str
    snippet: str
    marks: tuple[tuple[int, int], ...]


def search(connection: sqlite3.Connection, text: str, *, limit: int) -> list[Hit]:
    """Chats that hold every word of `text`, in one message or the title; none from the trash.

    Those whose titles fit come first, then those with the newest message that fits.
    """
    words = _words(text)
    if not words:
        return []
    query = _query(words) if chat_index.usable(connection) else ""
    find = _finder(words, by_word=bool(query))
    hits = {hit.chat: hit for hit in _in_titles(connection, words, query, find, limit=limit)}
    for chat, number in _in_messages(connection, words, query):
        if len(hits) >= limit:
            break
        if chat not in hits:
            hits[chat] = _shown(connection, chat, number, find)
    return list(hits.values())


def _words(text: str) -> list[str]:
    legible = "".join(c if c.isprintable() else " " for c in text[:_LONGEST])
    return legible.split()


def _query(words: list[str]) -> str:
    """The words for FTS5; "" where the index cannot find them."""
    known = [word for word in words if any(map(str.isalnum, word))]
    if not known or _SPACELESS.search("".join(words)):
        return ""
    quoted = ['"' + word.replace('"', '""') + '"' for word in known]
    return " ".join(quoted) + "*"


def _in_titles(
    connection: sqlite3.Connection, words: list[str], query: str, find: _Find, *, limit: int
) -> Iterator[Hit]:
    order = "deleted IS NULL ORDER BY changed DESC, number DESC LIMIT ?"
    if query:
        rows = connection.execute(
            f"""SELECT number, chats.title FROM {TITLES.name}
                CROSS JOIN chats ON number = {TITLES.name}.rowid
                WHERE {TITLES.name} MATCH ? AND {order}""",
            (query, limit),
        )
    else:
        like, patterns = _like("title", words)
        rows = connection.execute(
            f"SELECT number, title FROM chats WHERE {like} AND {order}", (*patterns, limit)
        )
    for number, title in rows:
        yield Hit(chat=number, message="", snippet=title, marks=tuple(find(title)))


def _in_messages(
    connection: sqlite3.Connection, words: list[str], query: str
) -> Iterator[tuple[int, int]]:
    """Numbers of chats and messages, the newest message first."""
    if not query:
        return _looked_at(connection, words, "1")
    name = MESSAGES.name
    found: Iterator[tuple[int, int]] = connection.execute(
        f"""SELECT chat, messages.number FROM {name}
            CROSS JOIN messages ON messages.number = {name}.rowid
            CROSS JOIN chats ON chats.number = chat
            WHERE {name} MATCH ? AND deleted IS NULL ORDER BY {name}.rowid DESC""",
        (query,),
    )
    # Few, and in no index.
    unfinished = _looked_at(connection, words, "state = 'partial'")
    return merge(found, unfinished, key=lambda row: -row[1])


def _looked_at(
    connection: sqlite3.Connection, words: list[str], which: str
) -> Iterator[tuple[int, int]]:
    like, patterns = _like("text", words)
    return connection.execute(
        f"""SELECT chat, messages.number FROM messages JOIN chats ON chats.number = chat
            WHERE {which} AND {like} AND deleted IS NULL {_NEWEST_FIRST}""",
        patterns,
    )


def _like(column: str, words: list[str]) -> tuple[str, list[str]]:
    """A condition, and its arguments."""
    escaped = [re.sub(r"([\\%_])", r"\\\1", word) for word in words]
    condition = " AND ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(words))
    return condition, [f"%{word}%" for word in escaped]


# What is shown of a message -----------------------------------------------------------------


def _shown(connection: sqlite3.Connection, chat: int, number: int, find: _Find) -> Hit:
    id, text = connection.execute(
        "SELECT id, text FROM messages WHERE number = ?", (number,)
    ).fetchone()
    snippet, marks = _excerpt(text, find)
    return Hit(chat=chat, message=id, snippet=snippet, marks=marks)


def _excerpt(text: str, find: _Find) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of the text around the first place, and the places in it.

    FTS5's own snippet() would carry out the whole search again for each message.
    """
    line = " ".join(text.split())
    first = next(find(line), (0, 0))[0]
    start, end = max(0, first - _BEFORE), first + _AFTER
    shown = f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
    return shown, tuple(find(shown))


def _finder(words: list[str], *, by_word: bool) -> _Find:
    """Finds what the index takes for these words, or else these letters anywhere."""
    letters = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    parts = [_plain(found[0]) for word in words for found in _WORD.finditer(word)]
    # Not every t because of "don't".
    wanted = [part for part in parts if len(part) > 1 or part in map(_plain, words)] or parts

    def find(text: str) -> Iterator[tuple[int, int]]:
        for found in (_WORD if by_word else letters).finditer(text):
            word = _plain(found[0]) if by_word else ""
            if not by_word or word in wanted or word.startswith(wanted[-1]):
                yield found.span()

    return find


def _plain(word: str) -> str:
    """Without case and accents, as the index has it."""
    letters = unicodedata.normalize("NFKD", word)
    return "".join(c for c in letters if not unicodedata.combining(c)).lower()
