"""`attune ask`: the answer on standard output, everything else beside it."""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from engine.api import Engine
from engine.cli.arguments import parser
from engine.cli.ask import sampling_of, steering_of
from engine.config import Settings
from engine.errors import InputError, InvalidParameter
from engine.models.catalogue import STARTER_ID
from engine.steering.strength import gamma
from engine.types.steering import Preference, Sampling, Steering
from tests.fakes.host import Trouble
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.conftest import remember


def asked(*argv: str) -> argparse.Namespace:
    return parser().parse_args(["ask", "Q", *argv])


# Output -------------------------------------------------------------------------------------


def test_the_answer_and_nothing_else_goes_to_standard_output(
    attune: Attune, follow: Follow
) -> None:
    follow(answers=("Water it.",))
    said = attune("ask", "Basil?")
    assert (said.code, said.out, said.err) == (0, "Water it.\n", "")


def test_json_is_one_object_with_what_scripts_rely_on(attune: Attune, follow: Follow) -> None:
    follow(answers=("Wässere es 🌱.",))
    said = attune(
        "ask", "Basil?", "--json", "--prefer", "concise", "--strength", "3", "--seed", "5"
    )
    assert said.code == 0
    found = said.json
    assert found["text"] == "Wässere es 🌱."
    assert (found["finish"], found["streams"], found["gamma"]) == ("end", 2, 3.0)
    assert found["tokens"] == len("Wässere es 🌱.".encode())
    assert set(found["seconds"]) == {"load", "prefill", "decode", "steer"}
    assert found["seconds"]["load"] > 0
    assert (found["model"], found["seed"]) == (STARTER_ID, 5)
    assert found["context"]["used"] > 0
    assert said.out.isascii()


def test_notices_go_to_standard_error(attune: Attune, follow: Follow, data: Path) -> None:
    (data / "settings.json").unlink()
    follow(answers=("Yes.",))
    said = attune("ask", "Well?", "--json", "--temperature", "0")
    assert said.json["text"] == "Yes."
    assert "First start" in said.err


def test_a_models_words_do_not_steer_the_terminal(attune: Attune, follow: Follow) -> None:
    evil = "a\x1b[31mb\x07c\x9b31m\x08\r\x7fd\u202ee\x1b]0;title\x1b\\"
    follow(answers=(evil,))
    said = attune("ask", "Well?")
    assert said.out == "a[31mbc31mde]0;title\\\n"
    said = attune("ask", "Well?", "--json")
    assert said.json["text"] == evil
    assert all(c.isprintable() for c in said.out.rstrip("\n").replace("\x7f", ""))


def test_joiners_of_emoji_and_scripts_stay(attune: Attune, follow: Follow) -> None:
    follow(answers=("👩\u200d🚀 ❤\ufe0f\tx\ny",))
    assert attune("ask", "Well?").out == "👩\u200d🚀 ❤\ufe0f\tx\ny\n"


def test_a_terminal_that_lacks_a_letter_shows_another(
    attune: Attune, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(answers=("Früh 🌱",))
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert attune("ask", "Wann?").code == 0
    narrow.flush()
    assert narrow.buffer.getvalue() == b"Fr?h ?\n"


# Input --------------------------------------------------------------------------------------


def test_a_dash_reads_the_question_from_standard_input(attune: Attune, follow: Follow) -> None:
    follow(answers=("Yes.",))
    assert attune("ask", "-", typed="Grün?").out == "Yes.\n"


@pytest.mark.parametrize(
    ("typed", "code"),
    [(b"\xff", "invalid_text"), (b" \n", "empty_question"), (b"", "empty_question")],
)
def test_a_question_that_is_none_is_refused(attune: Attune, typed: bytes, code: str) -> None:
    said = attune("ask", "-", "--json", typed=typed)
    assert said.code == 1
    assert said.json["error"]["code"] == code
    assert said.err.count("\n") == 1


def test_an_argument_that_is_not_unicode_is_refused(attune: Attune) -> None:
    said = attune("ask", "half \udcff", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_text")


# Options ------------------------------------------------------------------------------------


def test_common_options_stand_before_or_after_the_command(
    attune: Attune, follow: Follow, tmp_path: Path
) -> None:
    follow(answers=("Yes.",))
    model = str(write_tiny_llama(tmp_path / "Other.gguf", name="Other"))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    remember(folder)
    common = ("--json", "--data-dir", str(folder), "--model", model)
    for argv in ((*common, "ask", "Q"), ("ask", "Q", *common), ("ask", *common, "Q")):
        said = attune(*argv)
        assert said.json["model"] == "other"
        assert said.json["text"] == "Yes."


def test_every_sampling_option_reaches_the_sampling() -> None:
    given = {
        "temperature": 1.25, "top_k": 7, "top_p": 0.5, "min_p": 0.25, "repetition_penalty": 1.5,
        "max_tokens": 9, "seed": 3,
    }  # fmt: skip
    assert set(given) == {field.name for field in fields(Sampling)}
    argv = [part for k, v in given.items() for part in (f"--{k.replace('_', '-')}", str(v))]
    assert sampling_of(asked(*argv), Settings()) == Sampling(**given)  # type: ignore[arg-type]


def test_what_is_not_said_is_what_is_remembered() -> None:
    remembered = Settings(
        sampling=Sampling(temperature=0.1, max_tokens=3),
        preferences=(Preference(text="formal"),),
        gamma=4.5,
    )
    assert sampling_of(asked("--seed", "1"), remembered) == replace(remembered.sampling, seed=1)
    assert steering_of(asked(), remembered) == Steering(
        method="amulet", preferences=remembered.preferences, gamma=4.5
    )


def test_preferences_that_are_said_replace_the_remembered_ones() -> None:
    remembered = Settings(preferences=(Preference(text="formal"),), neutral=True)
    found = steering_of(asked("--prefer", "a b", "--prefer", "concise"), remembered)
    assert [p.text for p in found.preferences] == ["a b", "concise"]


@pytest.mark.parametrize("argv", [(), ("--neutral",)])
def test_neutral_is_the_untouched_model(argv: tuple[str, ...]) -> None:
    remembered = Settings(preferences=(Preference(text="formal"),), neutral=not argv)
    found = steering_of(asked(*argv), remembered)
    assert (found.method, found.preferences) == ("base", ())


def test_the_remaining_steering_options_reach_the_steering() -> None:
    found = steering_of(
        asked(
            "--prefer", "x", "--strength", "0", "--method", "amulet", "--place", "system",
            "--combine", "compose", "--plausibility", "0.5",
        ),
        Settings(gamma=9.0),
    )  # fmt: skip
    assert found == Steering(
        method="amulet", preferences=(Preference(text="x"),), gamma=0.0, plausibility=0.5,
        place="system", combine="compose",
    )  # fmt: skip
    assert steering_of(asked("--plausibility", "off"), Settings()).plausibility is None
    assert steering_of(asked("--prefer", "x", "--method", "la"), Settings()).method == "la"


@pytest.mark.parametrize(
    ("argv", "game"),
    [
        (("--rounds", "10"), {"rounds": 10}),
        (("--alpha", "1"), {"alpha": 1.0}),
        (("--lambda", "4", "--eta", "1"), {"lam": 4.0, "eta": 1.0}),
    ],
)
def test_the_published_parameters_give_their_strength(
    argv: tuple[str, ...], game: dict[str, float]
) -> None:
    found = steering_of(asked("--prefer", "x", *argv), Settings())
    assert found.gamma == gamma(**game)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (("--strength", "1", "--rounds", "3"), InputError),
        (("--alpha", "4"), InvalidParameter),
        (("--eta", "0"), InvalidParameter),
        (("--plausibility", "much"), InvalidParameter),
        (("--method", "la"), InputError),
    ],
)
def test_options_that_contradict_are_refused(
    argv: tuple[str, ...], error: type[InputError]
) -> None:
    preference = () if "--method" in argv else ("--prefer", "x")
    arguments = asked(*preference, *argv)
    with pytest.raises(error):
        steering_of(arguments, Settings())


