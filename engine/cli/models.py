"""`attune models`: what can be chosen, and what is known of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from engine.api import Engine, InputError, InstalledModel, ModelCard, ModelError
from engine.cli import library
from engine.cli.output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List, add, verify, remove or choose; the result is always the models concerned."""
    if arguments.verb in ("find", "recommended", "get", "connections"):
        return library.run(arguments, output)
    engine = Engine(arguments.data_dir)
    try:
        if arguments.verb == "verify" and arguments.id is None:
            return _verify_all(engine, output)
        if arguments.verb == "list":
            return _list(engine, output)
        cards, said = _act(engine, arguments)
    finally:
        engine.close()
    for line in said:
        output.text(line)
    current = engine.settings.model
    return output.result({"models": [_described(card, current=current) for card in cards]})


def _act(
    engine: Engine, arguments: argparse.Namespace
) -> tuple[tuple[ModelCard, ...], tuple[str, ...]]:
    match arguments.verb:
        case "add":
            card = engine.add_model(arguments.path, base=arguments.base)
            return (card,), (f"Added {card.name} as {card.id}. Use it with --model {card.id}.",)
        case "verify":
            card = engine.verify_model(arguments.id)
            return (card,), (_verified(card),)
        case "remove":
            card, said = _remove(engine, arguments.id, sure=arguments.yes)
            return (card,), (said,)
        case _:
            card = _use(engine, arguments.id)
            return (card,), (f"{card.name} answers from now on.",)


def _list(engine: Engine, output: Output) -> int:
    models = engine.library.installed()
    for line in _lines(models):
        output.text(line)
    return output.result({"models": [_all_of(model) for model in models]})


def _all_of(model: InstalledModel) -> dict[str, object]:
    rest = asdict(model)
    card: dict[str, object] = rest.pop("card")
    return card | rest | {"size": model.card.size, "deletes": model.deletes}


def _remove(engine: Engine, id: str, *, sure: bool) -> tuple[ModelCard, str]:
    """sure  a file that was downloaded may be deleted"""
    model = next((each for each in engine.library.installed() if each.card.id == id), None)
    if model is not None and model.deletes and not sure:
        raise InputError(
            f"Removing {id} deletes {model.card.adapter or model.card.path} from the disk, "
            f"{model.size / 1e6:,.0f} MB. Say so with --yes."
        )
    card = engine.library.remove(id).card
    if model is not None and model.deletes:
        return card, f"Deleted {card.id} and its file {card.adapter or card.path}."
    return card, f"Forgot {card.id}. The file stays at {card.adapter or card.path}."


def _verify_all(engine: Engine, output: Output) -> int:
    """Verify every model that is there, also after one that is not what it was."""
    cards = list(engine.models())
    errors: dict[str, ModelError] = {}
    for card in cards:
        try:
            engine.verify_model(card.id)
            output.text(_verified(card))
        except ModelError as error:
            errors[card.id] = error
            output.text(f"{card.id}: {error.message}")
    current = engine.settings.model
    found = [_described(c, current=current) | {"verified": c.id not in errors} for c in cards]
    return output.result({"models": found}, error=_summary(errors, of=len(cards)))


def _summary(errors: Mapping[str, ModelError], *, of: int) -> ModelError | None:
    """All errors in one, which has the code of the first."""
    if not errors:
        return None
    kind = type(next(iter(errors.values())))
    return kind(f"{len(errors)} of {of} models could not be verified: {', '.join(errors)}.")


def _verified(card: ModelCard) -> str:
    hashes = f"{card.sha256} with {card.adapter_sha256}" if card.adapter else card.sha256
    return f"{card.id}: verified, sha256 {hashes}"


def _use(engine: Engine, name: str) -> ModelCard:
    card = engine.find_model(name)
    if not card.sha256:  # a file that was not added: only added ones are found by their id
        card = engine.add_model(Path(card.path))
    engine.change(model="" if card.starter else card.id)
    return card


def _lines(models: Sequence[InstalledModel]) -> Iterator[str]:
    bases = {each.card.sha256: each.card.id for each in models if not each.card.adapter}
    for model in models:
        card = model.card
        base = bases.get(card.sha256, Path(card.path).name)
        yield _line(model) + (f"  adapter of {base}" if card.adapter else "")


def _line(model: InstalledModel) -> str:
    card = model.card
    size = f"{card.size / 1e6:,.0f} MB".rjust(9)
    count = f"{card.parameters / 1e6:,.0f} M".rjust(8)
    state = library.fits(model.fit) if card.available else "(file is missing)"
    speed = f", {model.speed:.0f} tokens/s" if model.speed else ""
    chosen = "*" if model.chosen else " "
    return f"{chosen} {card.id:<36} {count} {size}  {card.licence}  {state}{speed}"


def _described(card: ModelCard, *, current: str) -> dict[str, object]:
    chosen = card.id == current or (card.starter and not current)
    return asdict(card) | {"chosen": chosen}
