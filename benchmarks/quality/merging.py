"""python -m benchmarks.quality.merging --member FILE:OBJECTIVE …: what is left of merged traits?

Merges members that each have a trait ("short+.gguf:short+") by every method, as the command line
does, and lets every model answer questions that no merge has seen, greedily. A trait is measured by
its scorer. What is kept of it is the part of the way from the base to the member that the merged
model goes: 1 is the member itself, 0 the base; the mean is over traits.

A seed draws the questions that a mask is trained on, and random masks. Time and peak memory are
those of the whole command with all its processes. Models and answers are kept in --work, so that a
run that was stopped goes on; other members or settings need another folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench import Bench, launch_here
from engine.models.catalogue import starter_path
from engine.models.members import open_member
from engine.models.weights import open_weights
from engine.models.writing import write_model
from engine.session import objectives
from engine.session.lessons import LESSONS
from engine.session.merging import COMPARED_ON
from engine.session.questions import HELD_OUT, VOTED_ON
from engine.types.answers import Message, Question
from engine.types.models import Launch
from engine.types.portfolio import Objective
from engine.types.steering import GREEDY

HERE = Path(__file__).parent
UNSEEN = VOTED_ON[LESSONS:] + HELD_OUT[COMPARED_ON:]
"""Neither adapters nor masks were trained on these, and no method was chosen by them."""

QUESTIONS = 24
ANSWER_TOKENS = 110
TOGETHER = 8
METHODS = ("average", "arithmetic", "ties", "random-mask", "calm", "best")
CHANCE = ("random-mask", "calm", "best")
"""Methods in which the seed has a say."""

_ATTUNE = "import sys; from engine.cli.main import main; sys.exit(main(sys.argv[1:]))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One merged file, and what it took. Seconds and bytes; `card` as the command says it."""

    method: str
    seed: int
    seconds: float
    peak: int
    path: str
    card: dict[str, Any]


def main() -> int:
    arguments = _arguments()
    members = dict(_member(text) for text in arguments.member)
    arguments.work.mkdir(parents=True, exist_ok=True)
    merged = [
        _merged(method, seed, members, arguments)
        for method in arguments.methods
        for seed in (range(arguments.seeds) if method in CHANCE else (0,))
    ]
    launch = launch_here()
    alone = {path.name: _alone(path, arguments) for path in members}
    files = {"base": arguments.base, **alone} | {Path(m.path).stem: Path(m.path) for m in merged}
    wanted = [Objective(id=id, name=objectives.name_of(id)) for id in members.values()]
    means = {name: _means(name, path, wanted, launch, arguments) for name, path in files.items()}
    result = {
        "base": arguments.base.name,
        "members": {path.name: trait for path, trait in members.items()},
        "questions": arguments.questions,
        "scores": means,
        "merged": [asdict(m) | {"path": Path(m.path).name} for m in merged],
        "kept": _kept(means, list(alone), [Path(m.path).stem for m in merged]),
    }
    arguments.out.write_text(json.dumps(result) + "\n", encoding="utf-8")
    arguments.out.with_suffix(".md").write_text(table(result), encoding="utf-8")
    print(table(result))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--member", action="append", required=True, metavar="FILE:OBJECTIVE")
    parser.add_argument("--base", type=Path, default=starter_path())
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--work", type=Path, default=HERE / "answers" / "merging")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "merging.json")
    return parser.parse_args()


def _member(text: str) -> tuple[Path, str]:
    path, _, objective = text.rpartition(":")
    return Path(path), objective


# Merging --------------------------------------------------------------------------------------


def _merged(
    method: str, seed: int, members: Iterable[Path], arguments: argparse.Namespace
) -> Merged:
    """One command, or what an earlier run kept of it."""
    out = arguments.work / f"{method}-{seed}.gguf"
    told = out.with_suffix(".json")
    if told.exists():
        return Merged(**json.loads(told.read_text(encoding="utf-8")))
    out.unlink(missing_ok=True)
    command = ["merge", str(arguments.base), *map(str, members), "--out", str(out), "--json"]
    command += ["--method", method, "--seed", str(seed), "--epochs", str(arguments.epochs)]
    command += ["--data-dir", str(arguments.work / "data")]
    print(f"{method}, seed {seed}", file=sys.stderr)
    begun = time.monotonic()
    said, peak = _run(command)
    merged = Merged(
        method=method,
        seed=seed,
        seconds=time.monotonic() - begun,
        peak=peak,
        path=str(out),
        card=said["card"],
    )
    told.write_text(json.dumps(asdict(merged)), encoding="utf-8")
    return merged


def _run(command: Sequence[str]) -> tuple[Any, int]:
    """What a command says, and the peak memory of its largest process in bytes."""
    with subprocess.Popen((sys.executable, "-c", _ATTUNE, *command), stdout=-1) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"The merge failed: {said.decode()}")
    return json.loads(said), usage.ru_maxrss * 1024


