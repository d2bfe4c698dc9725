"""python -m benchmarks.quality.workshop [--trait T]…: what adapters keep of Amulet, and its price.

Trains adapters of the starter model as `attune workshop train` does, several seeds for each trait,
and writes down the share of the trait's score that they keep on questions that they were not
trained on, the time per token against Amulet's two streams, and what the training cost.

It can be stopped and goes on where it was: adapters and answers are kept in
benchmarks/quality/answers/workshop. Run it on an idle machine: the times depend on it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from engine.api import Engine, Notice, Progress, TrainedAdapter
from engine.models.cards import read_card

HERE = Path(__file__).parent
TRAITS = ("short+", "warm+", "formal-")
KEPT, TIME = 0.85, 0.65
"""Targets: at least so much of Amulet's effect, at most so much of its time per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training.

    seconds      from the first question to the last score, of what was done in this run
    cpu_seconds  of the processes that did it
    survival     share of what was learned that is in the file
    """

    trained: TrainedAdapter
    seed: int
    seconds: float
    cpu_seconds: float
    bytes: int
    survival: float


def main() -> int:
    arguments = _arguments()
    known = _known(arguments.out)
    runs = []
    for trait in arguments.trait or TRAITS:
        for seed in range(arguments.seeds):
            run = known.get((trait, seed)) or _run(arguments, trait, seed)
            runs.append(run)
            _write(arguments.out, {**known, **{(r.trained.objective, r.seed): r for r in runs}})
    print(table(runs))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trait", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--data-dir", type=Path, default=HERE / "answers" / "workshop")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "workshop.json")
    return parser.parse_args()


def _run(arguments: argparse.Namespace, trait: str, seed: int) -> Run:
    """Train one adapter and compare it."""
    out = arguments.data_dir / f"{trait[:-1]}-{'more' if trait[-1] == '+' else 'less'}-{seed}.gguf"
    begun, worked = time.perf_counter(), _worked()
    engine = Engine(arguments.data_dir)
    try:
        trained = _trained(engine, trait, out, seed=seed, steps=arguments.steps)
    finally:
        engine.close()
    return Run(
        trained=replace(trained, path=out.name),
        seed=seed,
        seconds=time.perf_counter() - begun,
        cpu_seconds=_worked() - worked,
        bytes=out.stat().st_size,
        survival=read_card(out).survival.share,
    )


def _trained(
    engine: Engine, trait: str, out: Path, *, seed: int, steps: int | None
) -> TrainedAdapter:
    for event in engine.workshop.train(trait, out=out, seed=seed, steps=steps):
        match event:
            case Progress():
                left = "" if event.left is None else f", {event.left:.0f} s left"
                told = f"{trait} {event.text}: {event.done} of {event.total}{left}"
                print(f"\r{told:<78}", end="", file=sys.stderr)
            case Notice():
                print(f"\n{event.text}", file=sys.stderr)
            case _:
                return event
    sys.exit("The training did not end in an adapter.")


def _worked() -> float:
    """Seconds of processor time of this process and of those that have ended below it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


# What is written down ---------------------------------------------------------------------------


def _known(out: Path) -> dict[tuple[str, int], Run]:
    """Runs of an earlier time, by trait and seed."""
    try:
        rows = json.loads(out.read_text(encoding="utf-8"))["runs"]
    except FileNotFoundError:
        return {}
    runs = [Run(**(row | {"trained": TrainedAdapter(**row["trained"])})) for row in rows]
    return {(run.trained.objective, run.seed): run for run in runs}


def _write(out: Path, runs: dict[tuple[str, int], Run]) -> None:
    rows = [runs[key] for key in sorted(runs)]
    whole = json.dumps({"runs": [asdict(row) for row in rows]}, indent=1)
    out.write_text(whole + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(table(rows), encoding="utf-8")


def table(runs: Sequence[Run]) -> str:
    """Markdown: a row for each trait, means over its seeds, worst seed beside the best."""
    lines = [
        "# Adapters that are distilled",
        "",
        f"Targets: kept at least {KEPT:.2f}, time per token at most {TIME:.2f} of two streams.",
        "",
        "| trait | plain | Amulet | adapter | kept (of the seeds) | time | CPU-s | MB | met |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for trait in dict.fromkeys(run.trained.objective for run in runs):
        lines.append(_row(trait, [run for run in runs if run.trained.objective == trait]))
    return "\n".join(lines) + "\n"


def _row(trait: str, runs: Sequence[Run]) -> str:
    found = [run.trained for run in runs]
    kept = [each.kept for each in found if each.kept is not None]
    times = [each.time for each in found if each.time is not None]
    shown = f"{mean(kept):.2f} ({min(kept):.2f} to {max(kept):.2f})" if kept else "–"
    met = bool(kept and times) and mean(kept) >= KEPT and mean(times) <= TIME
    return " | ".join(
        (
            f"| {trait}",
            f"{mean(each.plain for each in found):.2f}",
            f"{mean(each.amulet for each in found):.2f}",
            f"{mean(each.adapter for each in found):.2f}",
            shown,
            f"{mean(times):.2f}" if times else "–",
            f"{mean(run.cpu_seconds for run in runs):.0f}",
            f"{mean(run.bytes for run in runs) / 1e6:.1f}",
            f"{'yes' if met else 'no'} |",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
