"""python -m benchmarks.speed.calibration [--model FILE]… : calibration questions together, as the
job child packs them, against the same questions one at a time. Run it on an idle machine."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench, launch_here
from benchmarks.speed.measure import HEADER, Row, in_turn
from engine.jobs.packing import packed, sized
from engine.jobs.protocol import Asked
from engine.models.catalogue import starter_path
from engine.portfolio.questions import QUESTIONS
from engine.types.answers import Message, Question
from engine.types.steering import Sampling

COUNT = 16
TOKENS = 96
TARGET = 3.0


def run(bench: Bench, *, pairs: int) -> Row:
    """Tokens per second, prompts included, together over one at a time."""
    asked = [Asked(key=q.id, question=_question(q.text)) for q in QUESTIONS[:COUNT]]
    questions = [one.question for one in asked]
    batches = packed([sized(one) for one in asked], cells=bench.launch.context)
    together = [[one.asked.question for one in batch] for batch in batches]
    measured = in_turn(
        _per_token(bench, [[question] for question in questions]),
        _per_token(bench, together),
        pairs=pairs,
    )
    alone, packs = (1.0 / median(seconds) for seconds in (measured.a, measured.b))
    return measured.row(
        "calibration, tokens/s: together / one at a time",
        model=bench.name,
        target=TARGET,
        low=False,
        detail=f"{packs:.0f} against {alone:.0f} tokens/s; {COUNT} questions, "
        f"{len(together)} batch" + ("" if len(together) == 1 else "es"),
    )


def _per_token(bench: Bench, batches: Sequence[Sequence[Question]]) -> Callable[[], float]:
    def measure() -> float:
        bench.streams.forget()
        begun = time.perf_counter()
        answers = [answer for batch in batches for answer in bench.ask_together(*batch)]
        return (time.perf_counter() - begun) / sum(answer.tokens for answer in answers)

    return measure


def _question(text: str) -> Question:
    # Drawn as in a calibration, with one seed, so that both ways write nearly the same.
    sampling = replace(Sampling(), max_tokens=TOKENS, seed=1)
    return Question(messages=(Message(role="user", text=text),), sampling=sampling)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    launch = launch_here()
    print(HEADER)
    for path in arguments.model or [starter_path()]:
        bench = Bench(str(path), name=path.stem, launch=launch)
        print(run(bench, pairs=arguments.pairs).line(), flush=True)
        bench.model.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
