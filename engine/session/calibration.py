"""Measuring the pool: what its candidates are asked, what is known already, and what it scores."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from engine.jobs import protocol
from engine.numerics import F64
from engine.portfolio.quality import quality, safe
from engine.portfolio.questions import QUESTIONS, CalibrationQuestion
from engine.session import objectives
from engine.store.calibration import StoredCalibration
from engine.types.answers import Message, Question
from engine.types.models import Launch, ModelCard
from engine.types.portfolio import Candidate, Objective
from engine.types.steering import Preference, Steering

ANSWER_TOKENS = 110
"""Of a calibration answer at most; style shows long before, and every token costs."""

AT_LEAST = 5
"""Questions of safety: by fewer nobody could be told to be surely unsafe."""

CONTEXT = 4096
"""Tokens of cache: sixteen streams of short answers."""

Asked = CalibrationQuestion
Known = Mapping[tuple[str, str], StoredCalibration]
"""(candidate id, hash of what it was asked) → answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What every candidate is asked.

    count   of calibration questions that were wanted
    scored  those of them that are scored
    safety  those of safety, AT_LEAST of them
    """

    count: int
    scored: tuple[Asked, ...]
    safety: tuple[Asked, ...]

    @property
    def all(self) -> tuple[Asked, ...]:
        return self.scored + self.safety


def sheet(count: int) -> Sheet:
    """What every candidate answers. count in [10, 70]."""
    first = QUESTIONS[:count]
    dangers = [asked for asked in QUESTIONS if asked.kind == "safety"]
    wanted = max(AT_LEAST, sum(asked.kind == "safety" for asked in first))
    return Sheet(
        count=count,
        scored=tuple(asked for asked in first if asked.kind != "safety"),
        safety=tuple(dangers[:wanted]),
    )


def question(candidate: Candidate, asked: Asked) -> Question:
    """What the candidate is asked; the seed is the question's, so that all share its chance."""
    seed = zlib.crc32(asked.id.encode())
    return Question(
        messages=(Message(role="user", text=asked.text),),
        steering=steering(candidate),
        sampling=replace(candidate.sampling, max_tokens=ANSWER_TOKENS, seed=seed),
    )


def question_hash(candidate: Candidate, asked: Asked) -> str:
    """Of all that is asked; another wording or another setting is another question."""
    whole = msgspec.json.encode(question(candidate, asked))
    return hashlib.sha256(whole).hexdigest()[:16]


def steering(candidate: Candidate) -> Steering:
    """How a candidate answers."""
    if not candidate.preferences:
        return Steering()
    return Steering(
        method="amulet",
        preferences=tuple(Preference(text=text) for text in candidate.preferences),
        gamma=candidate.gamma,
        combine="compose",
    )


def key(candidate: Candidate, asked: Asked) -> str:
    """What names an answer to a job child."""
    return f"{candidate.id} {asked.id}"


def subject(
    card: ModelCard, launch: Launch, slots: Mapping[str, tuple[Candidate, Asked]]
) -> protocol.Subject:
    """A model, with the adapter that it has, and what its candidates are asked, by the names of
    the answers."""
    return protocol.Subject(
        model=card.id,
        name=card.name,
        path=card.path,
        size=card.size,
        launch=launch,
        questions=tuple(
            protocol.Asked(key=name, question=question(candidate, asked))
            for name, (candidate, asked) in slots.items()
        ),
        adapters=((card.adapter, 1.0),) if card.adapter else (),
    )


def stored(
    candidate: Candidate, asked: Asked, item: protocol.AnsweredItem, digest: str
) -> StoredCalibration:
    """An answer as the record keeps it; digest is `ModelCard.digest`."""
    return StoredCalibration(
        candidate=candidate.id,
        model=digest,
        question=asked.id,
        question_hash=question_hash(candidate, asked),
        text=item.answer.text,
        tokens=item.answer.tokens,
        finish=item.answer.finish,
        seconds=item.seconds,
    )


def missing(candidate: Candidate, asked: Sequence[Asked], known: Known) -> tuple[Asked, ...]:
    """Questions that the candidate has not answered yet."""
    return tuple(a for a in asked if (candidate.id, question_hash(candidate, a)) not in known)


def raw_scores(
    candidates: Sequence[Candidate],
    asked: Sequence[Asked],
    wanted: Sequence[Objective],
    known: Known,
) -> F64:
    """Raw scores of complete candidates, (candidates, questions, objectives).

    Where a style cannot be measured, since an answer says nothing or is in a language that is not
    counted, it is as bad as the worst of the pool: else silence would be a style.
    """
    found = np.asarray(
        [[_scored(wanted, a, _answer(c, a, known)) for a in asked] for c in candidates]
    )
    worst = np.nanmin(np.where(np.isnan(found), np.inf, found), axis=(0, 1))
    return np.where(np.isnan(found), np.where(np.isfinite(worst), worst, 0.0), found)


def safe_answers(candidate: Candidate, asked: Sequence[Asked], known: Known) -> int:
    """How many of the questions of safety a candidate answered safely."""
    return sum(safe(a, _answer(candidate, a, known).text) is True for a in asked)


def _answer(candidate: Candidate, asked: Asked, known: Known) -> StoredCalibration:
    return known[candidate.id, question_hash(candidate, asked)]


def _scored(wanted: Sequence[Objective], asked: Asked, answer: StoredCalibration) -> F64:
    styles = objectives.style(wanted, answer.text)
    good = quality(asked, answer.text, finished=answer.finish == "end")
    found: F64 = np.where([o.id == objectives.QUALITY for o in wanted], good, styles)
    return found
