"""The inference child: llama.cpp and nothing that must last.

Started by name, never imported by the parent. The main thread serves one request after another;
a second thread reads the lines, so that a cancel is seen at once. The child ends when its input
closes, whatever it is doing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, Protocol

from engine.errors import AttuneError, EngineError, InternalError, NotReady, OutOfMemory
from engine.inference import protocol
from engine.inference.confinement import confine
from engine.inference.death import tells_of_memory
from engine.inference.generation import Generation
from engine.inference.model import Entry, Interrupted, LanguageModel
from engine.inference.prompts import Prompter
from engine.inference.seccomp import sockets_are_refused
from engine.inference.streams import Streams
from engine.inference.templates import ChatFormat, Refused, choose, may_end_process, plain
from engine.inference.threads import ThreadGovernor, most_threads
from engine.inference.variants import plan
from engine.types.answers import Answer, Chunk, Question, Started
from engine.types.models import Launch
from engine.types.steering import NEUTRAL
from engine.types.work import Notice, template_notice

log = logging.getLogger("engine.host")

TRIAL_STEPS = 12
TRIAL_TEXT = "The quick brown fox jumps over the lazy dog."
NO_MEMORY_LEFT = (
    "The model's process ran out of memory. Choose a smaller model or a smaller context, or close "
    "other programs."
)


Adapters = Sequence[tuple[str, float]]
"""Paths of adapters, and how strongly each acts."""


class HostedModel(LanguageModel, Protocol):
    """What the child needs of a model beyond decoding."""

    def interrupt(self) -> None: ...
    def resume(self) -> None: ...
    def use_threads(self, count: int) -> None: ...


class Library(Protocol):
    """Where models come from: llama.cpp, or a few lines in the tests."""

    def probe(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """CPU libraries best first, devices in words, whether a GPU can take layers."""
        ...

    def devices(self) -> tuple[str, ...]:
        """What the loaded libraries compute on."""
        ...

    def load(
        self,
        path: str,
        *,
        launch: Launch,
        keep_loading: Callable[[float], bool],
        adapters: Adapters = (),
    ) -> HostedModel: ...


class Loaded:
    """A model with everything that belongs to it."""

    def __init__(self, model: HostedModel, *, name: str, form: ChatFormat, launch: Launch) -> None:
        self.model = model
        self.name = name
        self.form = form
        self.streams = Streams(model)
        most = launch.most_threads or max(launch.threads, most_threads())
        self._governor = ThreadGovernor(launch.threads, most=most)
        self._threads = launch.threads

    def use_plain(self, reason: str) -> Notice:
        """Replace the model's own chat template; returns what to say about it."""
        self.form = _plain_format(self.model, reason=reason)
        return template_notice(self.name, reason)

    def pace(self, seconds: float, streams: int) -> None:
        """Let the number of threads follow how long steps take."""
        wanted = self._governor.observe(seconds, streams=streams)
        if wanted != self._threads:
            self._threads = wanted
            self.model.use_threads(wanted)
            log.info("decoding with %d threads from now on", wanted)


