"""`attune backups`: copies of the chats and the votes. No model is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from engine.api import Backup, Engine
from engine.cli.output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List, make, or put one back."""
    engine = Engine(arguments.data_dir)
    try:
        backups = engine.chats.backups
        if arguments.verb == "restore":
            replaced = backups.restore(arguments.name)
            output.text(f"{arguments.name} is in its place again.")
            if replaced is not None:
                output.text(f"What was there is kept as {replaced.name}.")
            kept = asdict(replaced) if replaced else None
            return output.result({"restored": arguments.name, "replaced": kept})
        copies = backups.make() if arguments.verb == "make" else backups.list()
    finally:
        engine.close()
    _print(copies, output)
    return output.result({"backups": [asdict(copy) for copy in copies]})


def _print(copies: Sequence[Backup], output: Output) -> None:
    for copy in copies:
        at = f"{datetime.fromtimestamp(copy.at):%Y-%m-%d %H:%M}"
        what = "was replaced" if copy.replaced else ""
        output.text(f"{copy.name:<46} {at} {copy.size / 1e6:>9,.1f} MB  {what}".rstrip())
    if not copies:
        output.text("There are no copies.")
