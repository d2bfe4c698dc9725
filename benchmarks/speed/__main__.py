"""python -m benchmarks.speed [--model FILE]… : measure, print the table, keep the result.

Without --model the starter model is measured. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, launch_here
from benchmarks.speed import decoding, learning, starting, steering
from benchmarks.speed.measure import HEADER, Row
from engine.models.catalogue import starter_path
from engine.session import selftest
from engine.types.models import Launch

RESULTS = Path(__file__).parent / "results"
SMALL = 200_000_000
"""Bytes; models below are compute bound rather than bound by memory."""


def main() -> int:
    arguments = _arguments()
    paths = [str(p) for p in arguments.model] or [str(starter_path())]
    launch = launch_here()
    rows = steering.run(pairs=arguments.pairs) + starting.run(times=2 * arguments.pairs + 1)
    for path in paths:
        bench = Bench(path, name=Path(path).stem, launch=launch)
        rows += decoding.run(bench, pairs=arguments.pairs, small=Path(path).stat().st_size < SMALL)
        rows += learning.run(bench, pairs=arguments.pairs)
        bench.model.close()
    rows.append(learning.vote(times=15))
    _tell(rows)
    _keep(rows, paths, launch, arguments.out)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "speed.json")
    return parser.parse_args()


def _tell(rows: list[Row]) -> None:
    print(HEADER)
    for row in rows:
        print(row.line())


def _keep(rows: list[Row], paths: list[str], launch: Launch, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    kept = {"machine": _machine(launch), "models": [_identity(p) for p in paths]}
    kept |= {"rows": [asdict(row) | {"reached": row.reached} for row in rows]}
    out.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = [HEADER, *(row.line() for row in rows)]
    out.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _machine(launch: Launch) -> dict[str, Any]:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    packages = ("llama-cpp-python", "numpy", "PySide6-Essentials")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "cpu": selftest.cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "launch": asdict(launch),
    }


def _identity(path: str) -> dict[str, Any]:
    with Path(path).open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return {"name": Path(path).name, "sha256": digest, "size": Path(path).stat().st_size}


if __name__ == "__main__":
    sys.exit(main())
