"""How models do on this machine: guessed from their headers, until one has answered here."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import ModelError, StorageError
from engine.models import memory
from engine.models.gguf import check, facts
from engine.models.header import read_header
from engine.models.provenance import Known, Provenance
from engine.types.answers import Answer
from engine.types.library import MemoryFit
from engine.types.models import ModelCard

log = logging.getLogger("engine.library")

ENOUGH = 32
"""Tokens of an answer that tell how fast a model is."""

MOVED = 0.05
"""Share by which a number has to be another one to be noted anew."""


class Fitting:
    """Estimates, and what is measured in their place."""

    def __init__(
        self, provenance: Provenance, *, context: Callable[[], int], machine: Callable[[], str]
    ) -> None:
        """
        context  tokens in the KV cache, as models are run now
        machine  changes with whatever makes a measured speed another one
        """
        self._provenance = provenance
        self._context, self._machine = context, machine

    def of(self, card: ModelCard, known: Known) -> MemoryFit:
        """Of an installed model. Reads its header the first time."""
        per_token = known.per_token
        if per_token is None:
            looked = look(card.path)
            per_token = looked.per_token
            if card.available and not looked.problem:
                self._keep(card.digest, per_token=per_token)
        return self.estimated(card.size, per_token, known)

    def estimated(self, size: int, cache_per_token: int, known: Known | None = None) -> MemoryFit:
        """Of weights of so many bytes, unless they have answered here."""
        have = memory.installed()
        if known is not None and known.peak is not None and self._applies(known):
            return memory.fit(known.peak, memory=have, measured=True)
        need = memory.estimate(size, cache_per_token, context=self._context())
        return memory.fit(need, memory=have)

    def speed(self, known: Known) -> float | None:
        """Tokens per second, where they were measured here."""
        return known.speed if self._applies(known) else None

    def note(self, card: ModelCard, answer: Answer, *, peak: int | None) -> None:
        """Keep what an answer shows of the speed of a model; where that fails, the next one will.

        peak  bytes that its process had in memory at most
        """
        speed = answer.tokens_per_second
        if speed is None or answer.tokens < ENOUGH or not card.sha256:
            return
        known = self._provenance.of(card.digest)
        if not self._applies(known):
            known = Known()
        # A longer chat fills more of the cache, so that the largest is what it needs.
        most = max(filter(None, (peak, known.peak)), default=None)
        if not (_near(speed, known.speed) and _near(most, known.peak)):
            self._keep(card.digest, machine=self._mark(), speed=speed, peak=most)

    def _keep(self, digest: str, **changes: Any) -> None:
        try:
            self._provenance.note(digest, **changes)
        except StorageError as error:
            log.warning("%s", error.message)

    def _applies(self, known: Known) -> bool:
        """Whether what was measured was measured here."""
        return known.machine == self._mark()

    def _mark(self) -> str:
        return hashlib.sha256(self._machine().encode()).hexdigest()[:16]


def _near(new: float | None, old: float | None) -> bool:
    if new is None or old is None:
        return new is old
    return abs(new - old) < MOVED * old


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the header of a file tells; `problem` is why it is no model that can be used, or ""."""

    per_token: int = 0
    problem: str = ""


def look(path: str) -> Looked:
    """Headers hold the whole vocabulary, so each is read once, until its file changes."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        changed = 0
    return _look(path, changed)


@lru_cache(maxsize=1024)
def _look(path: str, _changed: int) -> Looked:
    try:
        header = read_header(Path(path))
        check(header)
    except ModelError as error:
        return Looked(problem=error.message)
    return Looked(per_token=facts(header).cache_per_token)
