"""A portfolio through the front door: measured by a scripted job, chosen, certified and routed."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.api import AnswerEvent, Candidate, Engine, Notice, Portfolio, Progress, Ready, Route
from engine.errors import EngineCrashed, InputError, InvalidParameter, NewerRecord
from engine.jobs import protocol
from engine.models import catalogue, memory
from engine.models.catalogue import STARTER_ID, starter_path
from engine.models.gguf import facts
from engine.models.header import Header, read_header
from engine.models.partial import locked
from engine.numerics import F64
from engine.portfolio.pool import File, costs
from engine.preference.traits import BUILT_IN
from engine.session import calibration, objectives, selecting
from engine.session.objectives import QUALITY
from engine.session.supervisor import Supervisor
from engine.store import database
from engine.store.calibration import CalibrationRecord, StoredBuild
from engine.store.record import StoredAnswer, StoredDuel
from engine.types.answers import Answer, Question
from engine.types.learning import Outcome
from engine.types.models import ModelCard
from engine.types.portfolio import Certificate, Gap, Objective
from engine.types.steering import Preference
from tests.fakes.asking import preferring, question
from tests.fixtures.tiny_adapter import write_tiny_adapter
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.records import have_voted, put_duel, record
from tests.unit.conftest import MakeEngine, remember

SHORT = "Use cold water and salt at once."
LONG = " ".join(["Take a clean cloth, cold water and some salt, and dab the place gently."] * 6)
WARM = "Dear friend, happy to help, what a lovely question! Take cold water, and enjoy!"

SENTENCES = {trait.sentence: trait.id for trait in BUILT_IN}


class Job:
    """Stands in for the job child: answers in the style that is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.adapters: dict[str, tuple[tuple[str, float], ...]] = {}
        self.die_after: int | None = None
        self.broken = self.unanswered = ""
        self.only: dict[str, str] = {}
        self.closed = 0
        self.interrupt_after: int | None = None
        self._cancelled = False

    def run(
        self, work: protocol.Calibrate
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        self._cancelled = False
        total, done = sum(len(s.questions) for s in work.subjects), 0
        for subject in work.subjects:
            self.adapters[subject.model] = subject.adapters
            if subject.model == self.broken:
                text = "The file is damaged."
                yield protocol.ModelFailed(model=subject.model, code="damaged_model", message=text)
                continue
            for asked in subject.questions:
                if done == self.die_after:
                    raise EngineCrashed("The process for long work crashed.")
                if self._cancelled:
                    yield protocol.Cancelled(id=1)
                    return
                if done == self.interrupt_after:
                    self._interrupt()
                done += 1
                self.asked.append(asked.key)
                text = self._text(subject.model, asked.question)
                if self.unanswered and asked.key.startswith(self.unanswered):
                    self.unanswered, message = "", "The prompt is too long."
                    yield protocol.QuestionFailed(key=asked.key, code="input", message=message)
                else:
                    yield protocol.AnsweredItem(key=asked.key, answer=_answer(text), seconds=0.5)
                yield protocol.ProgressItem(done=done, total=total, left=1.0)
        yield protocol.ProgressItem(done=done, total=total, left=0.0)
        yield protocol.Done(id=1)

    def _text(self, model: str, question: Question) -> str:
        """In the style that is asked for, where the model has it."""
        styles = {SENTENCES.get(p.text, "") for p in question.steering.preferences}
        styles &= {self.only[model]} if model in self.only else {"short", "warm"}
        return WARM if "warm" in styles else SHORT if "short" in styles else LONG

    def _interrupt(self) -> None:
        """Let somebody press Ctrl+C, and wait until that was heard."""
        signal.raise_signal(signal.SIGINT)
        while not self._cancelled:
            time.sleep(0.001)

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        self.closed += 1


def _answer(text: str) -> Answer:
    return Answer(
        text=text, finish="end", tokens=9, streams=1, gamma=0.0, seed=1, used=9, context=99,
        model="m",
    )  # fmt: skip


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    scripted = Job()
    monkeypatch.setattr("engine.jobs.client.JobClient", lambda _command: scripted)
    return scripted


Start = Callable[..., Engine]


@pytest.fixture
def start(make_engine: MakeEngine, data: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Engines whose candidates answer few questions."""
    make_quick(monkeypatch)

    def begin(**settings: object) -> Engine:
        remember(data, calibration_questions=12, **settings)
        return make_engine()

    return begin


def make_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are not synced one by one, the tiny starter model is the one that was meant, and few
    questions are about dangers, which what is scripted here does not answer."""
    monkeypatch.setattr(calibration, "AT_LEAST", 0)
    fast = tuple((name, 0 if name == "synchronous" else value) for name, value in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    digest = hashlib.sha256(starter_path().read_bytes()).hexdigest()
    monkeypatch.setattr(catalogue, "_STARTER", replace(catalogue._STARTER, sha256=digest))


def built(engine: Engine) -> Portfolio:
    *_, last = engine.portfolio.build()
    assert isinstance(last, Portfolio)
    return last


def member(portfolio: Portfolio, place: int) -> Candidate:
    return portfolio.candidates[portfolio.members[place].index]


# Building -----------------------------------------------------------------------------------


def test_the_pool_comes_from_the_installed_models_and_has_each_of_them_plain(
    start: Start, tmp_path: Path
) -> None:
    engine = start()
    other = engine.add_model(write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3))
    pool = engine.portfolio.candidates.pool()
    plain = {c.model for c in pool.candidates if not c.preferences}
    assert plain == {STARTER_ID, other.id}
    assert pool.answers == 12 * len(pool.candidates)
    assert pool.known == 0
    assert len(pool.candidates) >= 2 * 8


def test_a_build_measures_chooses_and_certifies(start: Start) -> None:
    engine = start()
    *events, portfolio = engine.portfolio.build()
    assert isinstance(portfolio, Portfolio)
    assert all(isinstance(event, Progress) for event in events)
    assert [o.id for o in portfolio.objectives] == ["short+", "simple+", "warm+", QUALITY]
    assert 0.0 <= portfolio.certificate.epsilon.value <= 1.0
    assert portfolio.certificate.low <= portfolio.certificate.high
    assert sum(portfolio.certificate.usage) == pytest.approx(1.0)
    assert len(portfolio.rewards) == len(portfolio.candidates)
    assert engine.portfolio.current() == portfolio


def test_a_second_build_asks_nothing_again(start: Start, job: Job) -> None:
    engine = start()
    first = built(engine)
    job.asked.clear()
    again = built(engine)
    assert job.asked == []
    assert again.members == first.members
    assert again.certificate == first.certificate


def test_a_build_goes_on_where_it_was_ended(start: Start, job: Job) -> None:
    engine = start()
    job.die_after = 20
    with pytest.raises(EngineCrashed):
        list(engine.portfolio.build())
    assert engine.portfolio.current() is None
    early = set(job.asked)
    assert engine.portfolio.candidates.pool().known == len(early) == 20
    job.die_after = None
    built(engine)
    assert len(job.asked) == len(set(job.asked)) == engine.portfolio.candidates.pool().answers


def test_stopping_keeps_what_was_measured_and_says_so(start: Start, job: Job) -> None:
    engine = start()
    events = []
    for event in engine.portfolio.build():
        events.append(event)
        if len(events) == 5:
            engine.portfolio.stop()
    last = events[-1]
    assert isinstance(last, Notice)
    assert last.code == "build_stopped"
    pool = engine.portfolio.candidates.pool()
    assert 5 <= pool.known < pool.answers
    assert engine.portfolio.current() is None
    assert job.closed == 1


def test_a_model_that_fails_is_left_out_with_its_reason(
    start: Start, job: Job, tmp_path: Path
) -> None:
    engine = start()
    other = engine.add_model(write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3))
    job.broken = other.id
    *events, portfolio = engine.portfolio.build()
    assert isinstance(portfolio, Portfolio)
    said = [event.text for event in events if isinstance(event, Notice)]
    assert said == ["Other is left out: The file is damaged."]
    assert {left.candidate.model for left in portfolio.left_out} == {other.id}
    assert {left.reason for left in portfolio.left_out} == {"The file is damaged."}
    assert all(c.model == STARTER_ID for c in portfolio.candidates)


def test_an_edited_pool_is_what_is_measured(start: Start, job: Job) -> None:
    engine = start()
    first = engine.portfolio.candidates.pool().candidates[1]
    assert first in engine.portfolio.candidates.remove(first.id).removed
    grown = engine.portfolio.candidates.add(STARTER_ID, preferences=("rhyming",), gamma=1.5)
    added = grown.candidates[-1]
    assert (added.preferences, added.gamma) == (("rhyming",), 1.5)
    portfolio = built(engine)
    assert first not in portfolio.candidates
    assert added in portfolio.candidates
    assert first in engine.portfolio.candidates.restore(first.id).candidates
    for wrong in (engine.portfolio.candidates.remove, engine.portfolio.candidates.restore):
        with pytest.raises(InvalidParameter, match="'nobody'"):
            wrong("nobody")
    with pytest.raises(InvalidParameter, match="no model 'nothing'"):
        engine.portfolio.candidates.add("nothing", preferences=(), gamma=0.0)


def test_an_empty_pool_is_one_sentence(start: Start) -> None:
    engine = start()
    for candidate in engine.portfolio.candidates.pool().candidates:
        engine.portfolio.candidates.remove(candidate.id)
    with pytest.raises(InputError, match="The pool is empty"):
        list(engine.portfolio.build())


def test_candidates_that_are_all_equal_make_one_member_without_a_gap(
    start: Start, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "safe_answers", lambda *_: 1)
    engine = start()
    for candidate in engine.portfolio.candidates.pool().candidates:
        if candidate.preferences:
            engine.portfolio.candidates.remove(candidate.id)
    portfolio = built(engine)
    assert len(portfolio.members) == 1
    assert portfolio.certificate.epsilon.value == portfolio.certificate.delta.value == 0.0
    assert portfolio.members[0].best_at == "the only one kept"


def test_a_question_that_fails_leaves_its_setting_out_with_the_reason(
    start: Start, job: Job
) -> None:
    engine = start()
    broken = engine.portfolio.candidates.pool().candidates[1]
    job.unanswered = broken.id
    *events, portfolio = engine.portfolio.build()
    assert isinstance(portfolio, Portfolio)
    (said,) = (event.text for event in events if isinstance(event, Notice))
    assert said.startswith(f"{broken.name} could not answer 'How do I get a red wine stain out")
    assert said.endswith("The prompt is too long.")
    (left,) = portfolio.left_out
    assert left.candidate == broken
    assert left.reason == said.replace(broken.name, "It")


def test_a_model_that_is_removed_while_it_is_measured_is_left_out(
    start: Start, job: Job, tmp_path: Path
) -> None:
    engine = start()
    other = engine.add_model(write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3))
    *_, portfolio = _meanwhile(engine, lambda: engine.remove_model(other.id))
    assert isinstance(portfolio, Portfolio)
    assert {c.model for c in portfolio.candidates} == {STARTER_ID}
    reasons = {left.candidate.model: left.reason for left in portfolio.left_out}
    assert reasons == {other.id: "Its model was removed."}


