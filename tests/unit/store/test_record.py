"""The record: what stands after any changes, and that it lasts."""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from engine.errors import (
    AlreadyVoted,
    DamagedRecord,
    InputError,
    InvalidParameter,
    InvalidText,
    NothingToUndo,
    UnknownDuel,
    UnknownTrait,
)
from engine.paths import DataFolder
from engine.store.record import Record, Standing, StoredDuel
from engine.types.learning import Outcome, Trait
from tests.unit.store.conftest import OpenRecord, answer, duel

CHEERY = Trait(
    id="cheery", more="cheerful", less="sober", sentence="Be cheerful.", visible=0.3, own=True
)


def outcomes(standing: Standing) -> list[tuple[str, Outcome]]:
    return [(ballot.duel.id, ballot.outcome) for ballot in standing.ballots]


def voted(record: Record, *ids: str) -> None:
    for id in ids:
        record.open_duel(duel(id))
        record.vote(id, "first")


def by_hand(path: Path, statement: str, *values: object) -> None:
    """What damage, or another program, does to the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


# Duels and votes ----------------------------------------------------------------------------


def test_nothing_stands_on_a_new_record(record: Record) -> None:
    assert record.standing() == Standing()


def test_the_file_stands_in_the_data_folder_and_is_made_on_first_use(
    tmp_path: Path, path: Path, record: Record
) -> None:
    assert DataFolder(root=tmp_path).record == path
    assert not path.exists()
    record.standing()
    assert path.exists()


def test_a_duel_comes_back_as_it_was(record: Record, open_record: OpenRecord) -> None:
    shown = duel(
        question="Où ? \0 数",
        answers=(
            answer("", utilities={}, embedding=b"\0\xff\x80"),
            answer(
                surprise=0.1 + 0.2, utilities={"é": -1e-300}, tokens=2**40, scores={"short": -2.5}
            ),
        ),
        detail={"seed": 2**63 - 1, "nested": [None, {"deep": [1.5, "x"]}]},
        swapped=False,
    )
    record.open_duel(shown)
    assert record.duel("d1") == shown
    assert open_record().duel("d1") == shown


def test_a_vote_counts_with_its_duel_in_the_order_of_voting(record: Record) -> None:
    for id in ("d1", "d2", "d3"):
        record.open_duel(duel(id))
    record.vote("d3", "equal")
    record.vote("d1", "second")
    ballots = record.standing().ballots
    assert [(b.duel, b.outcome) for b in ballots] == [(duel("d3"), "equal"), (duel("d1"), "second")]
    assert ballots[0].change < ballots[1].change


def test_a_duel_that_is_not_there_is_named(record: Record) -> None:
    for ask in (
        record.duel,
        record.withdraw,
        lambda id: record.vote(id, "first"),
    ):
        with pytest.raises(UnknownDuel, match="There is no duel 'abc'"):
            ask("abc")
    with pytest.raises(UnknownDuel) as caught:
        record.duel("x" * 10_000)
    assert len(caught.value.message) < 250


def test_the_id_of_a_duel_is_its_own(record: Record) -> None:
    record.open_duel(duel())
    with pytest.raises(InputError, match="'d1' already"):
        record.open_duel(duel(question="Another?"))
    assert record.duel("d1") == duel()


def test_a_second_vote_is_refused_with_the_first_one_in_words(record: Record) -> None:
    record.open_duel(duel())
    record.vote("d1", "second")
    with pytest.raises(
        AlreadyVoted, match=r"'d1' has a vote already .*B is better.*undo or delete"
    ):
        record.vote("d1", "first")
    assert outcomes(record.standing()) == [("d1", "second")]


@pytest.mark.parametrize("take_back", ["undo", "withdraw", "reset"])
def test_what_was_taken_back_can_be_voted_on_again(record: Record, take_back: str) -> None:
    voted(record, "d1")
    match take_back:
        case "undo":
            record.undo()
        case "withdraw":
            record.withdraw("d1")
        case "reset":
            record.reset()
    assert record.standing().ballots == ()
    record.vote("d1", "neither")
    assert outcomes(record.standing()) == [("d1", "neither")]


def test_only_a_vote_that_counts_can_be_withdrawn(record: Record) -> None:
    voted(record, "d1", "d2")
    record.withdraw("d1")
    assert outcomes(record.standing()) == [("d2", "first")]
    with pytest.raises(InputError, match="'d1' has no vote"):
        record.withdraw("d1")
    record.reset()
    with pytest.raises(InputError, match="'d2' has no vote"):
        record.withdraw("d2")


def test_an_outcome_is_one_of_four(record: Record) -> None:
    record.open_duel(duel())
    with pytest.raises(InvalidParameter, match="outcome is 'third'"):
        record.vote("d1", cast(Outcome, "third"))
    assert record.standing() == Standing()


@pytest.mark.parametrize(
    "wrong",
    [
        duel(at=float("nan")),
        duel(answers=(answer(), answer(surprise=float("inf")))),
        duel(answers=(answer(utilities={"at": 1.0, "warm": float("-inf")}), answer())),
        duel(answers=(answer(), answer(scores={"short": float("nan")}))),
    ],
)
def test_numbers_that_are_none_are_refused_before_they_are_kept(
    record: Record, wrong: StoredDuel
) -> None:
    with pytest.raises(InvalidParameter, match="must be finite"):
        record.open_duel(wrong)
    record.open_duel(duel())  # the id is still free


def test_half_a_character_is_refused(record: Record) -> None:
    half = duel(answers=(answer("\ud83d"), answer()))
    for wrong in (duel(question="\ud83d"), half):
        with pytest.raises(InvalidText):
            record.open_duel(wrong)
    record.open_duel(duel())


# Traits, forgetting, undoing ----------------------------------------------------------------


def test_forgetting_says_from_which_change_on(record: Record) -> None:
    voted(record, "d1")
    record.forget("concise")
    voted(record, "d2")
    standing = record.standing()
    before, after = standing.ballots
    assert before.change < standing.forgotten["concise"] < after.change


def test_a_reset_ends_votes_and_forgetting_but_no_trait(record: Record) -> None:
    voted(record, "d1")
    record.forget("concise")
    record.add_trait(CHEERY)
    record.remove_trait("formal")
    record.reset()
    assert record.standing() == Standing(
        traits=(CHEERY,), removed=frozenset({"formal"}), undoable="the reset"
    )


def test_a_removed_trait_keeps_its_votes_and_can_come_back(record: Record) -> None:
    record.add_trait(CHEERY)
    record.open_duel(duel(trait="cheery"))
    record.vote("d1", "first")
    record.remove_trait("cheery")
    standing = record.standing()
    assert standing.traits == (CHEERY,), "it can be brought back"
    assert standing.removed == {"cheery"}
    assert outcomes(standing) == [("d1", "first")]
    reworded = replace(CHEERY, sentence="Be glad.")
    record.add_trait(reworded)
    assert (record.standing().traits, record.standing().removed) == ((reworded,), frozenset())


def test_a_built_in_trait_is_switched_off_and_on_by_its_id_alone(record: Record) -> None:
    record.remove_trait("formal")
    assert record.standing().removed == {"formal"}
    record.add_trait(replace(CHEERY, id="formal", own=False))
    assert (record.standing().traits, record.standing().removed) == ((), frozenset())


def test_a_trait_is_removed_once(record: Record) -> None:
    record.remove_trait("formal")
    with pytest.raises(UnknownTrait, match="'formal'"):
        record.remove_trait("formal")
    for refuse in (record.remove_trait, record.forget):
        with pytest.raises(UnknownTrait):
            refuse("")


@pytest.mark.parametrize(
    "wrong", [{"id": ""}, {"visible": 0.0}, {"visible": 1.1}, {"visible": float("nan")}]
)
def test_a_trait_that_cannot_be_is_refused(record: Record, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter):
        record.add_trait(replace(CHEERY, **wrong))
    assert record.standing() == Standing()


def test_undo_goes_back_step_by_step_and_says_what_it_took_back(record: Record) -> None:
    steps: tuple[Callable[[], None], ...] = (
        lambda: voted(record, "d1"),
        lambda: record.withdraw("d1"),
        lambda: record.vote("d1", "equal"),
        lambda: record.forget("warm"),
        lambda: record.add_trait(CHEERY),
        lambda: record.remove_trait("formal"),
        lambda: record.override("brief", instead="plain", gain={"short+": 0.5}),
        record.reset,
    )
    states = [record.standing()]
    for step in steps:
        step()
        states.append(record.standing())
    said = []
    while len(states) > 1:
        assert record.standing() == states.pop()
        said.append(record.undo())
    assert record.standing() == states[0] == Standing()
    assert said == [
        "the reset",
        "the choice of another setting",
        "the removal of formal",
        "the addition of cheery",
        "the forgetting of warm",
        "the vote on concise",
        "the deletion of the vote on concise",
        "the vote on concise",
    ]
    with pytest.raises(NothingToUndo):
        record.undo()


def test_taking_another_setting_is_remembered_with_what_it_gains(record: Record) -> None:
    record.override("brief", instead="plain", gain={"short+": 0.5, "quality": -0.125})
    ((_, override),) = record.standing().overrides
    assert (override.taken, override.instead) == ("brief", "plain")
    assert override.gain == {"short+": 0.5, "quality": -0.125}
    with pytest.raises(InvalidParameter, match="quality is nan"):
        record.override("brief", instead="plain", gain={"quality": math.nan})
    assert len(record.standing().overrides) == 1


def test_what_can_be_undone_is_said_beforehand(record: Record) -> None:
    voted(record, "d1")
    assert record.standing().undoable == "the vote on concise" == record.undo()
    record.open_duel(duel("d2", trait=""))
    record.vote("d2", "first")
    assert record.standing().undoable == "the vote"


def test_the_newest_change_names_its_duel_where_it_is_a_vote(
    record: Record, open_record: OpenRecord
) -> None:
    voted(record, "d1", "d2")
    assert record.standing().newest_vote == "d2"
    other = open_record()
    voted(other, "d3")
    assert record.standing().newest_vote == "d3", "whoever gave it"
    others: tuple[Callable[[], None], ...] = (
        lambda: record.withdraw("d1"),
        lambda: record.forget("warm"),
        record.reset,
    )
    for change in others:
        change()
        assert record.standing().newest_vote == ""
        record.undo()
        assert record.standing().newest_vote == "d3"
    record.undo()
    assert record.standing().newest_vote == "d2"


# Texts --------------------------------------------------------------------------------------


def test_all_texts_are_dropped_at_once(record: Record, path: Path, open_record: OpenRecord) -> None:
    voted(record, "d1", "d2")
    record.open_duel(duel("d3", question="Wherefore?", answers=(answer("Aha"), answer("Oho"))))
    other = open_record()
    assert other.standing().ballots[0].duel.question
    record.drop_texts()
    for reader in (record, other):
        for ballot in reader.standing().ballots:
            assert ballot.duel.question == "" == ballot.duel.answers[0].text
            assert ballot.duel.answers[1] == replace(duel().answers[1], text="")
    blank = duel("d3", question="", answers=(answer(""), answer("")))
    assert record.duel("d3") == blank
    raw = path.read_bytes()
    assert not any(word in raw for word in (b"Is it so", b"Wherefore", b"Aha", b"Oho"))


def test_texts_of_an_unreadable_duel_go_too(record: Record, path: Path) -> None:
    voted(record, "d1")
    by_hand(path, "UPDATE duels SET body = 'half of a secr'")
    record.drop_texts()
    record.close()
    assert b"secr" not in path.read_bytes()


# Other processes ----------------------------------------------------------------------------


def test_of_two_votes_at_once_exactly_one_counts(open_record: OpenRecord) -> None:
    records = (open_record(), open_record())
    both = threading.Barrier(2)
    refused: list[str] = []

    def vote(record: Record, id: str, outcome: Outcome) -> None:
        both.wait(timeout=10)
        try:
            record.vote(id, outcome)
        except AlreadyVoted:
            refused.append(outcome)

    for round in range(10):
        id = f"d{round}"
        records[0].open_duel(duel(id))
        refused.clear()
        threads = [
            threading.Thread(target=vote, args=(record, id, outcome))
            for record, outcome in zip(records, ("first", "second"), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counted = outcomes(records[0].standing())[-1][1]
        assert {counted, *refused} == {"first", "second"}
        assert len(refused) == 1
        assert records[1].standing() == records[0].standing()


def test_two_records_opened_at_once_make_one_file(open_record: OpenRecord) -> None:
    records = [open_record() for _ in range(4)]
    all_of_them = threading.Barrier(len(records))

    def begin(number: int) -> None:
        all_of_them.wait(timeout=10)
        voted(records[number], f"d{number}")

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(len(records))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id for id, _ in outcomes(records[0].standing())} == {"d0", "d1", "d2", "d3"}


def test_the_stamp_changes_whenever_anybody_wrote_and_else_not(open_record: OpenRecord) -> None:
    mine, other = open_record(), open_record()
    seen = [mine.stamp()]
    assert mine.stamp() == seen[0]
    for write in (
        lambda: mine.open_duel(duel()),
        lambda: other.vote("d1", "first"),
        mine.drop_texts,
        lambda: mine.open_duel(duel("d2")),
        lambda: other.drop_texts(),
        mine.undo,
    ):
        write()
        seen.append(mine.stamp())
        assert seen[-1] == mine.stamp()
        mine.standing()
        assert seen[-1] == mine.stamp()
    assert len(set(seen)) == len(seen)
    mine.close()
    other.reset()
    assert mine.stamp() not in seen


def test_a_record_is_used_from_any_thread_and_after_it_was_closed(record: Record) -> None:
    worker = threading.Thread(target=voted, args=(record, "d1"))
    worker.start()
    worker.join()
    record.close()
    record.close()
    assert outcomes(record.standing()) == [("d1", "first")]


CHILD = """
import os, signal, sys
from pathlib import Path
from engine.store.record import Record
from tests.unit.store.conftest import duel
record = Record(Path(sys.argv[1]), clock=lambda: 1.0)
for number in range(20):
    record.open_duel(duel(f"d{number}"))
    record.vote(f"d{number}", "second")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a matter of POSIX")
