"""The workshop: its page, what is made beside the chat, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollBar,
    QTableWidgetItem,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import workshop as words
from desktop.bridge import ENGINE
from desktop.chats import CHATS
from desktop.crafting import CRAFT
from desktop.portfolio import NO_BREAK
from desktop.views.made_card import MadeCard
from desktop.views.window import Window
from desktop.views.workshop import WorkshopPage
from desktop.widgets.heat_map import HeatMap
from desktop.widgets.loss_table import MARK, LossTable
from engine.api import AttuneError, Fit, Notice, StorageError, TrainedAdapter
from tests.gui.conftest import lanes
from tests.gui.scripted_engine import OTHER, STARTER, ScriptedEngine, endless
from tests.gui.scripted_portfolio import portfolio
from tests.gui.scripted_workshop import (
    KINDS,
    MERGED,
    PLAIN,
    SHORT,
    TRAINED,
    WARM,
    makes,
    shares,
    waits,
)
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_window import INTERACTIVE, contrast, dark

ELSEWHERE = "/home/me/tuned.safetensors"
REFUSAL = "Its tensor blk.0.attn_q.weight has another shape than that of the base."


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def page_of(window: Window) -> WorkshopPage:
    page = window.places.workshop
    assert page is not None
    return page


def opened(qtbot: QtBot, window: Window) -> WorkshopPage:
    """The page, with everything in it."""
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    page = page_of(window)
    qtbot.waitUntil(lambda: window._desk.shelf.known and not page._entering)
    return page


def did(qtbot: QtBot, page: WorkshopPage, part: str) -> None:
    qtbot.waitUntil(lambda: page.said.isVisible() and part in page.said.text)


def tick(qtbot: QtBot, page: WorkshopPage, *paths: str) -> None:
    """Tick these, and wait until it is known whether they fit."""
    for path in paths:
        page.merging.rows[path].toggle.click()
    qtbot.waitUntil(lambda: not page._desk.shelf.checking)


def lines(page: WorkshopPage) -> list[str]:
    return [row.line.text() for row in page.merging.rows.values()]


@pytest.fixture
def stocked(engine: ScriptedEngine) -> ScriptedEngine:
    """Two adapters and a merged model were made."""
    engine.craft.shelf = (MERGED, SHORT, WARM)
    return engine


# Before anything is made --------------------------------------------------------------------


def test_with_nothing_made_it_says_what_adapters_and_merging_are(
    qtbot: QtBot, window: Window
) -> None:
    page = opened(qtbot, window)
    assert page.headline == "Workshop Nothing is made yet."
    assert "at its plain speed, instead of being steered" in page._teach.text()
    assert "Merging makes one model of several" in page._teach.text()
    assert page._teach.text().count(".") == 2, "two sentences"
    assert page.merging._none.isVisible()
    assert not page.merging.merge.isEnabled()
    assert page.merging._why.text() == "Tick two or more."
    for hidden in (page._made_title, page.made, page.teaching.line, page.merging.line, page.said):
        assert not hidden.isVisible()
    assert window.focusWidget() is page.teaching.pole


def test_what_cannot_be_read_says_why_and_is_asked_for_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.broken = StorageError("The record is damaged.")
    window.menus.workshop.trigger()
    page = page_of(window)
    qtbot.waitUntil(lambda: page.headline == "Workshop The record is damaged.")
    assert not page.teaching.isVisible()
    engine.craft.broken = None
    window.menus.workshop.trigger()
    qtbot.waitUntil(page.teaching.isVisible)
    assert page.headline == "Workshop Nothing is made yet."


def test_where_no_model_can_learn_it_says_so(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.cards = (OTHER,)
    page = opened(qtbot, window)
    assert not page.teaching.train.isEnabled()
    assert "None of your models can learn" in page.teaching._note.text()
    assert "None of your models can be merged into" in page.merging._why.text()


# Teaching -----------------------------------------------------------------------------------


def test_what_is_surely_liked_is_offered_first_in_plain_words(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    pole = page.teaching.pole
    assert [pole.itemText(row) for row in range(pole.count())] == [
        "shorter answers", "a warm tone", "flowing paragraphs",
    ]  # fmt: skip
    assert pole.currentText() == "shorter answers"
    assert "some minutes" in page.teaching._note.text()
    assert not page.teaching.base.isVisible(), "there is only one model"


def test_the_chosen_trait_is_taught_to_the_chosen_model(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.bases_known = (STARTER, OTHER)
    page = opened(qtbot, window)
    assert page.teaching.base.isVisible()
    qtbot.keyClick(page.teaching.pole, Qt.Key.Key_Down)
    qtbot.keyClick(page.teaching.base, Qt.Key.Key_Down)
    page.teaching.train.click()
    qtbot.waitUntil(lambda: bool(engine.craft.asked))
    assert engine.craft.asked == [("train", "warm+", OTHER.id)]
    engine.craft.poles_known = engine.craft.poles_known[::-1]
    qtbot.waitUntil(lambda: not window._desk.crafting.busy)
    window._desk.shelf.fetch()
    qtbot.waitUntil(lambda: page.teaching.pole.itemText(0) == "flowing paragraphs")
    assert page.teaching.pole.currentText() == "a warm tone", "what was chosen stays so"


def test_a_training_tells_how_long_it_takes_while_the_chat_goes_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.steps = waits(done=412, total=1296, left=540.0)
    page = opened(qtbot, window)
    page.teaching.train.click()
    line = page.teaching.line
    said = "Teaching SmolLM2 135M: shorter answers  ·  32 %, about 9 minutes left"
    qtbot.waitUntil(lambda: plain(line.words.text()) == said)
    assert line.bar.value() == 318
    assert line.doing.text() == (
        "The model answers 32 questions. You can stop it and go on later, and chat meanwhile."
    )
    assert not page.teaching.train.isVisible()
    assert not page.merging.line.isVisible()
    assert plain(window.sidebar._craft.text()) == "32 %"
    assert plain(window.sidebar.workshop.accessibleDescription()) == "32 % made"
    window.menus.chat.trigger()
    ask(qtbot, window, "Still there?")
    assert settle(qtbot, window).text == "Yes."
    assert window._desk.crafting.busy
    assert engine.craft.threads.isdisjoint(engine.threads)
    line.cancel.click()
    qtbot.waitUntil(lambda: not window._desk.crafting.busy)
    assert window.sidebar._craft.text() == ""


def test_a_stopped_training_says_that_it_goes_on_and_a_second_key_begins_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.steps = waits()
    page = opened(qtbot, window)
    page.teaching.train.setFocus()
    qtbot.keyClick(page.teaching.train, Qt.Key.Key_Space)
    line = page.teaching.line
    qtbot.waitUntil(lambda: line.bar.value() > 0)
    assert window.focusWidget() is line.cancel
    qtbot.keyClick(line.cancel, Qt.Key.Key_Space)
    did(qtbot, page, "Begun again, the same one goes on where it was.")
    qtbot.waitUntil(page.teaching.train.isVisible)
    assert not line.isVisible()
    assert window.focusWidget() is page
    assert len(engine.craft.asked) == 1


def test_a_stop_that_comes_before_the_engine_listens_is_said_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.steps = waits()
    page = opened(qtbot, window)
    page.teaching.train.click()
    page.teaching.line.cancel.click()
    assert page.teaching.line.words.text() == "Ending …"
    assert not page.teaching.line.cancel.isEnabled()
    qtbot.waitUntil(lambda: not window._desk.crafting.busy)


def test_a_training_comes_to_its_end_on_the_page(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    heard: list[str] = []
    page.told.connect(heard.append)
    page.teaching.train.click()
    did(qtbot, page, "The adapter for shorter answers is made.")
    assert plain(page.said.text).endswith(
        "It keeps 96 % of what steering does, at 59 % of its time per token."
    )
    qtbot.waitUntil(lambda: page.headline == "Workshop Made so far: one adapter.")
    assert heard[0] == "Teaching SmolLM2 135M: shorter answers"
    assert list(page.made.rows) == [SHORT.path]
    assert list(page.merging.rows) == [SHORT.path]
    assert page._teach.text() == ""
    window.menus.chat.trigger()
    assert "is made" not in shown(window), "it was said already"


def test_what_ends_while_one_chats_is_told_there(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    gate = threading.Event()

    def steps(self: object) -> object:
        gate.wait(10)
        yield TRAINED

    engine.craft.steps = steps  # type: ignore[assignment]
    opened(qtbot, window).teaching.train.click()
    window.menus.chat.trigger()
    gate.set()
    qtbot.waitUntil(lambda: "The adapter for shorter answers is made." in shown(window))


@pytest.mark.parametrize("place", ["page", "chat"])
def test_a_training_that_fails_says_why_where_the_owner_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, place: str
) -> None:
    engine.craft.error = StorageError("The disk is full.")
    page = opened(qtbot, window)
    if place == "chat":
        window.menus.chat.trigger()
        page.teaching.train.click()
        qtbot.waitUntil(lambda: "The disk is full." in shown(window))
    else:
        page.teaching.train.click()
        did(qtbot, page, "The disk is full.")
        qtbot.waitUntil(page.teaching.train.isVisible)
    assert not window._desk.crafting.busy


def test_what_happens_meanwhile_is_said(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def steps(self: object) -> object:
        yield Notice(code="coarse", text="The base is stored in 4 bits.")

    engine.craft.steps = steps  # type: ignore[assignment]
    page = opened(qtbot, window)
    page.teaching.train.click()
    did(qtbot, page, "stored in 4 bits")


def test_one_thing_is_made_at_a_time(qtbot: QtBot, window: Window, stocked: ScriptedEngine) -> None:
    stocked.craft.steps = waits()
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path, WARM.path)
    assert page.merging.merge.isEnabled()
    page.teaching.train.click()
    qtbot.waitUntil(page.teaching.line.isVisible)
    assert not page.merging.merge.isEnabled()
    assert page.merging._why.text() == "One thing is made at a time."
    page.teaching.line.cancel.click()
    qtbot.waitUntil(page.merging.merge.isEnabled)


@pytest.mark.parametrize("answering", [False, True])
def test_closing_while_something_is_made_leaves_no_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, answering: bool
) -> None:
    engine.craft.steps = waits()
    page = opened(qtbot, window)
    page.teaching.train.click()
    qtbot.waitUntil(lambda: page.teaching.line.bar.value() > 0)
    assert {thread.name for thread in lanes()} == {ENGINE, CHATS, CRAFT}
    if answering:
        window.menus.chat.trigger()
        engine.scripts.append(endless("still "))
        ask(qtbot, window, "Forever")
        qtbot.waitUntil(lambda: "still" in shown(window))
    window.close()
    assert lanes() == []
    assert engine.closed == 1
    assert engine.craft.stopped.is_set()


def test_a_window_that_made_nothing_has_no_second_thread(qtbot: QtBot, window: Window) -> None:
    opened(qtbot, window)
    assert {thread.name for thread in lanes()} == {ENGINE, CHATS}


def test_the_models_can_be_measured_at_the_same_time(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.steps = waits()
    page = opened(qtbot, window)
    page.teaching.train.click()
    window._desk.building.begin()
    qtbot.waitUntil(lambda: not window._desk.building.busy)
    assert engine.offer.built == portfolio()
    assert window._desk.crafting.busy
    assert window.sidebar._share.text() == ""
    assert window.sidebar._craft.text() != ""


# Merging ------------------------------------------------------------------------------------


def test_what_was_made_here_can_be_ticked_and_says_what_it_is(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert [row.toggle.text() for row in page.merging.rows.values()] == [
        "smollm2-merged", "SmolLM2 135M, short", "SmolLM2 135M, warm",
    ]  # fmt: skip
    assert lines(page) == [
        "Merged model, from a.gguf",
        "Adapter for a.gguf, taught shorter answers",
        "Adapter for a.gguf, taught a warm tone",
    ]
    assert not page.merging._none.isVisible()
    assert stocked.craft.checks == []


def test_each_line_says_whether_it_fits_and_the_button_how_many_do(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    warning = "It is stored in 4 bits, so rounding has buried much of what it learned."
    stocked.craft.fits = {
        MERGED.path: Fit(path=MERGED.path, name="m", kind="", problem=REFUSAL),
        WARM.path: Fit(path=WARM.path, name="w", kind="adapter", warning=warning),
    }
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path)
    assert page.merging._why.text() == "Tick two or more."
    tick(qtbot, page, MERGED.path)
    assert page.merging.merge.text() == "Merge"
    assert not page.merging.merge.isEnabled()
    assert page.merging._why.text() == "Fewer than two of those that are ticked fit."
    tick(qtbot, page, WARM.path)
    assert lines(page) == [f"Does not fit: {REFUSAL}", "Fits", f"Fits, but: {warning}"]
    toggle = page.merging.rows[MERGED.path].toggle
    assert toggle.accessibleDescription() == f"Does not fit: {REFUSAL}"
    assert page.merging.merge.text() == "Merge 2 members"
    assert page.merging.merge.isEnabled()
    assert page.merging._why.text() == "One that does not fit is left out."
    tick(qtbot, page, MERGED.path)
    assert lines(page)[0] == "Merged model, from a.gguf"
    assert "left out" not in page.merging._why.text()


def test_the_members_that_fit_are_merged_by_the_chosen_method(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.fits[MERGED.path] = Fit(path=MERGED.path, name="", kind="", problem=REFUSAL)
    stocked.craft.steps = makes(replace(MERGED, path="/made/another.gguf"))
    page = opened(qtbot, window)
    assert page.merging.method.currentText() == "CALM: learns which weights to take"
    assert [page.merging.method.itemText(row) for row in range(1, 6)] == [
        "Best of all methods", "Average", "Task arithmetic", "TIES", "Random mask",
    ]  # fmt: skip
    tick(qtbot, page, *(made.path for made in (WARM, SHORT, MERGED)))
    for _ in range(2):
        qtbot.keyClick(page.merging.method, Qt.Key.Key_Down)
    page.merging.merge.click()
    qtbot.waitUntil(lambda: not window._desk.crafting.busy)
    asked = [("merge", STARTER.id, (SHORT.path, WARM.path), "average")]
    assert stocked.craft.asked == asked, "from the top, whatever was ticked first"


def test_a_merge_shows_its_progress_where_it_was_asked_for(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.steps = waits()
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path, WARM.path)
    page.merging.merge.setFocus()
    qtbot.keyClick(page.merging.merge, Qt.Key.Key_Space)
    line = page.merging.line
    qtbot.waitUntil(lambda: plain(line.words.text()).startswith("Merging 2 members  ·  32 %"))
    assert window.focusWidget() is line.cancel
    assert not page.merging.merge.isVisible()
    assert not page.teaching.line.isVisible()
    assert not page.teaching.train.isEnabled()
    window.menus.chat.trigger()
    window.menus.workshop.trigger()
    qtbot.waitUntil(lambda: window.focusWidget() is line.cancel)
    line.cancel.click()
    qtbot.waitUntil(page.merging.merge.isEnabled)


def test_a_file_from_elsewhere_is_added_ticked_and_checked(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picked = [ELSEWHERE]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (picked, ""))
    page = opened(qtbot, window)
    page.merging.add.click()
    assert list(page.merging.rows)[-1] == ELSEWHERE
    row = page.merging.rows[ELSEWHERE]
    assert row.toggle.isChecked()
    qtbot.waitUntil(lambda: row.line.text() == "Fits")
    page.merging.add.click()
    assert list(page.merging.rows).count(ELSEWHERE) == 1, "the same once more is no second one"
    tick(qtbot, page, SHORT.path)
    assert stocked.craft.checks[-1] == (STARTER.id, (SHORT.path, ELSEWHERE))
    row.toggle.click()
    assert row.line.text() == "A file that you added"
    picked.clear()
    page.merging.add.click()
    assert len(page.merging.rows) == 4, "a choice that was given up changes nothing"


def test_a_late_answer_about_an_earlier_choice_is_ignored(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    first, second = threading.Event(), threading.Event()
    stocked.craft.gates = [first, second]
    stocked.craft.fits[SHORT.path] = Fit(path=SHORT.path, name="", kind="", problem=REFUSAL)
    page = opened(qtbot, window)
    page.merging.rows[SHORT.path].toggle.click()
    assert lines(page)[1] == "Checking whether it fits …"
    qtbot.waitUntil(lambda: len(stocked.craft.checks) == 1)
    stocked.craft.fits.clear()
    page.merging.rows[WARM.path].toggle.click()
    assert page.merging._why.text() == "Checking whether they fit together …"
    first.set()
    qtbot.waitUntil(lambda: len(stocked.craft.checks) == 2)
    QApplication.processEvents()
    assert lines(page)[1:] == ["Checking whether it fits …"] * 2
    second.set()
    qtbot.waitUntil(lambda: not window._desk.shelf.checking)
    assert lines(page)[1:] == ["Fits", "Fits"]
    assert [members for _, members in stocked.craft.checks] == [
        (SHORT.path,), (SHORT.path, WARM.path),
    ]  # fmt: skip


def test_a_check_that_cannot_be_made_says_why(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    stocked.craft.broken = StorageError("a.gguf is not there any more.")
    tick(qtbot, page, SHORT.path, WARM.path)
    assert page.merging._why.text() == "a.gguf is not there any more."
    assert not page.merging.merge.isEnabled()


def test_what_was_made_here_is_merged_into_what_it_was_made_for(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    other = replace(OTHER, path="/models/b.gguf")
    stocked.craft.bases_known = (other, STARTER)
    page = opened(qtbot, window)
    page.merging.add_files([ELSEWHERE])
    qtbot.waitUntil(lambda: stocked.craft.checks == [(other.id, (ELSEWHERE,))])
    assert page.merging.base.isEnabled()
    tick(qtbot, page, SHORT.path)
    assert stocked.craft.checks[-1] == (STARTER.id, (SHORT.path, ELSEWHERE))
    assert not page.merging.base.isEnabled()
    assert page.merging.base.currentText() == STARTER.name
    assert page.merging.base.accessibleDescription() == "What is ticked was made from it"
    tick(qtbot, page, SHORT.path)
    assert page.merging.base.isEnabled()
    qtbot.keyClick(page.merging.base, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: stocked.craft.checks[-1] == (other.id, (ELSEWHERE,)))


def test_a_member_that_is_deleted_is_not_ticked_any_more(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, agree: list[str]
) -> None:
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path, WARM.path)
    page.made.rows[WARM.path].remove.click()
    did(qtbot, page, "SmolLM2 135M, warm is deleted.")
    assert page.merging.members == (SHORT.path,)
    qtbot.waitUntil(lambda: stocked.craft.checks[-1][1] == (SHORT.path,))
    assert not page.merging.merge.isEnabled()
    stocked.craft.shelf = (MERGED, SHORT, WARM)
    window._desk.shelf.fetch()
    qtbot.waitUntil(lambda: WARM.path in page.merging.rows)
    assert page.merging.members == (SHORT.path,), "another file of that name is another one"


def test_what_is_ticked_stays_so_when_the_page_comes_again(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path, WARM.path)
    checks = len(stocked.craft.checks)
    window.menus.chat.trigger()
    window.menus.workshop.trigger()
    qtbot.waitUntil(lambda: not page._entering)
    assert page.merging.members == (SHORT.path, WARM.path)
    assert page.merging.merge.text() == "Merge 2 members"
    assert len(stocked.craft.checks) == checks, "nothing has changed, so nothing is asked"


# Made here ----------------------------------------------------------------------------------


def test_the_newest_is_first_and_says_what_it_is_in_a_line(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.shelf = (*stocked.craft.shelf, PLAIN)
    page = opened(qtbot, window)
    assert page.headline == "Workshop Made so far: 3 adapters and one merged model."
    assert [(row.name.text(), plain(row.told.text())) for row in page.made.rows.values()] == [
        ("smollm2-merged", "Merged from 2 by CALM"),
        (
            "SmolLM2 135M, short",
            "Taught shorter answers  ·  keeps 96 % of what steering does, "
            "at 59 % of its time per token",
        ),
        (
            "SmolLM2 135M, warm",
            "Taught a warm tone  ·  keeps 81 % of what steering does, "
            "at 61 % of its time per token",
        ),
        (
            "SmolLM2 135M, literal",
            "Taught plain wording  ·  what it keeps of steering is not measured",
        ),
    ]


def test_what_was_made_joins_the_models_and_leaves_them_again(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    row = page.made.rows[SHORT.path]
    row.add.setFocus()
    qtbot.keyClick(row.add, Qt.Key.Key_Space)
    did(qtbot, page, "SmolLM2 135M, short is among your models now.")
    assert row.state.isVisible()
    assert not row.add.isVisible()
    assert not row.remove.isVisible(), "the engine would refuse it"
    assert window.focusWidget() is row, "a second press of the key takes nothing out again"
    qtbot.waitUntil(lambda: len(window._desk.loading.cards) == 4)
    entries = [action.text() for action in window.menus.models.actions()]
    assert "smollm2-short" in entries
    row.out.click()
    did(qtbot, page, "SmolLM2 135M, short is not among your models any more.")
    assert row.add.isVisible()
    assert not row.state.isVisible()
    qtbot.waitUntil(lambda: len(window._desk.loading.cards) == 3)


def test_what_cannot_be_added_says_why(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.add_error = AttuneError("Several models fit it; remove one.")
    page = opened(qtbot, window)
    page.made.rows[SHORT.path].add.click()
    did(qtbot, page, "Several models fit it; remove one.")
    assert page.made.rows[SHORT.path].add.isVisible()


def test_a_change_that_was_made_is_no_failure_when_the_rest_cannot_be_read(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    stocked.craft.broken = StorageError("The record is damaged.")
    page.made.rows[SHORT.path].add.click()
    did(qtbot, page, "SmolLM2 135M, short is among your models now.")


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Presses the button that does what was asked for; keeps what was asked."""
    asked: list[str] = []

    def answer(box: QMessageBox) -> int:
        asked.append(box.text())
        role = QMessageBox.ButtonRole.DestructiveRole
        next(b for b in box.buttons() if box.buttonRole(b) == role).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    return asked


