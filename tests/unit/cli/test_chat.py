"""`attune chat`: a conversation line by line, from a pipe as well as by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import StorageError
from engine.session.learning import Learning
from engine.store.record import Record, StoredDuel
from engine.types.answers import Question
from engine.types.learning import Outcome, Voted
from engine.types.steering import GREEDY, Preference
from tests.fakes.host import Trouble
from tests.unit.cli.conftest import Attune, Follow, Said, Typed
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
    said = attune("chat", "--duels", "off")
    assert (said.code, said.out) == (0, "One.\n")
    assert said.err.count("not valid UTF-8") == 3


# Duels --------------------------------------------------------------------------------------

PROMPT = "[1] first  [2] second  [3] equal  [4] neither  [Enter] skip: "


class Hand:
    """Types lines at a terminal, the last one is the end of the input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str | type[BaseException]] = []
        self.prompts: list[str] = []
        monkeypatch.setattr(Typed, "isatty", lambda _self: True)
        monkeypatch.setattr("builtins.input", self._read)

    def types(self, *lines: str | type[BaseException]) -> None:
        self.lines += lines

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        line = self.lines.pop(0) if self.lines else EOFError
        if isinstance(line, str):
            return line
        raise line


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch, data: Path) -> Hand:
    """Somebody at the terminal, who is asked for a vote on every question."""
    remember(data, duel_every=1, sampling=replace(GREEDY, max_tokens=12))
    return Hand(monkeypatch)


def shown(said: Said) -> tuple[str, str]:
    """Both answers of the first duel that was printed."""
    a, first, gap, b, second, *_ = said.out.splitlines()
    assert (a, gap, b) == ("A", "", "B")
    return first, second


@pytest.mark.parametrize(
    ("typed", "outcome", "place"),
    [
        ("1", "first", 0), (" B ", "second", 1), ("Second", "second", 1), ("3", "equal", 0),
        ("neither", "neither", 0),
    ],
)  # fmt: skip
def test_a_vote_is_recorded_and_the_better_answer_stays(
    attune: Attune, hand: Hand, questions: list[Question], typed: str, outcome: str, place: int
) -> None:
    hand.types("First?", typed, "/neutral", "Second?")
    said = attune("chat")
    assert said.code == 0
    assert hand.prompts == ["\n> ", PROMPT, "\n> ", "\n> ", "\n> "]
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["outcome"] == outcome
    assert history(questions[0]) == ["First?", shown(said)[place], "Second?"]
    why, told = said.err.splitlines()[1:3]
    assert why.startswith("It is not known yet whether you like ")
    assert told.endswith(" /undo takes it back.")


@pytest.mark.parametrize("typed", ["", "  ", EOFError, KeyboardInterrupt])
def test_a_vote_may_be_skipped(
    attune: Attune, hand: Hand, questions: list[Question], typed: str | type[BaseException]
) -> None:
    hand.types("First?", typed, "/neutral", "Second?")
    said = attune("chat")
    assert history(questions[0]) == ["First?", shown(said)[0], "Second?"]
    assert attune("profile", "votes", "--json").json == {"votes": []}


def test_a_slip_of_the_hand_is_no_vote_and_no_question(attune: Attune, hand: Hand) -> None:
    hand.types("First?", "5", "fist", "2")
    said = attune("chat")
    assert said.err.count("Type 1, 2, 3 or 4, or press Enter to skip.") == 2
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["outcome"] == "second"


@pytest.mark.parametrize("line", ["And in winter, too?", "/quit"])
def test_the_next_line_may_come_instead_of_a_vote(
    attune: Attune, hand: Hand, duels: list[Question], line: str
) -> None:
    hand.types("First?", line)
    said = attune("chat")
    assert said.code == 0
    asked = [history(question)[-1] for question in duels]
    assert asked == (["First?"] if line == "/quit" else ["First?", line])
    assert attune("profile", "votes", "--json").json == {"votes": []}


def test_a_vote_can_be_taken_back(attune: Attune, hand: Hand) -> None:
    hand.types("First?", "1", "/undo", "/undo")
    told = attune("chat").err.splitlines()
    assert told[3].startswith("Took back the vote on ")
    assert told[4] == "attune: There is nothing to undo; vote first."
    assert attune("profile", "show", "--json").json["votes"] == 0


