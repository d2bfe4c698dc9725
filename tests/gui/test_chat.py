"""The loop: ask, watch, stop, ask again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop import speed
from desktop.conversation import Turn
from desktop.prose import LONGEST
from desktop.views.turn import NoticeLine, TurnView
from desktop.views.window import Window
from desktop.widgets.composer import Editor
from engine.api import AnswerEvent, AttuneError, Chunk, Notice, Question
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine, answered, endless, ready, says, started


def editor(window: Window) -> Editor:
    found = window.composer.findChild(Editor)
    assert isinstance(found, Editor)
    return found


def ask(qtbot: QtBot, window: Window, text: str) -> None:
    qtbot.keyClicks(editor(window), text)
    qtbot.keyClick(editor(window), Qt.Key.Key_Return)


def settle(qtbot: QtBot, window: Window) -> Turn:
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    last = window._desk.asking.conversation.last
    assert last is not None
    return last


def views(window: Window) -> list[TurnView]:
    return window.page._turns


def shown(window: Window) -> str:
    """All that the conversation says, from top to bottom of each turn."""
    parts = [line.text() for line in window.page.findChildren(NoticeLine) if line.isVisible()]
    parts += [view._answer.toPlainText() for view in views(window)]
    return "\n".join(parts)


def test_an_answer_streams_into_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("Water it **daily**."))
    ask(qtbot, window, "How?")
    turn = settle(qtbot, window)
    assert turn.text == "Water it **daily**."
    qtbot.waitUntil(lambda: "Water it daily." in shown(window))
    assert editor(window).toPlainText() == ""
    assert engine.questions[0].messages[-1].text == "How?"


def test_the_engine_hears_one_thread_only_and_it_is_not_the_gui(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "a")
    settle(qtbot, window)
    ask(qtbot, window, "b")
    settle(qtbot, window)
    window.close()
    assert len(engine.threads) == 1
    assert threading.get_ident() not in engine.threads


def test_escape_stops_and_keeps_what_was_said(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("so far "))
    ask(qtbot, window, "Go on")
    qtbot.waitUntil(lambda: "so far" in shown(window))
    qtbot.keyClick(editor(window), Qt.Key.Key_Escape)
    turn = settle(qtbot, window)
    assert turn.text == "so far "
    qtbot.waitUntil(lambda: "Stopped." in shown(window))


def test_a_question_stopped_before_its_answer_began_comes_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def silent(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        engine.stopped.wait(10)
        yield answered("", finish="stopped")

    engine.scripts.append(silent)
    ask(qtbot, window, "Too early")
    qtbot.waitUntil(lambda: "Reading" in shown(window))
    window.menus.stop.trigger()
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert editor(window).toPlainText() == "Too early"
    assert views(window) == []


def test_regenerate_replaces_the_last_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.extend([says("one"), says("two")])
    ask(qtbot, window, "Count")
    settle(qtbot, window)
    qtbot.keyClick(editor(window), Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert settle(qtbot, window).text == "two"
    assert len(views(window)) == 1
    assert engine.questions[0] == engine.questions[1]


def test_a_refused_regeneration_leaves_the_old_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.extend([says("the first"), refuses("Not now.")])
    ask(qtbot, window, "Hm")
    settle(qtbot, window)
    window.menus.regenerate.trigger()
    assert settle(qtbot, window).text == "the first"
    qtbot.waitUntil(lambda: "the first" in shown(window) and "Not now." in shown(window))
    assert editor(window).toPlainText() == ""


def refuses(message: str, *, after: str = ""):  # type: ignore[no-untyped-def]
    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        if after:
            yield Chunk(text=after, tokens=3)
        raise AttuneError(message)

    return script


def test_a_refused_question_is_given_back_with_the_reason(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(refuses("This is too long."))
    ask(qtbot, window, "A novel")
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert editor(window).toPlainText() == "A novel"
    assert "This is too long." in shown(window)
    assert window._desk.asking.conversation.turns == []


def test_words_typed_meanwhile_survive_a_refusal(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    gate = threading.Event()

    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        gate.wait(10)
        raise AttuneError("No.")

    engine.scripts.append(script)
    ask(qtbot, window, "first")
    qtbot.keyClicks(editor(window), "second")
    gate.set()
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert editor(window).toPlainText() == "first\n\nsecond"


def test_a_crash_keeps_the_text_and_the_next_question_works(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def crash(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        yield Chunk(text="Half a", tokens=2)
        yield Notice(code="crash", text="The model ran out of memory; it is back.")
        yield answered("Half a", finish="interrupted")
        yield ready()

    engine.scripts.extend([crash, says("Whole.")])
    ask(qtbot, window, "Long one")
    assert settle(qtbot, window).text == "Half a"
    qtbot.waitUntil(lambda: "out of memory" in shown(window) and "Interrupted" in shown(window))
    assert "Half a" in shown(window)
    ask(qtbot, window, "Next")
    assert settle(qtbot, window).text == "Whole."
    texts = [message.text for message in engine.questions[1].messages]
    assert texts == ["Long one", "Half a", "Next"]


def test_an_error_in_the_middle_keeps_the_partial_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(refuses("It broke.", after="Beginning"))
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).text == "Beginning"
    qtbot.waitUntil(lambda: "It broke." in shown(window))
    assert editor(window).toPlainText() == ""


def test_a_mistake_of_ours_is_a_sentence_and_the_window_lives(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def mistake(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        raise ZeroDivisionError
        yield

    engine.scripts.append(mistake)
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: "went wrong inside Attune" in shown(window))
    assert editor(window).toPlainText() == "Q"
    ask(qtbot, window, "!")
    assert settle(qtbot, window).text == "Yes."


def test_a_question_asked_while_loading_waits_and_says_so(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.may_load.clear()
    window = open_window()
    window._desk.loading.start()
    ask(qtbot, window, "Already?")
    qtbot.waitUntil(lambda: "Waiting for the model" in shown(window))
    engine.may_load.set()
    assert settle(qtbot, window).text == "Yes."


def test_escape_takes_a_waiting_question_back_and_lets_the_model_load(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.may_load.clear()
    window = open_window()
    window._desk.loading.start()
    ask(qtbot, window, "Never mind")
    window.menus.stop.trigger()
    assert editor(window).toPlainText() == "Never mind"
    assert not engine.stopped.is_set()
    engine.may_load.set()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    assert engine.questions == []


def test_a_failed_start_says_why_and_the_next_question_tries_again(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.start_error = AttuneError("The model file is gone.")
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: "The model file is gone." in shown(window))
    ask(qtbot, window, "And now?")
    assert settle(qtbot, window).text == "Yes."
    assert len(engine.loaded) == 2


def test_notices_of_the_start_are_shown(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.start_notices = (Notice(code="template", text="A plain template is used."),)
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: "A plain template is used." in shown(window))


HUGE = "a\u202eb\x00c\n" * 20_000
"""A hundred thousand characters, among them such as disguise what is said."""


def is_brief(line: str) -> bool:
    return line.startswith("abc abc ") and line.endswith("…") and len(line) == LONGEST


def test_a_huge_notice_is_one_line_of_limited_length(window: Window) -> None:
    window._desk.noticed.emit(HUGE)
    assert is_brief(window.page._notices[-1].text())
    assert is_brief(window.page._notices[-1].accessibleName())


def test_a_huge_note_at_an_answer_is_one_line_and_shown_once(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield Notice(code="before", text=HUGE)
        yield started()
        yield Chunk(text="Half", tokens=1)
        raise AttuneError("!" + HUGE)

    engine.scripts.append(script)
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "Half" in shown(window))
    views(window)[0].paint()
    lines = [line.text() for line in views(window)[0]._lines]
    assert is_brief(lines[0])
    assert [len(line) for line in lines] == [LONGEST, LONGEST]


def test_a_huge_state_of_the_model_is_one_line(window: Window) -> None:
    window._desk.loading.heard(replace(ready(), device=HUGE))
    assert is_brief(window.status._state.text())


def test_notices_of_loading_stand_at_the_question_that_waits(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    engine.start_notices = (Notice(code="first", text="Finding good settings."),)
    engine.may_load.clear()
    window = open_window()
    window._desk.loading.start()
    ask(qtbot, window, "Q")
    engine.may_load.set()
    assert settle(qtbot, window).before == ["Finding good settings."]


def test_a_new_chat_forgets_the_old_one_even_while_it_is_answered(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.extend([endless("old "), says("new")])
    ask(qtbot, window, "Old")
    qtbot.waitUntil(lambda: "old" in shown(window))
    window.menus.new_chat.trigger()
    assert views(window) == []
    ask(qtbot, window, "New")
    assert settle(qtbot, window).text == "new"
    assert [message.text for message in engine.questions[1].messages] == ["New"]


def test_a_new_chat_ends_an_answer_that_did_not_hear_the_stop(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    begun, cleared, ended = threading.Event(), threading.Event(), threading.Event()

    def deaf(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        begun.set()
        cleared.wait(10)
        engine.stopped.clear()  # the stop came before the engine began to listen
        yield started()
        if engine.stopped.wait(2):
            ended.set()
        yield answered("", finish="stopped")

    engine.scripts.append(deaf)
    ask(qtbot, window, "Old")
    assert begun.wait(5)
    window.menus.new_chat.trigger()
    cleared.set()
    qtbot.waitUntil(ended.is_set)


def test_the_context_fills_while_the_answer_is_written(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        yield Chunk(text="a", tokens=1)
        gate.wait(0.05)
        yield Chunk(text="b", tokens=1_598)
        gate.wait(10)
        yield answered("ab")

    monkeypatch.setattr(speed, "PATIENCE", 0.0)
    gate = threading.Event()
    engine.scripts.append(script)
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: window.status._context.text() == "20 % of context")
    assert window._desk.asking.used == 40 + 1_598
    gate.set()
    settle(qtbot, window)


def test_copy_last_answer_copies_it_as_written(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("**bold**"))
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(editor(window), Qt.Key.Key_C, modifiers)
    assert QGuiApplication.clipboard().text() == "**bold**"


def test_code_can_be_copied_alone(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    engine.scripts.append(says("See:\n\n```python\nx = 1\ny = 2\n```\n\nGood."))
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "Good." in shown(window))
    views(window)[0]._answer._chosen(QUrl("copy:0"))
    assert QGuiApplication.clipboard().text() == "x = 1\ny = 2"


def test_shift_enter_begins_a_line_and_enter_in_an_input_method_does_not_send(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    field = editor(window)
    qtbot.keyClicks(field, "a")
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field, "b")
    QApplication.sendEvent(field, QInputMethodEvent("に", []))
    assert field.composing
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert engine.questions == []
    assert not window._desk.asking.busy


def test_blank_questions_are_not_asked_and_a_second_one_waits_in_the_field(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "   ")
    assert not window._desk.asking.busy
    editor(window).clear()
    engine.scripts.append(endless())
    ask(qtbot, window, "one")
    qtbot.waitUntil(lambda: "la" in shown(window))
    ask(qtbot, window, "two")
    assert editor(window).toPlainText() == "two"
    window.menus.stop.trigger()
    settle(qtbot, window)


def test_page_keys_in_the_question_move_the_conversation(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("line\n\n" * 90))
    ask(qtbot, window, "Go")
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 500 and bar.value() == bar.maximum())
    qtbot.keyClick(editor(window), Qt.Key.Key_PageUp)
    assert bar.value() == bar.maximum() - bar.pageStep()


def test_a_new_window_offers_three_questions_and_asks_the_chosen_one(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    offers = [b for b in window.page.findChildren(QPushButton) if b.objectName() == "suggestion"]
    assert len(offers) == 3
    offers[0].setFocus()
    qtbot.keyClick(offers[0], Qt.Key.Key_Space)
    assert settle(qtbot, window).question == offers[0].text()
    assert not offers[0].isVisible()


def test_the_scroll_position_belongs_to_the_reader(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def long(engine: ScriptedEngine, question: Question) -> Iterator[AnswerEvent]:
        yield started()
        yield Chunk(text="line\n\n" * 80, tokens=80)
        gate.wait(10)
        yield Chunk(text="line\n\n" * 80, tokens=160)
        yield answered("line\n\n" * 160)

    gate = threading.Event()
    engine.scripts.append(long)
    ask(qtbot, window, "Go")
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 500 and bar.value() == bar.maximum())
    bar.setValue(100)
    before = bar.maximum()
    gate.set()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: bar.maximum() > before * 1.5)
    assert bar.value() == 100


def test_the_status_line_tells_model_place_and_context(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert window.status._model.text() == "SmolLM2 135M"
    assert "CPU, icelake" in window.status._state.text()
    assert window.status._context.text() == "12 % of context"
    assert "left out" in window.status._context.toolTip()
