"""`attune models find | recommended | get | connections`: what is had elsewhere, and getting it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from engine.api import (
    Connection,
    Engine,
    FoundModel,
    GetEvent,
    MemoryFit,
    ModelCard,
    Notice,
    Progress,
    RecommendedModel,
)
from engine.cli.interrupt import INTERRUPTED, interrupt_stops
from engine.cli.making import how_far
from engine.cli.output import Output
from engine.errors import InputError, InternalError, Offline, Stopped

TOLD_EVERY = 0.1
"""Share of the work between two lines of progress."""

FITS = {"well": "fits well", "tight": "tight", "large": "too large", "unknown": "may fit"}
"""How a model fits the memory, in words."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Look, or get a model; the result is always what the verb is about."""
    engine = Engine(arguments.data_dir)
    try:
        match arguments.verb:
            case "get":
                return _get(engine, arguments, output)
            case "find":
                return _find(engine, output)
            case "recommended":
                return _recommend(engine, output)
            case _:
                return _connections(engine, output)
    finally:
        engine.close()


def followed(engine: Engine, events: Iterator[GetEvent], output: Output) -> ModelCard | None:
    """What comes of it, told on the way; None, with a line why, where Ctrl+C stopped it."""
    told = 0.0
    try:
        with interrupt_stops(engine.library.stop):
            for event in events:
                match event:
                    case Notice():
                        output.note(event.text)
                    case Progress():
                        share = event.done / max(1, event.total)
                        if share < told or share - told >= TOLD_EVERY:
                            told = share
                            output.note(how_far(event))
                    case _:
                        return event
    except Stopped as stopped:
        output.fail(stopped)
        return None
    raise InternalError("Getting the model ended without a model.")


def fits(fit: MemoryFit) -> str:
    """In words, and whether that was measured."""
    return f"{FITS[fit.word]} ({fit.needed / 1e9:.1f} GB{', measured' if fit.measured else ''})"


# ------------------------------------------------------------------------------------------------


def _get(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    library = engine.library
    if not arguments.file and (here := _here(engine, arguments.id)):
        output.text(f"{here.name} is here already, as {here.id}. Use it with --model {here.id}.")
        return output.result({"models": [asdict(here)]})
    if refused := library.offline(asked=arguments.offline):
        raise Offline(refused)
    if arguments.file:
        events = library.get_file(arguments.id, arguments.file)
    elif "/" in arguments.id:
        raise InputError(f"Which file of {arguments.id}? Name it, too: a .gguf that it lists.")
    else:
        events = library.get(arguments.id)
    card = followed(engine, events, output)
    if card is None:
        return INTERRUPTED
    output.text(f"{card.name} is here as {card.id}. Use it with --model {card.id}.")
    return output.result({"models": [asdict(card)]})


def _here(engine: Engine, id: str) -> ModelCard | None:
    """The recommended model, where it is here: nothing is to be got then, offline or not."""
    found = next((each for each in engine.library.recommended() if each.id == id), None)
    if found is None or not found.installed:
        return None
    return engine.find_model(found.installed)


def _find(engine: Engine, output: Output) -> int:
    found = engine.library.find()
    for each in found:
        output.text(_found(each))
    if not found:
        output.text("No other program has models here, as far as Attune can see.")
    return output.result({"found": [asdict(each) for each in found]})


def _found(model: FoundModel) -> str:
    state = model.problem or (fits(model.fit) if model.fit else "")
    if model.installed:
        state = f"yours already, as {model.installed}"
    return f"{model.app}: {model.name}, {model.size / 1e6:,.0f} MB, {state}\n  {model.path}"


def _recommend(engine: Engine, output: Output) -> int:
    models = engine.library.recommended()
    for each in models:
        output.text(_recommended(each))
    if wanted := next((each for each in models if not each.installed), None):
        output.text(f"To get one, as the first: attune models get {wanted.id}")
    return output.result({"models": [asdict(each) for each in models]})


def _recommended(model: RecommendedModel) -> str:
    state = fits(model.fit)
    if model.begun:
        state += f", {model.begun / 1e6:,.0f} MB of it are here"
    if model.installed:
        state = f"yours already, as {model.installed}"
    size = f"{model.size / 1e6:,.0f} MB"
    return (
        f"{model.id}\n  {model.why}: {model.name}, {size}, {model.licence}, {state}\n"
        f"  {model.repository}, {model.file}"
    )


def _connections(engine: Engine, output: Output) -> int:
    found = engine.library.connections()
    for each in found:
        output.text(_connection(each))
    if not found:
        output.text("No connection was ever made.")
    return output.result({"connections": [asdict(each) for each in found]})


def _connection(made: Connection) -> str:
    at = datetime.fromtimestamp(made.at).strftime("%Y-%m-%d %H:%M:%S")
    ended = made.ended or "ended without a word"
    return f"{at}  {made.host}  {made.purpose}  {made.received:,} bytes received, {ended}"
