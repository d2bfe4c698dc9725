"""`attune workshop train`, and `attune ask --adapter`."""

from __future__ import annotations

import hashlib
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli.ask import adapter_of
from engine.errors import InvalidParameter, Stopped
from engine.models import catalogue
from engine.models.catalogue import STARTER_ID, starter_path
from engine.session.workshop import Workshop
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.test_api_workshop import Job


@pytest.fixture(autouse=True)
def job(data: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    scripted = Job()
    monkeypatch.setattr("engine.jobs.client.JobClient", lambda _command: scripted)
    digest = hashlib.sha256(starter_path().read_bytes()).hexdigest()
    monkeypatch.setattr(catalogue, "_STARTER", replace(catalogue._STARTER, sha256=digest))
    return scripted


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "short.gguf"


def test_a_training_says_what_came_of_it_and_how_to_use_it(attune: Attune, out: Path) -> None:
    said = attune("workshop", "train", "short+", "--out", str(out))
    assert said.code == 0
    first, scored, *rest = said.out.splitlines()
    assert first == f"{out}: shorter answers, for {STARTER_ID}"
    assert "-4.16 without steering, -1.39 with Amulet and -2.77 with the adapter" in scored
    assert rest == [
        "It keeps 50% of what Amulet does.",
        "A token takes 50% of the time that it takes with Amulet.",
        f"Use it: attune ask --model smollm2-135m-instruct --adapter {out} QUESTION",
    ]


def test_json_is_one_object_with_what_scripts_rely_on(attune: Attune, out: Path) -> None:
    said = attune("workshop", "train", "short", "--out", str(out), "--json", "--seed", "3")
    found = said.json
    assert (found["path"], found["objective"]) == (str(out), "short+")
    assert found["kept"] == pytest.approx(0.5)
    assert found["time"] == pytest.approx(0.5)


def test_every_part_is_told_when_it_begins_and_not_every_step(attune: Attune, out: Path) -> None:
    said = attune("workshop", "train", "short+", "--out", str(out))
    lines = said.err.splitlines()
    assert [line for line in lines if ": Training" in line] == [
        "31%: Training, loss 1.00, about a minute left",
        "50%: Training, loss 2.00, about a minute left",
        "70%: Training, loss 3.00, about a minute left",
    ]
    assert 1 < sum(": Asking for lessons: " in line for line in lines) < 5
    assert lines[-1].startswith("100%: Measuring the time")


def test_what_it_is_told_reaches_the_training(attune: Attune, job: Job, out: Path) -> None:
    attune("workshop", "train", "warm-", "--out", str(out), "--steps", "7", "--seed", "9")
    (work,) = job.trained
    assert (work.trait, work.steps, work.seed) == ("warm-", 7, 9)
    assert work.base == str(starter_path())


def test_an_interruption_stops_the_training(
    attune: Attune, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []

    def train(_self: Workshop, *_: object, **__: object) -> object:
        signal.raise_signal(signal.SIGINT)
        raise Stopped("The training was stopped.")
        yield

    monkeypatch.setattr(Workshop, "train", train)
    monkeypatch.setattr(Workshop, "stop", lambda _self: stopped.append(True))
    said = attune("workshop", "train", "short+", "--out", str(out))
    assert (said.code, said.err) == (130, "attune: The training was stopped.\n")
    assert stopped == [True]


def test_a_trait_that_is_unknown_is_one_line(attune: Attune, out: Path) -> None:
    said = attune("workshop", "train", "nice", "--out", str(out))
    assert said.code == 1
    assert said.err.startswith("attune: There is no trait 'nice'")
    assert attune("workshop", "train", "short+").code == 2


# Asking with one ----------------------------------------------------------------------------


def test_an_answer_with_adapters(attune: Attune, follow: Follow, out: Path) -> None:
    attune("workshop", "train", "short+", "--out", str(out))
    follow(answers=("Water it.",))
    said = attune("ask", "Basil?", "--adapter", str(out), "--adapter", f"{out}=0.5")
    assert said.out == "[short.gguf 1] [short.gguf 0.5] Water it.\n"
    assert attune("ask", "Basil?").out == "Water it.\n"


def test_an_adapter_that_is_not_there_is_one_line(attune: Attune, follow: Follow) -> None:
    follow(answers=("Water it.",))
    said = attune("ask", "Basil?", "--adapter", "nowhere.gguf")
    assert (said.code, said.out) == (1, "")
    assert "nowhere.gguf" in said.err


def test_a_name_with_an_equals_sign_is_a_name_where_it_is_there(tmp_path: Path) -> None:
    odd = tmp_path / "a=2"
    assert adapter_of(str(odd)) == (tmp_path / "a", 2.0)
    odd.touch()
    assert adapter_of(str(odd)) == (odd, 1.0)
    assert adapter_of(f"{odd}=-0.5") == (odd, -0.5)
    with pytest.raises(InvalidParameter, match="FILE=SCALE"):
        adapter_of("warm.gguf=much")
