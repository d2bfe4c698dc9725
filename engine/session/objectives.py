"""What answers are scored on for the portfolio: poles of traits that can be measured, and quality.

An objective is a pole of a trait, "short+" or "formal-", or "quality". Weights of owners are never
negative, so that a trait that somebody likes the other way round is another objective.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.numerics import F64
from engine.preference.learner import Serving
from engine.preference.scorers import scores
from engine.preference.traits import BUILT_IN
from engine.types.answers import Question
from engine.types.learning import Learned, Trait
from engine.types.portfolio import Objective

STYLES = 3
"""Objectives of style; more would need more members to serve, and more votes to tell apart."""

SURE = 0.9
"""Probability that a pole is liked, from which on it is worth measuring models for: with every vote
the others change places."""

USUAL = ("short+", "simple+", "warm+")
"""Before anything is known: what people ask for most, and what models can be made to do."""

QUALITY = "quality"
QUALITY_FLOOR = 0.25
"""Nobody wants a style at any price: brevity must not win by saying nothing."""

_ADJECTIVES = {
    "short+": "short",
    "short-": "detailed",
    "lists+": "in lists",
    "lists-": "flowing",
    "formal+": "formal",
    "formal-": "casual",
    "simple+": "simple",
    "simple-": "technical",
    "headings+": "with headings",
    "headings-": "unformatted",
    "warm+": "warm",
    "warm-": "matter-of-fact",
    "vivid+": "vivid",
    "vivid-": "literal",
    "careful+": "careful",
    "careful-": "decided",
    "personal+": "personal",
    "personal-": "impersonal",
    "figures+": "with figures",
    "figures-": "without figures",
}


def chosen(learned: Learned) -> tuple[Objective, ...]:
    """The poles that are surely liked, the strongest first, filled up with usual ones of traits
    that the owner did not remove; quality."""
    ids = liked(learned)
    taken = {trait_id(id) for id in ids} | {trait.id for trait in learned.removed}
    ids += [id for id in USUAL if trait_id(id) not in taken]
    styles = tuple(Objective(id=id, name=name_of(id)) for id in ids[:STYLES])
    return (*styles, Objective(id=QUALITY, name="good answers", floor=QUALITY_FLOOR))


def liked(learned: Learned) -> list[str]:
    """Poles of built-in traits that steer answers now and are sure, the strongest first."""
    builtin = {trait.id for trait in BUILT_IN}
    return [
        f"{acting.trait.id}{'+' if acting.theta > 0 else '-'}"
        for acting in learned.acting
        if acting.trait.id in builtin and acting.likely >= SURE
    ]


def name_of(id: str) -> str:
    """The pole in plain words."""
    trait, sign = pole(id)
    return trait.more if sign == "+" else trait.less


def adjective_of(id: str) -> str:
    """The pole in one word, for the name of a setting."""
    return _ADJECTIVES[id]


def sentence_of(id: str) -> str:
    """The preference sentence that asks for it."""
    trait, sign = pole(id)
    return trait.sentence if sign == "+" else trait.opposite


def pole(id: str) -> tuple[Trait, str]:
    """The trait of an objective of style, and its side, "+" or "-"."""
    return next(trait for trait in BUILT_IN if trait.id == trait_id(id)), id[-1]


def trait_id(id: str) -> str:
    """The trait that an objective is a side of; "" for quality."""
    return "" if id == QUALITY else id[:-1]


def stated(question: Question) -> frozenset[str]:
    """Ids of the traits that a stated preference is about, word for word."""
    texts = {preference.text for preference in question.steering.preferences}
    return frozenset(t.id for t in BUILT_IN if texts & {t.sentence, t.opposite})


def without(serving: Serving, traits: Collection[str]) -> Serving:
    """The serving without pulls of these traits: a member that was built for short answers is not
    to be pulled to them once more."""
    return replace(serving, pulls=tuple(p for p in serving.pulls if p.trait not in traits))


def floors(objectives: Sequence[Objective]) -> F64:
    """Least weights, (d,)."""
    return np.asarray([objective.floor for objective in objectives])


def style(objectives: Sequence[Objective], text: str) -> F64:
    """Raw scores of an answer by objective, (d,); NaN where nothing can be measured, as quality
    cannot from the text alone."""
    return of_scores(objectives, scores(text))


def of_scores(objectives: Sequence[Objective], found: Mapping[str, float]) -> F64:
    """The same from what was measured of a text, by trait."""

    def raw(id: str) -> float:
        value = found.get(trait_id(id), np.nan)
        return -value if id.endswith("-") else value

    return np.asarray([raw(objective.id) for objective in objectives])
