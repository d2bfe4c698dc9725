"""Duels as they are kept: their features, and the row that they are."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import msgspec

from engine.errors import InvalidParameter

COLUMNS = (
    "id, at, model, learner, trait, why, question, swapped, body, first_embedding, second_embedding"
)
_PLACES = ", ".join("?" * (COLUMNS.count(",") + 1))
BLANK = """UPDATE duels SET question = '', body = CASE WHEN json_valid(body)
    THEN json_replace(body, '$.answers[0].text', '', '$.answers[1].text', '') ELSE '' END"""
"""Leaves all that a newer release may have added; of what cannot be read nothing is left."""

Row = tuple[str, float, str, str, str, str, str, int, str, bytes, bytes]
"""COLUMNS, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """One answer's features.

    text       "" where the owner does not let texts be kept
    tokens     in the answer
    utilities  stream ("short+", "short-": a trait's id and which of its sentences) → φ in nats,
               positive where the sentence fits the answer; absent is not measured
    scores     what was measured of the text, by trait (`engine.preference.scorers`)
    surprise   mean −log p of the answer's tokens under the untouched model, nats
    embedding  as in `Answer`; mostly b""
    """

    text: str
    finish: str
    tokens: int
    utilities: dict[str, float]
    embedding: bytes = b""
    surprise: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDuel:
    """Two answers to one question, as they were shown.

    at        when, in seconds since the epoch
    trait     id of the trait that it asks about
    why       what a vote tells, in words
    question  "" where the owner does not let texts be kept
    answers   in the order shown
    swapped   the two arms of the contrast were shown in reversed order
    detail    what it takes to repeat it; JSON, so a tuple comes back as a list
    """

    id: str
    at: float
    model: str
    learner: str
    trait: str
    why: str
    question: str
    answers: tuple[StoredAnswer, StoredAnswer]
    swapped: bool
    detail: dict[str, object]


def without(duel: StoredDuel, traits: Collection[str]) -> StoredDuel:
    """The duel as it says nothing of these traits; of the others it says what it did."""
    first, second = (_without(answer, traits) for answer in duel.answers)
    asked = "" if duel.trait in traits else duel.trait
    return replace(duel, trait=asked, answers=(first, second))


def _without(answer: StoredAnswer, traits: Collection[str]) -> StoredAnswer:
    return replace(
        answer,
        utilities={s: phi for s, phi in answer.utilities.items() if s[:-1] not in traits},
        scores={trait: score for trait, score in answer.scores.items() if trait not in traits},
    )


def check_finite(duel: StoredDuel) -> None:
    """Raises InvalidParameter for a number that is not finite."""
    # JSON has no word for the others: the row would be unreadable.
    numbers = [("at", duel.at)]
    for answer in duel.answers:
        numbers += [("surprise", answer.surprise)]
        numbers += [*answer.utilities.items(), *answer.scores.items()]
    for name, value in numbers:
        if not math.isfinite(value):
            raise InvalidParameter.outside(name, value, "finite")


# Rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What of a duel stands in no column of its own."""

    answers: tuple[StoredAnswer, StoredAnswer]
    detail: dict[str, object]


_body_decoder = msgspec.json.Decoder(_Body)


def insert(connection: sqlite3.Connection, duel: StoredDuel) -> None:
    """Add the row, unless there is one of this id."""
    statement = f"INSERT OR IGNORE INTO duels ({COLUMNS}) VALUES ({_PLACES})"
    connection.execute(statement, _encoded(duel))


def row(connection: sqlite3.Connection, id: str) -> Row | None:
    """The row of a duel; None where there is none."""
    found: Row | None = connection.execute(
        f"SELECT {COLUMNS} FROM duels WHERE id = ?", (id,)
    ).fetchone()
    return found


def _encoded(duel: StoredDuel) -> Row:
    first, second = duel.answers
    # Numbers in bytes are no text: they have columns of their own.
    body = _Body(
        answers=(replace(first, embedding=b""), replace(second, embedding=b"")),
        detail=duel.detail,
    )
    return (
        duel.id,
        duel.at,
        duel.model,
        duel.learner,
        duel.trait,
        duel.why,
        duel.question,
        int(duel.swapped),
        msgspec.json.encode(body).decode(),
        first.embedding,
        second.embedding,
    )


def decoded(row: Row) -> StoredDuel:
    """Raises what `changes.UNREADABLE` lists."""
    id, at, model, learner, trait, why, question, swapped, raw, first, second = row
    body = _body_decoder.decode(raw)
    return StoredDuel(
        id=id,
        at=at,
        model=model,
        learner=learner,
        trait=trait,
        why=why,
        question=question,
        answers=(
            replace(body.answers[0], embedding=first),
            replace(body.answers[1], embedding=second),
        ),
        swapped=bool(swapped),
        detail=body.detail,
    )
