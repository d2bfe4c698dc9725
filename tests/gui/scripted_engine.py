"""An engine that says what its script says: the real door, nothing behind it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.api import (
    Answer,
    AnswerEvent,
    AttuneError,
    Chunk,
    Engine,
    ModelCard,
    Question,
    Ready,
    Settings,
    Started,
    StartEvent,
)

CONTEXT = 8192

STARTER = ModelCard(
    id="smollm2-135m", name="SmolLM2 135M", path="/models/a.gguf", sha256="", size=98_000_000,
    architecture="llama", parameters=135_000_000, context=8192, licence="Apache-2.0", starter=True,
)  # fmt: skip
OTHER = replace(STARTER, id="qwen-0.5b", name="Qwen2.5 Coder 0.5B", starter=False)
MISSING = replace(OTHER, id="gone", name="Lost & found 7B", available=False)

Script = Callable[["ScriptedEngine", Question], Iterable[AnswerEvent]]


def ready(card: ModelCard = STARTER) -> Ready:
    return Ready(
        model=card.id, name=card.name, device="CPU, icelake, 2 threads", context=CONTEXT,
        template="model", seconds=1,
    )  # fmt: skip


def started() -> Started:
    return Started(prompt_tokens=40, cached_tokens=0, context=CONTEXT, dropped=0, streams=1, seed=1)


def answered(text: str, *, finish: Any = "end") -> Answer:
    return Answer(
        text=text, finish=finish, tokens=len(text.split()), streams=1, gamma=0.0, seed=1, used=983,
        context=CONTEXT, model=STARTER.id,
    )  # fmt: skip


def says(text: str) -> Script:
    """Stream these words and end well."""

    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        for count, word in enumerate(text.split(" "), start=1):
            yield Chunk(text=word if count == 1 else f" {word}", tokens=count)
        yield answered(text)

    return script


def endless(text: str = "la ") -> Script:
    """Say a little and then go on until stopped."""

    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        yield Chunk(text=text, tokens=1)
        engine.stopped.wait(10)
        yield answered(text, finish="stopped")

    return script


class ScriptedEngine(Engine):
    """Answers with the scripts in `scripts`, in order; then with "Yes."."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._settings = Settings()
        self.scripts: deque[Script] = deque()
        self.cards: tuple[ModelCard, ...] = (STARTER, OTHER, MISSING)
        self.questions: list[Question] = []
        self.loaded: list[str | None] = []
        self.changes: list[dict[str, Any]] = []
        self.threads: set[int] = set()
        self.stopped = threading.Event()
        self.may_load = threading.Event()
        self.may_load.set()
        self.start_error: AttuneError | None = None
        self.add_error: AttuneError | None = None
        self.change_error: AttuneError | None = None
        self.start_notices: tuple[StartEvent, ...] = ()
        self.closed = 0

    @property
    def data_dir(self) -> Path:
        return self._data_dir

    @property
    def settings(self) -> Settings:
        return self._settings

    def change(self, **changes: Any) -> Settings:
        self.threads.add(threading.get_ident())
        if self.change_error is not None:
            raise self.change_error
        self.changes.append(changes)
        self._settings = replace(self._settings, **changes)
        return self._settings

    def start(self, model: str | None = None) -> Iterator[StartEvent]:
        self.threads.add(threading.get_ident())
        self.loaded.append(model)
        self.stopped.clear()
        self.may_load.wait(10)
        yield from self.start_notices
        if self.start_error is not None:
            error, self.start_error = self.start_error, None
            raise error
        wanted = model or self._settings.model or STARTER.id
        yield ready(next(card for card in self.cards if card.id == wanted))

    def answer(self, question: Question) -> Iterator[AnswerEvent]:
        self.threads.add(threading.get_ident())
        self.questions.append(question)
        self.stopped.clear()
        script = self.scripts.popleft() if self.scripts else says("Yes.")
        yield from script(self, question)

    def stop(self) -> None:
        self.stopped.set()

    def models(self) -> tuple[ModelCard, ...]:
        return self.cards

    def add_model(self, path: Path) -> ModelCard:
        if self.add_error is not None:
            raise self.add_error
        card = replace(OTHER, id=path.stem, name=path.stem, path=str(path))
        self.cards = (*self.cards, card)
        return card

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1
