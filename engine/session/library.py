"""The models of this machine: what is installed, what can be had, and getting it.

The only network connections of Attune are made by a program of its own, `engine.download`, which
is started here when the owner asks for a model, and at no other time.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

from engine.errors import (
    AttuneError,
    InputError,
    InvalidParameter,
    ModelInUse,
    Offline,
    StorageError,
)
from engine.models import elsewhere, offline
from engine.models.catalogue import Catalogue, resolved
from engine.models.connections import ConnectionLog
from engine.models.gguf import check
from engine.models.header import file_name, printable, read_header
from engine.models.identity import added, check_same, hashing
from engine.models.memory import peak
from engine.models.order import Delivered, Order, part_name
from engine.models.provenance import Known, Provenance
from engine.models.recommended import OFFERS, Offer
from engine.paths import DataFolder, made
from engine.session.downloading import Downloader, Errand, Pace
from engine.session.fitting import Fitting, look
from engine.types.answers import Answer
from engine.types.library import (
    Connection,
    FoundModel,
    GetEvent,
    InstalledModel,
    MemoryFit,
    Origin,
    RecommendedModel,
    VerifyEvent,
)
from engine.types.models import ModelCard
from engine.types.work import Progress

REVISION = "main"
"""Of a file that the owner names: the newest."""

_REPOSITORY = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)


class Library:
    """One download at a time, and beside it one reading of a file, `link` or `verify`; each may be
    iterated in a thread of its own."""

    def __init__(
        self,
        catalogue: Catalogue,
        folder: DataFolder,
        *,
        downloader: Downloader,
        fitting: Fitting,
        provenance: Provenance,
        chosen: Callable[[], str],
        in_use: Callable[[], str],
        forgotten: Callable[[str], None],
        is_offline: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """
        chosen      id of the model that answers
        in_use      id of the model that is loaded now, "" for none
        forgotten   is told the id of a model that was removed
        is_offline  whether the owner has set it so
        clock       seconds since the epoch
        """
        self._catalogue, self._folder = catalogue, folder
        self._downloader, self._fitting, self._provenance = downloader, fitting, provenance
        self._chosen, self._in_use, self._forgotten = chosen, in_use, forgotten
        self._is_offline, self._clock = is_offline, clock
        self._download, self._reading = Errand("downloaded"), Errand("read")

    # What there is ----------------------------------------------------------------------------

    def installed(self) -> tuple[InstalledModel, ...]:
        """The models that can be chosen, the starter first. Reads headers; blocks for that long."""
        known, chosen = self._provenance.read(), self._chosen()
        return tuple(
            self._installed(card, known.get(card.digest, Known()), chosen=chosen)
            for card in self._catalogue.list()
        )

    def recommended(self) -> tuple[RecommendedModel, ...]:
        """At most three models that were measured with Attune, the smallest first. Makes no
        connection: the list comes with Attune."""
        ids = {card.sha256: card.id for card in self._plain() if card.available}
        known = self._provenance.read()
        fits = [
            self._fitting.estimated(each.size, each.cache_per_token, known.get(each.sha256))
            for each in OFFERS
        ]
        well = [number for number, fit in enumerate(fits) if fit.word in ("well", "unknown")]
        return tuple(
            RecommendedModel(
                id=offer.id,
                name=offer.name,
                why=_why(number, fit, best=max(well, default=-1)),
                size=offer.size,
                licence=offer.licence,
                repository=offer.repository,
                revision=offer.revision,
                file=offer.file,
                sha256=offer.sha256,
                fit=fit,
                installed=ids.get(offer.sha256, ""),
                begun=self._begun(offer),
            )
            for number, (offer, fit) in enumerate(zip(OFFERS, fits, strict=True))
        )

    def find(self) -> tuple[FoundModel, ...]:
        """GGUF files in the folders of other programs, by program and name. Reads headers. A
        folder that cannot be read is passed over."""
        ids = {os.path.realpath(card.path): card.id for card in self._plain()}
        return tuple(
            self._found(each, ids.get(os.path.realpath(each.path), "")) for each in _elsewhere()
        )

    def connections(self) -> tuple[Connection, ...]:
        """Every connection that was ever made, the newest first. Raises StorageError."""
        return ConnectionLog(self._folder.connections).read()

    def offline(self, *, asked: bool = False) -> str:
        """Why nothing can be downloaded, in a sentence that says how to change it; "" where it can.

        It is so where the setting `offline` is on (`Engine.change(offline=True)`), and where the
        variable ATTUNE_OFFLINE is set.

        asked  whether this once it was asked for
        """
        return offline.why(variables=os.environ, asked=asked, setting=self._is_offline())

    def measure(self, answer: Answer, *, pid: int | None) -> None:
        """Learn from an answer how fast its model is here.

        pid  of the process that ran it; its memory is what the model needs
        """
        card = next((card for card in self._catalogue.list() if card.id == answer.model), None)
        if card is not None:
            self._fitting.note(card, answer, peak=peak(pid) if pid is not None else None)

    # Getting ----------------------------------------------------------------------------------

    def get(self, id: str) -> Iterator[GetEvent]:
        """Download a recommended model; ends with its card, once its hash is right. Blocks.

        Progress counts bytes. Where `stop` ends it, or something kills it, the next one goes on
        there. One that is here already is only added.

        id  of a RecommendedModel

        Raises Stopped, Offline, InputError (no such id, or a download is under way), StorageError
        (no room, not writable), DownloadError.
        """
        offer = _offer(id)
        there = [c for c in self._plain() if c.sha256 == offer.sha256 and c.available]
        if there:
            yield there[0]
            return
        wanted = self._order(
            offer.repository, offer.file, offer.revision, sha256=offer.sha256, size=offer.size
        )
        yield from self._fetched(wanted)

    def get_file(self, repository: str, file: str) -> Iterator[GetEvent]:
        """Download a file that the owner names; as `get`, with the hash that the hub tells.

        repository  "owner/name"
        file        a GGUF file in it, "model.gguf" or "folder/model.gguf"

        Raises what `get` raises, and ModelError where it is no model that can be used; it is
        deleted then.
        """
        repository, file = _checked(repository, file)
        yield from self._fetched(self._order(repository, file, REVISION))

    def link(self, path: Path) -> Iterator[GetEvent]:
        """Use a file where it is, as `find` found it; nothing is copied. Ends with its card.

        Reads the whole file for its hash; Progress counts bytes. Raises Stopped, InputError,
        ModelError, ModelChanged where it is still being written, StorageError.
        """
        file = resolved(path)
        with self._reading.begun():
            header = read_header(file)
            if header.metadata.get("general.type") != "adapter":
                check(header)
            digest = yield from self._hashed(file, size=header.file_size)
            theirs = {resolved(each.path): each for each in _elsewhere()}.get(file)
            card = self._catalogue.add(file, name=theirs.name if theirs else "", digest=digest)
            if theirs and card.path == str(file):  # it was not here as another file
                self._provenance.note(card.digest, app=theirs.app)
            yield card

    def verify(self, id: str) -> Iterator[VerifyEvent]:
        """Hash the files of a model again; ends with the model where they are what they were.

        Progress counts bytes, and begins anew with the file of an adapter. Raises Stopped,
        ModelChanged, ModelError, InputError where another file is being read.
        """
        with self._reading.begun():
            card = self._catalogue.get(self._catalogue.known(id).id)
            files = [(card.path, card.sha256), (card.adapter, card.adapter_sha256)]
            for place, recorded in files[: 1 + bool(card.adapter)]:
                digest = yield from self._hashed(Path(place))
                check_same(Path(place), digest, recorded, starter=card.starter)
            self._provenance.note(card.digest, verified=self._clock())
            yield self._described(card)

    def stop(self) -> None:
        """End what is running; what was downloaded is kept. Any thread."""
        self._download.stop()
        self._reading.stop()

    def remove(self, id: str) -> InstalledModel:
        """Take a model off the list; returns what it was. A downloaded file is deleted from the
        disk, every other one stays where it is: `InstalledModel.deletes` tells which. Ask first.

        Raises ModelInUse where it answers now, InvalidParameter for the starter model, for the
        base of another, and where the file to delete is also another's; ModelNotFound,
        StorageError.
        """
        model = self._described(self._catalogue.known(id))
        if not model.card.starter and self._in_use() == model.card.id:
            raise ModelInUse(
                f"{printable(model.card.name)} answers now; choose another model first, and then "
                "remove it."
            )
        if model.deletes:
            self._check_alone(model.card)
        self._catalogue.remove(model.card.id)
        self._forgotten(model.card.id)
        if all(card.digest != model.card.digest for card in self._catalogue.list()):
            self._provenance.forget(model.card.digest)
        if model.deletes:
            _delete(Path(added(model.card)))
        return model

    # ----------------------------------------------------------------------------------------

    def _check_alone(self, card: ModelCard) -> None:
        """An adapter that was downloaded may act on two models."""
        others = [
            each.id
            for each in self._catalogue.list()
            if each.id != card.id and added(each) == added(card)
        ]
        if others:
            raise InvalidParameter(
                f"The file of {card.id} is that of {', '.join(others)}, too; remove that first."
            )

    def _plain(self) -> tuple[ModelCard, ...]:
        return tuple(card for card in self._catalogue.list() if not card.adapter)

    def _described(self, card: ModelCard) -> InstalledModel:
        return self._installed(card, self._provenance.of(card.digest), chosen=self._chosen())

    def _installed(self, card: ModelCard, known: Known, *, chosen: str) -> InstalledModel:
        return InstalledModel(
            card=card,
            size=sum(map(_bytes, filter(None, (card.path, card.adapter)))),
            origin=self._origin(card, known),
            app=known.app,
            source=known.source,
            verified=known.verified,
            fit=self._fitting.of(card, known),
            speed=self._fitting.speed(known),
            chosen=card.id == chosen,
        )

    def _origin(self, card: ModelCard, known: Known) -> Origin:
        if card.starter:
            return "starter"
        path = Path(added(card))
        if known.file == path.name and _is_in(path, self._folder.downloaded):
            return "downloaded"
        if _is_in(path, self._folder.root / "made"):
            return "made"
        return "linked" if known.app else "added"

    def _begun(self, offer: Offer) -> int:
        return _bytes(str(self._folder.downloaded / part_name(offer.file, offer.sha256)))

    def _found(self, foreign: elsewhere.Foreign, installed: str) -> FoundModel:
        size, looked = _bytes(str(foreign.path)), look(str(foreign.path))
        fit = None if looked.problem else self._fitting.estimated(size, looked.per_token)
        return FoundModel(
            path=str(foreign.path),
            name=printable(foreign.name, 80),
            app=foreign.app,
            size=size,
            fit=fit,
            problem=looked.problem,
            installed=installed,
        )

    # Downloads --------------------------------------------------------------------------------

    def _order(
        self, repository: str, file: str, revision: str, *, sha256: str = "", size: int = 0
    ) -> Order:
        if refused := self.offline():
            raise Offline(refused)
        return Order(
            repository=repository,
            file=file,
            revision=revision,
            sha256=sha256,
            size=size,
            folder=str(made(self._folder.downloaded)),
            log=str(self._folder.connections),
        )

    def _fetched(self, wanted: Order) -> Iterator[GetEvent]:
        with self._download.begun():
            delivered = yield from self._downloader.deliver(wanted, self._download)
            yield self._taken_in(wanted, delivered)

    def _taken_in(self, wanted: Order, delivered: Delivered) -> ModelCard:
        path = Path(delivered.path)
        try:
            card = self._catalogue.add(path, digest=delivered.sha256)
        except StorageError:
            raise
        except AttuneError:
            path.unlink(missing_ok=True)
            raise
        if not path.samefile(added(card)):  # it was here already, at another place
            self._unlisted(path)
            return card
        self._provenance.note(
            card.digest,
            source=f"{wanted.repository}/{wanted.file}",
            file=path.name,
            verified=self._clock(),
        )
        return card

    def _unlisted(self, path: Path) -> None:
        """Delete a file that came, unless a model is in it."""
        places = {place for c in self._catalogue.list() for place in (c.path, c.adapter)}
        if str(resolved(path)) not in places:
            path.unlink(missing_ok=True)

    def _hashed(self, path: Path, *, size: int | None = None) -> Generator[Progress, None, str]:
        pace, work = Pace(self._clock), hashing(path, size=size)
        text = f"Reading {file_name(path)}"
        while True:
            self._reading.check()
            try:
                done, total = next(work)
            except StopIteration as end:
                digest: str = end.value
                return digest
            yield Progress(done=done, total=total, left=pace.left(done, total), text=text)


def _why(number: int, fit: MemoryFit, *, best: int) -> str:
    """best  number of the largest that fits well"""
    if number == best:
        return "The best that this machine runs well" if number else "Small, and runs well here"
    if fit.word == "large":
        return "Better answers, but too large for this machine"
    if fit.word == "tight":
        return "Better answers, but a tight fit for this machine"
    return "Small and quick"


def _elsewhere() -> tuple[elsewhere.Foreign, ...]:
    home: Path | None = None
    with suppress(RuntimeError):  # nobody's
        home = Path.home()
    if home is None:
        return ()
    return elsewhere.find(home=home, variables=os.environ, system=sys.platform)


def _offer(id: str) -> Offer:
    for offer in OFFERS:
        if offer.id == id:
            return offer
    ids = ", ".join(offer.id for offer in OFFERS)
    raise InvalidParameter.outside("id", id, f"one of {ids}")


def _checked(repository: str, file: str) -> tuple[str, str]:
    """Without what is around them. Raises InputError."""
    repository, file = repository.strip().strip("/"), file.strip().strip("/")
    if not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise InputError(
            f"{printable(repository)!r} is no repository on the hub; write it as owner/name."
        )
    if not file.lower().endswith(elsewhere.SUFFIX) or ".." in file or not file.isprintable():
        raise InputError(
            f"{printable(file)!r} is no GGUF file; name one that ends in {elsewhere.SUFFIX}, as "
            "the repository lists it."
        )
    return repository, file


def _bytes(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _is_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path.is_relative_to(folder.resolve())


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{file_name(path)} is no longer among your models, but cannot be deleted "
            f"({error.strerror or error}). Close what uses it and delete {path}."
        ) from error