def test_what_is_learned_meanwhile_is_for_the_next_build(start: Start, data: Path) -> None:
    engine = start()
    *_, first = _meanwhile(engine, lambda: have_voted(data, "second", trait="formal"))
    assert isinstance(first, Portfolio)
    assert [o.id for o in first.objectives] == ["short+", "simple+", "warm+", QUALITY]
    assert engine.portfolio.check() == ()
    second = built(engine)
    assert [o.id for o in second.objectives] == ["formal-", "short+", "simple+", QUALITY]
    assert engine.portfolio.route() is not None


def test_one_build_at_a_time(start: Start) -> None:
    engine = start()
    running = engine.portfolio.build()
    next(running)
    with pytest.raises(InputError, match="under way already"):
        built(engine)
    assert isinstance(list(running)[-1], Portfolio), "the first one is not disturbed"
    assert built(engine)


def test_a_build_keeps_nobody_from_what_is_noted_in_the_data_folder(start: Start) -> None:
    """An answer notes there how fast its model is, and waits while somebody else does."""
    engine = start()
    running = engine.portfolio.build()
    next(running)
    with locked(engine.data_dir, wait=False):
        assert isinstance(list(running)[-1], Portfolio)


@pytest.mark.skipif(os.name == "nt", reason="there is no such lock")
def test_one_build_at_a_time_in_all_programs_together(start: Start) -> None:
    engine, other = start(), start()
    running = engine.portfolio.build()
    next(running)
    with pytest.raises(InputError, match="in another window or terminal"):
        built(other)
    assert isinstance(list(running)[-1], Portfolio), "the first one is not disturbed"
    assert built(other)


