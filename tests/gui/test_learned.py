"""The page "What I learned": what it says, what can be changed there, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QScrollBar, QTableWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from desktop import findings
from desktop.views.learned import LearnedPage
from desktop.views.window import Window
from desktop.widgets.trait_table import LESS, MORE, SURE
from engine.api import AttuneError, Learned, StorageError
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine
from tests.gui.scripted_record import FORMAL, LISTS, SHORT, Entry, Held, told
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_window import INTERACTIVE, dark

ROOT = Path(__file__).parents[2]

GIVEN = (
    told(SHORT, weight=0.6, low=0.2, high=0.9, sure=0.81, theta=1.2, votes=("duel-1",)),
    told(LISTS, weight=-0.3, low=-0.8, high=0.2, sure=0.2, votes=("duel-2",), to_settle=1),
    told(FORMAL, weight=0.0, low=-0.85, high=0.85, sure=0.5, to_settle=4),
)


def vote(engine: ScriptedEngine, *, trait: str = "short", question: str = "", **rest: str) -> str:
    """Put a vote on record."""
    id = f"duel-{len(engine.record.duels) + 1}"
    engine.record.duels[id] = Held(id=id, trait=trait, question=question)
    outcome = rest.get("outcome", "first")
    engine.record.entries.append(Entry(kind="vote", about=id, outcome=outcome))  # type: ignore[arg-type]
    return id


def opened(qtbot: QtBot, window: Window) -> LearnedPage:
    """The page, with everything in it."""
    qtbot.keyClick(editor(window), Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    page = window.places.learned
    assert page is not None
    learning = window._desk.learning
    seen: list[bool] = []
    learning.changed.connect(lambda: seen.append(True))
    learning.fetch()
    qtbot.waitUntil(lambda: bool(seen))
    return page


def drawn(qtbot: QtBot, page: LearnedPage) -> QWidget:
    qtbot.waitUntil(lambda: page.table._picture is not None, timeout=15_000)
    assert page.table._picture is not None
    return page.table._picture


def cell(page: LearnedPage, row: int, column: int) -> QTableWidgetItem:
    item = page.table.item(row, column)
    assert item is not None
    return item


def cells(page: LearnedPage, row: int) -> list[str]:
    return [cell(page, row, column).text() for column in (LESS, MORE, SURE)]


def did(qtbot: QtBot, page: LearnedPage) -> str:
    qtbot.waitUntil(lambda: page.said.isVisible())
    return page.said.text


def press_undo(qtbot: QtBot, page: LearnedPage) -> None:
    qtbot.waitUntil(page.said._button.isEnabled)
    page.said._button.click()


def test_rows_have_words_on_both_ends_and_how_sure(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.given = GIVEN
    vote(engine)
    vote(engine, trait="lists")
    page = opened(qtbot, window)
    assert page.headline == (
        "What I learned From 2 votes. About 8 more comparisons would settle the rest."
    )
    assert cells(page, 0) == ["longer answers", "shorter answers", "81 % sure"]
    assert cells(page, 1) == ["flowing paragraphs", "bulleted lists", "80 % sure"]
    assert cells(page, 2) == ["a casual tone", "a formal tone", "not known yet"]
    assert page.detail.words == (
        "81 % sure you like shorter answers. It steers answers. "
        "About 3 more comparisons would probably settle it. "
        "How much: between slightly and strongly."
    )


def test_the_picture_has_each_dot_and_interval_on_its_row(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.given = GIVEN
    picture = drawn(qtbot, page := opened(qtbot, window))
    import pyqtgraph

    items = picture.getPlotItem().items  # type: ignore[attr-defined]
    dots = [i for i in items if isinstance(i, pyqtgraph.ScatterPlotItem)]
    lines = [i for i in items if isinstance(i, pyqtgraph.PlotCurveItem)]
    found = [(*dot.getData()[0], *dot.getData()[1]) for dot in dots]
    assert found == [(0.6, 0.5), (-0.3, 1.5), (0.0, 2.5)]
    spans = [tuple(line.getData()[0]) for line in lines]
    assert [s for s in spans if s != (-1, 1)] == [(0.2, 0.9), (-0.8, 0.2), (-0.85, 0.85)]
    table = page.table
    assert picture.height() == table.height() == 3 * table.rowHeight(0)
    assert picture.x() == table.columnViewportPosition(1)
    row = table.visualRect(table.model().index(1, 1)).center().y()
    view = picture.getViewBox()  # type: ignore[attr-defined]
    spot = view.mapViewToDevice(pyqtgraph.Point(-0.3, 1.5))
    assert abs(spot.y() - row) <= 2


def test_the_keyboard_comes_to_the_rows_also_where_they_come_late(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.record.given = GIVEN
    window.activateWindow()
    learning = window._desk.learning
    fetch = learning.fetch
    learning.learned = None
    monkeypatch.setattr(learning, "fetch", lambda: None)
    qtbot.keyClick(editor(window), Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    page = window.places.learned
    assert page is not None
    qtbot.waitUntil(lambda: window.focusWidget() is page.habits.neutral)
    fetch()
    qtbot.waitUntil(lambda: window.focusWidget() is page.table)


def test_rows_can_be_walked_by_keyboard_and_heard(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.given = GIVEN
    window.activateWindow()
    page = opened(qtbot, window)
    qtbot.waitUntil(lambda: window.focusWidget() is page.table)
    spoken = cell(page, 1, LESS).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == (
        "flowing paragraphs or bulleted lists: 80 % sure you like flowing paragraphs."
    )
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    assert page.detail.words.startswith("80 % sure you like flowing paragraphs.")
    assert "It does not steer answers now." in page.detail.words
    assert (
        "It could still be either: strongly “flowing paragraphs”, or slightly “bulleted lists”."
        in page.detail.words
    )


def test_with_nothing_learned_it_teaches_what_it_will_show(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert page.headline == "What I learned Nothing learned yet"
    assert "two answers" in page._teach.text()
    assert cells(page, 0)[2] == "not known yet"
    assert not page.habits.reset.isEnabled()
    assert page.detail._behind.text() == "No vote stands behind it yet."


def test_the_neural_learner_has_no_rows_and_says_so(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.learner = "neural"
    vote(engine)
    page = opened(qtbot, window)
    assert "no traits that could be read" in page._teach.text()
    assert not page.table.isVisible()
    assert not page.detail.isVisible()
    assert not page.habits.field.isVisible()
    assert "From one vote." in page.headline


def test_a_vote_is_read_deleted_and_brought_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine, question="How do I keep basil alive?")
    vote(engine, outcome="neither")
    page = opened(qtbot, window)
    lines = [page.detail.list.item(row).text() for row in range(page.detail.list.count())]
    assert lines[0].endswith("neither")
    assert lines[1].endswith("A was better  ·  “How do I keep basil alive?”")
    page.detail.list.setCurrentRow(1)
    page.detail.delete.click()
    assert did(qtbot, page) == "The vote is deleted."
    assert engine.record.counted() == {"duel-2": "neither"}
    qtbot.waitUntil(lambda: page.detail.list.count() == 1)
    press_undo(qtbot, page)
    qtbot.waitUntil(lambda: page.detail.list.count() == 2)
    assert did(qtbot, page) == "Taken back: the deletion of the vote on short."


def test_a_trait_is_forgotten_and_remembered_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    page = opened(qtbot, window)
    assert cells(page, 0)[2] == "69 % sure"
    page.detail.forget.click()
    assert "“shorter answers”" in did(qtbot, page)
    qtbot.waitUntil(lambda: "not known yet" in page.detail.words)
    assert page.detail.list.count() == 0, "forgotten votes are not behind it"
    assert engine.learning.learned().votes == 1
    press_undo(qtbot, page)
    qtbot.waitUntil(lambda: cells(page, 0)[2] == "69 % sure")


def test_a_trait_is_asked_about_no_more_until_undo(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.detail.remove.click()
    qtbot.waitUntil(lambda: page.table.rowCount() == 2)
    assert "asks no more" in did(qtbot, page)
    page.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.table.rowCount() == 3)


def test_a_trait_that_is_not_asked_about_can_be_brought_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    removed = page.table.current
    page.detail.remove.click()
    qtbot.waitUntil(lambda: page.table.rowCount() == 2)
    (again,) = (b for b in page.habits.findChildren(QPushButton) if "again" in b.text())
    assert again.isVisibleTo(page)
    again.click()
    qtbot.waitUntil(lambda: page.table.rowCount() == 3)
    assert removed in [t.trait.id for t in engine.learning.learned().traits]
    assert "again" in did(qtbot, page)


def test_a_trait_in_own_words_is_added_and_a_refusal_keeps_the_words(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    qtbot.keyClicks(page.habits.field, "End with a joke.")
    qtbot.keyClick(page.habits.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table.rowCount() == 4)
    assert page.habits.field.text() == ""
    qtbot.keyClicks(page.habits.field, "End with a joke.")
    page.habits.add.click()
    qtbot.waitUntil(lambda: "already a trait" in page.said.text)
    assert page.habits.field.text() == "End with a joke."
    assert not page.said._button.isVisible()


def test_starting_over_asks_nothing_and_can_be_taken_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    page = opened(qtbot, window)
    assert window.sidebar._count.text() == "1"
    page.habits.reset.click()
    qtbot.waitUntil(lambda: "Nothing learned yet" in page.headline)
    assert window.sidebar._count.text() == ""
    press_undo(qtbot, page)
    qtbot.waitUntil(lambda: "From one vote." in page.headline)


def test_a_change_that_fails_says_why(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    vote(engine)
    page = opened(qtbot, window)
    engine.record.error = StorageError("The record could not be written.")
    page.detail.delete.click()
    assert did(qtbot, page) == "The record could not be written."
    assert page.detail.list.count() == 1


def test_a_record_that_cannot_be_read_says_why(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.broken = StorageError("The record is damaged.")
    window._desk.learning.learned = None
    page = opened(qtbot, window)
    assert page.headline == "What I learned The record is damaged."


def test_neutral_is_one_switch_in_two_places(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.habits.neutral.click()
    assert window.steering._neutral.isChecked()
    assert window.menus.neutral.isChecked()
    window.menus.neutral.trigger()
    assert not page.habits.neutral.isChecked()


def test_how_often_and_what_is_kept_reach_the_settings(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert page.habits.pace.buttons[3].isChecked()
    page.habits.pace.buttons[0].click()
    qtbot.waitUntil(lambda: engine.settings.duel_every == 0)
    page.habits.keep.click()
    qtbot.waitUntil(lambda: engine.settings.keep_texts)
    assert page.habits.pace.buttons[0].isChecked()
    engine.change(duel_every=5)  # by another program
    page._show_habits()
    assert not any(button.isChecked() for button in page.habits.pace.buttons.values())


def test_kept_texts_are_erased_and_the_votes_stay(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    page = opened(qtbot, window)
    erase = page.habits.erase
    assert not erase.isVisible(), "there are none"
    vote(engine, question="How do I keep basil alive?")
    window._desk.learning.fetch()
    qtbot.waitUntil(erase.isVisible)
    assert erase.accessibleName() == "Erase kept texts"
    window.activateWindow()
    erase.setFocus()
    qtbot.keyClick(erase, Qt.Key.Key_Space)
    assert did(qtbot, page) == "The kept questions and answers are erased; the votes stay."
    assert not page.said._button.isVisible(), "it cannot be taken back"
    assert engine.record.calls == ["drop_texts"]
    assert engine.learning.learned().votes == 2
    assert "basil" not in page.detail.list.item(0).text()
    assert not erase.isVisible()
    assert window.focusWidget() is page.habits, "a second press starts nothing over"


def test_texts_that_cannot_be_erased_stay_and_it_says_why(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine, question="How do I keep basil alive?")
    page = opened(qtbot, window)
    engine.record.error = StorageError("The record could not be written.")
    page.habits.erase.click()
    assert did(qtbot, page) == "The record could not be written."
    assert page.habits.erase.isVisible()


def test_votes_that_cannot_be_read_are_told(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    engine.record.unreadable = 2
    page = opened(qtbot, window)
    assert page._lead.text().splitlines()[1] == "2 votes could not be read and do not count."
    engine.record.unreadable = 1
    window._desk.learning.fetch()
    qtbot.waitUntil(lambda: "One vote could not be read and does not count." in page.headline)


def test_the_last_vote_that_goes_does_not_hand_the_keyboard_to_the_next_button(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    page = opened(qtbot, window)
    window.activateWindow()
    page.detail.forget.setFocus()
    qtbot.keyClick(page.detail.forget, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not page.detail.forget.isEnabled())
    assert window.focusWidget() is page.detail


def test_a_setting_that_cannot_be_saved_is_shown_as_it_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    engine.change_error = AttuneError("The disk is full.")
    page.habits.keep.click()
    qtbot.waitUntil(lambda: not page.habits.keep.isChecked())
    assert did(qtbot, page) == "The disk is full."
    engine.change_error = None


def test_escape_and_the_entry_lead_back_without_stopping_anything(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    window.activateWindow()
    page = opened(qtbot, window)
    assert page.isVisible()
    assert not window.page.isVisible()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert window.page.isVisible()
    assert window.focusWidget() is editor(window)
    assert not engine.stopped.is_set()
    window.sidebar.learned.click()
    assert page.isVisible()
    assert window.sidebar.learned.property("here")
    window.sidebar.chat.click()
    assert window.page.isVisible()
    assert window.sidebar.chat.accessibleName() == "Chat, shown now"


def test_a_new_chat_and_an_answer_lead_to_the_chat(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    opened(qtbot, window)
    window.menus.regenerate.trigger()
    assert window.places.at_chat
    settle(qtbot, window)
    opened(qtbot, window)
    window.menus.new_chat.trigger()
    assert window.places.at_chat


def test_a_vote_deleted_on_the_page_can_be_given_again_in_the_chat(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    from tests.gui.test_duel import duel, model, voted

    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    page = opened(qtbot, window)
    page.detail.delete.click()
    qtbot.waitUntil(lambda: model(window).open)
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: model(window).stage == "voted")
    assert model(window).outcome == "first"


def test_every_control_of_the_page_has_a_name_and_is_reached_by_tab(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    vote(engine)
    page = opened(qtbot, window)
    drawn(qtbot, page)
    controls = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
    ]
    # What the rows have built into them has no part in it.
    ours = [w for w in controls if w.parent() is not page.table]
    assert len(ours) > 10
    assert [w for w in ours if not w.accessibleName()] == []
    paces = set(page.habits.pace.buttons.values())  # one stop for all, arrows between them
    stops = [w for w in ours if w.isVisible() and w.isEnabled() and w not in paces]
    assert all(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in stops)
    assert any(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in paces)


def test_the_page_follows_the_theme(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    engine.record.given = GIVEN
    page = opened(qtbot, window)
    before_picture = drawn(qtbot, page)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette()
    try:
        app.setPalette(dark())
        qtbot.waitUntil(lambda: window._theme.look.dark)
        look = window._theme.look
        assert cell(page, 0, MORE).foreground().color() == look.text
        assert page.table._picture is not before_picture
    finally:
        app.setPalette(before)


def test_a_narrow_page_shows_the_words_rather_than_how_sure(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.given = GIVEN
    page = opened(qtbot, window)
    assert not page.table.isColumnHidden(SURE)
    window.resize(560, 700)
    qtbot.waitUntil(lambda: page.table.isColumnHidden(SURE))


def test_almost_certain_is_not_called_certain() -> None:
    trait = told(SHORT, weight=0.9, low=0.8, high=1.0, sure=0.9999)
    assert findings.sure(trait) == "over 99 % sure"
    assert findings.belief(trait) == "Over 99 % sure you like shorter answers."
    assert findings.reach(trait) == "How much: strongly."


def test_closing_right_after_opening_the_page_is_clean(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    window.menus.learned.trigger()
    window.close()
    assert "attune" not in shown(window)


START = """
import sys, pathlib
from PySide6.QtCore import QTimer
import desktop.app as app
from engine.api import OpenWindow
from tests.gui.scripted_engine import ScriptedEngine
app.Engine = ScriptedEngine
begin = app._begin
def look(desk, files):
    begin(desk, files)
    QTimer.singleShot(300, finish)
def finish():
    print(sorted({m.split(".")[0] for m in sys.modules} & {"numpy", "pyqtgraph"}))
    for window in app.QApplication.topLevelWidgets():
        window.close()
app._begin = look
app.open_window(OpenWindow(data_dir=pathlib.Path(sys.argv[1])))
"""


@pytest.mark.slow
def test_an_open_window_has_loaded_neither_numpy_nor_pyqtgraph(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (19, "About 19 more comparisons would settle the rest."),
        (20, "Some more comparisons would settle the rest."),
        (51, "Some more comparisons would settle the rest."),
    ],
)
def test_a_number_that_would_only_discourage_is_not_said(left: int, said: str) -> None:
    learned = Learned(traits=(), votes=1, to_settle=left, neutral=False, learner="utilities")
    assert findings.headline(learned) == f"From one vote. {said}"
