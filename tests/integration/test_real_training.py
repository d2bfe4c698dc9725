"""An adapter of the model that is shipped: lessons, training, a kill in the middle, and its use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.api import Engine, Progress, TrainedAdapter
from engine.errors import EngineCrashed
from engine.models.cards import marked, read_card
from engine.models.catalogue import starter_path
from engine.session import calibration, lessons, training
from engine.types.answers import Answer
from tests.fakes.asking import question
from tests.integration.conftest import MakeEngine

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and short answers, and few steps."""
    monkeypatch.setattr(lessons, "LESSONS", 4)
    monkeypatch.setattr(lessons, "HELD_OUT", 2)
    monkeypatch.setattr(lessons, "REPLY_TOKENS", 24)
    monkeypatch.setattr(training, "ROUNDS", 1)
    monkeypatch.setattr(calibration, "ANSWER_TOKENS", 24)


def train(engine: Engine, out: Path, *, kill: bool = False) -> tuple[list[str], TrainedAdapter]:
    """The parts that it had, and what came of it."""
    parts: list[str] = []
    for event in engine.workshop.train("warm+", out=out, steps=6):
        if isinstance(event, TrainedAdapter):
            return parts, event
        if isinstance(event, Progress):
            parts.append(event.text.partition(",")[0])
            if kill and "loss" in event.text:
                child = engine.workshop._trainer._job.child
                assert child is not None
                os.kill(child.pid, signal.SIGKILL)
    raise AssertionError("no adapter")


def answer(engine: Engine, *adapters: tuple[Path, float]) -> str:
    list(engine.start(adapters=adapters))
    *_, said = engine.answer(question("What should I cook tonight?", max_tokens=16))
    assert isinstance(said, Answer)
    return said.text


@pytest.mark.usefixtures("small")
def test_an_adapter_is_trained_after_a_kill_and_changes_what_the_model_says(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine, out = make_engine(), tmp_path / "warm.gguf"
    with pytest.raises(EngineCrashed):
        train(engine, out, kill=True)
    assert not out.exists()
    parts, trained = train(engine, out)
    assert "Asking for lessons" not in parts  # they are on record
    assert trained.time is not None
    card = read_card(out)
    assert (card.output, card.base) == (marked(out), marked(starter_path()))
    assert card.survival.share == pytest.approx(1.0, abs=1e-3)
    assert set(card.scores) == {"plain", "amulet", "adapter"}
    plain = answer(engine)
    assert answer(engine, (out, 1.0)) != plain
    assert answer(engine, (out, 0.0)) == plain
