"""How a model reads questions: asked of an inference child, which alone knows its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import Stopped
from engine.inference.client import Client
from engine.jobs.protocol import Merge, Subject
from engine.jobs.respondent import FATAL, Respondent
from engine.models.header import file_name
from engine.types.answers import Message, Question


class Reading:
    """The prompts of a merge; see `engine.jobs.merging.Reader`."""

    def __init__(self, request: Merge, *, spawn: Callable[[], Client]) -> None:
        """spawn starts an inference child."""
        base = Path(request.base)
        subject = Subject(
            model="base",
            name=file_name(base),
            path=request.base,
            size=0,
            launch=request.launch,
            questions=(),
        )
        self._stopping = False
        self._respondent = Respondent(
            subject, seed=request.seed, spawn=spawn, stopping=lambda: self._stopping
        )

    def tokens(self, questions: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """Of the prompts, template and all. Raises ModelError, EngineError, Stopped."""
        asked = [Question(messages=(Message(role="user", text=text),)) for text in questions]
        try:
            found = self._ask(asked)
        except FATAL:
            # The next child leaves the model's own template out, where that has done it.
            found = self._ask(asked)
        finally:
            self._respondent.close()
        if self._stopping:  # while there was nothing that could have been cancelled
            raise Stopped("The merge was stopped.")
        return found

    def _ask(self, asked: Sequence[Question]) -> tuple[tuple[int, ...], ...]:
        self._respondent.ready()
        return self._respondent.tokenize(asked).prompts

    def cancel(self) -> None:
        """End it soon. Any thread, at any time."""
        self._stopping = True
        self._respondent.cancel()
