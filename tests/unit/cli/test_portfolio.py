"""`attune portfolio`, and what `ask` and `chat` do where Attune chooses who answers."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.api import AnswerEvent, Engine
from engine.config import SettingsFile
from engine.models.catalogue import STARTER_ID, Catalogue
from engine.types.answers import Answer, Question, StartEvent
from engine.types.steering import Preference
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.conftest import remember
from tests.unit.test_api_portfolio import BRIEF, OTHER, PLAIN, Job, keep, make_quick


@pytest.fixture(autouse=True)
def job(data: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Measures at once; a candidate answers ten questions."""
    scripted = Job()
    make_quick(monkeypatch)
    monkeypatch.setattr("engine.jobs.client.JobClient", lambda _command: scripted)
    remember(data, calibration_questions=10)
    return scripted


@pytest.fixture
def other(data: Path, tmp_path: Path) -> Path:
    """The file of a second model."""
    path = write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)
    assert Catalogue(data / "models.json").add(path).id == OTHER.model
    return path


@pytest.fixture
def kept(data: Path) -> None:
    """A portfolio of two settings of one model."""
    keep(data, (PLAIN, (0.2, 0.8)), (BRIEF, (0.8, 0.2)))


# Build --------------------------------------------------------------------------------------


def test_a_build_tells_how_far_it_is_and_then_what_came_of_it(attune: Attune, job: Job) -> None:
    said = attune("portfolio", "build")
    assert said.code == 0
    told = [
        re.fullmatch(r"Measuring your models: (\d+) of (\d+) answers(.*)", line)
        for line in said.err.splitlines()
    ]
    done = [int(line[1]) for line in told if line]
    assert len(done) == len(told) <= 21
    assert done == sorted(set(done))
    *before, last = (line[3] for line in told if line)
    assert set(before) == {", less than a minute left"}
    assert last == ""
    assert done[-1] == len(job.asked) == attune("portfolio", "pool", "--json").json["answers"]
    assert said.out == attune("portfolio", "show").out


def test_a_second_build_has_nothing_to_measure(attune: Attune, job: Job) -> None:
    first = attune("portfolio", "build", "--json")
    job.asked.clear()
    again = attune("portfolio", "build", "--json")
    assert (again.code, again.err, job.asked) == (0, "", [])
    assert again.json["member_indices"] == first.json["member_indices"]


def test_the_object_of_a_build_has_what_scripts_rely_on(attune: Attune) -> None:
    found = attune("portfolio", "build", "--json").json
    places = [member["index"] for member in found["members"]]
    assert found["member_indices"] == places
    assert [trait["id"] for trait in found["traits"]] == ["short+", "simple+", "warm+", "quality"]
    assert len(found["rewards"]) == len(found["candidates"]) > max(places)
    assert {len(row) for row in found["rewards"]} == {len(found["traits"])}
    assert (found["epsilon"], found["witness"]) == tuple(found["certificate"]["epsilon"].values())
    assert found["delta"] == found["certificate"]["delta"]["value"]
    assert found == attune("portfolio", "show", "--json").json


def test_what_goes_wrong_meanwhile_is_told_beside_the_result(
    attune: Attune, job: Job, other: Path
) -> None:
    job.broken = OTHER.model
    said = attune("portfolio", "build")
    assert said.code == 0
    assert "Other is left out: The file is damaged." in said.err.splitlines()
    assert "Left out: Other, plain: The file is damaged." in said.out.splitlines()


def test_how_much_is_measured_is_remembered(attune: Attune, data: Path, job: Job) -> None:
    assert attune("portfolio", "build", "--questions", "11", "--most", "1").code == 0
    settings, _ = SettingsFile(data / "settings.json").read()
    assert (settings.calibration_questions, settings.members) == (11, 1)
    assert len({key.split()[1] for key in job.asked}) == 11
    assert len(attune("portfolio", "show", "--json").json["members"]) == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--questions", "9"), "questions is 9, but must be from 10 to 70."),
        (("--questions", "71", "--most", "2"), "questions is 71, but must be from 10 to 70."),
        (("--most", "0"), "most is 0, but must be from 1 to 7."),
        (("--questions", "12", "--most", "8"), "most is 8, but must be from 1 to 7."),
    ],
)
def test_a_number_out_of_range_changes_nothing(
    attune: Attune, data: Path, job: Job, argv: tuple[str, ...], said: str
) -> None:
    before = (data / "settings.json").read_bytes()
    refused = attune("portfolio", "build", "--json", *argv)
    assert refused.json == {"error": {"code": "invalid_parameter", "message": said}}
    assert (refused.code, refused.err, job.asked) == (1, f"attune: {said}\n", [])
    assert (data / "settings.json").read_bytes() == before


