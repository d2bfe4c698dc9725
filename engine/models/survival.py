"""How much of a change is still there after the weights were rounded for a file.

A fine-tuned model differs from its base by far less than a step of a coarse format. Where the
base lies on the grid that is rounded to, nearly every weight snaps back and the change is gone,
although file and model work: a base in Q4_1 with τ = 3e-4, written as Q4_1 again, keeps 6 % of it
(measured), one in Q8_0 written as Q8_0 keeps 40 % (0 to 5 % for a model of smaller weights).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.numerics import F32

ENOUGH = 0.95
"""A file is refused when less than this share of the whole change survives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What rounding did to a change τ; Δ is what the file says less the base.

    share  ⟨Δ, τ⟩ / ‖τ‖²: 1 where it is all there, 0 where it is gone. Noise does not count
    noise  ‖Δ − τ‖ / ‖τ‖, ≥ 0; 1.3 is usual for Q8_0 and does no harm
    worst  the tensor whose share is farthest from 1, and that share
    """

    share: float
    noise: float
    worst: tuple[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The same of one tensor, as sums: ⟨Δ, τ⟩, ‖τ‖² and ‖Δ − τ‖²."""

    name: str
    along: float
    length: float
    error: float

    @property
    def share(self) -> float:
        return self.along / self.length


def trace(name: str, found: F32, wanted: F32) -> Trace:
    """found Δ, wanted τ, of one shape; τ ≠ 0."""
    with np.errstate(invalid="ignore", over="ignore"):  # what overflowed has a share of nan
        return Trace(
            name=name,
            along=float((found * wanted).sum(dtype=np.float64)),
            length=float((wanted * wanted).sum(dtype=np.float64)),
            error=float(((found - wanted) ** 2).sum(dtype=np.float64)),
        )


def summed(traces: list[Trace]) -> Survival:
    """Over all tensors that were changed, at least one."""
    length = sum(t.length for t in traces)
    worst = max(traces, key=lambda t: abs(t.share - 1.0))
    return Survival(
        share=sum(t.along for t in traces) / length,
        noise=(sum(t.error for t in traces) / length) ** 0.5,
        worst=(worst.name, worst.share),
    )