def test_a_vote_that_was_taken_survives_the_death_of_its_process(
    record: Record, path: Path
) -> None:
    root = Path(__file__).parents[3]
    died = subprocess.run([sys.executable, "-c", CHILD, path], cwd=root, check=False)
    assert died.returncode < 0
    assert outcomes(record.standing()) == [(f"d{number}", "second") for number in range(20)]


# The file -----------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_the_file_and_its_journal_are_closed_to_other_users(
    record: Record, tmp_path: Path, path: Path
) -> None:
    before = os.umask(0)
    try:
        record.open_duel(duel())
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE duels SET why = ''")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"record.db": 0o600, "record.db-journal": 0o600}


def test_fields_of_a_newer_release_are_left_alone(record: Record, path: Path) -> None:
    voted(record, "d1")
    newer = "UPDATE {} SET body = json_set(body, '$.mood', 'new')"
    by_hand(path, newer.format("duels"))
    by_hand(path, newer.format("changes"))
    assert record.standing().ballots[0].duel == duel()
    record.drop_texts()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT body ->> 'mood' FROM duels").fetchone() == ("new",)


def test_a_damaged_row_is_left_out_and_counted(record: Record, path: Path) -> None:
    voted(record, "d1", "d2", "d3")
    record.add_trait(CHEERY)
    by_hand(path, "UPDATE duels SET body = substr(body, 1, 20) WHERE id = 'd1'")
    by_hand(path, "UPDATE changes SET body = '{\"outcome\": \"third\"}' WHERE duel = 'd2'")
    by_hand(path, "UPDATE changes SET body = '{}' WHERE kind = 'add_trait'")
    standing = record.standing()
    assert (outcomes(standing), standing.traits) == ([("d3", "first")], ())
    assert standing.unreadable == 3
    assert standing.undoable == "the addition" == record.undo()
    with pytest.raises(DamagedRecord, match=r"duel 'd1' .* cannot be read"):
        record.duel("d1")
    record.vote("d2", "equal")  # the one that cannot be read does not count
    assert outcomes(record.standing()) == [("d3", "first"), ("d2", "equal")]


