"""The window itself: look, keys, names, memory, end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import window_state
from desktop.actions import models as model_actions
from desktop.prose import LONGEST_NAME
from desktop.views.window import Window
from desktop.widgets.shortcut_list import ShortcutList
from desktop.window_state import WindowState
from engine.api import AttuneError
from tests.gui.conftest import Open, lanes
from tests.gui.scripted_engine import OTHER, STARTER, ScriptedEngine, endless, ready, says
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_steering import add

INTERACTIVE = (
    QAbstractButton, QAbstractSlider, QLineEdit, QTextEdit, QComboBox, QAbstractItemView,
)  # fmt: skip

ROOT = Path(__file__).parents[2]


def full_window(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> Window:
    """With something of everything in it."""
    for word in ("concise", "warm"):
        add(qtbot, window, word)
    engine.scripts.append(says("See [this](http://e.org):\n\n```python\nx = 1\n```\n"))
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    window.menus.add_preference.trigger()
    return window


def test_every_control_has_a_name(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    full_window(qtbot, window, engine)
    nameless = [
        widget
        for widget in window.findChildren(QWidget)
        if not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
        and (isinstance(widget, INTERACTIVE) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not widget.accessibleName()
    ]
    assert nameless == []


def test_every_control_can_be_reached_by_tab(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    full_window(qtbot, window, engine)
    wanted = {
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE)
        and not isinstance(widget, QScrollBar)
        and widget.isVisible()
        and widget.isEnabled()
        and not widget.objectName().startswith("qt_")
    }
    assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in wanted)


def test_every_action_has_a_key_and_a_menu(window: Window) -> None:
    in_menus = {
        action.objectName()
        for menu in window.menuBar().actions()
        for action in menu.menu().actions()  # type: ignore[attr-defined]
    }
    actions = [
        a for a in window.menus.findChildren(QAction) if a.objectName() not in ("choice", "")
    ]
    assert len(actions) > 18
    for action in actions:
        assert action.shortcuts(), action.objectName()
        assert action.objectName() in in_menus
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_the_list_of_shortcuts_has_them_all(qtbot: QtBot, window: Window) -> None:
    box = ShortcutList(window.menus.groups, parent=window)
    qtbot.addWidget(box)
    words = [child.property("text") for child in box.findChildren(QWidget)]
    assert "Regenerate" in words
    assert "Ctrl+R" in words


def test_the_list_of_shortcuts_fits_the_screen_with_its_button(
    qtbot: QtBot, window: Window
) -> None:
    box = ShortcutList(window.menus.groups * 3, parent=window)
    qtbot.addWidget(box)
    box.show()
    (close,) = box.findChildren(QPushButton)
    assert box.height() <= box.screen().availableGeometry().height()
    assert box.rect().contains(close.mapTo(box, close.rect().bottomRight()))
    (area,) = box.findChildren(QScrollArea)
    assert area.verticalScrollBar().maximum() > 0
    assert not area.horizontalScrollBar().maximum(), "every key can be read"


def test_a_question_is_asked_and_answered_by_keyboard_alone(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))
    focused = QApplication.focusWidget()
    qtbot.keyClicks(focused, "By keys?")
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    assert settle(qtbot, window).text == "Yes."


def dark() -> QPalette:
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, "#2b2b2b"),
        (QPalette.ColorRole.Base, "#1f2021"),
        (QPalette.ColorRole.Text, "#ffffff"),
        (QPalette.ColorRole.WindowText, "#ffffff"),
    ):
        palette.setColor(role, QColor(colour))
    return palette


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: QColor) -> float:
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_theme_follows_the_system_while_the_window_is_open(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    full_window(qtbot, window, engine)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette()
    light = window._theme.look
    try:
        app.setPalette(dark())
        qtbot.waitUntil(lambda: window._theme.look.dark)
        look = window._theme.look
        assert look.page.name() in window.styleSheet()
        answer = window.page._turns[0]._answer
        qtbot.waitUntil(lambda: not answer.pending)
        runs = answer.document().begin().textFormats()
        assert runs[0].format.foreground().color() == look.text
    finally:
        app.setPalette(before)
    for seen in (light, look):
        for front in (seen.text, seen.muted, seen.accent):
            for ground in (seen.page, seen.surface, seen.raised, seen.side):
                assert contrast(front, ground) >= 4.5
        assert contrast(seen.on_accent, seen.accent) >= 4.5


def test_zoom_by_key_changes_the_text_and_is_remembered(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    before = window._theme.look.body.pointSizeF()
    qtbot.keyClick(editor(window), Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert window._theme.look.body.pointSizeF() > before
    assert editor(window).font().pointSizeF() > before
    window.close()
    assert window_state.read(engine.data_dir).zoom == 1


def test_place_and_size_are_remembered(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    window.resize(820, 610)
    window.close()
    again = open_window()
    assert (again.width(), again.height()) == (820, 610)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"width": "wide", "zoom": 1e99, "x": null}',
        b'{"width": -5, "height": true}', b"[" * 5000, b'{"x": 99999999999999999999}',
    ],
)  # fmt: skip
def test_a_damaged_memory_is_forgotten(content: bytes, tmp_path: Path) -> None:
    (tmp_path / window_state.FILE).write_bytes(content)
    assert window_state.read(tmp_path) == WindowState()


def test_one_damaged_entry_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / window_state.FILE).write_text(json.dumps({"width": 900, "zoom": "x", "new": 1}))
    assert window_state.read(tmp_path) == WindowState(width=900)


def test_a_folder_that_cannot_be_written_is_no_reason_to_stay_open(tmp_path: Path) -> None:
    window_state.write(tmp_path / "missing", WindowState())


def test_a_window_left_on_a_screen_that_is_gone_comes_back(
    open_window: Open, engine: ScriptedEngine
) -> None:
    window_state.write(engine.data_dir, WindowState(x=15_000, y=15_000))
    window = open_window()
    assert window.x() < 10_000


def test_it_fits_a_small_screen(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    full_window(qtbot, window, engine)
    window.resize(800, 600)
    assert (window.width(), window.height()) == (800, 600)
    hint = window.minimumSizeHint()
    assert hint.width() <= 800
    assert hint.height() <= 600


def test_closing_while_streaming_ends_the_engine_and_its_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("still "))
    ask(qtbot, window, "Forever")
    qtbot.waitUntil(lambda: "still" in shown(window))
    window.close()
    assert not lanes()
    assert engine.closed == 1
    window.close()
    assert engine.closed == 1


def test_closing_while_loading_does_not_wait_for_the_model(
    open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    engine.may_load = engine.stopped  # loading ends when told to stop, as the contract says
    window._desk.loading.start()
    window.close()
    assert not lanes()
    assert engine.closed == 1


def test_a_model_is_chosen_from_the_menu_and_remembered(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    entries = {a.text(): a for a in window.menus.models.actions() if a.objectName() == "choice"}
    assert list(entries) == [
        "SmolLM2 135M (starter model)",
        "Qwen2.5 Coder 0.5B",
        "Lost && found 7B (the file is not there)",
    ]
    assert entries["SmolLM2 135M (starter model)"].isChecked()
    assert not entries["Lost && found 7B (the file is not there)"].isEnabled()
    entries["Qwen2.5 Coder 0.5B"].trigger()
    qtbot.waitUntil(lambda: engine.settings.model == "qwen-0.5b")
    qtbot.waitUntil(lambda: window.status._model.text() == "Qwen2.5 Coder 0.5B")


def choices(window: Window) -> list[QAction]:
    return [a for a in window.menus.models.actions() if a.objectName() == "choice"]


def test_of_models_of_one_name_the_loaded_one_is_checked(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    twin = replace(STARTER, id="twin", starter=False)
    engine.cards = (STARTER, twin)
    engine.change(model="twin")
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    assert [a.isChecked() for a in choices(window)] == [False, True]
    assert window.status._model.text() == STARTER.name


def test_a_model_is_shown_by_its_name_even_where_it_is_not_listed(window: Window) -> None:
    unlisted = replace(OTHER, id="/elsewhere/model.gguf", name="Some model")
    window._desk.loading.heard(ready(unlisted))
    assert window.status._model.text() == "Some model"
    assert not any(a.isChecked() for a in choices(window))


def test_a_name_from_a_file_takes_a_line_of_limited_length(window: Window) -> None:
    hostile = replace(OTHER, name="A\u202e\nB" * 500_000)
    window._desk.loading._listed((STARTER, hostile))
    window._desk.loading.heard(ready(hostile))
    for text in (choices(window)[1].text(), window.status._model.text()):
        assert text.startswith("A BA BA")
        assert len(text) == LONGEST_NAME


def test_another_model_can_be_chosen_while_the_first_is_loaded(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.may_load.clear()
    window = open_window()
    window._desk.loading.start()
    try:
        qtbot.waitUntil(lambda: len(choices(window)) == 3)
        assert window._desk.loading.busy
    finally:
        engine.may_load.set()


def test_a_file_is_added_and_used(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, tmp_path: Path
) -> None:
    model_actions.add_model(window._desk, tmp_path / "mine.gguf")
    qtbot.waitUntil(lambda: window.status._model.text() == "mine")
    assert engine.loaded[-1] == "mine"


def test_a_file_that_is_no_model_is_refused_and_the_old_model_stays(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, tmp_path: Path
) -> None:
    engine.add_error = AttuneError("x.gguf is not a GGUF file.")
    model_actions.add_model(window._desk, tmp_path / "x.gguf")
    qtbot.waitUntil(lambda: "x.gguf is not a GGUF file." in shown(window))
    assert "CPU" in window.status._state.text()
    ask(qtbot, window, "Still there?")
    assert settle(qtbot, window).text == "Yes."
    assert len(engine.loaded) == 1


def test_no_window_but_ours_is_on_the_screen(window: Window) -> None:
    others = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    assert others == []


IMPORTS = """
import sys
import desktop.__main__
assert not [m for m in sys.modules if m.startswith(("PySide6", "engine.api"))]
import desktop.app
heavy = ("numpy", "pyqtgraph", "llama_cpp", "markdown_it", "pygments", "jinja2",
         "PySide6.QtNetwork")
print([m for m in sys.modules if m in heavy])
"""


def test_the_window_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


INTERRUPTED = """
import sys, pathlib, os, signal
from PySide6.QtCore import QTimer
import desktop.app as app
from engine.api import OpenWindow
from tests.gui.scripted_engine import ScriptedEngine
app.Engine = ScriptedEngine
begin = app._begin
def interrupt(desk, files):
    begin(desk, files)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
app._begin = interrupt
sys.exit(app.open_window(OpenWindow(data_dir=pathlib.Path(sys.argv[1]))))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself differ there")
def test_an_interrupt_closes_the_window_in_good_order(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=30,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert (tmp_path / window_state.FILE).is_file()
