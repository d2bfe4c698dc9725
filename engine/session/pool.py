"""The pool of one owner: what a build would measure, and what is known of it already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.config import Settings
from engine.errors import InvalidParameter
from engine.portfolio import pool
from engine.session import calibration, objectives
from engine.session.calibration import Known, Sheet
from engine.store.calibration import CalibrationRecord
from engine.types.learning import Learned
from engine.types.models import ModelCard
from engine.types.portfolio import Candidate, Objective, Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What the owner has and wants, at any moment.

    models    every model that can be chosen
    settings  what the owner decided
    learned   what the votes say
    """

    models: Callable[[], tuple[ModelCard, ...]]
    settings: Callable[[], Settings]
    learned: Callable[[], Learned]

    def cards(self) -> dict[str, ModelCard]:
        """Models by id."""
        return {card.id: card for card in self.models()}


class Candidates:
    """Generated from the installed models, and edited by the owner."""

    def __init__(self, measured: CalibrationRecord, owned: Owned) -> None:
        self._measured, self._owned = measured, owned

    def pool(self) -> Pool:
        """What a build would measure."""
        generated, edits = self._generated(), self._measured.edits()
        candidates = pool.edited(generated, added=edits.added, removed=edits.removed)
        asked = self.sheet().all
        known = self.known(candidates)
        lacking = sum(len(calibration.missing(c, asked, known)) for c in candidates)
        answers = len(candidates) * len(asked)
        return Pool(
            candidates=candidates,
            removed=tuple(c for c in generated if c.id in edits.removed),
            answers=answers,
            known=answers - lacking,
        )

    def remove(self, id: str) -> Pool:
        """Take a candidate out. Raises InvalidParameter for one that is not there."""
        _check(id, self.pool().candidates, "setting in the pool called")
        self._measured.remove(id)
        return self.pool()

    def restore(self, id: str) -> Pool:
        """Put a generated candidate back. Raises InvalidParameter for one that is not out."""
        _check(id, self.pool().removed, "setting left out called")
        self._measured.restore(id)
        return self.pool()

    def add(self, model: str, *, preferences: tuple[str, ...], gamma: float) -> Pool:
        """Add a setting of the owner's own.

        Raises InvalidParameter for a model that is not there, and what `pool.own` raises.
        """
        cards = self._owned.cards()
        if model not in cards:
            raise InvalidParameter(f"There is no model {model!r}, only {', '.join(cards)}.")
        candidate = pool.own(
            pool.Model(id=model, name=cards[model].name),
            preferences=preferences,
            gamma=gamma,
            sampling=self._owned.settings().sampling,
        )
        self._measured.add(candidate)
        return self.pool()

    def wanted(self) -> tuple[Objective, ...]:
        """What answers are scored on."""
        return objectives.chosen(self._owned.learned())

    def sheet(self) -> Sheet:
        """What every candidate is asked."""
        return calibration.sheet(self._owned.settings().calibration_questions)

    def known(self, candidates: Sequence[Candidate]) -> Known:
        """Answers of these candidates, by the models' files as they are on record now."""
        cards = self._owned.cards()
        return self._measured.known(
            {c.id: cards[c.model].digest for c in candidates if c.model in cards}
        )

    def _generated(self) -> tuple[Candidate, ...]:
        models = [
            pool.Model(id=card.id, name=card.name, adapted=card.adapter != "")
            for card in self._owned.models()
            if card.available
        ]
        styles = [o for o in self.wanted() if o.id != objectives.QUALITY]
        return pool.generate(
            models,
            sampling=self._owned.settings().sampling,
            poles=[
                (o.id, objectives.adjective_of(o.id), objectives.sentence_of(o.id)) for o in styles
            ],
        )


def _check(id: str, candidates: Sequence[Candidate], kind: str) -> None:
    known = [candidate.id for candidate in candidates]
    if id not in known:
        raise InvalidParameter(f"There is no {kind} {id!r}. See 'attune portfolio pool'.")
