"""Stores of chats, what is said in them, and a look into their tables."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

from engine.store.chats import ChatStore
from engine.types.chats import ChatMessage

OpenStore = Callable[[], ChatStore]


class Clock:
    """A clock that goes a second further whenever it is read."""

    def __init__(self, start: float = 1_000.0) -> None:
        self.now = start
        self._ticks = count()

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def store_at(path: Path, *, clock: Callable[[], float] | None = None, seed: int = 1) -> ChatStore:
    return ChatStore(path, clock=clock or Clock(), rng=random.Random(seed))


def answered(store: ChatStore, question: str, text: str = "Yes.") -> ChatMessage:
    """An answer to a question that is kept."""
    begun = store.begin_answer(question)
    return store.finish(begun.id, state="whole", text=text, finish="end", facts={})


def talk(store: ChatStore, *turns: tuple[str, str]) -> str:
    """A chat of questions and answers; its id."""
    chat, parent = "", ""
    for question, answer in turns:
        asked = store.ask(question, chat=chat, parent=parent)
        chat, parent = asked.chat, answered(store, asked.id, answer).id
    return chat


def texts(store: ChatStore, chat: str) -> list[str]:
    """What is said on the current branch."""
    return [message.text for message in store.open(chat).messages]


def run(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row for statement in statements for row in connection.execute(statement)]


def check_index(path: Path) -> None:
    """Raises sqlite3.DatabaseError where the search index is not in step with the texts."""
    run(
        path,
        "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)",
        "INSERT INTO title_words (title_words, rank) VALUES ('integrity-check', 1)",
    )
