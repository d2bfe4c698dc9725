"""A model whose file was moved or deleted: that is said, and it can be found or done without."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktop.views.window import Window
from engine.api import AttuneError, ModelNotFound, Notice
from tests.gui.conftest import Open
from tests.gui.scripted_engine import MISSING, STARTER, ScriptedEngine
from tests.gui.test_chat import shown
from tests.gui.test_first_start import offered, press

SENTENCE = "Lost & found 7B is no longer at /models/lost.gguf."


@pytest.fixture
def without(qtbot: QtBot, engine: ScriptedEngine, open_window: Open) -> Window:
    """A window whose chosen model is gone; the starter answers."""
    engine.start_notices = (Notice(code="model_lost", text=SENTENCE),)
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy and bool(window._desk.loading.cards))
    engine.start_notices = ()
    engine.change(model=MISSING.id)
    return window


def test_it_is_said_and_both_ways_on_are_offered(without: Window) -> None:
    assert SENTENCE in shown(without)
    assert offered(without) == ["Find the file…", "Use the starter model"]
    assert all(button.accessibleName() for button in without.page.offer.buttons)


def test_the_file_can_be_found(
    qtbot: QtBot, without: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/elsewhere/lost.gguf", ""))
    press(qtbot, without)
    qtbot.waitUntil(lambda: engine.settings.model == "lost")
    assert engine.cards[-1].path == str(Path("/elsewhere/lost.gguf"))
    qtbot.waitUntil(lambda: offered(without) == [])


def test_who_thinks_better_of_it_can_still_choose(
    qtbot: QtBot, without: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    press(qtbot, without)
    assert len(offered(without)) == 2


def test_the_starter_model_can_stay(qtbot: QtBot, without: Window, engine: ScriptedEngine) -> None:
    press(qtbot, without, 1)
    assert offered(without) == []
    qtbot.waitUntil(lambda: engine.settings.model == STARTER.id)


@pytest.mark.parametrize(
    ("error", "ways"), [(ModelNotFound("It is gone."), 2), (AttuneError("It broke."), 0)]
)
def test_where_nothing_could_be_loaded_the_same_is_offered(
    qtbot: QtBot, engine: ScriptedEngine, open_window: Open, error: AttuneError, ways: int
) -> None:
    engine.start_error = error
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: error.message in shown(window))
    assert len(offered(window)) == ways
