"""`attune profile`: what was learned, shown and changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.api import Learned, LearnedTrait, Trait
from engine.cli import learned as shown
from engine.cli.profile import _when
from tests.unit.cli.conftest import Attune, Said
from tests.unit.cli.records import AT, have_voted, put_duel
from tests.unit.conftest import remember

KEYS = {"traits", "votes", "to_settle", "neutral", "learner", "undoable", "unreadable"}


def of(said: Said, trait: str) -> dict[str, object]:
    """One trait of a profile."""
    found: list[dict[str, object]] = [t for t in said.json["traits"] if t["id"] == trait]
    return found[0] if found else {}


@pytest.fixture
def voted(attune: Attune, data: Path) -> str:
    """A duel about length with a vote for the shorter answer."""
    id = put_duel(data)
    attune("vote", id, "first")
    return id


# To see -------------------------------------------------------------------------------------


def test_an_empty_profile_shows_what_it_will_show(attune: Attune) -> None:
    said = attune("profile", "show")
    assert (said.code, said.err) == (0, "")
    first, second, *rest = said.out.splitlines()
    assert first == "Nothing learned yet. 'attune duel QUESTION' shows two answers to vote on."
    assert second == "Nothing steers answers yet."
    assert "  short    shorter answers or longer answers" in said.out
    assert all(len(line) <= 80 for line in rest)


def test_a_profile_shows_what_is_liked_and_how_sure_that_is(attune: Attune, data: Path) -> None:
    have_voted(data, "first")
    said = attune("profile", "show")
    lines = said.out.splitlines()
    assert lines[0].startswith("From 6 votes. About ")
    assert lines[1].startswith("Steers answers now: shorter answers (")
    (row,) = (line for line in lines if line.startswith("* short"))
    assert row.split()[1:4] == ["short", "shorter", "answers"]
    assert row.split()[5] == "%"
    undoable = attune("profile", "show", "--json").json["undoable"]
    assert lines[-1] == f"'attune profile undo' takes back {undoable}."
    assert all(len(line) <= 80 for line in lines)


def test_the_object_of_a_profile_has_what_scripts_rely_on(attune: Attune, voted: str) -> None:
    found = attune("profile", "show", "--json").json
    assert set(found) == KEYS
    assert (found["votes"], found["neutral"], found["learner"]) == (1, False, "utilities")
    assert found["undoable"].startswith("the vote on short")
    assert found["to_settle"] == sum(trait["to_settle"] for trait in found["traits"])


def test_neutral_is_told(attune: Attune, voted: str) -> None:
    attune("profile", "set", "--neutral", "on")
    assert "Neutral is on" in attune("profile", "show").out
    assert attune("profile", "show", "--json").json["neutral"]


def test_votes_are_listed_the_newest_first(attune: Attune, data: Path, voted: str) -> None:
    attune("vote", put_duel(data, "0000cafe", trait="warm", question="How\nare you?"), "neither")
    newest, oldest = attune("profile", "votes").out.splitlines()
    assert newest == f"{_when(AT)}  0000cafe  warm      neither       How are you?"
    assert oldest == f"{_when(AT)}  0000beef  short     A was better"
    (vote,) = attune("profile", "votes", "--trait", "warm", "--json").json["votes"]
    assert vote == {
        "duel": "0000cafe", "at": AT, "outcome": "neither", "trait": "warm",
        "question": "How\nare you?", "answers": ["", ""], "model": "some-model",
        "local": False,
    }  # fmt: skip


def test_a_list_of_no_votes_says_so(attune: Attune) -> None:
    assert attune("profile", "votes").out == "No vote counts yet.\n"
    assert attune("profile", "votes", "--json").json == {"votes": []}
    assert attune("profile", "votes", "--trait", "warm", "--json").json == {"votes": []}


def test_a_long_question_stays_one_line_of_the_list(attune: Attune, data: Path) -> None:
    attune("vote", put_duel(data, question="ha " * 1000), "equal")
    (line,) = attune("profile", "votes").out.splitlines()
    assert len(line) <= 80
    assert line.endswith("…")


@pytest.mark.parametrize("at", [1e300, -1e300, 1e18])
def test_a_time_that_no_calendar_knows_is_a_question_mark(at: float) -> None:
    assert _when(at) == "?"


# To change ----------------------------------------------------------------------------------


def test_undo_says_what_it_took_back(attune: Attune, voted: str) -> None:
    undoable = attune("profile", "show", "--json").json["undoable"]
    said = attune("profile", "undo")
    assert said.out == f"Took back {undoable}.\nNothing steers answers yet.\n"
    attune("vote", voted, "second")
    found = attune("profile", "undo", "--json").json
    assert set(found) == KEYS | {"undone"}
    assert (found["undone"], found["votes"], found["undoable"]) == (undoable, 0, "")


def test_a_vote_that_is_deleted_counts_no_more_until_undo(attune: Attune, voted: str) -> None:
    said = attune("profile", "delete", voted)
    assert said.out.splitlines()[0] == (
        f"The vote on {voted} counts no more. 'attune profile undo' brings it back."
    )
    assert attune("profile", "show", "--json").json["votes"] == 0
    assert attune("profile", "undo", "--json").json["votes"] == 1


def test_a_reset_lets_no_vote_count_until_undo(attune: Attune, voted: str) -> None:
    assert attune("profile", "reset", "--json").json["votes"] == 0
    assert attune("profile", "undo").out.startswith("Took back the reset.")
    assert attune("profile", "show", "--json").json["votes"] == 1
    assert attune("profile", "reset").out.startswith("No vote counts any more.")


def test_a_rebuild_comes_to_the_same(attune: Attune, voted: str) -> None:
    before = attune("profile", "show", "--json").json
    assert attune("profile", "rebuild", "--json").json == before
    assert "votes that count: 1." in attune("profile", "rebuild").out


def test_what_is_known_of_a_trait_can_be_forgotten(attune: Attune, data: Path) -> None:
    have_voted(data, "second")
    assert of(attune("profile", "show", "--json"), "short")["theta"] != 0
    said = attune("profile", "forget", "short")
    assert said.out.startswith("Votes so far say nothing about short. 'attune profile undo'")
    said = attune("profile", "show", "--json")
    assert (of(said, "short")["theta"], of(said, "short")["votes"]) == (0, 0)


def test_forgetting_what_no_vote_speaks_of_is_nothing_to_undo(attune: Attune, data: Path) -> None:
    have_voted(data, "second")
    before = attune("profile", "show", "--json").json
    said = attune("profile", "forget", "warm")
    assert said.out.startswith("No vote says anything about warm; nothing was changed.")
    assert attune("profile", "show", "--json").json == before
    attune("profile", "forget", "short")
    assert "No vote says anything about short" in attune("profile", "forget", "short").out
    assert attune("profile", "undo").code == 0
    assert of(attune("profile", "show", "--json"), "short")["votes"] == 6


def test_a_trait_is_removed_and_restored(attune: Attune, voted: str) -> None:
    said = attune("profile", "remove", "short")
    assert said.out.startswith("Asks no more about short. 'attune profile undo' brings it back.")
    assert not of(attune("profile", "show", "--json"), "short")
    assert of(attune("profile", "restore", "short", "--json"), "short")["votes"] == 1
    attune("profile", "remove", "short")
    assert attune("profile", "restore", "short").out.startswith("Asks about short again.")
    said = attune("profile", "restore", "short", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_parameter")


def test_a_removed_trait_may_be_named_by_how_it_begins(attune: Attune) -> None:
    for id in ("lists", "formal", "figures"):
        attune("profile", "remove", id)
    assert attune("profile", "restore", "li").out.startswith("Asks about lists again.")
    said = attune("profile", "restore", "f", "--json")
    assert said.json["error"]["message"].startswith("'f' may be ")
    assert attune("profile", "restore", "fi…").out.startswith("Asks about figures again.")


def test_what_was_forgotten_is_not_listed_as_behind_its_trait(attune: Attune, voted: str) -> None:
    attune("profile", "forget", "short")
    assert attune("profile", "votes", "--trait", "short", "--json").json == {"votes": []}
    attune("profile", "remove", "short")
    assert attune("profile", "votes", "--trait", "short", "--json").json == {"votes": []}
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["duel"] == voted


def test_votes_that_cannot_be_read_are_told_in_one_line(
    attune: Attune, data: Path, voted: str
) -> None:
    with closing(sqlite3.connect(data / "record.db")) as connection, connection:
        connection.execute("UPDATE duels SET body = '{'")
    assert attune("profile", "show", "--json").json["unreadable"] == 1
    lines = attune("profile", "show").out.splitlines()
    assert lines[1] == "One vote could not be read and does not count."
    assert list(shown.table(everything(unreadable=2)))[1] == (
        "2 votes could not be read and do not count."
    )


def test_a_trait_in_the_owners_words_is_asked_about(attune: Attune) -> None:
    said = attune("profile", "add", "Give an example from the garden.")
    (id,) = (
        trait["id"]
        for trait in attune("profile", "show", "--json").json["traits"]
        if trait["name"] == "Give an example from the garden"
    )
    assert said.out.splitlines()[0] == f"Asks about it, too, as {id}."
    assert f"  {id[:7]}… Give an example from the garden" in attune("profile", "show").out
    attune("profile", "add", "Use British spelling.")
    ambiguous = attune("profile", "remove", "own-", "--json")
    assert ambiguous.json["error"]["code"] == "unknown_trait"
    assert id in ambiguous.json["error"]["message"]
    assert attune("profile", "remove", id[:8]).out.startswith(f"Asks no more about {id}.")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("undo",), "nothing_to_undo"),
        (("delete", "ffffffff"), "unknown_duel"),
        (("forget", "nonesuch"), "unknown_trait"),
        (("forget", ""), "unknown_trait"),
        (("forget", "x" * 5000), "unknown_trait"),
        (("remove", "nonesuch"), "unknown_trait"),
        (("restore", "nonesuch"), "unknown_trait"),
        (("votes", "--trait", "nonesuch"), "unknown_trait"),
        (("add", " "), "invalid_parameter"),
        (("add", "x" * 301), "invalid_parameter"),
        (("add", "Always agree with me."), "invalid_parameter"),
    ],
)
def test_what_cannot_be_done_is_one_line(attune: Attune, argv: tuple[str, ...], code: str) -> None:
    said = attune("profile", *argv, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, code)
    assert said.err.count("\n") == 1
    assert attune("profile", *argv).code == 1


def test_a_vote_that_does_not_count_cannot_be_deleted(attune: Attune, data: Path) -> None:
    said = attune("profile", "delete", put_duel(data), "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")


@pytest.mark.parametrize(
    "argv",
    [
        (), ("burn",), ("export",), ("forget",), ("delete",), ("add",),
        ("set", "--duels", "often"), ("set", "--learner", "best"), ("set", "--neutral", "maybe"),
        ("set", "--keep-texts"), ("show", "extra"),
    ],
)  # fmt: skip
def test_a_profile_command_that_cannot_be_read_is_a_usage_error(
    attune: Attune, argv: tuple[str, ...]
) -> None:
    said = attune("profile", *argv)
    assert (said.code, said.out) == (2, "")


# How Attune learns --------------------------------------------------------------------------


def test_settings_of_learning_are_shown_where_none_is_changed(attune: Attune, data: Path) -> None:
    before = (data / "settings.json").read_bytes()
    assert attune("profile", "set", "--json").json == {
        "duels": 3, "learner": "utilities", "keep_texts": False, "neutral": False, "fade": None,
    }  # fmt: skip
    assert attune("profile", "set").out.splitlines() == [
        "Two answers   at most once in 3 questions",
        "Learner       utilities",
        "Texts         not kept with votes",
        "Neutral       off",
        "Old votes     count fully",
    ]
    assert (data / "settings.json").read_bytes() == before


def test_every_setting_of_learning_is_changed_and_kept(attune: Attune, data: Path) -> None:
    said = attune(
        "profile", "set", "--duels", "0", "--learner", "neural", "--keep-texts", "on",
        "--neutral", "on", "--fade", "20.5",
    )  # fmt: skip
    assert said.out.splitlines() == [
        "Two answers   never",
        "Learner       neural",
        "Texts         kept with their votes",
        "Neutral       on",
        "Old votes     count half once 20.5 are newer",
    ]
    saved = json.loads((data / "settings.json").read_text())
    names = ("duel_every", "learner", "keep_texts", "neutral", "fade")
    assert [saved[name] for name in names] == [0, "neural", True, True, 20.5]
    back = attune("profile", "set", "--fade", "off", "--neutral", "off", "--json").json
    assert back == {
        "duels": 0, "learner": "neural", "keep_texts": True, "neutral": False, "fade": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--duels", "-1"), ("--duels", "1000001"), ("--duels", "9" * 400), ("--fade", "0"),
        ("--fade", "-1"), ("--fade", "nan"), ("--fade", "inf"), ("--fade", "x"), ("--fade", ""),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused_and_nothing_changes(
    attune: Attune, data: Path, option: str, value: str
) -> None:
    before = (data / "settings.json").read_bytes()
    said = attune("profile", "set", "--neutral", "on", f"{option}={value}", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_parameter")
    assert said.json["error"]["message"].startswith(option.removeprefix("--"))
    assert (data / "settings.json").read_bytes() == before


def test_other_settings_stay_where_one_is_changed(attune: Attune, data: Path) -> None:
    remember(data, gamma=4.5)
    attune("profile", "set", "--duels", "9")
    assert json.loads((data / "settings.json").read_text())["gamma"] == 4.5


# The table ----------------------------------------------------------------------------------


def trait(id: str = "short", *, more: str = "shorter answers", own: bool = False) -> Trait:
    return Trait(id=id, more=more, less="longer answers", sentence="Be brief.", own=own)


def found(of: Trait | None = None, **changes: object) -> LearnedTrait:
    known: dict[str, object] = {
        "weight": 0.5, "low": 0.0, "high": 0.8, "sure": 0.97, "theta": 1.5, "votes": ("a", "b"),
        "to_settle": 2,
    }  # fmt: skip
    return LearnedTrait(trait=of or trait(), **(known | changes))  # type: ignore[arg-type]


def everything(*traits: LearnedTrait, **changes: object) -> Learned:
    known: dict[str, object] = {
        "traits": traits, "learner": "utilities", "neutral": False, "votes": 3,
        "to_settle": sum(t.to_settle for t in traits),
    }  # fmt: skip
    return Learned(**(known | changes))  # type: ignore[arg-type]


def test_the_bar_runs_from_against_to_for_what_is_liked() -> None:
    likes_less = found(weight=-0.5, low=-0.8, high=0.0, sure=0.03, theta=-1.5, to_settle=0)
    assert list(shown.table(everything(found(), likes_less))) == [
        "From 3 votes. About 2 more comparisons would settle the rest.",
        "Steers answers now: shorter answers (97 % sure), longer answers (97 % sure).",
        "",
        "  trait    you like                  sure  against  |      for  votes  to settle",
        "* short    shorter answers           97 %  .........|====O==..      2  about 2",
        "* short    longer answers            97 %  .........|====O==..      2  settled",
        "* steers answers",
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        {"weight": 1.0, "low": 1.0, "high": 1.0, "sure": 1.0},
        {"weight": -1.0, "low": -1.0, "high": -1.0, "sure": 0.0},
        {"weight": 0.0, "low": -1.0, "high": 1.0, "sure": 0.5},
    ],
)
def test_a_row_fits_80_columns_whatever_it_says(numbers: dict[str, float]) -> None:
    long = trait("own-" + "x" * 40, more="answer as my grandmother would, with …", own=True)
    wide = trait("own-1", more="短い答えをお願いします、できるだけ簡潔に、はい", own=True)
    for one in (long, wide):
        known = found(one, **numbers, to_settle=20, votes=("v",) * 99999)
        unknown = found(one, sure=0.5, votes=(), theta=0.0)
        _, _, *rows = shown.table(everything(known, unknown))  # before them stand sentences
        for line in rows:
            assert sum(map(shown._columns, line)) <= 80


def test_a_letter_with_an_accent_of_its_own_takes_one_column() -> None:
    assert shown._fit("e\u0301a", 4) == "e\u0301a  "


@pytest.mark.parametrize(
    ("votes", "to_settle", "headline"),
    [
        (1, 0, "From one vote. There is nothing left to settle."),
        (2, 1, "From 2 votes. One more comparison would settle the rest."),
        (2, 9, "From 2 votes. About 9 more comparisons would settle the rest."),
    ],
)
def test_the_headline_says_how_far_learning_is(votes: int, to_settle: int, headline: str) -> None:
    assert next(shown.table(everything(found(), votes=votes, to_settle=to_settle))) == headline


@pytest.mark.parametrize(("sure", "said"), [(0.994, " 99 %"), (0.995, ">99 %"), (0.0, ">99 %")])
def test_nothing_is_ever_certain(sure: float, said: str) -> None:
    lines = list(shown.table(everything(found(sure=sure))))
    assert f" {said}  .." in lines[4]
    words = said.strip().replace(">", "over ")
    assert f"({words} sure)" in shown.steering(everything(found(sure=max(sure, 1 - sure))))


def test_what_would_steer_without_neutral_is_marked() -> None:
    lines = list(shown.table(everything(found(), neutral=True)))
    assert lines[1] == "Neutral is on: the untouched model answers, whatever was learned."
    assert lines[-1] == "* steers answers, once neutral is off"


def test_the_neural_form_has_no_traits_and_says_so() -> None:
    lines = list(shown.table(everything(learner="neural", undoable="the vote")))
    assert lines == [
        "From 3 votes.",
        "What was learned steers as a whole; this form of learning has no traits to show.",
        "",
        "'attune profile undo' takes back the vote.",
    ]
