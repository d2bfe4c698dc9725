"""Questions and answers in a line, straight to the decoding loop, without a child."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.inference.generation import Generation
from engine.inference.host import HostedModel
from engine.inference.streams import Streams
from engine.inference.templates import ChatFormat, choose
from engine.types.answers import Answer, Chunk, Message, Question, Started
from engine.types.steering import GREEDY, NEUTRAL, Preference, Sampling, Steering
from engine.types.work import Notice


def question(
    *texts: str, steering: Steering = NEUTRAL, sampling: Sampling = GREEDY, **changes: Any
) -> Question:
    """Texts of the owner and the model in turn; changes go to the sampling."""
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[i % 2], text=t) for i, t in enumerate(texts))  # type: ignore[arg-type]
    return Question(messages=messages, steering=steering, sampling=replace(sampling, **changes))


def preferring(*texts: str, **changes: Any) -> Steering:
    """Amulet towards these, plausibility off as published."""
    wanted = Steering(
        method="amulet", preferences=tuple(Preference(text=t) for t in texts), plausibility=None
    )
    return replace(wanted, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that came of a question."""

    notices: tuple[Notice, ...]
    started: Started | None
    chunks: tuple[Chunk, ...]
    answer: Answer


class Asker:
    """One model with its streams, asked again and again."""

    def __init__(self, model: HostedModel, *, form: ChatFormat | None = None) -> None:
        self.model = model
        self.streams = Streams(model)
        self.form = form or choose(model.template, marks=model.marks, speaks_chatml=True)
        self._ticks = 0.0

    def generation(
        self,
        *questions: Question,
        seed: int = 0,
        stopped: Callable[[], bool] = lambda: False,
        **hooks: Any,
    ) -> Generation:
        return Generation(
            *questions,
            model=self.model,
            streams=self.streams,
            form=self.form,
            name="Fake",
            seed=seed,
            clock=self._tick,
            stopped=stopped,
            **hooks,
        )

    def ask(self, question: Question, **how: Any) -> Heard:
        """Ask and hear everything out."""
        events = list(self.generation(question, **how).run())
        *_, answer = events
        assert isinstance(answer, Answer)
        started = [e for e in events if isinstance(e, Started)]
        return Heard(
            notices=tuple(e for e in events if isinstance(e, Notice)),
            started=started[0] if started else None,
            chunks=tuple(e for e in events if isinstance(e, Chunk)),
            answer=answer,
        )

    def _tick(self) -> float:
        self._ticks += 1.0
        return self._ticks