@pytest.mark.parametrize("argv", [(), ("tear",), ("build", "--most", "few"), ("route", "--take")])
def test_a_wrong_command_line_is_a_usage_error(attune: Attune, argv: tuple[str, ...]) -> None:
    said = attune("portfolio", *argv)
    assert (said.code, said.out) == (2, "")
    assert "usage: attune portfolio" in said.err


def test_ctrl_c_ends_a_build_and_keeps_what_was_measured(attune: Attune, job: Job) -> None:
    job.interrupt_after = 20
    said = attune("portfolio", "build", "--json")
    text = "Stopped. What was measured is kept; the next build goes on there."
    assert said.code == 130
    assert said.json == {"error": {"code": "stopped", "message": text}}
    assert said.err.splitlines()[-1] == f"attune: {text}"
    pool = attune("portfolio", "pool", "--json").json
    assert 20 <= pool["known"] < pool["answers"]
    job.interrupt_after = None
    assert attune("portfolio", "build").code == 0
    assert len(job.asked) == len(set(job.asked)) == pool["answers"]


def test_a_build_that_crashes_is_one_error_and_goes_on_the_next_time(
    attune: Attune, job: Job
) -> None:
    job.die_after = 7
    said = attune("portfolio", "build", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "engine_crashed")
    assert attune("portfolio", "pool", "--json").json["known"] == 7
    assert attune("portfolio", "show").code == 1


# Show and check -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["show", "check", "route"])
def test_before_a_build_there_is_one_clear_error(attune: Attune, verb: str) -> None:
    said = attune("portfolio", verb, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")
    assert said.err.startswith("attune: There is no portfolio yet. ")
    assert "attune portfolio build" in said.err
    assert said.err.count("\n") == 1


def test_a_portfolio_in_words(attune: Attune, kept: None) -> None:
    said = attune("portfolio", "show")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "Small, plain  (plain)",
        "  best at a warm tone; serves 50 % of tastes",
        "Small, short  (brief)",
        "  best at shorter answers; serves 50 % of tastes",
        "Whatever mix of shorter answers and a warm tone you want, one of these 2 reaches 100 % of "
        "the best of the 2 settings measured. It was measured on 5 questions that nothing was "
        "chosen on, by Attune's own scores.",
        "Nobody is served worse than by the best setting measured.",
    ]


def test_a_member_that_cannot_be_had_says_so(attune: Attune, data: Path, other: Path) -> None:
    keep(data, (PLAIN, (0.2, 0.8)), (OTHER, (0.8, 0.2)))
    other.unlink()
    said = attune("portfolio", "show")
    reason = "The file of Other is no longer there. Put it back."
    assert said.out.splitlines()[3] == (
        f"  best at shorter answers; serves 50 % of tastes; not now: {reason}"
    )
    assert said.err == f"other: {reason}\n"
    (member,) = (m for m in attune("portfolio", "show", "--json").json["members"] if not m["fits"])
    assert member["reason"] == reason


def test_a_check_says_that_all_is_well_or_what_is_not(attune: Attune, data: Path) -> None:
    attune("portfolio", "build")
    said = attune("portfolio", "check")
    assert (said.code, said.err) == (0, "")
    assert said.out == "The models are unchanged, and the certificate comes out the same again.\n"
    assert attune("portfolio", "check", "--json").json == {"ok": True, "findings": []}
    with closing(sqlite3.connect(data / "calibration.db")) as connection, connection:
        connection.execute("DELETE FROM answers WHERE rowid = 3")
    text = "Some answers that the certificate rests on are gone. Build again."
    said = attune("portfolio", "check")
    assert said.out == f"{text}\nTo build again: attune portfolio build\n"
    found = attune("portfolio", "check", "--json")
    assert (found.code, found.json["ok"]) == (0, False)
    assert found.json["findings"] == [{"code": "answers_missing", "text": text}]


# Route --------------------------------------------------------------------------------------

OFF = "It answers once Attune may choose: 'attune portfolio route --automatic on'.\n"


