from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.quality.panel import Panel
from engine.inference.model import MAX_STREAMS
from engine.inference.variants import plan
from engine.types.answers import Answer, Question
from engine.types.steering import Pull, Reward, Steering
from tests.fakes.asking import question

PULLED = Steering(pulls=(Pull(sentence="Rhyme.", theta=1.0),))
REWARD = Reward(network=b"\0" * 8, units=1)


class Bench:
    """Answers with the question, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[tuple[Question, ...]] = []

    def ask_together(self, *questions: Question) -> tuple[Answer, ...]:
        assert sum(len(plan(q).chats) for q in questions) <= MAX_STREAMS
        self.batches.append(questions)
        return tuple(
            Answer(
                text=q.messages[-1].text,
                finish="end",
                tokens=1,
                streams=1,
                gamma=0.0,
                seed=0,
                used=0,
                context=0,
                model="m",
            )
            for q in questions
        )

    @property
    def asked(self) -> int:
        return sum(map(len, self.batches))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers" / "m.jsonl"


def panel(bench: Bench, cache: Path) -> Panel:
    return Panel(cast(Any, bench), cache=cache)


def run(*asked: tuple[Question, ...]) -> Generator[Any, Any, list[str]]:
    """Asks one tuple after another; returns all texts."""
    texts: list[str] = []
    for questions in asked:
        answers = yield questions
        texts += [answer.text for answer in answers]
    return texts


def questions(*texts: str, steering: Steering | None = None) -> tuple[Question, ...]:
    return tuple(question(text, steering=steering or Steering()) for text in texts)


def test_every_answer_is_asked_for_once_whoever_wants_it(cache: Path) -> None:
    bench = Bench()
    runs = {
        "a": run(questions("one", "two"), questions("three")),
        "b": run(questions("two", "three"), questions("one")),
    }
    found = panel(bench, cache).play(runs)
    assert found == {"a": ["one", "two", "three"], "b": ["two", "three", "one"]}
    assert bench.asked == 3


def test_answers_are_batched_up_to_the_streams_there_are(cache: Path) -> None:
    bench = Bench()
    many = questions(*(f"q{i}" for i in range(20)), steering=PULLED)
    assert len(panel(bench, cache).ask(many)) == 20
    assert [len(batch) for batch in bench.batches] == [8, 8, 4]


def test_what_was_answered_is_known_after_a_restart_even_one_in_the_middle_of_a_line(
    cache: Path,
) -> None:
    panel(Bench(), cache).ask(questions("one", "two"))
    cache.write_bytes(cache.read_bytes()[:-20])
    again = Bench()
    answers = panel(again, cache).ask(questions("one", "two"))
    assert [answer.text for answer in answers] == ["one", "two"]
    assert again.asked == 1


def test_steering_is_part_of_what_an_answer_is_known_by(cache: Path) -> None:
    bench = Bench()
    panel(bench, cache).ask((*questions("one"), *questions("one", steering=PULLED)))
    assert bench.asked == 2


def test_answers_with_a_reward_share_a_batch_with_their_own_pair_alone(cache: Path) -> None:
    bench = Bench()
    first = replace(question("one"), steering=Steering(reward=REWARD))
    second = replace(first, steering=Steering(reward=replace(REWARD, exploration=0.5)))
    other = replace(question("two"), steering=Steering(reward=REWARD))
    runs = {"a": run((first, second)), "b": run((other, *questions("three")))}
    panel(bench, cache).play(runs)
    assert {first, second} in [set(batch) for batch in bench.batches]
    assert (other,) in bench.batches
    assert bench.asked == 4
