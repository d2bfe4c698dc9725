"""`attune data`: what is kept, all of it taken out, all of it erased. No model is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from engine.api import (
    DataKind,
    DataOverview,
    DataPart,
    Engine,
    Erasable,
    InputError,
    StorageError,
    receipt_text,
)
from engine.cli.output import Output

_NAMES: dict[DataKind, str] = {
    "chats": "chats",
    "votes": "votes",
    "profile": "traits learned about",
    "answers": "measured answers",
    "models": "models that you added",
    "made": "adapters and models made here",
    "settings": "files of settings",
    "backups": "copies",
    "work": "pieces of stopped work",
}


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show, export or erase."""
    engine = Engine(arguments.data_dir)
    try:
        if arguments.verb == "export":
            return _export(engine, arguments, output)
        if arguments.verb == "erase":
            return _erase(engine, output) if arguments.yes else _look(engine, output)
        found = engine.data.overview()
    finally:
        engine.close()
    for line in _shown(found):
        output.text(line)
    return output.result(asdict(found))


def _export(engine: Engine, arguments: argparse.Namespace, output: Output) -> int:
    found = engine.data.export(arguments.to)
    files = "one file" if len(found.files) == 1 else f"{len(found.files)} files"
    output.text(f"Wrote {found.path}: {files}, {_size(found.size)}.")
    for sentence in found.left_out:
        output.text(f"Not in it: {sentence}")
    return output.result(asdict(found))


def _look(engine: Engine, output: Output) -> int:
    found = engine.data.erasable()
    for line in _foreseen(found):
        output.text(line)
    return output.result(asdict(found))


def _erase(engine: Engine, output: Output) -> int:
    if engine.data.in_use():
        raise InputError(
            "Attune's window is open on this data folder. Close it and try again, or erase "
            "everything there. Nothing was erased."
        )
    receipt = engine.data.erase()
    output.text(receipt_text(receipt), end="")
    error = None
    if receipt.failed:
        first = receipt.failed[0]
        error = StorageError(f"{first.path} is not erased: {first.reason}. Try again.")
    return output.result(asdict(receipt), error=error)


# For people ---------------------------------------------------------------------------------


def _shown(found: DataOverview) -> Iterator[str]:
    yield f"Everything is in {found.folder}, {_size(found.size)}."
    for part in found.parts:
        yield _row(part)
        if part.trouble:
            yield f"          {part.trouble}"


def _row(part: DataPart) -> str:
    count = "?" if part.count is None else f"{part.count:,}"
    size = _size(part.size) if part.size else ""
    return f"{count:>8}  {_NAMES[part.kind]:<30} {size:>10}".rstrip()


def _foreseen(found: Erasable) -> Iterator[str]:
    for file in found.files:
        yield f"{file.size:>15,}  {file.path}"
    for file in found.stays:
        yield f"{'stays':>15}  {file.path}: {file.reason}"
    files = "one file" if len(found.files) == 1 else f"{len(found.files)} files"
    yield f"That is {files}, {_size(found.size)}. Nothing was erased."
    yield "To erase it for good: attune data erase --yes"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
