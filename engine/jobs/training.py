"""Training an adapter: lessons become tokens, the tokens an adapter, and that a file with a card.

What was learned is kept every few seconds, so that a training that was stopped or killed goes on
there and comes to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from engine.errors import InputError, InternalError, Stopped
from engine.inference.client import Client
from engine.inference.protocol import Tokenized
from engine.jobs.consensus import Watched
from engine.jobs.kept import Kept, held
from engine.jobs.protocol import Item, StageItem, Subject, Train
from engine.jobs.respondent import FATAL, Respondent
from engine.merging.adapters import change
from engine.merging.packing import ROWS, Example
from engine.merging.shape import Shape, shape_of
from engine.merging.training import Plan, State, Update, begin, train
from engine.merging.transformer import HEAD_ROWS, Model
from engine.models import memory
from engine.models.adapters import open_adapter, write_adapter
from engine.models.cards import (
    CardSurvival,
    FileMark,
    MergeCard,
    Parameter,
    marked,
    write_card,
)
from engine.models.survival import ENOUGH, Survival, summed, trace
from engine.models.weights import Weights, open_weights
from engine.numerics import F32
from engine.types.answers import Message, Question
from engine.types.work import Progress

KEEP_SECONDS = 15.0
"""So much work is lost at most where the process is killed, and the step under way."""

WARM_UP = 3
"""Updates until the full learning rate."""

_STATE = "state"


class Training:
    """Train under way; see `Working`."""

    def __init__(
        self, request: Train, *, spawn: Callable[[], Client], clock: Callable[[], float]
    ) -> None:
        """spawn starts an inference child; clock counts seconds."""
        self._request, self._clock = request, clock
        self._stopping = False
        self._respondent = Respondent(
            _subject(request), seed=0, spawn=spawn, stopping=lambda: self._stopping
        )
        self._plan = Plan(
            steps=request.steps,
            batch=request.batch,
            rate=request.rate,
            warm_up=min(WARM_UP, request.steps),
            rank=request.rank,
            alpha=request.alpha,
        )

    def cancel(self) -> None:
        """End soon; the updates that are done are kept. Any thread."""
        self._stopping = True
        self._respondent.cancel()

    def run(self) -> Generator[Item, None, None]:
        """Progress; at the end adapter and card are there. Raises Stopped after `cancel`,
        UnsupportedModel for a base without gradients here, InputError, StorageError."""
        base = open_weights(Path(self._request.base))
        shape = shape_of(base.header.metadata, {name: base.shape(name) for name in base.tensors})
        check_memory(shape, installed=memory.installed())
        yield self._stage("Reading the lessons", 0)
        examples = self._examples()
        mark = marked(Path(self._request.base))
        weights = Watched(self._weights(base, shape), self._watch)
        model = Model(shape=shape, weights=weights)
        with held(Path(self._request.folder), mark.sha256, self._request.identity()) as kept:
            state = self._state(model, kept, count=len(examples))
            losses = yield from self._train(model, examples, state, kept)
            self._write(base, state, mark=mark, parameters=self._parameters(examples, losses))
            kept.remove()

    # ----------------------------------------------------------------------------------------

    def _examples(self) -> list[Example]:
        """The lessons as the model reads them, in their order; only the answers count."""
        lessons = self._request.lessons
        questions = [
            Question(messages=(Message(role="user", text=each.question),)) for each in lessons
        ]
        told = self._read(questions, [each.answer for each in lessons])
        most, end = self._request.reply_tokens, () if told.end is None else (told.end,)
        return [
            _example(prompt, (*reply, *(end if lesson.whole else ()))[:most])
            for prompt, reply, lesson in zip(told.prompts, told.replies, lessons, strict=True)
        ]

    def _read(self, questions: Sequence[Question], replies: Sequence[str]) -> Tokenized:
        """Raises ModelError, EngineError, Stopped."""
        try:
            self._respondent.ready()
            try:
                return self._respondent.tokenize(questions, replies)
            except FATAL:
                # The next child leaves the model's own template out, where that has done it.
                self._respondent.ready()
                return self._respondent.tokenize(questions, replies)
        finally:
            self._respondent.close()

    def _weights(self, base: Weights, shape: Shape) -> dict[str, F32]:
        """All tensors, float32. Raises Stopped."""
        found: dict[str, F32] = {}
        for name in shape.tensors():
            self._watch()
            found[name] = base.read(name)
        return found

    def _state(self, model: Model, kept: Kept, *, count: int) -> State:
        """What a stopped training had learned, or the beginning."""
        if (arrays := kept.arrays(_STATE)) is not None:
            return State.of(arrays)
        rng = np.random.default_rng(self._request.seed)
        names = model.shape.matrices(self._request.parts)
        return begin(model, names, count=count, plan=self._plan, rng=rng)

    def _train(
        self, model: Model, examples: Sequence[Example], state: State, kept: Kept
    ) -> Generator[Item, None, list[float]]:
        """Do what is left of the updates; returns their losses."""
        yield self._stage("Training", state.step)
        begun = kept_at = self._clock()
        done, losses = state.step, []
        try:
            for update in train(model, examples, state, plan=self._plan):
                losses.append(update.loss)
                now = self._clock()
                pace = (now - begun) / (update.step - done)
                yield self._learned(update, left=pace * (self._plan.steps - update.step))
                if now - kept_at >= KEEP_SECONDS:
                    _keep(state, kept)
                    kept_at = now
                self._watch()
        except Stopped:
            _keep(state, kept)
            raise
        return losses

    def _write(
        self, base: Weights, state: State, *, mark: FileMark, parameters: Mapping[str, Parameter]
    ) -> None:
        """The adapter and its card, whole or not at all; the card first, so that no adapter is
        ever without. `mark` is that of the base."""
        out, title = Path(self._request.out), self._request.title
        halves = {name: half.astype(np.float32) for name, half in state.adapters.items()}

        def describe(part: Path) -> None:
            survival = self._survival(part, base, halves)
            card = MergeCard(
                kind="adapter",
                name=title,
                output=replace(marked(part), name=out.name),
                base=mark,
                method="train",
                parameters=parameters,
                survival=CardSurvival(
                    share=survival.share,
                    noise=survival.noise,
                    worst=survival.worst[0],
                    worst_share=survival.worst[1],
                ),
            )
            write_card(card, beside=out)

        alpha = self._plan.alpha
        write_adapter(out, base=base, halves=halves, alpha=alpha, name=title, describe=describe)

    def _survival(self, path: Path, base: Weights, halves: Mapping[str, F32]) -> Survival:
        """How much of what was learned is in the file. Raises InternalError where it is little."""
        found = open_adapter(path, base=base)
        traces = []
        for name in found.names:
            written = found.change(name)
            assert written is not None
            wanted = change(halves, name, scale=self._plan.scale).astype(np.float32)
            traces.append(trace(name, written, wanted))
        survival = summed(traces)
        if not survival.share > ENOUGH:
            raise InternalError(
                f"Only {survival.share:.0%} of what was learned is in the file; it was removed."
            )
        return survival

    def _parameters(
        self, examples: Sequence[Example], losses: Sequence[float]
    ) -> dict[str, Parameter]:
        request = self._request
        return {
            "trait": request.trait,
            "training": request.identity(),
            "lessons": len(request.lessons),
            "tokens": int(sum(example.total for example in examples)),
            "reply_tokens": request.reply_tokens,
            "parts": ", ".join(request.parts),
            "steps": request.steps,
            "batch": request.batch,
            "rate": request.rate,
            "rank": request.rank,
            "alpha": request.alpha,
            "seed": request.seed,
            "last_loss": losses[-1] if losses else None,
        }

    def _learned(self, update: Update, *, left: float) -> Item:
        return self._stage(f"Training, loss {update.loss:.2f}", update.step, left=left)

    def _stage(self, text: str, done: int, *, left: float | None = None) -> Item:
        total = self._plan.steps
        return StageItem(progress=Progress(done=done, total=total, left=left, text=text))

    def _watch(self) -> None:
        if self._stopping:
            raise Stopped("The training was stopped.")


def _keep(state: State, kept: Kept) -> None:
    # Typed for weights, but it takes all that numpy can save.
    kept.put_arrays(_STATE, cast("Mapping[str, F32]", state.arrays()))


def _subject(request: Train) -> Subject:
    """Who reads the lessons."""
    return Subject(
        model="base",
        name=Path(request.base).name,
        path=request.base,
        size=0,
        launch=request.launch,
        questions=(),
    )


def _example(prompt: Sequence[int], reply: Sequence[int]) -> Example:
    """A prompt and what is learned to follow it."""
    tokens = np.asarray((*prompt, *reply), np.intp)
    return Example(tokens=tokens, weights=np.arange(len(tokens)) >= len(prompt))


def check_memory(shape: Shape, *, installed: int | None) -> None:
    """Raises InputError where training takes more bytes than there are."""
    weights = sum(int(np.prod(size)) for size in shape.tensors().values())
    heads = 2 * (shape.heads + shape.kv_heads) * shape.head_dim
    row = shape.layers * (2 * shape.width + heads + 2 * shape.ff)
    need = 4 * (weights + ROWS * row + 3 * HEAD_ROWS * shape.vocab) + memory.OVERHEAD
    if installed is not None and need > installed:
        raise InputError(
            f"Training needs about {need / 1e9:.1f} GB of memory, and this computer has "
            f"{installed / 1e9:.1f} GB. Train an adapter for a smaller model."
        )