def test_removing_asks_once_and_deletes(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, agree: list[str]
) -> None:
    page = opened(qtbot, window)
    row = page.made.rows[SHORT.path]
    row.remove.setFocus()
    qtbot.keyClick(row.remove, Qt.Key.Key_Space)
    did(qtbot, page, "SmolLM2 135M, short is deleted.")
    assert agree == ["Remove SmolLM2 135M, short?"]
    assert list(page.made.rows) == [MERGED.path, WARM.path]
    assert stocked.craft.shelf == (MERGED, WARM)
    assert window.focusWidget() is page.made, "a second press of the key deletes no other one"


def test_a_removal_that_is_thought_better_of_deletes_nothing(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda box: box.defaultButton().click() or 0)
    page = opened(qtbot, window)
    page.made.rows[SHORT.path].remove.click()
    QApplication.processEvents()
    assert stocked.craft.shelf == (MERGED, SHORT, WARM)
    assert not page.said.isVisible()


def test_a_removal_that_is_refused_says_why(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, agree: list[str]
) -> None:
    page = opened(qtbot, window)
    stocked.craft.error = StorageError("The file is in use.")
    page.made.rows[SHORT.path].remove.click()
    did(qtbot, page, "The file is in use.")
    assert SHORT.path in page.made.rows


