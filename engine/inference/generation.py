"""The decoding loop: streams in, steering and sampling in the middle, text out.

For every step: read one row of logits per stream, steer, draw a token, give it to all streams of
that answer. Time is counted in two parts, the model's (`decode`) and ours (`steer`).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import DamagedModel
from engine.inference.model import CacheFull, Interrupted, LanguageModel
from engine.inference.prompts import fit
from engine.inference.streams import Prepared, Streams, cells_needed
from engine.inference.templates import ChatFormat
from engine.inference.variants import Plan, plan
from engine.numerics import F32
from engine.steering.amulet import Candidates, steer, weights
from engine.steering.sampling import Sampler, check
from engine.types import Answer, Chunk, Finish, Notice, Question, Seconds, Started

Clock = Callable[[], float]
Stopped = Callable[[], bool]
OnStep = Callable[[float, int], None]


@dataclass(slots=True, kw_only=True)
class _Clockwork:
    """Adds up where the time goes."""

    clock: Clock
    prefill: float = 0.0
    decode: float = 0.0
    steer: float = 0.0


class TextFlow:
    """Tokens to text: whole characters only, and nothing beyond a stop text."""

    def __init__(self, model: LanguageModel, *, stops: tuple[str, ...]) -> None:
        self._model = model
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = stops
        self._held = ""
        self.text = ""
        self.stopped = False

    def feed(self, token: int) -> str:
        """Text that may be shown after this token; "" while a character is incomplete."""
        self._held += self._decoder.decode(self._model.piece(token))
        return self._release()

    def finish(self) -> str:
        """What was held back."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", final=True)
        return self._emit(len(self._held))

    def _release(self) -> str:
        found = [i for s in self._stops if (i := self._held.find(s)) >= 0]
        if found:
            self.stopped = True
            return self._emit(min(found))
        return self._emit(len(self._held) - self._undecided())

    def _undecided(self) -> int:
        """Length of the longest tail that may still become a stop text."""
        tails = (n for s in self._stops for n in range(1, len(s)) if self._held.endswith(s[:n]))
        return max(tails, default=0)

    def _emit(self, length: int) -> str:
        new, self._held = self._held[:length], self._held[length:]
        if not self.text:
            new = new.lstrip()
        self.text += new
        return new


class Generation:
    """One answer to one question; iterate `run` once."""

    def __init__(
        self,
        question: Question,
        *,
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
        """Checks the question. Raises InputError.

        seed     used where the question has none
        stopped  polled before every step
        on_step  told the seconds and streams of every decoding step
        on_prompt  told when the template has done its part and the prompt is about to be read
        """
        check(question.sampling)
        self._plan: Plan = plan(question)
        self._question = question
        self._model, self._streams, self._form = model, streams, form
        self._name = name
        self._seed = question.sampling.seed if question.sampling.seed is not None else seed
        self._time = _Clockwork(clock=clock)
        self._stopped, self._on_step, self._on_prompt = stopped, on_step, on_prompt
        self._flow = TextFlow(model, stops=form.stops)
        self._sampler = Sampler(question.sampling, rng=np.random.default_rng(self._seed))
        self._theta = weights(self._plan.gamma, of=self._plan.weights)
        self._scratch = np.empty(model.shape.vocabulary, np.float32)
        self._count = 0

    def run(self) -> Iterator[Notice | Started | Chunk | Answer]:
        """Notices, Started, Chunks, and at last the Answer."""
        fitted = fit(
            self._plan.chats,
            model=self._model,
            form=self._form,
            max_tokens=self._question.sampling.max_tokens,
        )
        if fitted.dropped:
            yield _dropped_notice(fitted.dropped)
        finish: Finish = "stopped"
        self._on_prompt()
        try:
            prepared = self._prepare(fitted.prompts)
            yield self._started(fitted.prompts, prepared, dropped=fitted.dropped)
            finish = yield from self._decode(prepared.logits, limit=self._limit(fitted.prompts))
        except Interrupted:
            pass
        if rest := self._flow.finish():
            yield Chunk(text=rest, tokens=self._count)
        yield self._answer(finish)

    def _prepare(self, prompts: tuple[tuple[int, ...], ...]) -> Prepared:
        if self._stopped():
            raise Interrupted
        begun = self._time.clock()
        prepared = self._streams.prepare(prompts)
        self._time.prefill = self._time.clock() - begun
        return prepared

    def _decode(self, rows: F32, *, limit: int) -> Generator[Chunk, None, Finish]:
        """Yields text; returns why it ended."""
        while True:
            token = self._draw(rows)
            if self._model.is_end(token):
                return "end"
            self._count += 1
            if text := self._flow.feed(token):
                yield Chunk(text=text, tokens=self._count)
            if self._flow.stopped:
                return "end"
            if self._count >= limit:
                asked = self._question.sampling.max_tokens
                return "length" if limit == asked else "context"
            if self._stopped():
                return "stopped"
            try:
                rows = self._step(token)
            except CacheFull:
                return "context"

    def _draw(self, rows: F32) -> int:
        begun = self._time.clock()
        token = self._sampler.next(self._candidates(rows))
        self._time.steer += self._time.clock() - begun
        return token

    def _step(self, token: int) -> F32:
        streams = len(self._plan.chats)
        begun = self._time.clock()
        rows = self._streams.step(dict.fromkeys(range(streams), token))
        took = self._time.clock() - begun
        self._time.decode += took
        self._on_step(took, streams)
        return rows

    def _candidates(self, rows: F32) -> Candidates:
        if len(rows) == 1:
            found = Candidates(scores=rows[0])
        else:
            kappa = self._question.steering.plausibility
            found = steer(rows[0], rows[1:], self._theta, plausibility=kappa, scratch=self._scratch)
        if not np.isfinite(found.scores.max()):
            raise DamagedModel(f"{self._name} computes numbers that are not numbers. Verify it.")
        return found

    def _limit(self, prompts: tuple[tuple[int, ...], ...]) -> int:
        """Tokens of the answer that were asked for and have room."""
        shape, longest = self._model.shape, max(map(len, prompts))
        free = shape.cells - cells_needed(prompts, each=0)
        room = min(shape.trained - longest, free // len(prompts))
        return max(1, min(self._question.sampling.max_tokens, room))

    def _started(
        self, prompts: tuple[tuple[int, ...], ...], prepared: Prepared, *, dropped: int
    ) -> Started:
        return Started(
            prompt_tokens=max(map(len, prompts)),
            cached_tokens=prepared.cached,
            context=self._context(),
            dropped=dropped,
            streams=len(prompts),
            seed=self._seed,
            gamma=self._plan.gamma,
        )

    def _answer(self, finish: Finish) -> Answer:
        time = self._time
        return Answer(
            text=self._flow.text,
            finish=finish,
            tokens=self._count,
            streams=len(self._plan.chats),
            gamma=self._plan.gamma,
            seed=self._seed,
            used=self._streams.length(0) if self._streams.live else 0,
            context=self._context(),
            model=self._name,
            seconds=Seconds(prefill=time.prefill, decode=time.decode, steer=time.steer),
        )

    def _context(self) -> int:
        return min(self._model.shape.cells, self._model.shape.trained)


def _dropped_notice(dropped: int) -> Notice:
    text = (
        f"The chat has outgrown what the model can read at once: its oldest {dropped} messages "
        "are no longer part of the question."
    )
    return Notice(code="messages_dropped", text=text)