def test_who_answers_and_why(attune: Attune, data: Path, other: Path, kept: None) -> None:
    keep(data, (PLAIN, (0.5, 0.5)), (BRIEF, (0.2, 0.2)), (OTHER, (0.3, 0.3)))
    other.unlink()
    said = attune("portfolio", "route")
    reason = "The file of Other is no longer there. Put it back."
    assert (said.code, said.err) == (0, OFF)
    assert said.out.splitlines() == [
        "Small, plain, because it does best on the whole.",
        "  or Small, short  (brief)",
        f"  not Other, plain: {reason}",
    ]
    found = attune("portfolio", "route", "--json").json
    assert (found["member"]["id"], found["why"]) == ("plain", said.out.splitlines()[0])
    assert [one["id"] for one in found["others"]] == ["brief"]
    assert [(one["candidate"]["id"], one["reason"]) for one in found["refused"]] == [
        ("other", reason)
    ]
    assert found["automatic"] is False


def test_sliders_choose_and_are_remembered(attune: Attune, data: Path, kept: None) -> None:
    for slider, other, expected in (("short+", "warm+", "brief"), ("warm+", "short+", "plain")):
        argv = ("--slider", f"{slider}=1", "--slider", f"{other}=0")
        assert attune("portfolio", "route", "--json", *argv).json["member"]["id"] == expected
        assert attune("portfolio", "route", "--json").json["member"]["id"] == expected
    settings, _ = SettingsFile(data / "settings.json").read()
    assert settings.sliders == {"short+": 0.0, "warm+": 1.0}


@pytest.mark.parametrize(
    "slider", ["short+", "short+=", "=0.5", "short+=1.1", "short+=nan", "short+=-1", "lists+=0.5"]
)
def test_a_slider_that_makes_no_sense_is_refused(
    attune: Attune, data: Path, kept: None, slider: str
) -> None:
    before = (data / "settings.json").read_bytes()
    said = attune("portfolio", "route", "--json", "--slider", "warm+=1", "--slider", slider)
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_parameter")
    assert said.err.startswith("attune: slider is ")
    assert (data / "settings.json").read_bytes() == before


def test_an_unknown_slider_names_those_there_are(attune: Attune, kept: None) -> None:
    said = attune("portfolio", "route", "--slider", "lists+=0.5")
    assert said.err == "attune: slider is 'lists+', but must be one of short+, warm+.\n"


def test_taking_another_member_can_be_undone(attune: Attune, kept: None) -> None:
    first = attune("portfolio", "route", "--json").json["member"]["id"]
    (other,) = {"plain", "brief"} - {first}
    taken = attune("portfolio", "route", "--take", other, "--json").json
    assert taken["member"]["id"] == other
    assert taken["why"].endswith(", because you took it.")
    assert attune("profile", "undo").code == 0
    assert attune("portfolio", "route", "--json").json["member"]["id"] == first


@pytest.mark.parametrize("id", ["nobody", ""])
def test_taking_what_is_no_member_is_refused(attune: Attune, kept: None, id: str) -> None:
    said = attune("portfolio", "route", "--take", id, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_parameter")
    assert said.err == f"attune: There is no member {id!r}, only plain, brief.\n"


def test_attune_may_be_allowed_to_choose(attune: Attune, kept: None) -> None:
    for word, on in (("on", True), ("off", False)):
        said = attune("portfolio", "route", "--automatic", word, "--json")
        assert (said.json["automatic"], said.err) == (on, "" if on else OFF)
        assert attune("portfolio", "route", "--json").json["automatic"] is on


def test_where_nobody_can_answer_it_says_where_the_reasons_are(
    attune: Attune, data: Path, other: Path
) -> None:
    keep(data, (OTHER, (0.5, 0.5)))
    other.unlink()
    said = attune("portfolio", "route")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("attune: No member can answer now. See 'attune portfolio show'")


# Pool ---------------------------------------------------------------------------------------


def test_the_pool_is_listed_with_what_is_missing(attune: Attune, job: Job) -> None:
    said = attune("portfolio", "pool")
    found = attune("portfolio", "pool", "--json").json
    count = len(found["candidates"])
    *listed, last = said.out.splitlines()
    assert listed == [f"{one['id']}  {one['name']}" for one in found["candidates"]]
    assert last == f"{count} settings; {10 * count} of {10 * count} answers are missing."
    assert job.asked == []


def test_a_setting_is_left_out_and_taken_in_again(attune: Attune) -> None:
    before = attune("portfolio", "pool", "--json").json
    id = before["candidates"][1]["id"]
    said = attune("portfolio", "pool", "--remove", id)
    assert f"{id}  {before['candidates'][1]['name']}  (left out)" in said.out.splitlines()
    assert [one["id"] for one in attune("portfolio", "pool", "--json").json["removed"]] == [id]
    assert attune("portfolio", "pool", "--restore", id, "--json").json == before


def test_a_setting_of_ones_own_is_added(attune: Attune) -> None:
    found = attune(
        "portfolio", "pool", "--add", STARTER_ID, "--prefer", "rhyming", "--prefer", "in verse",
        "--strength", "3", "--json",
    ).json  # fmt: skip
    added = found["candidates"][-1]
    assert (added["preferences"], added["gamma"]) == (["rhyming", "in verse"], 3.0)
    assert added["name"].endswith(", rhyming and in verse (strength 3)")
    assert attune("portfolio", "pool", "--json").json == found


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--remove", "nobody"), "There is no setting in the pool called 'nobody'."),
        (("--remove", ""), "There is no setting in the pool called ''."),
        (("--restore", "nobody"), "There is no setting left out called 'nobody'."),
        (("--add", "nonesuch", "--prefer", "x"), "There is no model 'nonesuch', only "),
        (("--add", STARTER_ID), "number of preferences is 0, but must be from 1 to 4."),
        (("--add", STARTER_ID, "--prefer", "x", "--strength", "11"), "strength is 11.0, but"),
        (("--prefer", "x"), "--prefer is of a setting to add."),
        (("--remove", "a", "--add", "b"), "Give one of --remove, --restore and --add at a time."),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(
    attune: Attune, argv: tuple[str, ...], said: str
) -> None:
    before = attune("portfolio", "pool", "--json").json
    refused = attune("portfolio", "pool", *argv)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"attune: {said}")
    assert attune("portfolio", "pool", "--json").json == before


