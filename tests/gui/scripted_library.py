"""Models and where they come from, in memory: what the engine promises of it, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.api import (
    Connection,
    FoundModel,
    GetEvent,
    InstalledModel,
    MemoryFit,
    ModelCard,
    Progress,
    RecommendedModel,
    VerifyEvent,
)
from engine.errors import InputError, Stopped
from engine.types.library import Origin

AT = 1_750_000_000.0
GB = 1_000_000_000
WELL = MemoryFit(word="well", needed=GB, memory=8 * GB)
TIGHT = MemoryFit(word="tight", needed=6 * GB, memory=8 * GB)
LARGE = MemoryFit(word="large", needed=12 * GB, memory=8 * GB)

SMALL = RecommendedModel(
    id="qwen-small", name="Qwen2.5 Coder 0.5B", why="Small and quick", size=491_400_000,
    licence="Apache-2.0", repository="owner/small-GGUF", revision="c" * 40, file="small.gguf",
    sha256="d" * 64, fit=WELL,
)  # fmt: skip
BETTER = replace(
    SMALL, id="qwen-better", name="Qwen2.5 Coder 1.5B", why="Answers better, takes longer",
    size=1_117_000_000, repository="owner/better-GGUF", file="better.gguf", sha256="e" * 64,
    fit=TIGHT,
)  # fmt: skip

LLAMA = FoundModel(
    path="/home/me/lmstudio/llama.gguf", name="Llama 3.2 3B", app="LM Studio", size=2_019_000_000,
    fit=WELL,
)  # fmt: skip
MIXTURE = FoundModel(
    path="/home/me/ollama/blobs/sha256-1", name="vision:7b", app="Ollama", size=4_700_000_000,
    fit=None, problem="Its architecture clip answers no questions.",
)  # fmt: skip

ASKED = Connection(
    at=AT, host="hub.example", purpose="small.gguf of owner/small-GGUF", sent=1_200,
    received=491_403_000, ended="done",
)  # fmt: skip
TRIED = replace(ASKED, at=AT - 60, sent=0, received=0, ended="no such host")
KILLED = replace(ASKED, at=AT - 90, received=200_000_000, ended="")

Event = GetEvent | VerifyEvent
Steps = Callable[["ScriptedLibrary", ModelCard | InstalledModel], Iterator[Event]]


def comes(*, total: int = 491_400_000) -> Steps:
    """Step after step, and at last what was wanted."""

    def steps(self: ScriptedLibrary, result: ModelCard | InstalledModel) -> Iterator[Event]:
        for done in range(3):
            yield Progress(done=done * total // 3, total=total, left=60.0, text="Getting")
        self.arrived(result)
        yield result

    return steps


def waits(*, done: int = 212_000_000, total: int = 491_400_000, left: float | None = 90.0) -> Steps:
    """Come so far and then go on until stopped."""

    def steps(self: ScriptedLibrary, result: ModelCard | InstalledModel) -> Iterator[Event]:
        yield Progress(done=done, total=total, left=left, text="Getting")
        self.stopped.wait(10)
        self.offers = tuple(
            replace(each, begun=done) if each.sha256 == _digest(result) else each
            for each in self.offers
        )
        raise Stopped("The download was stopped. It goes on from there the next time.")

    return steps


class ScriptedLibrary:
    """
    offers      what can be had
    others      what is in the folders of other programs
    extra       what is said of an installed model beyond its card, by id
    log         connections
    forced      whether whoever started Attune switched the network off
    steps       what the next work does
    asked       what was to be done: ("get", id), ("file", repository, file), ("link", path) …
    error       raised by the next call that does something
    broken      raised by every call that reads
    """

    def __init__(
        self,
        cards: Callable[[], tuple[ModelCard, ...]],
        *,
        keep: Callable[[tuple[ModelCard, ...]], None],
        offline: Callable[[], bool],
    ) -> None:
        self._cards, self._keep, self._offline = cards, keep, offline
        self.offers: tuple[RecommendedModel, ...] = (SMALL, BETTER)
        self.others: tuple[FoundModel, ...] = ()
        self.extra: dict[str, dict[str, object]] = {}
        self.log: tuple[Connection, ...] = ()
        self.forced = False
        self.steps: Steps = comes()
        self.asked: list[tuple[str, ...]] = []
        self.error: Exception | None = None
        self.broken: Exception | None = None
        self.unread: Exception | None = None
        self.stopped = threading.Event()
        self.threads: set[int] = set()

    def installed(self) -> tuple[InstalledModel, ...]:
        self._may_read()
        return tuple(self._installed(card) for card in self._cards())

    def recommended(self) -> tuple[RecommendedModel, ...]:
        self._may_read()
        here = {card.sha256: card.id for card in self._cards()}
        return tuple(replace(m, installed=here.get(m.sha256, "")) for m in self.offers)

    def find(self) -> tuple[FoundModel, ...]:
        self._may_read()
        here = {card.path: card.id for card in self._cards()}
        return tuple(replace(m, installed=here.get(m.path, "")) for m in self.others)

    def connections(self) -> tuple[Connection, ...]:
        if self.unread is not None:
            raise self.unread
        return self.log

    def offline(self) -> str:
        if self.forced:
            return "Attune was started with --offline, so nothing can be downloaded."
        return "Offline mode is on, so nothing can be downloaded." if self._offline() else ""

    def get(self, id: str) -> Iterator[Event]:
        self.asked.append(("get", id))
        model = next(model for model in self.offers if model.id == id)
        return self._work(_card(model.id, model.name, f"/data/{model.file}", model.sha256))

    def get_file(self, repository: str, file: str) -> Iterator[Event]:
        self.asked.append(("file", repository, file))
        return self._work(_card("named", file, f"/data/{file}", "f" * 64))

    def link(self, path: Path) -> Iterator[Event]:
        self.asked.append(("link", str(path)))
        known = next((m.name for m in self.others if m.path == str(path)), path.stem)
        return self._work(_card(path.stem, known, str(path), "9" * 64))

    def verify(self, id: str) -> Iterator[Event]:
        self.asked.append(("verify", id))
        card = next(card for card in self._cards() if card.id == id)
        self.extra.setdefault(id, {})["verified"] = AT
        return self._work(self._installed(card))

    def stop(self) -> None:
        self.stopped.set()

    def remove(self, id: str) -> InstalledModel:
        self._may_change()
        gone = next(model for model in self.installed() if model.card.id == id)
        if gone.card.starter:
            raise InputError("The starter model cannot be removed.")
        self._keep(tuple(card for card in self._cards() if card.id != id))
        return gone

    def arrived(self, result: ModelCard | InstalledModel) -> None:
        """What was got or taken in is among the models."""
        if isinstance(result, ModelCard):
            self._keep((*self._cards(), result))
            self.extra.setdefault(result.id, {"origin": "downloaded", "source": "owner/small"})

    def _installed(self, card: ModelCard) -> InstalledModel:
        origin: Origin = "starter" if card.starter else "added"
        size = card.size if card.available else 0
        known = InstalledModel(card=card, size=size, origin=origin, fit=WELL)
        return replace(known, **self.extra.get(card.id, {}))  # type: ignore[arg-type]

    def _work(self, result: ModelCard | InstalledModel) -> Iterator[Event]:
        self.threads.add(threading.get_ident())
        self._may_change()
        self.stopped.clear()
        yield from self.steps(self, result)

    def _may_change(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _may_read(self) -> None:
        self.threads.add(threading.get_ident())
        if self.broken is not None:
            raise self.broken


def _card(id: str, name: str, path: str, sha256: str) -> ModelCard:
    return ModelCard(
        id=id, name=name, path=path, sha256=sha256, size=491_400_000, architecture="qwen2",
        parameters=494_000_000, context=8192, licence="Apache-2.0",
    )  # fmt: skip


def _digest(result: ModelCard | InstalledModel) -> str:
    return result.sha256 if isinstance(result, ModelCard) else result.card.sha256
