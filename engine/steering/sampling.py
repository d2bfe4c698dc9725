"""From candidates to one token, after steering: each rule is one pure function.

Order: repetition penalty, min-p, top-k, top-p, temperature, draw. min-p stands early because it
is relative to the likeliest token, so it commutes with the other cuts' renormalisation, and what
it leaves is small enough to sort.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F32
from engine.steering.amulet import Candidates
from engine.types.steering import Sampling, out_of_range

PENALTY_WINDOW = 64
"""Tokens of the answer that the repetition penalty looks back on."""


def check(sampling: Sampling) -> None:
    """Refuse a value outside its range. Raises InvalidParameter naming value and range."""
    if broken := out_of_range(sampling):
        name, value, allowed = broken
        raise InvalidParameter.outside(name, value, allowed)


def penalise(candidates: Candidates, *, recent: Iterable[int], penalty: float) -> Candidates:
    """Divide the probability of each token in `recent` by `penalty` (≥ 1), once.

    Differs from CTRL (Keskar et al. 2019), which divides positive logits and multiplies negative
    ones: that depends on the arbitrary zero of the logits, which steering moves.
    """
    seen = np.fromiter(set(recent), dtype=np.intp)
    if penalty == 1.0 or not len(seen):
        return candidates
    scores = candidates.scores.copy()
    where = seen if candidates.ids is None else np.isin(candidates.ids, seen)
    scores[where] -= np.float32(math.log(penalty))
    return Candidates(scores=scores, ids=candidates.ids)


def min_p(candidates: Candidates, *, share: float) -> Candidates:
    """Keep tokens at least `share` (in [0, 1]) times as likely as the likeliest."""
    if share <= 0.0:
        return candidates
    floor = candidates.scores.max() + np.float32(math.log(share))
    return _kept(candidates, candidates.scores >= floor)


def top_k(candidates: Candidates, *, count: int) -> Candidates:
    """Keep the `count` likeliest (0: all); ties at the edge go to the lower position."""
    if count <= 0 or count >= len(candidates.scores):
        return candidates
    edge = np.partition(candidates.scores, -count)[-count]
    above = np.flatnonzero(candidates.scores > edge)
    ties = np.flatnonzero(candidates.scores == edge)[: count - len(above)]
    mask = np.zeros(len(candidates.scores), dtype=bool)
    mask[above] = mask[ties] = True
    return _kept(candidates, mask)


def top_p(candidates: Candidates, *, mass: float) -> Candidates:
    """Keep the fewest likeliest tokens whose probability reaches `mass`, in [0, 1]; at least 1."""
    if mass >= 1.0:
        return candidates
    chances = _probabilities(candidates.scores)
    # Tokens below (1 − mass)/n cannot add up to what may be left out, so none of them is needed.
    likely = np.flatnonzero(chances >= np.float32((1.0 - mass) / len(chances)))
    order = likely[np.argsort(-chances[likely], kind="stable")]
    reached = np.cumsum(chances[order], dtype=np.float64)
    count = int(np.searchsorted(reached, mass)) + 1
    mask = np.zeros(len(chances), dtype=bool)
    mask[order[:count]] = True
    return _kept(candidates, mask)


def draw(candidates: Candidates, *, temperature: float, rng: np.random.Generator) -> int:
    """One token id; temperature 0 takes the likeliest (the lowest id among equals)."""
    if temperature == 0.0 or len(candidates.scores) == 1:
        position = int(candidates.scores.argmax())
    else:
        chances = _probabilities(candidates.scores, temperature=temperature)
        reached = np.cumsum(chances, dtype=np.float64)
        # Scaled by the sum, which rounding leaves beside 1: what lies beyond it would otherwise
        # fall to the last candidate, even to one that must never come.
        position = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
    return position if candidates.ids is None else int(candidates.ids[position])


class Sampler:
    """The rules in their order, with the answer's own generator and memory of recent tokens."""

    def __init__(self, sampling: Sampling, *, rng: np.random.Generator) -> None:
        check(sampling)
        self._sampling = sampling
        self._rng = rng
        self._recent: deque[int] = deque(maxlen=PENALTY_WINDOW)

    def next(self, candidates: Candidates) -> int:
        """Draw a token and remember it."""
        s = self._sampling
        chosen = penalise(candidates, recent=self._recent, penalty=s.repetition_penalty)
        if s.temperature > 0.0:
            chosen = min_p(chosen, share=s.min_p)
            chosen = top_k(chosen, count=s.top_k)
            chosen = top_p(chosen, mass=s.top_p)
        token = draw(chosen, temperature=s.temperature, rng=self._rng)
        self._recent.append(token)
        return token


def _kept(candidates: Candidates, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Candidates:
    where = np.flatnonzero(mask)
    ids = where if candidates.ids is None else candidates.ids[where]
    return Candidates(scores=candidates.scores[where], ids=ids)


def _probabilities(scores: F32, *, temperature: float = 1.0) -> F32:
    # Scaled after the largest is taken out: a tiny temperature then underflows instead of
    # overflowing.
    shifted = (scores - scores.max()) / np.float32(max(temperature, 1e-6))
    chances: F32 = np.exp(shifted, dtype=np.float32)
    chances /= chances.sum(dtype=np.float32)
    return chances