def test_a_body_that_damage_has_made_null_is_left_out_and_counted(
    record: Record, path: Path
) -> None:
    voted(record, "d1", "d2")
    record.add_trait(CHEERY)
    for table, where in (("duels", "id = 'd1'"), ("changes", "kind = 'add_trait'")):
        with closing(sqlite3.connect(path)) as connection, connection:
            # No statement can; a page that was torn can.
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, 'body TEXT NOT NULL', 'body TEXT') "
                "WHERE name = ?", (table,),
            )  # fmt: skip
        by_hand(path, f"UPDATE {table} SET body = NULL WHERE {where}")
    standing = record.standing()
    assert (outcomes(standing), standing.traits) == ([("d2", "first")], ())
    assert standing.unreadable == 2
    assert record.undo() == "the addition"


def test_bytes_that_are_no_text_spoil_only_what_they_stand_in(record: Record, path: Path) -> None:
    voted(record, "d1", "d2")
    by_hand(path, "UPDATE duels SET question = CAST(x'41ff42' AS TEXT) WHERE id = 'd1'")
    first, second = record.standing().ballots
    assert first.duel == duel("d1", question="A�B")
    assert second.duel == duel("d2")


def test_a_vote_whose_duel_is_gone_is_left_out(record: Record, path: Path) -> None:
    voted(record, "d1", "d2")
    by_hand(path, "DELETE FROM duels WHERE id = 'd1'")
    standing = record.standing()
    assert (outcomes(standing), standing.unreadable) == ([("d2", "first")], 1)
