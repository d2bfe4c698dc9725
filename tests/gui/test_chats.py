"""Chats are kept: listed, found, opened, gone on with, put away; nothing is lost on the way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import Qt as Gui
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from desktop import desk as desk_module
from desktop.actions import chats as actions
from desktop.chat_words import Row, imported, listed
from desktop.conversation import Conversation
from desktop.reopening import AT_ONCE
from desktop.views.chat_list import OPEN, ChatModel, snippet_parts
from desktop.views.trash import Trash
from desktop.views.window import Window
from engine.api import AnswerEvent, AttuneError, Chat, Chunk, Imported, Notice, Question
from tests.gui.conftest import Open
from tests.gui.scripted_chats import FULL
from tests.gui.scripted_engine import (
    ScriptedEngine,
    answered,
    endless,
    pair,
    says,
    started,
)
from tests.gui.test_chat import ask, editor, refuses, settle, shown, views
from tests.gui.test_duel import duel, press, said, voted

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
DAY = 86_400.0


def texts(engine: ScriptedEngine, chat: str = "") -> list[tuple[str, str]]:
    """The branch of a chat as it is on the disk, with how each message stands."""
    id = chat or engine.chats.page()[0].id
    return [(message.text, message.state) for message in engine.chats.open(id).messages]


def titles(window: Window) -> list[str]:
    """What the list shows, headings and all."""
    return [row.text for row in window.chats.list.rows.rows]


def filled(qtbot: QtBot, window: Window) -> None:
    """Read the list, as the program does once the window is up."""
    window._desk.chats.fetch()
    qtbot.waitUntil(lambda: bool(window._desk.chats.chats))


def reopened(qtbot: QtBot, window: Window, chat: str) -> None:
    window.browsing._open(chat)
    qtbot.waitUntil(lambda: window._desk.asking.conversation.chat == chat)
    qtbot.waitUntil(lambda: not window.page._stale)


def row_of(window: Window, title: str) -> QPoint:
    rows = window.chats.list
    place = next(i for i, row in enumerate(rows.rows.rows) if row.text == title)
    rows.scrollTo(rows.rows.index(place))
    return rows.visualRect(rows.rows.index(place)).center()


def click(qtbot: QtBot, window: Window, title: str) -> None:
    place = row_of(window, title)
    qtbot.mouseClick(window.chats.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def says_undo(window: Window) -> bool:
    return window.chats.note.button.isVisible()


# What is said is kept -----------------------------------------------------------------------


def test_a_question_is_on_the_disk_before_the_model_sees_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    seen: list[list[tuple[str, str]]] = []

    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        seen.append(texts(engine))
        yield started()
        yield answered("Yes.")

    engine.scripts.append(script)
    ask(qtbot, window, "Is it kept?")
    settle(qtbot, window)
    assert seen[0][0] == ("Is it kept?", "whole")
    assert texts(engine) == [("Is it kept?", "whole"), ("Yes.", "whole")]


def test_pieces_of_an_answer_are_kept_while_it_is_written(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    gate = threading.Event()

    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        for count in range(1, 31):
            yield Chunk(text="la ", tokens=count)
        gate.wait(10)
        yield answered("la " * 30)

    engine.scripts.append(script)
    ask(qtbot, window, "Sing")
    qtbot.waitUntil(lambda: "la la" in shown(window))
    text, state = texts(engine)[1]
    assert state == "partial"
    assert text.startswith("la la")
    gate.set()
    settle(qtbot, window)
    assert texts(engine)[1] == ("la " * 30, "whole")


def test_the_next_question_follows_in_the_same_chat(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for question in ("one", "two"):
        engine.scripts.append(says(f"to {question}"))
        ask(qtbot, window, question)
        settle(qtbot, window)
    (chat,) = engine.chats.page()
    assert [text for text, _ in texts(engine, chat.id)] == ["one", "to one", "two", "to two"]
    qtbot.waitUntil(lambda: titles(window) == ["Today", "one"])


def test_an_answer_that_the_window_closes_on_stays_as_far_as_it_came(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("so far "))
    ask(qtbot, window, "Forever")
    qtbot.waitUntil(lambda: "so far" in shown(window))
    window.close()
    text, state = texts(engine)[1]
    assert text == "so far "
    assert state in ("interrupted", "stopped")


def test_a_question_that_waits_when_the_window_closes_is_kept(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    engine.may_load = engine.stopped
    window._desk.loading.start()
    ask(qtbot, window, "Too late?")
    window.close()
    assert texts(engine) == [("Too late?", "whole")]


def test_what_the_owner_takes_back_leaves_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(refuses("This is too long."))
    ask(qtbot, window, "A novel")
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert engine.chats.page() == ()
    ask(qtbot, window, "!")
    settle(qtbot, window)
    assert [text for text, _ in texts(engine)] == ["A novel!", "Yes."]


def test_a_chat_left_in_the_middle_of_an_answer_keeps_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("half "))
    ask(qtbot, window, "Old")
    qtbot.waitUntil(lambda: "half" in shown(window))
    window.menus.new_chat.trigger()
    assert views(window) == []
    qtbot.waitUntil(lambda: texts(engine)[-1] == ("half ", "stopped"))


def test_a_full_disk_stops_the_keeping_and_not_the_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.kept.full = True
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).text == "Yes."
    qtbot.waitUntil(lambda: FULL in shown(window))
    assert "kept no more" in window.browsing.aside.text
    ask(qtbot, window, "And?")
    turn = settle(qtbot, window)
    assert turn.text == "Yes."
    assert not [line for line in (*turn.before, *turn.after) if FULL in line]
    assert engine.chats.page() == ()


# Two answers --------------------------------------------------------------------------------


def test_both_answers_of_a_duel_are_kept_and_the_chat_goes_on_with_the_better(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    (chat,) = engine.chats.page()
    answer = engine.chats.open(chat.id).messages[1]
    kept = engine.chats.versions(answer.id)
    assert [(one.text, one.duel) for one in kept] == [
        ("the first", "duel-1"), ("the second", "duel-1"),
    ]  # fmt: skip
    assert answer.text == "the first"
    window.menus.votes[1].trigger()
    voted(qtbot, window)
    qtbot.waitUntil(lambda: texts(engine)[1][0] == "the second")
    ask(qtbot, window, "And then?")
    settle(qtbot, window)
    assert [text for text, _ in texts(engine)] == ["How?", "the second", "And then?", "Yes."]


def test_who_asks_on_without_a_vote_goes_on_with_the_first(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[1].trigger()
    voted(qtbot, window)
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: window._desk.asking.conversation.open_turn() is not None)
    engine.duels.clear()
    ask(qtbot, window, "On")
    settle(qtbot, window)
    assert [text for text, _ in texts(engine)][:3] == ["How?", "the first", "On"]


def test_who_asks_on_before_the_vote_has_arrived_finds_all_of_it_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    engine.duels.clear()
    window.menus.votes[1].trigger()
    ask(qtbot, window, "And then?")
    settle(qtbot, window)
    assert [text for text, _ in texts(engine)] == ["How?", "the second", "And then?", "Yes."]


def test_a_late_vote_counts_and_leaves_the_chat_as_it_went_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    engine.duels.clear()
    ask(qtbot, window, "On")
    settle(qtbot, window)
    (earlier, last) = views(window)
    press(qtbot, earlier)  # vote after all
    qtbot.waitUntil(lambda: earlier.pair is not None and earlier.pair.isVisible())
    assert earlier.pair is not None
    qtbot.waitUntil(earlier.pair.sides[1].button.isEnabled)
    earlier.pair.sides[1].button.click()
    voted(qtbot, window, 0)
    assert engine.record.counted() == {"duel-1": "second"}
    assert earlier._answer.toPlainText() == "the first"
    assert earlier.fold is not None
    assert earlier.fold._line.text().startswith("Answer B, the better one")
    window.browsing.edit(last.turn)
    window.composer.clear()
    ask(qtbot, window, "Otherwise")
    settle(qtbot, window)
    asked = [message.text for message in engine.questions[-1].messages]
    assert asked == ["How?", "the first", "Otherwise"]
    assert [text for text, _ in texts(engine)][:3] == asked


def test_a_question_taken_back_leaves_the_choice_between_two_answers_open(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    engine.duels.clear()
    engine.scripts.append(refuses("This is too long."))
    ask(qtbot, window, "On")
    settle(qtbot, window)
    (turn,) = views(window)
    press(qtbot, turn)
    assert turn.pair is not None
    qtbot.waitUntil(turn.pair.sides[1].button.isEnabled)
    turn.pair.sides[1].button.click()
    voted(qtbot, window)
    qtbot.waitUntil(lambda: texts(engine)[1][0] == "the second")


def test_a_duel_that_is_reopened_is_over_and_the_other_answer_is_folded(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[1].trigger()
    voted(qtbot, window)
    qtbot.waitUntil(lambda: texts(engine)[1][0] == "the second")
    (chat,) = engine.chats.page()
    window.menus.new_chat.trigger()
    reopened(qtbot, window, chat.id)
    (view,) = views(window)
    assert view._answer.toPlainText() == "the second"
    assert view.fold is not None
    assert view.fold._line.text().startswith("Answer A")
    assert said(view) == ""
    assert not any(action.isEnabled() for action in window.menus.votes)
    view.fold._line.click()
    qtbot.waitUntil(lambda: "the first" in view.fold.reader.toPlainText())  # type: ignore[union-attr]
    ask(qtbot, window, "More")
    settle(qtbot, window)
    assert [m.text for m in engine.questions[-1].messages] == ["How?", "the second", "More"]


# Versions -----------------------------------------------------------------------------------


def test_regenerate_makes_another_version_and_both_can_be_chosen(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.extend([says("one"), says("two")])
    ask(qtbot, window, "Count")
    settle(qtbot, window)
    assert not views(window)[0].answers.isVisible()
    window.menus.regenerate.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: views(window)[0].answers.isVisible())
    line = views(window)[0].answers
    assert line.words.text() == "2 of 2"
    assert line.earlier.accessibleName() == "Earlier answer"
    assert not line.later.isEnabled()
    window.activateWindow()
    line.earlier.setFocus()
    qtbot.keyClick(line.earlier, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "one" in shown(window))
    line = views(window)[0].answers
    assert line.words.text() == "1 of 2"
    assert QApplication.focusWidget() is line.later
    assert [text for text, _ in texts(engine)] == ["Count", "one"]
    ask(qtbot, window, "Next")
    settle(qtbot, window)
    assert [m.text for m in engine.questions[-1].messages] == ["Count", "one", "Next"]


def test_a_refused_regeneration_leaves_the_branch_as_it_was(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    engine.scripts.append(refuses("Not now."))
    engine.duels.clear()
    window.menus.regenerate.trigger()
    settle(qtbot, window)
    (chat,) = engine.chats.page()
    messages = engine.chats.open(chat.id).messages
    assert messages[1].text == "the first"
    assert len(messages[1].versions) == 2


def test_an_edited_question_is_a_branch_and_the_old_one_stays(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for question in ("one", "two"):
        ask(qtbot, window, question)
        settle(qtbot, window)
    first = window._desk.asking.conversation.turns[0]
    window.page.edit_asked.emit(first)
    assert editor(window).toPlainText() == "one"
    assert window.browsing.aside.isVisible()
    editor(window).clear()
    engine.scripts.append(says("other"))
    ask(qtbot, window, "uno")
    settle(qtbot, window)
    assert not window.browsing.aside.isVisible()
    assert [turn.question for turn in window._desk.asking.conversation.turns] == ["uno"]
    assert len(views(window)) == 1
    line = views(window)[0].questions
    qtbot.waitUntil(line.isVisible)
    assert line.words.text() == "2 of 2"
    assert [m.text for m in engine.questions[-1].messages] == ["uno"]
    line.earlier.click()
    qtbot.waitUntil(lambda: len(views(window)) == 2)
    assert [text for text, _ in texts(engine)] == ["one", "Yes.", "two", "Yes."]


def test_an_edit_that_is_refused_brings_the_old_branch_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for question in ("one", "two"):
        ask(qtbot, window, question)
        settle(qtbot, window)
    window.page.edit_asked.emit(window._desk.asking.conversation.turns[0])
    editor(window).clear()
    engine.scripts.append(refuses("No."))
    ask(qtbot, window, "uno")
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert [turn.question for turn in window._desk.asking.conversation.turns] == ["one", "two"]
    assert [view.turn.question for view in views(window)] == ["one", "two"]
    assert editor(window).toPlainText() == "uno"
    assert [text for text, _ in texts(engine)] == ["one", "Yes.", "two", "Yes."]


def test_editing_can_be_left(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    ask(qtbot, window, "one")
    settle(qtbot, window)
    qtbot.keyClick(editor(window), Qt.Key.Key_E, CTRL)
    button = window.browsing.aside._button
    qtbot.waitUntil(button.isEnabled)
    button.click()
    assert editor(window).toPlainText() == ""
    ask(qtbot, window, "two")
    settle(qtbot, window)
    assert [text for text, _ in texts(engine)] == ["one", "Yes.", "two", "Yes."]


def test_no_other_version_can_be_chosen_while_an_answer_is_written(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.extend([says("one"), says("two"), endless()])
    ask(qtbot, window, "Count")
    settle(qtbot, window)
    window.menus.regenerate.trigger()
    settle(qtbot, window)
    ask(qtbot, window, "Sing")
    qtbot.waitUntil(lambda: "la" in shown(window))
    assert not views(window)[0].answers.earlier.isEnabled()
    window.menus.stop.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: views(window)[0].answers.earlier.isEnabled())


# Opening ------------------------------------------------------------------------------------


def test_a_chat_opens_with_texts_and_who_answered_and_goes_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.kept.put("Basil", ["How?", "Water **it**.", "And then?", "Wait."])
    filled(qtbot, window)
    click(qtbot, window, "Basil")
    qtbot.waitUntil(lambda: "Water it." in shown(window) and "Wait." in shown(window))
    assert "SmolLM2 135M" in shown(window)
    index = window.chats.list.rows.index(1)
    assert index.data(OPEN)
    assert "open now" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert QApplication.focusWidget() is editor(window) or not window.isActiveWindow()
    ask(qtbot, window, "Why?")
    settle(qtbot, window)
    assert [m.text for m in engine.questions[-1].messages] == [
        "How?", "Water **it**.", "And then?", "Wait.", "Why?",
    ]  # fmt: skip


def test_an_answer_cut_off_by_a_crash_says_so_and_can_be_written_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    chat = engine.kept.put("Cut", ["How?"])
    question = engine.chats.open(chat).messages[0]
    answer = engine.chats.begin_answer(question.id)
    engine.kept._store.append(answer.id, "Half an", tokens=3)
    filled(qtbot, window)
    reopened(qtbot, window, chat)
    assert "Half an" in shown(window)
    assert "This answer was cut off." in shown(window)
    window.menus.regenerate.trigger()
    assert settle(qtbot, window).text == "Yes."
    qtbot.waitUntil(lambda: views(window)[0].answers.words.text() == "2 of 2")


def test_a_question_whose_answer_never_began_can_be_answered_or_followed(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    chat = ""
    for then in ("regenerate", "follow"):
        chat = engine.kept.put(then, ["Lonely?"])
        reopened(qtbot, window, chat)
        if then == "regenerate":
            window.menus.regenerate.trigger()
        else:
            ask(qtbot, window, "Hello?")
        settle(qtbot, window)
        assert texts(engine, chat)[-1] == ("Yes.", "whole")
    assert texts(engine, chat)[1] == ("", "interrupted")


def test_a_chat_that_is_gone_says_so_and_leaves_what_is_on_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    chat = engine.kept.put("Gone", ["a", "b"])
    filled(qtbot, window)
    ask(qtbot, window, "Still here")
    settle(qtbot, window)
    engine.chats.erase(chat)
    window.browsing._open(chat)
    qtbot.waitUntil(window.chats.note.isVisible)
    assert chat in window.chats.note.words.text()
    assert window._desk.asking.conversation.turns[0].question == "Still here"


def moved_from(window: Window, before: Conversation) -> bool:
    return window._desk.asking.conversation is not before


def test_next_and_previous_go_round_by_key(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for number in range(3):
        engine.kept.put(f"Chat {number}", ["a", "b"], at=time.time() - number)
    filled(qtbot, window)
    seen = []
    for key, modifiers in ((Qt.Key.Key_Tab, CTRL),) * 4 + ((Qt.Key.Key_Backtab, CTRL | SHIFT),):
        before = window._desk.asking.conversation
        qtbot.keyClick(editor(window), key, modifiers)
        qtbot.waitUntil(partial(moved_from, window, before))
        seen.append(window._desk.asking.conversation.title)
    assert seen == ["Chat 0", "Chat 1", "Chat 2", "Chat 0", "Chat 2"]


def test_a_long_chat_opens_at_its_end_and_earlier_turns_come_without_a_jump(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    chat = engine.kept.put_many("Long", 400)
    reopened(qtbot, window, chat)
    assert len(views(window)) == AT_ONCE
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() and bar.maximum() > 1000)
    qtbot.wait(200)
    first = views(window)[0]
    stood = first.y() - 350
    bar.setValue(350)
    qtbot.waitUntil(lambda: len(views(window)) > AT_ONCE)
    qtbot.waitUntil(lambda: not window.page._stale and window.page._anchor is None)
    assert views(window)[0].turn.question == "Question 160: how is this done?"
    assert first.y() > 1000
    assert first.mapTo(window.page.viewport(), QPoint(0, 0)).y() == pytest.approx(stood, abs=2)
    count = len(views(window))
    window.page._more.click()
    assert len(views(window)) > count


# The list -----------------------------------------------------------------------------------


def a_chat(title: str, *, changed: float, pinned: bool = False) -> Chat:
    return Chat(
        id=title, title=title, named=False, created=changed, changed=changed, pinned=pinned,
        deleted=None, messages=2, snippet="",
    )  # fmt: skip


def test_the_list_has_quiet_headings_by_day() -> None:
    now = datetime(2026, 3, 1, 0, 30)
    chats = [
        a_chat("kept", changed=(now - timedelta(days=9)).timestamp(), pinned=True),
        a_chat("new", changed=now.timestamp()),
        a_chat("late", changed=(now - timedelta(minutes=31)).timestamp()),
        a_chat("old", changed=(now - timedelta(days=2)).timestamp()),
        a_chat("  ", changed=0.0),
    ]
    assert [row.text for row in listed(chats, today=now.date())] == [
        "Pinned", "kept", "Today", "new", "Yesterday", "late", "Earlier", "old",
        "A chat without words",
    ]  # fmt: skip


@pytest.mark.parametrize("at", [1e300, -1e300, 1e13, -1e13])
def test_a_chat_of_a_time_that_no_calendar_has_is_listed(at: float) -> None:
    rows = listed([a_chat("Old", changed=at)], today=datetime(2026, 7, 29).date())
    assert [row.text for row in rows] == ["Earlier", "Old"]


def test_a_question_like_a_book_is_shown_in_part_and_asked_as_a_whole(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    book = "Once upon a time. " * 4_000
    window._desk.asking.ask(book)
    settle(qtbot, window)
    shown_text = views(window)[0]._question.toPlainText()
    assert shown_text.startswith("Once upon a time. Once")
    assert len(shown_text) < 21_000
    assert shown_text.endswith("more characters are not shown; an export has them.")
    assert engine.questions[0].messages[0].text == book.strip()
    assert texts(engine)[0][0] == book.strip()


def test_a_title_is_never_taken_for_html(qtbot: QtBot, window: Window) -> None:
    row = Row(text="a & <img src='file:///x'>", chat=a_chat("x", changed=0.0))
    window.chats.show_rows([row], more=False, told="")
    told = window.chats.list.rows.index(0).data(Qt.ItemDataRole.ToolTipRole)
    document = QTextDocument()
    document.setHtml(told)
    assert Gui.mightBeRichText(told)
    assert document.toPlainText() == "a & <img src='file:///x'>"


def test_thousands_of_chats_come_page_by_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = tuple(a_chat(f"{number:05d}", changed=9e5 - number) for number in range(5_000))

    def page(*, limit: int = 100, before: str = "", trash: bool = False) -> tuple[Chat, ...]:
        begin = int(before) + 1 if before else 0
        return chats[begin : begin + limit]

    monkeypatch.setattr(engine.chats, "page", page)
    filled(qtbot, window)
    assert len(window._desk.chats.chats) == 100
    rows = window.chats.list
    rows.scrollToBottom()
    qtbot.waitUntil(lambda: len(window._desk.chats.chats) == 200)
    assert rows.verticalScrollBar().value() < rows.verticalScrollBar().maximum()


def test_headings_cannot_be_chosen_and_no_bare_key_changes_a_chat(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.kept.put("Basil", ["a", "b"])
    filled(qtbot, window)
    rows = window.chats.list
    assert not rows.rows.flags(rows.rows.index(0)) & Qt.ItemFlag.ItemIsSelectable
    rows.enter()
    assert rows.current is not None
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        qtbot.keyClick(rows, key)
    qtbot.wait(50)
    assert len(engine.chats.page()) == 1
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window._desk.asking.conversation.title == "Basil")


def test_search_finds_words_in_any_chat_and_escape_clears_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.kept.put("Plants", ["How do I water basil?", "Every day."])
    engine.kept.put("Music", ["What is a fugue?", "Several voices."])
    filled(qtbot, window)
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_K, CTRL)
    field = window.chats.field
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)
    engine.scripts.append(endless())
    qtbot.keyClicks(field, "basi")
    qtbot.waitUntil(lambda: titles(window) == ["Plants"])
    parts = snippet_parts(window.chats.list.rows.rows[0])
    assert [text for text, marked in parts if marked] == ["basil"]
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    qtbot.waitUntil(lambda: titles(window) == ["Today", "Music", "Plants"])
    qtbot.keyClicks(field, "nothing like it")
    qtbot.waitUntil(lambda: window.chats.told.text() == "Nothing found.")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is editor(window)


def test_search_does_not_wait_for_an_answer_and_escape_there_does_not_stop_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.kept.put("Plants", ["basil", "b"])
    engine.scripts.append(endless())
    ask(qtbot, window, "Sing")
    qtbot.waitUntil(lambda: "la" in shown(window))
    qtbot.keyClicks(window.chats.field, "basil")
    qtbot.waitUntil(lambda: titles(window) == ["Plants"])
    qtbot.keyClick(window.chats.field, Qt.Key.Key_Escape)
    assert window._desk.asking.busy
    window.menus.stop.trigger()
    settle(qtbot, window)
    assert threading.get_ident() not in engine.kept.threads


def test_a_chat_is_renamed_pinned_and_unpinned(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "ask_title", lambda chat, *, parent: f"My {chat.title}")
    old = engine.kept.put("Old", ["a", "b"], at=time.time() - 9 * DAY)
    engine.kept.put("New", ["a", "b"])
    filled(qtbot, window)
    assert not window.menus.rename.isEnabled()
    reopened(qtbot, window, old)
    qtbot.keyClick(editor(window), Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: titles(window) == ["Today", "New", "Earlier", "My Old"])
    window.menus.pin.trigger()
    qtbot.waitUntil(lambda: titles(window) == ["Pinned", "My Old", "Today", "New"])
    assert window.menus.pin.text() == "Unp&in"
    window.menus.pin.trigger()
    qtbot.waitUntil(lambda: titles(window)[0] == "Today")


def test_the_menu_of_a_chat_is_about_that_chat(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    one = engine.kept.put("One", ["a", "b"])
    engine.kept.put("Two", ["a", "b"])
    filled(qtbot, window)
    reopened(qtbot, window, one)
    window.chats.list.customContextMenuRequested.emit(row_of(window, "Two"))
    menu = next(m for m in window.findChildren(QMenu) if m.objectName() == "chat_menu")
    words = [action.text() for action in menu.actions()]
    assert words == ["Open", "Rename…", "Pin", "Export…", "Delete"]
    menu.actions()[-1].trigger()
    menu.close()
    qtbot.waitUntil(lambda: titles(window) == ["Today", "One"])
    assert window._desk.asking.conversation.chat == one


def test_deleting_is_at_once_and_can_be_undone(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    chat = engine.kept.put("Basil", ["How?", "Water."])
    filled(qtbot, window)
    reopened(qtbot, window, chat)
    window.menus.delete.trigger()
    qtbot.waitUntil(lambda: says_undo(window) and titles(window) == [])
    assert window.chats.note.words.text() == "Deleted."
    assert views(window) == []
    assert not window.menus.delete.isEnabled()
    window.chats.note.button.click()
    qtbot.waitUntil(lambda: titles(window) == ["Today", "Basil"])
    assert not says_undo(window)


def test_deleted_chats_are_restored_or_erased_once_agreed(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("One", "Two"):
        engine.chats.delete(engine.kept.put(title, ["a", "b"]))
    window.menus.trash.trigger()
    (trash,) = window.findChildren(Trash)
    qtbot.waitUntil(lambda: len(trash.list.rows.rows) == 2)
    current = trash.list.current
    assert current is not None
    answers = iter((False, True))
    monkeypatch.setattr(actions, "agreed", lambda *_, **__: next(answers))
    trash.erase.click()
    qtbot.wait(50)
    assert len(engine.chats.page(trash=True)) == 2
    trash.erase.click()
    qtbot.waitUntil(lambda: len(trash.list.rows.rows) == 1)
    assert current.id not in [chat.id for chat in engine.chats.page(trash=True)]
    trash.restore.click()
    qtbot.waitUntil(lambda: len(titles(window)) == 2 and not trash.restore.isEnabled())
    trash.close()


# Private ------------------------------------------------------------------------------------


def test_of_a_private_chat_nothing_is_kept_and_nothing_is_learned(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("a", "b"))
    qtbot.keyClick(editor(window), Qt.Key.Key_N, CTRL | SHIFT)
    assert window.browsing.aside.text.startswith("Private")
    assert window.browsing.aside.isVisible()
    ask(qtbot, window, "Secret?")
    turn = settle(qtbot, window)
    assert turn.pair is None
    assert turn.personal
    assert engine.chats.page() == ()
    assert (
        not (engine.data_dir / "chats.db").exists()
        or b"Secret" not in (engine.data_dir / "chats.db").read_bytes()
    )
    assert not window.menus.delete.isEnabled()


def test_a_private_chat_is_left_after_one_question(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer = [False]

    def agreed(question: str, told: str, **_: object) -> bool:
        asked.append(question)
        return answer[0]

    monkeypatch.setattr(actions, "agreed", agreed)
    chat = engine.kept.put("Basil", ["a", "b"])
    filled(qtbot, window)
    window.menus.new_private.trigger()
    window.menus.new_chat.trigger()  # nothing was said in it
    window.menus.new_private.trigger()
    assert asked == []
    ask(qtbot, window, "Secret?")
    settle(qtbot, window)
    window.menus.new_chat.trigger()
    click(qtbot, window, "Basil")
    assert asked == ["Leave the private chat?"] * 2
    assert window._desk.asking.conversation.private
    answer[0] = True
    reopened(qtbot, window, chat)
    assert not window.browsing.aside.isVisible()
    assert "Secret?" not in [view.turn.question for view in views(window)]


# Files --------------------------------------------------------------------------------------


def test_a_chat_is_exported_to_markdown_or_json(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    chat = engine.kept.put("Basil: how/why?", ["How?", "Water **it**."])
    filled(qtbot, window)
    reopened(qtbot, window, chat)
    offered: list[str] = []
    target = tmp_path / "out.md"
    kind = ["md"]

    def pick(parent: object, title: str, name: str, kinds: str, *_: object) -> tuple[str, str]:
        offered.append(name)
        return str(target), kinds.split(";;")[kind[0] == "json"]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", pick)
    window.menus.export.trigger()
    qtbot.waitUntil(lambda: str(target) in window.chats.note.words.text())
    assert offered == ["Basil how why.md"]
    assert "Water **it**." in target.read_text(encoding="utf-8")
    window.menus.export.trigger()
    qtbot.waitUntil(lambda: "is there already" in window.chats.note.words.text())
    kind[0] = "json"
    window.menus.export.trigger()
    qtbot.waitUntil(lambda: (tmp_path / "out.json").exists())
    assert json.loads((tmp_path / "out.json").read_text())["format"] == "attune-chats"


def test_all_chats_go_out_and_come_in_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for number in range(3):
        engine.kept.put(f"Chat {number}", ["a", "b"])
    filled(qtbot, window)
    file = tmp_path / "all.json"
    choices = {"getSaveFileName": lambda *a: (str(file), a[3].split(";;")[0])}
    choices["getOpenFileName"] = lambda *_: (str(file), "")
    for name, choice in choices.items():
        monkeypatch.setattr(QFileDialog, name, choice)
    window.menus.export_all.trigger()
    qtbot.waitUntil(file.exists)
    erased = engine.chats.page()[0].id
    engine.chats.erase(erased)
    window.menus.import_chats.trigger()
    said = "1 chat with 2 messages imported, 2 were here already."
    qtbot.waitUntil(lambda: window.chats.note.words.text() == said)
    qtbot.waitUntil(lambda: len(titles(window)) == 4)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (Imported(chats=12, messages=340, skipped=2),
         "12 chats with 340 messages imported, 2 were here already."),
        (Imported(chats=1, messages=1, skipped=1),
         "1 chat with 1 message imported, one was here already."),
        (Imported(chats=3, messages=6, skipped=0), "3 chats with 6 messages imported."),
        (Imported(chats=0, messages=0, skipped=4),
         "Nothing new: all chats of the file are here already."),
        (Imported(chats=0, messages=0, skipped=0), "There are no chats in the file."),
        (Imported(chats=1, messages=2, skipped=0, notices=(Notice(code="x", text="A\nnote."),)),
         "1 chat with 2 messages imported. A note."),
    ],
)  # fmt: skip
def test_what_came_of_an_import_is_one_line(result: Imported, sentence: str) -> None:
    assert imported(result) == sentence


def test_a_file_that_is_no_archive_is_refused_in_a_sentence(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text("{")
    window._desk.chats.import_file(tmp_path / "x.json")
    qtbot.waitUntil(lambda: "x.json" in window.chats.note.words.text())


# At rest ------------------------------------------------------------------------------------


def test_copies_are_looked_after_once_and_only_when_all_is_quiet(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "TEND_AFTER", 1)
    window = open_window()
    engine.scripts.append(endless())
    window._desk.loading.start()
    ask(qtbot, window, "Sing")
    qtbot.waitUntil(lambda: "la" in shown(window))
    qtbot.wait(60)
    assert engine.kept.tended == 0
    window.menus.stop.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: engine.kept.tended == 1)
    ask(qtbot, window, "Again")
    settle(qtbot, window)
    qtbot.wait(60)
    assert engine.kept.tended == 1
    window.close()
    assert threading.get_ident() not in engine.kept.threads


def test_in_a_window_that_stays_open_copies_are_looked_after_again(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "TEND_AFTER", 1)
    monkeypatch.setattr(desk_module, "TEND_AGAIN", 1)
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: engine.kept.tended >= 3)


def test_copies_that_cannot_be_made_are_said(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "TEND_AFTER", 1)
    engine.kept.untended = "There is no space left for copies."
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: window.chats.note.words.text() == engine.kept.untended)


def test_a_list_that_cannot_be_read_says_why_and_asking_works(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> tuple[Chat, ...]:
        raise AttuneError("chats.db is damaged.")

    monkeypatch.setattr(engine.chats, "page", broken)
    window._desk.chats.fetch()
    qtbot.waitUntil(lambda: window.chats.told.text() == "chats.db is damaged.")
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).text == "Yes."


def test_a_window_begins_with_an_empty_chat_and_the_list_behind_it(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.kept.put("Basil", ["a", "b"])
    window = open_window()
    assert titles(window) == []
    filled(qtbot, window)
    assert titles(window) == ["Today", "Basil"]
    offers = [b for b in window.page.findChildren(QPushButton) if b.objectName() == "suggestion"]
    assert all(offer.isVisible() for offer in offers)


def test_an_empty_model_asks_for_no_more() -> None:
    model = ChatModel()
    model.show_rows([], more=False)
    assert model.rowCount() == 0
    assert model.place("x") == -1