# Who answers in `ask` -----------------------------------------------------------------------


def chooses(data: Path, **settings: object) -> None:
    remember(data, routing=True, **settings)


def test_ask_says_who_answers_and_why(attune: Attune, follow: Follow, data: Path) -> None:
    chooses(data)
    keep(data, (BRIEF, (0.8, 0.8)), (PLAIN, (0.1, 0.1)))
    follow(answers=("Water it.",) * 2)
    said = attune("ask", "Basil?")
    why = "Small, short, because it does best on the whole."
    assert (said.code, said.out, said.err) == (0, "Water it.\n", f"Answers: {why}\n")
    found = attune("ask", "Basil?", "--json").json
    assert found["member"] == {"id": "brief", "name": "Small, short", "why": why}
    assert (found["streams"], found["gamma"]) == (2, 2.0)


def test_ask_says_whose_preferences_act(attune: Attune, follow: Follow, data: Path) -> None:
    chooses(data, preferences=(Preference(text="formal"),))
    keep(data, (BRIEF, (0.8, 0.8)))
    follow(answers=("Water it.",))
    assert attune("ask", "Basil?").err.endswith(
        "because it does best on the whole. Your own preferences act instead of its.\n"
    )


def test_ask_answers_with_the_members_model(attune: Attune, data: Path, other: Path) -> None:
    chooses(data)
    keep(data, (OTHER, (0.8, 0.8)))
    found = attune("ask", "Basil?", "--json", "--max-tokens", "3").json
    assert (found["model"], found["member"]["id"]) == (OTHER.model, OTHER.id)


@pytest.mark.parametrize(
    ("settings", "argv"),
    [
        ({"routing": False}, ()),
        ({"neutral": True}, ()),
        ({}, ("--neutral",)),
        ({}, ("--model", STARTER_ID)),
    ],
)
def test_ask_names_no_member_where_none_answers(
    attune: Attune, data: Path, other: Path, settings: dict[str, object], argv: tuple[str, ...]
) -> None:
    remember(data, **({"routing": True} | settings))
    keep(data, (OTHER, (0.8, 0.8)))
    said = attune("ask", "Basil?", "--json", "--max-tokens", "3", *argv)
    assert (said.code, said.json["member"], "Answers" in said.err) == (0, None, False)


@pytest.mark.parametrize("damage", ["PRAGMA user_version = 99", "DELETE FROM builds"])
def test_ask_answers_where_there_is_no_portfolio_or_it_cannot_be_read(
    attune: Attune, data: Path, kept: None, damage: str
) -> None:
    chooses(data)
    with closing(sqlite3.connect(data / "calibration.db")) as connection, connection:
        connection.execute(damage)
    said = attune("ask", "Basil?", "--json", "--max-tokens", "3")
    assert (said.code, said.json["member"]) == (0, None)
    assert len(said.json["text"]) == 3


# Who answers in `chat` ----------------------------------------------------------------------