class Host:
    """Serves requests until the input closes."""

    def __init__(self, library: Library, *, replies: BinaryIO) -> None:
        self._library = library
        self._replies = replies
        self._queue: SimpleQueue[protocol.Request | protocol.Failed | None] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()
        self._current = 0
        self._sequence = 0
        self._loaded: Loaded | None = None

    def serve(self, requests: BinaryIO) -> None:
        """Say hello, then serve. Returns when the input closes."""
        hello = protocol.Hello(protocol=protocol.PROTOCOL, build=protocol.BUILD, pid=os.getpid())
        protocol.send(self._replies, hello)
        reader = threading.Thread(target=self._listen, args=(requests,), daemon=True)
        reader.start()
        while (request := self._queue.get()) is not None:
            if isinstance(request, protocol.Failed):
                protocol.send(self._replies, request)
            else:
                self._serve(request)
        self._close()

    # The reading thread ---------------------------------------------------------------------

    def _listen(self, requests: BinaryIO) -> None:
        for line in requests:
            try:
                request = protocol.read_request(line)
            except EngineError as error:
                log.error("refused a line: %s", error.detail)
                if (failed := protocol.refusal(line, error)) is not None:
                    self._queue.put(failed)
                continue
            if isinstance(request, protocol.Cancel):
                self._cancel(request.target)
            else:
                self._queue.put(request)
        # The parent is gone or wants us gone: stop what is running, then leave.
        self._queue.put(None)
        self._cancel(self._current)

    def _cancel(self, target: int) -> None:
        with self._lock:
            self._cancelled.add(target)
            if self._loaded is not None and target == self._current:
                self._loaded.model.interrupt()

    # The serving thread ---------------------------------------------------------------------

    def _serve(self, request: protocol.Request) -> None:
        assert not isinstance(request, protocol.Cancel)
        self._begin(request.id)
        try:
            protocol.send(self._replies, self._answer(request))
        except Interrupted:
            protocol.send(self._replies, protocol.Cancelled(id=request.id))
        except AttuneError as error:
            self._fail(request.id, error)
        except Exception as error:
            log.exception("request failed")
            self._fail(request.id, _unexpected(error))

    def _begin(self, request: int) -> None:
        with self._lock:
            self._current, self._sequence = request, 0
            if self._loaded is not None and request not in self._cancelled:
                self._loaded.model.resume()

    def _answer(self, request: protocol.Request) -> protocol.Done:
        match request:
            case protocol.Probe():
                found, devices, gpu = self._library.probe()
                return protocol.Probed(
                    id=request.id,
                    variants=found,
                    devices=devices,
                    gpu=gpu,
                    offline=sockets_are_refused(),
                )
            case protocol.Try():
                return self._try(request)
            case protocol.Load():
                return self._load(request)
            case protocol.Generate():
                return protocol.Answered(id=request.id, answers=self._generate(request))
            case protocol.Tokenize():
                return self._tokenize(request)
            case protocol.Cancel():
                raise InternalError("A cancel is not a request.")

    def _try(self, request: protocol.Try) -> protocol.Tried:
        model = self._open(request.path, request.launch)
        self._phase("decode")
        try:
            tokens = model.tokenize(TRIAL_TEXT, special=False)
            speeds = {t: _speed(model, tokens, threads=t) for t in _counts(request.launch.threads)}
        finally:
            model.close()
        best = max(speeds, key=lambda t: speeds[t])
        return protocol.Tried(id=request.id, tokens_per_second=speeds[best], threads=best)

    def _load(self, request: protocol.Load) -> protocol.Loaded:
        self._close()
        begun = time.perf_counter()
        model = self._open(request.path, request.launch, request.adapters)
        self._phase("template")
        form = _format(model, plain_only=request.plain)
        self._loaded = Loaded(model, name=request.name, form=form, launch=request.launch)
        return protocol.Loaded(
            id=request.id,
            device=_device(self._library.devices(), request.launch),
            context=min(model.shape.cells, model.shape.trained),
            template="model" if form.source == "model" else "plain",
            reason=form.reason,
            seconds=time.perf_counter() - begun,
            width=model.shape.width,
        )

    def _open(self, path: str, launch: Launch, adapters: Adapters = ()) -> HostedModel:
        self._phase("load")
        request = self._current
        return self._library.load(
            path,
            launch=launch,
            keep_loading=lambda _share: request not in self._cancelled,
            adapters=adapters,
        )

    def _generate(self, request: protocol.Generate) -> tuple[Answer, ...]:
        loaded = self._ready()
        try:
            return self._stream(request, loaded)
        except Refused as refused:
            # It stood its trial and fails this chat; nothing has been said yet.
            self._item(loaded.use_plain(str(refused)))
            return self._stream(request, loaded)

    def _tokenize(self, request: protocol.Tokenize) -> protocol.Tokenized:
        loaded = self._ready()
        self._phase("template")
        try:
            prompts = _prompts(request.questions, loaded)
        except Refused as refused:
            self._item(loaded.use_plain(str(refused)))
            prompts = _prompts(request.questions, loaded)
        model = loaded.model
        end = model.tokenize(model.marks[1], special=True)
        return protocol.Tokenized(
            id=request.id,
            prompts=prompts,
            replies=tuple(tuple(model.tokenize(r, special=False)) for r in request.replies),
            end=end[0] if len(end) == 1 and model.is_end(end[0]) else None,
        )

    def _ready(self) -> Loaded:
        if self._loaded is None:
            raise NotReady("No model is loaded yet. Wait a moment and ask again.")
        return self._loaded

    def _stream(self, request: protocol.Generate, loaded: Loaded) -> tuple[Answer, ...]:
        self._phase("template")
        generation = Generation(
            *request.questions,
            model=loaded.model,
            streams=loaded.streams,
            form=loaded.form,
            name=loaded.name,
            seed=request.seed,
            clock=time.perf_counter,
            stopped=lambda: request.id in self._cancelled,
            on_step=loaded.pace,
            on_prompt=lambda: self._phase("prefill"),
        )
        answers = []
        for event in generation.run():
            if isinstance(event, Answer):
                answers.append(event)
            else:
                self._item(event)
        return tuple(answers)

    def _item(self, event: Notice | Started | Chunk) -> None:
        here = {"id": self._current, "seq": self._next()}
        item: protocol.Item
        match event:
            case Notice():
                item = protocol.NoticeItem(**here, notice=event)
            case Started():
                item = protocol.StartedItem(**here, started=event)
            case Chunk():
                item = protocol.ChunkItem(**here, chunk=event)
        protocol.send(self._replies, item)

    def _phase(self, phase: str) -> None:
        item = protocol.Phase(id=self._current, seq=self._next(), phase=phase)  # type: ignore[arg-type]
        protocol.send(self._replies, item)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _fail(self, request: int, error: AttuneError) -> None:
        failed = protocol.Failed(
            id=request, code=error.code, message=error.message, detail=error.detail
        )
        protocol.send(self._replies, failed)

    def _close(self) -> None:
        if self._loaded is not None:
            self._loaded.model.close()
            self._loaded = None


