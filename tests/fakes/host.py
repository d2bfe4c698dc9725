"""The real inference child around a fake model, told by its command line what to do wrong.

It enters by the front door: `command(Script(…))` is a command line for `Client` and for
`Engine(host=…)`. The line says where to find it, since children start elsewhere with few variables.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

import msgspec

from engine.errors import DamagedModel, OutOfMemory
from engine.inference import host
from engine.inference.model import Entry, Interrupted
from engine.types.models import Launch
from tests.fakes.model import CHATML, FakeModel

ROOT = Path(__file__).parents[2]
_START = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tests.fakes.host as child; "
    "sys.exit(child.main(sys.argv[1]))"
)

Moment = Literal["start", "probe", "load", "trial", "template", "prefill", "decode"]
Kind = Literal["signal", "exit", "hang", "deaf", "memory", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong, and when.

    kind      die of a signal, exit with code 3, hang until interrupted, hang for good, or report
              that there is no memory or that the file is damaged
    tokens    of an answer that come before, at "decode"
    times     how often in all, None for ever; counted in the file `count`
    variant   only with this CPU library; `repacked`, `gpu` and `above` (context) likewise
    holding   only while the cache holds this text, at "decode"
    """

    at: Moment
    kind: Kind = "signal"
    signal: int = signal.SIGSEGV
    tokens: int = 0
    times: int | None = None
    count: str = ""
    variant: str | None = None
    repacked: bool = False
    gpu: bool = False
    above: int = 0
    holding: str = ""

    def applies(self, launch: Launch | None) -> bool:
        """Whether it happens with these settings, this time."""
        if launch is not None:
            if self.variant is not None and launch.variant != self.variant:
                return False
            if self.repacked and not launch.extra_bufts:
                return False
            if self.gpu and not launch.gpu_layers:
                return False
            if launch.context <= self.above:
                return False
        return self._counts()

    def _counts(self) -> bool:
        if self.times is None:
            return True
        file = Path(self.count)
        done = len(file.read_bytes()) if file.exists() else 0
        if done < self.times:
            file.write_bytes(bytes(done + 1))
        return done < self.times


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the child is and does.

    answers   texts it answers with, one after another; none are made up
    gate      a file; every token after the first waits until it exists
    variants  CPU libraries of the machine that it claims to run on; `devices`, `gpu` likewise
    """

    answers: tuple[str, ...] = ()
    template: str = CHATML
    trained: int = 4096
    batch: int = 64
    gate: str = ""
    variants: tuple[str, ...] = ("newest", "haswell", "sse42")
    devices: tuple[str, ...] = ("Fake processor",)
    gpu: bool = False
    troubles: tuple[Trouble, ...] = field(default=())


def command(script: Script | None = None, **changes: Any) -> tuple[str, ...]:
    """The command line of a child that follows the script."""
    wanted = replace(script or Script(), **changes)
    text = msgspec.json.encode(wanted).decode()
    return (sys.executable, "-P", "-X", "utf8", "-c", _START, text)


class World(Protocol):
    """Where a child lives: a process, or a thread that passes for one."""

    def die(self, status: int) -> NoReturn:
        """End with an exit status; a negative one is a signal."""
        ...

    def freeze(self) -> NoReturn:
        """Hear nothing any more until killed."""
        ...


class OwnProcess:
    """The real world."""

    def die(self, status: int) -> NoReturn:
        if status < 0:
            os.kill(os.getpid(), -status)
            signal.pause()
        os._exit(status)

    def freeze(self) -> NoReturn:
        while True:
            signal.pause()


Over = Callable[[], bool]
Wait = Callable[[Over], None]


class Fate:
    """Lets the troubles of a script happen."""

    def __init__(self, script: Script, world: World) -> None:
        self.script, self._world = script, world

    def meet(
        self,
        moment: Moment,
        *,
        launch: Launch | None = None,
        wait: Wait,
        tokens: int = 0,
        text: str = "",
    ) -> None:
        """Let what applies at this moment happen. wait  returns when it is over or raises."""
        for trouble in self.script.troubles:
            now = trouble.at == moment and trouble.holding in text
            late_enough = moment != "decode" or tokens > trouble.tokens
            if now and late_enough and trouble.applies(launch):
                self._happen(trouble, wait)

    def _happen(self, trouble: Trouble, wait: Wait) -> None:
        match trouble.kind:
            case "signal":
                self._world.die(-trouble.signal)
            case "exit":
                self._world.die(3)
            case "hang":
                wait(lambda: False)
            case "deaf":
                self._world.freeze()
            case "memory":
                raise OutOfMemory("There is not enough memory for this context.")
            case "damaged":
                raise DamagedModel("fake.gguf is damaged.")


class TroubledModel(FakeModel):
    """A fake model that meets its script's troubles."""

    def __init__(
        self, fate: Fate, launch: Launch, adapters: Sequence[tuple[str, float]] = ()
    ) -> None:
        """adapters  stand before each answer that the script has, so that it shows which act"""
        self._fate, self._launch = fate, launch
        worn = "".join(f"[{Path(path).name} {scale:g}] " for path, scale in adapters)
        self._steps = 0
        self._trial = True
        super().__init__(
            answers=[worn + answer for answer in fate.script.answers],
            cells=launch.context,
            trained=fate.script.trained,
            batch=fate.script.batch,
            before=self._before,
        )

    @property
    def template(self) -> str:
        self._trial = False
        self._meet("template")
        return self._fate.script.template

    @template.setter
    def template(self, _text: str) -> None:
        """Given by the script."""

    def _before(self, entries: Sequence[Entry]) -> None:
        if self._trial:
            self._meet("trial")
            return
        answering = all(e.output for e in entries) and entries[0].token < 256
        self._steps = self._steps + 1 if answering else 0
        self._meet("decode" if answering else "prefill")
        if self._fate.script.gate and self._steps > 1:
            self._wait(Path(self._fate.script.gate).exists)

    def _meet(self, moment: Moment) -> None:
        self._fate.meet(
            moment,
            launch=self._launch,
            wait=self._wait,
            tokens=self._steps,
            text=self._text() if moment == "decode" else "",
        )

    def _text(self) -> str:
        """All that the cache holds."""
        if not any(trouble.holding for trouble in self._fate.script.troubles):
            return ""
        held = (self.held(sequence) for sequence in self._cells)
        return "\n".join(
            bytes(t for t in tokens if t < 256).decode(errors="replace") for tokens in held
        )

    def _wait(self, over: Over) -> None:
        while not over():
            if self._interrupted:
                raise Interrupted
            time.sleep(0.001)


class FakeLibrary:
    """Where the fake models come from."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def probe(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        self._fate.meet("probe", wait=lambda _over: None)
        script = self._fate.script
        return script.variants, script.devices, script.gpu

    def devices(self) -> tuple[str, ...]:
        return self._fate.script.devices

    def load(
        self,
        path: str,
        *,
        launch: Launch,
        keep_loading: Callable[[float], bool],
        adapters: Sequence[tuple[str, float]] = (),
    ) -> TroubledModel:
        def wait(over: Over) -> None:
            while not over() and keep_loading(0.5):
                time.sleep(0.001)

        self._fate.meet("load", launch=launch, wait=wait)
        if not keep_loading(1.0):
            raise Interrupted
        return TroubledModel(self._fate, launch, adapters)


def main(text: str) -> int:
    """Be a child that follows the script."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fate = Fate(msgspec.json.decode(text, type=Script), OwnProcess())
    fate.meet("start", wait=lambda _over: None)
    return host.main(FakeLibrary(fate))
