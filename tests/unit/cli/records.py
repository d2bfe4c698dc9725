"""Duels put on record as `attune duel` would, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.store.record import Record, StoredAnswer, StoredDuel
from engine.types.learning import Outcome

AT = 1_780_000_000.0


@contextmanager
def record(folder: Path) -> Iterator[Record]:
    """The record of a data folder."""
    opened = Record(folder / "record.db", clock=lambda: AT)
    try:
        yield opened
    finally:
        opened.close()


def put_duel(
    folder: Path,
    id: str = "0000beef",
    *,
    trait: str = "short",
    question: str = "",
    texts: tuple[str, str] = ("", ""),
) -> str:
    """A duel whose first answer leans clearly to the trait's `more`; returns its id."""
    first, second = (
        StoredAnswer(
            text=text, finish="end", tokens=9, utilities={f"{trait}+": phi, f"{trait}-": -phi}
        )
        for text, phi in zip(texts, (12.0, -12.0), strict=True)
    )
    duel = StoredDuel(
        id=id,
        at=AT,
        model="some-model",
        learner="utilities",
        trait=trait,
        why="It would tell.",
        question=question,
        answers=(first, second),
        swapped=False,
        detail={},
    )
    with record(folder) as opened:
        opened.open_duel(duel)
    return id


def have_voted(folder: Path, outcome: Outcome, *, trait: str = "short", times: int = 6) -> None:
    """Votes enough to steer: "first" is for the trait's `more`."""
    for number in range(times):
        id = put_duel(folder, f"{number:08x}", trait=trait)
        with record(folder) as opened:
            opened.vote(id, outcome)
