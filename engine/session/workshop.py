"""The workshop: adapters that are trained, models that are merged, and what came of both.

What is made lies in a folder of its own in the data folder, each file with its card; whoever wants
it elsewhere names the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import count
from pathlib import Path

from engine.errors import AttuneError, InputError, ModelError, StorageError
from engine.jobs.protocol import LEARNED
from engine.merging.shape import check_supported
from engine.models.adapters import Adapter
from engine.models.cards import MergeCard, SharesOfAdded, card_path, own_card
from engine.models.catalogue import Catalogue
from engine.models.header import file_name, printable, read_header
from engine.models.members import coarse, made_for_another, open_member
from engine.models.weights import Weights, open_weights
from engine.paths import made
from engine.preference.traits import BUILT_IN
from engine.session import lessons, merging, objectives
from engine.session.merging import Merger
from engine.session.training import Trainer
from engine.types.learning import Learned
from engine.types.models import Launch, ModelCard
from engine.types.portfolio import Objective
from engine.types.work import Notice, Progress
from engine.types.workshop import Fit, Made, MergeMethod, MergeStorage, Shares, TrainedAdapter

MODEL_SUFFIX = ".gguf"


class Workshop:
    """Makes one thing at a time; `train` and `merge` may be iterated in a thread of their own."""

    def __init__(
        self,
        catalogue: Catalogue,
        folder: Path,
        *,
        trainer: Trainer,
        merger: Merger,
        learned: Callable[[], Learned],
        chosen: Callable[[], str],
        launched: Callable[[ModelCard], Generator[Notice, None, Launch]],
    ) -> None:
        """
        folder    where what is made lies, unless another place is named
        learned   what the votes say
        chosen    id of the model that answers now
        launched  finds settings that work on this machine, where they are not known
        """
        self._catalogue, self._folder = catalogue, folder
        self._trainer, self._merger = trainer, merger
        self._learned, self._chosen, self._launched = learned, chosen, launched

    # What there is ----------------------------------------------------------------------------

    def poles(self) -> tuple[Objective, ...]:
        """What an adapter can be taught, the owner's surest liking first. Blocks."""
        liked = objectives.liked(self._learned())
        ids = [f"{trait.id}{sign}" for trait in BUILT_IN for sign in "+-"]
        ids = [*liked, *(id for id in ids if id not in liked)]
        return tuple(Objective(id=id, name=objectives.name_of(id)) for id in ids)

    def bases(self) -> tuple[ModelCard, ...]:
        """Models that an adapter can be trained for and members be merged with CALM, that which
        answers now first. Reads their headers."""
        found = [card for card in self._catalogue.list() if card.available and _can_learn(card)]
        return tuple(sorted(found, key=lambda card: card.id != self._chosen()))

    def made(self) -> tuple[Made, ...]:
        """What was made here, the newest first; files without a card are passed over."""
        # The list of models has its files where they are, behind all links.
        ids = {card.adapter or card.path: card.id for card in self._catalogue.list()}
        found = []
        for path in self._folder.glob(f"*{MODEL_SUFFIX}"):
            try:
                card = own_card(path)
                found.append(_made(path, card, model=ids.get(str(path.resolve()), "")))
            except (ModelError, OSError):  # half of it is gone: it cannot be told what it is
                continue
        return tuple(sorted(found, key=lambda each: -each.at))

    def check(self, base: str, members: Sequence[str]) -> tuple[Fit, ...]:
        """Whether these files can be merged, one by one; reads headers only.

        base     id or path
        members  paths, or ids

        Raises ModelError where the base cannot be used.
        """
        card = self._catalogue.get(base)
        weights = open_weights(merging.base_file(card))
        return tuple(self._fit(member, weights, digest=card.sha256) for member in members)

    # Making -----------------------------------------------------------------------------------

    def train(
        self,
        trait: str,
        *,
        base: str = "",
        out: Path | None = None,
        steps: int | None = None,
        seed: int = 0,
    ) -> Iterator[Notice | Progress | TrainedAdapter]:
        """Train an adapter that answers of itself as Amulet makes the model answer; ends with what
        came of it.

        Blocks, for minutes. Where `stop` ends it, or something kills it, the same training goes on
        there.

        trait  a pole that can be measured: "short+", "formal-"; without a sign it is "+"
        base   id or path of a llama-type model; "" is the starter model
        out    of the adapter, NAME.gguf, which must not exist; None is a new file in the workshop
        steps  of training, in 1..1000; None is what was found to be enough

        Raises Stopped, InputError, ModelError, StorageError, EngineError.
        """
        card = self._catalogue.get(base)
        objective = lessons.measurable(trait)
        names = self._unscored(f"{card.id}-{objectives.adjective_of(objective.id)}")
        wanted = lessons.Wanted(
            trait=trait,
            out=next(names) if out is None else out,
            instead=names if out is None else (),
            base=base,
            steps=lessons.STEPS if steps is None else steps,
            seed=seed,
        )
        yield from self._trainer.train(wanted, first=self._launched(card))

    def merge(
        self,
        base: str,
        members: Sequence[str],
        *,
        out: Path | None = None,
        method: MergeMethod = "calm",
        storage: MergeStorage = "Q8_0",
        epochs: int = merging.EPOCHS,
        seed: int = 0,
    ) -> Iterator[Notice | Progress | MergeCard]:
        """Merge fine-tuned models and adapters of one base into one model; ends with its card.

        Blocks, for minutes or hours with a method that learns. Where `stop` ends it, or something
        kills it, the same merge goes on there the next time.

        base     id or path
        members  2 to 8 paths or ids
        out      of the new file, NAME.gguf, which must not exist; None is one in the workshop
        method   "calm" learns a mask; "best" tries all and writes what keeps the members best
        epochs   of each mask at most

        Raises Stopped, InputError, ModelError, StorageError, EngineError.
        """
        card = self._catalogue.get(base)
        wanted = merging.Wanted(
            base=base,
            members=members,
            out=self._free(f"{card.id}-merged") if out is None else out,
            method=method,
            storage=storage,
            epochs=epochs,
            seed=seed,
        )
        first = self._launched(card) if method in LEARNED else ()
        yield from self._merger.merge(wanted, first=first)

    def stop(self) -> None:
        """End what is being made; what it learned is kept. Any thread."""
        self._trainer.stop()
        self._merger.stop()

    def remove(self, path: Path) -> tuple[Made, ...]:
        """Delete something that was made here, with its card; returns what is left.

        Raises InputError for what was not made here or is among the owner's models, StorageError.
        """
        known = {Path(each.path): each for each in self.made()}
        if path not in known:
            raise InputError(f"{file_name(path)} was not made in the workshop; remove it yourself.")
        if model := known[path].model:
            raise InputError(
                f"{known[path].name} is among your models as {model}; remove it there first."
            )
        try:
            path.unlink(missing_ok=True)
            card_path(path).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"{file_name(path)} cannot be deleted ({error.strerror or error}); close what uses "
                "it and try again."
            ) from error
        return self.made()

    # ------------------------------------------------------------------------------------------

    def _fit(self, member: str, base: Weights, *, digest: str) -> Fit:
        """digest  SHA-256 of the base, hex; "" where it is not known"""
        path = Path(member).expanduser()
        try:
            if not path.exists():
                path = merging.file_of(self._catalogue.get(member))
            opened = open_member(path, base=base)
            warnings = [*coarse(opened), *(made_for_another(path, base=digest) if digest else ())]
        except AttuneError as error:
            return Fit(path=str(path), name=file_name(path), kind="", problem=error.message)
        return Fit(
            path=str(path),
            name=_name(path),
            kind="adapter" if isinstance(opened, Adapter) else "model",
            warning=" ".join(notice.text for notice in warnings),
        )

    def _unscored(self, stem: str) -> Iterator[Path]:
        """New files, and those that were trained already and only lack their scores."""
        for path in self._names(stem):
            if not path.exists() or lessons.unscored(path) is not None:
                yield path

    def _free(self, stem: str) -> Path:
        return next(path for path in self._names(stem) if not path.exists())

    def _names(self, stem: str) -> Iterator[Path]:
        """SMOLLM2-SHORT.gguf, SMOLLM2-SHORT-2.gguf …"""
        stem = re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-.")
        folder = made(self._folder)
        yield folder / f"{stem}{MODEL_SUFFIX}"
        yield from (folder / f"{stem}-{number}{MODEL_SUFFIX}" for number in count(2))


