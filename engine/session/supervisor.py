"""Keeps a model running: starts the child, loads, answers, and after a crash steps down a rung.

The owner of this object sees a crash as a notice and an answer cut short, never as the end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from engine.errors import (
    DamagedModel,
    EngineCrashed,
    EngineError,
    EngineSilent,
    NotReady,
    OutOfMemory,
    Stopped,
)
from engine.inference import ladder, protocol
from engine.inference.client import ChildDied, Client, by_template
from engine.models import memory
from engine.types.answers import (
    Answer,
    AnswerEvent,
    Chunk,
    Finish,
    Question,
    Ready,
    Started,
    StartEvent,
)
from engine.types.models import Launch
from engine.types.work import Notice, template_notice

log = logging.getLogger("engine.supervisor")

FORGIVEN = {"processor": 0, "memory": 1}
"""Crashes within SPELL that are put down to chance, by cause; any other cause: FORGIVEN_ELSE."""

FORGIVEN_ELSE = 2

SPELL_SECONDS = 600.0

AMPLE = 2.0
"""Memory that is free after a kill, over what the model needs, from which on it was not for want
of it."""

AroundLoad = Callable[[str, Launch], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The model to run: its id, where it is and what it is called; adapters that act on it, each a
    path and a scale; and about how many bytes of memory it needs, 0 where nobody knows."""

    id: str
    path: str
    name: str
    adapters: tuple[tuple[str, float], ...] = ()
    needed: int = 0


