"""What was measured is there again after any end, belongs to one file of a model, and can go."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DamagedRecord, InvalidParameter, InvalidText, NewerRecord, StorageError
from engine.paths import DataFolder
from engine.store import calibration as module
from engine.store import database
from engine.store.calibration import (
    CalibrationRecord,
    PoolEdits,
    StoredBuild,
    StoredCalibration,
)
from engine.store.record import Record
from engine.types.portfolio import Candidate, Certificate, Gap, LeftOut, Objective
from engine.types.steering import Sampling
from tests.unit.store.conftest import SAFE

ROOT = Path(__file__).parents[3]
MODELS = {"c1": "sha-a", "c2": "sha-b"}
OpenCalibration = Callable[[], CalibrationRecord]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return DataFolder(root=tmp_path).calibration


@pytest.fixture
def open_calibration(path: Path) -> Iterator[OpenCalibration]:
    """Further records on the same file, as other processes have them."""
    opened: list[CalibrationRecord] = []
    ticks = count(1_000)

    def open_one() -> CalibrationRecord:
        opened.append(CalibrationRecord(path, clock=lambda: float(next(ticks))))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def calibration(open_calibration: OpenCalibration) -> CalibrationRecord:
    return open_calibration()


def answer(candidate: str = "c1", question: str = "q1", **changes: Any) -> StoredCalibration:
    facts: dict[str, Any] = {
        "candidate": candidate,
        "model": MODELS.get(candidate, "sha-x"),
        "question": question,
        "question_hash": f"#{question}",
        "text": "Ja – «so».\n",
        "tokens": 7,
        "finish": "end",
        "seconds": 1.25,
    }
    return StoredCalibration(**facts | changes)


def candidate(id: str = "own", **changes: Any) -> Candidate:
    facts: dict[str, Any] = {
        "id": id,
        "model": "smollm2",
        "name": "SmolLM2, «kurz»",
        "preferences": ("brief", "Be warm."),
        "gamma": 1.5,
        "sampling": Sampling(temperature=0.3),
    }
    return Candidate(**facts | changes)


def build(**changes: Any) -> StoredBuild:
    gap = Gap(value=0.07, witness=(0.25, 0.75))
    facts: dict[str, Any] = {
        "at": 1_000.5,
        "scorers": "3",
        "objectives": (Objective(id="short+", name="shorter", floor=0.1),),
        "normalisation": ((-2.0, 4.5),),
        "candidates": (candidate("c1"), candidate("c2")),
        "members": ("c2",),
        "certificate": Certificate(
            epsilon=gap, delta=gap, low=0.05, high=0.1, selecting=0.06, mean=0.01, p95=0.05,
            usage=(1.0,), perplexity=1.0, prompts=20,
        ),
        "rewards": ((0.5,), (1.0,)),
        "left_out": (LeftOut(candidate=candidate("c3"), reason="It is not safe enough."),),
        "models": {"smollm2": "sha-a"},
        "questions": 40,
    }  # fmt: skip
    return StoredBuild(**facts | changes)


def run(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row for statement in statements for row in connection.execute(statement)]


# Answers -----------------------------------------------------------------------


def test_answers_come_back_as_they_were_in_another_process_too(
    calibration: CalibrationRecord, open_calibration: OpenCalibration
) -> None:
    kept = [answer("c1", "q1"), answer("c1", "q2", text=""), answer("c2", "q1", finish="length")]
    calibration.keep(kept)
    expected = {(a.candidate, a.question_hash): a for a in kept}
    assert calibration.known(MODELS) == open_calibration().known(MODELS) == expected


def test_only_answers_of_the_candidates_that_are_asked_for_come_back(
    calibration: CalibrationRecord,
) -> None:
    calibration.keep([answer("c1"), answer("c2")])
    assert set(calibration.known({"c2": "sha-b"})) == {("c2", "#q1")}
    assert calibration.known({}) == {}


def test_another_file_of_the_model_has_answers_of_its_own(calibration: CalibrationRecord) -> None:
    old, new = answer(model="old", text="Old."), answer(model="new", text="New.")
    calibration.keep([old])
    assert calibration.known({"c1": "new"}) == {}
    calibration.keep([new])
    assert calibration.known({"c1": "new"}) == {("c1", "#q1"): new}
    assert calibration.known({"c1": "old"}) == {("c1", "#q1"): old}


def test_another_wording_is_another_question(calibration: CalibrationRecord) -> None:
    calibration.keep([answer(question_hash="v1"), answer(question_hash="v2")])
    assert set(calibration.known(MODELS)) == {("c1", "v1"), ("c1", "v2")}


def test_the_first_answer_to_a_question_stays(
    calibration: CalibrationRecord,
) -> None:
    calibration.keep([answer(text="First.")])
    calibration.keep([answer(text="Second."), answer(text="Third.")])
    assert [a.text for a in calibration.known(MODELS).values()] == ["First."]


def test_answers_are_kept_all_or_none(calibration: CalibrationRecord) -> None:
    with pytest.raises(InvalidParameter, match="seconds"):
        calibration.keep([answer("c1"), answer("c2", seconds=float("nan"))])
    with pytest.raises(InvalidText):
        calibration.keep([answer("c1"), answer("c2", text="half a \ud83d face")])
    assert calibration.known(MODELS) == {}


SLOTS = st.tuples(
    st.sampled_from(["c1", "c2"]), st.sampled_from(["m1", "m2"]), st.sampled_from(["#1", "#2"])
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["keep", "close"]), st.lists(SLOTS, max_size=3)), max_size=8
)


@given(steps=STEPS)
def test_after_any_steps_it_says_what_a_dictionary_says(
    steps: list[tuple[str, list[tuple[str, str, str]]]],
) -> None:
    answers: dict[tuple[str, str, str], str] = {}
    with tempfile.TemporaryDirectory() as folder:
        kept = CalibrationRecord(Path(folder) / "calibration.db", clock=lambda: 0.0)
        for number, (kind, slots) in enumerate(steps):
            facts = [{"candidate": c, "model": m, "question_hash": q} for c, m, q in slots]
            if kind == "keep":
                kept.keep([answer(**f, text=str(number)) for f in facts])
                answers = dict.fromkeys(slots, str(number)) | answers
            else:
                kept.close()
            for model in ("m1", "m2"):
                asked = {"c1": model, "c2": model}
                known = {(c, model, q): a.text for (c, q), a in kept.known(asked).items()}
                assert known == {slot: t for slot, t in answers.items() if slot[1] == model}
        kept.close()


# The pool -----------------------------------------------------------------------------------


def test_the_pool_is_as_generated_until_it_is_edited(calibration: CalibrationRecord) -> None:
    assert calibration.edits() == PoolEdits()


def test_candidates_are_added_in_their_order_and_come_back_as_they_were(
    calibration: CalibrationRecord, open_calibration: OpenCalibration
) -> None:
    added = candidate("b"), candidate("a", preferences=(), gamma=0.0)
    for one in added:
        calibration.add(one)
    assert open_calibration().edits() == PoolEdits(added=added)
    assert calibration.known({"a": "x"}) == {}


def test_a_candidate_that_is_taken_out_can_be_put_back(calibration: CalibrationRecord) -> None:
    calibration.keep([answer("c1")])
    calibration.remove("c1")
    calibration.remove("c1")
    assert calibration.edits() == PoolEdits(removed=frozenset({"c1"}))
    assert set(calibration.known(MODELS)) == {("c1", "#q1")}
    calibration.restore("c1")
    calibration.restore("c1")
    assert calibration.edits() == PoolEdits()


def test_an_own_candidate_that_is_taken_out_is_deleted(calibration: CalibrationRecord) -> None:
    calibration.add(candidate("own"))
    calibration.remove("own")
    assert calibration.edits().added == ()
    calibration.restore("own")
    assert calibration.edits() == PoolEdits()
    calibration.add(candidate("own"))
    calibration.restore("own")  # changes nothing: it is there
    assert calibration.edits() == PoolEdits(added=(candidate("own"),))


def test_adding_puts_back_what_was_taken_out(calibration: CalibrationRecord) -> None:
    calibration.remove("own")
    calibration.add(candidate("own"))
    assert calibration.edits() == PoolEdits(added=(candidate("own"),))


def test_a_candidate_without_an_id_is_refused(calibration: CalibrationRecord) -> None:
    with pytest.raises(InvalidParameter, match="an id"):
        calibration.add(candidate(""))
    with pytest.raises(InvalidParameter, match="an id"):
        calibration.remove("")


def test_a_candidate_that_cannot_be_read_is_counted_and_the_others_are_there(
    calibration: CalibrationRecord, path: Path
) -> None:
    for id in ("a", "b"):
        calibration.add(candidate(id))
    run(path, "UPDATE edits SET body = 'gibberish' WHERE candidate = 'a'")
    assert calibration.edits() == PoolEdits(added=(candidate("b"),), unreadable=1)


# Builds -------------------------------------------------------------------------------------


def test_the_last_build_is_the_one_that_counts(
    calibration: CalibrationRecord, open_calibration: OpenCalibration
) -> None:
    assert calibration.last_build() is None
    calibration.keep_build(build())
    calibration.keep_build(build(at=900.0, members=("c1", "c2")))
    expected = build(at=900.0, members=("c1", "c2"))
    assert calibration.last_build() == open_calibration().last_build() == expected


def test_a_build_that_cannot_be_read_is_none(calibration: CalibrationRecord, path: Path) -> None:
    calibration.keep_build(build())
    run(path, "UPDATE builds SET body = '{}'")
    assert calibration.last_build() is None


def test_a_build_with_a_number_that_json_cannot_carry_is_refused(
    calibration: CalibrationRecord,
) -> None:
    calibration.keep_build(build())
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(InvalidParameter, match="not finite"):
            calibration.keep_build(build(normalisation=((0.0, wrong),)))
    assert calibration.last_build() == build()


# Everything ---------------------------------------------------------------------------------


def test_everything_can_be_forgotten_and_nothing_of_it_is_left_in_the_file(
    calibration: CalibrationRecord, path: Path
) -> None:
    calibration.keep([answer(text="A text that is to go.")])
    calibration.add(candidate(preferences=("a wish that is to go",)))
    calibration.keep_build(build(models={"a model that is to go": "sha"}))
    assert path.read_bytes().count(b"is to go") == 3
    calibration.forget()
    assert not calibration.known(MODELS)
    assert calibration.edits() == PoolEdits()
    assert calibration.last_build() is None
    assert b"is to go" not in path.read_bytes()


# The file -----------------------------------------------------------------------------------


def refused(calibration: CalibrationRecord, kind: type[StorageError] = StorageError) -> str:
    """What it says to whoever reads or writes."""
    said = set()
    for ask in (
        lambda: calibration.known(MODELS),
        calibration.edits,
        lambda: calibration.keep([answer()]),
        calibration.forget,
    ):
        with pytest.raises(kind) as caught:
            ask()
        assert type(caught.value) is kind
        said.add(caught.value.message)
    assert len(said) == 1
    return said.pop()


@pytest.fixture
def used(path: Path) -> Path:
    """A file with an answer in it, closed."""
    kept = CalibrationRecord(path, clock=lambda: 0.0)
    kept.keep([answer()])
    kept.close()
    return path


def test_a_newer_file_is_refused_and_not_a_byte_is_changed(
    used: Path, calibration: CalibrationRecord
) -> None:
    run(used, "PRAGMA user_version = 7")
    before = used.read_bytes()
    said = refused(calibration, NewerRecord)
    assert all(w in said for w in ("calibration record", str(used), "newer Attune", "7"))
    assert used.read_bytes() == before
    assert os.listdir(used.parent) == [used.name]


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_refused_and_left_alone(
    path: Path, calibration: CalibrationRecord, content: bytes
) -> None:
    path.write_bytes(content)
    said = refused(calibration, DamagedRecord)
    assert f"calibration record {path} is damaged" in said
    assert path.read_bytes() == content


def test_a_table_that_is_missing_is_named(used: Path, calibration: CalibrationRecord) -> None:
    run(used, "DROP TABLE edits")
    assert "no edits" in refused(calibration, DamagedRecord)


def test_the_record_of_votes_is_no_calibration_record_and_the_other_way_round(
    used: Path, tmp_path: Path
) -> None:
    votes = Record(tmp_path / "record.db", clock=lambda: 0.0)
    votes.reset()
    votes.close()
    for wrong, missing in (
        (CalibrationRecord(tmp_path / "record.db", clock=lambda: 0.0), "no answers"),
        (Record(used, clock=lambda: 0.0), "no changes"),
    ):
        with pytest.raises(DamagedRecord, match=missing):
            wrong.reset() if isinstance(wrong, Record) else wrong.forget()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "calibration.db"
    said = refused(CalibrationRecord(path, clock=lambda: 0.0))
    assert str(path) in said
    assert "--data-dir" in said


@pytest.mark.parametrize(
    ("limit", "words"),
    [(("max_page_count", 12), "no space left"), (("query_only", 1), "cannot be opened or written")],
)
def test_a_write_that_fails_is_said_saved_nothing_and_is_not_the_end(
    used: Path,
    open_calibration: OpenCalibration,
    monkeypatch: pytest.MonkeyPatch,
    limit: tuple[str, int],
    words: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "PRAGMAS", (*database.PRAGMAS, limit))
        short = open_calibration()
        before = short.known(MODELS)
        with pytest.raises(StorageError, match=words) as caught:
            short.keep([answer("c2"), answer("c2", "q2", text="?" * 100_000)])
        assert str(used) in caught.value.message
        assert short.known(MODELS) == before == {("c1", "#q1"): answer()}
    open_calibration().keep([answer("c2")])
    assert len(short.known(MODELS)) == 2


def test_a_file_held_by_another_program_is_said(
    used: Path, calibration: CalibrationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    calibration.edits()
    with closing(sqlite3.connect(used, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "held by another program" in refused(calibration)
    calibration.keep([answer("c2")])


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_the_file_is_closed_to_other_users(used: Path) -> None:
    assert stat.S_IMODE(used.stat().st_mode) == 0o600


def test_every_connection_is_set_for_safety(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", SAFE)
    with closing(database.connect(path, module.KIND)) as connection:
        got = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name, _ in SAFE}
    assert got == dict(SAFE)


def test_what_was_kept_outlives_the_writer(path: Path) -> None:
    """A build that is killed at any point goes on where it was."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from tests.unit.store.test_calibration import CalibrationRecord, answer\n"
        f"kept = CalibrationRecord(Path({str(path)!r}), clock=lambda: 0.0)\n"
        "for n in range(10_000):\n"
        "    kept.keep([answer('c1', f'q{n}'), answer('c2', f'q{n}')])\n"
        "    print(n, flush=True)"
    )
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(5):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        last = int((writer.stdout.read().splitlines() or [b"4"])[-1])
    kept = CalibrationRecord(path, clock=lambda: 0.0)
    known = kept.known(MODELS)
    kept.close()
    assert len(known) in {2 * (last + 1), 2 * (last + 2)}  # one may not have been said
    assert run(path, "PRAGMA integrity_check") == [("ok",)]
