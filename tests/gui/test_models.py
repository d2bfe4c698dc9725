"""The page "Models": what is installed, what can be had, other apps' files, and the network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import models as words
from desktop.bridge import ENGINE
from desktop.chats import CHATS
from desktop.fetching import FETCH, Get
from desktop.library import LOOK
from desktop.portfolio import NO_BREAK
from desktop.views.data import DataPage
from desktop.views.models import ModelsPage
from desktop.views.window import Window
from desktop.widgets.build_line import BuildLine
from desktop.widgets.entries import EntryRow
from engine.api import AttuneError, InstalledModel, Progress, StorageError
from tests.gui.conftest import lanes
from tests.gui.scripted_engine import MISSING, OTHER, STARTER, ScriptedEngine, endless
from tests.gui.scripted_library import (
    ASKED,
    AT,
    BETTER,
    GB,
    KILLED,
    LARGE,
    LLAMA,
    MIXTURE,
    SMALL,
    TIGHT,
    TRIED,
    WELL,
    comes,
    waits,
)
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_window import INTERACTIVE, dark
from tests.gui.test_workshop import chain

MB = 1_000_000


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def page_of(window: Window) -> ModelsPage:
    page = window.places.models
    assert page is not None
    return page


def opened(qtbot: QtBot, window: Window) -> ModelsPage:
    """The page, with everything in it."""
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    page, library = page_of(window), window._desk.library
    qtbot.waitUntil(lambda: library.known and library.found is not None and not page._entering)
    return page


def did(qtbot: QtBot, page: ModelsPage, part: str) -> None:
    qtbot.waitUntil(lambda: page.said.isVisible() and part in plain(page.said.text))


def line_of(row: EntryRow) -> BuildLine:
    assert row.line is not None
    return row.line


def at_work(qtbot: QtBot, row: EntryRow) -> BuildLine:
    """The line of a row at which something is being done."""
    qtbot.waitUntil(lambda: row.line is not None and row.line.bar.value() > 0)
    return line_of(row)


def texts(row: EntryRow) -> list[str]:
    return [plain(label.text()) for label in (row.name, row.state, row.facts, row.note)]


@pytest.fixture
def alone(engine: ScriptedEngine) -> ScriptedEngine:
    """Nothing but the starter model."""
    engine.cards = (STARTER,)
    return engine


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[str]]:
    """Answers the question before a removal; returns what was asked."""

    def answer(yes: bool) -> list[str]:
        asked: list[str] = []

        def exec_(box: QMessageBox) -> int:
            asked.extend([box.text(), box.informativeText()])
            assert box.textFormat() == Qt.TextFormat.PlainText
            go = QMessageBox.ButtonRole.DestructiveRole
            wanted = [b for b in box.buttons() if (box.buttonRole(b) == go) == yes]
            wanted[0].click()
            return 0

        monkeypatch.setattr(QMessageBox, "exec", exec_)
        return asked

    return answer


# What is on this computer -------------------------------------------------------------------


def test_with_the_starter_alone_it_says_what_a_larger_one_would_do(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert page.headline == "Models Models on this computer: 1. SmolLM2 135M answers now."
    assert "A larger one knows more and is slower" in page._teach.text()
    row = page.installed.rows[STARTER.id]
    assert texts(row) == [
        "SmolLM2 135M", "Answers now", "98 MB  ·  fits well",
        "Came with Attune  ·  Apache-2.0  ·  not verified yet",
    ]  # fmt: skip
    assert list(row.buttons) == ["verify"], "it answers, and cannot be removed"
    assert page._none.isVisible()
    assert window.focusWidget() is row.buttons["verify"]


def test_each_model_says_in_words_what_is_known_of_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.extra = {
        OTHER.id: {
            "origin": "downloaded", "source": "owner/name-GGUF/deep/file.gguf", "speed": 25.6,
            "verified": AT, "fit": TIGHT, "size": 491 * MB,
        },
    }  # fmt: skip
    page = opened(qtbot, window)
    name, state, facts, note = texts(page.installed.rows[OTHER.id])
    assert (name, state) == ("Qwen2.5 Coder 0.5B", "")
    assert facts == (
        "491 MB  ·  tight: takes 6.0 GB of 8.0 GB memory  ·  about 19 words a second, measured here"
    )
    assert note.startswith("Downloaded from owner/name-GGUF  ·  Apache-2.0  ·  verified on ")
    gone = page.installed.rows[MISSING.id]
    assert texts(gone)[:3] == ["Lost & found 7B", "The file is not there", ""]
    assert list(gone.buttons) == ["remove"]
    assert page._teach.text() == ""


def test_what_cannot_be_read_says_why_and_is_asked_for_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.broken = StorageError("The list of models is damaged.")
    window.menus.library.trigger()
    page = page_of(window)
    qtbot.waitUntil(lambda: page.headline == "Models The list of models is damaged.")
    assert not any(part.isVisible() for part in (page.installed, page.offered, page.adding.add))
    engine.stock.broken = None
    window.menus.library.trigger()
    qtbot.waitUntil(page.installed.isVisible)
    assert page.headline.startswith("Models Models on this computer: 3.")


def test_another_model_is_used_and_said_to_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    row = page.installed.rows[OTHER.id]
    engine.may_load.clear()
    row.buttons["use"].setFocus()
    qtbot.keyClick(row.buttons["use"], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: row.state.text() == "Is being loaded …")
    assert not row.buttons["use"].isEnabled()
    assert window.focusWidget() is row, "a second press of the key removes nothing"
    engine.may_load.set()
    did(qtbot, page, "Qwen2.5 Coder 0.5B answers from now on.")
    assert row.state.text() == "Answers now"
    assert list(row.buttons) == ["verify", "remove"]
    assert row.buttons["remove"].accessibleDescription() == (
        "It answers now. Use another one first."
    )
    assert list(page.installed.rows[STARTER.id].buttons) == ["use", "verify"]
    assert page.headline.endswith("Qwen2.5 Coder 0.5B answers now.")
    assert engine.settings.model == OTHER.id


def test_a_model_that_cannot_be_loaded_says_so_on_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    engine.start_error = AttuneError("There is too little memory for it.")
    page.installed.rows[OTHER.id].buttons["use"].click()
    did(qtbot, page, "There is too little memory for it.")
    assert page.installed.rows[OTHER.id].state.text() == ""


def test_a_model_is_verified_with_progress_and_a_sentence(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.steps = waits()
    page = opened(qtbot, window)
    row = page.installed.rows[STARTER.id]
    row.buttons["verify"].click()
    line = at_work(qtbot, row)
    assert plain(line.words.text()).startswith("Verifying SmolLM2 135M  ·  43 %")
    assert "go on later" not in line.doing.text(), "a check begins anew"
    assert not row.buttons["verify"].isVisible()
    assert not page.installed.rows[OTHER.id].buttons["verify"].isEnabled()
    assert engine.stock.asked == [("verify", STARTER.id)]
    line.cancel.click()
    qtbot.waitUntil(lambda: not window._desk.fetching.busy)
    engine.stock.steps = comes()
    row.buttons["verify"].click()
    did(qtbot, page, "SmolLM2 135M is what it was: every byte was read and the hash is right.")
    qtbot.waitUntil(lambda: "verified on " in row.note.text())


def test_a_file_that_is_not_what_it_was_is_told(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.error = AttuneError("a.gguf is not the file that was added; get it again.")
    page = opened(qtbot, window)
    page.installed.rows[STARTER.id].buttons["verify"].click()
    did(qtbot, page, "a.gguf is not the file that was added; get it again.")
    qtbot.waitUntil(page.installed.rows[STARTER.id].buttons["verify"].isVisible)


# Removing -----------------------------------------------------------------------------------


def test_before_a_downloaded_file_is_deleted_it_says_which_and_how_much(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    agree: Callable[[bool], list[str]],
) -> None:
    engine.stock.extra = {OTHER.id: {"origin": "downloaded", "size": 491 * MB}}
    asked = agree(False)
    page = opened(qtbot, window)
    page.installed.rows[OTHER.id].buttons["remove"].click()
    assert asked[0] == "Remove Qwen2.5 Coder 0.5B?"
    assert plain(asked[1]) == (
        "The file is deleted from the disk, which frees 491 MB: /models/a.gguf"
    )
    assert OTHER in engine.cards
    agree(True)
    page.installed.rows[OTHER.id].buttons["remove"].click()
    did(qtbot, page, "Qwen2.5 Coder 0.5B is deleted.")
    qtbot.waitUntil(lambda: OTHER.id not in page.installed.rows)
    assert OTHER not in engine.cards
    qtbot.waitUntil(lambda: all(c.id != OTHER.id for c in window._desk.loading.cards))


def test_a_linked_file_is_said_to_stay_where_it_is(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    agree: Callable[[bool], list[str]],
) -> None:
    engine.stock.extra = {OTHER.id: {"origin": "linked", "app": "LM Studio"}}
    asked = agree(True)
    page = opened(qtbot, window)
    assert texts(page.installed.rows[OTHER.id])[3].startswith("In the folder of LM Studio  ·  ")
    page.installed.rows[OTHER.id].buttons["remove"].click()
    assert asked[1] == "It is taken off the list. The file stays where it is: /models/a.gguf"
    did(qtbot, page, "Qwen2.5 Coder 0.5B is off the list.")


def test_a_removal_that_is_refused_says_why(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    agree: Callable[[bool], list[str]],
) -> None:
    agree(True)
    engine.stock.error = AttuneError("It answers in another window; use another model there first.")
    page = opened(qtbot, window)
    page.installed.rows[OTHER.id].buttons["remove"].click()
    did(qtbot, page, "It answers in another window; use another model there first.")
    assert OTHER.id in page.installed.rows


# Getting ------------------------------------------------------------------------------------


def test_what_is_recommended_says_size_licence_and_fit(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert [texts(row)[:3] for row in page.offered.rows.values()] == [
        [
            "Small and quick",
            "",
            "Qwen2.5 Coder 0.5B  ·  491 MB  ·  Apache-2.0  ·  fits well  ·  made for programming, "
            "answers other questions as well",
        ],
        [
            "Answers better, takes longer", "",
            "Qwen2.5 Coder 1.5B  ·  1.1 GB  ·  Apache-2.0  ·  tight: takes 6.0 GB of 8.0 GB memory"
            "  ·  made for programming, answers other questions as well",
        ],
    ]  # fmt: skip
    get = page.offered.rows[SMALL.id].buttons["get"]
    assert get.text() == "Get it"
    assert plain(get.accessibleName()) == "Get Qwen2.5 Coder 0.5B, 491 MB"
    assert "the only thing for which Attune ever uses a network" in page._measured.text()


def test_a_download_tells_how_far_it_is_while_the_chat_goes_on(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.steps = waits(done=212 * MB, total=491 * MB, left=90.0)
    page = opened(qtbot, window)
    row = page.offered.rows[SMALL.id]
    row.buttons["get"].click()
    line = at_work(qtbot, row)
    assert plain(line.words.text()) == ("Getting Qwen2.5 Coder 0.5B  ·  43 %, about 2 minutes left")
    assert plain(line.doing.text()) == (
        "212 MB of 491 MB, 3.1 MB a second. You can stop it and go on later, and chat meanwhile."
    )
    assert plain(window.sidebar._fetch.text()) == "43 %"
    assert plain(window.sidebar.models.accessibleDescription()) == "43 % done"
    other = page.offered.rows[BETTER.id].buttons["get"]
    assert not other.isEnabled()
    assert other.accessibleDescription() == "One thing is done at a time."
    assert not page.adding.add.isEnabled()
    window.menus.chat.trigger()
    ask(qtbot, window, "Still there?")
    assert settle(qtbot, window).text == "Yes."
    assert window._desk.fetching.busy, "it goes on while other pages are shown"
    assert alone.stock.threads.isdisjoint(alone.threads)
    window.menus.library.trigger()
    qtbot.waitUntil(lambda: window.focusWidget() is line.cancel)
    line.cancel.click()
    qtbot.waitUntil(lambda: not window._desk.fetching.busy)
    assert window.sidebar._fetch.text() == ""


def test_a_stopped_download_says_that_it_goes_on_and_a_second_key_begins_nothing(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    row = page.offered.rows[SMALL.id]
    row.buttons["get"].setFocus()
    qtbot.keyClick(row.buttons["get"], Qt.Key.Key_Space)
    line = at_work(qtbot, row)
    assert window.focusWidget() is line.cancel
    qtbot.keyClick(line.cancel, Qt.Key.Key_Space)
    did(qtbot, page, "It goes on from there the next time.")
    qtbot.waitUntil(lambda: row.buttons["get"].text() == "Go on")
    assert plain(row.note.text()) == "212 MB of 491 MB are here already."
    assert row.buttons["get"].accessibleName().startswith("Go on getting Qwen2.5 Coder 0.5B")
    assert window.focusWidget() is row
    assert len(alone.stock.asked) == 1


def test_a_stop_that_comes_before_the_engine_listens_is_said_again(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    row = page.offered.rows[SMALL.id]
    row.buttons["get"].click()
    line_of(row).cancel.click()
    assert line_of(row).words.text() == "Ending …"
    assert not line_of(row).cancel.isEnabled()
    qtbot.waitUntil(lambda: not window._desk.fetching.busy)


def test_what_came_is_among_the_models_and_one_press_away_from_answering(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    heard: list[str] = []
    page.told.connect(heard.append)
    page.offered.rows[SMALL.id].buttons["get"].click()
    did(qtbot, page, "Qwen2.5 Coder 0.5B is among your models.")
    assert heard[0] == "Getting Qwen2.5 Coder 0.5B"
    qtbot.waitUntil(lambda: SMALL.id in page.installed.rows)
    offer = page.offered.rows[SMALL.id]
    assert offer.state.text() == "On this computer"
    assert not offer.buttons
    names = [a.text() for a in window.menus.models.actions() if a.objectName() == "choice"]
    qtbot.waitUntil(lambda: len(window._desk.loading.cards) == 2)
    assert alone.loaded == [None], "nothing is loaded without being asked for"
    button = page.said._button
    assert button.text() == "Use it now"
    qtbot.waitUntil(button.isEnabled)
    button.click()
    did(qtbot, page, "Qwen2.5 Coder 0.5B answers from now on.")
    assert alone.settings.model == SMALL.id
    assert names[0].startswith("SmolLM2")
    window.menus.chat.trigger()
    assert "is among your models" not in shown(window), "it was said already"


def test_what_ends_while_one_chats_is_told_there(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    gate = threading.Event()
    inner = comes()

    def steps(self: object, result: object) -> object:
        gate.wait(10)
        yield from inner(self, result)  # type: ignore[arg-type]

    alone.stock.steps = steps  # type: ignore[assignment]
    opened(qtbot, window).offered.rows[SMALL.id].buttons["get"].click()
    window.menus.chat.trigger()
    gate.set()
    qtbot.waitUntil(lambda: "Qwen2.5 Coder 0.5B is among your models." in shown(window))


@pytest.mark.parametrize("place", ["page", "chat"])
def test_a_download_that_fails_says_why_where_the_owner_is(
    qtbot: QtBot, window: Window, alone: ScriptedEngine, place: str
) -> None:
    why = "The hub does not answer. Try again later; what came is kept."
    alone.stock.error = AttuneError(why)
    page = opened(qtbot, window)
    if place == "chat":
        window.menus.chat.trigger()
    page.offered.rows[SMALL.id].buttons["get"].click()
    if place == "chat":
        qtbot.waitUntil(lambda: why in shown(window))
    else:
        did(qtbot, page, why)
    qtbot.waitUntil(page.offered.rows[SMALL.id].buttons["get"].isEnabled)


def test_a_file_is_named_by_its_owner_and_got(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    named = page.named
    assert not named.repository.isVisible(), "folded away"
    qtbot.keyClick(named.drawer.line, Qt.Key.Key_Space)
    assert named.repository.isVisible()
    assert not named.get.isEnabled()
    assert named.get.accessibleDescription() == "Name the repository and the file."
    qtbot.keyClicks(named.repository, " owner/name-GGUF ")
    qtbot.keyClick(named.repository, Qt.Key.Key_Return)
    assert not alone.stock.asked, "half of it is missing"
    alone.stock.steps = waits()
    qtbot.keyClicks(named.file, "name-Q4.gguf")
    qtbot.keyClick(named.file, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: named.line.bar.value() > 0)
    assert alone.stock.asked == [("file", "owner/name-GGUF", "name-Q4.gguf")]
    assert plain(named.line.words.text()).startswith("Getting name-Q4.gguf  ·  43 %")
    assert not named.repository.isVisible()
    assert window.focusWidget() is named.line.cancel
    qtbot.keyClick(named.line.cancel, Qt.Key.Key_Space)
    did(qtbot, page, "stopped")
    qtbot.waitUntil(named.repository.isVisible)
    assert named.file.text() == "name-Q4.gguf", "so that it can go on"
    alone.stock.steps = comes()
    named.get.click()
    did(qtbot, page, "name-Q4.gguf is among your models.")


# Files that are there already ---------------------------------------------------------------


def test_models_of_other_apps_are_used_from_there_and_nothing_is_copied(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.others = (LLAMA, MIXTURE, replace(LLAMA, path="/jan/big.gguf", fit=LARGE))
    page = opened(qtbot, window)
    assert not page._none.isVisible()
    row = page.found.rows[LLAMA.path]
    assert texts(row)[2] == "In the folder of LM Studio  ·  2.0 GB  ·  fits well"
    assert "too large: takes 12.0 GB of 8.0 GB memory" in texts(page.found.rows["/jan/big.gguf"])[2]
    assert page.found.rows["/jan/big.gguf"].buttons["use"].isEnabled(), "the owner decides"
    unfit = page.found.rows[MIXTURE.path]
    assert texts(unfit)[2].endswith("Its architecture clip answers no questions.")
    assert not unfit.buttons
    assert row.buttons["use"].text() == "Use it from there (nothing is copied)"
    row.buttons["use"].click()
    did(qtbot, page, "Llama 3.2 3B is among your models.")
    assert alone.stock.asked == [("link", LLAMA.path)]
    qtbot.waitUntil(lambda: LLAMA.path not in page.found.rows)
    assert "llama" in page.installed.rows


def test_a_search_that_fails_costs_nothing_but_itself(
    qtbot: QtBot, window: Window, alone: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find() -> tuple[object, ...]:
        raise StorageError("The folder cannot be read.")

    monkeypatch.setattr(alone.stock, "find", find)
    window.menus.library.trigger()
    page = page_of(window)
    qtbot.waitUntil(page.installed.isVisible)
    assert page._none.isVisible()


@pytest.mark.parametrize("chosen", ["/home/me/mine.gguf", ""])
def test_a_file_is_added_where_it_is(
    qtbot: QtBot,
    window: Window,
    alone: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str,
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    page.adding.add.setFocus()
    qtbot.keyClick(page.adding.add, Qt.Key.Key_Space)
    if not chosen:
        assert not window._desk.fetching.busy
        return
    qtbot.waitUntil(lambda: page.adding.line.bar.value() > 0)
    assert alone.stock.asked == [("link", str(Path(chosen)))]
    assert plain(page.adding.line.words.text()).startswith("Taking in mine.gguf  ·  43 %")
    assert window.focusWidget() is page.adding.line.cancel
    page.adding.line.cancel.click()
    qtbot.waitUntil(lambda: not window._desk.fetching.busy)
    assert not page.adding.line.isVisible()
    assert page.adding.add.isEnabled()


# Offline ------------------------------------------------------------------------------------


def test_offline_mode_disables_getting_and_says_why_beside_it(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    toggle = page.offline.toggle
    assert page.offline.line.text() == (
        "While it is on, Attune's download program is never started."
    )
    toggle.click()
    get = page.offered.rows[SMALL.id].buttons["get"]
    assert not get.isEnabled(), "at once, also while the engine answers"
    why = "Offline mode is on, so nothing can be downloaded."
    qtbot.waitUntil(lambda: page._measured.text() == why)
    assert alone.settings.offline
    assert get.accessibleDescription() == why
    page.named.drawer.line.click()
    page.named.repository.setText("a/b")
    page.named.file.setText("c.gguf")
    assert not page.named.get.isEnabled()
    assert page.named._told.text() == why
    assert page.installed.rows[STARTER.id].buttons["verify"].isEnabled(), "no network for that"
    toggle.click()
    qtbot.waitUntil(get.isEnabled)
    assert not toggle.isChecked()
    assert not alone.settings.offline


def test_offline_mode_ends_a_download_that_runs(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    row = page.offered.rows[SMALL.id]
    row.buttons["get"].click()
    at_work(qtbot, row)
    page.offline.toggle.click()
    qtbot.waitUntil(lambda: not window._desk.fetching.busy)
    qtbot.waitUntil(lambda: alone.settings.offline)
    assert not row.buttons["get"].isEnabled()


def test_a_check_goes_on_offline(qtbot: QtBot, window: Window, alone: ScriptedEngine) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    row = page.installed.rows[STARTER.id]
    row.buttons["verify"].click()
    at_work(qtbot, row)
    page.offline.toggle.click()
    qtbot.waitUntil(lambda: alone.settings.offline)
    assert window._desk.fetching.busy
    assert not alone.stock.stopped.is_set()


def test_who_started_it_offline_has_to_end_it(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.forced = True
    page = opened(qtbot, window)
    assert page.offline.toggle.isChecked()
    assert not page.offline.toggle.isEnabled()
    assert "started with --offline" in page.offline.line.text()
    assert not page.offered.rows[SMALL.id].buttons["get"].isEnabled()


def test_a_switch_that_cannot_be_remembered_goes_back(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    alone.change_error = StorageError("The disk is full.")
    page.offline.toggle.click()
    qtbot.waitUntil(lambda: not page.offline.toggle.isChecked())
    qtbot.waitUntil(page.offered.rows[SMALL.id].buttons["get"].isEnabled)
    alone.change_error = None


# The window around it -----------------------------------------------------------------------


@pytest.mark.parametrize("answering", [False, True])
def test_closing_while_a_model_is_got_leaves_no_thread(
    qtbot: QtBot, window: Window, alone: ScriptedEngine, answering: bool
) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    page.offered.rows[SMALL.id].buttons["get"].click()
    at_work(qtbot, page.offered.rows[SMALL.id])
    assert {thread.name for thread in lanes()} == {ENGINE, CHATS, LOOK, FETCH}
    if answering:
        window.menus.chat.trigger()
        alone.scripts.append(endless("still "))
        ask(qtbot, window, "Forever")
        qtbot.waitUntil(lambda: "still" in shown(window))
    window.close()
    assert lanes() == []
    assert alone.closed == 1
    assert alone.stock.stopped.is_set()


def test_a_window_that_never_showed_it_has_no_thread_for_it(window: Window) -> None:
    assert {thread.name for thread in lanes()} <= {ENGINE, CHATS}


def test_everything_is_not_erased_while_a_model_comes(
    qtbot: QtBot, window: Window, alone: ScriptedEngine
) -> None:
    alone.stock.steps = waits()
    page = opened(qtbot, window)
    page.offered.rows[SMALL.id].buttons["get"].click()
    at_work(qtbot, page.offered.rows[SMALL.id])
    window.places.show_data()
    data = window.places.data
    assert data is not None
    data._erase()
    assert "getting a model" in data.said.text
    assert "erase" not in alone.store.calls


def test_the_page_is_reached_and_left_like_the_other_ones(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    assert window.sidebar.models.property("here")
    assert window.sidebar.models.accessibleName() == "Models, shown now"
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert window.places.at_chat
    assert window.focusWidget() is editor(window)
    window.sidebar.models.click()
    assert page.isVisible()


def everything(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> ModelsPage:
    """The page with all that can be on it, but for what runs."""
    engine.stock.others = (LLAMA, MIXTURE)
    page = opened(qtbot, window)
    page.named.drawer.line.click()
    page.named.repository.setText("a/b")
    page.named.file.setText("c.gguf")
    return page


def test_every_control_of_the_page_has_a_name_and_is_reached_by_tab(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = everything(qtbot, window, engine)
    controls = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
    ]
    assert len(controls) > 15
    assert [w for w in controls if not w.accessibleName()] == []
    stops = [w for w in controls if w.isVisible() and w.isEnabled()]
    assert all(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in stops)
    names = [w.accessibleName() for w in stops if isinstance(w, QPushButton)]
    assert len(names) == len(set(names)), "buttons of different rows can be told apart"


@pytest.mark.parametrize("late", [False, True])
def test_the_keyboard_goes_from_the_top_to_the_bottom(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, late: bool
) -> None:
    window.resize(1200, 900)
    page = everything(qtbot, window, engine)
    if late:
        page.installed.rows[OTHER.id].buttons["use"].click()  # a button comes, another goes
        did(qtbot, page, "answers from now on")
        engine.cards = (replace(OTHER, id="new", path="/models/new.gguf"), *engine.cards)
        window._desk.library.fetch()
        qtbot.waitUntil(lambda: "new" in page.installed.rows)
    QApplication.processEvents()
    first = next(iter(page.installed.rows.values())).stops[0]
    stops = [
        part
        for part in chain(first)
        if page._column.isAncestorOf(part)
        and part.isVisible()
        and part.isEnabled()
        and part.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    spots = [stop.mapTo(page._column, QPoint(0, stop.height() // 2)) for stop in stops]
    assert len(stops) > 11
    rows = [(round(spot.y() / 12), spot.x()) for spot in spots]
    assert rows == sorted(rows)


def test_the_page_follows_the_theme(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    page = everything(qtbot, window, engine)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette()
    try:
        app.setPalette(dark())
        qtbot.waitUntil(lambda: window._theme.look.dark)
        assert page.offline.toggle._look is window._theme.look
        assert page.installed.rows[STARTER.id]._look is window._theme.look
    finally:
        app.setPalette(before)


@pytest.mark.parametrize("size", [(1366, 768), (800, 600), (600, 600)])
def test_it_fits_small_windows(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, size: tuple[int, int]
) -> None:
    page = everything(qtbot, window, engine)
    engine.stock.steps = waits()
    page.offered.rows[SMALL.id].buttons["get"].click()
    at_work(qtbot, page.offered.rows[SMALL.id])
    window.resize(*size)
    assert (window.width(), window.height()) == size
    QApplication.processEvents()
    assert page._column.width() <= page._area.viewport().width()


def test_sixty_models_keep_their_rows_and_names_are_plain_text_of_limited_length(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    hostile = replace(OTHER, name="<b>A</b>\u202e\nB&" * 5_000, licence="<i>x</i>" * 900)
    engine.cards = (
        STARTER, *(replace(hostile, id=f"m{n}", path=f"/models/{n}.gguf") for n in range(59)),
    )  # fmt: skip
    engine.stock.others = (replace(LLAMA, name=hostile.name, app="<a href='x'>y</a>"),)
    page = opened(qtbot, window)
    assert len(page.installed.rows) == 60
    row = page.installed.rows["m0"]
    assert row.name.text().startswith("<b>A</b> B&<b>A</b> B&")
    assert len(row.name.text()) <= 60
    found = next(iter(page.found.rows.values()))
    for label in (row.name, row.state, row.facts, row.note, found.name, found.facts, page.said):
        if isinstance(label, QLabel):
            assert label.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;a" not in found.facts.text()
    written: list[str] = []
    for each in page.installed.rows.values():
        each._write = lambda entry: written.append(entry.id)  # type: ignore[method-assign]
    page.refresh()
    assert written == [], "what stays the same is not laid out again"
    window.resize(600, 600)
    QApplication.processEvents()
    assert page._column.width() <= page._area.viewport().width()


# The connections, among the owner's data ----------------------------------------------------


def data_page(qtbot: QtBot, window: Window) -> DataPage:
    window.places.show_data()
    page, desk = window.places.data, window._desk
    assert page is not None
    qtbot.waitUntil(lambda: desk.keeping.offline is not None)
    qtbot.waitUntil(lambda: desk.library.connections is not None or bool(desk.library.unread))
    return page


def test_without_a_connection_that_is_said_and_the_test_of_it_shown(
    qtbot: QtBot, window: Window
) -> None:
    page = data_page(qtbot, window)
    assert page.connections.told.text() == "No connection was ever made."
    assert not page.connections.table.isVisible()
    assert "refused one by the system" in page.network.text()


def test_every_connection_is_in_the_table_the_newest_first(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.log = (ASKED, TRIED, KILLED)
    page = data_page(qtbot, window)
    table = page.connections.table
    assert plain(page.connections.told.text()) == (
        "Connections ever made or tried: 3. Together they brought 691 MB."
    )
    assert table.isVisible()
    cells = [[plain(cell) for cell in line.cells[1:]] for line in table.lines]
    assert cells == [
        ["small.gguf of owner/small-GGUF", "done", "491 MB", "hub.example"],
        ["small.gguf of owner/small-GGUF", "no such host", "0 kB", "hub.example"],
        ["small.gguf of owner/small-GGUF", "cut off", "200 MB", "hub.example"],
    ]
    told = plain(str(table.model().index(0, 1).data(Qt.ItemDataRole.AccessibleTextRole)))
    assert told.endswith(
        "connected to hub.example for small.gguf of owner/small-GGUF. Received 491 MB, sent "
        "1.2 kB. It ended: done."
    )


def test_the_table_is_read_by_keys_and_fits_a_narrow_window(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.log = tuple(replace(ASKED, at=AT - n) for n in range(5_000))
    page = data_page(qtbot, window)
    table = page.connections.table
    table.setFocus()
    assert table.currentIndex().row() == 0
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.currentIndex().row() == 1
    qtbot.keyClick(table, Qt.Key.Key_Tab)
    assert window.focusWidget() is page.erase, "one stop of the keyboard, however long it is"
    window.resize(600, 600)
    QApplication.processEvents()
    assert page._column.width() <= page._area.viewport().width()
    assert not table.isColumnHidden(0)
    assert table.columnWidth(1) >= 100
    assert table.isColumnHidden(4)
    window.resize(1366, 768)
    QApplication.processEvents()
    assert not table.isColumnHidden(4)
    assert [h.accessibleName() for h in table.findChildren(QHeaderView)] == [
        "Every connection, the newest first"
    ] * 2


def test_a_log_that_cannot_be_read_claims_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.stock.unread = StorageError("The log of connections cannot be read.")
    page = data_page(qtbot, window)
    assert page.connections.told.text() == "The log of connections cannot be read."
    assert not page.connections.table.isVisible()


def test_a_hostile_log_is_plain_text(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    engine.stock.log = (replace(ASKED, host="<b>x\u202e", purpose="y" * 9_000),)
    table = data_page(qtbot, window).connections.table
    assert table.lines[0].cells[4] == "<b>x"
    assert len(table.lines[0].cells[1]) <= 90
    tip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;x" in tip


# Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (None, ""),
        (0.4, "less than a word a second, measured here"),
        (1.4, "about one word a second, measured here"),
        (25.0, "about 19 words a second, measured here"),
    ],
)
def test_speed_is_told_in_words_a_second(tokens: float | None, said: str) -> None:
    assert words.speed(tokens) == said


@pytest.mark.parametrize(
    ("bytes_", "said"),
    [
        (900_000, "less than one megabyte"),
        (98_362_432, "98 MB"),
        (1_117_320_736, "1.1 GB"),
        (12 * GB, "12.0 GB"),
    ],
)
def test_sizes_are_told_as_people_read_them(bytes_: int, said: str) -> None:
    assert plain(words.size(bytes_)) == said


def test_without_knowing_the_memory_no_fit_is_claimed() -> None:
    assert words.fit(replace(WELL, word="unknown", memory=None)) == ""
    assert words.fit(replace(TIGHT, memory=None)) == ""


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (None, "You can chat meanwhile."),
        (
            Progress(done=1_500, total=400 * MB, left=None, text="x"),
            "less than one megabyte of 400 MB. You can stop it and go on later, and chat "
            "meanwhile.",
        ),
        (
            Progress(done=100 * MB, total=400 * MB, left=600.0, text="x"),
            "100 MB of 400 MB, 500 kB a second. You can stop it and go on later, and chat "
            "meanwhile.",
        ),
        (
            Progress(done=0, total=0, left=None, text="Connecting."),
            "Connecting. You can stop it and go on later, and chat meanwhile.",
        ),
    ],
)
def test_a_download_says_how_much_and_how_fast(progress: Progress | None, said: str) -> None:
    assert plain(words.step(Get(model=SMALL), progress)) == said


def test_where_a_model_comes_from_is_said_in_all_cases() -> None:
    model = InstalledModel(card=OTHER, size=1, origin="linked", fit=WELL)
    assert words.history(model).startswith("In the folder of another app  ·  ")
    assert words.history(replace(model, origin="made")).startswith("Made in the workshop  ·  ")
    assert words.history(replace(model, origin="downloaded")).startswith("Downloaded  ·  ")
    assert words.history(replace(model, origin="added")).startswith("A file that you added  ·  ")
    source = replace(model, origin="downloaded", source="owner/name/file.gguf")
    assert words.place(source) == "/models/a.gguf, downloaded from owner/name/file.gguf"


def test_a_file_that_is_gone_is_only_taken_off_the_list() -> None:
    model = InstalledModel(card=MISSING, size=0, origin="added", fit=WELL)
    assert words.removing(model)[1] == ("It is taken off the list. Its file is not there any more.")
