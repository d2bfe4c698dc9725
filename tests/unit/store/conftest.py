"""Duels, and records in a folder of the test's own that are closed when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.store import database
from engine.store.record import Record, StoredAnswer, StoredDuel

OpenRecord = Callable[[], Record]

SAFE = database.PRAGMAS
_FAST = tuple((name, 0 if name == "synchronous" else value) for name, value in SAFE)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is synced, which only the loss of power would show; SAFE is what ships."""
    monkeypatch.setattr(database, "PRAGMAS", _FAST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


@pytest.fixture
def open_record(path: Path) -> Iterator[OpenRecord]:
    """Further records on the same file, as other processes have them."""
    opened: list[Record] = []
    ticks = count(1_000)

    def open_one() -> Record:
        opened.append(Record(path, clock=lambda: float(next(ticks))))
        return opened[-1]

    yield open_one
    for record in opened:
        record.close()


@pytest.fixture
def record(open_record: OpenRecord) -> Record:
    return open_record()


def answer(text: str = "Yes.", **changes: Any) -> StoredAnswer:
    features: dict[str, Any] = {
        "text": text,
        "finish": "end",
        "tokens": 2,
        "utilities": {"concise": 1.25, "warm": -0.5},
        "surprise": 2.5,
    }
    return StoredAnswer(**features | changes)


def duel(id: str = "d1", **changes: Any) -> StoredDuel:
    facts: dict[str, Any] = {
        "id": id,
        "at": 999.5,
        "model": "smollm2",
        "learner": "utilities",
        "trait": "concise",
        "why": "whether you like shorter answers",
        "question": "Is it so?",
        "answers": (answer("Yes."), answer("Yes, it is so.", finish="length")),
        "swapped": True,
        "detail": {"seed": 7, "pulls": [[{"sentence": "Be brief.", "theta": 1.5}], []]},
    }
    return StoredDuel(**facts | changes)
