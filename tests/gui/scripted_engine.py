"""An engine that says what its script says: the real door, nothing behind it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.api import (
    EVERYWHERE,
    Answer,
    AnswerEvent,
    AttuneError,
    Chunk,
    Duel,
    DuelEvent,
    Engine,
    ModelCard,
    Question,
    Reach,
    Ready,
    RunNote,
    Settings,
    Started,
    StartEvent,
)
from engine.session.asking import first_pause
from tests.gui.scripted_chats import ScriptedChats
from tests.gui.scripted_data import ScriptedData, ScriptedProfiles
from tests.gui.scripted_library import ScriptedLibrary
from tests.gui.scripted_portfolio import ScriptedPortfolio
from tests.gui.scripted_record import Held, ScriptedRecord
from tests.gui.scripted_workshop import ScriptedWorkshop

CONTEXT = 8192

STARTER = ModelCard(
    id="smollm2-135m", name="SmolLM2 135M", path="/models/a.gguf", sha256="a" * 64, size=98_000_000,
    architecture="llama", parameters=135_000_000, context=8192, licence="Apache-2.0", starter=True,
)  # fmt: skip
OTHER = replace(STARTER, id="qwen-0.5b", name="Qwen2.5 Coder 0.5B", sha256="b" * 64, starter=False)
MISSING = replace(OTHER, id="gone", name="Lost & found 7B", available=False)

Script = Callable[["ScriptedEngine", Question], Iterable[AnswerEvent]]
DuelScript = Callable[["ScriptedEngine", Question], Iterable[DuelEvent]]

WHY = "It is not known yet whether you like shorter answers or longer answers."


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


def pair(first: str, second: str, *, verdict: Any = "open", trait: str = "short") -> DuelScript:
    """Stream both in turns, word by word, and end as this verdict says."""

    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        yield started()
        texts = [text.split(" ") for text in (first, second)]
        for count in range(max(map(len, texts))):
            for answer, words in enumerate(texts):
                if count < len(words):
                    text = words[count] if count == 0 else f" {words[count]}"
                    yield Chunk(text=text, tokens=count + 1, answer=answer)
        yield engine.held(question, first, second, verdict=verdict, trait=trait)

    return script


def endless_pair(first: str = "la ", second: str = "lu ") -> DuelScript:
    """Both say a little and then go on until stopped."""

    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        yield started()
        yield Chunk(text=first, tokens=1)
        yield Chunk(text=second, tokens=1, answer=1)
        engine.stopped.wait(10)
        yield engine.held(question, first, second, verdict="cut")

    return script


class ScriptedEngine(Engine):
    """Answers with the scripts in `scripts`, in order; then with "Yes.".

    While there are `duels`, two answers are worth it as often as the settings allow.
    """

    def __init__(self, data_dir: Path, *, safe: bool = False) -> None:
        self._data_dir = data_dir
        self.log_dir = data_dir / "logs"
        self._safe = safe
        self._settings = Settings()
        self.scripts: deque[Script] = deque()
        self.duels: deque[DuelScript] = deque()
        self.threads: set[int] = set()
        self.record = ScriptedRecord(
            neutral=lambda: self._settings.neutral,
            undone=lambda what: self.files.undone(what),
            threads=self.threads,
        )
        self.learning = self.record  # type: ignore[assignment]
        self.offer = ScriptedPortfolio(self.threads)
        self.portfolio = self.offer  # type: ignore[assignment]
        self.craft = ScriptedWorkshop(self._bases)
        self.workshop = self.craft  # type: ignore[assignment]
        self.stock = ScriptedLibrary(
            lambda: self.cards, keep=self._keep_cards, offline=lambda: self._settings.offline
        )
        self.library = self.stock  # type: ignore[assignment]
        self.kept = ScriptedChats(data_dir)
        self.chats = self.kept
        self.store = ScriptedData(data_dir)
        self.data = self.store  # type: ignore[assignment]
        self.files = ScriptedProfiles(self.record, change=self._set)
        self.profiles = self.files  # type: ignore[assignment]
        self._since_duel = first_pause(self._settings)
        self.cards: tuple[ModelCard, ...] = (STARTER, OTHER, MISSING)
        self.questions: list[Question] = []
        self.reaches: list[Reach] = []
        self.loaded: list[str | None] = []
        self.changes: list[dict[str, Any]] = []
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

    @property
    def safe(self) -> bool:
        return self._safe

    def change(self, **changes: Any) -> Settings:
        self.threads.add(threading.get_ident())
        if self.change_error is not None:
            raise self.change_error
        self.changes.append(changes)
        self._settings = replace(self._settings, **changes)
        return self._settings

    def _set(self, **changes: Any) -> None:
        self._settings = replace(self._settings, **changes)

    def start(
        self, model: str | None = None, *, adapters: Sequence[tuple[Path, float]] = ()
    ) -> Iterator[StartEvent]:
        self.threads.add(threading.get_ident())
        self.loaded.append(model)
        self.stopped.clear()
        self.may_load.wait(10)
        yield from self.start_notices
        if self.start_error is not None:
            error, self.start_error = self.start_error, None
            raise error
        wanted = model or self._member_model() or self._settings.model or STARTER.id
        yield ready(next(card for card in self.cards if card.id == wanted))

    def answer(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[AnswerEvent]:
        self.threads.add(threading.get_ident())
        self.questions.append(question)
        self.reaches.append(reach)
        self.stopped.clear()
        self._since_duel += 1
        script = self.scripts.popleft() if self.scripts else says("Yes.")
        yield from script(self, question)

    def stop(self) -> None:
        self.stopped.set()

    def watch(self, note: RunNote) -> None:
        self.note = note

    def play_safe(self) -> None:
        self.threads.add(threading.get_ident())
        self._safe = True
        self._settings = Settings(neutral=True)

    def report(self, *, about: Sequence[tuple[str, str]] = ()) -> str:
        self.threads.add(threading.get_ident())
        return "\n".join(f"{label} {value}" for label, value in (("Attune", "x"), *about))

    def wants_duel(self, *, reach: Reach = EVERYWHERE) -> str:
        self.threads.add(threading.get_ident())
        every = self._settings.duel_every
        if self._settings.neutral or not every or self._since_duel + 1 < every:
            return ""
        return WHY if self.duels else ""

    def duel(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[DuelEvent]:
        self.threads.add(threading.get_ident())
        self.questions.append(question)
        self.reaches.append(reach)
        self.stopped.clear()
        self._since_duel = 0
        yield from self.duels.popleft()(self, question)

    def held(
        self, question: Question, first: str, second: str, *, verdict: Any, trait: str = "short"
    ) -> Duel:
        """Both have ended; put on record what can be voted on."""
        id = ""
        if verdict == "open":
            id = f"duel-{len(self.record.duels) + 1}"
            asked = question.messages[-1].text if self._settings.keep_texts else ""
            self.record.duels[id] = Held(id=id, trait=trait, question=asked)
        finish = "stopped" if verdict == "cut" else "end"
        answers = (answered(first, finish=finish), answered(second, finish=finish))
        return Duel(id=id, answers=answers, why=WHY, verdict=verdict)

    def _member_model(self) -> str:
        if not self._settings.routing or self._settings.neutral:
            return ""
        route = self.offer.route()
        return route.member.model if route is not None else ""

    def models(self) -> tuple[ModelCard, ...]:
        return self.cards

    def add_model(self, path: Path, *, base: str = "") -> ModelCard:
        if self.add_error is not None:
            raise self.add_error
        card = replace(OTHER, id=path.stem, name=path.stem, path=str(path))
        self.cards = (*self.cards, card)
        self.craft.ids[str(path)] = card.id
        return card

    def remove_model(self, model: str) -> ModelCard:
        card = next(card for card in self.cards if card.id == model)
        self.cards = tuple(card for card in self.cards if card.id != model)
        self.craft.ids.pop(card.path, None)
        return card

    def _keep_cards(self, cards: tuple[ModelCard, ...]) -> None:
        self.cards = cards

    def _bases(self) -> tuple[ModelCard, ...]:
        return tuple(card for card in self.cards if card.id == STARTER.id)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.chats.close()
        self.closed += 1
