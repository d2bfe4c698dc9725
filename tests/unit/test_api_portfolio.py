"""A portfolio through the front door: measured by a scripted job, chosen, certified and routed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Candidate, Engine, Notice, Portfolio, Progress
from engine.errors import EngineCrashed, InputError, InvalidParameter, NewerRecord
from engine.jobs import protocol
from engine.models import catalogue, memory
from engine.models.catalogue import STARTER_ID, starter_path
from engine.preference.traits import BUILT_IN
from engine.session import calibration
from engine.session.objectives import QUALITY
from engine.store import database
from engine.types import Answer, Question
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine, remember

SHORT = "Use cold water and salt at once."
LONG = " ".join(["Take a clean cloth, cold water and some salt, and dab the place gently."] * 6)
WARM = "Dear friend, happy to help, what a lovely question! Take cold water, and enjoy!"

SENTENCES = {trait.sentence: trait.id for trait in BUILT_IN}


class Job:
    """Stands in for the job child: answers in the style that is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.die_after: int | None = None
        self.broken: str = ""
        self.only: dict[str, str] = {}
        self.closed = 0
        self._cancelled = False

    def run(
        self, work: protocol.Calibrate
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        self._cancelled = False
        total, done = sum(len(s.questions) for s in work.subjects), 0
        for subject in work.subjects:
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
                done += 1
                self.asked.append(asked.key)
                text = self._text(subject.model, asked.question)
                yield protocol.AnsweredItem(key=asked.key, answer=_answer(text), seconds=0.5)
                yield protocol.ProgressItem(done=done, total=total, left=1.0)
        yield protocol.Done(id=1)

    def _text(self, model: str, question: Question) -> str:
        """In the style that is asked for, where the model has it."""
        styles = {SENTENCES.get(p.text, "") for p in question.steering.preferences}
        styles &= {self.only[model]} if model in self.only else {"short", "warm"}
        return WARM if "warm" in styles else SHORT if "short" in styles else LONG

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

    fast = tuple((name, 0 if name == "synchronous" else value) for name, value in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)  # hundreds of answers, each of them synced
    digest = hashlib.sha256(starter_path().read_bytes()).hexdigest()
    monkeypatch.setattr(catalogue, "_STARTER", replace(catalogue._STARTER, sha256=digest))

    def begin(**settings: object) -> Engine:
        remember(data, calibration_questions=12, **settings)
        return make_engine()

    return begin


def built(engine: Engine) -> Portfolio:
    *_, last = engine.build_portfolio()
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
    pool = engine.pool()
    plain = {c.model for c in pool.candidates if not c.preferences}
    assert plain == {STARTER_ID, other.id}
    assert pool.answers == 12 * len(pool.candidates)
    assert pool.known == 0
    assert len(pool.candidates) >= 2 * 8


def test_a_build_measures_chooses_and_certifies(start: Start) -> None:
    engine = start()
    *events, portfolio = engine.build_portfolio()
    assert isinstance(portfolio, Portfolio)
    assert all(isinstance(event, Progress) for event in events)
    assert [o.id for o in portfolio.objectives] == ["short+", "simple+", "warm+", QUALITY]
    assert 0.0 <= portfolio.certificate.epsilon.value <= 1.0
    assert portfolio.certificate.low <= portfolio.certificate.high
    assert sum(portfolio.certificate.usage) == pytest.approx(1.0)
    assert len(portfolio.rewards) == len(portfolio.candidates)
    assert engine.portfolio() == portfolio


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
        list(engine.build_portfolio())
    assert engine.portfolio() is None
    early = set(job.asked)
    assert engine.pool().known == len(early) == 20
    job.die_after = None
    built(engine)
    assert len(job.asked) == len(set(job.asked)) == engine.pool().answers


def test_stopping_keeps_what_was_measured_and_says_so(start: Start, job: Job) -> None:
    engine = start()
    events = []
    for event in engine.build_portfolio():
        events.append(event)
        if len(events) == 5:
            engine.stop_build()
    last = events[-1]
    assert isinstance(last, Notice)
    assert last.code == "build_stopped"
    assert 5 <= engine.pool().known < engine.pool().answers
    assert engine.portfolio() is None
    assert job.closed == 1


def test_a_model_that_fails_is_left_out_with_its_reason(
    start: Start, job: Job, tmp_path: Path
) -> None:
    engine = start()
    other = engine.add_model(write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3))
    job.broken = other.id
    *events, portfolio = engine.build_portfolio()
    assert isinstance(portfolio, Portfolio)
    said = [event.text for event in events if isinstance(event, Notice)]
    assert said == ["Other is left out: The file is damaged."]
    assert {left.candidate.model for left in portfolio.left_out} == {other.id}
    assert all(c.model == STARTER_ID for c in portfolio.candidates)