@pytest.mark.parametrize("opens", [True, False])
def test_the_folder_is_shown_or_named(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, monkeypatch: pytest.MonkeyPatch,
    opens: bool,
) -> None:  # fmt: skip
    shown_urls: list[QUrl] = []

    def show(url: QUrl) -> bool:
        shown_urls.append(url)
        return opens

    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    page = opened(qtbot, window)
    page.made.rows[SHORT.path].folder.click()
    assert [url.toLocalFile() for url in shown_urls] == [str(Path(SHORT.path).parent)]
    assert page.said.isVisible() is not opens
    if not opens:
        assert SHORT.path in page.said.text


# A card -------------------------------------------------------------------------------------


def opened_card(page: WorkshopPage, path: str) -> MadeCard:
    row = page.made.rows[path]
    assert row.card is None, "it is built when it is first wanted"
    row.drawer.line.click()
    assert row.card is not None
    assert row.card.isVisible()
    return row.card


def texts(card: MadeCard) -> str:
    return plain("\n".join(label.text() for label in card.findChildren(QLabel)))


def cell(table: LossTable, row: int, column: int) -> QTableWidgetItem:
    found = table.item(row, column)
    assert found is not None
    return found


def cells(table: LossTable) -> list[list[str]]:
    columns = range(table.columnCount())
    return [[cell(table, row, at).text() for at in columns] for row in range(table.rowCount())]


