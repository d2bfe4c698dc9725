"""Sequences of different lengths as one array of rows, one row per token.

Each matrix meets all rows in one product; only attention goes sequence by sequence. What all
sequences begin with (a system prompt) is there once, which is exact: causal attention makes its
states the same in each. Rows after the last token that counts are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.merging.layers import Floats
from engine.numerics import Ids

ROWS = 512
"""Rows in one pack at most, unless one sequence is longer: larger products are no faster, and on
the way back each row of a model with 135M weights needs 0.7 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sequence of tokens and how much the prediction of each counts.

    tokens   ids, (n,) with n ≥ 2
    weights  (n,), ≥ 0 and finite: of the cross-entropy of this token given those before it; a
             mask will do. The first is not looked at, since nothing comes before that token
    """

    tokens: Ids
    weights: npt.NDArray[np.floating | np.bool_]

    def __post_init__(self) -> None:
        tokens, weights = self.tokens, self.weights
        if tokens.ndim != 1 or tokens.shape != weights.shape or len(tokens) < 2:
            raise InvalidParameter(
                f"An example has tokens of shape {tokens.shape} and weights of shape "
                f"{weights.shape}, but needs two tokens or more and a weight for each."
            )
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise InvalidParameter("The weights of an example must be finite and not below 0.")

    @property
    def total(self) -> float:
        """What all predictions together count."""
        return float(self.weights[1:].sum(dtype=np.float64))

    @property
    def asked(self) -> Ids:
        """Rows whose prediction counts; row i predicts token i + 1. Ascending."""
        return np.flatnonzero(self.weights[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Rows of one sequence, which also sees the first `shared` rows of the pack."""

    start: int
    stop: int
    shared: int = 0

    @property
    def rows(self) -> slice:
        """Those of its own."""
        return slice(self.start, self.stop)

    def seen(self, x: Floats) -> Floats:
        """Of keys or values of all rows those that it sees, (shared + own, …)."""
        own = x[self.rows]
        return np.concatenate([x[: self.shared], own]) if self.shared else own

    def add(self, part: Floats, *, to: Floats) -> None:
        """The reverse of `seen`: gradients of what it sees go to where that came from."""
        to[: self.shared] += part[: self.shared]
        to[self.rows] += part[self.shared :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rows of several sequences.

    tokens, positions  (n,)
    spans              cover the rows without gaps
    asked              rows whose prediction counts, (t,), none twice
    targets, weights   the token that should follow, and how much it counts, (t,)
    """

    tokens: Ids
    positions: Ids
    spans: tuple[Span, ...]
    asked: Ids
    targets: Ids
    weights: npt.NDArray[np.float64]


def one_sequence(tokens: Ids) -> Pack:
    """A pack of all rows of one sequence, in which nothing is asked for."""
    nothing = np.zeros(0, np.intp)
    return Pack(
        tokens=tokens,
        positions=np.arange(len(tokens)),
        spans=(Span(start=0, stop=len(tokens)),),
        asked=nothing,
        targets=nothing,
        weights=np.zeros(0),
    )


def packs(examples: Sequence[Example]) -> Iterator[Pack]:
    """Packs of about `ROWS` rows, examples in their order; those where nothing counts left out."""
    waiting: list[Example] = []
    count = 0
    for example in examples:
        if not len(example.asked):
            continue
        needed = int(example.asked[-1]) + 1
        if waiting and count + needed > ROWS:
            yield _pack(waiting)
            waiting, count = [], 0
        waiting.append(example)
        count += needed
    if waiting:
        yield _pack(waiting)


def _pack(examples: Sequence[Example]) -> Pack:
    shared = _shared_rows(examples)
    tokens = [examples[0].tokens[:shared]]
    positions = [np.arange(shared)]
    spans = [Span(start=0, stop=shared)] if shared else []
    asked = []
    start = shared
    for example in examples:
        end = int(example.asked[-1]) + 1
        stop = start + end - shared
        tokens.append(example.tokens[shared:end])
        positions.append(np.arange(shared, end))
        spans.append(Span(start=start, stop=stop, shared=shared))
        asked.append(example.asked + (start - shared))
        start = stop
    return Pack(
        tokens=np.concatenate(tokens),
        positions=np.concatenate(positions),
        spans=tuple(spans),
        asked=np.concatenate(asked),
        targets=np.concatenate([example.tokens[1:][example.asked] for example in examples]),
        weights=np.concatenate(
            [example.weights[1:][example.asked].astype(np.float64) for example in examples]
        ),
    )


def _shared_rows(examples: Sequence[Example]) -> int:
    """How many rows all examples begin with alike, before the first that any of them asks for."""
    if len(examples) < 2:
        return 0
    first = examples[0].tokens
    shared = min(int(example.asked[0]) for example in examples)
    for example in examples[1:]:
        differing = np.flatnonzero(first[:shared] != example.tokens[:shared])
        shared = int(differing[0]) if len(differing) else shared
    return shared