def test_a_build_that_nobody_listens_to_any_more_makes_room(start: Start, job: Job) -> None:
    engine = start()
    running = engine.portfolio.build()
    next(running)
    del running
    assert job.closed == 1
    assert built(engine)


def test_who_answers_may_be_asked_while_another_thread_builds(start: Start) -> None:
    engine = start()
    built(engine)
    engine.change(calibration_questions=16)
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.extend(engine.portfolio.build()))
    thread.start()
    while thread.is_alive():
        assert engine.portfolio.route() is not None
        assert engine.portfolio.candidates.pool().known > 0
        assert engine.portfolio.current() is not None
    thread.join()
    assert isinstance(done[-1], Portfolio)


def _meanwhile(engine: Engine, act: Callable[[], object]) -> Iterator[object]:
    """The events of a build; after the first one something else happens."""
    running = engine.portfolio.build()
    yield next(running)
    act()
    yield from running


# Models with an adapter ---------------------------------------------------------------------


@pytest.fixture
def warm(start: Start, tmp_path: Path) -> ModelCard:
    """An adapter of the starter model."""
    path = write_tiny_adapter(tmp_path / "warm.gguf", base=starter_path())
    return start().add_model(path)


def test_a_model_with_an_adapter_is_measured_with_it_and_in_few_settings(
    start: Start, job: Job, warm: ModelCard
) -> None:
    engine = start()
    pool = engine.portfolio.candidates.pool()
    manners = [c.name.removeprefix(warm.name) for c in pool.candidates if c.model == warm.id]
    assert manners == [", plain", ", short", ", simple", ", warm"]
    portfolio = built(engine)
    assert job.adapters == {STARTER_ID: (), warm.id: ((warm.adapter, 1.0),)}
    assert {c.model for c in portfolio.candidates} == {STARTER_ID, warm.id}
    assert engine.portfolio.check() == ()


