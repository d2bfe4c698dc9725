"""Models that can be chosen, and how they are run on this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the inference child runs llama.cpp; found by the self-test and remembered.

    variant       name of the CPU library ("haswell"), or None where only one is built
    gpu_layers    layers on the GPU; 0 is CPU only, -1 all
    extra_bufts   whether weights may be repacked for this CPU (off avoids AMX where it faults)
    threads       threads to begin decoding with, ≥ 1
    context       tokens in the KV cache, all streams together
    most_threads  never more than so many; 0 is as many as are worth using there
    """

    variant: str | None = None
    gpu_layers: int = 0
    extra_bufts: bool = True
    threads: int = 1
    context: int = 8192
    most_threads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model that the owner can choose: a file, or one with an adapter that acts on it.

    id              short and stable; what `--model` takes
    path            absolute; the file is referenced, never copied
    sha256          of the whole file, hex, as recorded when it was added
    size            of its files together, bytes
    parameters      count of weights, 0 where the header does not tell
    context         tokens the model was trained for
    licence         as the file states it, "" where it does not
    available       whether its files are still there
    adapter         absolute path of an adapter that acts on the model in `path`; "" for none
    adapter_sha256  as `sha256`, of the adapter
    """

    id: str
    name: str
    path: str
    sha256: str
    size: int
    architecture: str
    parameters: int
    context: int
    licence: str
    starter: bool = False
    available: bool = True
    adapter: str = ""
    adapter_sha256: str = ""

    @property
    def digest(self) -> str:
        """What answers that were measured are kept under, hex: `sha256` of a plain model, of an
        adapted one the SHA-256 of both hashes, one after the other."""
        if not self.adapter:
            return self.sha256
        return hashlib.sha256((self.sha256 + self.adapter_sha256).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rung of the self-test: which settings were tried and how it went."""

    launch: Launch
    works: bool
    tokens_per_second: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `attune doctor` shows; `offline` says that the process which runs models tried to open a
    socket to a network, and the system refused it."""

    version: str
    system: str
    cpu: str
    cpu_variant: str
    variants: tuple[str, ...]
    devices: tuple[str, ...]
    threads: int
    model: str
    data_dir: str
    sqlite: str
    launch: Launch
    self_test: tuple[Trial, ...]
    remembered: bool
    offline: bool
