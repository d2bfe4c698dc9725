"""Training low-rank adapters: Adam, clipped gradients, a rate that rises and falls.

All that a run depends on stands in its state, so that one which was stopped and taken up again
ends with the same bits as one which was not, on the same computer with as many threads.

Sources: LoRA (arXiv 2106.09685), Adam (arXiv 1412.6980).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.merging.adapters import initial
from engine.merging.layers import Floats
from engine.merging.packing import Example
from engine.merging.transformer import Model, loss_and_gradients
from engine.numerics import Ids

BETAS = (0.9, 0.999)
EPSILON = 1e-8

_FIRST, _SECOND = "first/", "second/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How adapters are trained.

    steps         updates altogether, ≥ 1
    batch         examples for each update, ≥ 1; no more are taken than there are
    rate          the largest learning rate, > 0
    warm_up       updates until it is reached, in equal steps, from 0 to `steps`; then it falls as
                  a cosine towards 0, which would be reached one update after the last
    clip          gradients of a larger norm, over all tensors together, are scaled to it; > 0
    rank, alpha   r ≥ 1 and α > 0: an adapter adds α/r B A
    """

    steps: int
    batch: int = 8
    rate: float = 1e-3
    warm_up: int = 3
    clip: float = 1.0
    rank: int = 16
    alpha: float = 32.0

    def __post_init__(self) -> None:
        least: tuple[tuple[str, float, float], ...] = (
            ("steps", self.steps, 1),
            ("batch", self.batch, 1),
            ("rank", self.rank, 1),
        )
        for name, value, low in least:
            if not low <= value < math.inf:
                raise InvalidParameter.outside(name, value, f"at least {low}")
        for name in ("rate", "clip", "alpha"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise InvalidParameter.outside(name, getattr(self, name), "above 0")
        if not 0 <= self.warm_up <= self.steps:
            raise InvalidParameter.outside("warm_up", self.warm_up, f"from 0 to {self.steps}")

    @property
    def scale(self) -> float:
        """s of the adapters."""
        return self.alpha / self.rank

    def rate_at(self, step: int) -> float:
        """The learning rate of update `step`, from 0."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        gone = (step - self.warm_up) / (self.steps - self.warm_up)
        return self.rate * 0.5 * (1.0 + math.cos(math.pi * gone))


@dataclass(slots=True, kw_only=True)
class State:
    """All that goes on from one update to the next. `train` changes it in place.

    adapters       A and B by name
    first, second  running means of their gradients and of the squares, by the same names
    order          numbers of the examples of each update, (steps, batch)
    step           updates done
    """

    adapters: dict[str, Floats]
    first: dict[str, Floats]
    second: dict[str, Floats]
    order: Ids
    step: int = 0

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything, to be saved; the arrays are those of the state and go on changing."""
        found: dict[str, npt.NDArray[np.generic]] = {
            "order": self.order,
            "step": np.asarray(self.step, np.int64),
        }
        found |= self.adapters
        found |= {_FIRST + name: array for name, array in self.first.items()}
        found |= {_SECOND + name: array for name, array in self.second.items()}
        return found

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> State:
        """The state that `arrays` gave; copies, so that what was saved stays as it is."""
        names = [name.removeprefix(_FIRST) for name in arrays if name.startswith(_FIRST)]

        def taken(prefix: str) -> dict[str, Floats]:
            return {name: np.array(arrays[prefix + name]) for name in names}

        return cls(
            adapters=taken(""),
            first=taken(_FIRST),
            second=taken(_SECOND),
            order=np.array(arrays["order"], np.intp),
            step=int(arrays["step"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one update did.

    step  updates done, from 1
    loss  mean cross-entropy of its examples before it, nats per token that counts
    rate  the learning rate
    norm  of all gradients together, before clipping
    """

    step: int
    loss: float
    rate: float
    norm: float


def begin(
    model: Model, names: Collection[str], *, count: int, plan: Plan, rng: np.random.Generator
) -> State:
    """The state before the first update.

    names  matrices of blocks (out, in) that get an adapter, see `Shape.matrices`
    count  how many examples there will be, ≥ 1; each is taken once before any is taken again

    Raises InvalidParameter for names that are no such matrices, and for a rank above their sides.
    """
    if count < 1:
        raise InvalidParameter("There are no examples to train on; give at least one.")
    for name in sorted(set(names) - set(model.shape.matrices())):
        raise InvalidParameter(f"{name} cannot have an adapter; choose matrices of the blocks.")
    adapters = initial(model.weights, names, rank=plan.rank, rng=rng)
    batch = min(plan.batch, count)
    rounds = math.ceil(plan.steps * batch / count)
    order = np.concatenate([rng.permutation(count) for _ in range(rounds)])
    return State(
        adapters=adapters,
        first={name: np.zeros_like(array) for name, array in adapters.items()},
        second={name: np.zeros_like(array) for name, array in adapters.items()},
        order=order[: plan.steps * batch].reshape(plan.steps, batch),
    )


def train(
    model: Model, examples: Sequence[Example], state: State, *, plan: Plan
) -> Iterator[Update]:
    """Does the updates that `state` has still to do; after each the state may be saved.

    model     adapters of its own are replaced by those of the state
    examples  as many as `begin` was told, in the same order in every run
    plan      the one that `begin` was given

    Raises InvalidParameter where training runs away, leaving the state before that update.
    """
    if len(state.order) != plan.steps:
        raise InvalidParameter(
            f"The training was begun for {len(state.order)} steps and cannot go on for "
            f"{plan.steps}; begin anew."
        )
    tuned = replace(model, adapters=state.adapters, scale=plan.scale)
    while state.step < plan.steps:
        batch = [examples[i] for i in state.order[state.step]]
        with np.errstate(over="ignore", invalid="ignore"):  # looked for right below
            loss, gradients = loss_and_gradients(tuned, batch, wanted=state.adapters)
            norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))
        if not math.isfinite(loss + norm):
            raise InvalidParameter(
                f"The training ran away at step {state.step + 1}; choose a learning rate below "
                f"{plan.rate}."
            )
        rate = plan.rate_at(state.step)
        _update(state, gradients, rate=rate, shrink=plan.clip / max(norm, plan.clip))
        yield Update(step=state.step, loss=loss, rate=rate, norm=norm)


def _update(state: State, gradients: Mapping[str, Floats], *, rate: float, shrink: float) -> None:
    """One step of Adam, in place: θ ← θ − rate · m̂ / (√v̂ + ε)."""
    state.step += 1
    unbias = [1.0 - beta**state.step for beta in BETAS]
    for name, weights in state.adapters.items():
        gradient = gradients[name] * shrink
        first, second = state.first[name], state.second[name]
        first *= BETAS[0]
        first += (1.0 - BETAS[0]) * gradient
        second *= BETAS[1]
        second += (1.0 - BETAS[1]) * gradient**2
        weights -= rate * (first / unbias[0]) / (np.sqrt(second / unbias[1]) + EPSILON)
