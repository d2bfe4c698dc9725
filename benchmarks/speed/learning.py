"""Learning: a duel against one plain answer, what the features of all traits cost, a vote."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench
from benchmarks.scoring import score
from benchmarks.speed.decoding import question, share_of_step
from benchmarks.speed.measure import Row, in_turn
from engine.preference.learner import Serving, poles, scaled
from engine.preference.traits import BUILT_IN
from engine.session.duels import steered
from engine.session.learning import Answering, Learning, Manner
from engine.store.record import Record, StoredAnswer, StoredDuel
from engine.types.answers import Answer, Question
from engine.types.learning import OUTCOMES
from engine.types.steering import MAX_PULLS, Pull, Steering

VOTES = 1000
TOKENS = 96


def run(bench: Bench, *, pairs: int) -> list[Row]:
    """The rows of one model."""
    return [
        duel(bench, pairs=pairs),
        as_held(bench, pairs=pairs),
        all_features(bench, pairs=pairs),
        share(bench),
    ]


def duel(bench: Bench, *, pairs: int) -> Row:
    """Two steered answers, four streams, against one plain answer of the same length."""
    return _against_plain(
        bench, lambda: _duel(bench)[1], "of two steered answers", pairs=pairs, target=1.6
    )


def as_held(bench: Bench, *, pairs: int) -> Row:
    """A duel with the two traits that listen, eight streams, as the app holds it at first."""
    return _against_plain(
        bench,
        lambda: _duel(bench, listeners=2)[1],
        "with two traits listening",
        pairs=pairs,
        target=2.5,
    )


def all_features(bench: Bench, *, pairs: int) -> Row:
    """The same with what all ten traits think of both answers, scored afterwards."""

    def with_features() -> float:
        answers, per_token = _duel(bench)
        begun = time.perf_counter()
        _score_all(bench, answers)
        return per_token + (time.perf_counter() - begun) / max(a.tokens for a in answers)

    what = "with the features of all traits"
    return _against_plain(bench, with_features, what, pairs=pairs, target=2.5)


def _against_plain(
    bench: Bench, measure: Callable[[], float], what: str, *, pairs: int, target: float
) -> Row:
    """A kind of duel against one plain answer, seconds a token."""
    measured = in_turn(measure, lambda: _plain(bench), pairs=pairs)
    return measured.row(
        f"time: a duel {what} / one plain answer",
        model=bench.name,
        target=target,
        low=True,
        detail=f"{measured.milliseconds} a token",
    )


def share(bench: Bench) -> Row:
    """Our own work in the steps of a duel: steering, sampling, adding up utilities."""
    return share_of_step(
        bench,
        *_arms(),
        name="learning and steering, share of a duel's step",
        target=0.05,
        detail="cut, draw and utilities included",
    )


def vote(*, times: int) -> Row:
    """A vote with a thousand on record: saved, everything derived anew, and put into words."""
    with tempfile.TemporaryDirectory() as folder:
        record = Record(Path(folder) / "record.db", clock=time.time)
        learning = Learning(
            record,
            manner=lambda: Manner(learner="utilities", fade=None, neutral=False),
            model=lambda: Answering(id="m", width=0),
        )
        for number in range(VOTES + times):
            record.open_duel(_stored(number))
        for number in range(VOTES):
            record.vote(f"d{number}", OUTCOMES[number * 7 % 5 % len(OUTCOMES)])
        learning.learned()
        spent = [_timed(learning, f"d{VOTES + i}") for i in range(times)]
        record.close()
    milliseconds = [1e3 * s for s in spent]
    return Row(
        name=f"a vote with {VOTES:,} on record, milliseconds",
        model="–",
        ratio=median(milliseconds),
        spread=(min(milliseconds), max(milliseconds)),
        target=50,
        low=True,
        detail="on the disk, derived anew, in words",
    )


def _timed(learning: Learning, duel: str) -> float:
    begun = time.perf_counter()
    learning.vote(duel, "first")
    return time.perf_counter() - begun


def _stored(number: int) -> StoredDuel:
    trait = BUILT_IN[number % len(BUILT_IN)].id

    def answer(stream: str) -> StoredAnswer:
        return StoredAnswer(
            text="", finish="end", tokens=80, utilities={trait + stream: 8.0 + number % 7}
        )

    return StoredDuel(
        id=f"d{number}",
        at=float(number),
        model="m",
        learner="utilities",
        trait=trait,
        why="",
        question="",
        answers=(answer("+"), answer("-")),
        swapped=False,
        detail={},
    )


def _arms(*, listeners: int = 0) -> tuple[Question, Question]:
    """Both poles of a trait that leaves answers long, so that neither ends early."""
    trait = next(t for t in BUILT_IN if t.id == "vivid")
    plain = question(tokens=TOKENS)
    plain = replace(plain, sampling=replace(plain.sampling, temperature=0.7, seed=3))
    beside = tuple(scaled(poles(t)[0], 0.0) for t in BUILT_IN[:listeners])
    first, second = (Serving(pulls=(scaled(pole, 1.0), *beside)) for pole in poles(trait))
    return steered(plain, first), steered(plain, second)


def _duel(bench: Bench, *, listeners: int = 0) -> tuple[tuple[Answer, ...], float]:
    """The answers, and seconds for each token of the longer one."""
    answers = bench.ask_together(*_arms(listeners=listeners))
    seconds = answers[0].seconds
    return answers, (seconds.decode + seconds.steer) / max(a.tokens for a in answers)


def _plain(bench: Bench) -> float:
    answer = bench.ask(question(tokens=TOKENS))
    return (answer.seconds.decode + answer.seconds.steer) / answer.tokens


def _score_all(bench: Bench, answers: tuple[Answer, ...]) -> None:
    pulls = tuple(Pull(sentence=trait.sentence, theta=0.0) for trait in BUILT_IN)
    for start in range(0, len(pulls), MAX_PULLS):
        asked = question(Steering(pulls=pulls[start : start + MAX_PULLS]), tokens=TOKENS)
        score(
            asked,
            texts=[answer.text for answer in answers],
            model=bench.model,
            streams=bench.streams,
            form=bench.form,
            stopped=lambda: False,
        )
