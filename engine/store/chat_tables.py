"""The tables of the file of chats."""

from __future__ import annotations

import sqlite3

from engine.store.schema import Kind


def _first(connection: sqlite3.Connection) -> None:
    # `first` and `chosen` are the branch: whoever follows them from the chat on comes to where it
    # is. A leaf of its own would be a second truth.
    connection.execute(
        """CREATE TABLE chats (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            named INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            pinned INTEGER NOT NULL DEFAULT 0,
            deleted REAL,
            first INTEGER,
            source TEXT UNIQUE
        ) STRICT"""
    )
    connection.execute(
        """CREATE TABLE messages (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            chat INTEGER NOT NULL REFERENCES chats (number),
            parent INTEGER REFERENCES messages (number),
            chosen INTEGER,
            role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
            text TEXT NOT NULL,
            at REAL NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('whole', 'partial', 'stopped', 'interrupted')),
            model TEXT NOT NULL DEFAULT '',
            finish TEXT NOT NULL DEFAULT '',
            tokens INTEGER NOT NULL DEFAULT 0,
            duel TEXT NOT NULL DEFAULT '',
            facts TEXT NOT NULL DEFAULT '{}'
        ) STRICT"""
    )
    connection.execute("CREATE INDEX messages_by_chat ON messages (chat)")
    connection.execute("CREATE INDEX messages_by_parent ON messages (parent)")
    connection.execute("CREATE INDEX messages_partial ON messages (chat) WHERE state = 'partial'")
    connection.execute(
        "CREATE INDEX chats_listed ON chats (pinned, changed, number) WHERE deleted IS NULL"
    )


def _second(connection: sqlite3.Connection) -> None:
    connection.execute(
        """ALTER TABLE chats ADD COLUMN scope TEXT NOT NULL DEFAULT 'everywhere'
           CHECK (scope IN ('everywhere', 'chat', 'off'))"""
    )


KIND = Kind(
    name="file of chats",
    tables=frozenset({"chats", "messages"}),
    migrations=(_first, _second),
)
