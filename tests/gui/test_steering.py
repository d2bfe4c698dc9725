"""Preferences, strength and neutral: seen, used by the next answer, remembered."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from desktop.taste import Taste
from desktop.views.window import Window
from engine.api import MAX_GAMMA, MAX_PREFERENCES, NEUTRAL, AttuneError, Preference, Steering
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine
from tests.gui.test_chat import ask, editor, settle, shown


def chips(window: Window) -> list[QPushButton]:
    return window.steering._chips._chips


def words(window: Window) -> list[str]:
    return list(window._desk.taste.words)


def add(qtbot: QtBot, window: Window, text: str) -> None:
    window.menus.add_preference.trigger()
    field = window.steering.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_a_preference_reaches_the_next_answer_and_the_disk(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    add(qtbot, window, "concise")
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    wanted = (Preference(text="concise"),)
    assert engine.questions[0].steering == Steering(method="amulet", preferences=wanted, gamma=2.0)
    qtbot.waitUntil(lambda: engine.settings.preferences == wanted)
    assert "Steered towards: concise" in shown(window)


def test_strength_reaches_the_next_answer_and_speaks_in_words(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    add(qtbot, window, "warm")
    slider = window.steering.findChild(QSlider)
    assert isinstance(slider, QSlider)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert "repetitive" in window.steering._strength._word.text()
    assert "γ" not in window.steering._strength._word.text()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[0].steering.gamma == MAX_GAMMA
    qtbot.waitUntil(lambda: engine.settings.gamma == MAX_GAMMA)


def test_neutral_is_the_untouched_model(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    add(qtbot, window, "concise")
    qtbot.keyClick(editor(window), Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier)
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[0].steering == NEUTRAL
    assert window.steering._neutral.isChecked()
    qtbot.waitUntil(lambda: engine.settings.neutral)
    window.steering._neutral.click()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[1].steering.method == "amulet"


def test_no_preference_is_neutral(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[0].steering == NEUTRAL


def test_a_chip_is_removed_by_click_and_by_key(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for word in ("one", "two", "three"):
        add(qtbot, window, word)
    qtbot.mouseClick(chips(window)[1], Qt.MouseButton.LeftButton)
    assert words(window) == ["one", "three"]
    qtbot.keyClick(editor(window), Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert words(window) == ["three"]
    qtbot.waitUntil(lambda: engine.settings.preferences == (Preference(text="three"),))


def test_there_is_room_for_so_many_and_repeats_are_not_added(qtbot: QtBot, window: Window) -> None:
    add(qtbot, window, "Concise ")
    add(qtbot, window, "concise")
    for number in range(MAX_PREFERENCES + 1):
        add(qtbot, window, f"wish {number}")
    assert len(chips(window)) == MAX_PREFERENCES
    assert not window.menus.add_preference.isEnabled()
    assert not window.steering._chips._add.isVisible()


def test_escape_closes_the_field_without_stopping_the_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    window.menus.add_preference.trigger()
    field = window.steering.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "half a w")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not field.isVisible()
    assert not engine.stopped.is_set()
    assert words(window) == []


def test_what_was_remembered_is_shown(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.change(preferences=(Preference(text="formal"),), gamma=5.0, neutral=True)
    window = open_window()
    assert [chip.accessibleName() for chip in chips(window)] == ["Remove the preference formal"]
    assert window.steering._neutral.isChecked()
    assert window._desk.taste.strength == pytest.approx(0.5)


def test_a_change_just_before_closing_is_saved(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    add(qtbot, window, "at last")
    window.close()
    assert engine.settings.preferences == (Preference(text="at last"),)


def test_settings_that_cannot_be_saved_say_so_and_still_act(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change_error = AttuneError("The disk is full.")
    add(qtbot, window, "concise")
    qtbot.waitUntil(lambda: "The disk is full." in shown(window))
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[0].steering.method == "amulet"
    engine.change_error = None


def test_stronger_and_weaker_by_key_stay_in_range() -> None:
    taste = Taste(preferences=(Preference(text="x"),))
    assert taste.at_strength(7).gamma == MAX_GAMMA
    assert taste.at_strength(-1).gamma == 0
    assert taste.at_strength(0.47).strength == pytest.approx(0.47)
