"""The models of this machine: what is installed, what can be had, and what was connected to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.types.models import ModelCard
from engine.types.work import Notice, Progress

Origin = Literal["starter", "added", "linked", "made", "downloaded"]
"""Where a model comes from: with Attune; a file of the owner's; a file in the folder of another
program; the workshop; the hub."""

FitWord = Literal["well", "tight", "large", "unknown"]
"""Fits well, tight, too large; "unknown" where the system does not tell how much memory it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFit:
    """How a model fits the memory of this machine. It is advice: nothing is refused for it.

    needed    bytes: weights, KV cache of the context in use, and overhead
    memory    bytes that the machine has; None where the system does not tell
    measured  whether `needed` is the peak of a real run here and no estimate
    """

    word: FitWord
    needed: int
    memory: int | None
    measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that can be chosen, and what is known of it on this machine.

    size      bytes that its files take on the disk; 0 where they are gone
    app       name of the program in whose folder a linked one lies, "" else
    source    of a downloaded one "repository/file", "" else
    verified  when its files were last found to be what they were, seconds since the epoch; None
              where that was before there was a note of it
    speed     tokens per second of the last longer answer here; None before the first
    chosen    whether it is the one that answers
    deletes   whether `remove` deletes its file from the disk
    """

    card: ModelCard
    size: int
    origin: Origin
    app: str = ""
    source: str = ""
    verified: float | None = None
    fit: MemoryFit
    speed: float | None = None
    chosen: bool = False

    @property
    def deletes(self) -> bool:
        return self.origin == "downloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedModel:
    """A model that was measured with Attune and can be had with `get`.

    id          what `get` takes
    why         in plain words: "Small and quick"
    size        bytes
    repository  on the hub, "owner/name"
    revision    commit that the file is taken from
    sha256      that the file must have, hex
    installed   id of the installed model with these contents, "" for none
    begun       bytes that are here of a download that did not end
    """

    id: str
    name: str
    why: str
    size: int
    licence: str
    repository: str
    revision: str
    file: str
    sha256: str
    fit: MemoryFit
    installed: str = ""
    begun: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """A model file in the folder of another program.

    path       absolute; what `link` takes
    name       in that program's words, or what the file says; a stranger's text
    app        "LM Studio", "Ollama", …
    size       bytes
    fit        None where it cannot be used
    problem    why it cannot be used, in a sentence; "" where it can
    installed  id of the model that was added from this very place, "" for none
    """

    path: str
    name: str
    app: str
    size: int
    fit: MemoryFit | None
    problem: str = ""
    installed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection to a network that was made, or tried.

    at        seconds since the epoch
    host      name or address, with ":port" where it is not 443
    purpose   what for: "model.gguf of owner/name"
    sent      bytes, as they went over the wire
    received  bytes, likewise
    ended     "done"; else how, in a few words: "stopped", "no such host"; "" where the download
              program was killed before it could tell
    """

    at: float
    host: str
    purpose: str
    sent: int
    received: int
    ended: str


GetEvent = Notice | Progress | ModelCard
VerifyEvent = Progress | InstalledModel