def test_a_member_with_an_adapter_is_routed_to_and_loaded(
    start: Start, make_engine: MakeEngine, job: Job, warm: ModelCard
) -> None:
    job.only = {STARTER_ID: "short", warm.id: "warm"}
    built(start())
    engine = make_engine(answers=("Hi.",))
    engine.change(sliders={"short+": 0.0, "simple+": 0.0, "warm+": 1.0}, routing=True)
    assert routed(engine).member.model == warm.id
    *_, ready = engine.start()
    assert isinstance(ready, Ready)
    assert ready.model == warm.id
    *_, answer = engine.answer(ASKED)
    assert isinstance(answer, Answer)
    assert answer.text == "[warm.gguf 1] Hi."


def test_another_state_of_the_adapter_is_measured_anew_and_the_base_is_not(
    start: Start, job: Job, warm: ModelCard
) -> None:
    engine = start()
    built(engine)
    job.asked.clear()
    write_tiny_adapter(Path(warm.adapter), base=starter_path(), seed=1)
    assert "model_changed" in [notice.code for notice in engine.portfolio.check()]
    assert engine.add_model(Path(warm.adapter)).id == warm.id
    portfolio = engine.portfolio.current()
    assert portfolio is not None
    assert [notice.text for notice in portfolio.notices] == [
        f"{warm.id}: {warm.name} is not the file that was measured. Build again."
    ]
    built(engine)
    again = {c.id for c in engine.portfolio.candidates.pool().candidates if c.model == warm.id}
    assert {key.split()[0] for key in job.asked} == again


def test_a_member_whose_adapter_is_gone_is_refused_with_the_name_of_the_file(
    start: Start, job: Job, warm: ModelCard
) -> None:
    job.only = {STARTER_ID: "short", warm.id: "warm"}
    engine = start()
    built(engine)
    Path(warm.adapter).unlink()
    reason = f"The adapter warm.gguf of {warm.name} is no longer there. Put it back."
    assert {left.reason for left in routed(engine).refused} == {reason}
    assert routed(engine).member.model == STARTER_ID


def test_a_setting_whose_adapter_is_gone_is_left_out_with_the_name_of_the_file(
    start: Start, warm: ModelCard
) -> None:
    engine = start()
    engine.portfolio.candidates.add(warm.id, preferences=("rhyming",), gamma=1.5)
    Path(warm.adapter).unlink()
    reasons = {left.candidate.model: left.reason for left in built(engine).left_out}
    assert reasons == {warm.id: f"The adapter warm.gguf of {warm.name} is not there."}


def test_the_memory_that_an_adapter_takes_counts(
    start: Start, job: Job, warm: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.only = {STARTER_ID: "short", warm.id: "warm"}
    engine = start()
    built(engine)
    need = memory.needed(facts(read_header(starter_path())), context=calibration.CONTEXT)
    monkeypatch.setattr(memory, "installed", lambda: need)
    route = routed(engine)
    assert {left.candidate.model for left in route.refused} == {warm.id}
    assert route.member.model == STARTER_ID


def test_an_adapted_model_costs_its_adapter_beside_its_share_of_the_base(
    start: Start, warm: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, tuple[File, ...]] = {}

    def spy(files: Mapping[str, tuple[File, ...]], **how: Any) -> F64:
        told.update(files)
        return costs(files, **how)

    monkeypatch.setattr("engine.session.building.pools.costs", spy)
    built(start())
    weights = File(id=warm.sha256, size=catalogue._STARTER.size)
    size = Path(warm.adapter).stat().st_size
    adapter = File(id=warm.adapter_sha256, size=size, adapter=True)
    assert told == {STARTER_ID: (weights,), warm.id: (weights, adapter)}


# Afterwards ---------------------------------------------------------------------------------


def test_a_check_finds_nothing_where_nothing_changed(start: Start) -> None:
    engine = start()
    with pytest.raises(InputError, match="no portfolio yet"):
        engine.portfolio.check()
    built(engine)
    assert engine.portfolio.check() == ()


def test_a_model_that_was_removed_or_changed_is_told_and_never_answers(
    start: Start, job: Job, tmp_path: Path
) -> None:
    engine = start()
    path = write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)
    other = engine.add_model(path)
    job.only = {STARTER_ID: "warm", other.id: "short"}
    portfolio = built(engine)
    assert {portfolio.candidates[m.index].model for m in portfolio.members} == set(job.only)
    write_tiny_llama(path, name="Other", seed=4)
    assert "model_changed" in [notice.code for notice in engine.portfolio.check()]
    engine.remove_model(other.id)
    assert [notice.code for notice in engine.portfolio.check()] == ["model_altered"], "once"
    changed = engine.portfolio.current()
    assert changed is not None
    portfolio = changed
    assert [notice.code for notice in portfolio.notices] == ["model_altered"]
    for kept in portfolio.members:
        gone = portfolio.candidates[kept.index].model == other.id
        assert kept.fits != gone
        assert bool(kept.reason) == gone
    route = engine.portfolio.route()
    assert route is not None
    assert all(c.model == STARTER_ID for c in (route.member, *route.others))


def test_answers_that_are_gone_are_told(start: Start, data: Path) -> None:
    engine = start()
    built(engine)
    engine.close()
    with sqlite3.connect(data / "calibration.db") as connection:
        connection.execute("DELETE FROM answers WHERE rowid % 7 = 0")
    connection.close()
    assert [n.code for n in start().portfolio.check()] == ["answers_missing"]


