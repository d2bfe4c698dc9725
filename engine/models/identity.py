"""Which model of the list a file stands for, under which id, and whether it is there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import ModelChanged, ModelError
from engine.models.header import file_name
from engine.types.models import ModelCard

_LONGEST_ID = 48
_BLOCK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all; what it raises ends the work."""


def sha256_of(path: Path, progress: Progress | None, *, size: int | None = None) -> str:
    """Of the whole file, in hex. Raises ModelError, ModelChanged where it has not this size."""
    work = hashing(path, size=size)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            digest: str = end.value
            return digest
        if progress is not None:
            progress(done, total)


def hashing(path: Path, *, size: int | None = None) -> Generator[tuple[int, int], None, str]:
    """As `sha256_of`, block by block: yields the bytes done and in all, returns the hash."""
    digest, done = hashlib.sha256(), 0
    try:
        with open(path, "rb", buffering=0) as file:
            total = os.fstat(file.fileno()).st_size
            while block := file.read(_BLOCK):
                digest.update(block)
                done += len(block)
                yield done, total
    except OSError as error:
        raise ModelError(
            f"{file_name(path)} cannot be read ({error.strerror or error}); "
            "check its permissions or choose another model."
        ) from error
    if size not in (None, done):
        raise ModelChanged(
            f"{file_name(path)} changed from {size} to {done} bytes while it was read; "
            "wait until it is complete and add it again."
        )
    return digest.hexdigest()


def compare(place: str, recorded: str, progress: Progress | None, *, starter: bool = False) -> None:
    """Raises ModelError (unreadable), ModelChanged where the file has another hash."""
    path = Path(place)
    check_same(path, sha256_of(path, progress), recorded, starter=starter)


def check_same(path: Path, digest: str, recorded: str, *, starter: bool = False) -> None:
    """Raises ModelChanged where the file's hash is not the one that was recorded."""
    if digest != recorded:
        raise ModelChanged(
            f"{file_name(path)} is not the file that was added (its SHA-256 begins with "
            f"{digest[:12]}, not {recorded[:12]}); "
            + ("install Attune again." if starter else "add it again if you trust it.")
        )


def lost(card: ModelCard) -> tuple[str, str]:
    """Which file of a model that is not available is gone, in words, and its path."""
    if not card.adapter:
        return "The file", card.path
    if not os.path.isfile(card.adapter):
        return f"The adapter {file_name(Path(card.adapter))}", card.adapter
    return f"The base {file_name(Path(card.path))}", card.path


def present(card: ModelCard) -> ModelCard:
    """The card, with whether its files are there now."""
    there = os.path.isfile(card.path) and (not card.adapter or os.path.isfile(card.adapter))
    return replace(card, available=there)


def added(card: ModelCard) -> str:
    """Path of the file that was added as this model."""
    return card.adapter or card.path


def same_contents(cards: Iterable[ModelCard], new: ModelCard) -> ModelCard | None:
    """The card that stands for these files already, unless its own are gone."""
    same = [card for card in cards if card.digest == new.digest and card.available]
    at_path = (card for card in same if added(card) == added(new))
    return next(at_path, next(iter(same), None))


def id_for(new: ModelCard, cards: Sequence[ModelCard]) -> str:
    """The id of the model that this one replaces, or a new one."""
    for card in cards:
        if not card.starter and _replaces(new, card):
            return card.id
    taken = {card.id for card in cards}
    number = 2
    name = new.id
    while name in taken:
        name, number = f"{new.id}-{number}", number + 1
    return name


def _replaces(new: ModelCard, old: ModelCard) -> bool:
    """Whether it is the old one at another place, or in another state."""
    if old.digest == new.digest and not old.available:
        return True
    return (new.path, new.adapter) == (old.path, old.adapter)


def slug(text: str) -> str:
    """The stem of a file's name as an id."""
    # From the file's name, not the name inside: converters leave "Storage" or "content" there.
    clean = re.sub(r"[^a-z0-9.]+", "-", text.lower())[:_LONGEST_ID].strip("-.")
    return clean or "model"
