"""A command line whose child is a fake, and what it printed."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.api import Engine
from engine.cli.main import main
from engine.inference import client
from engine.types.answers import Question
from tests.fakes import host as fake


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended. `out` is the result, `err` everything else."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Attune = Callable[..., Said]
Follow = Callable[..., None]


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch, threads: None) -> Follow:
    """Lets the child follow a script from now on."""

    def set_script(**changes: Any) -> None:
        monkeypatch.setattr(client, "own_command", lambda: fake.command(**changes))

    set_script()
    return set_script


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """What reaches the engine, in order."""
    return _spied(monkeypatch, "answer")


@pytest.fixture
def duels(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """What two answers are wanted to, in order."""
    return _spied(monkeypatch, "duel")


def _spied(monkeypatch: pytest.MonkeyPatch, method: str) -> list[Question]:
    """The questions that a method of the engine is called with from now on."""
    asked: list[Question] = []
    real = getattr(Engine, method)

    def spy(engine: Engine, question: Question) -> Iterator[object]:
        asked.append(question)
        yield from real(engine, question)

    monkeypatch.setattr(Engine, method, spy)
    return asked


class Typed:
    """Standard input that is a pipe."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


@pytest.fixture
def attune(
    data: Path,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Attune:
    """Runs a command in a data folder of its own."""
    monkeypatch.setenv("ATTUNE_DATA_DIR", str(data))

    def run(*argv: str | os.PathLike[str], typed: str | bytes = b"", **how: Any) -> Said:
        given = typed.encode() if isinstance(typed, str) else typed
        monkeypatch.setattr(sys, "stdin", Typed(given))
        capsys.readouterr()
        try:
            code = main([os.fspath(a) for a in argv], **how)
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Said(code=code, out=printed.out, err=printed.err)

    return run
