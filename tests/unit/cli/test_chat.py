"""`attune chat`: a conversation line by line, from a pipe as well as by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.types import Preference, Question
from tests.fakes.host import Trouble
from tests.unit.cli.conftest import Attune, Follow, Typed
from tests.unit.conftest import remember


def lines(*typed: str) -> str:
    return "".join(f"{line}\n" for line in typed)


def test_every_line_is_answered_until_the_input_ends(attune: Attune, follow: Follow) -> None:
    follow(answers=("One.", "Two."))
    said = attune("chat", typed=lines("First?", "", "Second?"))
    assert (said.code, said.out) == (0, "One.\nTwo.\n")
    assert said.err.startswith("SmolLM2 135M Instruct answers. /help")


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


def history(question: Question) -> list[str]:
    return [message.text for message in question.messages]


def test_a_question_without_an_answer_does_not_stay_in_the_history(
    attune: Attune, follow: Follow, questions: list[Question]
) -> None:
    follow(answers=("One.", "", "Three."))
    attune("chat", typed=lines("First?", "Second?", "Third?"))
    assert history(questions[-1]) == ["First?", "One.", "Third?"]


def test_a_question_without_an_answer_can_be_asked_again(
    attune: Attune, follow: Follow, questions: list[Question]
) -> None:
    follow(answers=("One.", "", "Two.", "Three."))
    attune("chat", typed=lines("First?", "Second?", "/again", "Third?"))
    assert history(questions[2]) == ["First?", "One.", "Second?"]
    assert history(questions[3]) == ["First?", "One.", "Second?", "Two.", "Third?"]


def test_a_question_that_failed_can_be_asked_again(
    attune: Attune, follow: Follow, questions: list[Question], tmp_path: Path
) -> None:
    trouble = Trouble(at="prefill", kind="memory", times=1, count=str(tmp_path / "count"))
    follow(answers=("One.",), troubles=(trouble,))
    said = attune("chat", typed=lines("First?", "/again"))
    assert said.out == "One.\n"
    assert "not enough memory" in said.err
    assert [history(q) for q in questions] == [["First?"], ["First?"]]


def test_asking_again_replaces_the_answer(
    attune: Attune, follow: Follow, questions: list[Question]
) -> None:
    follow(answers=("One.", "Two.", "Three."))
    attune("chat", typed=lines("First?", "/again", "Second?"))
    assert history(questions[-1]) == ["First?", "Two.", "Second?"]


def test_no_preference_keeps_the_rest_of_the_steering(
    attune: Attune, follow: Follow, questions: list[Question]
) -> None:
    follow(answers=("One.", "Two."))
    attune(
        "chat", "--prefer", "formal", "--strength", "5", "--place", "system", "--plausibility",
        "off", "--combine", "compose", typed=lines("/prefer", "Q", "/prefer concise", "Q"),
    )  # fmt: skip
    without, with_one = (q.steering for q in questions)
    assert (without.method, without.preferences) == ("base", ())
    assert with_one == replace(without, method="amulet", preferences=(Preference(text="concise"),))
    assert (with_one.gamma, with_one.place, with_one.combine) == (5.0, "system", "compose")
    assert with_one.plausibility is None


@pytest.mark.parametrize("strength", ["50", "-1", "nan", "inf", ""])
def test_a_strength_out_of_range_is_refused_when_it_is_set(
    attune: Attune, follow: Follow, questions: list[Question], strength: str
) -> None:
    follow(answers=("One.",))
    said = attune("chat", "--prefer", "x", typed=lines(f"/strength {strength}", "Q"))
    assert said.err.splitlines()[1:] == [
        f"attune: The strength is '{strength}', but must be a number from 0 to 10."
    ]
    assert questions[0].steering.gamma == 2.0


def test_a_preference_too_many_is_refused_when_it_is_set(
    attune: Attune, follow: Follow, questions: list[Question]
) -> None:
    follow(answers=("One.",))
    said = attune("chat", typed=lines(*(f"/prefer p{i}" for i in range(5)), "Q"))
    (complaint,) = (line for line in said.err.splitlines() if line.startswith("attune"))
    assert complaint == "attune: 4 preferences are the most. /prefer alone clears them."
    assert len(questions[0].steering.preferences) == 4


def test_a_preference_that_is_too_long_is_refused_when_it_is_set(
    attune: Attune, follow: Follow
) -> None:
    follow(answers=("One.",))
    said = attune("chat", typed=lines(f"/prefer {'x' * 301}", "Q"))
    assert said.out == "One.\n"
    assert "301 characters" in said.err


@pytest.mark.parametrize("method", ["la", "pref"])
def test_a_method_without_strength_says_so_and_tells_the_way_out(
    attune: Attune, follow: Follow, questions: list[Question], method: str
) -> None:
    follow(answers=("One.", "Two."))
    said = attune(
        "chat", "--prefer", "x", "--method", method,
        typed=lines("/strength 5", "/prefer y", "Q", "/prefer", "/prefer y", "/strength 5", "Q"),
    )  # fmt: skip
    (complaint,) = (line for line in said.err.splitlines() if line.startswith("attune"))
    assert complaint.startswith(f"attune: The method {method} ignores the strength. /prefer alone")
    before, after = (q.steering for q in questions)
    assert (before.method, len(before.preferences)) == (method, 2)
    assert (after.method, after.gamma) == ("amulet", 5.0)


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


def test_a_piped_line_that_is_not_utf8_does_not_end_the_chat(
    attune: Attune, follow: Follow
) -> None:
    follow(answers=("One.",))
    said = attune("chat", typed=b"\xff\xfe\nWell?\n")
    assert (said.code, said.out) == (0, "One.\n")
    assert said.err.count("attune: The question is not valid UTF-8 (byte 1)") == 1


def test_a_typed_line_that_is_not_utf8_does_not_end_the_chat(
    attune: Attune, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str | Exception] = [
        "Gr\udcfcn?",
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        "half \ud800",
        "Well?",
        EOFError(),
    ]

    def read(_prompt: str) -> str:
        line = typed.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    monkeypatch.setattr(Typed, "isatty", lambda _self: True)
    monkeypatch.setattr("builtins.input", read)
    follow(answers=("One.",))
    said = attune("chat")
    assert (said.code, said.out) == (0, "One.\n")
    assert said.err.count("not valid UTF-8") == 3
