"""What each way of merging without training adds to a tensor of the base.

A tensor is read when it is asked for, and nothing is kept: memory is a few copies of the largest
tensor, whatever the models.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.merging import baselines
from engine.merging.baselines import Order
from engine.merging.masks import Array, is_masked
from engine.models.members import Member
from engine.models.weights import Weights
from engine.numerics import F32

Mix = Callable[[str], Array | None]
"""Name of a tensor of the base → what is added to it, float16 or float32; None leaves it alone."""

Rule = Callable[[Sequence[F32]], F32]
"""The changes that all members make to one tensor → what is added to it."""


class Changes(Mapping[str, F32]):
    """The task vector of a member, read from its file whenever it is asked for."""

    def __init__(self, member: Member, *, base: Weights, watch: Callable[[], None]) -> None:
        """watch  raises what ends the reading"""
        self._member, self._base, self._watch = member, base, watch

    def __getitem__(self, name: str) -> F32:
        """float32, zeros where the member leaves the tensor alone."""
        self._watch()
        change = self._member.change(name)
        return np.zeros(self._base.shape(name), np.float32) if change is None else change

    def __iter__(self) -> Iterator[str]:
        return iter(self._base.tensors)

    def __len__(self) -> int:
        return len(self._base.tensors)


def mixed(members: Sequence[Member], rule: Rule) -> Mix:
    """The rule on every tensor that any of the members changes."""

    def mix(name: str) -> F32 | None:
        found = changes(members, name)
        return None if found is None else rule(found)

    return mix


def changes(members: Sequence[Member], name: str) -> list[F32] | None:
    """What each member adds to a tensor, zeros where it leaves it alone; None where all do."""
    found = [member.change(name) for member in members]
    some = next((change for change in found if change is not None), None)
    if some is None:
        return None
    return [np.zeros_like(some) if change is None else change for change in found]


def average(members: Sequence[Member]) -> Mix:
    """The mean of all members."""
    return mixed(members, baselines.average)


def arithmetic(members: Sequence[Member], *, scale: float) -> Mix:
    """λ times the sum of all members."""
    return mixed(members, lambda found: baselines.arithmetic(found, scale=scale))


def ties(members: Sequence[Member], *, base: Weights, watch: Callable[[], None]) -> Mix:
    """Trimmed, with an elected sign. Reads every member twice for its floor first; what `watch`
    raises ends that."""
    weights = sum(tensor.elements for tensor in base.tensors.values())
    floors = [
        baselines.trim_floor(Changes(member, base=base, watch=watch), weights=weights)
        for member in members
    ]
    return mixed(members, lambda found: baselines.ties(found, floors=floors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The frame that a learned mask has, for a random one.

    order   of the members
    shares  of the masked weights that are taken from each member that is added, in [0, 1]
    seed    of the masks; each tensor has chance of its own, in whatever order they are asked for
    """

    order: Order
    shares: tuple[float, ...]
    seed: int


def at_odds(count: int, *, seed: int) -> Frame:
    """Every weight from any of so many members, as likely as from any other."""
    order = Order(first=(0,), scale=1.0, then=tuple(range(1, count)))
    return Frame(order=order, shares=tuple(1.0 / n for n in range(2, count + 1)), seed=seed)


def random_mask(members: Sequence[Member], frame: Frame) -> Mix:
    """Masked tensors by chance, all others the mean of what is merged so far and what is added."""

    def mix(name: str) -> F32 | None:
        found = changes(members, name)
        if found is None:
            return None
        rng = np.random.default_rng([frame.seed, zlib.crc32(name.encode())])
        kept = started(found, frame.order)
        for member, share in zip(frame.order.then, frame.shares, strict=True):
            if is_masked(name, kept.ndim):
                kept = baselines.random_mask(kept, found[member], share=share, rng=rng)
            else:
                kept = baselines.average([kept, found[member]])
        return kept

    return mix


def started(found: Sequence[F32], order: Order) -> F32:
    """The part of one tensor that is merged without training."""
    return baselines.arithmetic([found[member] for member in order.first], scale=order.scale)