def _can_learn(card: ModelCard) -> bool:
    if card.adapter:
        return False
    try:
        header = read_header(Path(card.path))
        check_supported(header.metadata, [tensor.name for tensor in header.tensors])
    except AttuneError:
        return False
    return True


def _name(path: Path) -> str:
    """As its card calls it."""
    try:
        return own_card(path).name
    except ModelError:
        return file_name(path)


# What was made --------------------------------------------------------------------------------


def _made(path: Path, card: MergeCard, *, model: str) -> Made:
    """What a card tells. Raises OSError where the file is gone."""
    stat = path.stat()
    adapter = card.scores.get("adapter", {}) if card.kind == "adapter" else {}
    return Made(
        path=str(path),
        name=printable(card.name),
        kind=card.kind,
        at=stat.st_mtime,
        base=printable(card.base.name),
        base_sha256=card.base.sha256,
        size=stat.st_size,
        method=card.method,
        members=tuple(printable(member.name) for member in card.members),
        trait=_trait(card),
        kept=adapter.get("kept"),
        time=adapter.get("time"),
        losses=()
        if card.kind == "adapter"
        else tuple((name, tuple(tasks.values())) for name, tasks in card.scores.items()),
        best=printable(str(card.parameters.get("best", ""))),
        shares=tuple(map(_shares, card.density)),
        survival=card.survival.share,
        notices=card.notices,
        model=model,
    )


def _trait(card: MergeCard) -> str:
    taught = str(card.parameters.get("trait", ""))
    known = {f"{trait.id}{sign}" for trait in BUILT_IN for sign in "+-"}
    return objectives.name_of(taught) if taught in known else ""


_ORDER = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def _shares(found: SharesOfAdded) -> Shares:
    """The same as a table: a row for each layer, a column for each kind of matrix."""
    cells: dict[tuple[int, str], float] = {}
    for name, share in found.by_tensor.items():
        match name.removesuffix(".weight").split(".", 2):
            case ["blk", number, kind] if number.isdecimal():
                cells[int(number), kind] = share
    kinds = {kind for _, kind in cells}
    columns = [kind for kind in _ORDER if kind in kinds] + sorted(kinds.difference(_ORDER))
    rows = sorted({layer for layer, _ in cells})
    return Shares(
        share=found.share,
        rows=tuple(rows),
        columns=tuple(columns),
        cells=tuple(tuple(cells.get((row, column)) for column in columns) for row in rows),
    )
