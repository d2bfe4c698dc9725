"""`attune doctor`: how Attune runs on this computer, and what was tried."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from engine.api import (
    Diagnosis,
    Ending,
    Engine,
    EngineError,
    describe_launch,
    described_end,
)
from engine.cli.output import Output
from engine.paths import beside_program


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the self-test and tell everything; fails where no setting works."""
    engine = Engine(arguments.data_dir, safe=arguments.safe_mode)
    output.note("Trying what works on this computer …")
    try:
        found = engine.diagnose(renew=arguments.renew)
    finally:
        engine.close()
    ended = engine.last_bad_end()
    lines = _lines(found, model=_name(engine, found.model))
    if engine.safe:
        lines.insert(1, ("Safe mode", f"{describe_launch(found.launch)}, nothing steers answers"))
    for label, value in (*lines, *_log(engine.log_dir, ended)):
        output.text(f"{label:<14}{value}")
    error = None
    if not any(trial.works for trial in found.self_test):
        error = EngineError("No setting works on this computer. Please report the lines above.")
    told = {
        "log_dir": str(engine.log_dir),
        "last_bad_end": asdict(ended) if ended else None,
        "safe_mode": engine.safe,
    }
    return output.result(asdict(found) | told, error=error)


def _log(folder: Path, ended: Ending | None) -> list[tuple[str, str]]:
    """Where the log is, and how a window ended that did not close."""
    lines = [("Log folder", str(folder))]
    if ended is not None:
        lines.append(("Bad end", described_end(ended)))
    return lines


def _name(engine: Engine, model: str) -> str:
    return next((card.name for card in engine.models() if card.id == model), model)


def _network(found: Diagnosis) -> str:
    if found.offline:
        return "none: models run in a process that the system lets open no connection"
    return "none is used; this system offers no way to forbid it to the process that runs models"


def _data_folder(path: str) -> str:
    return f"{path} (beside the program)" if Path(path) == beside_program() else path


def _lines(found: Diagnosis, *, model: str) -> list[tuple[str, str]]:
    lines = [
        ("Attune", found.version),
        ("System", found.system),
        ("Processor", found.cpu),
        ("Runs on", ", ".join(found.devices)),
        ("CPU variant", f"{found.cpu_variant} (of {', '.join(found.variants) or 'one'})"),
        ("Threads", str(found.threads)),
        ("Model", model),
        ("Data folder", _data_folder(found.data_dir)),
        ("SQLite", found.sqlite),
        ("Network", _network(found)),
    ]
    for trial in found.self_test:
        speed = f", {trial.tokens_per_second:.0f} tokens/s" if trial.works else ""
        lines.append(("Tried", f"{describe_launch(trial.launch)}: {trial.outcome}{speed}"))
    return lines