def test_a_newer_calibration_record_is_refused_and_answers_go_on(start: Start, data: Path) -> None:
    engine = start(routing=True)
    built(engine)
    engine.close()
    with sqlite3.connect(data / "calibration.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    engine = start(routing=True)
    with pytest.raises(NewerRecord):
        engine.portfolio.current()
    assert list(engine.start())


@pytest.mark.parametrize("figure", ["certificate.low", "rewards[1][2]"])
def test_a_certificate_that_does_not_come_out_again_is_told(
    start: Start, data: Path, figure: str
) -> None:
    engine = start()
    built(engine)
    _rewrite(data, f"$.{figure}", 0.987)
    assert [n.code for n in engine.portfolio.check()] == ["certificate_changed"]


def test_another_way_of_scoring_is_told_and_nothing_else_is_claimed(
    start: Start, data: Path
) -> None:
    engine = start()
    built(engine)
    _rewrite(data, "$.scorers", "an earlier one")
    _rewrite(data, "$.certificate.low", 0.9)
    assert [n.code for n in engine.portfolio.check()] == ["scorers_changed"]
    portfolio = engine.portfolio.current()
    assert portfolio is not None
    assert [n.code for n in portfolio.notices] == ["scorers_changed"]


def _rewrite(data: Path, path: str, value: object) -> None:
    """Change what was kept of every build."""
    with closing(sqlite3.connect(data / "calibration.db")) as connection, connection:
        connection.execute("UPDATE builds SET body = json_replace(body, ?, ?)", (path, value))


def test_a_taste_that_was_not_measured_for_is_told(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    built(engine)
    monkeypatch.setattr(objectives, "liked", lambda _learned: ["short+", "formal-"])
    portfolio = engine.portfolio.current()
    assert portfolio is not None
    assert [notice.text for notice in portfolio.notices] == [
        "Your votes now ask for a casual tone, which was not measured. Build again."
    ]


# Who answers --------------------------------------------------------------------------------


def test_nobody_is_proposed_before_a_build(start: Start) -> None:
    assert start().portfolio.route() is None


def test_sliders_choose_the_member(start: Start) -> None:
    engine = start()
    portfolio = built(engine)
    picks = {}
    for objective in ("short+", "warm+"):
        engine.change(sliders={"short+": 0.0, "warm+": 0.0, "simple+": 0.0, objective: 1.0})
        fresh = engine.portfolio.route()
        assert fresh is not None
        picks[objective] = fresh.member
    by_id = {c.id: row for c, row in zip(portfolio.candidates, portfolio.rewards, strict=True)}
    short, warm = (by_id[picks[o].id] for o in ("short+", "warm+"))
    assert short[0] > warm[0]
    assert warm[2] > short[2]


def test_taking_another_member_is_evidence_and_it_answers_until_a_vote(
    start: Start, data: Path
) -> None:
    engine = start()
    portfolio = built(engine)
    route = engine.portfolio.route()
    assert route is not None
    assert route.others
    before = portfolio.weights
    taken = engine.portfolio.override(route.others[0].id)
    assert taken.member == route.others[0]
    assert "because you took it" in taken.why
    after = engine.portfolio.current()
    assert after is not None
    assert after.weights != before
    assert engine.learning.undo() == "the choice of another setting"
    undone = engine.portfolio.current()
    assert undone is not None
    assert undone.weights == before


def test_taking_what_is_no_member_is_refused(start: Start) -> None:
    engine = start()
    with pytest.raises(InputError, match="no portfolio yet"):
        engine.portfolio.override("x")
    built(engine)
    with pytest.raises(InvalidParameter, match="no member 'x'"):
        engine.portfolio.override("x")


def test_a_member_that_does_not_fit_into_memory_is_never_picked(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    built(engine)
    monkeypatch.setattr(memory, "installed", lambda: 1_000_000)
    assert engine.portfolio.route() is None
    portfolio = engine.portfolio.current()
    assert portfolio is not None
    assert not any(kept.fits for kept in portfolio.members)
    assert "GB of memory" in portfolio.members[0].reason
    with pytest.raises(InputError, match="No member can answer"):
        engine.portfolio.override(member(portfolio, 0).id)


# A portfolio worked out by hand -------------------------------------------------------------

SHORT_SENTENCE, WARM_SENTENCE = (
    next(trait.sentence for trait in BUILT_IN if trait.id == id) for id in ("short", "warm")
)
PLAIN = Candidate(id="plain", model=STARTER_ID, name="Small, plain")
BRIEF = Candidate(
    id="brief", model=STARTER_ID, name="Small, short", preferences=(SHORT_SENTENCE,), gamma=2.0
)
OTHER = Candidate(id="other", model="other", name="Other, plain")


def keep(data: Path, *rows: tuple[Candidate, tuple[float, float]]) -> None:
    """Keep a build whose members have these mean rewards for shorter answers and a warm tone. A
    word has a score of −ln(words + 1), from −6 to −1, and warmth one from 0 to 10."""
    gap = Gap(value=0.0, witness=(0.5, 0.5))
    proof = Certificate(
        epsilon=gap, delta=gap, low=0.0, high=0.0, selecting=0.0, mean=0.0, p95=0.0,
        usage=(1.0 / len(rows),) * len(rows), perplexity=1.0, prompts=5,
    )  # fmt: skip
    cards = {card.id: card.sha256 for card in catalogue.Catalogue(data / "models.json").list()}
    build = StoredBuild(
        at=1.0,
        scorers=selecting.version(),
        objectives=(
            Objective(id="short+", name="shorter answers"),
            Objective(id="warm+", name="a warm tone"),
        ),
        normalisation=((-6.0, -1.0), (0.0, 10.0)),
        candidates=tuple(candidate for candidate, _ in rows),
        rewards=tuple(rewards for _, rewards in rows),
        members=tuple(candidate.id for candidate, _ in rows),
        certificate=proof,
        left_out=(),
        models={candidate.model: cards[candidate.model] for candidate, _ in rows},
        questions=10,
    )
    with closing(CalibrationRecord(data / "calibration.db", clock=lambda: 1.0)) as measured:
        measured.keep_build(build)


def routed(engine: Engine) -> Route:
    route = engine.portfolio.route()
    assert route is not None
    return route


def weights(engine: Engine) -> tuple[float, ...]:
    portfolio = engine.portfolio.current()
    assert portfolio is not None
    return portfolio.weights


@pytest.fixture
def other(start: Start, tmp_path: Path) -> str:
    """A second model, and what it is called."""
    path = write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)
    engine = start()
    assert engine.add_model(path).id == OTHER.model
    return str(path)


# Votes --------------------------------------------------------------------------------------

CURT, CHATTY = {"short": -1.0, "warm": 0.0}, {"short": -6.0, "warm": 10.0}
BRIEFER, LONGER = {"short": -1.0}, {"short": -6.0}


def vote(
    engine: Engine,
    outcome: Outcome,
    first: Mapping[str, float] = CURT,
    second: Mapping[str, float] = CHATTY,
    *,
    id: str = "d",
) -> None:
    """Vote on two answers of which this was measured."""
    answers = (
        StoredAnswer(text="", finish="end", tokens=9, utilities={}, scores=dict(found))
        for found in (first, second)
    )
    with record(engine.data_dir) as opened:
        opened.open_duel(
            StoredDuel(
                id=id, at=1.0, model="m", learner="utilities", trait="short", why="", question="",
                answers=(next(answers), next(answers)), swapped=False, detail={},
            )
        )  # fmt: skip
    engine.learning.vote(id, outcome)


@pytest.fixture
def kept(start: Start, data: Path) -> Engine:
    engine = start()
    keep(data, (PLAIN, (0.2, 0.8)), (BRIEF, (0.8, 0.2)))
    return engine


@pytest.mark.parametrize(("outcome", "more"), [("first", True), ("second", False)])
def test_a_vote_moves_the_weights_to_what_was_better(
    kept: Engine, outcome: Outcome, more: bool
) -> None:
    before = weights(kept)
    vote(kept, outcome)
    after = weights(kept)
    assert sum(after) == pytest.approx(1.0)
    assert (after[0] > before[0] + 0.02) == more
    assert (after[0] < before[0] - 0.02) != more
    assert routed(kept).member == (BRIEF if more else PLAIN)


def test_the_sides_do_not_matter(kept: Engine) -> None:
    vote(kept, "first", CURT, CHATTY)
    found = weights(kept)
    kept.learning.undo()
    vote(kept, "second", CHATTY, CURT, id="e")
    assert weights(kept) == pytest.approx(found)


def test_equal_says_that_it_matters_little(kept: Engine) -> None:
    before = weights(kept)
    vote(kept, "equal", BRIEFER, LONGER)
    assert weights(kept)[0] < before[0]


@pytest.mark.parametrize(
    ("outcome", "first", "second"),
    [
        ("neither", CURT, CHATTY),
        ("first", {}, {}),
        ("second", {}, CURT),
        ("first", CURT, CURT),
        ("equal", {"lists": 1.0}, {"lists": 0.0}),
    ],
)
def test_what_was_not_measured_or_decided_moves_nothing(
    kept: Engine, outcome: Outcome, first: Mapping[str, float], second: Mapping[str, float]
) -> None:
    before = weights(kept)
    vote(kept, outcome, first, second)
    assert weights(kept) == pytest.approx(before)


def test_a_forgotten_or_removed_trait_speaks_no_more(kept: Engine) -> None:
    before = weights(kept)
    vote(kept, "first", BRIEFER, LONGER)
    said = weights(kept)
    assert said != pytest.approx(before)
    kept.learning.forget_trait("short")
    assert weights(kept) == pytest.approx(before)
    kept.learning.undo()
    assert weights(kept) == pytest.approx(said)
    kept.learning.remove_trait("short")
    assert weights(kept) == pytest.approx(before)
    kept.learning.restore_trait("short")
    assert weights(kept) == pytest.approx(said)


def test_what_comes_after_the_forgetting_counts(kept: Engine) -> None:
    before = weights(kept)
    kept.learning.forget_trait("short")
    vote(kept, "first", BRIEFER, LONGER)
    assert weights(kept)[0] > before[0]


def test_a_reset_forgets_votes_and_choices_and_undo_brings_them_back(kept: Engine) -> None:
    before = weights(kept)
    vote(kept, "first")
    taken = kept.portfolio.override(PLAIN.id).member
    said = weights(kept)
    kept.learning.reset()
    assert weights(kept) == pytest.approx(before)
    assert "took it" not in routed(kept).why
    kept.learning.undo()
    assert weights(kept) == pytest.approx(said)
    assert routed(kept).member == taken == PLAIN


# Choices ------------------------------------------------------------------------------------


def test_what_was_taken_answers_until_the_next_vote(kept: Engine) -> None:
    vote(kept, "first")
    assert routed(kept).member == BRIEF
    assert kept.portfolio.override(PLAIN.id).why == "Small, plain, because you took it."
    vote(kept, "neither", id="e")
    assert "took it" not in routed(kept).why
    for number in range(5):
        vote(kept, "first", id=f"f{number}")
    assert routed(kept).why == "Small, short, because you like shorter answers."


def test_a_choice_of_a_member_that_is_gone_is_evidence_still(kept: Engine, data: Path) -> None:
    before = weights(kept)
    kept.portfolio.override(routed(kept).others[0].id)
    taken = routed(kept).member
    rest = [(c, r) for c, r in ((PLAIN, (0.2, 0.8)), (BRIEF, (0.8, 0.2))) if c != taken]
    keep(data, *rest)
    assert routed(kept).member == rest[0][0]
    assert "took it" not in routed(kept).why
    assert weights(kept) != pytest.approx(before)


def test_taking_who_answers_anyway_is_no_evidence(kept: Engine) -> None:
    before = weights(kept)
    kept.portfolio.override(routed(kept).member.id)
    assert weights(kept) == before
    assert kept.learning.learned().undoable == ""


def test_a_choice_speaks_of_no_trait_that_was_forgotten_since(kept: Engine) -> None:
    before = weights(kept)
    kept.portfolio.override(routed(kept).others[0].id)
    kept.learning.forget_trait("short")
    assert weights(kept) != pytest.approx(before), "of warmth it still speaks"
    kept.learning.forget_trait("warm")
    assert weights(kept) == pytest.approx(before)


def test_sliders_of_what_is_not_there_move_nothing(kept: Engine) -> None:
    before = weights(kept)
    kept.change(sliders={"lists+": 1.0, "quality": 0.0})
    assert weights(kept) == before


def test_a_reason_is_something_that_the_member_is_good_at(
    start: Start, data: Path, other: str
) -> None:
    engine = start(sliders={"warm+": 1.0, "short+": 0.0})
    keep(data, (BRIEF, (0.8, 0.2)), (OTHER, (0.2, 0.8)))
    assert routed(engine).why == "Other, plain, because you like a warm tone."
    Path(other).unlink()
    assert routed(engine).member == BRIEF
    assert routed(engine).why == "Small, short, because it does best on the whole."
    assert [left.reason for left in routed(engine).refused] == [
        "The file of Other is no longer there. Put it back."
    ]


# Loading ------------------------------------------------------------------------------------


def test_another_model_has_to_be_worth_the_loading(start: Start, data: Path, other: str) -> None:
    keep(data, (PLAIN, (0.5, 0.5)), (OTHER, (0.8, 0.22)))
    leaning = {"short+": 0.0, "warm+": 1.0}
    engine = start(sliders=leaning)
    assert routed(engine).member == PLAIN
    engine.change(sliders={})
    assert routed(engine).member == PLAIN, "0.01 better is not enough"
    assert routed(start()).member == OTHER, "where nothing answers yet it is"
    engine.change(sliders={"short+": 1.0})
    assert routed(engine).member == OTHER


def test_another_setting_of_the_same_model_costs_no_loading(
    start: Start, data: Path, other: str
) -> None:
    keep(data, (PLAIN, (0.5, 0.5)), (BRIEF, (0.78, 0.235)), (OTHER, (0.8, 0.225)))
    engine = start(sliders={"short+": 0.0, "warm+": 1.0})
    assert routed(engine).member == PLAIN
    engine.change(sliders={})
    assert routed(engine).member == BRIEF


def test_who_answers_is_asked_without_reading_the_file_every_time(
    start: Start, data: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def counted(path: Path) -> Header:
        read.append(path)
        return read_header(path)

    monkeypatch.setattr("engine.session.portfolio.read_header", counted)
    engine = start()
    keep(data, (OTHER, (0.5, 0.5)))
    for _ in range(3):
        routed(engine)
    assert read == [Path(other)]
    os.utime(other, ns=(1, 1))
    routed(engine)
    assert read == [Path(other)] * 2


@pytest.mark.parametrize(
    ("settings", "named", "loaded"),
    [
        ({"routing": True}, None, OTHER.model),
        ({"routing": True}, STARTER_ID, STARTER_ID),
        ({"routing": False}, None, STARTER_ID),
        ({"routing": True, "neutral": True}, None, STARTER_ID),
    ],
)
def test_the_members_model_is_loaded_where_attune_chooses(
    start: Start, data: Path, other: str, settings: dict[str, bool], named: str | None, loaded: str
) -> None:
    keep(data, (OTHER, (0.5, 0.5)), (PLAIN, (0.1, 0.1)))
    *_, ready = start(**settings).start(named)
    assert isinstance(ready, Ready)
    assert ready.model == loaded


def test_a_members_model_that_cannot_be_loaded_costs_no_answer(
    start: Start, data: Path, other: str
) -> None:
    keep(data, (OTHER, (0.5, 0.5)))
    engine = start(routing=True)
    routed(engine)
    Path(other).write_bytes(b"GGUF" + bytes(64))
    os.utime(other, ns=(2, 2))
    *_, ready = engine.start()
    assert isinstance(ready, Ready)
    assert ready.model == STARTER_ID


# Answering ----------------------------------------------------------------------------------

ASKED = replace(question("How do I keep basil alive?"), personal=True)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """What reaches the child, in order."""
    asked: list[Question] = []
    real = Supervisor.answer

    def spy(supervisor: Supervisor, *questions: Question, seed: int) -> Iterator[AnswerEvent]:
        asked.extend(questions)
        return real(supervisor, *questions, seed=seed)

    monkeypatch.setattr(Supervisor, "answer", spy)
    return asked


def ask(engine: Engine, asked: Question = ASKED) -> Answer:
    for _ in engine.start():
        pass
    (answer,) = (event for event in engine.answer(asked) if isinstance(event, Answer))
    return answer


def test_an_answer_is_steered_as_its_member_is(
    start: Start, data: Path, heard: list[Question]
) -> None:
    keep(data, (BRIEF, (0.9, 0.9)), (PLAIN, (0.1, 0.1)))
    answer = ask(start(routing=True))
    assert (answer.streams, answer.gamma, answer.model) == (2, 2.0, STARTER_ID)
    assert heard[0].steering == calibration.steering(BRIEF)
    assert heard[0].steering.preferences == (Preference(text=SHORT_SENTENCE),)


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"routing": False}, ASKED),
        ({"routing": True, "neutral": True}, ASKED),
        ({"routing": True}, replace(ASKED, personal=False)),
    ],
)
def test_no_member_answers_where_attune_is_not_to_choose(
    start: Start, data: Path, heard: list[Question], settings: dict[str, bool], asked: Question
) -> None:
    keep(data, (BRIEF, (0.9, 0.9)))
    assert ask(start(**settings), asked).streams == 1
    assert heard[0].steering == asked.steering


