"""CALM on files: members answer, a mask is learned from their answers, and all is compared.

Every part is kept when it is done, a mask after each epoch, so that a merge that was stopped or
killed goes on there and comes to the same bits.

Source: CALM (arXiv 2506.13406); the mathematics are in `engine.merging`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.jobs import mixing
from engine.jobs.family import Family
from engine.jobs.kept import Kept
from engine.jobs.mixing import Frame, Mix
from engine.jobs.protocol import Item, Merge, MergePart, StageItem
from engine.merging.baselines import FIRST_STAGE, Order, cosines, order
from engine.merging.greedy import write
from engine.merging.layers import Floats
from engine.merging.masks import (
    Array,
    Density,
    MaskSettings,
    MaskState,
    Pair,
    density,
    finished,
    learn,
    merge,
    start,
)
from engine.merging.packing import Example
from engine.merging.samples import Reply, choose
from engine.merging.shape import Shape
from engine.merging.transformer import Model, loss, loss_and_gradients
from engine.models.header import Header, file_name
from engine.models.members import Member, task_vector
from engine.numerics import F32
from engine.types.work import Notice, Progress

REPLY_TOKENS = 48
"""Of what a member writes to a prompt, at most."""

BASE = "base"
CALM = "calm"

Tokens = tuple[int, ...]
Read = Callable[[Sequence[str]], tuple[Tokens, ...]]
"""Questions → the tokens of the prompts that the base reads, template and all."""

Scores = dict[str, dict[str, float]]
"""Name of a model → name of a task (a member's file) → loss on the member's held-out replies."""

_LOSSES = "losses"
_ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")


class Replies(NamedTuple):
    """What one member wrote to the prompts for masks, and to those for comparing."""

    learned: tuple[Reply, ...]
    held_out: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All that came of it.

    mixes      what each method adds to the base, by its name in the scores
    scores     of these, and of the base and each member alone
    densities  one per mask
    epochs     trained, of each mask
    """

    order: Order
    mixes: Mapping[str, Mix]
    scores: Scores
    densities: tuple[Density, ...]
    epochs: tuple[int, ...]

    @property
    def ranking(self) -> list[str]:
        """Methods, the one first that keeps all members best: the smallest sum of losses."""
        return sorted(self.mixes, key=lambda name: sum(self.scores[name].values()))


class Watched(Mapping[str, Floats]):
    """Weights that notice when all is to end: a pass through a model looks at each of them."""

    def __init__(self, weights: Mapping[str, Floats], watch: Callable[[], None]) -> None:
        self._weights, self._watch = weights, watch

    def __getitem__(self, name: str) -> Floats:
        self._watch()
        return self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


class Consensus:
    """One merge with a learned mask."""

    def __init__(
        self,
        family: Family,
        request: Merge,
        *,
        kept: Kept,
        read: Read,
        tell: Callable[[Notice], Iterator[Item]],
        watch: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        """
        read   asked once, where it was not kept
        tell   says something and puts it on the card
        watch  raises what ends everything
        clock  counts seconds
        """
        self._family, self._request, self._kept = family, request, kept
        self._read, self._tell = read, tell
        self._watch, self._clock = watch, clock
        self._settings = MaskSettings(epochs=request.epochs)
        self._names = task_names(family.members)
        self._places = {f"{name} alone": f"{n} alone" for n, name in enumerate(self._names)}
        self._base: dict[str, F32] = {}
        self._learned: list[tuple[Example, ...]] = []
        self._held_out: list[tuple[Example, ...]] = []
        self._losses = kept.get("scores", dict[str, tuple[float, ...]]) or {}
        self._scores: Scores = {}

    @property
    def settings(self) -> MaskSettings:
        return self._settings

    def run(self) -> Generator[Item, None, Learned]:
        """Raises what `watch` raises, InvalidParameter where training runs away, StorageError."""
        for name in self._family.base.tensors:
            self._watch()
            self._base[name] = self._family.base.read(name)
        yield from self._answer()
        yield from self._compare("alone", self._alone())
        for notice in contradictions(self._scores, self._names):
            yield from self._tell(notice)
        found = self._order()
        vector, densities, epochs = yield from self._masks(found)
        mixes: dict[str, Mix] = {CALM: vector.get}
        frame = Frame(
            order=found, shares=tuple(d.share for d in densities), seed=self._request.seed
        )
        mixes |= self._baselines(frame)
        yield from self._compare("mixes", mixes)
        return Learned(
            order=found,
            mixes=mixes,
            scores={name: self._scores[name] for name in [*self._alone(), *mixes]},
            densities=tuple(densities),
            epochs=tuple(epochs),
        )

    # Replies --------------------------------------------------------------------------------

    def _answer(self) -> Iterator[Item]:
        """Have every member answer all prompts."""
        for number, member in enumerate(self._family.members):
            text = f"{file_name(member.path)} answers"
            yield stage("replies", text, number, len(self._family.members))
            replies = self._kept.get(f"replies-{number}", Replies)
            if replies is None:
                replies = self._replies(member)
                self._kept.put(f"replies-{number}", replies)
            self._learned.append(choose(replies.learned))
            self._held_out.append(choose(replies.held_out, share=1.0, drop=0.0))

    def _replies(self, member: Member) -> Replies:
        asked = (*self._request.prompts, *self._request.held_out)
        prompts = self._prompts()
        ends = end_tokens(self._family.base.header)
        written = write(self._model(member.change), prompts, most=REPLY_TOKENS, ends=ends)
        replies = [
            Reply(prompt=p, tokens=w.tokens, uncertainty=w.uncertainty, tag=a.tag)
            for a, p, w in zip(asked, prompts, written, strict=True)
        ]
        count = len(self._request.prompts)
        return Replies(learned=tuple(replies[:count]), held_out=tuple(replies[count:]))

    def _prompts(self) -> tuple[Tokens, ...]:
        prompts = self._kept.get("prompts", tuple[Tokens, ...])
        if prompts is None:
            asked = (*self._request.prompts, *self._request.held_out)
            prompts = self._read([prompted.text for prompted in asked])
            self._kept.put("prompts", prompts)
        return prompts

    # Scores ---------------------------------------------------------------------------------

    def _compare(self, part: MergePart, mixes: Mapping[str, Mix]) -> Iterator[Item]:
        """Mean cross-entropy of each member's held-out replies, nats per token; each is kept."""
        for number, (name, mix) in enumerate(mixes.items()):
            yield stage(part, f"Comparing: {name}", number, len(mixes))
            # A file may have another name when a merge goes on: what is kept goes by places.
            place = self._places.get(name, name)
            if len(self._losses.get(place, ())) != len(self._names):
                model = self._model(mix)
                self._losses[place] = tuple(loss(model, each) for each in self._held_out)
                self._kept.put("scores", self._losses)
            self._scores[name] = dict(zip(self._names, self._losses[place], strict=True))

    def _alone(self) -> dict[str, Mix]:
        members = zip(self._names, self._family.members, strict=True)
        return {BASE: lambda _: None} | {f"{n} alone": member.change for n, member in members}

    def _baselines(self, frame: Frame) -> dict[str, Mix]:
        members = self._family.members
        return {
            "average": mixing.average(members),
            "arithmetic 1": mixing.arithmetic(members, scale=1.0),
            f"arithmetic {FIRST_STAGE:g}": mixing.arithmetic(members, scale=FIRST_STAGE),
            "ties": mixing.ties(members, base=self._family.base, watch=self._watch),
            "random-mask": mixing.random_mask(members, frame),
        }

    def _model(self, mix: Mix) -> Model:
        """The base with something added."""
        weights: dict[str, Floats] = {}
        for name, base in self._base.items():
            self._watch()
            change = mix(name)
            weights[name] = base if change is None else base + change
        return Model(shape=self._shape, weights=Watched(weights, self._watch))

    @property
    def _shape(self) -> Shape:
        assert self._family.shape is not None
        return self._family.shape

    # Masks ----------------------------------------------------------------------------------

    def _order(self) -> Order:
        return order(cosines(self._changes()))

    def _changes(self) -> Iterator[Sequence[F32]]:
        """What all members change, tensor by tensor."""
        for name in self._base:
            self._watch()
            changes = mixing.changes(self._family.members, name)
            if changes is not None:
                yield changes

    def _masks(
        self, found: Order
    ) -> Generator[Item, None, tuple[dict[str, Array], list[Density], list[int]]]:
        """Add the late members one at a time, each by a mask that all members seen have shaped."""
        kept = self._first(found)
        densities, epochs, seen = [], [], list(found.first)
        for number, member in enumerate(found.then):
            seen.append(member)
            added = task_vector(self._family.members[member], base=self._family.base)
            pair = Pair(base=self._base, kept=kept, added=added)
            state = yield from self._learn(pair, seen, number, len(found.then))
            kept = merge(pair, state.logits)
            densities.append(density(state.logits))
            epochs.append(state.epoch)
        return kept, densities, epochs

    def _first(self, found: Order) -> dict[str, Array]:
        """What is added up without training, float16 as the task vectors are."""
        if len(found.first) == 1:
            return dict(task_vector(self._family.members[found.first[0]], base=self._family.base))
        vector: dict[str, Array] = {}
        for name in self._base:
            self._watch()
            changes = mixing.changes(self._family.members, name)
            if changes is not None:
                vector[name] = mixing.started(changes, found).astype(np.float16)
        return vector

    def _learn(
        self, pair: Pair, seen: Sequence[int], number: int, count: int
    ) -> Generator[Item, None, MaskState]:
        """Train one mask to its end, from where it was kept."""
        name, begun, epochs = f"mask-{number}", self._clock(), self._settings.epochs
        state = first = self._kept_mask(name, pair)
        objective = self._objective(pair, seen)
        yield self._progress(state, number, count, left=None)
        for trained in learn(pair, first, objective=objective, settings=self._settings):
            state = trained
            self._kept.put_arrays(name, {**state.logits, _LOSSES: np.asarray(state.losses)})
            each = (self._clock() - begun) / (state.epoch - first.epoch)
            here = 0 if finished(state, settings=self._settings) else epochs - state.epoch
            left = each * (here + (count - number - 1) * epochs)
            yield self._progress(state, number, count, left=left)
        return state

    def _kept_mask(self, name: str, pair: Pair) -> MaskState:
        arrays = self._kept.arrays(name)
        shapes = {masked: pair.base[masked].shape for masked in pair.masked}
        losses = None if arrays is None else arrays.pop(_LOSSES, None)
        if arrays is None or losses is None:
            return start(pair, settings=self._settings)
        if {masked: logits.shape for masked, logits in arrays.items()} != shapes:
            return start(pair, settings=self._settings)
        logits = {masked: arrays[masked] for masked in shapes}
        return MaskState(logits=logits, losses=tuple(losses.tolist()))

    def _objective(
        self, pair: Pair, seen: Sequence[int]
    ) -> Callable[[Mapping[str, F32], int], tuple[float, Mapping[str, Array]]]:
        """The loss summed over the tasks seen so far, each the mean over its tokens."""
        masked = pair.masked

        def objective(weights: Mapping[str, F32], _epoch: int) -> tuple[float, Mapping[str, Array]]:
            model = Model(shape=self._shape, weights=Watched(weights, self._watch))
            total, gradients = 0.0, {name: np.zeros_like(weights[name]) for name in masked}
            for task in seen:
                found, _ = loss_and_gradients(
                    model, self._learned[task], wanted=masked, into=gradients
                )
                total += found
            return total, gradients

        return objective

    def _progress(
        self, state: MaskState, number: int, count: int, *, left: float | None
    ) -> StageItem:
        epochs = self._settings.epochs
        text = f"Learning the mask: epoch {state.epoch} of {epochs}"
        if count > 1:
            text = f"Learning mask {number + 1} of {count}: epoch {state.epoch} of {epochs}"
        if state.losses:
            text += f", loss {state.losses[-1]:.3f}"
        return stage("masks", text, number * epochs + state.epoch, count * epochs, left=left)


def task_names(members: Sequence[Member]) -> list[str]:
    """What the scores call the members: names of their files, numbered where two are alike."""
    names = [file_name(member.path) for member in members]
    return [
        f"{name} ({number})" if names.count(name) > 1 else name
        for number, name in enumerate(names, 1)
    ]


def end_tokens(header: Header) -> frozenset[int]:
    """Tokens that end an answer, as far as the file names them."""
    found = (header.metadata.get(f"tokenizer.ggml.{field}") for field in _ENDS)
    return frozenset(token for token in found if isinstance(token, int))


def contradictions(scores: Scores, names: Sequence[str]) -> Iterator[Notice]:
    """Pairs of members of which each expects the other's replies less than the base does.

    The losses of a merge may be small all the same, since each token is predicted from those that
    the member wrote before it; but what it begins to write by itself, only one of them would.
    """
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            apart = (
                scores[f"{a} alone"][b] > scores[BASE][b] for a, b in ((one, other), (other, one))
            )
            if all(apart):
                text = (
                    f"{one} and {other} contradict each other: each expects the other's answers "
                    "less than the base does. However small its losses, a merged model answers a "
                    "question like one of them."
                )
                yield Notice(code="contradiction", text=text)


def stage(
    part: MergePart, text: str, done: int, total: int, *, left: float | None = None
) -> StageItem:
    """How far a part of a merge has come."""
    return StageItem(progress=Progress(done=done, total=total, left=left, text=text), part=part)