def _unexpected(error: Exception) -> AttuneError:
    said = f"{type(error).__name__}: {error}"
    if tells_of_memory(said):
        return OutOfMemory(NO_MEMORY_LEFT, detail=said)
    return InternalError(f"Something unexpected went wrong ({said}). Please report it.")


def _prompts(questions: Sequence[Question], loaded: Loaded) -> tuple[tuple[int, ...], ...]:
    """Raises Refused, InputError."""
    prompter = Prompter(model=loaded.model, form=loaded.form)
    chats = [plan(replace(question, steering=NEUTRAL)).chats[0] for question in questions]
    return tuple(tuple(prompter.tokens(chat)) for chat in chats)


def _format(model: LanguageModel, *, plain_only: bool) -> ChatFormat:
    if plain_only:
        return _plain_format(model, reason="it took too long, or ended the process")
    chatml = _speaks_chatml(model)
    return choose(model.template, marks=model.marks, speaks_chatml=chatml)


def _plain_format(model: LanguageModel, *, reason: str) -> ChatFormat:
    return plain(marks=model.marks, speaks_chatml=_speaks_chatml(model), reason=reason)


def _speaks_chatml(model: LanguageModel) -> bool:
    return len(model.tokenize("<|im_start|>", special=True)) == 1


def _counts(most: int) -> list[int]:
    """Thread counts worth a trial: all, half, a quarter … one."""
    counts = []
    while most >= 1:
        counts.append(most)
        most //= 2
    return counts


def _speed(model: HostedModel, tokens: list[int], *, threads: int) -> float:
    """Tokens per second with so many threads, after a prompt of a few."""
    model.forget()
    model.use_threads(threads)
    model.decode([Entry(t, i, 0, False) for i, t in enumerate(tokens)])
    begun = time.perf_counter()
    for step in range(TRIAL_STEPS):
        model.decode([Entry(tokens[step % len(tokens)], len(tokens) + step, 0, True)])
    return TRIAL_STEPS / (time.perf_counter() - begun)


def _device(devices: tuple[str, ...], launch: Launch) -> str:
    threads = f"{launch.threads} thread" + ("s" if launch.threads != 1 else "")
    if launch.gpu_layers and len(devices) > 1:
        return f"{devices[0]}, {threads}"
    return ", ".join(part for part in ("CPU", launch.variant, threads) if part)


class LlamaLibrary:
    """llama.cpp; imported when it is first needed."""

    def probe(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        from engine.inference import llama

        # Loading libraries is harmless even where computing with them is not.
        llama.start(None)
        return llama.variants(), llama.devices(), llama.has_gpu()

    def devices(self) -> tuple[str, ...]:
        from engine.inference import llama

        return llama.devices()

    def load(
        self,
        path: str,
        *,
        launch: Launch,
        keep_loading: Callable[[float], bool],
        adapters: Adapters = (),
    ) -> HostedModel:
        from engine.inference import llama

        llama.start(launch.variant)
        return llama.LlamaModel(path, launch=launch, keep_loading=keep_loading, adapters=adapters)


def main(library: Library | None = None) -> int:
    """Take over standard input and output; what others print goes to standard error."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    sys.path[:] = [entry for entry in sys.path if entry not in {"", str(Path.cwd())}]
    confine()
    may_end_process()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Host(library or LlamaLibrary(), replies=replies).serve(sys.stdin.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
