"""Every question is answered or said to have failed, whatever becomes of the children."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.errors import AttuneError, Stopped
from engine.inference import client as inference
from engine.inference import protocol as wire
from engine.inference.client import Client
from engine.jobs.calibration import Calibration
from engine.jobs.protocol import (
    AnsweredItem,
    Calibrate,
    Item,
    ModelFailed,
    ProgressItem,
    QuestionFailed,
    Subject,
)
from engine.types.answers import Question
from engine.types.models import Launch
from tests.fakes import host as fake
from tests.fakes.asking import preferring
from tests.fakes.host import Script, Trouble
from tests.unit.jobs.conftest import asked, subject

pytestmark = pytest.mark.usefixtures("threads")

MANY = tuple(asked(f"q{n}") for n in range(20))


class Room:
    """Where calibrations run, on children that follow a script."""

    def __init__(self) -> None:
        self.spawned: list[Client] = []

    def begin(
        self,
        *subjects: Subject,
        script: Script | None = None,
        clock: Callable[[], float] | None = None,
        alone: bool = False,
        **changes: Any,
    ) -> Calibration:
        command = fake.command(script, **changes)

        def spawn() -> Client:
            self.spawned.append(Client(command))
            return self.spawned[-1]

        ticks = count()
        request = Calibrate(subjects=subjects, seed=5, alone=alone)
        return Calibration(request, spawn=spawn, clock=clock or (lambda: float(next(ticks))))

    def run(self, *subjects: Subject, **how: Any) -> list[Item]:
        items = list(self.begin(*subjects, **how).run())
        assert not any(child.alive for child in self.spawned)
        return items


@pytest.fixture
def room() -> Iterator[Room]:
    """A room that is empty in the end."""
    room = Room()
    yield room
    for child in room.spawned:
        child.kill()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Question, ...]]:
    """Questions that were asked together, batch by batch."""
    seen: list[tuple[Question, ...]] = []
    real = wire.send

    def watch(channel: Any, message: Any) -> None:
        if isinstance(message, wire.Generate):
            seen.append(message.questions)
        real(channel, message)

    monkeypatch.setattr(wire, "send", watch)
    return seen


def heard(calibration: Calibration) -> tuple[list[Item], AttuneError | None]:
    """What comes of it, and how it ends where it does not end well."""
    items: list[Item] = []
    try:
        items.extend(calibration.run())
    except AttuneError as error:
        return items, error
    return items, None


def texts(items: list[Item]) -> dict[str, str]:
    return {item.key: item.answer.text for item in items if isinstance(item, AnsweredItem)}


def failed(items: list[Item]) -> dict[str, str]:
    return {item.key: item.code for item in items if isinstance(item, QuestionFailed)}


def gone(items: list[Item]) -> dict[str, str]:
    return {item.model: item.code for item in items if isinstance(item, ModelFailed)}


def progress(items: list[Item]) -> list[ProgressItem]:
    return [item for item in items if isinstance(item, ProgressItem)]


# Answers ------------------------------------------------------------------------------------


def test_alone_every_question_has_a_batch_of_its_own(
    room: Room, batches: list[tuple[Question, ...]]
) -> None:
    together = texts(room.run(subject(*MANY[:5])))
    assert len(batches) == 1
    batches.clear()
    assert texts(room.run(subject(*MANY[:5]), alone=True)) == together
    assert [len(batch) for batch in batches] == [1] * 5


def test_adapters_act_on_the_answers_of_their_subject_alone(room: Room) -> None:
    worn = subject(asked("a"), adapters=(("/x/warm.gguf", 0.5),))
    items = room.run(worn, subject(asked("b")), answers=("Hi.",))
    assert texts(items) == {"a": "[war", "b": "Hi."}


def test_together_every_question_gets_the_answer_that_it_gets_alone(room: Room) -> None:
    steered = [asked(f"s{n}", steering=preferring("brief")) for n in range(3)]
    questions = (*MANY[:5], *steered)
    together = texts(room.run(subject(*questions)))
    alone = [texts(room.run(subject(one))) for one in questions]
    assert together == {key: text for found in alone for key, text in found.items()}
    assert len(set(together.values())) == len(questions)


def test_batches_are_as_full_as_the_streams_allow(
    room: Room, batches: list[tuple[Question, ...]]
) -> None:
    steered = [asked(f"s{n}", steering=preferring("brief")) for n in range(9)]
    room.run(subject(*MANY, *steered))
    assert list(map(len, batches)) == [16, 4, 8, 1]


def test_answers_are_told_batch_by_batch_and_carry_the_id_of_the_model(room: Room) -> None:
    items = room.run(subject(*MANY, model="the-id"))
    kinds = [type(item).__name__ for item in items if not isinstance(item, ProgressItem)]
    assert kinds == ["AnsweredItem"] * 20
    answers = [item.answer for item in items if isinstance(item, AnsweredItem)]
    assert {(a.model, a.finish, a.tokens) for a in answers} == {("the-id", "length", 4)}
    first = [i for i, item in enumerate(items) if isinstance(item, ProgressItem) and item.done]
    assert first[0] < items.index([i for i in items if isinstance(i, AnsweredItem)][16])


def test_the_seed_of_the_work_is_used_where_a_question_has_none(room: Room) -> None:
    own = asked("own", temperature=1.0, seed=77)
    items = room.run(subject(asked("free", temperature=1.0), own))
    seeds = {i.key: i.answer.seed for i in items if isinstance(i, AnsweredItem)}
    assert seeds == {"free": 5, "own": 77}


def test_the_seconds_of_a_batch_are_shared_by_its_answers(room: Room) -> None:
    items = room.run(subject(*MANY[:4]))
    shares = {item.seconds for item in items if isinstance(item, AnsweredItem)}
    assert len(shares) == 1
    assert shares.pop() > 0.0


def test_models_come_one_after_another_each_in_one_child(room: Room) -> None:
    items = room.run(subject(*MANY[:2], model="a"), subject(*MANY[2:4], model="b"))
    models = [item.answer.model for item in items if isinstance(item, AnsweredItem)]
    assert models == ["a", "a", "b", "b"]
    assert len(room.spawned) == 2


def test_nothing_to_ask_starts_no_child(room: Room) -> None:
    assert room.run() == []
    assert room.run(subject()) == [ProgressItem(done=0, total=0, left=None)]
    assert room.spawned == []


# Progress -----------------------------------------------------------------------------------


def test_progress_begins_with_nothing_ends_with_everything_and_never_goes_back(
    room: Room,
) -> None:
    told = progress(room.run(subject(*MANY), subject(asked("last"))))
    assert told[0] == ProgressItem(done=0, total=21, left=None)
    assert told[-1] == ProgressItem(done=21, total=21, left=0.0)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert {p.total for p in told} == {21}


def test_the_time_left_follows_from_the_time_taken(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, real = [0.0], wire.send

    def two_seconds_each(channel: Any, message: Any) -> None:
        if isinstance(message, wire.Generate):
            now[0] += 2.0 * len(message.questions)
        real(channel, message)

    monkeypatch.setattr(wire, "send", two_seconds_each)
    models = subject(*MANY), subject(*MANY[:8], size=2000)
    told = progress(room.run(*models, clock=lambda: now[0]))
    # Answers of a model that is twice as large take 4 seconds each, until that is known better.
    assert ProgressItem(done=16, total=28, left=4 * 2.0 + 8 * 4.0) in told
    assert ProgressItem(done=20, total=28, left=8 * 4.0) in told


def test_a_long_batch_tells_once_a_second_how_far_it_is(room: Room) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.125
        return now[0]

    questions = [asked(f"q{n}", max_tokens=60) for n in range(2)]
    told = progress(room.run(subject(*questions), clock=clock))
    left = [p.left for p in told if p.done == 0 and p.left is not None]
    assert len(left) > 5
    assert left == sorted(left, reverse=True)
    assert left[-1] < left[0] / 5
    assert len(told) <= now[0] + 3


# Children that die --------------------------------------------------------------------------


def dies(tmp_path: Path, *, times: int, **changes: Any) -> Trouble:
    return Trouble(at="decode", times=times, count=str(tmp_path / "count"), **changes)


def test_a_child_that_dies_once_is_started_again_and_nothing_is_left_out(
    room: Room, tmp_path: Path
) -> None:
    items = room.run(subject(*MANY), script=Script(troubles=(dies(tmp_path, times=1),)))
    assert texts(items) == texts(room.run(subject(*MANY)))
    assert failed(items) == gone(items) == {}
    assert progress(items)[-1].done == 20


def test_the_question_that_kills_is_found_and_all_others_are_answered(room: Room) -> None:
    questions = (*MANY[:9], asked("bad", "Say the poison word."), *MANY[9:])
    killer = Trouble(at="decode", holding="poison")
    items = room.run(subject(*questions), script=Script(troubles=(killer,)))
    assert failed(items) == {"bad": "engine_crashed"}
    assert set(texts(items)) == {one.key for one in MANY}
    assert gone(items) == {}
    assert progress(items)[-1] == ProgressItem(done=21, total=21, left=0.0)


def test_two_that_kill_with_answers_between_them_are_both_found(room: Room) -> None:
    questions = (asked("x", "poison one"), *MANY[:3], asked("y", "poison two"), *MANY[3:6])
    killer = Trouble(at="decode", holding="poison")
    items = room.run(subject(*questions), script=Script(troubles=(killer,)))
    assert failed(items) == {"x": "engine_crashed", "y": "engine_crashed"}
    assert len(texts(items)) == 6


def test_a_model_that_dies_of_everything_is_given_up_and_the_next_one_answers(
    room: Room,
) -> None:
    broken = subject(*MANY, model="broken", launch=Launch(variant="newest", context=4096))
    sound = subject(*MANY[:2], model="sound")
    script = Script(troubles=(Trouble(at="decode", variant="newest"),))
    items = room.run(broken, sound, script=script)
    assert gone(items) == {"broken": "engine_crashed"}
    assert len(failed(items)) == 1  # the first of the two in a row
    assert set(texts(items)) == {"q0", "q1"}
    assert progress(items)[-1] == ProgressItem(done=22, total=22, left=0.0)
    assert len(room.spawned) < 10


def test_a_child_that_hangs_is_ended_and_its_question_found(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inference.SILENCE_SECONDS, "decode", 0.05)
    hang = Trouble(at="decode", kind="deaf", holding="poison")
    questions = (*MANY[:2], asked("bad", "poison"))
    items = room.run(subject(*questions), script=Script(troubles=(hang,)))
    assert failed(items) == {"bad": "engine_silent"}
    assert set(texts(items)) == {"q0", "q1"}


def test_a_template_that_kills_is_left_out_from_then_on(room: Room) -> None:
    script = Script(troubles=(Trouble(at="template"),))
    items = room.run(subject(*MANY[:3]), script=script)
    assert len(texts(items)) == 3
    assert gone(items) == {}


# What cannot be done ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Trouble(at="load", kind="damaged"), "damaged_model"),
        (Trouble(at="load", kind="memory"), "out_of_memory"),
        (Trouble(at="load"), "engine_crashed"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_said_and_the_next_one_answers(
    room: Room, trouble: Trouble, code: str
) -> None:
    broken = subject(*MANY, model="broken", launch=Launch(variant="newest", context=4096))
    script = Script(troubles=(replace(trouble, variant="newest"),))
    items = room.run(broken, subject(asked("a")), script=script)
    assert gone(items) == {"broken": code}
    assert set(texts(items)) == {"a"}
    assert progress(items)[-1].done == 21


def test_a_load_that_dies_once_is_tried_again(room: Room, tmp_path: Path) -> None:
    once = Trouble(at="load", times=1, count=str(tmp_path / "count"))
    items = room.run(subject(*MANY[:2]), script=Script(troubles=(once,)))
    assert len(texts(items)) == 2


def test_a_question_that_is_too_long_for_the_model_does_not_cost_the_others(room: Room) -> None:
    questions = (*MANY[:3], asked("long", "word " * 200), *MANY[3:5])
    items = room.run(subject(*questions, launch=Launch(context=800)))
    assert failed(items) == {"long": "prompt_too_long"}
    assert set(texts(items)) == {f"q{n}" for n in range(5)}
    assert len(room.spawned) == 1


def test_a_question_that_cannot_be_asked_is_refused_at_once(room: Room) -> None:
    items = room.run(subject(asked("empty", " ")))
    assert failed(items) == {"empty": "empty_question"}
    assert progress(items)[-1].done == 1
    assert room.spawned == []


# Cancelling ---------------------------------------------------------------------------------


def test_a_cancel_tells_what_is_finished_and_leaves_out_the_rest(
    room: Room, tmp_path: Path
) -> None:
    questions = [asked("quick", max_tokens=1), asked("slow", max_tokens=50), *MANY]
    # Every token after the first waits for the gate, which never opens.
    calibration = room.begin(subject(*questions), script=Script(gate=str(tmp_path / "never")))
    stopper = threading.Timer(0.3, calibration.cancel)
    stopper.start()
    items, ended = heard(calibration)
    stopper.join()
    assert isinstance(ended, Stopped)
    assert set(texts(items)) == {"quick"}
    assert failed(items) == gone(items) == {}
    assert not any(child.alive for child in room.spawned)


def test_a_cancel_before_the_start_starts_nothing(room: Room) -> None:
    calibration = room.begin(subject(*MANY))
    calibration.cancel()
    with pytest.raises(Stopped):
        list(calibration.run())
    assert room.spawned == []


def test_a_cancel_reaches_a_model_that_is_being_loaded(room: Room) -> None:
    calibration = room.begin(
        subject(*MANY), script=Script(troubles=(Trouble(at="load", kind="hang"),))
    )
    stopper = threading.Timer(0.1, calibration.cancel)
    stopper.start()
    with pytest.raises(Stopped):
        list(calibration.run())
    stopper.join()


def test_a_child_that_does_not_stop_is_ended(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "STOP_SECONDS", 0.1)
    calibration = room.begin(
        subject(*MANY), script=Script(troubles=(Trouble(at="decode", kind="deaf"),))
    )
    stopper = threading.Timer(0.2, calibration.cancel)
    stopper.start()
    with pytest.raises(Stopped):
        list(calibration.run())
    stopper.join()
    assert not any(child.alive for child in room.spawned)


def test_a_run_that_nobody_reads_on_leaves_no_child(room: Room) -> None:
    items = room.begin(subject(*MANY)).run()
    for item in items:
        if isinstance(item, AnsweredItem):
            break
    items.close()
    assert not any(child.alive for child in room.spawned)
