"""Imports on record: one change, taken back exactly; the versions before them are brought along."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import AlreadyVoted, DamagedRecord, InputError, InvalidParameter
from engine.store import schema
from engine.store.changes import Carried, Import, Taste
from engine.store.record import Record, Standing
from engine.types.learning import OUTCOMES, Trait
from engine.types.steering import Preference
from tests.fakes.killing import doing, killed, needs_fork
from tests.unit.store.conftest import OpenRecord, answer, duel

OLD = Path(__file__).parents[2] / "fixtures" / "record-v1.db"

PLAIN = Taste(preferences=(), gamma=2.0, neutral=False, sliders={}, fade=None)
STRONG = replace(PLAIN, gamma=4.0, preferences=(Preference(text="concise"),), sliders={"a+": 0.5})
CHEERY = Trait(id="own-cheery", more="cheery", less="not: cheery", sentence="Cheer.", own=True)


def brought(*ids: str, **changes: Any) -> Import:
    facts: dict[str, Any] = {
        "name": "mine",
        "replace": False,
        "votes": tuple(Carried(duel=id, outcome="first") for id in ids),
        "traits": (),
        "removed": (),
        "before": PLAIN,
        "after": PLAIN,
    }
    return Import(**facts | changes)


def take_in(record: Record, change: Import) -> int:
    """Import with duels for all its votes; returns the number."""
    numbers: list[int] = []
    new = [duel(vote.duel, at=float(ord(vote.duel[-1]))) for vote in change.votes]
    record.import_(change, new, committing=numbers.append)
    return numbers[0]


def outcomes(standing: Standing) -> list[tuple[str, str]]:
    return [(ballot.duel.id, ballot.outcome) for ballot in standing.ballots]


def voted(record: Record, *ids: str) -> None:
    for id in ids:
        record.open_duel(duel(id, at=float(ord(id[-1]))))
        record.vote(id, "second")


# One change ---------------------------------------------------------------------------------


def test_an_import_is_one_change_and_undo_takes_all_of_it_back(record: Record) -> None:
    voted(record, "d1")
    record.remove_trait("warm")
    before = record.standing()
    change = brought("d2", "d3", traits=(CHEERY,), removed=("short",), after=STRONG)
    number = take_in(record, change)
    after = record.standing()
    assert outcomes(after) == [("d1", "second"), ("d2", "first"), ("d3", "first")]
    assert after.traits == (CHEERY,)
    assert after.removed == {"short", "warm"}
    assert after.undoable == 'the import of "mine"'
    assert (after.newest_vote, record.newest_import()) == ("", number)
    assert record.imported(number) == (change, True)
    assert record.undo() == 'the import of "mine"'
    assert record.standing() == before
    assert record.imported(number) == (change, False)
    assert record.newest_import() is None


def test_what_was_taken_back_can_be_taken_in_again(record: Record) -> None:
    take_in(record, brought("d2"))
    first = record.standing()
    record.undo()
    take_in(record, brought("d2"))
    again = record.standing()
    assert outcomes(again) == outcomes(first)
    assert again.ballots[0].duel == first.ballots[0].duel


def test_a_vote_that_counts_here_is_passed_over(record: Record) -> None:
    voted(record, "d1")
    take_in(record, brought("d1", "d2"))
    take_in(record, brought("d1", "d2"))
    assert outcomes(record.standing()) == [("d1", "second"), ("d2", "first")]


def test_an_import_may_take_the_place_of_all_there_was(record: Record) -> None:
    voted(record, "d1")
    record.forget("warm")
    record.remove_trait("lists")
    record.add_trait(replace(CHEERY, id="own-other"))
    record.override("a", instead="b", gain={})
    before = record.standing()
    change = brought("d1", "d2", replace=True, traits=(CHEERY,), removed=("short",))
    take_in(record, change)
    after = record.standing()
    assert outcomes(after) == [("d1", "first"), ("d2", "first")]
    assert after.traits == (CHEERY,)
    assert after.removed == {"short"}
    assert (after.forgotten, after.overrides) == ({}, ())
    record.undo()
    assert record.standing() == before


def test_imported_votes_are_votes_like_others(record: Record) -> None:
    take_in(record, brought("d1", "d2", "d3"))
    with pytest.raises(AlreadyVoted, match="A is better"):
        record.vote("d1", "second")
    record.withdraw("d1")
    record.vote("d1", "second")
    assert outcomes(record.standing()) == [("d1", "second"), ("d2", "first"), ("d3", "first")]
    record.forget("warm")
    standing = record.standing()
    changes = {ballot.duel.id: ballot.change for ballot in standing.ballots}
    assert all(changes[id] < standing.forgotten["warm"] for id in changes)
    record.reset()
    assert record.standing().ballots == ()
    record.undo()
    assert len(record.standing().ballots) == 3


def test_imported_votes_stand_where_their_time_puts_them(record: Record) -> None:
    voted(record, "d5", "d3", "d9")  # in this order, whatever their times
    take_in(record, brought("d4", "d2", "d8"))
    took = [id for id, _ in outcomes(record.standing())]
    assert took == ["d4", "d2", "d5", "d3", "d8", "d9"]
    take_in(record, brought("d1"))
    assert [id for id, _ in outcomes(record.standing())] == ["d1", *took]


def test_a_vote_can_say_less_than_the_duel_on_record(record: Record) -> None:
    features = {"short+": 1.0, "short-": -1.0, "warm+": 2.0}
    two = (answer(utilities=features, scores={"short": 1.0, "warm": 2.0}),) * 2
    record.open_duel(duel("d1", trait="short", answers=two))
    carried = Carried(duel="d1", outcome="first", muted=("short",))
    record.import_(brought(votes=(carried,)), (), committing=lambda number: None)
    (ballot,) = record.standing().ballots
    assert ballot.duel.trait == ""
    assert ballot.duel.answers[0].utilities == {"warm+": 2.0}
    assert ballot.duel.answers[1].scores == {"warm": 2.0}
    assert record.duel("d1").answers == two, "on record it is as it was"


def test_nothing_is_kept_where_the_announcement_fails(record: Record) -> None:
    voted(record, "d1")
    before = record.standing()

    def refuse(_number: int) -> None:
        raise InvalidParameter("No.")

    with pytest.raises(InvalidParameter):
        record.import_(brought("d2"), [duel("d2")], committing=refuse)
    assert record.standing() == before
    assert record.present(["d1", "d2"]) == {"d1": record.duel("d1")}


def test_numbers_that_are_none_are_not_taken_in(record: Record) -> None:
    bad = duel("d1", answers=(answer(surprise=float("inf")), answer()))
    with pytest.raises(InvalidParameter, match="surprise"):
        record.import_(brought("d1"), [bad], committing=lambda number: None)
    assert record.standing() == Standing()


def test_a_damaged_import_is_left_out_and_counted(record: Record, path: Path) -> None:
    voted(record, "d1")
    number = take_in(record, brought("d2"))
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE changes SET body = '{\"na' WHERE id = ?", (number,))
    standing = record.standing()
    assert (outcomes(standing), standing.unreadable) == ([("d1", "second")], 1)
    assert standing.undoable == "the import"
    assert record.imported(number) is None


def test_a_duel_that_cannot_be_read_is_said_to_be_there(record: Record, path: Path) -> None:
    voted(record, "d1", "d2")
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE duels SET body = 'no' WHERE id = 'd1'")
    found = record.present(["d1", "d2", "d3"])
    assert found == {"d1": None, "d2": record.duel("d2")}


# What is foreseen comes -----------------------------------------------------------------------

IDS = st.sampled_from(["d0", "d1", "d2", "d3"])
CARRIED = st.lists(
    st.builds(Carried, duel=IDS, outcome=st.sampled_from(OUTCOMES)),
    max_size=4,
    unique_by=lambda vote: vote.duel,
)
IMPORTS = st.builds(
    brought,
    votes=CARRIED.map(tuple),
    replace=st.booleans(),
    traits=st.sampled_from([(), (CHEERY,)]),
    removed=st.sampled_from([(), ("short",), ("own-cheery",)]),
)
STEPS: dict[str, Callable[[Record], object]] = {
    "vote": lambda record: record.vote("d0", "second"),
    "withdraw": lambda record: record.withdraw("d0"),
    "forget": lambda record: record.forget("concise"),
    "reset": lambda record: record.reset(),
    "remove": lambda record: record.remove_trait("short"),
    "undo": lambda record: record.undo(),
}


@settings(max_examples=20)  # each of them copies the file a few times
@given(steps=st.lists(st.sampled_from(sorted(STEPS)) | IMPORTS, max_size=8))
def test_what_is_foreseen_comes_and_undo_goes_back_to_what_was(steps: list[str | Import]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        record = Record(Path(folder) / "record.db", clock=lambda: 0.0)
        try:
            record.open_duel(duel("d0"))
            for step in steps:
                if isinstance(step, str):
                    with suppress(InputError):
                        STEPS[step](record)
                    continue
                before = record.standing()
                new = [duel(vote.duel, at=float(vote.duel[1])) for vote in step.votes]
                foreseen = record.foreseen(step, new)
                assert record.standing() == before, "to foresee changes nothing"
                record.import_(step, new, committing=lambda number: None)
                after = record.standing()
                assert foreseen.ballots == after.ballots
                assert (foreseen.traits, foreseen.removed) == (after.traits, after.removed)
                assert foreseen.forgotten == after.forgotten
                assert len({ballot.duel.id for ballot in after.ballots}) == len(after.ballots)
                record.undo()
                assert record.standing() == before
                record.import_(step, new, committing=lambda number: None)
        finally:
            record.close()


# Copies -------------------------------------------------------------------------------------


def test_what_stood_before_is_kept_in_a_copy(record: Record, path: Path) -> None:
    voted(record, "d1")
    before = record.standing()
    take_in(record, brought("d2"))
    copy = path.with_name("record.db.before-import")
    kept = Record(copy, clock=lambda: 0.0)
    assert kept.standing() == before
    kept.close()
    shutil.copy(copy, path)  # to put it back is to have it all again


def test_a_damaged_record_takes_nothing_in(
    record: Record, path: Path, open_record: OpenRecord
) -> None:
    voted(record, *(f"d{letter}" for letter in "abcdefghijklmnop"))
    record.close()
    content = bytearray(path.read_bytes())
    content[-4096:-3900] = b"\xa5" * 196
    path.write_bytes(content)
    with pytest.raises(DamagedRecord):
        open_record().import_(brought("d2"), [duel("d2")], committing=lambda number: None)
    assert path.read_bytes() == content


def test_texts_are_erased_in_the_copies_too(record: Record, path: Path) -> None:
    voted(record, "d1")
    take_in(record, brought("d2"))
    copy, damaged = (path.with_name(f"record.db.before-{n}") for n in ("import", "v2"))
    damaged.write_bytes(b"SQLite format 3\0 Is it so?")
    assert b"Is it so" in copy.read_bytes()
    record.drop_texts()
    for file in path.parent.iterdir():
        assert b"Is it so" not in file.read_bytes()
    assert not damaged.exists()
    kept = Record(copy, clock=lambda: 0.0)
    assert outcomes(kept.standing()) == [("d1", "second")]
    kept.close()


# The version before -------------------------------------------------------------------------


def test_a_record_of_the_first_version_is_brought_along(path: Path, record: Record) -> None:
    shutil.copy(OLD, path)
    standing = record.standing()
    assert outcomes(standing) == [
        ("00000000", "first"), ("00000002", "second"), ("00000003", "neither"),
        ("0000000a", "second"),
    ]  # fmt: skip
    assert [ballot.change for ballot in standing.ballots] == [1, 3, 4, 11]
    assert standing.forgotten == {"warm": 6}
    assert standing.removed == {"figures"}
    assert [trait.sentence for trait in standing.traits] == ["Be kind."]
    assert [number for number, _ in standing.overrides] == [9]
    assert standing.ballots[0].duel.question == "Is it so?"
    assert len(standing.ballots[0].duel.answers[0].embedding) == 8
    assert record.undo() == "the vote on short"
    assert take_in(record, brought("d1")) == 12
    assert record.undo() == 'the import of "mine"'


def test_of_a_record_of_the_first_version_a_copy_is_kept_that_it_can_still_read(
    path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(OLD, path)
    standing = record.standing()
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    kept = Record(path.with_name("record.db.before-v2"), clock=lambda: 0.0)
    assert kept.standing() == standing
    kept.close()


def test_the_tables_of_a_record_brought_along_are_those_of_a_new_one(
    path: Path, record: Record, tmp_path: Path
) -> None:
    shutil.copy(OLD, path)
    record.standing()
    other = Record(tmp_path / "new.db", clock=lambda: 0.0)
    other.standing()
    other.close()
    tables = []
    for file in (path, tmp_path / "new.db"):
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
            tables.append(list(rows))
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert tables[0] == tables[1]


def bring_along(path: Path) -> Standing:
    record = Record(path, clock=lambda: 0.0)
    try:
        return record.standing()
    finally:
        record.close()


@needs_fork
def test_killed_while_it_is_brought_along_it_is_of_one_version_and_whole(path: Path) -> None:
    shutil.copy(OLD, path)
    standing = bring_along(path)
    shutil.copy(OLD, path)
    steps = doing(lambda: bring_along(path), until=0)
    versions = set()
    for at in range(1, steps + 1, 5):
        shutil.copy(OLD, path)
        killed(lambda: bring_along(path), at=at)
        with closing(sqlite3.connect(path)) as connection:
            versions.add(connection.execute("PRAGMA user_version").fetchone()[0])
        assert bring_along(path) == standing
    assert versions == {1, 2, 3}
