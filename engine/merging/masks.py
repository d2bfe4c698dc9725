"""The learned mask of CALM: for every weight, whose change is taken.

Two task vectors are merged at a time: A, what is merged so far, and B, the member being added.
Each weight of a block matrix has a logit m. Training sees the soft mixture with s = σ(m); the
result takes B where m > 0 and A elsewhere, so that every weight has exactly one source.

Source: CALM (arXiv 2506.13406); the rules of start and step after the authors' code, whose
language differs from the paper in one place (`MaskSettings.reg`). Differs from the paper: of a
language model only block matrices are masked, all other tensors become (A + B) / 2.

Arrays go by the name of their tensor, and every function here touches one tensor at a time, so a
mapping may load on access. A tensor that a task vector does not hold is unchanged by it. θ0, A
and B may be float16 (of a change of 3e-4 it loses 3e-8, a hundredth of what a Q8_0 file loses);
sums are taken in float32. Logits have to be float32: a step is often below 0.004, which float16
at m = −5 rounds away. In memory a weight costs 4 bytes for θ0, 4 for A and B in float16, 4 for
m, 4 for the mixture and 4 for the gradient.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidParameter
from engine.numerics import F32

Array = npt.NDArray[np.floating]
Vector = Mapping[str, Array]
"""Tensor name → θ0, or the change that a member makes to it; float16 or float32, any shape."""

Logits = Mapping[str, F32]
"""Tensor name → m, as its tensor is shaped; only masked tensors."""

Objective = Callable[[Mapping[str, F32], int], tuple[float, Mapping[str, Array]]]
"""Weights and number of the epoch → loss and its gradient for (at least) each masked tensor.

The loss sums over all tasks seen so far. The weights are read and not kept: some are those of the
base. Whoever shuffles has to take the order from the number of the epoch, or resuming changes it.
"""

Regularisation = Literal["code", "l1"]
REGULARISATIONS: tuple[Regularisation, ...] = ("code", "l1")

_MASKED = re.compile(r"blk\.\d+\..+\.weight")
_UNCHANGED = np.zeros((), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSettings:
    """How a mask is trained. Raises InvalidParameter where a value is out of its range.

    eta             η ≥ 0, step; large, because the gradient of one weight is tiny
    start_logit     b > 0: every logit starts at −b or b
    start_fraction  f in [0, 1): about this share starts at b, the largest changes of B
    alpha           α ≥ 0, not multiplied by η
    reg             "code" pushes m away from 0: + α sign(m) s (1 − s), with sign(0) = −1;
                    "l1" is the gradient of the paper's α ‖M‖₁ on s: − α s (1 − s)
    epochs          at most this many, ≥ 0
    patience        stop when so many epochs have together lowered the best loss by at most the
                    share `tolerance` of all that was gained since the start; None never stops
                    early
    """

    eta: float = 1e8
    start_logit: float = 5.0
    start_fraction: float = 1e-5
    alpha: float = 1.0
    reg: Regularisation = "code"
    epochs: int = 30
    patience: int | None = 4
    tolerance: float = 0.01

    def __post_init__(self) -> None:
        for name in ("eta", "alpha", "tolerance", "start_logit", "epochs"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InvalidParameter.outside(name, value, "a number of at least 0")
        if self.start_logit == 0.0:
            raise InvalidParameter.outside("start_logit", self.start_logit, "above 0")
        if not 0.0 <= self.start_fraction < 1.0:
            raise InvalidParameter.outside("start_fraction", self.start_fraction, "in [0, 1)")
        if self.reg not in REGULARISATIONS:
            raise InvalidParameter.outside("reg", self.reg, " or ".join(REGULARISATIONS))
        if self.patience is not None and self.patience < 1:
            raise InvalidParameter.outside("patience", self.patience, "at least 1, or None")


FAST = MaskSettings()
PUBLISHED = MaskSettings(eta=1e7, epochs=100, patience=None)
"""The constants of the authors' code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is merged: θ0, A and B. `base` names every tensor, the others those they change."""

    base: Vector
    kept: Vector
    added: Vector

    @property
    def changed(self) -> tuple[str, ...]:
        """Tensors that A or B changes, in the order of the base."""
        return tuple(name for name in self.base if name in self.kept or name in self.added)

    @property
    def masked(self) -> tuple[str, ...]:
        return tuple(name for name in self.changed if is_masked(name, self.base[name].ndim))


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskState:
    """All that training has to remember to go on as if it had never stopped.

    logits  m; `learn` overwrites these very arrays
    losses  of the mixture before each step, one per epoch done
    """

    logits: Logits
    losses: tuple[float, ...] = ()

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.losses)


