"""From two answers to a vote and to an answer that is steered by it, as programs see it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings, SettingsFile
from engine.models.catalogue import STARTER_FILE
from engine.session.selftest import machine_key
from engine.types.models import Launch
from engine.types.steering import GREEDY
from tests.fakes import host as fake
from tests.fixtures.tiny_gguf import write_tiny_llama

pytestmark = pytest.mark.slow

SECONDS = 60.0
"""A program that is not done by then hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody with a data folder and a program folder, who types commands.

    data     where everything of theirs is kept
    program  where the starter model is
    seeds    what chance is to each command, so that it is the same in every test
    """

    data: Path
    program: Path
    seeds: Iterator[int] = field(default_factory=lambda: count(1))

    def starts(self, *argv: str) -> subprocess.Popen[str]:
        """`attune` as a process of its own; its child is the real one around a fake model."""
        code = (
            f"import random, sys; sys.path.insert(0, {str(fake.ROOT)!r});"
            f"random.SystemRandom = lambda: random.Random({next(self.seeds)});"
            "from pathlib import Path; from engine.inference import client;"
            "from engine.models import catalogue; from engine.cli.main import main;"
            f"catalogue.asset_folders = lambda: (Path({str(self.program)!r}),);"
            f"client.own_command = lambda: {fake.command()!r};"
            "sys.exit(main(sys.argv[1:]))"
        )
        return subprocess.Popen(
            [sys.executable, "-c", code, *argv, "--json", "--data-dir", str(self.data)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self, *argv: str) -> tuple[int, Any]:
        """The exit code and the object of a command."""
        return ended(self.starts(*argv))

    def duel(self, question: str) -> str:
        """The id of a duel about a question."""
        code, found = self.says("duel", question, "--max-tokens", "16")
        assert (code, found["verdict"]) == (0, "open")
        assert found["answers"][0]["text"] != found["answers"][1]["text"]
        return str(found["duel"])


def ended(program: subprocess.Popen[str]) -> tuple[int, Any]:
    with program:
        out, err = program.communicate(timeout=SECONDS)
    assert "Traceback" not in err, err
    (line,) = out.splitlines()
    return program.returncode, json.loads(line)


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    owner = Owner(data=tmp_path / "data", program=tmp_path / "program")
    owner.data.mkdir()
    owner.program.mkdir()
    write_tiny_llama(owner.program / STARTER_FILE, seed=7)
    known = Settings(
        launch=Launch(variant="newest", context=4096),
        launch_key=machine_key(),
        variants=("newest", "haswell", "sse42"),
        sampling=replace(GREEDY, max_tokens=64),
    )
    SettingsFile(owner.data / "settings.json").write(known)
    return owner


def test_a_vote_counts_once_can_be_taken_back_and_steers_what_is_asked_next(owner: Owner) -> None:
    duel = owner.duel("How do I keep basil alive?")

    code, voted = owner.says("vote", duel, "first")
    assert code == 0
    moved = voted["changed"][0]
    assert moved["after"] > moved["before"]
    assert moved["pole"].casefold() in voted["sentence"].casefold()

    code, again = owner.says("vote", duel, "second")
    assert (code, again["error"]["code"]) == (1, "already_voted")

    code, profile = owner.says("profile", "show")
    assert (code, profile["votes"]) == (0, 1)
    (about,) = (trait for trait in profile["traits"] if trait["votes"])
    assert about["id"] == moved["trait"]
    assert profile["traits"] == voted["traits"]

    code, undone = owner.says("profile", "undo")
    assert (code, undone["votes"], undone["undoable"]) == (0, 0, "")
    assert undone["undone"] == profile["undoable"]

    code, revoted = owner.says("vote", duel, "first")
    assert (code, revoted) == (0, voted)

    for number in range(3):
        later = owner.duel(f"Question {number}?")
        assert owner.says("vote", later, "first")[0] == 0
    code, profile = owner.says("profile", "show")
    acting = {trait["id"]: trait["theta"] for trait in profile["traits"] if trait["theta"]}
    assert profile["votes"] == 4
    assert acting

    code, steered = owner.says("ask", "What is the sea?", "--max-tokens", "16")
    assert {learned["trait"]: learned["theta"] for learned in steered["learned"]} == acting
    assert (code, steered["streams"]) == (0, 1 + len(acting))
    code, plain = owner.says("ask", "What is the sea?", "--max-tokens", "16", "--neutral")
    assert (code, plain["streams"], plain["learned"]) == (0, 1, [])
    assert steered["text"] != plain["text"]


def test_of_two_votes_at_once_exactly_one_counts(owner: Owner) -> None:
    duel = owner.duel("How do I keep basil alive?")
    outcomes = ("first", "second", "equal", "neither")
    voting = [owner.starts("vote", duel, outcome) for outcome in outcomes]
    results = [ended(program) for program in voting]
    assert sorted(code for code, _ in results) == [0, 1, 1, 1]
    refused = [found["error"]["code"] for code, found in results if code]
    assert refused == ["already_voted"] * 3
    _, kept = owner.says("profile", "votes")
    (vote,) = kept["votes"]
    counted = [code for code, _ in results].index(0)
    assert (vote["duel"], vote["outcome"]) == (duel, outcomes[counted])
