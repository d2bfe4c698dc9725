"""Adapters among the owner's models: which model one acts on, and the card of both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError, ModelError, UnsupportedModel
from engine.models.adapters import open_adapter
from engine.models.cards import FileMark, read_card
from engine.models.gguf import facts
from engine.models.header import Header, file_name, printable
from engine.models.weights import open_weights
from engine.types.models import ModelCard

_SAY_WHICH = (
    "If you know which one it acts on, say so in a terminal: attune models add FILE.gguf --base ID."
)


def base_among(models: Sequence[ModelCard], adapter: Header, digest: str) -> ModelCard:
    """The model that an adapter acts on: that which its card names, else the only one that it fits.

    models  among which it is looked for, but for those that have an adapter already
    digest  SHA-256 of the adapter's file, hex; a card of another file is not believed

    Raises InputError where none fits, several do, or the one that fits is not what its card names;
    where that is among them, what `check_fit` raises of it; DamagedModel.
    """
    plain = [model for model in models if not model.adapter]
    made_for = _mark_of_base(adapter.path, digest)
    for model in plain:
        if made_for is not None and model.sha256 == made_for.sha256:
            check_fit(adapter, model)
            return model
    fitting = [model for model in plain if _fits(adapter, model)]
    if not fitting:
        raise _homeless(adapter, made_for)
    if len(fitting) > 1:
        ids = ", ".join(model.id for model in fitting)
        raise InputError(
            f"{file_name(adapter.path)} is an adapter and fits several of your models: {ids}. "
            f"{_SAY_WHICH}"
        )
    if made_for is not None:
        raise InputError(
            f"{file_name(adapter.path)} was made for {printable(made_for.name, 80)}, which is none "
            f"of your models; only {fitting[0].id} has its shapes. Add that one first. {_SAY_WHICH}"
        )
    return fitting[0]


def check_fit(adapter: Header, base: ModelCard) -> None:
    """Read both headers. Raises what `open_weights` and `open_adapter` raise."""
    open_adapter(adapter.path, base=open_weights(Path(base.path)))


def adapted(base: ModelCard, adapter: Header, digest: str, *, id: str) -> ModelCard:
    """The card of a model with an adapter, whose SHA-256 is `digest`."""
    return replace(
        base,
        id=id,
        name=f"{base.name}, {_called(base, adapter)}",
        size=base.size + adapter.file_size,
        starter=False,
        adapter=str(adapter.path),
        adapter_sha256=digest,
    )


def _called(base: ModelCard, adapter: Header) -> str:
    """What tells the adapter from its base: Attune names them "BASE, short"."""
    title = adapter.metadata.get("general.name")
    shown = printable(title, 80) if isinstance(title, str) else ""
    manner = shown.removeprefix(f"{base.name}, ").strip()
    return manner if manner and manner != shown else facts(adapter).name


def _mark_of_base(path: Path, digest: str) -> FileMark | None:
    """What the card beside an adapter says that it was made for."""
    try:
        card = read_card(path)
    except ModelError:
        return None
    return card.base if card.output.sha256 == digest else None


def _fits(adapter: Header, base: ModelCard) -> bool:
    """Raises DamagedModel where the adapter fits no model at all."""
    try:
        weights = open_weights(Path(base.path))
    except ModelError:  # it is gone or damaged; the owner hears of it when it is used
        return False
    try:
        open_adapter(adapter.path, base=weights)
    except UnsupportedModel:
        return False
    return True


def _homeless(adapter: Header, made_for: FileMark | None) -> InputError:
    which = f", {printable(made_for.name, 80)}" if made_for is not None else ""
    return InputError(
        f"{file_name(adapter.path)} is an adapter and fits none of your models. Add the model that "
        f"it was made for{which} first."
    )
