"""The page "Settings": found, changed at once, saved or shown as it was, and back to the first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import fields

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QInputMethodEvent, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from desktop import settings as words
from desktop.fetching import Get
from desktop.options import DRAWN, PAGE
from desktop.style.theme import Theme
from desktop.style.tokens import look_for, own_palette
from desktop.views.settings import SettingsPage
from desktop.views.window import Window
from engine.api import Sampling, Settings, StorageError
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine, endless
from tests.gui.scripted_library import SMALL, waits
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_window import INTERACTIVE, contrast

FULL = StorageError("The settings could not be saved (the disk is full). Free some space.")


@pytest.fixture(autouse=True)
def _palette_of_the_system() -> Iterator[None]:
    yield
    QApplication.setPalette(QPalette())


def opened(qtbot: QtBot, window: Window) -> SettingsPage:
    window.menus.settings.trigger()
    page = window.places.settings
    assert page is not None
    qtbot.waitUntil(page.isVisible)
    return page


def saved(qtbot: QtBot, engine: ScriptedEngine, **wanted: object) -> None:
    qtbot.waitUntil(lambda: all(getattr(engine.settings, n) == v for n, v in wanted.items()))


def scope(window: Window) -> str:
    return window._desk.asking.conversation.scope


def rows(page: SettingsPage) -> list[str]:
    return [name for name, row in page.rows.items() if row.isVisible()]


def unfolded() -> list[str]:
    """The rows that are there before anything is opened."""
    return [name for name in words.entries() if name not in words.KNOWING]


# Finding ------------------------------------------------------------------------------------


def test_it_opens_by_its_key_with_the_keyboard_in_the_search(qtbot: QtBot, window: Window) -> None:
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    page = window.places.settings
    assert page is not None
    assert QApplication.focusWidget() is page.search
    assert window.sidebar.settings.accessibleName() == "Settings, shown now"
    assert rows(page) == unfolded()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("dark", ["colours"]),
        ("THEME", ["colours"]),
        ("gpu", ["running", "cpu_only"]),
        ("load cores", ["threads"]),
        ("zoom", ["size"]),
        ("vote", ["duel_every", "scope"]),
        ("internet", ["offline"]),
        ("no such thing", []),
        ("(", []),
        ("temperature", ["temperature"]),
        ("max tokens", ["max_tokens"]),
        ("   ", [name for name in words.entries() if name not in words.KNOWING]),
    ],
)
def test_rows_are_found_by_name_sentence_and_other_words_for_it(
    qtbot: QtBot, window: Window, typed: str, found: list[str]
) -> None:
    page = opened(qtbot, window)
    qtbot.keyClicks(page.search, typed)
    assert rows(page) == found
    assert page._teach.isVisible() is not bool(found)
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert rows(page) == unfolded()
    assert page.isVisible(), "the first Escape clears the field, the second leaves the page"
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert window.places.at_chat


def test_from_the_field_one_goes_on_to_what_was_found(qtbot: QtBot, window: Window) -> None:
    window.activateWindow()
    page = opened(qtbot, window)
    qtbot.keyClicks(page.search, "dark")
    qtbot.keyClick(page.search, Qt.Key.Key_Down)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QPushButton)
    assert page.colours.isAncestorOf(focused)


# Changing -----------------------------------------------------------------------------------


def test_every_setting_that_is_reset_has_a_row() -> None:
    assert {*PAGE, *DRAWN} < set(words.entries())
    assert set(PAGE) <= {field.name for field in fields(Settings)}
    assert DRAWN == words.KNOWING
    assert set(DRAWN) <= {field.name for field in fields(Sampling)}


def test_the_look_changes_at_once_and_is_saved(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, open_window: Open
) -> None:
    page = opened(qtbot, window)
    page.colours.buttons[2].click()
    assert window._theme.look.dark
    assert window._theme.look.page.name() in window.styleSheet()
    saved(qtbot, engine, colours="dark")
    again = open_window()
    assert again._theme.look.dark
    page.colours.buttons[1].click()
    assert not window._theme.look.dark
    page.colours.buttons[0].click()
    saved(qtbot, engine, colours="system")
    assert QApplication.palette() == QPalette()


@pytest.mark.parametrize("dark", [True, False])
def test_our_own_colours_can_be_read(qapp: QApplication, dark: bool) -> None:
    look = look_for(own_palette(dark=dark), font=qapp.font(), zoom=0)
    assert look.dark is dark
    for front in (look.text, look.muted, look.accent):
        for ground in (look.page, look.surface, look.raised, look.side):
            assert contrast(front, ground) >= 4.5


def test_where_the_platform_hears_the_wish_its_own_colours_are_used(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    theme = Theme()
    hints = QGuiApplication.styleHints()
    monkeypatch.setattr(type(hints), "colorScheme", lambda _: Qt.ColorScheme.Dark)
    theme.set_colours("dark")
    assert QApplication.palette() == QPalette()


def test_the_size_of_text_changes_at_once_and_says_so(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    before = window._theme.look.body.pointSizeF()
    page.larger.click()
    assert window._theme.look.body.pointSizeF() > before
    assert page.rows["size"].told == "Now 110 % of the system's."
    page.actual.click()
    assert page.rows["size"].told == "Now 100 % of the system's."
    window.menus.zoom_out.trigger()
    assert page.rows["size"].told == "Now 91 % of the system's."


def test_with_ctrl_enter_a_bare_enter_begins_a_line(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    opened(qtbot, window).send_key.buttons[1].click()
    window.menus.chat.trigger()
    field = editor(window)
    qtbot.keyClicks(field, "a")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClicks(field, "b")
    assert field.toPlainText() == "a\nb"
    assert engine.questions == []
    assert "Ctrl+Enter sends" in field.accessibleDescription()
    QApplication.sendEvent(field, QInputMethodEvent("ん", []))
    qtbot.keyClick(field, Qt.Key.Key_Enter, Qt.KeyboardModifier.ControlModifier)
    assert engine.questions == [], "an input method is in the middle of a word"
    QApplication.sendEvent(field, QInputMethodEvent())
    qtbot.keyClick(field, Qt.Key.Key_Enter, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, window)
    assert engine.questions[0].messages[-1].text == "a\nb"


def test_the_pace_is_the_one_of_the_page_of_what_was_learned(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.pace.buttons[10].click()
    saved(qtbot, engine, duel_every=10)
    window.menus.learned.trigger()
    learned = window.places.learned
    assert learned is not None
    qtbot.waitUntil(learned.habits.pace.buttons[10].isChecked)
    learned.habits.pace.buttons[0].click()
    saved(qtbot, engine, duel_every=0)
    qtbot.waitUntil(page.pace.buttons[0].isChecked)


def test_an_empty_chat_follows_what_new_chats_learn_and_another_does_not(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.scope.buttons[2].click()
    assert scope(window) == "off"
    page.scope.buttons[0].click()
    window.menus.chat.trigger()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    opened(qtbot, window).scope.buttons[1].click()
    saved(qtbot, engine, scope="chat")
    assert scope(window) == "everywhere"
    window.menus.new_chat.trigger()
    assert scope(window) == "chat"


def test_what_a_model_runs_on_is_said_and_changing_it_loads_it_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    said = page.rows["running"].told
    assert said.startswith("SmolLM2 135M runs on CPU, icelake, 2 threads, with room for 8")
    loaded = len(engine.loaded)
    page.threads.setFocus()
    page.threads.chosen.emit("1")
    page.context.chosen.emit("4096")
    page.graphics.buttons[1].click()
    saved(qtbot, engine, threads=1, context=4096, cpu_only=True)
    qtbot.waitUntil(lambda: len(engine.loaded) > loaded and not window._desk.loading.busy)
    assert len(engine.loaded) == loaded + 1, "once, for the three that came together"
    page.graphics.buttons[1].click()
    QApplication.processEvents()
    assert len(engine.loaded) == loaded + 1, "nothing is loaded where nothing changes"


def test_offline_ends_a_download_that_is_under_way(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.steps = waits()
    fetching = window._desk.fetching
    fetching.begin(Get(model=SMALL))
    qtbot.waitUntil(lambda: fetching.progress is not None)
    opened(qtbot, window).offline.click()
    qtbot.waitUntil(lambda: not fetching.busy)
    saved(qtbot, engine, offline=True)


def test_the_model_is_loaded_again_once_the_answer_under_way_has_ended(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("still "))
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: "still" in shown(window))
    page = opened(qtbot, window)
    page.threads.chosen.emit("1")
    assert page.threads.current == "1", "the wish is shown at once"
    assert window._desk.asking.busy, "and ends nothing"
    engine.stopped.set()
    saved(qtbot, engine, threads=1)
    qtbot.waitUntil(lambda: len(engine.loaded) == 2 and not window._desk.loading.busy)


def test_a_value_that_is_not_on_offer_is_shown_all_the_same(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(threads=99, context=5000, language="tlh", duel_every=7)
    window._desk.options.follow()
    page = opened(qtbot, window)
    assert (page.threads.current, page.context.current, page.language.current) == (
        "99", "5000", "tlh",
    )  # fmt: skip
    assert not any(button.isChecked() for button in page.pace.buttons.values())


def test_offline_and_the_language_are_saved(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.offline.click()
    page.language.chosen.emit("en")
    saved(qtbot, engine, offline=True, language="en")
    qtbot.waitUntil(lambda: not window._desk.options._wishes)
    engine.change(offline=False)
    window._desk.settings_changed.emit()
    assert not page.offline.isChecked()


def test_the_data_folder_is_shown_and_opens(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[QUrl] = []

    def open_url(url: QUrl) -> bool:
        urls.append(url)
        return False

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    page = opened(qtbot, window)
    assert page.rows["folder"].told == str(engine.data_dir)
    page.folder.click()
    assert [url.toLocalFile() for url in urls] == [str(engine.data_dir)]
    assert page.said.text == "The folder cannot be opened. Its path is above."


# For those who know -------------------------------------------------------------------------


def test_what_most_never_need_is_folded_away_until_it_is_asked_for(
    qtbot: QtBot, window: Window
) -> None:
    page = opened(qtbot, window)
    assert page.knowing.accessibleName() == "For those who know — show"
    qtbot.keyClick(page.knowing, Qt.Key.Key_Space)
    assert rows(page) == list(words.entries())
    assert page.knowing.accessibleName() == "For those who know — hide"
    qtbot.keyClicks(page.search, "dark")
    assert rows(page) == ["colours"]
    assert not page.knowing.isVisible()
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert rows(page) == list(words.entries())
    page.knowing.click()
    assert rows(page) == unfolded()


def test_how_answers_are_drawn_acts_on_the_next_one_and_the_rest_stays(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(sampling=Sampling(top_k=7))
    window._desk.options.follow()
    page, loaded = opened(qtbot, window), len(engine.loaded)
    assert page.temperature.buttons[1].isChecked()
    assert page.length.currentText() == "Usual, 512 tokens"
    page.temperature.buttons[0].click()
    page.length.chosen.emit("2048")
    wanted = Sampling(temperature=0.3, max_tokens=2048, top_k=7)
    saved(qtbot, engine, sampling=wanted)
    window.menus.chat.trigger()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert engine.questions[-1].sampling == wanted
    assert len(engine.loaded) <= loaded + 1, "a model is not loaded again for it"
    assert page.rows["temperature"].told.endswith("From the next answer on: 0.3.")


def test_values_that_are_not_on_offer_are_told_and_reset_takes_them_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    odd = Sampling(temperature=0.55, max_tokens=700, top_k=7)
    engine.change(sampling=odd)
    window._desk.options.follow()
    page = opened(qtbot, window)
    assert not any(button.isChecked() for button in page.temperature.buttons.values())
    assert page.rows["temperature"].told.endswith("From the next answer on: 0.55.")
    assert (page.length.current, page.length.currentText()) == ("700", "700 tokens")
    page.reset.click()
    saved(qtbot, engine, sampling=Sampling(top_k=7))
    assert page.temperature.buttons[1].isChecked()
    undo = page.said._button
    qtbot.waitUntil(undo.isEnabled)
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    saved(qtbot, engine, sampling=odd)


# What goes wrong, and back ------------------------------------------------------------------


def test_a_value_that_cannot_be_written_is_a_sentence_and_the_old_one_is_shown_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    heard: list[str] = []
    page = opened(qtbot, window)
    page.told.connect(heard.append)
    loaded = len(engine.loaded)
    engine.change_error = FULL
    page.colours.buttons[2].click()
    page.threads.chosen.emit("1")
    assert window._theme.look.dark
    qtbot.waitUntil(lambda: heard == [FULL.message] * 2)
    assert page.said.text == FULL.message
    assert not window._theme.look.dark
    assert page.colours.buttons[0].isChecked()
    assert page.threads.current == "0"
    assert len(engine.loaded) == loaded
    engine.change_error = None
    page.colours.buttons[2].click()
    saved(qtbot, engine, colours="dark", threads=0)


def test_of_two_wishes_the_one_that_can_be_saved_stays(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    options, may = window._desk.options, threading.Event()
    real = engine.change

    def slow(**changes: object) -> Settings:
        may.wait(10)
        if "colours" in changes:
            raise FULL
        return real(**changes)

    engine.change = slow  # type: ignore[method-assign]
    options.change(colours="dark")
    options.change(send_key="ctrl+enter")
    assert (options.values.colours, options.values.send_key) == ("dark", "ctrl+enter")
    may.set()
    qtbot.waitUntil(lambda: engine.settings.send_key == "ctrl+enter" and not options._wishes)
    assert (options.values.colours, options.values.send_key) == ("system", "ctrl+enter")


def test_everything_goes_back_to_the_first_and_undo_brings_it_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(gamma=4.0, offline=True, model="qwen-0.5b")
    page = opened(qtbot, window)
    page.colours.buttons[2].click()
    page.scope.buttons[1].click()
    page.larger.click()
    saved(qtbot, engine, scope="chat", colours="dark")
    page.reset.click()
    saved(qtbot, engine, scope="everywhere", colours="system")
    assert not window._theme.look.dark
    assert page.rows["size"].told == "Now 100 % of the system's."
    assert engine.settings == Settings(gamma=4.0, offline=True, model="qwen-0.5b")
    assert page.said.text == "These settings are as they were at first."
    undo = page.said._button
    qtbot.waitUntil(undo.isEnabled)
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    saved(qtbot, engine, scope="chat", colours="dark")
    assert window._theme.look.dark
    assert page.rows["size"].told == "Now 110 % of the system's."
    assert page.said.text == "These settings are as they were before."


def test_settings_are_saved_on_the_engines_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.threads.clear()
    opened(qtbot, window).colours.buttons[2].click()
    saved(qtbot, engine, colours="dark")
    assert engine.threads
    assert threading.get_ident() not in engine.threads


# The page as a whole ------------------------------------------------------------------------


def test_every_control_has_a_name_and_is_reached_by_tab(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    controls = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE) and not isinstance(widget, QScrollBar)
    ]
    assert len(controls) > 20
    assert [w for w in controls if not w.accessibleName()] == []
    stops = [w for w in controls if w.isVisible() and w.isEnabled()]
    assert all(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in stops)
    names = [w.accessibleName() for w in stops]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("size", [(900, 600), (800, 600), (600, 600)])
def test_it_fits_small_windows(qtbot: QtBot, window: Window, size: tuple[int, int]) -> None:
    page = opened(qtbot, window)
    window.resize(*size)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    assert page._column.width() <= page._area.viewport().width()
