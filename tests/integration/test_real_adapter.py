"""An adapter among the models: trained, added, asked, and measured for a portfolio."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.api import Engine, Portfolio
from engine.cli.main import main
from engine.errors import Stopped
from engine.models.catalogue import STARTER_ID
from engine.session import calibration, lessons
from engine.types.answers import Answer
from tests.fakes.asking import question
from tests.integration.conftest import MakeEngine

pytestmark = [pytest.mark.model, pytest.mark.slow]

ASKED = "What should I cook tonight?"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and short answers."""
    monkeypatch.setattr(lessons, "LESSONS", 4)
    monkeypatch.setattr(calibration, "ANSWER_TOKENS", 12)
    monkeypatch.setattr(calibration, "AT_LEAST", 0)


def train(engine: Engine, out: Path) -> None:
    """In a few steps; it is not compared with anything, which takes longest."""
    running = engine.workshop.train("warm+", out=out, steps=6)
    next(event for event in running if out.exists())
    engine.workshop.stop()
    with pytest.raises(Stopped):
        list(running)


def answer(engine: Engine, *adapters: tuple[Path, float]) -> str:
    list(engine.start(STARTER_ID, adapters=adapters))
    *_, said = engine.answer(question(ASKED, max_tokens=16))
    assert isinstance(said, Answer)
    return said.text


def built(engine: Engine) -> Portfolio:
    """Chosen from the plain settings alone, which are quick to measure."""
    engine.change(calibration_questions=10)
    for candidate in engine.portfolio.candidates.pool().candidates:
        if candidate.preferences:
            engine.portfolio.candidates.remove(candidate.id)
    *_, portfolio = engine.portfolio.build()
    assert isinstance(portfolio, Portfolio)
    return portfolio


@pytest.mark.usefixtures("small")
def test_a_trained_adapter_is_a_model_that_answers_and_is_measured(
    make_engine: MakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, out = make_engine(), tmp_path / "warm.gguf"
    train(engine, out)
    card = engine.add_model(out)
    assert (card.id, card.name) == ("warm", "SmolLM2 135M Instruct, warm")
    assert engine.verify_model("warm") == card

    asking = ["ask", ASKED, "--model", "warm", "--neutral", "--max-tokens", "16"]
    asking += ["--temperature", "0", "--data-dir", str(engine.data_dir), "--json"]
    assert main(asking) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["model"] == "warm"
    assert said["text"] == answer(engine, (out, 1.0)) != answer(engine)

    portfolio = built(engine)
    assert {c.model for c in portfolio.candidates} == {STARTER_ID, "warm"}
    assert engine.portfolio.check() == ()
    first, second = portfolio.rewards
    assert first != second, "the adapter acts where answers are measured, too"
