"""`attune duel` and `attune vote`: two answers, and what a vote on them does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import Duel, Engine, StorageError
from engine.models import catalogue
from engine.preference.traits import BUILT_IN
from engine.store.record import Record, StoredDuel
from engine.types.answers import Answer, Chunk, Question, Started
from engine.types.learning import DuelEvent
from engine.types.steering import Preference
from tests.fakes.host import Trouble
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.cli.records import have_voted, put_duel, record
from tests.unit.conftest import remember

TRAIT = {
    "id", "name", "less", "weight", "low", "high", "sure", "theta", "votes", "to_settle",
}  # fmt: skip


# Two answers --------------------------------------------------------------------------------


def test_both_answers_are_shown_with_the_way_to_vote(attune: Attune) -> None:
    said = attune("duel", "Basil?", "--max-tokens", "12")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "A"
    assert lines[2:4] == ["", "B"]
    assert len(lines[1]) == len(lines[4]) == 12
    assert lines[1] != lines[4]
    assert lines[6].startswith("It is not known yet whether you like ")
    id = lines[7].split()[4]
    assert lines[7] == f"Vote with: attune vote {id} first|second|equal|neither"
    assert attune("vote", id, "first").code == 0


def test_the_object_of_a_duel_has_what_scripts_rely_on(
    attune: Attune, duels: list[Question]
) -> None:
    said = attune(
        "duel", "-", "--json", "--max-tokens", "9", "--temperature", "1", "--seed", "5",
        typed="Grün?",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    found = said.json
    assert set(found) == {"duel", "answers", "why", "verdict"}
    assert found["verdict"] == "open"
    for answer in found["answers"]:
        assert set(answer) == {"text", "tokens", "finish"}
        assert (answer["tokens"], answer["finish"]) == (9, "length")
    (question,) = duels
    assert question.messages[0].text == "Grün?"
    sampling = question.sampling
    assert (sampling.max_tokens, sampling.temperature, sampling.seed) == (9, 1.0, 5)
    assert attune("vote", found["duel"], "equal").code == 0


def test_both_answers_follow_the_preferences_that_are_remembered(
    attune: Attune, data: Path, duels: list[Question]
) -> None:
    formal = (Preference(text="formal"),)
    remember(data, preferences=formal, gamma=4.0)
    attune("duel", "Q", "--max-tokens", "2")
    remember(data, preferences=formal, neutral=True)
    attune("duel", "Q", "--max-tokens", "2")
    with_one, without = (question.steering for question in duels)
    assert (with_one.method, with_one.preferences, with_one.gamma) == ("amulet", formal, 4.0)
    assert (without.method, without.preferences) == ("base", ())


def test_answers_that_came_out_alike_are_not_to_be_voted_on(
    attune: Attune, follow: Follow, data: Path
) -> None:
    follow(answers=("Water it.", "Water it."))
    said = attune("duel", "Basil?")
    assert (said.code, said.err) == (0, "")
    assert (
        said.out.splitlines()[-1] == "Both came out nearly alike, so there is nothing to vote on."
    )
    found = attune("duel", "Basil?", "--json")
    assert (found.code, found.json["duel"], found.json["verdict"]) == (0, "", "same")
    assert [answer["text"] for answer in found.json["answers"]] == ["Water it."] * 2


def test_answers_that_were_cut_short_are_not_to_be_voted_on(
    attune: Attune, follow: Follow, tmp_path: Path
) -> None:
    crash = Trouble(at="decode", tokens=3, times=1, count=str(tmp_path / "count"))
    follow(troubles=(crash,))
    said = attune("duel", "Basil?", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "engine")
    assert (said.json["duel"], said.json["verdict"]) == ("", "cut")
    assert {answer["finish"] for answer in said.json["answers"]} == {"interrupted"}
    assert all(answer["text"] for answer in said.json["answers"])
    assert "crashed" in said.err
    (tmp_path / "count").unlink()
    said = attune("duel", "Basil?")
    assert said.code == 1
    assert said.out.splitlines()[-1].startswith("An answer did not come to its end")
    assert said.err.splitlines()[-1].startswith("attune: The answers are not complete")


def test_a_duel_that_cannot_be_recorded_is_shown_before_it_says_why(
    attune: Attune, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_record: Record, _duel: StoredDuel) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(Record, "open_duel", full)
    said = attune("duel", "Basil?", "--max-tokens", "12")
    assert (said.code, said.err) == (1, "attune: The disk is full.\n")
    a, first, gap, b, second, *rest = said.out.splitlines()
    assert (a, gap, b, rest) == ("A", "", "B", [""])
    assert len(first) == len(second) == 12
    assert first != second
    found = attune("duel", "Basil?", "--max-tokens", "12", "--json")
    assert (found.code, found.json["error"]["code"], found.json["duel"]) == (1, "storage", "")
    assert [answer["tokens"] for answer in found.json["answers"]] == [12, 12]
    assert [len(answer["text"]) for answer in found.json["answers"]] == [12, 12]


def test_a_duel_that_has_not_begun_is_an_error_alone(
    attune: Attune, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_engine: Engine, _question: Question) -> Iterator[DuelEvent]:
        raise StorageError("The record is damaged.")
        yield

    monkeypatch.setattr(Engine, "duel", broken)
    said = attune("duel", "Basil?", "--json")
    assert (said.code, set(said.json)) == (1, {"error"})


def test_a_duel_that_ctrl_c_stopped_ends_like_an_answer_that_was(
    attune: Attune, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Answer(
        text="Wa", finish="stopped", tokens=2, streams=1, gamma=0.0, seed=1, used=0, context=9,
        model="m",
    )  # fmt: skip

    def cut(_engine: Engine, _question: Question) -> Iterator[DuelEvent]:
        yield Started(prompt_tokens=1, cached_tokens=0, context=9, dropped=0, streams=4, seed=1)
        yield Chunk(text="Wa", tokens=2)
        yield Duel(id="", answers=(stopped, stopped), why="?", verdict="cut")

    monkeypatch.setattr(Engine, "duel", cut)
    said = attune("duel", "Basil?")
    assert said.code == 130
    assert said.out.startswith("A\nWa\n\nB\nWa\n")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ((" ",), "empty_question"),
        (("Q", "--temperature", "-1"), "invalid_parameter"),
        (("Q", "--model", "nonesuch"), "model_not_found"),
    ],
)
def test_what_cannot_be_answered_twice_is_refused(
    attune: Attune, argv: tuple[str, ...], code: str
) -> None:
    said = attune("duel", *argv, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, code)
    assert said.err.count("\n") == 1


def test_where_no_trait_is_left_a_duel_is_refused(attune: Attune, data: Path) -> None:
    with record(data) as opened:
        for trait in BUILT_IN:
            opened.remove_trait(trait.id)
    said = attune("duel", "Q", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")


# Votes --------------------------------------------------------------------------------------


def test_a_vote_says_what_moved_and_what_steers_now(attune: Attune, data: Path) -> None:
    have_voted(data, "first", times=2)
    said = attune("vote", put_duel(data), "first")
    assert (said.code, said.err) == (0, "")
    moved, steers = said.out.splitlines()
    assert moved.startswith("Shorter answers: ")
    sure = moved.split("→ ")[1].removesuffix(" sure.")
    assert steers == f"Steers answers now: shorter answers ({sure} sure)."


def test_the_object_of_a_vote_has_what_scripts_rely_on(attune: Attune, data: Path) -> None:
    have_voted(data, "second", times=2)
    found = attune("vote", put_duel(data), "second", "--json").json
    assert set(found) == {"traits", "changed", "sentence"}
    assert all(set(trait) == TRAIT for trait in found["traits"])
    short = next(trait for trait in found["traits"] if trait["id"] == "short")
    assert (short["name"], short["less"], short["votes"]) == (
        "shorter answers", "longer answers", 3,
    )  # fmt: skip
    assert -1.0 <= short["low"] < short["weight"] < 0.0
    assert short["weight"] < short["high"] <= 1.0
    assert short["sure"] < 0.5
    assert short["theta"] < 0.0
    moved = found["changed"][0]
    assert set(moved) == {"trait", "pole", "before", "after"}
    assert (moved["trait"], moved["pole"]) == ("short", "longer answers")
    assert moved["after"] > moved["before"]
    assert found["sentence"].startswith("Longer answers: ")


@pytest.mark.parametrize("outcome", ["equal", "neither"])
def test_every_outcome_is_a_vote(attune: Attune, data: Path, outcome: str) -> None:
    assert attune("vote", put_duel(data), outcome).code == 0
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["outcome"] == outcome


def test_a_vote_needs_no_model(attune: Attune, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "asset_folders", lambda: ())
    monkeypatch.delattr(Engine, "start")
    assert attune("vote", put_duel(data), "first").code == 0
    assert attune("profile", "show").code == 0


def test_a_second_vote_on_a_duel_is_refused_and_the_first_stays(attune: Attune, data: Path) -> None:
    id = put_duel(data)
    attune("vote", id, "first")
    said = attune("vote", id, "second", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "already_voted")
    assert said.err == f"attune: {said.json['error']['message']}\n"
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["outcome"] == "first"


@pytest.mark.parametrize("id", ["ffffffff", "", "x" * 5000, "a'; DROP TABLE duels; --", "ä\n"])
def test_a_vote_on_a_duel_that_never_was_is_refused(attune: Attune, id: str) -> None:
    said = attune("vote", id, "first", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "unknown_duel")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("argv", [(), ("id",), ("id", "third"), ("id", "First"), ("id", "1")])
def test_a_vote_that_is_none_is_a_usage_error(attune: Attune, argv: tuple[str, ...]) -> None:
    said = attune("vote", *argv)
    assert (said.code, said.out) == (2, "")
    assert "usage: attune vote" in said.err


# A record that cannot be used ---------------------------------------------------------------

USES = [
    ("vote", "0000beef", "first"), ("profile", "show"), ("profile", "undo"),
    ("profile", "add", "Be kind."), ("profile", "delete", "0000beef"),
]  # fmt: skip


@pytest.mark.parametrize("argv", USES, ids=" ".join)
def test_a_newer_record_is_one_line(attune: Attune, data: Path, argv: tuple[str, ...]) -> None:
    put_duel(data)
    with sqlite3.connect(data / "record.db") as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    said = attune(*argv, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "newer_record")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("argv", USES, ids=" ".join)
def test_a_damaged_record_is_one_line(attune: Attune, data: Path, argv: tuple[str, ...]) -> None:
    (data / "record.db").write_bytes(b"not a record " * 1000)
    said = attune(*argv, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "damaged_record")
    assert said.err.count("\n") == 1


def test_with_a_record_that_cannot_be_used_a_question_is_answered_all_the_same(
    attune: Attune, follow: Follow, data: Path
) -> None:
    (data / "record.db").write_bytes(b"not a record " * 1000)
    follow(answers=("Water it.",))
    said = attune("ask", "Basil?", "--json")
    assert (said.code, said.json["text"], said.json["learned"]) == (0, "Water it.", [])
    assert "not steered by your votes" in said.err


# What was learned steers --------------------------------------------------------------------


def test_what_was_learned_steers_the_next_question(attune: Attune, data: Path) -> None:
    have_voted(data, "second")
    found = attune("ask", "Basil?", "--json", "--max-tokens", "8").json
    (learned,) = found["learned"]
    assert set(learned) == {"trait", "pole", "theta"}
    assert (learned["trait"], learned["pole"]) == ("short", "longer answers")
    assert learned["theta"] < 0
    assert found["streams"] == 2
    plain = attune("ask", "Basil?", "--json", "--max-tokens", "8", "--neutral").json
    assert (plain["learned"], plain["streams"]) == ([], 1)
    assert plain["text"] != found["text"]


def test_neutral_in_the_settings_keeps_what_was_learned_away(attune: Attune, data: Path) -> None:
    have_voted(data, "second")
    attune("profile", "set", "--neutral", "on")
    found = attune("ask", "Basil?", "--json", "--max-tokens", "8").json
    assert (found["learned"], found["streams"]) == ([], 1)
    found = attune("ask", "Basil?", "--json", "--max-tokens", "8", "--prefer", "formal").json
    assert (found["learned"], found["streams"]) == ([], 2)


def test_a_preference_and_what_was_learned_steer_together(attune: Attune, data: Path) -> None:
    have_voted(data, "second")
    found = attune("ask", "Basil?", "--json", "--max-tokens", "8", "--prefer", "formal").json
    assert (len(found["learned"]), found["streams"]) == (1, 3)


def test_the_record_is_closed_when_a_command_ends(attune: Attune, data: Path) -> None:
    attune("vote", put_duel(data), "first")
    os.replace(data / "record.db", data / "moved.db")
    with record(data) as fresh:
        assert not fresh.standing().ballots