def test_answers_that_came_out_alike_are_one(
    attune: Attune, follow: Follow, hand: Hand, questions: list[Question]
) -> None:
    follow(answers=("Water it.", "Two."))
    hand.types("First?", "/neutral", "Second?")
    said = attune("chat")
    assert said.out == "A\nWater it.\nTwo.\n"
    assert "B came out nearly alike; the chat goes on with A." in said.err
    assert PROMPT not in hand.prompts
    assert history(questions[0]) == ["First?", "Water it.", "Second?"]


def test_a_crash_in_a_duel_asks_for_no_vote_and_keeps_what_is_there(
    attune: Attune, follow: Follow, hand: Hand, questions: list[Question], tmp_path: Path
) -> None:
    crash = Trouble(at="decode", tokens=3, times=1, count=str(tmp_path / "count"))
    follow(troubles=(crash,))
    hand.types("First?", "/neutral", "Second?")
    said = attune("chat")
    assert "crashed" in said.err
    assert PROMPT not in hand.prompts
    assert history(questions[0]) == ["First?", said.out.splitlines()[1], "Second?"]


def test_a_duel_that_cannot_be_recorded_does_not_cost_its_answers(
    attune: Attune, hand: Hand, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_record: Record, _duel: StoredDuel) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(Record, "open_duel", full)
    hand.types("First?", "/neutral", "Second?")
    said = attune("chat")
    assert "attune: The disk is full." in said.err
    assert PROMPT not in hand.prompts
    first, second = shown(said)
    assert second
    assert history(questions[0]) == ["First?", first, "Second?"]


def test_a_vote_that_cannot_be_saved_does_not_cost_the_answer(
    attune: Attune, hand: Hand, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_learning: Learning, _duel: str, _outcome: Outcome) -> Voted:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(Learning, "vote", full)
    hand.types("First?", "2", "/neutral", "Second?")
    said = attune("chat")
    assert "attune: The disk is full." in said.err
    assert history(questions[0]) == ["First?", shown(said)[1], "Second?"]


@pytest.mark.parametrize(
    ("argv", "settings"),
    [
        (("--duels", "off"), {}),
        (("--neutral",), {}),
        ((), {"neutral": True}),
        ((), {"duel_every": 0}),
    ],
)
def test_nobody_is_asked_for_votes_who_does_not_want_to_be(
    attune: Attune, hand: Hand, data: Path, argv: tuple[str, ...], settings: dict[str, object]
) -> None:
    remember(data, **({"duel_every": 1} | settings))
    hand.types("First?")
    said = attune("chat", *argv)
    assert said.code == 0
    assert not said.out.startswith("A\n")
    assert PROMPT not in hand.prompts


def test_lines_that_are_piped_in_are_questions_unless_votes_are_wanted(
    attune: Attune, data: Path
) -> None:
    remember(data, duel_every=1)
    assert not attune("chat", typed=lines("First?", "1")).out.startswith("A\n")
    said = attune("chat", "--duels", "on", typed=lines("First?", "1"))
    assert shown(said)
    assert attune("profile", "show", "--json").json["votes"] == 1


# What was learned ---------------------------------------------------------------------------


def test_what_was_learned_steers_unless_the_chat_is_neutral(
    attune: Attune, questions: list[Question]
) -> None:
    attune("chat", typed=lines("One?", "/neutral", "Two?", "/neutral", "Three?"))
    assert [question.personal for question in questions] == [True, False, True]


def test_neutral_at_the_start_can_be_taken_back(
    attune: Attune, data: Path, questions: list[Question]
) -> None:
    formal = (Preference(text="formal"),)
    remember(data, preferences=formal)
    attune("chat", "--neutral", typed=lines("One?", "/neutral", "Two?"))
    remember(data, preferences=formal, neutral=True)
    attune("chat", typed=lines("One?", "/neutral", "Two?"))
    assert [question.personal for question in questions] == [False, True] * 2
    assert [question.steering.preferences for question in questions] == [(), formal] * 2


def test_a_preference_that_is_said_acts_alone_where_neutral_is_remembered(
    attune: Attune, data: Path, questions: list[Question]
) -> None:
    remember(data, neutral=True)
    attune("chat", "--prefer", "formal", typed=lines("One?"))
    (question,) = questions
    assert (question.personal, question.steering.method) == (False, "amulet")