def is_masked(name: str, dimensions: int) -> bool:
    """Whether a tensor is a matrix of a block, the only kind that has a mask."""
    return dimensions >= 2 and _MASKED.fullmatch(name) is not None


# Start and steps ----------------------------------------------------------------------------


def start(pair: Pair, *, settings: MaskSettings = FAST) -> MaskState:
    """m = +b where |B| is strictly above its k-th largest value, k = ⌊f · weights⌋, else −b.

    k counts the weights of all masked tensors together; with k = 0 everything starts at −b.
    """
    names = pair.masked
    sizes = {name: pair.base[name].shape for name in names}
    k = int(settings.start_fraction * sum(math.prod(shape) for shape in sizes.values()))
    added = {name: pair.added[name] for name in names if name in pair.added} if k else {}
    floor = kth_largest(added, k) if k else math.inf
    high, low = np.float32(settings.start_logit), np.float32(-settings.start_logit)
    logits = {
        name: np.where(np.abs(np.broadcast_to(_of(pair.added, name), shape)) > floor, high, low)
        for name, shape in sizes.items()
    }
    return MaskState(logits=logits)


def learn(
    pair: Pair, state: MaskState, *, objective: Objective, settings: MaskSettings = FAST
) -> Iterator[MaskState]:
    """Train the mask; yields the state after each epoch, and nothing where it is `finished`.

    Going on from a state that was kept gives the same bits as never having stopped. The states
    share their arrays: copy what has to outlive the next epoch.

    Raises InvalidParameter when the loss or a gradient stops being finite.
    """
    weights = _without_mask(pair)
    while not finished(state, settings=settings):
        for name, logits in state.logits.items():
            weights[name] = soft(pair, name, logits)
        loss, gradient = objective(weights, state.epoch)
        _check_finite(loss, "loss", state.epoch)
        for name, logits in state.logits.items():
            step(logits, gradient[name], difference(pair, name), settings=settings)
            _check_finite(float(logits.sum(dtype=np.float64)), f"gradient of {name}", state.epoch)
        del gradient
        state = MaskState(logits=state.logits, losses=(*state.losses, loss))
        yield state


def _without_mask(pair: Pair) -> dict[str, F32]:
    """The weights that training leaves as they are: θ0 + (A + B) / 2, or θ0."""
    masked, changed = set(pair.masked), set(pair.changed)
    weights = {n: _float32(pair.base[n]) for n in pair.base if n not in masked}
    for name in changed - masked:
        weights[name] = weights[name] + _float32(merged(pair, name, None))
    return weights


def finished(state: MaskState, *, settings: MaskSettings = FAST) -> bool:
    """Whether training is over: all epochs done, or the loss has stopped falling."""
    if state.epoch >= settings.epochs:
        return True
    if settings.patience is None or state.epoch <= settings.patience:
        return False
    before = min(state.losses[: -settings.patience])
    lately = min(state.losses[-settings.patience :])
    gained = state.losses[0] - min(before, lately)
    return before - lately <= settings.tolerance * gained


def soft(pair: Pair, name: str, logits: Array) -> F32:
    """θ0 + (1 − s) A + s B of one tensor, as float32 (float64 for float64 logits)."""
    fade = np.exp(-np.abs(logits))
    share = np.where(logits > 0, np.ones((), fade.dtype), fade) / (1 + fade)
    share *= difference(pair, name)
    share += _of(pair.kept, name)
    share += pair.base[name]
    mixture: F32 = share
    return mixture


def slope(logits: Array, gradient: Array, apart: Array) -> Array:
    """∂L/∂m = G (B − A) s (1 − s), elementwise.

    logits, gradient, apart  m, G = ∂L/∂θ and B − A, of one shape
    """
    found: Array = gradient * apart * _steepness(logits)
    return found


def step(logits: Array, gradient: Array, apart: Array, *, settings: MaskSettings) -> None:
    """m ← m − η G (B − A) s (1 − s) + regularisation, in place.

    gradient  G of the total loss at the soft mixture; summed over tasks, not averaged
    apart     B − A
    """
    steep = _steepness(logits)
    move = gradient * apart
    move *= -settings.eta
    if settings.reg == "code":
        move += np.where(logits > 0, settings.alpha, -settings.alpha).astype(move.dtype)
    else:
        move -= settings.alpha
    move *= steep
    logits += move


def difference(pair: Pair, name: str) -> Array:
    """B − A of one tensor, float32; () where neither changes it."""
    found: Array = np.subtract(_of(pair.added, name), _of(pair.kept, name), dtype=np.float32)
    return found


