"""Many simulations at once: their questions are answered in the same batches, each only once.

Answers are kept in a file beside the results, one JSON line each, under a key made of everything
that they depend on. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.bench import Bench
from engine.inference.model import MAX_STREAMS
from engine.inference.variants import plan
from engine.types.answers import Answer, Question

Asked = tuple[Question, ...]
Answered = tuple[Answer, ...]
Result = TypeVar("Result")
Run = Generator[Asked, Answered, Result]


class Panel:
    """A model, and every answer that it ever gave."""

    def __init__(self, bench: Bench, *, cache: Path) -> None:
        self.bench = bench
        self._cache = cache
        self._known: dict[str, Answer] = {}
        self.answered, self._begun = 0, time.monotonic()
        if cache.exists():
            for line in cache.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):  # a run that was ended may have left half a line
                    entry = json.loads(line)
                    self._known[entry["key"]] = msgspec.convert(entry["answer"], Answer)

    def ask(self, questions: Asked) -> Answered:
        """Answers in the order of the questions; what is known is not asked again."""
        self._answer_new(questions)
        return tuple(self._known[_key(q)] for q in questions)

    def play(self, runs: dict[str, Run[Result]]) -> dict[str, Result]:
        """Drive all runs to their ends, together; returns what each returned."""
        waiting: dict[str, Asked] = {}
        ended: dict[str, Result] = {}

        def resume(name: str, answers: Answered | None) -> None:
            try:
                waiting[name] = runs[name].send(answers) if answers else next(runs[name])
            except StopIteration as end:
                waiting.pop(name, None)
                ended[name] = end.value

        for name in runs:
            resume(name, None)
        while waiting:
            # One full batch at a time, and whoever has all answers goes on: no run waits for all.
            wanted = [question for asked in waiting.values() for question in asked]
            if weighed := self._weighed(waiting.values()):
                self._run(weighed)
            else:
                self._answer_new(wanted, batches=1)
            for name, asked in list(waiting.items()):
                if all(_key(question) in self._known for question in asked):
                    resume(name, self.ask(asked))
            self._report(ended, waiting)
        print(file=sys.stderr)
        return ended

    def _weighed(self, waiting: Iterable[Asked]) -> dict[str, Question]:
        """Answers that are decoded with a reward and not known yet, those to one question of one
        run: they weigh their candidates together, and strangers would weigh in."""
        for asked in waiting:
            texts = {q.messages for q in asked if q.steering.reward is not None}
            for text in texts:
                group = {_key(q): q for q in asked if q.messages == text}
                if not group.keys() <= self._known.keys():
                    return group
        return {}

    def _answer_new(self, questions: Iterable[Question], *, batches: int | None = None) -> None:
        """Have what is not known answered; the first so many batches of it, or all."""
        new = {key: q for q in questions if (key := _key(q)) not in self._known}
        done = 0
        while new and done != batches:
            batch: dict[str, Question] = {}
            for key, question in new.items():
                if sum(map(_streams, (*batch.values(), question))) <= MAX_STREAMS:
                    batch[key] = question
            self._run(batch)
            done += 1
            new = {key: question for key, question in new.items() if key not in batch}

    def _run(self, batch: dict[str, Question]) -> None:
        answers = self.bench.ask_together(*batch.values())
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        with self._cache.open("ab") as file:
            for key, answer in zip(batch, answers, strict=True):
                self._known[key] = answer
                entry = {"key": key, "answer": msgspec.to_builtins(answer)}
                file.write(msgspec.json.encode(entry) + b"\n")
        self.answered += len(batch)
        minutes = (time.monotonic() - self._begun) / 60
        print(
            f"\r{self.answered} answers in {minutes:.1f} min ", end="", file=sys.stderr, flush=True
        )

    def _report(self, ended: dict[str, Result], waiting: dict[str, Asked]) -> None:
        print(f" {len(ended)} of {len(ended) + len(waiting)} runs done", end="", file=sys.stderr)


def _streams(question: Question) -> int:
    return len(plan(question).chats)


def _key(question: Question) -> str:
    return hashlib.sha256(msgspec.json.encode(question)).hexdigest()[:24]