def test_an_edited_pool_is_what_is_measured(start: Start, job: Job) -> None:
    engine = start()
    first = engine.pool().candidates[1]
    assert first in engine.remove_candidate(first.id).removed
    added = engine.add_candidate(STARTER_ID, preferences=("rhyming",), gamma=1.5).candidates[-1]
    assert (added.preferences, added.gamma) == (("rhyming",), 1.5)
    portfolio = built(engine)
    assert first not in portfolio.candidates
    assert added in portfolio.candidates
    assert first in engine.restore_candidate(first.id).candidates
    for wrong in (engine.remove_candidate, engine.restore_candidate):
        with pytest.raises(InvalidParameter, match="'nobody'"):
            wrong("nobody")
    with pytest.raises(InvalidParameter, match="no model 'nothing'"):
        engine.add_candidate("nothing", preferences=(), gamma=0.0)


def test_an_empty_pool_is_one_sentence(start: Start) -> None:
    engine = start()
    for candidate in engine.pool().candidates:
        engine.remove_candidate(candidate.id)
    with pytest.raises(InputError, match="The pool is empty"):
        list(engine.build_portfolio())


def test_candidates_that_are_all_equal_make_one_member_without_a_gap(
    start: Start, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "safe_answers", lambda *_: 1)
    engine = start()
    for candidate in engine.pool().candidates:
        if candidate.preferences:
            engine.remove_candidate(candidate.id)
    portfolio = built(engine)
    assert len(portfolio.members) == 1
    assert portfolio.certificate.epsilon.value == portfolio.certificate.delta.value == 0.0
    assert portfolio.members[0].best_at == "the best for everybody"


# Afterwards ---------------------------------------------------------------------------------


def test_a_check_finds_nothing_where_nothing_changed(start: Start) -> None:
    engine = start()
    with pytest.raises(InputError, match="no portfolio yet"):
        engine.check_portfolio()
    built(engine)
    assert engine.check_portfolio() == ()


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
    assert "model_changed" in [notice.code for notice in engine.check_portfolio()]
    engine.remove_model(other.id)
    changed = engine.portfolio()
    assert changed is not None
    portfolio = changed
    assert [notice.code for notice in portfolio.notices] == ["model_altered"]
    for kept in portfolio.members:
        gone = portfolio.candidates[kept.index].model == other.id
        assert kept.fits != gone
        assert bool(kept.reason) == gone
    route = engine.route()
    assert route is not None
    assert all(c.model == STARTER_ID for c in (route.member, *route.others))


def test_answers_that_are_gone_are_told(start: Start, data: Path) -> None:
    engine = start()
    built(engine)
    engine.close()
    with sqlite3.connect(data / "calibration.db") as connection:
        connection.execute("DELETE FROM answers WHERE rowid % 7 = 0")
    connection.close()
    assert [n.code for n in start().check_portfolio()] == ["answers_missing"]


def test_a_newer_calibration_record_is_refused_and_answers_go_on(start: Start, data: Path) -> None:
    engine = start(routing=True)
    built(engine)
    engine.close()
    with sqlite3.connect(data / "calibration.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    engine = start(routing=True)
    with pytest.raises(NewerRecord):
        engine.portfolio()
    assert list(engine.start())


# Who answers --------------------------------------------------------------------------------


def test_nobody_is_proposed_before_a_build(start: Start) -> None:
    assert start().route() is None


def test_sliders_choose_the_member(start: Start) -> None:
    engine = start()
    portfolio = built(engine)
    picks = {}
    for objective in ("short+", "warm+"):
        engine.change(sliders={"short+": 0.0, "warm+": 0.0, "simple+": 0.0, objective: 1.0})
        fresh = engine.route()
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
    route = engine.route()
    assert route is not None
    assert route.others
    before = portfolio.weights
    taken = engine.override(route.others[0].id)
    assert taken.member == route.others[0]
    assert "because you took it" in taken.why
    after = engine.portfolio()
    assert after is not None
    assert after.weights != before
    assert engine.undo() == "the choice of another setting"
    undone = engine.portfolio()
    assert undone is not None
    assert undone.weights == before


def test_taking_what_is_no_member_is_refused(start: Start) -> None:
    engine = start()
    with pytest.raises(InputError, match="no portfolio yet"):
        engine.override("x")
    built(engine)
    with pytest.raises(InvalidParameter, match="no member 'x'"):
        engine.override("x")


def test_a_member_that_does_not_fit_into_memory_is_never_picked(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    built(engine)
    monkeypatch.setattr(memory, "installed", lambda: 1_000_000)
    assert engine.route() is None
    portfolio = engine.portfolio()
    assert portfolio is not None
    assert not any(kept.fits for kept in portfolio.members)
    assert "GB of memory" in portfolio.members[0].reason
    with pytest.raises(InputError, match="No member can answer"):
        engine.override(member(portfolio, 0).id)
