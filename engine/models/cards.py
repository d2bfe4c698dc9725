"""The card of a merged model or adapter: what it was made of and what came of it, beside the file.

A small JSON file, so that a merge can be repeated, judged and refused where the file behind it is
another one than the card speaks of.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import InvalidParameter, ModelError, ModelNotFound, StorageError
from engine.models.header import file_name, printable
from engine.models.partial import LONGER, replacing
from engine.models.weights import unreadable

CARD_VERSION = 1
CARD_SUFFIX = ".card.json"

LONGEST_NAME = 255
"""Bytes of the name of a file, at most, on the file systems in use."""

Kind = Literal["model", "adapter"]
Parameter = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMark:
    """A file without its place: its name, size in bytes and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesOfAdded:
    """Which share of the masked weights was taken from the member that was added, in [0, 1].

    by_layer   number of the layer, as text → share
    by_kind    kind of tensor (attn_q, ffn_down, …) → share
    by_tensor  name of the tensor → share; empty in cards of earlier versions
    """

    share: float
    by_layer: Mapping[str, float] = field(default_factory=dict)
    by_kind: Mapping[str, float] = field(default_factory=dict)
    by_tensor: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSurvival:
    """See `engine.models.survival.Survival`; noise is 0 and worst "" where not known."""

    share: float
    noise: float = 0.0
    worst: str = ""
    worst_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCard:
    """How a file came about.

    output      the file that the card stands beside
    base        what all members were made from
    members     in the order in which they were merged; of a trained adapter none
    method      calm, average, arithmetic, ties, random-mask, train
    parameters  all settings by name, the seed among them
    density     one per mask, in the order of training
    scores      of a merge: name of a model (this one, a member, a baseline) → task → loss, nats per
                token; of an adapter: what was measured → its value, see `engine.session.training`
    survival    what of the change is in the file
    notices     what the owner was told
    version     of the card's form
    """

    kind: Kind
    name: str
    output: FileMark
    base: FileMark
    members: tuple[FileMark, ...] = ()
    method: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    density: tuple[SharesOfAdded, ...] = ()
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    survival: CardSurvival
    notices: tuple[str, ...] = ()
    version: int = CARD_VERSION


def marked(path: Path, *, files: Sequence[Path] = ()) -> FileMark:
    """Read the whole file for its hash.

    files  where the path is a folder or an index: those that hold the weights, which are then
           read as one file, in this order

    Raises ModelNotFound, ModelError.
    """
    digest, size = hashlib.sha256(), 0
    for part in files or (path,):
        try:
            with part.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
                size += file.tell()
        except FileNotFoundError as error:
            raise ModelNotFound(f"There is no file {file_name(part)}; check the name.") from error
        except OSError as error:
            raise unreadable(part, error) from error
    return FileMark(name=path.name, size=size, sha256=digest.hexdigest())


def card_path(path: Path) -> Path:
    """Where the card of a model file lies."""
    return path.with_name(path.name + CARD_SUFFIX)


def check_place(path: Path) -> None:
    """Refuse, before any work, a place where a new model and its card could not be written.

    Raises InvalidParameter for a name that is too long, StorageError for the folder.
    """
    longest = len(os.fsencode(card_path(path).name)) + LONGER
    if longest > LONGEST_NAME:
        most = len(os.fsencode(path.name)) - (longest - LONGEST_NAME)
        raise InvalidParameter(
            f"The name {file_name(path)} is too long: with what its card adds, {most} bytes are "
            "the most; choose a shorter one."
        )
    if not (os.path.isdir(path.parent) and os.access(path.parent, os.W_OK | os.X_OK)):
        raise StorageError(
            f"There is no folder {printable(str(path.parent), 200)} that can be written to; choose "
            "another one."
        )


def write_card(card: MergeCard, *, beside: Path) -> Path:
    """Write the card of the file `beside`, whole or not at all; returns where. StorageError."""
    place = card_path(beside)
    data = json.dumps(msgspec.to_builtins(card), indent=2).encode()
    with replacing(place) as file:
        file.write(data)
    return place


def own_card(path: Path) -> MergeCard:
    """The card of a file that is there and is, as far as its size tells, the one that it speaks of.

    A card is written before its file has its name, so that it may have been left alone.

    Raises what `read_card` raises, ModelNotFound where the file is gone or another one.
    """
    card = read_card(path)
    try:
        size = path.stat().st_size
    except OSError:
        size = None
    if size != card.output.size:
        raise ModelNotFound(
            f"The card beside {file_name(path)} is that of another file; make the file again."
        )
    return card


def read_card(path: Path) -> MergeCard:
    """The card of the model file `path`; fields that are not known here are ignored.

    Whether the file is still the one that the card speaks of is asked by comparing `output` with
    `marked`. Raises ModelNotFound where there is no card, ModelError where it is not usable.
    """
    place = card_path(path)
    try:
        raw = json.loads(place.read_bytes())
        if raw["version"] > CARD_VERSION:
            raise ModelError(
                f"{file_name(place)} was written by a newer Attune; update this one to read it."
            )
        return msgspec.convert(raw, MergeCard)
    except FileNotFoundError as error:
        raise ModelNotFound(
            f"{file_name(path)} has no card; only files that Attune made have one."
        ) from error
    except OSError as error:
        raise unreadable(place, error) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{file_name(place)} is not the card of a model; remove it or make the model again.",
            detail=str(error),
        ) from error