class Supervisor:
    """One child at a time."""

    def __init__(
        self,
        *,
        spawn: Callable[[], Client],
        on_launch: Callable[[Launch], None],
        around_load: AroundLoad = lambda _model, _launch: nullcontext(),
        available: Callable[[], int | None] = memory.available,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        spawn        starts a child
        on_launch    is told settings that loaded after others crashed
        around_load  lasts as long as a model is being loaded; given its name and the settings
        available    bytes of memory that are free; None where nobody knows
        """
        self._spawn, self._on_launch, self._clock = spawn, on_launch, clock
        self._around_load, self._available = around_load, available
        self._client: Client | None = None
        self._chosen: Chosen | None = None
        self._launch = self._asked = Launch()
        self._unproven = self._again = False
        self._variants: tuple[str, ...] = ()
        self._plain = False
        self._crashes: list[float] = []
        self._stopping = self._closed = False
        self.width = 0
        """Length of the loaded model's hidden states; 0 before the first."""

    def start(
        self, chosen: Chosen, *, launch: Launch, variants: tuple[str, ...]
    ) -> Iterator[StartEvent]:
        """Load a model; ends with Ready.

        Raises ModelError for a bad file, EngineError where no settings work.
        """
        self._chosen, self._launch, self._variants = chosen, launch, variants
        self._asked, self._unproven = launch, False
        self._plain, self._stopping = False, False
        yield from self._load()

    def answer(self, *questions: Question, seed: int) -> Iterator[AnswerEvent]:
        """Stream answers side by side, an Answer each at the end; see `Engine.answer`."""
        yield from self._revive()
        partials = tuple(_Partial(seed=seed, model=self.model) for _ in questions)
        try:
            for event in self._generate(questions, seed=seed):
                _hear(partials, event)
                yield event
        except (ChildDied, EngineSilent) as error:
            yield from self._recover(error, partials)

    @property
    def model(self) -> str:
        """Id of the chosen model, "" before the first."""
        return self._chosen.id if self._chosen is not None else ""

    @property
    def pid(self) -> int | None:
        """Of the child that runs now; None where there is none."""
        client = self._client
        return client.pid if client is not None and client.alive else None

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

    def _revive(self) -> Iterator[StartEvent]:
        """Start the child again where it has ended since."""
        self._stopping = False
        if self._client is None or not self._client.alive:
            if self._chosen is None:
                raise NotReady("No model is loaded yet. Wait a moment and ask again.")
            yield from self._load()

    def _end_child(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _load(self) -> Iterator[StartEvent]:
        """Load with the current settings, and after a crash with safer ones."""
        self._again = False
        while True:
            try:
                yield from self._load_once()
                return
            except ChildDied as error:
                if by_template(error) and not self._plain:
                    self._plain = True
                elif self._by_stranger(error) and not self._again:
                    self._again = True
                    text = f"{error.message} Trying again."
                    yield Notice(code="loading_again", text=text)
                else:
                    yield self._step_down(error)
            except OutOfMemory as error:
                yield self._smaller(error)
            except EngineSilent as error:
                if self._plain or not by_template(error):
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
            adapters=chosen.adapters,
        )
        with self._around_load(chosen.name, self._launch):
            loaded = self._loaded(client, request)
        if loaded.template == "plain":
            yield template_notice(chosen.name, loaded.reason)
        yield _ready(chosen, loaded)

    def _loaded(self, client: Client, request: protocol.Load) -> protocol.Loaded:
        last: protocol.Item | protocol.Done | protocol.Cancelled | None = None
        for reply in client.request(request):
            last = reply
            if self._stopping:  # while the child was being started
                client.cancel()
        if not isinstance(last, protocol.Loaded):
            raise Stopped("Loading was stopped.")
        self._prove()
        self.width = last.width
        return last

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
        self._use(safer)
        text = f"{error.message} Trying again with {ladder.describe(safer)}."
        return Notice(code="stepped_down", text=text)

    def _smaller(self, error: OutOfMemory) -> Notice:
        safer = ladder.after("memory", self._launch, self._variants)
        if safer is None:
            raise error
        self._use(safer)
        text = f"{error.message} Trying again with {ladder.describe(safer)}."
        return Notice(code="stepped_down", text=text)

    def _use(self, launch: Launch) -> None:
        log.warning("from %s to %s", ladder.describe(self._launch), ladder.describe(launch))
        self._launch, self._unproven = launch, True

    def _prove(self) -> None:
        """The settings loaded: worth remembering, but for the context, since memory depends on
        the model."""
        kept = replace(self._launch, context=self._asked.context)
        if self._unproven and kept != self._asked:
            self._on_launch(kept)
        self._unproven = False

    def _generate(self, questions: tuple[Question, ...], *, seed: int) -> Iterator[AnswerEvent]:
        client = self._client
        assert client is not None
        request = protocol.Generate(id=client.next_id(), questions=questions, seed=seed)
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
                    yield from (replace(answer, model=self.model) for answer in reply.answers)
                case _:
                    pass

    def _recover(
        self, error: ChildDied | EngineSilent, partials: tuple[_Partial, ...]
    ) -> Iterator[AnswerEvent]:
        """Keep the text, say what happened, bring the child back."""
        stopped = self._stopping or self._closed
        self._end_child()
        if not stopped:
            kept = " The text so far is kept." if any(p.text for p in partials) else ""
            text = f"{error.message}{kept} It is being started again; ask again when it is back."
            yield Notice(code="engine_crashed", text=text)
        for partial in partials:
            yield partial.answer("stopped" if stopped else "interrupted")
        if self._closed:
            return
        self._stopping = False
        if not stopped:
            yield from self._learn(error)
        yield from self._load()

    def _learn(self, error: ChildDied | EngineSilent) -> Iterator[Notice]:
        """Choose other settings where the crash says that these do not hold."""
        if by_template(error):
            self._plain = True
        elif isinstance(error, ChildDied):
            self._crashes = [t for t in self._crashes if self._clock() - t < SPELL_SECONDS]
            self._crashes.append(self._clock())
            forgiven = FORGIVEN.get(error.death.cause, FORGIVEN_ELSE)
            if len(self._crashes) > (FORGIVEN_ELSE if self._by_stranger(error) else forgiven):
                self._crashes.clear()
                yield self._step_down(error)

    def _by_stranger(self, error: ChildDied) -> bool:
        """Whether some other program is likely to have ended the child. Where the system did, for
        want of memory, hardly more is free afterwards than the child had."""
        assert self._chosen is not None
        needed, free = self._chosen.needed, self._available()
        if not error.death.killed or not needed or free is None:
            return False
        return free > AMPLE * needed


def _hear(partials: tuple[_Partial, ...], event: AnswerEvent) -> None:
    """Tell each answer what concerns it."""
    if isinstance(event, Chunk):
        partials[event.answer].hear(event)
    elif isinstance(event, Started):
        for partial in partials:
            partial.hear(event)


class _Partial:
    """What is known of an answer while it comes."""

    def __init__(self, *, seed: int, model: str) -> None:
        self.text = ""
        self._seed, self._model = seed, model
        self._tokens = 0
        self._started: Started | None = None

    def hear(self, event: AnswerEvent) -> None:
        if isinstance(event, Chunk):
            self.text += event.text
            self._tokens = event.tokens
        elif isinstance(event, Started):
            self._started = event

    def answer(self, finish: Finish) -> Answer:
        """The answer as far as it came."""
        started = self._started
        return Answer(
            text=self.text,
            finish=finish,
            tokens=self._tokens,
            streams=started.streams if started else 0,
            gamma=started.gamma if started else 0.0,
            seed=started.seed if started else self._seed,
            used=started.prompt_tokens + self._tokens if started else 0,
            context=started.context if started else 0,
            model=self._model,
        )


def _ready(chosen: Chosen, reply: protocol.Loaded) -> Ready:
    return Ready(
        model=chosen.id,
        name=chosen.name,
        device=reply.device,
        context=reply.context,
        template=reply.template,
        seconds=reply.seconds,
    )
