"""The search index of the file of chats: words of titles and messages, kept in step by triggers.

Two FTS5 tables without texts of their own. A trigger may not write to them where the schema is not
trusted ("unsafe use of virtual table", SQLite 3.40), so triggers only note what changed, and
`catch_up` takes it into the index at the end of the same transaction.

FTS5's own "secure-delete" is left off: once used, no SQLite before 3.42 can read the file. Instead
`forget` merges the index into one piece, which drops the words of what is erased.

The index is no part of the numbered migrations: whether it can be had is a matter of the SQLite
that opens the file, not of the file.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cache

from engine.errors import StorageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A table whose texts are searched.

    name    of the FTS5 table
    table   that the texts are in; `number` is its key
    column  of the text
    ready   SQL on a row, with {row} before its columns: whether it is to be found
    """

    name: str
    table: str
    column: str
    ready: str

    @property
    def noted(self) -> str:
        """Rows that changed in this transaction; `gone` is the text that is in the index."""
        return f"{self.name}_noted"

    @property
    def readable(self) -> str:
        """The view that FTS5 reads texts from."""
        return f"{self.name}_readable"


# An answer that is being written is taken in when it ends: each piece would mean its whole text.
MESSAGES = Index(
    name="message_words",
    table="messages",
    column="text",
    ready="{row}.state <> 'partial'",
)
TITLES = Index(name="title_words", table="chats", column="title", ready="1")
_ALL = (MESSAGES, TITLES)

_TRIGGERS = {
    "came": """AFTER INSERT ON {table} WHEN {new_ready} BEGIN
        INSERT OR IGNORE INTO {noted} VALUES (NEW.number, NULL); END""",
    "went": """AFTER DELETE ON {table} WHEN {old_ready} BEGIN
        INSERT OR IGNORE INTO {noted} VALUES (OLD.number, OLD.{column}); END""",
    "changed": """AFTER UPDATE ON {table}
        WHEN ({old_ready}) <> ({new_ready}) OR ({new_ready} AND OLD.{column} <> NEW.{column}) BEGIN
        INSERT OR IGNORE INTO {noted}
            VALUES (OLD.number, CASE WHEN {old_ready} THEN OLD.{column} END); END""",
}


@cache
def available() -> bool:
    """Whether this SQLite has FTS5."""
    connection = sqlite3.connect(":memory:")
    try:
        found = connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
        return found.fetchone() is not None
    finally:
        connection.close()


def usable(connection: sqlite3.Connection) -> bool:
    """Whether the file has an index that is in step, and this SQLite can read it."""
    return available() and _in_step(connection)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the index, or bring it into step again; to be called before anything is written.

    Without FTS5 the triggers go, by which a later Attune that has it sees that the index is old.
    """
    if _in_step(connection) == available():
        return
    for index in _ALL:
        if available():
            _make(connection, index)
        else:
            _unhook(connection, index)


def catch_up(connection: sqlite3.Connection) -> None:
    """Take in what the triggers noted; to be called before a transaction ends."""
    if not available():
        return
    for index in _ALL:
        noted = index.noted
        if connection.execute(f"SELECT 1 FROM {noted} LIMIT 1").fetchone() is None:
            continue
        connection.execute(
            f"""INSERT INTO {index.name} ({index.name}, rowid, text)
                SELECT 'delete', row, gone FROM {noted} WHERE gone IS NOT NULL"""
        )
        connection.execute(
            f"""INSERT INTO {index.name} (rowid, text)
                SELECT number, text FROM {index.readable}
                WHERE number IN (SELECT row FROM {noted})"""
        )
        connection.execute(f"DELETE FROM {noted}")


def forget(connection: sqlite3.Connection) -> None:
    """Let no word stay that is in no text any more; what is to go is deleted before.

    Raises StorageError where the file has an index that this SQLite cannot write.
    """
    if available():
        catch_up(connection)
        for index in _ALL:
            connection.execute(f"INSERT INTO {index.name} ({index.name}) VALUES ('optimize')")
    elif _named(connection, "table", [index.name for index in _ALL]):
        raise StorageError(
            f"SQLite {sqlite3.sqlite_version} has no FTS5, so the words would stay in the search "
            "index. Erase them with the Attune that made it. Nothing was erased."
        )


def _in_step(connection: sqlite3.Connection) -> bool:
    names = [f"{index.name}_{event}" for index in _ALL for event in _TRIGGERS]
    return _named(connection, "trigger", names) == len(names)


def _named(connection: sqlite3.Connection, kind: str, names: list[str]) -> int:
    """How many of these there are."""
    marks = ", ".join("?" * len(names))
    row = connection.execute(
        f"SELECT count(*) FROM sqlite_master WHERE type = ? AND name IN ({marks})", (kind, *names)
    ).fetchone()
    return int(row[0])


def _make(connection: sqlite3.Connection, index: Index) -> None:
    name, table, column = index.name, index.table, index.column
    connection.execute(
        f"""CREATE VIEW IF NOT EXISTS {index.readable} AS
            SELECT number, {column} AS text FROM {table} WHERE {index.ready.format(row=table)}"""
    )
    connection.execute(
        f"""CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5(
            text, content = '{index.readable}', content_rowid = 'number',
            tokenize = 'unicode61 remove_diacritics 2')"""
    )
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {index.noted} (row INTEGER PRIMARY KEY, gone TEXT) STRICT"
    )
    connection.execute(f"DELETE FROM {index.noted}")
    for event, trigger in _TRIGGERS.items():
        body = trigger.format(
            table=table,
            column=column,
            noted=index.noted,
            old_ready=index.ready.format(row="OLD"),
            new_ready=index.ready.format(row="NEW"),
        )
        connection.execute(f"CREATE TRIGGER IF NOT EXISTS {name}_{event} {body}")
    connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")


def _unhook(connection: sqlite3.Connection, index: Index) -> None:
    for event in _TRIGGERS:
        connection.execute(f"DROP TRIGGER IF EXISTS {index.name}_{event}")
    if _named(connection, "table", [index.noted]):
        connection.execute(f"DELETE FROM {index.noted}")
