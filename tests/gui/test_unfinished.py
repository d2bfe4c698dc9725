"""Answers that did not come to their end: what is said of them, and how they are gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import build
from desktop.desk import Desk
from desktop.views.window import Window
from engine.api import Chunk, DuelEvent, Ending, Question
from tests.gui.conftest import Open
from tests.gui.scripted_engine import WHY, DuelScript, ScriptedEngine, endless, started
from tests.gui.test_chat import ask, settle, shown, views
from tests.gui.test_duel import duel, model, said, view

Finish = Literal["end", "stopped", "interrupted"]


def killed(first: str, second: str, *, ends: tuple[Finish, Finish]) -> DuelScript:
    """Two answers of which a fault ended one, or both."""

    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        yield started()
        for number, text in enumerate((first, second)):
            if text:
                yield Chunk(text=text, tokens=1, answer=number)
        held = engine.held(question, first, second, verdict="cut")
        a, b = (replace(a, finish=e) for a, e in zip(held.answers, ends, strict=True))
        yield replace(held, answers=(a, b))

    return script


def cut_off(engine: ScriptedEngine, text: str, *, title: str = "Basil") -> str:
    """A chat as a window leaves it that was killed; returns its id."""
    chat = engine.kept.put(title, ["How?"])
    answer = engine.chats.begin_answer(engine.chats.open(chat).messages[0].id)
    if text:
        engine.kept._store.append(answer.id, text, tokens=3)
    return chat


def resumed(qtbot: QtBot, window: Window, chat: str) -> None:
    qtbot.waitUntil(lambda: window._desk.asking.conversation.chat == chat)
    qtbot.waitUntil(lambda: not window.page._stale)


# Two answers ----------------------------------------------------------------------------------


def test_a_kill_before_anything_was_written_leaves_no_empty_cards(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    two = duel(qtbot, window, engine, killed("", "", ends=("interrupted", "interrupted")))
    turn = views(window)[0]
    assert not two.isVisible()
    assert said(turn) == "Nothing of the two was written, so there is nothing to vote on."
    assert turn._state.text().startswith("Interrupted before anything was written.")


@pytest.mark.parametrize(
    ("second", "ends", "sentence"),
    [
        ("lu", ("interrupted", "interrupted"), "Both were cut short, so there is nothing to "),
        ("lu", ("end", "interrupted"), "One of the two was cut short, so there is nothing to "),
        ("", ("interrupted", "interrupted"), "Both were cut short, so there is nothing to "),
    ],
)
def test_it_says_how_many_were_cut_short_and_shows_what_there_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, second: str, ends: tuple[Finish, Finish],
    sentence: str,
) -> None:  # fmt: skip
    two = duel(qtbot, window, engine, killed("la", second, ends=ends))
    assert said(views(window)[0]) == f"{sentence}vote on."
    assert [side.isVisible() for side in two.sides] == [True, bool(second)]


def test_a_stopped_pair_keeps_the_way_to_the_other_versions(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "How?")
    settle(qtbot, window)
    engine.change(duel_every=1)
    engine.duels.append(killed("la", "lu", ends=("stopped", "stopped")))
    window.menus.regenerate.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: model(window).stage == "cut" and not window.page._stale)
    assert len(views(window)[0].turn.kept.versions) == 3
    assert views(window)[0].answers.isVisible()


def test_who_followed_two_long_answers_is_taken_to_where_they_begin(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        long = "line\n\n" * 120
        yield started()
        yield Chunk(text=long, tokens=120)
        yield Chunk(text="short", tokens=1, answer=1)
        yield engine.held(question, long, "short", verdict="open")

    two = duel(qtbot, window, engine, script)
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000 and not window.page._still.isActive())
    assert window.page._held is None, "from now on the position is the reader's again"
    top = two.mapTo(window.page.viewport(), two.rect().topLeft()).y()
    assert 0 <= top < window.page.viewport().height() // 2


# The next start -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("Half an", "This answer was cut off."), ("", "Nothing was written yet.")],
)
def test_a_window_begins_with_the_answer_that_the_last_one_lost(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine, text: str, sentence: str
) -> None:
    chat = cut_off(engine, text)
    window = open_window()
    window._desk.resume()
    resumed(qtbot, window, chat)
    assert text in shown(window)
    assert sentence in shown(window)
    assert window.menus.regenerate.isEnabled()


def test_quitting_in_the_middle_of_an_answer_is_told_by_the_next_start(
    qtbot: QtBot, window: Window, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("so far "))
    ask(qtbot, window, "Forever")
    qtbot.waitUntil(lambda: "so far" in shown(window))
    chat = window._desk.asking.conversation.chat
    window.close()
    assert engine.chats.open(chat).messages[-1].state == "interrupted"
    again = open_window()
    again._desk.resume()
    resumed(qtbot, again, chat)
    assert "so far" in shown(again)
    assert "This answer was cut off." in shown(again)


@pytest.mark.parametrize("asked_since", [False, True])
def test_a_window_begins_empty_where_the_last_answer_is_whole(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine, asked_since: bool
) -> None:
    if asked_since:
        cut_off(engine, "Half an", title="Older")
    engine.kept.put("Newer", ["How?", "So."], at=engine.kept.now() + 60)
    window = open_window()
    window._desk.resume()
    window._desk.chats.fetch()
    qtbot.waitUntil(lambda: bool(window._desk.chats.chats))
    assert window._desk.asking.conversation.chat == ""


def test_who_has_asked_already_is_not_led_away(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    lost = cut_off(engine, "Half an")
    engine.scripts.append(endless())
    ask(qtbot, window, "Something else")
    window._desk.resume()
    window._desk.chats.fetch()
    qtbot.waitUntil(lambda: bool(window._desk.chats.chats))
    assert window._desk.asking.conversation.chat != lost
    assert window._desk.asking.busy


def test_after_a_bad_end_the_answer_comes_once_its_owner_goes_on(
    qtbot: QtBot, engine: ScriptedEngine
) -> None:
    chat = cut_off(engine, "Half an")
    window = build(Desk(engine), ending=Ending())
    qtbot.addWidget(window)
    window.show()
    sheet = window.mending.sheet
    assert sheet is not None
    qtbot.keyClick(sheet.usual, Qt.Key.Key_Space)
    resumed(qtbot, window, chat)
    assert "Half an" in shown(window)
    window.close()


def test_why_two_says_where_only_its_own_votes_count(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    assert view(window)._why.text() == f"Why two? {WHY}"
    window.menus.scopes["chat"].trigger()
    duel(qtbot, window, engine)
    assert view(window)._why.text() == (f"Why two? In this chat only its own votes count. {WHY}")