@pytest.mark.parametrize("method", ["base", "pref", "la"])
@pytest.mark.parametrize("argv", [("--strength", "4"), ("--rounds", "9"), ("--eta", "1")])
def test_a_strength_is_refused_with_a_method_that_ignores_it(
    method: str, argv: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match=f"method {method} ignores --strength"):
        steering_of(asked("--prefer", "x", "--method", method, *argv), Settings())


def test_a_strength_without_a_preference_is_refused_for_one_question(
    attune: Attune, follow: Follow
) -> None:
    said = attune("ask", "Q", "--strength", "4", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")
    assert "--prefer" in said.err
    follow(answers=("Yes.",))
    assert attune("ask", "Q", "--strength", "4", "--neutral").code == 0


@pytest.mark.parametrize(
    "argv",
    [
        ("ask", "Q", "--strength", "99", "--prefer", "x"),
        ("ask", "Q", "--temperature", "-1"),
        ("ask", " "),
        ("chat", "--strength", "99"),
        ("chat", *("--prefer", "x") * 5),
        ("chat", "--prefer", "x" * 301),
        ("chat", "--top-p", "2"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_model_is_loaded(
    attune: Attune, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    monkeypatch.delattr(Engine, "start")
    said = attune(*argv, typed="Q\n")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("attune: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ("--strength", "99", "--prefer", "x"),
        ("--strength", "nan", "--prefer", "x"),
        ("--temperature", "-1"),
        ("--top-p", "inf"),
        ("--max-tokens", "0"),
        ("--seed", "-1"),
        ("--seed", str(10**30)),
        ("--min-p", "nan"),
        ("--plausibility", "0", "--prefer", "x"),
        ("--prefer", " "),
    ],
)
def test_a_number_outside_its_range_is_one_clear_error(
    attune: Attune, argv: tuple[str, ...]
) -> None:
    said = attune("ask", "Q", "--json", *argv)
    assert (said.code, said.json["error"]["code"]) == (1, "invalid_parameter")
    assert said.err == f"attune: {said.json['error']['message']}\n"


# Errors -------------------------------------------------------------------------------------


def test_an_answer_that_was_cut_short_is_still_one_object_and_an_error(
    attune: Attune, follow: Follow, tmp_path: Path
) -> None:
    crash = Trouble(at="decode", tokens=3, times=1, count=str(tmp_path / "count"))
    follow(answers=("Water it.",), troubles=(crash,))
    said = attune("ask", "Basil?", "--json")
    assert said.code == 1
    found = said.json
    assert found["finish"] == "interrupted"
    assert "Water it.".startswith(found["text"])
    assert found["error"]["code"] == "engine"
    assert "not complete" in said.err


def test_a_model_that_is_not_there_is_one_line(attune: Attune) -> None:
    said = attune("ask", "Q", "--model", "nonesuch")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("attune: There is no model 'nonesuch'")
    assert said.err.count("\n") == 1


def test_a_data_folder_that_cannot_be_used_is_one_line(attune: Attune, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = attune("ask", "Q", "--json", "--data-dir", tmp_path / "file")
    assert (said.code, said.json["error"]["code"]) == (1, "storage")
