"""The real store of chats in a folder of the test, which can be told to fail."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from engine.api import Backup, Chat, ChatMessage, Chats, OpenChat, Scope, StorageError
from engine.paths import DataFolder
from engine.store.chat_trees import StoredChat, StoredMessage
from engine.store.record import Record

FULL = "The disk is full; make room."


class ScriptedChats(Chats):
    """`full`: nothing can be written any more. `threads`: who asked. `untended`: why nothing can be
    copied."""

    def __init__(self, data_dir: Path) -> None:
        folder = DataFolder(root=data_dir)
        self.now = time.time
        record = Record(folder.record, clock=time.time)
        super().__init__(folder, record, clock=lambda: self.now(), rng=random.Random(1))
        self.full = False
        self.threads: set[int] = set()
        self.tended = 0
        self.untended = ""

    def _check(self) -> None:
        self.threads.add(threading.get_ident())
        if self.full:
            raise StorageError(FULL)

    def ask(
        self, text: str, *, chat: str = "", parent: str = "", scope: Scope = "everywhere"
    ) -> ChatMessage:
        self._check()
        return super().ask(text, chat=chat, parent=parent, scope=scope)

    def set_scope(self, chat: str, scope: Scope) -> None:
        self._check()
        super().set_scope(chat, scope)

    def begin_answer(self, question: str, *, model: str = "", choose: bool = True) -> ChatMessage:
        self._check()
        return super().begin_answer(question, model=model, choose=choose)

    def append(self, answer: str, text: str, *, tokens: int) -> None:
        self._check()
        super().append(answer, text, tokens=tokens)

    def page(self, *, limit: int = 100, before: str = "", trash: bool = False) -> tuple[Chat, ...]:
        self.threads.add(threading.get_ident())
        return super().page(limit=limit, before=before, trash=trash)

    def open(self, chat: str) -> OpenChat:
        self.threads.add(threading.get_ident())
        return super().open(chat)

    def tend(self) -> tuple[Backup, ...]:
        self.threads.add(threading.get_ident())
        self.tended += 1
        if self.untended:
            raise StorageError(self.untended)
        return ()

    # What a test puts there -------------------------------------------------------------

    def put(self, title: str, texts: Sequence[str], *, at: float | None = None) -> str:
        """A chat with questions and answers in turn; returns its id."""
        asked = self.now() if at is None else at
        now, self.now = self.now, lambda: asked
        chat = parent = question = ""
        for place, text in enumerate(texts):
            if place % 2 == 0:
                said = super().ask(text, chat=chat, parent=parent)
                chat, question = said.chat, said.id
            else:
                begun = super().begin_answer(question, model="smollm2-135m")
                self._store.finish(begun.id, state="whole", text=text, finish="end", facts={})
                parent = begun.id
        super().rename(chat, title)
        self.now = now
        return chat

    def put_many(self, title: str, messages: int) -> str:
        """A long chat, quickly."""
        id = "feed0001"
        said = tuple(
            StoredMessage(
                id=f"{place:012x}", parent=f"{place - 1:012x}" if place else "",
                chosen=f"{place + 1:012x}" if place + 1 < messages else "",
                role="assistant" if place % 2 else "user", text=_text(place), at=self.now(),
            )
            for place in range(messages)
        )  # fmt: skip
        chat = StoredChat(
            id=id, title=title, named=True, created=self.now(), changed=self.now(), pinned=False,
            first=said[0].id, source="", messages=said,
        )  # fmt: skip
        self._store.put((chat,))
        return id


def _text(place: int) -> str:
    if place % 2 == 0:
        return f"Question {place // 2}: how is this done?"
    return (
        f"**Answer {place // 2}.** "
        + "It is done like this, step by step. " * 6
        + ("\n\n- one\n- two\n\n```python\nx = 1\n```\n" if place % 6 == 1 else "")
    )
