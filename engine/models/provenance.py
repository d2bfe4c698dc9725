"""What was found out about models on this machine, by their hashes: when they were verified, how
fast they are, and where they came from. Any of it can be found out again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine.config import write_atomically
from engine.errors import StorageError
from engine.models.partial import locked

log = logging.getLogger("engine.models")

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Of one model.

    app       program in whose folder it was found, "" for none
    source    "repository/file" on the hub, "" for none
    file      name that it has in the folder of downloads, "" for none
    per_token  numbers in the KV cache per token, None where its header was not read yet
    verified  when its files had the right hash, seconds since the epoch; None for never
    machine   on which it was measured; of no other do the numbers below tell anything
    speed     tokens per second, None before the first longer answer
    peak      bytes of memory at most, None where that could not be told
    """

    app: str = ""
    source: str = ""
    file: str = ""
    per_token: int | None = None
    verified: float | None = None
    machine: str = ""
    speed: float | None = None
    peak: int | None = None


class Provenance:
    """One small JSON file, read afresh each time: the window and the terminal share it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, digest: str) -> Known:
        """What is known of the model with this hash."""
        return self.read().get(digest, Known())

    def read(self) -> dict[str, Known]:
        """All of it; what cannot be read is not known."""
        known = {}
        for digest, raw in self._raw().items():
            try:
                known[digest] = msgspec.convert(raw, Known)
            except msgspec.ValidationError as error:
                log.info("what is known of %s cannot be read: %s", digest[:12], error)
        return known

    def note(self, digest: str, **changes: Any) -> None:
        """Keep something by the names of `Known`. Raises StorageError."""
        self._change(digest, lambda known: replace(known, **changes))

    def forget(self, digest: str) -> None:
        """Raises StorageError."""
        self._change(digest, lambda _known: None)

    # ----------------------------------------------------------------------------------------

    def _change(self, digest: str, change: Callable[[Known], Known | None]) -> None:
        try:
            with locked(self._path.parent):
                raw = self._raw()
                changed = change(self.of(digest))
                raw.pop(digest, None)
                if changed is not None:
                    raw[digest] = msgspec.to_builtins(changed)
                body = {"schema_version": SCHEMA_VERSION, "models": raw}
                write_atomically(self._path, json.dumps(body, indent=2).encode())
        except OSError as error:
            raise StorageError(
                f"What is known of the models could not be saved to {self._path} "
                f"({error.strerror or error}). Free some space, or check its permissions."
            ) from error

    def _raw(self) -> dict[str, Any]:
        try:
            raw = json.loads(self._path.read_bytes())
            models = raw["models"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s cannot be read and is begun anew: %s", self._path, error)
            return {}
        return models if isinstance(models, dict) else {}
