"""The self-test: which settings work on this machine, found by trying them in children.

A child that dies takes nothing with it, so every rung of the ladder is simply tried, from the
fastest down, until one decodes. The result is remembered until the machine or Attune changes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import AttuneError
from engine.inference import ladder, protocol
from engine.inference.client import Client
from engine.inference.threads import most_threads
from engine.types.models import Launch, Trial
from engine.version import __version__

log = logging.getLogger("engine.selftest")

Spawn = Callable[[], Client]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What llama.cpp finds here, before anything is tried; `offline` says that its process was
    refused a socket to a network."""

    variants: tuple[str, ...]
    devices: tuple[str, ...]
    gpu: bool
    offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """All rungs that were tried, the last one being the one that works."""

    machine: Machine
    trials: tuple[Trial, ...]

    @property
    def launch(self) -> Launch | None:
        return next((t.launch for t in self.trials if t.works), None)


def cpu_name() -> str:
    """The processor in words."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine_key() -> str:
    """Changes when what was found no longer holds: other processor, cores, version or build."""
    parts = (__version__, cpu_name(), platform.machine(), str(os.cpu_count()), _build())
    return " | ".join(parts)


def _build() -> str:
    """A fingerprint of llama.cpp's libraries: another build may know a GPU that this one does not.

    The package is located, not imported: it would load them here.
    """
    spec = importlib.util.find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec is not None and spec.origin else None
    files = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
    known = [f"{file.name} {file.stat().st_size}" for file in files]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def probe(spawn: Spawn) -> Machine:
    """Ask a child what llama.cpp finds. Raises EngineError."""
    client = spawn()
    try:
        *_, last = client.request(protocol.Probe(id=client.next_id()))
    finally:
        client.close()
    assert isinstance(last, protocol.Probed)
    return Machine(variants=last.variants, devices=last.devices, gpu=last.gpu, offline=last.offline)


def run(spawn: Spawn, *, model: str, context: int) -> SelfTest:
    """Try the rungs with a small model until one works. Raises EngineError if probing fails."""
    machine = probe(spawn)
    rungs = ladder.rungs(machine.variants, gpu=machine.gpu, threads=most_threads(), context=context)
    trials: list[Trial] = []
    for launch in rungs:
        trials.append(_try(spawn, model=model, launch=launch))
        if trials[-1].works:
            break
    return SelfTest(machine=machine, trials=tuple(trials))


def failures(trials: Sequence[Trial]) -> str:
    """What was tried and why it failed, for an error message."""
    return "; ".join(f"{ladder.describe(t.launch)}: {t.outcome}" for t in trials)


def _try(spawn: Spawn, *, model: str, launch: Launch) -> Trial:
    try:
        client = spawn()
        try:
            request = protocol.Try(id=client.next_id(), path=model, launch=launch)
            *_, last = client.request(request)
        finally:
            client.close()
    except AttuneError as error:
        return Trial(launch=launch, works=False, tokens_per_second=0.0, outcome=error.message)
    if not isinstance(last, protocol.Tried):
        return Trial(launch=launch, works=False, tokens_per_second=0.0, outcome="Stopped.")
    found = replace(launch, threads=last.threads)
    speed = last.tokens_per_second
    return Trial(launch=found, works=True, tokens_per_second=speed, outcome="works")