def test_a_card_compares_the_merge_with_what_was_before_and_with_other_methods(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    card = opened_card(opened(qtbot, window), MERGED.path)
    assert card.table is not None
    assert cells(card.table) == [
        ["The base, before", "2.370", "2.812", "5.182"],
        ["This model: CALM", "0.395", f"{MARK} 0.351", f"{MARK} 0.746"],
        ["Averaging", "0.709", "1.387", "2.096"],
        [f"Task arithmetic, 100{NO_BREAK}% of each change", "2.133", "2.729", "4.862"],
        [f"Task arithmetic, 30{NO_BREAK}% of each change", "0.744", "1.410", "2.154"],
        ["TIES", "0.732", "1.373", "2.105"],
        ["A random mask", f"{MARK} 0.391", "3.420", "3.811"],
        ["Each member by itself", "0.227", "0.153", "0.380"],
    ]
    best = cell(card.table, 1, 2)
    assert best.font().bold()
    assert not cell(card.table, 1, 1).font().bold()
    assert best.data(Qt.ItemDataRole.AccessibleTextRole) == (
        "This model: CALM, answers of smollm2-warm.gguf: 0.351 nats per token, the best merge"
    )
    whole = cell(card.table, 1, 3).data(Qt.ItemDataRole.AccessibleTextRole)
    assert whole == "This model: CALM, sum: 0.746, the best merge"
    header = card.table.horizontalHeaderItem(3)
    assert header is not None
    assert header.text() == "Sum"
    said = texts(card)
    assert "1  smollm2-short.gguf\n2  smollm2-warm.gguf" in said
    assert "2.4 % of the weights were taken from smollm2-warm.gguf" in said
    assert "Over 99.9 % of what was learned is in the file" in said
    assert "contradict each other" in said


def test_columns_of_losses_go_by_the_members_themselves_and_not_by_the_order_of_the_merge(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    turned = replace(MERGED, members=MERGED.members[::-1])
    stocked.craft.shelf = (turned,)
    card = opened_card(opened(qtbot, window), turned.path)
    assert "1  smollm2-short.gguf\n2  smollm2-warm.gguf" in texts(card)
    assert "taken from smollm2-short.gguf" in texts(card), "the one that came in last"
    assert card.table is not None
    assert cells(card.table)[-1] == ["Each member by itself", "0.227", "0.153", "0.380"]


def test_the_base_is_no_merge_that_could_be_the_best(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    losses = (("base", (0.3, 0.3)), ("calm", (0.3, 0.5)), ("average", (0.6, 0.4)))
    stocked.craft.shelf = (replace(MERGED, losses=losses),)
    card = opened_card(opened(qtbot, window), MERGED.path)
    assert card.table is not None
    assert cells(card.table) == [
        ["The base, before", "0.300", "0.300", "0.600"],
        ["This model: CALM", f"{MARK} 0.300", "0.500", f"{MARK} 0.800"],
        ["Averaging", "0.600", f"{MARK} 0.400", "1.000"],
    ]


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ("calm", ""),
        ("", ""),
        ("arithmetic 0.3", "Task arithmetic, 30 % of each change keeps the members best."),
    ],
)
def test_a_card_says_which_other_method_keeps_the_members_best(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, best: str, said: str
) -> None:
    stocked.craft.shelf = (replace(MERGED, best=best),)
    told = texts(opened_card(opened(qtbot, window), MERGED.path))
    assert said in told
    assert ("keeps the members best" in told) == bool(said)


def test_what_was_made_for_a_file_of_the_same_name_is_not_taken_for_it(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.bases_known = (OTHER, replace(STARTER, path="/elsewhere/b.gguf"))
    page = opened(qtbot, window)
    tick(qtbot, page, SHORT.path)
    assert page.merging.start is not None
    assert page.merging.start.id == STARTER.id


def test_of_two_scales_of_one_method_the_written_one_is_the_better_one(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.shelf = (replace(MERGED, method="arithmetic", shares=()),)
    card = opened_card(opened(qtbot, window), MERGED.path)
    assert card.table is not None
    own = [row[0] for row in cells(card.table) if row[0].startswith("This model")]
    assert [plain(name) for name in own] == ["This model: task arithmetic, 30 % of each change"]
    assert card.maps == []


def test_a_merge_that_learned_nothing_and_an_adapter_have_short_cards(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    quick = replace(
        MERGED, method="average", losses=(), shares=(), survival=1.0, notices=(), path="/made/q"
    )
    stocked.craft.shelf = (quick, SHORT)
    page = opened(qtbot, window)
    card = opened_card(page, quick.path)
    assert card.table is None
    assert card.maps == []
    assert "All of what was learned is in the file." in texts(card)
    assert "Made for a.gguf" in texts(opened_card(page, SHORT.path))


def picture(page: WorkshopPage) -> HeatMap:
    """The picture in the card of what was merged, laid out."""
    (found,) = opened_card(page, MERGED.path).maps
    QApplication.processEvents()
    return found


def test_the_picture_is_the_stronger_the_more_was_taken_and_has_a_scale(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    known = shares(4)
    cut = (*known.cells[:3], (None, *known.cells[3][1:]))
    stocked.craft.shelf = (replace(MERGED, shares=(replace(known, cells=cut),)),)
    page = opened(qtbot, window)
    map_ = picture(page)
    image = map_.grab().toImage()

    def colour(row: int, column: int) -> int:
        spot = map_.cell(row, column).center()
        return image.pixelColor(spot).lightness()

    assert colour(0, 0) > colour(1, 3) > colour(3, 6), "on a light page more is darker"
    assert abs(image.pixelColor(map_.cell(2, 2).center()).red() - map_.colour(0.00225).red()) <= 1
    assert tuple(map(plain, map_._shown.scale)) == ("0 %", "1 %")
    assert "Layer 3, queries: there is none" in map_.accessibleDescription()


def test_each_cell_can_be_read_by_mouse_by_keys_and_by_a_screen_reader(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    map_ = picture(page)
    heard: list[str] = []
    page.told.connect(heard.append)
    card = page.made.rows[MERGED.path].card
    assert card is not None
    rest = "point at one to read it"
    assert rest in texts(card)
    page.reveal(map_, map_.cell(20, 6).center().y())
    qtbot.mouseMove(map_, map_.cell(20, 6).center())
    qtbot.waitUntil(lambda: "Layer 20, down: 3.7 %" in texts(card))
    qtbot.mouseMove(map_, QPoint(1, map_.cell(20, 0).center().y()))
    qtbot.waitUntil(lambda: rest in texts(card))
    map_.setFocus()
    assert "Layer 0, queries: under 0.1 %" in texts(card)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(map_, key)
    assert [plain(text) for text in heard] == [
        "Layer 1, queries: under 0.1 %",
        "Layer 1, keys: 0.1 %",
        "Layer 1, queries: under 0.1 %",
        "Layer 1, queries: under 0.1 %",
        "Layer 0, queries: under 0.1 %",
    ]
    map_.clearFocus()
    assert rest in texts(card)
    qtbot.mouseMove(map_, map_.cell(10, 2).center())
    qtbot.waitUntil(lambda: "Layer 10, values" in texts(card))
    QApplication.sendEvent(map_, QEvent(QEvent.Type.Leave))
    assert rest in texts(card)
    told = plain(map_.accessibleDescription())
    assert told.count("Layer") == 30 * len(KINDS)
    assert "Layer 7, values: 0.6 %" in told


def test_the_page_follows_the_keyboard_down_a_picture(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    window.resize(800, 400)
    page = opened(qtbot, window)
    map_ = picture(page)
    map_.setFocus()
    for _ in range(29):
        qtbot.keyClick(map_, Qt.Key.Key_Down)
    viewport = page._area.viewport()
    qtbot.waitUntil(lambda: viewport.rect().contains(map_.mapTo(viewport, map_.mark.center())))


def test_a_card_that_was_opened_stays_open_while_others_come_and_go(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    stocked.craft.steps = makes(replace(SHORT, path="/made/new.gguf", name="New"))
    page = opened(qtbot, window)
    card = opened_card(page, MERGED.path)
    page.teaching.train.click()
    qtbot.waitUntil(lambda: len(page.made.rows) == 4)
    assert next(iter(page.made.rows)) == "/made/new.gguf"
    assert page.made.rows[MERGED.path].card is card
    assert card.isVisible()
    QApplication.processEvents()
    tops = [row.y() for row in page.made.rows.values()]
    assert tops == sorted(tops)
    assert len(set(tops)) == 4


# The page as a page -------------------------------------------------------------------------


def test_the_page_is_reached_and_left_like_the_other_ones(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    assert window.sidebar.workshop.property("here")
    assert window.sidebar.workshop.accessibleName() == "Workshop, shown now"
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert window.places.at_chat
    assert window.focusWidget() is editor(window)
    window.sidebar.workshop.click()
    assert page.isVisible()
    window.sidebar.portfolio.click()
    assert not page.isVisible()
    assert not window.sidebar.workshop.property("here")
    assert window.sidebar.portfolio.property("here")


def everything(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> WorkshopPage:
    """The page with all that can be on it, but for what runs."""
    engine.craft.bases_known = (STARTER, replace(OTHER, path="/models/b.gguf"))
    engine.craft.ids[SHORT.path] = "short"
    page = opened(qtbot, window)
    page.merging.add_files([ELSEWHERE])
    for row in page.made.rows.values():
        row.drawer.line.click()
    qtbot.waitUntil(lambda: not window._desk.shelf.checking)
    return page


def test_every_control_of_the_page_has_a_name_and_is_reached_by_tab(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine
) -> None:
    page = everything(qtbot, window, stocked)
    controls = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, (*INTERACTIVE, HeatMap))
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
    ]
    assert len(controls) > 25
    assert [w for w in controls if not w.accessibleName()] == []
    stops = [w for w in controls if w.isVisible() and w.isEnabled()]
    unreachable = [w for w in stops if not w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [w for w in unreachable if not isinstance(w, QHeaderView)] == []
    names = [w.accessibleName() for w in stops if isinstance(w, QPushButton)]
    assert len(names) == len(set(names)), "buttons of different rows can be told apart"


def chain(first: QWidget) -> Iterator[QWidget]:
    """Everything in the order of the tab key, once."""
    yield first
    part = first.nextInFocusChain()
    while part is not None and part is not first:
        yield part
        part = part.nextInFocusChain()


@pytest.mark.parametrize("late", [False, True])
def test_the_keyboard_goes_from_the_top_to_the_bottom(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, late: bool
) -> None:
    window.resize(1200, 900)
    page = everything(qtbot, window, stocked)
    if late:
        stocked.craft.shelf = (replace(SHORT, path="/made/new.gguf"), *stocked.craft.shelf)
        window._desk.shelf.fetch()
        qtbot.waitUntil(lambda: len(page.made.rows) == 4)
        qtbot.wait(1)
    stops = [
        part
        for part in chain(page.teaching.pole)
        if page.isAncestorOf(part)
        and part.isVisible()
        and part.isEnabled()
        and part.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    spots = [stop.mapTo(page._column, QPoint(0, stop.height() // 2)) for stop in stops]
    assert len(stops) > 20
    rows = [(round(spot.y() / 12), spot.x()) for spot in spots]
    assert rows == sorted(rows)


def test_the_page_follows_the_theme(qtbot: QtBot, window: Window, stocked: ScriptedEngine) -> None:
    page = opened(qtbot, window)
    map_ = picture(page)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before, light = app.palette(), window._theme.look
    low, high = map_.colour(0.0), map_.colour(1.0)
    assert contrast(low, high) >= 4.5
    assert low.lightness() > high.lightness()
    try:
        app.setPalette(dark())
        qtbot.waitUntil(lambda: window._theme.look.dark)
        assert map_.colour(0.0).lightness() < map_.colour(1.0).lightness()
        assert contrast(map_.colour(0.0), map_.colour(1.0)) >= 4.5
        assert page.teaching.pole._look is not light
        assert page.merging.rows[SHORT.path].toggle._look is window._theme.look
    finally:
        app.setPalette(before)


@pytest.mark.parametrize("size", [(900, 600), (800, 600), (600, 600)])
def test_it_fits_small_windows(
    qtbot: QtBot, window: Window, stocked: ScriptedEngine, size: tuple[int, int]
) -> None:
    page = everything(qtbot, window, stocked)
    window.resize(*size)
    assert (window.width(), window.height()) == size
    QApplication.processEvents()
    assert page._column.width() <= page._area.viewport().width()


def test_many_of_them_with_long_and_hostile_names_stay_rows(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    hostile = replace(SHORT, name="A\u202e\nB&" * 50_000, trait="x" * 5_000)
    engine.craft.shelf = tuple(replace(hostile, path=f"/made/{n}.gguf") for n in range(20))
    page = opened(qtbot, window)
    assert len(page.made.rows) == len(page.merging.rows) == 20
    row = next(iter(page.made.rows.values()))
    toggle = next(iter(page.merging.rows.values())).toggle
    assert len(row.name.text()) <= 60
    assert row.name.text().startswith("A B&A B&")
    assert toggle.text().startswith("A B&&A B&&"), "no letter becomes a key"
    assert toggle.accessibleName() == row.name.text()
    window.resize(600, 600)
    QApplication.processEvents()
    assert page._column.width() <= page._area.viewport().width()


# Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "time", "said"),
    [
        (0.96, 0.59, "keeps 96 % of what steering does, at 59 % of its time per token"),
        (1.04, None, "keeps 104 % of what steering does"),
        (-0.2, 0.6, "does nothing of what steering does"),
        (None, None, "what it keeps of steering is not measured"),
        (None, 0.6, "steering itself changes nothing here, so there is nothing to keep"),
    ],
)
def test_what_an_adapter_keeps_is_said_plainly(
    kept: float | None, time: float | None, said: str
) -> None:
    assert plain(words.kept(kept, time)) == said


def test_what_came_of_it_is_said_also_where_it_was_not_measured() -> None:
    unknown: TrainedAdapter = replace(TRAINED, kept=None)
    assert words.finished(unknown) == "The adapter for shorter answers is made."
    assert words.finished(object()) == "The merged model is made."


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.0004, "under 0.1 %"),
        (0.0241, "2.4 %"),
        (0.9996, "over 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_are_told_apart_where_they_can_be(share: float, said: str) -> None:
    assert plain(words.exact(share)) == said


def test_methods_of_a_newer_attune_are_named_as_they_are() -> None:
    assert words.method("fisher") == "fisher"
    assert words.method("arithmetic much") == "task arithmetic, much of each change"


def test_a_small_file_is_no_file_of_nothing() -> None:
    assert words.megabytes(12_000) == "less than one megabyte"
    assert plain(words.megabytes(145_400_000)) == "145 MB"
