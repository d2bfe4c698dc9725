"""How far a chat learns, in the window: chosen, shown, kept, and what it does to answers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.views.window import Window
from desktop.widgets.status_line import StatusLine
from engine.api import Reach, Scope
from tests.gui.conftest import Open
from tests.gui.scripted_chats import FULL
from tests.gui.scripted_engine import ScriptedEngine, endless, pair, says
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_duel import duel, model, voted

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def choose(window: Window, scope: Scope) -> None:
    window.menus.scopes[scope].trigger()


def scope(window: Window) -> str:
    """As the status line and the menu show it."""
    (checked,) = (name for name, action in window.menus.scopes.items() if action.isChecked())
    said = window.status.scope.text() if window.status.scope.isVisible() else ""
    assert said == {"everywhere": "", "chat": "learns here only", "off": "learns nothing"}[checked]
    return checked


def chat(window: Window) -> str:
    return window._desk.asking.conversation.chat


def test_as_usual_nothing_is_said_of_it(window: Window) -> None:
    assert scope(window) == "everywhere"
    assert not window.status.scope.isVisible()


def test_it_is_chosen_by_key_shown_and_told(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda e: heard.append(e.message()))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))
    qtbot.keyClick(editor(window), Qt.Key.Key_2, CTRL_SHIFT)
    assert scope(window) == "chat"
    assert heard[-1].startswith("Votes in this chat count here only")
    qtbot.keyClick(editor(window), Qt.Key.Key_3, CTRL_SHIFT)
    assert scope(window) == "off"
    assert heard[-1].startswith("Nothing is learned in this chat")
    qtbot.keyClick(editor(window), Qt.Key.Key_1, CTRL_SHIFT)
    assert scope(window) == "everywhere"
    assert heard[-1].startswith("Votes in this chat teach every chat")


def test_the_status_line_opens_the_menu_of_it(window: Window) -> None:
    choose(window, "chat")
    assert window.status.scope.menu() is window.menus.scope_menu
    assert window.status.scope.accessibleName() == "learns here only. Change that"
    assert window.menus.scope_menu.actions() == list(window.menus.scopes.values())


def test_a_first_question_and_its_vote_are_of_the_chat_that_they_begin(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    choose(window, "chat")
    duel(qtbot, window, engine)
    here = Reach(chat=chat(window), scope="chat")
    assert here.chat
    assert engine.reaches == [here]
    assert engine.chats.open(here.chat).chat.scope == "chat"
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    assert engine.record.entries[-1].reach == here
    assert model(window).said.startswith("Shorter answers: 50% → 69% sure.")
    learned = window._desk.learning.learned
    assert learned is not None
    assert learned.votes == 0, "the page tells of what is learned everywhere"
    ask(qtbot, window, "Again?")
    turn = settle(qtbot, window)
    assert engine.reaches[-1] == here
    assert turn.learned == ("shorter answers",), "but it acts here"
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: engine.record.counted() == {})


def test_a_vote_kept_to_its_chat_can_be_deleted_on_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    choose(window, "chat")
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    window.menus.learned.trigger()
    page = window.places.learned
    assert page is not None
    qtbot.waitUntil(lambda: page.detail.list.count() == 1)
    assert "in its chat only" in page.detail.list.item(0).text()
    page.detail.delete.click()
    qtbot.waitUntil(lambda: engine.record.counted() == {})


def test_where_nothing_is_learned_no_two_answers_come_and_nothing_acts(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("a", "b"))
    choose(window, "off")
    ask(qtbot, window, "Q")
    turn = settle(qtbot, window)
    assert turn.pair is None
    assert not engine.questions[0].personal
    assert not window.menus.compare.isEnabled()
    choose(window, "everywhere")
    assert window.menus.compare.isEnabled()
    window.menus.regenerate.trigger()
    assert settle(qtbot, window).pair is not None


def test_a_vote_on_what_was_asked_before_counts_as_the_chat_says_now(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    choose(window, "off")
    window.menus.votes[0].trigger()
    qtbot.waitUntil(lambda: model(window).said == "Nothing is learned in this chat.")
    assert model(window).open
    choose(window, "chat")
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    assert engine.record.entries[-1].reach == Reach(chat=chat(window), scope="chat")


def test_every_chat_keeps_its_own(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, open_window: Open
) -> None:
    ask(qtbot, window, "First")
    settle(qtbot, window)
    first = chat(window)
    choose(window, "off")
    qtbot.waitUntil(lambda: engine.chats.open(first).chat.scope == "off")
    window.menus.new_chat.trigger()
    assert scope(window) == "everywhere"
    ask(qtbot, window, "Second")
    settle(qtbot, window)
    window._desk.chats.open(first)
    qtbot.waitUntil(lambda: chat(window) == first)
    assert scope(window) == "off"
    again = open_window()
    again._desk.chats.open(first)
    qtbot.waitUntil(lambda: chat(again) == first)
    assert scope(again) == "off"


def test_while_an_answer_is_written_it_stays_as_it_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("still "))
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: "still" in shown(window))
    assert not any(action.isEnabled() for action in window.menus.scopes.values())
    window.menus.stop.trigger()
    settle(qtbot, window)
    assert all(action.isEnabled() for action in window.menus.scopes.values())


def test_where_it_cannot_be_kept_it_stays_as_it_was_and_that_is_said(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    engine.kept.full = True
    choose(window, "off")
    qtbot.waitUntil(lambda: FULL in shown(window))
    assert scope(window) == "everywhere"


def test_a_chat_that_is_kept_nowhere_asks_for_no_votes_of_its_own(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("a", "b"))
    engine.scripts.append(says("Alone."))
    engine.kept.full = True
    choose(window, "chat")
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).text == "Alone."
    assert engine.reaches == [Reach(chat="", scope="chat")]


def test_on_a_narrow_line_the_words_beside_the_meter_go_before_they_are_cut(
    window: Window,
) -> None:
    status = window.status
    window.menus.scopes["chat"].trigger()
    status.show_context(983, 8192)
    status.resize(900, status.height())
    assert status._context.isVisible()
    status.resize(240, status.height())
    assert not status._context.isVisible()
    assert status._meter.isVisible()
    assert "983" in status._meter.accessibleDescription()
    window.menus.scopes["everywhere"].trigger()
    status.resize(241, status.height())
    assert status._context.isVisible()


def test_in_a_private_chat_nothing_is_learned_and_nothing_else_can_be_chosen(
    qtbot: QtBot, window: Window
) -> None:
    window.menus.new_private.trigger()
    qtbot.waitUntil(lambda: window._desk.asking.conversation.private)
    scopes = window.menus.scopes
    assert [name for name, action in scopes.items() if action.isChecked()] == ["off"]
    assert not any(action.isEnabled() for action in scopes.values())
    window.menus.new_chat.trigger()
    qtbot.waitUntil(lambda: not window._desk.asking.conversation.private)
    assert scope(window) == "everywhere"
    assert all(action.isEnabled() for action in scopes.values())


def test_votes_that_count_in_their_chats_only_are_told_apart_from_the_others(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    choose(window, "chat")
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    window.menus.learned.trigger()
    page = window.places.learned
    assert page is not None
    more = "One vote counts in its own chat only, and not here."
    qtbot.waitUntil(lambda: more in page.headline)


def test_how_the_model_runs_gives_way_before_the_words_beside_the_meter_are_cut(
    qtbot: QtBot, window: Window
) -> None:
    window._theme.set_zoom(3)
    menus, look = window.menus, window._theme.look
    status = StatusLine(look, models=menus.models, scopes=menus.scope_menu)
    qtbot.addWidget(status)
    status.show()
    words = status._context
    status.show_model("SmolLM2 135M Instruct", state="CPU (icelake), 2 threads, context 8192")
    status.show_speed(25.0)
    status.show_context(983, 8192)
    status.set_look(look)
    for width in (1000, 600, 460, 420):
        status.resize(width, status.height())
        QApplication.processEvents()
        qtbot.waitUntil(lambda: words.width() >= words.sizeHint().width())