class Spy:
    """What the engine is asked for, and what is done after its first answer."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.models: list[str] = []
        self.loads = 0
        self.then: Callable[[Engine], object] = lambda _engine: None
        answer, start = Engine.answer, Engine.start

        def answered(engine: Engine, question: Question) -> Iterator[AnswerEvent]:
            for event in answer(engine, question):
                if isinstance(event, Answer):
                    self.models.append(event.model)
                yield event
            if len(self.models) == 1:
                self.then(engine)

        def started(engine: Engine, *model: str | None, **how: Any) -> Iterator[StartEvent]:
            self.loads += 1
            return start(engine, *model, **how)

        patch.setattr(Engine, "answer", answered)
        patch.setattr(Engine, "start", started)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch, data: Path, other: Path) -> Spy:
    remember(data, routing=True, duel_every=0)
    keep(data, (PLAIN, (0.8, 0.8)), (BRIEF, (0.5, 0.5)), (OTHER, (0.2, 0.2)))
    return Spy(monkeypatch)


def next_answers(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("Answers next: ")]


WHOLE = "Answers next: Small, plain, because it does best on the whole."
TOOK = "Answers next: Other, plain, because you took it."


def test_chat_loads_the_model_of_another_member_and_says_so_once(attune: Attune, spy: Spy) -> None:
    spy.then = lambda engine: engine.portfolio.override(OTHER.id)
    said = attune("chat", "--max-tokens", "2", typed="One?\nTwo?\nThree?\n")
    assert said.code == 0
    assert next_answers(said.err) == [WHOLE, TOOK]
    assert spy.models == [STARTER_ID, OTHER.model, OTHER.model]
    assert spy.loads == 2


def test_chat_loads_nothing_for_another_setting_of_the_same_model(attune: Attune, spy: Spy) -> None:
    spy.then = lambda engine: engine.portfolio.override(BRIEF.id)
    said = attune("chat", "--max-tokens", "2", typed="One?\nTwo?\n")
    assert next_answers(said.err)[1] == "Answers next: Small, short, because you took it."
    assert (len(spy.models), spy.loads) == (2, 1)


def test_chat_stays_with_the_model_that_was_named(attune: Attune, spy: Spy) -> None:
    spy.then = lambda engine: engine.portfolio.override(OTHER.id)
    said = attune("chat", "--model", STARTER_ID, "--max-tokens", "2", typed="One?\nTwo?\n")
    assert next_answers(said.err) == [WHOLE]
    assert (spy.models, spy.loads) == ([STARTER_ID] * 2, 1)


@pytest.mark.parametrize(
    ("settings", "argv"), [({"neutral": True}, ()), ({"routing": False}, ()), ({}, ("--neutral",))]
)
def test_chat_chooses_nobody_where_it_is_not_to(
    attune: Attune, spy: Spy, data: Path, settings: dict[str, object], argv: tuple[str, ...]
) -> None:
    remember(data, **({"routing": True, "duel_every": 0} | settings))
    spy.then = lambda engine: engine.portfolio.override(OTHER.id)
    said = attune("chat", *argv, "--max-tokens", "2", typed="One?\nTwo?\n")
    assert next_answers(said.err) == []
    assert spy.loads == 1


def test_chat_chooses_again_once_neutral_is_taken_back(attune: Attune, spy: Spy) -> None:
    typed = "/neutral\nOne?\n/neutral\nTwo?\n"
    spy.then = lambda engine: engine.portfolio.override(OTHER.id)
    said = attune("chat", "--max-tokens", "2", typed=typed)
    assert next_answers(said.err) == [WHOLE, TOOK]
    assert spy.models == [STARTER_ID, OTHER.model]


def test_chat_tries_a_model_that_cannot_be_loaded_once(
    attune: Attune, spy: Spy, other: Path
) -> None:
    def break_it(engine: Engine) -> None:
        engine.portfolio.override(OTHER.id)
        size, at = other.stat().st_size, other.stat().st_mtime_ns
        other.write_bytes(bytes(size))
        os.utime(other, ns=(at, at))

    spy.then = break_it
    said = attune("chat", "--max-tokens", "2", typed="One?\nTwo?\nThree?\n")
    assert next_answers(said.err) == [WHOLE, TOOK]
    assert said.err.count("The starter model answers.") == 1
    assert spy.models == [STARTER_ID] * 3
    assert spy.loads == 2


def test_chat_says_it_before_the_first_question(attune: Attune, spy: Spy) -> None:
    assert next_answers(attune("chat", typed="").err) == [WHOLE]
