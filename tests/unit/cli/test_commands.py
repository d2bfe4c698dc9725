"""The other commands, how they end, and what they print."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from engine.api import Engine, OpenWindow
from engine.cli import doctor
from engine.cli.arguments import parser
from engine.endings import RunNote
from engine.models.catalogue import STARTER_ID
from engine.session import selftest
from engine.session.running import SAFE_CONTEXT
from engine.types.answers import Question
from engine.types.models import Launch
from engine.types.steering import Preference, Sampling
from engine.version import __version__
from tests.fakes import host as fake
from tests.fakes.host import ROOT, Trouble
from tests.fixtures.tiny_adapter import write_tiny_adapter
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.conftest import remember


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)


# The whole ----------------------------------------------------------------------------------


def test_the_version_is_text(attune: Attune) -> None:
    said = attune("--version")
    assert (said.code, said.out) == (0, f"attune {__version__}\n")


@pytest.mark.parametrize("argv", [("--help",), ("ask", "--help"), ("models", "add", "--help")])
def test_help_is_no_error(attune: Attune, argv: tuple[str, ...]) -> None:
    said = attune(*argv)
    assert said.code == 0
    assert "usage: attune" in said.out


@pytest.mark.parametrize(
    "argv",
    [
        ("nonsense",),
        ("ask",),
        ("ask", "Q", "--no-such-option"),
        ("ask", "Q", "--temperature", "warm"),
        ("ask", "Q", "--method", "magic"),
        ("models",),
        ("models", "burn"),
        ("models", "add"),
        ("--data-dir",),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(attune: Attune, argv: tuple[str, ...]) -> None:
    said = attune(*argv)
    assert (said.code, said.out) == (2, "")
    assert "usage: attune" in said.err
    told = attune("--json", *argv)
    assert (told.code, told.err) == (2, said.err)
    assert set(told.json) == {"error"}
    assert told.json["error"]["code"] == "usage"
    assert f"attune: {told.json['error']['message']}\n" in told.err


@pytest.mark.parametrize(
    ("command", "verbs"),
    [
        ("chats", "list, show, search, export, import, delete, undelete, erase, rename, pin"),
        ("data", "show, export, erase"),
        ("workshop", "train"),
        ("models", "list, add"),
    ],
)
def test_a_command_without_its_verb_names_them(attune: Attune, command: str, verbs: str) -> None:
    said = attune(command)
    assert (said.code, f"say what to do: {verbs}" in said.err) == (2, True)
    assert verbs in attune(command, "--json").json["error"]["message"]


def test_every_option_of_steering_says_what_it_does() -> None:
    silent = [
        option
        for command in _commands(parser())
        for action in command._actions
        for option in action.option_strings
        if not action.help
    ]
    sampling = {f"--{field.name.replace('_', '-')}" for field in fields(Sampling)}
    assert set(silent) == sampling | {"--alpha", "--lambda", "--eta", "--rounds"}


def _commands(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _commands(command)


def test_without_a_command_the_window_opens_where_there_is_a_display(
    attune: Attune, tmp_path: Path
) -> None:
    asked: list[OpenWindow] = []

    def open_window(request: OpenWindow) -> int:
        asked.append(request)
        return 7

    said = attune(
        "--data-dir", tmp_path, "--model", "m", open_window=open_window, has_display=lambda: True
    )
    assert said.code == 7
    assert asked == [OpenWindow(data_dir=tmp_path, model="m")]
    attune("--safe-mode", open_window=open_window)
    assert asked[1] == OpenWindow(safe=True)


@pytest.mark.parametrize(
    "how", [{"open_window": lambda _request: 7, "has_display": lambda: False}, {}]
)
def test_without_a_display_the_chat_starts_and_says_why(
    attune: Attune, follow: Follow, how: dict[str, Any]
) -> None:
    follow(answers=("Yes.",))
    said = attune(typed="Well?\n", **how)
    assert said.code == 0
    assert "no display" in said.err.splitlines()[0]
    assert said.out == "Yes.\n"


def test_where_the_window_lacks_something_that_is_said_and_the_chat_starts(
    attune: Attune, follow: Follow
) -> None:
    follow(answers=("Yes.",))
    said = attune(
        typed="Well?\n", open_window=lambda _request: 7, window_trouble=lambda: "It lacks a screw."
    )
    assert (said.code, said.out) == (0, "Yes.\n")
    assert said.err.splitlines()[0] == "It lacks a screw. The chat is here in the terminal."


def test_a_command_does_not_ask_for_a_display(attune: Attune) -> None:
    def has_display() -> bool:
        pytest.fail("asked")

    assert attune("models", "list", has_display=has_display).code == 0


# Models -------------------------------------------------------------------------------------


def test_the_list_of_models_has_what_scripts_rely_on(attune: Attune) -> None:
    (card,) = attune("models", "list", "--json").json["models"]
    assert card["id"] == STARTER_ID
    assert {"path", "sha256", "parameters", "context", "licence"} <= set(card)
    assert card["chosen"]
    assert attune("models", "list").out.startswith(f"* {STARTER_ID}")


def test_a_model_is_added_chosen_verified_and_forgotten(attune: Attune, other: Path) -> None:
    (added,) = attune("models", "add", other, "--json").json["models"]
    assert (added["id"], added["name"], added["chosen"]) == ("other", "Other", False)
    assert "other" in attune("models", "use", "other").out + "other"
    listed = attune("models", "list", "--json").json["models"]
    assert [(c["id"], c["chosen"]) for c in listed] == [(STARTER_ID, False), ("other", True)]
    (verified,) = attune("models", "verify", "other", "--json").json["models"]
    assert verified["sha256"] == added["sha256"]
    assert attune("models", "remove", "other").out.startswith("Forgot other.")
    assert other.exists()
    (left,) = attune("models", "list", "--json").json["models"]
    assert left["chosen"]


def test_an_adapter_is_added_told_apart_asked_and_forgotten(
    attune: Attune, follow: Follow, other: Path, tmp_path: Path
) -> None:
    adapter = write_tiny_adapter(tmp_path / "warm.gguf", base=other)
    attune("models", "add", other)
    refused = attune("models", "add", adapter, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "input")
    (added,) = attune("models", "add", adapter, "--base", "other", "--json").json["models"]
    assert (added["id"], added["name"]) == ("warm", "Other, warm")
    assert (added["path"], added["adapter"]) == (str(other), str(adapter))
    plain, worn = attune("models", "list").out.splitlines()[1:]
    assert "adapter" not in plain
    assert worn.endswith("  adapter of other")
    follow(answers=("Yes.",))
    said = attune("ask", "Well?", "--model", "warm", "--json").json
    assert (said["model"], said["text"]) == ("warm", "[warm.gguf 1] Yes.")
    hashes = f"{added['sha256']} with {added['adapter_sha256']}"
    assert attune("models", "verify", "warm").out == f"warm: verified, sha256 {hashes}\n"
    assert attune("models", "remove", "other").code == 1
    forgot = attune("models", "remove", "warm").out
    assert forgot == f"Forgot warm. The file stays at {adapter}.\n"
    assert attune("models", "remove", "other").code == 0


def test_a_file_can_be_chosen_by_its_path_and_is_found_again(
    attune: Attune, follow: Follow, other: Path
) -> None:
    follow(answers=("Yes.",))
    assert attune("models", "use", other).code == 0
    assert attune("ask", "Well?", "--json").json["model"] == "other"


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("remove", STARTER_ID), "invalid_parameter"),
        (("remove", "nonesuch"), "model_not_found"),
        (("verify", "nonesuch"), "model_not_found"),
        (("use", "nonesuch"), "model_not_found"),
        (("add", "/nowhere/at/all.gguf"), "model_not_found"),
        (("add", __file__), "not_a_model"),
    ],
)
def test_an_error_about_models_has_a_code_and_one_line(
    attune: Attune, argv: tuple[str, ...], code: str
) -> None:
    said = attune("models", *argv, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, code)
    assert said.err == f"attune: {said.json['error']['message']}\n"


def test_a_changed_file_is_told(attune: Attune, other: Path) -> None:
    attune("models", "add", other)
    write_tiny_llama(other, name="Other", seed=4)
    said = attune("models", "verify", "other", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "model_changed")


def test_all_models_are_verified_also_after_one_that_changed(
    attune: Attune, other: Path, tmp_path: Path
) -> None:
    third = write_tiny_llama(tmp_path / "Third.gguf", name="Third", seed=5)
    starter_alone = attune("models", "list", "--json").json["models"]
    attune("models", "add", other)
    attune("models", "add", third)
    write_tiny_llama(other, name="Other", seed=4)
    assert len(starter_alone) == 1
    found = attune("models", "verify", "--json")
    assert found.code == 1
    assert found.json["error"]["code"] == "model_changed"
    # The starter of these tests is a tiny one, so it is not what it should be either.
    assert {c["id"]: c["verified"] for c in found.json["models"]} == {
        STARTER_ID: False,
        "other": False,
        "third": True,
    }
    said = attune("models", "verify")
    assert said.code == 1
    assert [line.split(":")[0] for line in said.out.splitlines()] == [STARTER_ID, "other", "third"]
    assert "third: verified, sha256 " in said.out
    assert said.err == f"attune: {found.json['error']['message']}\n"


def test_a_model_whose_file_is_gone_is_not_passed_over_by_verify(
    attune: Attune, other: Path
) -> None:
    attune("models", "add", other)
    other.unlink()
    found = attune("models", "verify", "--json")
    assert found.code == 1
    assert {c["id"]: c["verified"] for c in found.json["models"]}["other"] is False


def test_where_every_model_is_what_it_was_verify_succeeds(
    attune: Attune, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attune("models", "add", other)
    monkeypatch.setattr(Engine, "verify_model", Engine.find_model)
    found = attune("models", "verify", "--json")
    assert found.code == 0
    assert [c["verified"] for c in found.json["models"]] == [True, True]
    assert "error" not in found.json


def test_a_missing_file_is_marked_in_the_list(attune: Attune, other: Path) -> None:
    attune("models", "add", other)
    other.unlink()
    assert "(file is missing)" in attune("models", "list").out
    assert attune("models", "remove", "other").code == 0


# Doctor -------------------------------------------------------------------------------------


def test_the_doctor_tells_what_scripts_rely_on(attune: Attune) -> None:
    found = attune("doctor", "--json").json
    wanted = {"cpu_variant", "devices", "threads", "model", "data_dir", "sqlite", "self_test"}
    assert wanted <= set(found)
    assert found["self_test"][0]["works"]
    assert found["cpu_variant"] == "newest"


@pytest.mark.parametrize(("argv", "kept"), [((), "sse42"), (("--renew",), "newest")])
def test_the_doctor_keeps_what_is_remembered_unless_told_to_choose_again(
    attune: Attune, data: Path, argv: tuple[str, ...], kept: str
) -> None:
    remember(data, launch=Launch(variant="sse42"))
    assert attune("doctor", *argv, "--json").json["cpu_variant"] == kept
    assert json.loads((data / "settings.json").read_text())["launch"]["variant"] == kept


def test_the_doctor_tells_people_what_was_tried(attune: Attune, follow: Follow) -> None:
    crash = Trouble(at="trial", signal=signal.SIGILL, variant="newest", repacked=True)
    follow(troubles=(crash,))
    said = attune("doctor")
    assert said.code == 0
    tried = [line for line in said.out.splitlines() if line.startswith("Tried")]
    assert len(tried) == 2
    assert "does not have" in tried[0]
    assert "tokens/s" in tried[1]


@pytest.mark.parametrize("offline", [True, False])
def test_the_doctor_claims_to_be_offline_only_where_that_was_tried(
    attune: Attune, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    probe = selftest.probe
    monkeypatch.setattr(selftest, "probe", lambda spawn: replace(probe(spawn), offline=offline))
    assert attune("doctor", "--json").json["offline"] is offline
    (line,) = [x for x in attune("doctor").out.splitlines() if x.startswith("Network")]
    assert ("lets open no connection" in line) is offline


def test_the_doctor_says_where_the_data_folder_lies_beside_the_program(
    attune: Attune, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"{data}\n" in attune("doctor").out
    monkeypatch.setattr(doctor, "beside_program", lambda: data)
    assert f"{data} (beside the program)\n" in attune("doctor").out


def test_the_doctor_names_the_model_for_people_and_its_id_for_programs(attune: Attune) -> None:
    assert "Model         SmolLM2 135M Instruct\n" in attune("doctor").out
    assert attune("doctor", "--json").json["model"] == STARTER_ID


def test_the_doctor_tells_what_safe_mode_runs_with_and_remembers_nothing_of_it(
    attune: Attune, data: Path, other: Path
) -> None:
    attune("models", "add", other)
    remember(data, model="other", launch=Launch(variant="newest", gpu_layers=-1))
    before = (data / "settings.json").read_bytes()
    found = attune("--safe-mode", "doctor", "--json").json
    assert (found["safe_mode"], found["model"], found["cpu_variant"]) == (True, STARTER_ID, "sse42")
    assert (found["launch"]["gpu_layers"], found["launch"]["extra_bufts"]) == (0, False)
    (line,) = [x for x in attune("doctor", "--safe-mode").out.splitlines() if "Safe mode" in x]
    assert "CPU (sse42)" in line
    assert (data / "settings.json").read_bytes() == before
    assert attune("doctor", "--json").json["safe_mode"] is False
    assert "Safe mode" not in attune("doctor").out


def test_where_nothing_works_the_doctor_says_so_in_one_object(
    attune: Attune, follow: Follow
) -> None:
    follow(variants=(), troubles=(Trouble(at="load", kind="memory"),))
    said = attune("doctor", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "engine"
    assert len(said.json["self_test"]) == 2


def test_the_doctor_names_the_log_and_the_last_bad_end(attune: Attune, data: Path) -> None:
    said = attune("doctor").out
    assert f"Log folder    {data / 'logs'}\n" in said
    assert "Bad end" not in said
    assert attune("doctor", "--json").json["last_bad_end"] is None
    note = RunNote(data / "logs", clock=lambda: 1_750_000_000.0)
    note.begin()
    with note.during("loading", model="Qwen 0.5B", launch=Launch(variant="haswell", threads=4)):
        said = attune("doctor").out
        told = attune("doctor", "--json").json["last_bad_end"]
    how = "while it loaded Qwen 0.5B with CPU (haswell), 4 threads, context 8192"
    assert f"Bad end       Attune {__version__} stopped {how}, 2025-06-15" in said
    assert (told["doing"], told["model"], told["launch"]["threads"]) == ("loading", "Qwen 0.5B", 4)


# Logging and safe mode ------------------------------------------------------------------------


def test_errors_are_told_once_and_standard_error_holds_no_log(attune: Attune, data: Path) -> None:
    remember(data, routing=True)
    for name in ("record.db", "calibration.db"):
        (data / name).write_bytes(b"no database at all, and long enough to be looked at" * 20)
    said = attune("ask", "Well?")
    assert said.code == 0
    assert said.err.count("record.db") == 1
    assert "WARNING" not in said.err


@pytest.mark.parametrize("level", ["debug", "warning"])
def test_a_log_on_standard_error_holds_texts_only_where_they_were_asked_for(
    attune: Attune, data: Path, level: str
) -> None:
    remember(data, routing=True)
    (data / "calibration.db").write_bytes(b"no database at all" * 100)
    said = attune("ask", "Well?", "--log-level", level)
    told = "engine.session.asking: what was built cannot be read: DamagedRecord (damaged_rec"
    assert told in said.err
    assert str(data) not in said.err
    whole = attune("ask", "Well?", "--debug").err
    assert f"what was built cannot be read: The calibration record {data}" in whole


def test_the_log_file_holds_warnings_and_no_texts(attune: Attune, data: Path) -> None:
    remember(data, routing=True)
    (data / "calibration.db").write_bytes(b"no database at all" * 100)
    attune("ask", "How do I tell my mother?", "--debug")
    log = (data / "logs" / "attune.log").read_text()
    assert "DamagedRecord" in log
    assert "mother" not in log


def test_safe_mode_takes_the_starter_on_the_processor_and_steers_nothing(
    attune: Attune, data: Path, other: Path, questions: list[Question]
) -> None:
    attune("models", "add", other)
    preferences = (Preference(text="concise"),)
    remember(data, model="other", preferences=preferences, gamma=5.0)
    before = (data / "settings.json").read_bytes()
    said = attune("ask", "Well?", "--safe-mode", "--json").json
    assert said["model"] == STARTER_ID
    assert said["context"]["size"] == SAFE_CONTEXT
    (question,) = questions
    assert (question.personal, question.steering.preferences) == (False, ())
    assert (data / "settings.json").read_bytes() == before
    assert attune("ask", "Well?", "--json").json["model"] == "other"


# As a program -------------------------------------------------------------------------------


def program(data: Path, *argv: str, **script: Any) -> subprocess.Popen[bytes]:
    """`attune` as a process of its own, with a fake child."""
    command = fake.command(**script)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});"
        "from engine.inference import client; from engine.cli.main import main;"
        f"client.own_command = lambda: {command!r}; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv, "--data-dir", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_ctrl_c_stops_the_answer_and_keeps_what_is_there(data: Path, tmp_path: Path) -> None:
    gate = str(tmp_path / "never")
    with program(data, "ask", "Basil?", answers=("Water it.",), gate=gate) as attune:
        assert attune.stdout is not None
        assert attune.stdout.read(1) == b"W"
        attune.send_signal(signal.SIGINT)
        out, err = attune.communicate(timeout=20)
    assert attune.returncode == 130
    assert out in {b"\n", b"a\n"}
    assert err == b""


def test_a_reader_that_leaves_early_is_no_disaster(data: Path) -> None:
    with program(data, "models", "list") as attune:
        assert attune.stdout is not None
        attune.stdout.close()
        attune.stdout = None
        _, err = attune.communicate(timeout=20)
    assert attune.returncode == 1
    assert b"Traceback" not in err


@pytest.mark.parametrize("name", ["nowhere.attune-profile", "nowhere.gguf"])
def test_a_file_to_open_that_is_not_there_is_said_in_a_line(attune: Attune, name: str) -> None:
    said = attune(name)
    assert (said.code, said.err) == (1, f"attune: There is no file {name}; check its name.\n")
