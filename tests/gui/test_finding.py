"""Find in chat: marked, counted, gone through by key, also while an answer is being written."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from desktop.conversation import Conversation
from desktop.views import finding
from desktop.views.finding import Finding
from desktop.views.window import Window
from desktop.widgets.find_line import FindLine
from tests.gui.scripted_engine import ScriptedEngine, endless, pair, says
from tests.gui.test_chat import ask, editor, settle
from tests.gui.test_duel import duel

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
BASIL = "Basil likes water.\n\n```python\nbasil = 1\n```"


def find(qtbot: QtBot, window: Window, text: str = "") -> FindLine:
    """Ctrl+F, and then these keys."""
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_F, CTRL)
    line = finder(window).line
    qtbot.waitUntil(line.field.hasFocus)
    qtbot.keyClicks(line.field, text)
    return line


def finder(window: Window) -> Finding:
    return window.browsing.finding


def marked(window: Window) -> list[str]:
    """What is marked on the page, from the top."""
    return [
        selection.cursor.selectedText()
        for reader in window.page.readers
        for selection in reader.extraSelections()
    ]


def here(window: Window) -> list[int]:
    """Which of the marks has the accent."""
    accent = finder(window).line.look.accent
    marks = [s for reader in window.page.readers for s in reader.extraSelections()]
    return [i for i, mark in enumerate(marks) if mark.format.background().color() == accent]


@pytest.fixture
def asked(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> Window:
    """A question and an answer that hold the word three times."""
    engine.scripts.append(says(BASIL))
    ask(qtbot, window, "How do I keep BASIL alive?")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "basil = 1" in window.page.readers[-1].toPlainText())
    return window


def test_words_are_marked_in_questions_and_answers_in_any_case(qtbot: QtBot, asked: Window) -> None:
    line = find(qtbot, asked, "basil")
    assert marked(asked) == ["BASIL", "Basil", "basil"]
    assert line.count.text() == "1 of 3"
    assert here(asked) == [0]


def test_our_own_words_on_a_code_panel_are_not_found(qtbot: QtBot, asked: Window) -> None:
    line = find(qtbot, asked, "Copy code")
    assert "Copy code" in asked.page.readers[-1].toPlainText()
    assert line.count.text() == "Nothing found"
    assert not marked(asked)
    assert not line.following.isEnabled()


@pytest.mark.parametrize(
    ("key", "modifier", "places"),
    [
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, [1, 2, 0]),
        (Qt.Key.Key_Return, SHIFT, [2, 1, 0]),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, [1, 2, 0]),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, [2, 1, 0]),
        (Qt.Key.Key_F3, Qt.KeyboardModifier.NoModifier, [1, 2, 0]),
        (Qt.Key.Key_F3, SHIFT, [2, 1, 0]),
    ],
)
def test_keys_lead_round_and_round(
    qtbot: QtBot, asked: Window, key: Qt.Key, modifier: Qt.KeyboardModifier, places: list[int]
) -> None:
    line = find(qtbot, asked, "basil")
    for place in places:
        qtbot.keyClick(line.field, key, modifier)
        assert here(asked) == [place]
        assert line.count.text() == f"{place + 1} of 3"
    assert line.field.hasFocus()


def test_buttons_lead_on_and_close(qtbot: QtBot, asked: Window) -> None:
    line = find(qtbot, asked, "basil")
    line.following.click()
    assert here(asked) == [1]
    line.previous.click()
    assert here(asked) == [0]
    line.close_up.click()
    assert not line.isVisible()


def test_escape_closes_and_does_not_stop_the_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("Basil la "))
    ask(qtbot, window, "Sing.")
    qtbot.waitUntil(lambda: len(window.page.readers) == 2)
    line = find(qtbot, window, "basil")
    assert line.count.text() == "1 of 1"
    qtbot.keyClick(line.field, Qt.Key.Key_Escape)
    assert not line.isVisible()
    assert not marked(window)
    assert window._desk.asking.busy
    assert editor(window).hasFocus()
    line = find(qtbot, window)
    qtbot.keyClick(line.close_up, Qt.Key.Key_Escape)
    assert not line.isVisible()
    assert window._desk.asking.busy
    engine.stop()
    settle(qtbot, window)


def test_what_is_written_meanwhile_is_found_and_the_place_stays(
    qtbot: QtBot, asked: Window, engine: ScriptedEngine
) -> None:
    line = find(qtbot, asked, "basil")
    qtbot.keyClick(line.field, Qt.Key.Key_Return)
    engine.scripts.append(endless("More basil "))
    ask(qtbot, asked, "And?")
    qtbot.waitUntil(lambda: line.count.text() == "2 of 4")
    assert here(asked) == [1]
    engine.stop()
    settle(qtbot, asked)


def test_both_answers_of_a_duel_are_searched_and_a_folded_one_only_while_it_is_open(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine, pair("One basil.", "Two basil."))
    line = find(qtbot, window, "basil")
    assert line.count.text() == "1 of 2"
    window.menus.votes[0].trigger()
    qtbot.waitUntil(lambda: line.count.text() == "1 of 1")
    fold = window.page._turns[-1].fold
    assert fold is not None
    fold._line.click()
    qtbot.keyClick(line.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: line.count.text() == "2 of 2")


def test_a_place_far_away_is_brought_on_the_screen(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("needle\n\n" + "hay\n\n" * 200))
    ask(qtbot, window, "Where?")
    settle(qtbot, window)
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000 and bar.value() == bar.maximum())
    find(qtbot, window, "needle")
    assert 0 <= bar.value() < 200


def test_earlier_turns_come_while_the_line_is_open(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    conversation = Conversation()
    for number in range(60):
        turn = conversation.begin(
            f"basil {number}", steering=window._desk.taste.steering, personal=False
        )
        turn.add("Yes.")
        turn.interrupt("")
    window._desk.asking.conversation = conversation
    window._desk.asking.opened.emit()
    window._show_busy()
    assert len(window.page._turns) < 60
    line = find(qtbot, window, "basil")
    qtbot.waitUntil(lambda: line.count.text().endswith("of 60"))
    line.left.emit()
    assert not window.page.viewportMargins().top()


def test_what_is_on_the_screen_stays_where_it_is_when_the_line_comes(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("hay\n\n" * 200))
    ask(qtbot, window, "Where?")
    settle(qtbot, window)
    bar = window.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000)
    bar.setValue(500)
    reader, page = window.page.readers[-1], window.page
    before = reader.mapTo(page, reader.rect().topLeft()).y()
    find(qtbot, window)
    assert reader.mapTo(page, reader.rect().topLeft()).y() == before


def test_from_another_page_it_leads_back_to_the_chat(qtbot: QtBot, asked: Window) -> None:
    asked.menus.settings.trigger()
    asked.menus.find_next.trigger()
    assert asked.places.at_chat
    assert finder(asked).line.field.hasFocus()


def test_an_empty_chat_has_nothing_to_find_and_a_new_one_closes_the_line(
    qtbot: QtBot, asked: Window
) -> None:
    line = find(qtbot, asked, "basil")
    asked.menus.new_chat.trigger()
    qtbot.waitUntil(lambda: not line.isVisible())
    for action in (asked.menus.find, asked.menus.find_next, asked.menus.find_previous):
        assert not action.isEnabled()


def test_who_listens_hears_which_place_it_is_and_the_words_around_it(
    qtbot: QtBot, asked: Window
) -> None:
    told: list[str] = []
    asked.browsing.told.connect(told.append)
    line = find(qtbot, asked, "likes")
    assert told[-1] == "1 of 1: Basil likes water."
    qtbot.keyClicks(line.field, "z")
    assert told[-1] == "Nothing found"


def test_of_very_many_places_it_says_so(
    qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 2)
    assert find(qtbot, asked, "basil").count.text() == "1 of 2 or more"


def test_it_is_marked_in_the_colours_of_now(qtbot: QtBot, asked: Window) -> None:
    find(qtbot, asked, "basil")
    asked.menus.zoom_in.trigger()
    qtbot.waitUntil(lambda: marked(asked) == ["BASIL", "Basil", "basil"])


def test_nothing_is_found_of_nothing() -> None:
    assert finding._find(QTextDocument("basil"), "") == ()


def test_a_text_that_went_away_meanwhile_is_no_trouble(
    qtbot: QtBot, asked: Window, engine: ScriptedEngine
) -> None:
    line = find(qtbot, asked, "basil")
    gone = asked.page.readers[-1]
    asked.page._drop(asked._desk.asking.conversation.turns[-1])
    with qtbot.waitSignal(gone.destroyed):
        pass
    qtbot.keyClick(line.field, Qt.Key.Key_Escape)
    assert not line.isVisible()


def test_an_answer_that_is_folded_again_keeps_no_mark(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine, pair("One basil.", "Two basil."))
    window.menus.votes[0].trigger()
    qtbot.waitUntil(lambda: window.page._turns[-1].fold is not None)
    fold = window.page._turns[-1].fold
    assert fold is not None
    fold._line.click()
    line = find(qtbot, window, "basil")
    qtbot.waitUntil(lambda: line.count.text().endswith("of 2"))
    assert fold.reader.extraSelections()
    fold._line.click()
    line.close_up.click()
    fold._line.click()
    assert not fold.reader.extraSelections()
