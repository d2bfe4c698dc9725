"""An adapter through the front door: a scripted job answers, trains, and is scored."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api import Engine, Notice, Progress, Ready, TrainedAdapter
from engine.errors import (
    AttuneError,
    DamagedModel,
    EngineCrashed,
    InputError,
    InvalidParameter,
    ModelNotFound,
    Stopped,
    StorageError,
    UnknownTrait,
    UnsupportedModel,
)
from engine.jobs import protocol
from engine.models import catalogue, memory
from engine.models.adapters import write_adapter
from engine.models.cards import CardSurvival, MergeCard, marked, read_card, write_card
from engine.models.catalogue import STARTER_ID, starter_path
from engine.models.weights import open_weights
from engine.portfolio.questions import QUESTIONS
from engine.preference.traits import BUILT_IN
from engine.session import objectives, questions
from engine.session.lessons import HELD_OUT, LESSONS
from engine.store import database
from engine.types.answers import Answer, Message, Question, Seconds
from tests.fixtures.tiny_adapter import write_tiny_adapter
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine, remember

LONG, MIDDLE, SHORT = " ".join(["word"] * 63), " ".join(["word"] * 15), "one two three"
MATRIX = "blk.0.attn_q.weight"


class Job:
    """Stands in for the job child: briefer where it is asked for, and less so with an adapter."""

    def __init__(self) -> None:
        self.works: list[protocol.Work] = []
        self.steered, self.adapted = SHORT, MIDDLE
        self.fails: set[str] = set()
        self.broken = False
        self.slow_rounds = 0
        self.die_in: str = ""
        self.closed = 0
        self._cancelled = False

    def run(
        self, work: protocol.Work
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        self.works.append(work)
        self._cancelled = False
        items = self._train(work) if isinstance(work, protocol.Train) else self._ask(work)
        for item in items:
            yield item
            if self._cancelled:
                yield protocol.Cancelled(id=1)
                return
        yield protocol.Done(id=1)

    def _ask(self, work: protocol.Work) -> Iterator[protocol.Item]:
        assert isinstance(work, protocol.Calibrate)
        for subject in work.subjects:
            if self.broken:
                yield protocol.ModelFailed(
                    model=subject.model, code="damaged_model", message="Bad."
                )
                continue
            for number, asked in enumerate(subject.questions, 1):
                if asked.question.messages[-1].text in self.fails:
                    yield protocol.QuestionFailed(key=asked.key, code="input", message="No.")
                else:
                    answer = self._answer(asked.question, adapted=bool(subject.adapters))
                    if work.alone and int(asked.key.split()[0]) < self.slow_rounds:
                        slow = Seconds(decode=7.0 if subject.adapters else 3.0)
                        answer = replace(answer, seconds=slow)
                    yield protocol.AnsweredItem(key=asked.key, answer=answer, seconds=0.5)
                yield protocol.ProgressItem(done=number, total=len(subject.questions), left=1.0)

    def _answer(self, question: Question, *, adapted: bool) -> Answer:
        steered = bool(question.steering.preferences)
        text = self.steered if steered else self.adapted if adapted else LONG
        seconds = Seconds(decode=1.4, steer=0.6) if steered else Seconds(decode=0.8, steer=0.2)
        return Answer(
            text=text, finish="end", tokens=10, streams=1, gamma=0.0, seed=1, used=9, context=99,
            model="m", seconds=seconds,
        )  # fmt: skip

    def _train(self, work: protocol.Train) -> Iterator[protocol.Item]:
        for step in range(1, 4):
            if self.die_in == "training" and step == 3:
                raise EngineCrashed("The process for long work crashed.")
            yield protocol.StageItem(
                progress=Progress(done=step, total=3, left=1.0, text=f"Training, loss {step}.00")
            )
        base, out = open_weights(Path(work.base)), Path(work.out)
        width = base.shape(MATRIX)[1]
        half = np.ones((1, width), np.float32)
        halves = {MATRIX + ".lora_a": half, MATRIX + ".lora_b": half.T.copy()}
        write_adapter(out, base=base, halves=halves, alpha=1.0, name=work.title)
        card = MergeCard(
            kind="adapter",
            name=work.title,
            output=marked(out),
            base=marked(Path(work.base)),
            method="train",
            parameters={"training": work.identity(), "trait": work.trait},
            survival=CardSurvival(share=1.0),
        )
        write_card(card, beside=out)

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        self.closed += 1

    # What was asked ---------------------------------------------------------------------------

    @property
    def calibrated(self) -> list[protocol.Calibrate]:
        return [work for work in self.works if isinstance(work, protocol.Calibrate)]

    @property
    def trained(self) -> list[protocol.Train]:
        return [work for work in self.works if isinstance(work, protocol.Train)]


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    scripted = Job()
    monkeypatch.setattr("engine.jobs.client.JobClient", lambda _command: scripted)
    return scripted


@pytest.fixture
def engine(
    make_engine: MakeEngine, data: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    fast = tuple((name, 0 if name == "synchronous" else value) for name, value in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    digest = hashlib.sha256(starter_path().read_bytes()).hexdigest()
    monkeypatch.setattr(catalogue, "_STARTER", replace(catalogue._STARTER, sha256=digest))
    remember(data)
    engine: Engine = make_engine()
    return engine


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "short.gguf"


def trained(engine: Engine, out: Path, trait: str = "short+", **how: Any) -> TrainedAdapter:
    *_, last = engine.workshop.train(trait, out=out, **how)
    assert isinstance(last, TrainedAdapter)
    return last


def score(text: str) -> float:
    return -math.log1p(len(text.split()))


# What comes of it ---------------------------------------------------------------------------


def test_an_adapter_is_compared_with_the_plain_and_the_steered_model(
    engine: Engine, out: Path
) -> None:
    found = trained(engine, out)
    assert (found.path, found.objective, found.base) == (str(out), "short+", STARTER_ID)
    assert found.questions == HELD_OUT
    assert found.plain == pytest.approx(score(LONG))
    assert found.amulet == pytest.approx(score(SHORT))
    assert found.adapter == pytest.approx(score(MIDDLE))
    assert found.kept == pytest.approx(2 / 4)  # log 64, log 16 and log 4
    assert found.time == pytest.approx(0.1 / 0.2)


def test_the_card_says_what_came_of_it(engine: Engine, out: Path) -> None:
    found = trained(engine, out)
    scores = read_card(out).scores
    assert scores["plain"] == {"short+": found.plain}
    assert scores["amulet"] == {"short+": found.amulet}
    assert scores["adapter"] == {"short+": found.adapter, "kept": found.kept, "time": found.time}


def test_no_question_is_both_learned_from_and_scored_on(
    engine: Engine, job: Job, out: Path
) -> None:
    trained(engine, out)
    learned = {lesson.question for lesson in job.trained[0].lessons}
    lessons, *others = job.calibrated
    texts = [
        asked.question.messages[-1].text
        for work in others
        for subject in work.subjects
        for asked in subject.questions
    ]
    assert len(learned) == LESSONS
    assert learned.isdisjoint(texts)
    assert all(asked.question.steering.gamma == 2.0 for asked in lessons.subjects[0].questions)


def test_what_is_learned_are_the_steered_answers_with_their_ends(
    engine: Engine, job: Job, out: Path
) -> None:
    trained(engine, out, "short+", seed=3, steps=5)
    (work,) = job.trained
    assert {(lesson.answer, lesson.whole) for lesson in work.lessons} == {(SHORT, True)}
    assert (work.seed, work.steps, work.rank, work.trait) == (3, 5, 16, "short+")


def test_time_is_measured_alone_and_by_turns(engine: Engine, job: Job, out: Path) -> None:
    trained(engine, out)
    timed = job.calibrated[-1]
    assert timed.alone
    assert [bool(subject.adapters) for subject in timed.subjects] == [False, True] * 4
    for steered, adapted in zip(timed.subjects[::2], timed.subjects[1::2], strict=True):
        texts = [[q.question.messages for q in each.questions] for each in (steered, adapted)]
        assert texts[0] == texts[1]
        assert {q.question.sampling.max_tokens for q in steered.questions} == {48}
    assert not any(work.alone for work in job.calibrated[:-1])


def test_what_slows_a_round_down_does_not_count(engine: Engine, job: Job, out: Path) -> None:
    job.slow_rounds = 3  # of four
    assert trained(engine, out).time == pytest.approx(0.1 / 0.2)


def test_the_other_pole_is_scored_the_other_way_round(engine: Engine, job: Job, out: Path) -> None:
    job.steered, job.adapted = " ".join(["word"] * 255), " ".join(["word"] * 127)
    found = trained(engine, out, "short-")
    assert found.plain == pytest.approx(math.log(64))
    assert found.kept == pytest.approx(1 / 2)


def test_a_trait_without_a_sign_is_its_first_pole(engine: Engine, out: Path) -> None:
    assert trained(engine, out, "short").objective == "short+"


def test_where_the_sentence_moves_nothing_nothing_can_be_kept(
    engine: Engine, job: Job, out: Path
) -> None:
    job.steered = LONG
    *_, notice, last = engine.workshop.train("short+", out=out)
    assert isinstance(notice, Notice)
    assert notice.code == "not_steered"
    assert isinstance(last, TrainedAdapter)
    assert last.kept is None
    assert "kept" not in read_card(out).scores["adapter"]


def test_a_question_that_fails_is_left_out_and_said(engine: Engine, job: Job, out: Path) -> None:
    first = list(engine.workshop.train("short+", out=out.with_name("first.gguf")))
    assert isinstance(first[-1], TrainedAdapter)
    asked = job.calibrated[1].subjects[0].questions
    job.fails = {asked[0].question.messages[-1].text}
    events = list(engine.workshop.train("warm+", out=out))
    assert sum(isinstance(e, Notice) and e.code == "input" for e in events) >= 1
    assert isinstance(events[-1], TrainedAdapter)
    assert events[-1].questions == HELD_OUT - 1


def test_progress_says_which_part_it_is_of(engine: Engine, out: Path) -> None:
    events = list(engine.workshop.train("short+", out=out))
    parts = [re.split("[,:]", e.text)[0] for e in events if isinstance(e, Progress)]
    assert list(dict.fromkeys(parts)) == [
        "Asking for lessons",
        "Training",
        "Asking without the adapter",
        "Asking with the adapter",
        "Measuring the time",
    ]


# Going on -----------------------------------------------------------------------------------


def test_answers_that_are_on_record_are_not_asked_for_again(
    engine: Engine, job: Job, out: Path
) -> None:
    trained(engine, out)
    job.works.clear()
    trained(engine, out.with_name("other.gguf"), seed=1)
    assert len(job.trained) == 1
    assert len(job.calibrated) == 2  # with the new adapter, and the time


def test_a_stop_keeps_what_was_answered_and_the_next_goes_on_there(
    engine: Engine, job: Job, out: Path
) -> None:
    events = engine.workshop.train("short+", out=out)
    heard = 0
    with pytest.raises(Stopped):  # noqa: PT012
        for event in events:
            heard += isinstance(event, Progress)
            if heard == 5:
                engine.workshop.stop()
    job.works.clear()
    trained(engine, out)
    assert len(job.calibrated[0].subjects[0].questions) == LESSONS - 5


def test_a_death_in_training_is_told_and_the_next_trains_the_same(
    engine: Engine, job: Job, out: Path
) -> None:
    job.die_in = "training"
    with pytest.raises(EngineCrashed):
        trained(engine, out)
    job.die_in = ""
    trained(engine, out)
    first, second = job.trained
    assert first == second


def test_an_adapter_that_was_not_scored_is_not_trained_again(
    engine: Engine, job: Job, out: Path
) -> None:
    for event in engine.workshop.train("short+", out=out):
        if isinstance(event, Progress) and event.text.startswith("Asking without"):
            break
    assert not read_card(out).scores
    assert trained(engine, out).kept is not None
    assert len(job.trained) == 1


def test_one_at_a_time(engine: Engine, out: Path) -> None:
    running = engine.workshop.train("short+", out=out)
    next(running)
    with pytest.raises(InputError, match="under way"):
        trained(engine, out)
    running.close()  # type: ignore[attr-defined]
    trained(engine, out)


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("trait", ["nice+", "", "short*", "quality"])
def test_a_trait_that_cannot_be_measured_is_refused(
    engine: Engine, job: Job, out: Path, trait: str
) -> None:
    with pytest.raises(UnknownTrait, match="short, "):
        trained(engine, out, trait)
    assert not job.works


@pytest.mark.parametrize("how", [{"steps": 0}, {"steps": 1001}, {"seed": -1}])
def test_numbers_out_of_range_are_refused(
    engine: Engine, job: Job, out: Path, how: dict[str, Any]
) -> None:
    with pytest.raises(InvalidParameter):
        trained(engine, out, **how)
    assert not job.works


@pytest.mark.parametrize(
    ("name", "error"),
    [("nowhere/short.gguf", StorageError), ("x" * 226 + ".gguf", InvalidParameter)],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(
    engine: Engine, job: Job, tmp_path: Path, name: str, error: type[AttuneError]
) -> None:
    with pytest.raises(error):
        trained(engine, tmp_path / name)
    assert not job.works


def test_too_little_memory_or_space_is_said_before_any_work(
    engine: Engine, job: Job, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(memory, "installed", lambda: 10**8)
        with pytest.raises(InputError, match=r"has 0\.1 GB"):
            trained(engine, out)
    usage = shutil.disk_usage(out.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(StorageError, match=r"short\.gguf needs 0 MB, but 0 MB are free"):
        trained(engine, out)
    assert not job.works


def test_a_stop_during_the_first_self_test_is_heard(
    engine: Engine, job: Job, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launched(_: object) -> Iterator[Notice]:
        yield Notice(code="self_test", text="Trying settings.")
        engine.workshop.stop()

    monkeypatch.setattr(engine.workshop, "_launched", launched)
    with pytest.raises(Stopped):
        trained(engine, out)
    assert not job.works


def test_a_file_is_never_overwritten(engine: Engine, job: Job, out: Path) -> None:
    trained(engine, out)
    before = out.read_bytes()
    job.works.clear()
    for seed in (0, 1):
        with pytest.raises(InputError, match="exists already"):
            trained(engine, out, seed=seed)
    assert not job.works
    assert out.read_bytes() == before
    with pytest.raises(InvalidParameter, match=r"NAME\.gguf"):
        trained(engine, out.with_suffix(".bin"))


def test_an_unscored_adapter_of_another_training_is_not_taken_for_this_one(
    engine: Engine, out: Path
) -> None:
    for event in engine.workshop.train("short+", out=out):
        if isinstance(event, Progress) and event.text.startswith("Asking without"):
            break
    with pytest.raises(InputError, match="exists already"):
        trained(engine, out, seed=1)


def test_a_base_that_fails_ends_it(engine: Engine, job: Job, out: Path) -> None:
    job.broken = True
    with pytest.raises(DamagedModel):
        trained(engine, out)
    assert job.closed == 1


# Wearing one --------------------------------------------------------------------------------


def _texts(engine: Engine) -> str:
    *_, answer = engine.answer(Question(messages=(Message(role="user", text="Hello?"),)))
    assert isinstance(answer, Answer)
    return answer.text


def test_an_answer_is_given_with_the_adapters_that_were_named(
    make_engine: MakeEngine, engine: Engine, out: Path
) -> None:
    trained(engine, out)
    worn = make_engine(answers=("Hi.",))
    list(worn.start(adapters=[(out, 1.0), (out, 0.5)]))
    assert _texts(worn) == "[short.gguf 1] [short.gguf 0.5] Hi."


def test_adapters_act_in_the_run_that_they_were_named_for_alone(
    make_engine: MakeEngine, engine: Engine, out: Path
) -> None:
    trained(engine, out)
    worn = make_engine(answers=("Hi.",))
    list(worn.start(adapters=[(out, 1.0)]))
    list(worn.start())
    assert _texts(worn) == "Hi."


def test_an_adapter_that_does_not_fit_is_refused_before_anything_is_started(
    engine: Engine, out: Path, tmp_path: Path
) -> None:
    trained(engine, out)
    other = write_tiny_llama(tmp_path / "other.gguf", embedding=32)
    for path, scale, error in (
        (tmp_path / "none.gguf", 1.0, ModelNotFound),
        (starter_path(), 1.0, UnsupportedModel),
        (out, 11.0, InvalidParameter),
        (out, math.nan, InvalidParameter),
    ):
        with pytest.raises(error):
            list(engine.start(adapters=[(path, scale)]))
    with pytest.raises(UnsupportedModel, match=r"short\.gguf changes the tensor"):
        list(engine.start(str(other), adapters=[(out, 1.0)]))
    assert engine._running.supervisor._client is None


def test_an_adapter_among_the_models_acts_whenever_its_model_answers(
    make_engine: MakeEngine, engine: Engine, out: Path
) -> None:
    trained(engine, out)
    card = engine.add_model(out)
    assert card.name == "SmolLM2 135M Instruct, short"
    worn = make_engine(answers=("Hi.",))
    *_, ready = worn.start(card.id)
    assert isinstance(ready, Ready)
    assert (ready.model, ready.name) == (card.id, card.name)
    assert _texts(worn) == "[short.gguf 1] Hi."
    list(worn.start(card.id, adapters=[(out, 0.5)]))
    assert _texts(worn) == "[short.gguf 1] [short.gguf 0.5] Hi."
    list(worn.start(STARTER_ID))
    assert _texts(worn) == "Hi."
    worn.change(model=card.id)
    list(worn.start())
    assert _texts(worn) == "[short.gguf 1] Hi."


def test_where_an_adapter_no_longer_fits_its_base_it_never_reaches_the_child(
    make_engine: MakeEngine, engine: Engine, out: Path, tmp_path: Path
) -> None:
    trained(engine, out)
    card = engine.add_model(out)
    narrow = write_tiny_llama(tmp_path / "narrow.gguf", embedding=32)
    write_tiny_adapter(out, base=narrow)
    with pytest.raises(UnsupportedModel, match=r"short\.gguf changes the tensor"):
        list(engine.start(card.id))
    assert engine._running.supervisor._client is None
    engine.change(model=card.id)
    notice, ready = make_engine().start()
    assert isinstance(notice, Notice)
    assert notice.code == "starter_instead"
    assert isinstance(ready, Ready)
    assert ready.model == STARTER_ID


def test_the_owner_says_which_of_several_bases_an_adapter_acts_on(
    engine: Engine, tmp_path: Path
) -> None:
    adapter = write_tiny_adapter(tmp_path / "warm.gguf", base=starter_path())
    engine.add_model(write_tiny_llama(tmp_path / "Twin.gguf", name="Twin", seed=3))
    with pytest.raises(InputError, match="--base"):
        engine.add_model(adapter)
    assert engine.add_model(adapter, base="twin").name == "Twin, warm"


def test_a_model_with_an_adapter_is_no_base_to_train(engine: Engine, job: Job, out: Path) -> None:
    trained(engine, out)
    card, works = engine.add_model(out), len(job.works)
    with pytest.raises(InputError, match="has an adapter already"):
        trained(engine, out.with_name("warm.gguf"), "warm", base=card.id)
    assert len(job.works) == works


# The workshop's own folder ------------------------------------------------------------------


def test_an_adapter_without_a_name_gets_one_and_is_told_of(engine: Engine, job: Job) -> None:
    *_, last = engine.workshop.train("short+")
    assert isinstance(last, TrainedAdapter)
    (made,) = engine.workshop.made()
    assert made.path == last.path
    assert Path(made.path).name == f"{STARTER_ID}-short.gguf"
    assert (made.kind, made.method, made.trait) == ("adapter", "train", last.name)
    assert (made.kept, made.time) == (last.kept, last.time)
    assert (made.losses, made.shares, made.members) == ((), (), ())
    list(engine.workshop.train("short+", seed=1))
    assert len(engine.workshop.made()) == 2


def test_a_training_that_only_lacks_its_scores_keeps_its_name(engine: Engine, job: Job) -> None:
    running = engine.workshop.train("short+")
    next(event for event in running if "with the adapter" in str(event))
    engine.workshop.stop()
    with pytest.raises(Stopped):
        list(running)
    trained_once = len(job.trained)
    *_, last = engine.workshop.train("short+")
    assert isinstance(last, TrainedAdapter)
    assert len(job.trained) == trained_once
    assert [made.path for made in engine.workshop.made()] == [last.path]


def test_one_that_lacks_its_scores_does_not_block_another_training(
    engine: Engine, job: Job
) -> None:
    running = engine.workshop.train("short+")
    next(event for event in running if "with the adapter" in str(event))
    engine.workshop.stop()
    with pytest.raises(Stopped):
        list(running)
    *_, other = engine.workshop.train("short+", seed=1)
    *_, first = engine.workshop.train("short+")
    assert isinstance(other, TrainedAdapter)
    assert isinstance(first, TrainedAdapter)
    names = [Path(each.path).name for each in (first, other)]
    assert names == [f"{STARTER_ID}-short.gguf", f"{STARTER_ID}-short-2.gguf"]
    assert [Path(work.out).name for work in job.trained] == names


def test_what_votes_say_is_offered_first(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    poles = engine.workshop.poles()
    assert len(poles) == 2 * len(BUILT_IN)
    assert len({pole.id for pole in poles}) == len(poles)
    monkeypatch.setattr(objectives, "liked", lambda _: ["warm-"])
    first, *others = engine.workshop.poles()
    assert first.id == "warm-"
    assert {pole.id for pole in (first, *others)} == {pole.id for pole in poles}


def test_no_lesson_is_a_question_that_measures(engine: Engine, job: Job) -> None:
    list(engine.workshop.train("short+"))
    (lessons,) = (work.lessons for work in job.trained)
    learned = {lesson.question for lesson in lessons}
    measured = {question.text for question in QUESTIONS} | set(questions.HELD_OUT)
    assert not learned & measured


def test_a_model_with_an_adapter_is_no_base_and_merges_as_its_adapter(
    engine: Engine, job: Job, tmp_path: Path
) -> None:
    *_, made = engine.workshop.train("short+")
    assert isinstance(made, TrainedAdapter)
    worn = engine.add_model(Path(made.path))
    assert worn.adapter == made.path
    assert worn.id not in {card.id for card in engine.workshop.bases()}
    (fit,) = engine.workshop.check(STARTER_ID, [worn.id])
    assert (fit.path, fit.kind, fit.problem) == (made.path, "adapter", "")
    with pytest.raises(InputError, match="name the model alone"):
        engine.workshop.check(worn.id, [made.path])
    with pytest.raises(InputError, match="name the model alone"):
        list(engine.workshop.merge(worn.id, [made.path, made.path], method="average"))


def test_progress_counts_what_was_answered_before(engine: Engine, job: Job, out: Path) -> None:
    running = engine.workshop.train("short+", out=out)
    first = [next(e for e in running if isinstance(e, Progress)) for _ in range(5)][-1]
    assert first.text == f"Asking for lessons: 5 of {LESSONS}"
    engine.workshop.stop()
    with pytest.raises(Stopped):
        list(running)
    again = engine.workshop.train("short+", out=out)
    told = next(e for e in again if isinstance(e, Progress))
    assert told.done > first.done