def test_the_owners_own_preferences_come_before_the_members(
    start: Start, data: Path, heard: list[Question]
) -> None:
    keep(data, (BRIEF, (0.9, 0.9)))
    wanted = preferring("formal", gamma=1.0)
    ask(start(routing=True), replace(ASKED, steering=wanted))
    assert heard[0].steering == wanted


def test_a_member_whose_model_is_not_loaded_steers_nothing(
    start: Start, data: Path, other: str, heard: list[Question]
) -> None:
    warm = replace(OTHER, preferences=(WARM_SENTENCE,))
    keep(data, (warm, (0.5, 0.5)))
    engine = start(routing=True)
    for _ in engine.start(STARTER_ID):
        pass
    for _ in engine.answer(ASKED):
        pass
    assert heard[0].steering == ASKED.steering


def test_votes_do_not_pull_at_what_the_member_states_already(
    start: Start, data: Path, heard: list[Question]
) -> None:
    for trait in ("short", "warm"):
        for number in range(6):
            put_duel(data, f"{trait}{number}", trait=trait)
            with record(data) as opened:
                opened.vote(f"{trait}{number}", "first")
    keep(data, (BRIEF, (0.9, 0.9)))
    engine = start(routing=True)
    ask(engine)
    engine.change(routing=False)
    ask(engine)
    with_member, without = ({pull.sentence for pull in q.steering.pulls} for q in heard)
    assert without == {SHORT_SENTENCE, WARM_SENTENCE}
    assert with_member == {WARM_SENTENCE}


@pytest.mark.parametrize(
    "damage", ["PRAGMA user_version = 99", "UPDATE builds SET body = 'scrambled'"]
)
def test_what_was_built_and_cannot_be_read_prevents_no_answer(
    start: Start, data: Path, heard: list[Question], damage: str
) -> None:
    keep(data, (BRIEF, (0.9, 0.9)))
    with closing(sqlite3.connect(data / "calibration.db")) as connection, connection:
        connection.execute(damage)
    answer = ask(start(routing=True))
    assert answer.text
    assert heard[0].steering == ASKED.steering