def _steepness(logits: Array) -> Array:
    """s (1 − s), exact far from 0, too, where 1 − s alone would be rounded away."""
    fade = np.exp(-np.abs(logits))
    steep: Array = fade / (1 + fade) ** 2
    return steep


# Results ------------------------------------------------------------------------------------


def merge(pair: Pair, logits: Logits) -> dict[str, Array]:
    """The merged task vector, of each tensor that A or B changes: the next A.

    As precise as A is stored, so that masked weights are those of A or B, bit for bit.
    """
    return {name: merged(pair, name, logits.get(name)) for name in pair.changed}


def merged(pair: Pair, name: str, logits: Array | None) -> Array:
    """One tensor of it: B where m > 0 and A elsewhere; (A + B) / 2 where there is no mask."""
    kept, added = _of(pair.kept, name), _of(pair.added, name)
    kind = np.result_type(*(vector[name] for vector in (pair.kept, pair.added) if name in vector))
    if logits is not None:
        return np.where(logits > 0, added, kept).astype(kind, copy=False)
    return (np.float32(0.5) * np.add(kept, added, dtype=np.float32)).astype(kind, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """Which share of the masked weights is taken from B, in [0, 1].

    by_kind    kinds of tensor as in their names: attn_q, ffn_down, …
    by_tensor  names of the tensors
    """

    share: float
    by_layer: Mapping[int, float]
    by_kind: Mapping[str, float]
    by_tensor: Mapping[str, float]


def density(logits: Logits) -> Density:
    """The shares in a mask; 0 where nothing is masked."""
    layers: dict[int, list[tuple[int, int]]] = {}
    kinds: dict[str, list[tuple[int, int]]] = {}
    tensors: dict[str, float] = {}
    for name, values in logits.items():
        _, layer, kind = name.removesuffix(".weight").split(".", 2)
        counted = int(np.count_nonzero(values > 0)), values.size
        tensors[name] = _share([counted])
        layers.setdefault(int(layer), []).append(counted)
        kinds.setdefault(kind, []).append(counted)
    return Density(
        share=_share([counted for group in kinds.values() for counted in group]),
        by_layer={layer: _share(group) for layer, group in sorted(layers.items())},
        by_kind={kind: _share(group) for kind, group in sorted(kinds.items())},
        by_tensor=tensors,
    )


def _share(counted: list[tuple[int, int]]) -> float:
    taken, size = (sum(numbers) for numbers in zip(*counted, strict=True)) if counted else (0, 0)
    return taken / size if size else 0.0


# Magnitudes ---------------------------------------------------------------------------------


def kth_largest(vector: Vector, k: int) -> float:
    """The k-th largest |x| of all tensors together, exactly; 0 where there are fewer than k.

    k ≥ 1. Passes over the tensors twice and keeps none: the bits of floats that are not negative
    sort as they do, so a histogram of the upper half finds the bin and one of the lower the value.
    """
    upper = np.zeros(1 << 16, np.int64)
    for name in vector:
        upper += np.bincount(_bits(vector[name]) >> 16, minlength=1 << 16)
    top, above = _from_the_top(upper, k)
    if top is None:
        return 0.0
    lower = np.zeros(1 << 16, np.int64)
    for name in vector:
        bits = _bits(vector[name])
        lower += np.bincount(bits[bits >> 16 == top] & 0xFFFF, minlength=1 << 16)
    low, _ = _from_the_top(lower, k - above)
    assert low is not None
    return float(np.asarray([top << 16 | low], np.uint32).view(np.float32)[0])


def _bits(array: Array) -> npt.NDArray[np.uint32]:
    return np.abs(array, dtype=np.float32).ravel().view(np.uint32)


def _from_the_top(counts: npt.NDArray[np.int64], k: int) -> tuple[int | None, int]:
    """The bin that holds the k-th value from the top, and how many values lie above that bin."""
    reached = counts[::-1].cumsum()
    place = int(np.searchsorted(reached, k))
    if place == len(counts):
        return None, 0
    return len(counts) - 1 - place, int(reached[place] - counts[::-1][place])


def _of(vector: Vector, name: str) -> Array:
    """A tensor of a task vector; a single 0 where it does not hold it."""
    return vector.get(name, _UNCHANGED)


def _float32(array: Array) -> F32:
    return array.astype(np.float32, copy=False)


def _check_finite(value: float, what: str, epoch: int) -> None:
    if not math.isfinite(value):
        raise InvalidParameter(
            f"In epoch {epoch + 1} the {what} became {value}; choose members that "
            "differ less, or a method that does not learn."
        )