def _alone(path: Path, arguments: argparse.Namespace) -> Path:
    """A member as a model of its own, stored as the merged ones are."""
    out: Path = arguments.work / f"alone-{path.stem}.gguf"
    if not out.exists():
        base = open_weights(arguments.base)
        write_model(out, base=base, change=open_member(path, base=base).change, name=path.stem)
    return out


# Answers --------------------------------------------------------------------------------------


def _means(
    name: str,
    path: Path,
    wanted: Sequence[Objective],
    launch: Launch,
    arguments: argparse.Namespace,
) -> list[float]:
    """Mean score of each objective over the answers, oriented so that more is what is wanted."""
    texts = _answers(name, path, launch, arguments)
    found = [objectives.style(wanted, text) for text in texts]
    means: list[float] = np.nanmean(np.asarray(found), axis=0).tolist()
    return means


def _answers(
    name: str, path: Path, launch: Launch, arguments: argparse.Namespace
) -> tuple[str, ...]:
    kept = arguments.work / f"answers-{name}.json"
    asked = UNSEEN[: arguments.questions]
    known: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [text for text in asked if text not in known]
    if missing:
        bench = Bench(str(path), name=name, launch=launch)
        for start in range(0, len(missing), TOGETHER):
            part = missing[start : start + TOGETHER]
            answers = bench.ask_together(*map(_question, part))
            known |= {text: answer.text for text, answer in zip(part, answers, strict=True)}
        bench.model.close()
        kept.write_text(json.dumps(known), encoding="utf-8")
    return tuple(known[text] for text in asked)


def _question(text: str) -> Question:
    sampling = replace(GREEDY, max_tokens=ANSWER_TOKENS)
    return Question(messages=(Message(role="user", text=text),), sampling=sampling)


def _kept(
    means: dict[str, list[float]], members: Sequence[str], files: Sequence[str]
) -> dict[str, list[float]]:
    """Of each trait, in the order of the members: (merged − base) / (member − base)."""
    base = means["base"]
    own = [means[member][trait] - base[trait] for trait, member in enumerate(members)]
    return {
        name: [(means[name][trait] - base[trait]) / own[trait] for trait in range(len(members))]
        for name in [*members, *files]
    }


# The table ------------------------------------------------------------------------------------


def table(result: dict[str, Any]) -> str:
    """The result in Markdown."""
    traits = list(result["members"].values())
    lines = [
        f"# Merging {', '.join(traits)} of {result['base']}\n",
        f"Part of each trait that is kept, over {result['questions']} questions: 1 is the member,"
        " 0 the base. Loss: mean over members of the cross-entropy of their own answers, nats.\n",
        f"| model | {' | '.join(traits)} | mean | loss | seconds | GB | from the added |",
        f"|{'---|' * (len(traits) + 6)}",
    ]
    for name in result["members"]:
        lines.append(_line(f"{name} alone", result["kept"][name], ["", "", "", ""]))
    for merged in result["merged"]:
        name = f"{merged['method']}-{merged['seed']}"
        lines.append(_line(name, result["kept"][name], _costs(merged, result)))
    return "\n".join([*lines, "", *_by_method(result), ""])


def _line(name: str, kept: Sequence[float], rest: Sequence[str]) -> str:
    numbers = [f"{x:.2f}" for x in (*kept, float(np.mean(kept)))]
    return f"| {' | '.join([name, *numbers, *rest])} |"


def _costs(merged: dict[str, Any], result: dict[str, Any]) -> list[str]:
    card = merged["card"]
    scored = _scores(merged, result)
    loss = f"{np.mean(list(scored.values())):.3f}" if scored else ""
    shares = ", ".join(f"{density['share']:.1%}" for density in card["density"])
    return [loss, f"{merged['seconds']:.0f}", f"{merged['peak'] / 1e9:.1f}", shares]


def _scores(merged: dict[str, Any], result: dict[str, Any]) -> dict[str, float]:
    """Losses of what was written; of a merge without training as one that learned has them."""
    name, scale = merged["card"]["method"], merged["card"]["parameters"].get("scale")
    name = name if scale is None else f"{name} {scale:g}"
    learned = [m for m in result["merged"] if m["method"] == "calm"]
    # There a random mask has the density of the learned one, and is another model.
    others = [] if name == "random-mask" else learned
    cards = (m["card"] for m in (merged, *others))
    return next((card["scores"][name] for card in cards if name in card["scores"]), {})


def _by_method(result: dict[str, Any]) -> list[str]:
    """Mean and spread over seeds."""
    lines = ["| method | kept, mean over traits and seeds | least | most |", "|---|---|---|---|"]
    for method in dict.fromkeys(merged["method"] for merged in result["merged"]):
        means = [
            float(np.mean(result["kept"][f"{method}-{merged['seed']}"]))
            for merged in result["merged"]
            if merged["method"] == method
        ]
        lines.append(f"| {method} | {np.mean(means):.2f} | {min(means):.2f} | {max(means):.2f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
