"""`attune chat`: a conversation line by line, from a pipe as well as by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.types import Preference
from tests.fakes.host import Trouble
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.conftest import remember


def lines(*typed: str) -> str:
    return "".join(f"{line}\n" for line in typed)


def test_every_line_is_answered_until_the_input_ends(attune: Attune, follow: Follow) -> None:
    follow(answers=("One.", "Two."))
    said = attune("chat", typed=lines("First?", "", "Second?"))
    assert (said.code, said.out) == (0, "One.\nTwo.\n")
    assert "/help" in said.err


def test_the_last_line_needs_no_end(attune: Attune, follow: Follow) -> None:
    follow(answers=("One.",))
    assert attune("chat", typed="First?").out == "One.\n"


@pytest.mark.parametrize("word", ["/quit", "/exit"])
def test_the_chat_can_be_left(attune: Attune, follow: Follow, word: str) -> None:
    follow(answers=("One.",))
    assert attune("chat", typed=lines("First?", word, "Second?")).out == "One.\n"


def test_commands_change_how_the_next_answers_are(attune: Attune, follow: Follow) -> None:
    follow(answers=tuple("abcdefg"))
    said = attune(
        "chat",
        typed=lines(
            "/prefer concise", "Q", "/strength 5", "/neutral", "Q", "/neutral", "/prefer", "/again",
            "/new", "/again", "/strength x", "/what",
        ),
    )  # fmt: skip
    assert said.code == 0
    assert said.out == "a\nb\nc\n"
    told = said.err.splitlines()[1:]
    assert told[:6] == [
        "From now on: concise",
        "Strength 5.",
        "The untouched model answers.",
        "Steering is back.",
        "No preference.",
        "A new conversation.",
    ]
    assert told[6] == "attune: There is no question to answer again."
    assert told[7].startswith("attune: The strength is 'x'")
    assert told[8].lstrip().startswith("/prefer")


def test_an_error_ends_the_turn_and_not_the_chat(attune: Attune, follow: Follow) -> None:
    follow(answers=("One.", "Two."), trained=400)
    said = attune("chat", typed=lines("x" * 2000, "Short?"))
    assert (said.code, said.out) == (0, "One.\n")
    assert "attune: The question has" in said.err


def test_a_crash_is_told_and_the_chat_goes_on(
    attune: Attune, follow: Follow, tmp_path: Path
) -> None:
    crash = Trouble(at="decode", tokens=1, times=1, count=str(tmp_path / "count"))
    follow(answers=("One.",), troubles=(crash,))
    said = attune("chat", typed=lines("First?", "Second?"))
    assert said.code == 0
    assert said.out.endswith("One.\n")
    assert "crashed" in said.err


def test_what_is_remembered_and_what_is_said_at_the_start_holds(
    attune: Attune, follow: Follow, data: Path
) -> None:
    remember(data, preferences=(Preference(text="formal"),))
    follow(answers=("One.",))
    assert attune("chat", "--neutral", typed=lines("First?")).out == "One.\n"
    assert attune("chat", "--prefer", "concise", typed=lines("First?")).out == "One.\n"


def test_a_chat_has_no_json(attune: Attune) -> None:
    said = attune("chat", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")


def test_a_line_that_is_not_utf8_is_one_clear_error(attune: Attune) -> None:
    said = attune("chat", typed=b"\xff\xfe\n")
    assert said.code in {0, 1}
    assert "attune: The question is not valid UTF-8" in said.err
