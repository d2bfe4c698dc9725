"""The decoding loop: streams in, steering and sampling in the middle, text out.

For every step: read one row of logits per stream, steer, choose a token, give it to all streams of
that answer; `Drawing` and `Weighing` are the two ways to choose. Several answers, the two of a duel
above all, are decoded in the same batches. Time is counted in two parts, the model's (`decode`) and
ours (`steer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.errors import InternalError
from engine.inference.arm import Arm
from engine.inference.model import MAX_STREAMS, CacheFull, Interrupted, LanguageModel
from engine.inference.prompts import Fitted, fit
from engine.inference.stepping import (
    Clock,
    Clockwork,
    Drawing,
    OnStep,
    Rig,
    Stepping,
    Stopped,
    ranges,
)
from engine.inference.streams import Prepared, Streams, cells_needed
from engine.inference.templates import ChatFormat
from engine.inference.weighing import Weighing
from engine.numerics import F32
from engine.types.answers import Answer, Chunk, Finish, Question, Seconds, Started
from engine.types.work import Notice


class Generation:
    """Answers to questions, side by side; iterate `run` once."""

    def __init__(
        self,
        *questions: Question,
        model: LanguageModel,
        streams: Streams,
        form: ChatFormat,
        name: str,
        seed: int,
        clock: Clock,
        stopped: Stopped,
        on_step: OnStep = lambda _seconds, _streams: None,
        on_prompt: Callable[[], None] = lambda: None,
    ) -> None:
        """Checks the questions. Raises InputError.

        seed     used where a question has none
        stopped  polled before every batch
        on_step  told the seconds and tokens of every batch after the prompt
        on_prompt  told when the template has done its part and the prompt is about to be read
        """
        self._arms = [Arm(q, model=model, form=form, name=name, seed=seed) for q in questions]
        if not 1 <= sum(arm.streams for arm in self._arms) <= MAX_STREAMS:
            raise InternalError(f"{len(questions)} answers need more than {MAX_STREAMS} streams.")
        self._model, self._streams, self._form = model, streams, form
        self._name = name
        self._time = Clockwork(clock=clock)
        self._stopped, self._on_prompt = stopped, on_prompt
        self._limits: list[int] = []
        # Where each arm's streams stand among all.
        self._places = ranges([arm.streams for arm in self._arms])
        rig = Rig(model=model, streams=streams, time=self._time, stopped=stopped, on_step=on_step)
        kind = Weighing if any(q.steering.reward for q in questions) else Drawing
        self._stepping: Stepping = kind(arms=self._arms, places=self._places, rig=rig)

    def run(self) -> Iterator[Notice | Started | Chunk | Answer]:
        """Notices, Started, Chunks, and at last an Answer for each question, in their order."""
        fitted = self._fit()
        if dropped := max(f.dropped for f in fitted):
            yield _dropped_notice(dropped)
        self._on_prompt()
        prompts = tuple(prompt for f in fitted for prompt in f.prompts)
        try:
            prepared = self._prepare(prompts)
            yield self._started(prompts, prepared, dropped=dropped)
            self._limits = [self._limit(arm, prompts) for arm in self._arms]
            yield from self._decode(prepared.logits)
        except Interrupted:
            self._end("stopped")
        for number, arm in enumerate(self._arms):
            if rest := arm.rest():
                yield Chunk(text=rest, tokens=arm.count, answer=number)
        for number, arm in enumerate(self._arms):
            yield self._answer(arm, number)

    def _fit(self) -> list[Fitted]:
        """Prompts of every arm; arms of one chat keep the same messages, as duels need it."""
        alike = len({arm.question.messages for arm in self._arms}) == 1
        groups = [self._arms] if alike else [[arm] for arm in self._arms]
        fitted = []
        for group in groups:
            found = fit(
                [chat for arm in group for chat in arm.plan.chats],
                model=self._model,
                form=self._form,
                max_tokens=max(arm.question.sampling.max_tokens for arm in group),
                cells=self._model.shape.cells // len(groups),
            )
            for places in ranges([arm.streams for arm in group]):
                prompts = found.prompts[places.start : places.stop]
                fitted.append(Fitted(prompts=prompts, dropped=found.dropped))
        return fitted

    def _prepare(self, prompts: tuple[tuple[int, ...], ...]) -> Prepared:
        if self._stopped():
            raise Interrupted
        self._model.keep_hidden(any(arm.embeds for arm in self._arms))
        begun = self._time.clock()
        prepared = self._streams.prepare(prompts)
        self._time.prefill = self._time.clock() - begun
        return prepared

    def _decode(self, rows: F32) -> Iterator[Chunk]:
        """Yields text until every arm has ended."""
        self._stepping.begin(rows)
        try:
            while live := self._live():
                tokens = self._choose(live)
                for number in live:
                    yield from self._take(number, tokens[number])
                ends = self._model.is_end
                self._stepping.advance({n: t for n, t in tokens.items() if not ends(t)})
        except CacheFull:
            self._end("context")

    def _choose(self, live: list[int]) -> dict[int, int]:
        """A token for every arm that goes on; what the model does not take of the time is ours."""
        begun, decoded = self._time.clock(), self._time.decode
        tokens = self._stepping.choose(live)
        self._time.steer += self._time.clock() - begun - (self._time.decode - decoded)
        return tokens

    def _take(self, number: int, token: int) -> Iterator[Chunk]:
        arm = self._arms[number]
        if text := arm.take(token, limit=self._limits[number]):
            yield Chunk(text=text, tokens=arm.count, answer=number)

    def _live(self) -> list[int]:
        return [number for number, arm in enumerate(self._arms) if arm.finish is None]

    def _end(self, finish: Finish) -> None:
        for number in self._live():
            self._arms[number].finish = finish

    def _limit(self, arm: Arm, prompts: tuple[tuple[int, ...], ...]) -> int:
        """Tokens of an answer that were asked for and have room."""
        shape, longest = self._model.shape, max(map(len, prompts))
        free = shape.cells - cells_needed(prompts, each=0) - self._stepping.spare
        room = min(shape.trained - longest, free // len(prompts))
        return max(1, min(arm.question.sampling.max_tokens, room))

    def _started(
        self, prompts: tuple[tuple[int, ...], ...], prepared: Prepared, *, dropped: int
    ) -> Started:
        first = self._arms[0]
        return Started(
            prompt_tokens=max(map(len, prompts)),
            cached_tokens=prepared.cached,
            context=self._context(),
            dropped=dropped,
            streams=len(prompts),
            seed=first.seed,
            gamma=first.plan.gamma,
        )

    def _answer(self, arm: Arm, number: int) -> Answer:
        time = self._time
        return Answer(
            text=arm.text,
            finish=arm.finish or "stopped",
            tokens=arm.count,
            streams=arm.streams,
            gamma=arm.plan.gamma,
            seed=arm.seed,
            used=self._streams.length(self._places[number].start) if self._streams.live else 0,
            context=self._context(),
            model=self._name,
            seconds=Seconds(prefill=time.prefill, decode=time.decode, steer=time.steer),
            utilities=arm.learned_utilities,
            surprise=arm.mean_surprise,
            embedding=arm.embedding,
        )

    def _context(self) -> int:
        return min(self._model.shape.cells, self._model.shape.trained)


def _dropped_notice(dropped: int) -> Notice:
    text = (
        f"The chat has outgrown what the model can read at once: its oldest {dropped} messages "
        "are no longer part of the question."
    )
    return Notice(code="messages_dropped", text=text)
