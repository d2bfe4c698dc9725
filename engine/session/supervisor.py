"""Keeps a model running: starts the child, loads, answers, and after a crash steps down a rung.

The owner of this object sees a crash as a notice and an answer cut short, never as the end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.errors import (
    AttuneError,
    DamagedModel,
    EngineCrashed,
    EngineError,
    EngineSilent,
    NotReady,
    OutOfMemory,
)
from engine.inference import ladder, protocol
from engine.inference.client import ChildDied, Client
from engine.types import Answer, AnswerEvent, Chunk, Launch, Notice, Question, Ready, StartEvent

log = logging.getLogger("engine.supervisor")

FORGIVEN = 2
"""Crashes within SPELL after which settings step down even where the cause is unknown."""

SPELL_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The model to run: where it is and what it is called."""

    path: str
    name: str


class Supervisor:
    """One child at a time."""

    def __init__(
        self,
        *,
        spawn: Callable[[], Client],
        on_launch: Callable[[Launch], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """spawn starts a child; on_launch is told settings that worked after others crashed."""
        self._spawn, self._on_launch, self._clock = spawn, on_launch, clock
        self._client: Client | None = None
        self._chosen: Chosen | None = None
        self._launch = Launch()
        self._variants: tuple[str, ...] = ()
        self._plain = False
        self._crashes: list[float] = []
        self._stopping = self._closed = False

    def start(
        self, chosen: Chosen, *, launch: Launch, variants: tuple[str, ...]
    ) -> Iterator[StartEvent]:
        """Load a model; ends with Ready.

        Raises ModelError for a bad file, EngineError where no settings work.
        """
        self._chosen, self._launch, self._variants = chosen, launch, variants
        self._plain, self._stopping = False, False
        yield from self._load()

    def answer(self, question: Question, *, seed: int) -> Iterator[AnswerEvent]:
        """Stream one answer; see `engine.api.Engine.answer`."""
        self._stopping = False
        if self._client is None or not self._client.alive:
            if self._chosen is None:
                raise NotReady("No model is loaded yet. Wait a moment and ask again.")
            yield from self._load()
        text = ""
        try:
            for event in self._generate(question, seed=seed):
                if isinstance(event, Chunk):
                    text += event.text
                yield event
        except (ChildDied, EngineSilent) as error:
            yield from self._recover(error, text=text, seed=seed)

    def stop(self) -> None:
        """End what is running. Any thread."""
        self._stopping = True
        if (client := self._client) is not None:
            client.cancel()

    def close(self) -> None:
        """End the child for good. Any thread; an answer that is running ends as it stands."""
        self._closed = True
        self._end_child()

    # ----------------------------------------------------------------------------------------

    def _end_child(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _load(self) -> Iterator[StartEvent]:
        """Load with the current settings, and after a crash with safer ones."""
        while True:
            try:
                yield from self._load_once()
                return
            except ChildDied as error:
                yield self._step_down(error)
            except OutOfMemory as error:
                yield self._smaller(error)
            except EngineSilent as error:
                if self._plain or error.detail != "template":
                    raise
                self._plain = True

    def _load_once(self) -> Iterator[StartEvent]:
        chosen = self._chosen
        assert chosen is not None
        self._end_child()
        client = self._client = self._spawn()
        if self._closed:  # meanwhile, from another thread, which found no child to end
            self._end_child()
            raise EngineError("Attune is closing.")
        request = protocol.Load(
            id=client.next_id(),
            path=chosen.path,
            name=chosen.name,
            launch=self._launch,
            plain=self._plain,
        )
        for reply in client.request(request):
            if self._stopping:  # while the child was being started
                client.cancel()
            if isinstance(reply, protocol.Loaded):
                if reply.template == "plain":
                    yield _template_notice(chosen.name, reply.reason)
                yield _ready(chosen.name, reply)
            elif isinstance(reply, protocol.Cancelled):
                raise EngineError("Loading was stopped.")

    def _step_down(self, error: ChildDied) -> Notice:
        """Choose safer settings, or raise what the owner should know."""
        assert self._chosen is not None
        self._end_child()
        if error.death.cause == "file":
            raise DamagedModel(
                f"{self._chosen.name} made llama.cpp give up while loading. The file may be "
                "damaged; get it again from where it came from.",
                detail=error.detail,
            ) from error
        safer = ladder.after(error.death.cause, self._launch, self._variants)
        if safer is None:
            raise EngineCrashed(
                f"{error.message} No safer setting is left for {self._chosen.name}. Choose a "
                "smaller model.",
                detail=error.detail,
            ) from error
        self._use(safer, remember=error.death.cause != "memory")
        text = f"{error.message} Trying again with {ladder.describe(safer)}."
        return Notice(code="stepped_down", text=text)

    def _smaller(self, error: OutOfMemory) -> Notice:
        safer = ladder.after("memory", self._launch, self._variants)
        if safer is None:
            raise error
        self._use(safer, remember=False)
        text = f"{error.message} Trying again with {ladder.describe(safer)}."
        return Notice(code="stepped_down", text=text)

    def _use(self, launch: Launch, *, remember: bool) -> None:
        """Memory depends on the model, so a smaller context is not remembered for the others."""
        log.warning("from %s to %s", ladder.describe(self._launch), ladder.describe(launch))
        self._launch = launch
        if remember:
            self._on_launch(launch)

    def _generate(self, question: Question, *, seed: int) -> Iterator[AnswerEvent]:
        client = self._client
        assert client is not None
        request = protocol.Generate(id=client.next_id(), question=question, seed=seed)
        for reply in client.request(request):
            if self._stopping:  # before the request was there to be cancelled
                client.cancel()
            match reply:
                case protocol.NoticeItem():
                    yield reply.notice
                case protocol.StartedItem():
                    yield reply.started
                case protocol.ChunkItem():
                    yield reply.chunk
                case protocol.Answered():
                    yield reply.answer
                case _:
                    pass

    def _recover(self, error: AttuneError, *, text: str, seed: int) -> Iterator[AnswerEvent]:
        """Keep the text, say what happened, bring the child back."""
        stopped = self._stopping or self._closed
        self._end_child()
        if not stopped:
            kept = " The text so far is kept." if text else ""
            yield Notice(code="engine_crashed", text=f"{error.message}{kept} Starting it again.")
        yield self._cut_short(text, seed=seed, stopped=stopped)
        if self._closed:
            return
        self._stopping = False
        if error.detail == "template" and not stopped:
            self._plain = True
        if isinstance(error, ChildDied) and not stopped:
            self._crashes = [t for t in self._crashes if self._clock() - t < SPELL_SECONDS]
            self._crashes.append(self._clock())
            if error.death.cause == "processor" or len(self._crashes) > FORGIVEN:
                self._crashes.clear()
                yield self._step_down(error)
        yield from self._load()

    def _cut_short(self, text: str, *, seed: int, stopped: bool) -> Answer:
        assert self._chosen is not None
        return Answer(
            text=text,
            finish="stopped" if stopped else "interrupted",
            tokens=0,
            streams=0,
            gamma=0.0,
            seed=seed,
            used=0,
            context=0,
            model=self._chosen.name,
        )


def _ready(name: str, reply: protocol.Loaded) -> Ready:
    return Ready(
        model=name,
        device=reply.device,
        context=reply.context,
        template=reply.template,
        seconds=reply.seconds,
    )


def _template_notice(name: str, reason: str) -> Notice:
    text = f"{name} comes without a usable chat template ({reason}); a plain one is used."
    return Notice(code="plain_template", text=text)
