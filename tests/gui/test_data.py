"""The page "Your data": what is kept, copies, the network, and erasing all of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFileDialog,
    QMessageBox,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import data as words
from desktop.app import build
from desktop.desk import Desk
from desktop.portfolio import NO_BREAK
from desktop.views.data import DataPage
from desktop.views.erase_dialogs import EraseEverything, ReceiptView
from desktop.views.window import Window
from engine.api import DataFile, DataPart, Engine, EngineError, Notice, Settings, StorageError
from engine.models import catalogue
from engine.models.catalogue import STARTER_FILE
from tests.fakes import host as fake
from tests.fakes.process import own_threads
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.gui.scripted_data import CHATS, OLD, VOTES
from tests.gui.scripted_engine import ScriptedEngine, endless
from tests.gui.scripted_workshop import waits
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_window import INTERACTIVE
from tests.unit.cli.records import put_duel, record
from tests.unit.conftest import remember


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def page_of(window: Window) -> DataPage:
    assert window.places.data is not None
    return window.places.data


def opened(qtbot: QtBot, window: Window) -> DataPage:
    """The page, with everything in it."""
    window.activateWindow()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(editor(window), Qt.Key.Key_D, both)
    keeping = window._desk.keeping
    qtbot.waitUntil(lambda: keeping.overview is not None and keeping.offline is not None)
    return page_of(window)


def did(qtbot: QtBot, page: DataPage, part: str) -> None:
    qtbot.waitUntil(lambda: page.said.isVisible() and part in plain(page.said.text))


def dialog(qtbot: QtBot, window: Window, kind: type[QWidget]) -> QWidget:
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(kind)))
    return next(d for d in window.findChildren(kind) if d.isVisible())


def typed(qtbot: QtBot, window: Window, text: str) -> EraseEverything:
    found = dialog(qtbot, window, EraseEverything)
    assert isinstance(found, EraseEverything)
    qtbot.keyClicks(found.field, text)
    return found


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever is asked is agreed to; the questions, in order."""
    asked: list[str] = []

    def exec_(box: QMessageBox) -> int:
        asked.append(f"{box.text()} {box.informativeText()}")
        next(b for b in box.buttons() if b.text() == "Restore").click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", exec_)
    return asked


# What is kept -------------------------------------------------------------------------------


def test_it_says_what_is_kept_where_and_how_much(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert plain(page.headline) == (
        "Your data Everything is on this computer, in one folder: 9.9 MB."
    )
    assert page._teach.text() == str(engine.data_dir)
    assert [plain(line) for line in page.kept.lines] == [
        "Chats  12, the trash included  1.2 MB",
        "Votes  6 that count  45.0 kB",
        "What I learned  10 traits, worked out from the votes",
        "Measured answers  120, for the portfolio  310 kB",
        "Models  a list of 2; their files stay where you have them  0.9 kB",
        "Made in the workshop  one adapter or model  4.6 MB",
        "Settings  2 files  1.1 kB",
        "Copies  3, of chats and votes  3.7 MB",
    ]
    assert window.focusWidget() is page.folder
    assert window.sidebar.data.property("here")


def test_of_what_is_not_there_only_what_people_look_for_is_named(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.store.counts = tuple((kind, 0, 0) for kind, _, _ in engine.store.counts)
    page = opened(qtbot, window)
    assert page.kept.lines == [
        "Chats  none",
        "Votes  none",
        "What I learned  none",
        "Settings  none",
    ]


def test_what_cannot_be_counted_says_why() -> None:
    damaged = DataPart(kind="chats", count=None, size=9, path="/x", trouble="It is damaged.")
    assert words.told(damaged) == "It is damaged."


def test_what_cannot_be_read_says_why_and_is_asked_for_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.store.broken = StorageError("The data folder cannot be read.")
    window.menus.data.trigger()
    page = page_of(window)
    qtbot.waitUntil(lambda: page.headline == "Your data The data folder cannot be read.")
    engine.store.broken = None
    window.menus.data.trigger()
    qtbot.waitUntil(lambda: "in one folder" in page.headline)


def test_all_of_it_is_read_on_the_engines_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    opened(qtbot, window).check.click()
    qtbot.waitUntil(lambda: "check" in engine.store.calls)
    assert threading.get_ident() not in engine.store.threads
    assert len(engine.store.threads) == 1


def test_the_folder_opens(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[QUrl] = []

    def open_url(url: QUrl) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    page = opened(qtbot, window)
    qtbot.keyClick(page.folder, Qt.Key.Key_Space)
    assert [url.toLocalFile() for url in urls] == [str(engine.data_dir)]
    assert not page.said.isVisible()
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    page.folder.click()
    assert page.said.text == f"The folder cannot be opened. It is {engine.data_dir}"


# Taking out ---------------------------------------------------------------------------------


def test_everything_is_exported_where_the_owner_wants_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def pick(parent: QWidget, title: str, name: str, kinds: str, **how: object) -> tuple[str, str]:
        offered.append(Path(name).name)
        return "/elsewhere/mine.zip", kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", pick)
    page = opened(qtbot, window)
    page.export.click()
    did(qtbot, page, "Everything is in /elsewhere/mine.zip: 2 files, 1.3 MB. Not c.")
    assert offered == [f"attune-{date.today():%Y-%m-%d}.zip"]
    assert f"export {Path('/elsewhere/mine.zip')}" in engine.store.calls


def test_an_export_that_fails_says_why(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("/full/mine.zip", ""))
    page = opened(qtbot, window)
    engine.store.error = StorageError("/full/mine.zip cannot be written.")
    page.export.click()
    assert not page.export.isEnabled(), "one at a time"
    did(qtbot, page, "/full/mine.zip cannot be written.")
    assert page.export.isEnabled()


def test_a_file_dialog_that_is_closed_exports_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    opened(qtbot, window).export.click()
    assert engine.store.calls == ["offline"]


# Copies -------------------------------------------------------------------------------------


def test_copies_are_listed_with_their_dates(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    lines = [plain(page.list.item(row).text()) for row in range(page.list.count())]
    assert [line.split("  ·  ")[0] for line in lines] == ["Chats", "Votes", "Chats"]
    assert [line.split("  ·  ")[2] for line in lines] == ["1.2 MB", "44.0 kB", "1.2 MB"]
    assert lines[2].endswith("was replaced by a copy")


def test_without_copies_nothing_can_be_put_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.store.backups.copies = ()
    page = opened(qtbot, window)
    assert page._copies.text().endswith("There are no copies yet.")
    assert not page.restore.isEnabled()
    assert not page.list.isVisible()


def test_to_put_a_copy_back_asks_once_and_then_all_is_read_anew(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, agree: list[str]
) -> None:
    ask(qtbot, window, "Old talk")
    settle(qtbot, window)
    page = opened(qtbot, window)
    engine._settings = Settings(gamma=4.0)
    engine.record.entries.clear()
    page.list.setFocus()
    qtbot.keyClick(page.list, Qt.Key.Key_Down)
    page.restore.click()
    did(qtbot, page, "are back. What was there is kept as one more copy.")
    assert engine.store.calls[-1] == f"restore {VOTES.name}"
    (asked,) = agree
    assert asked.startswith("Put back the votes of ")
    assert "All votes of now are replaced, the newer ones too." in asked
    assert "kept as one more copy" in asked
    assert window._desk.taste.gamma == 4.0
    assert window._desk.asking.conversation.turns, "it has nothing to do with the votes"
    assert page.isVisible(), "what was done is told where it was asked for"


def test_with_other_chats_a_new_one_begins(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, agree: list[str]
) -> None:
    ask(qtbot, window, "Old talk")
    settle(qtbot, window)
    page = opened(qtbot, window)
    page.restore.click()
    did(qtbot, page, "are back. What was there is kept as one more copy.")
    assert engine.store.calls[-1] == f"restore {CHATS.name}"
    assert window._desk.asking.conversation.turns == []
    assert page.isVisible(), "what was done is told where it was asked for"


def test_a_private_chat_outlives_other_chats(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, agree: list[str]
) -> None:
    window.menus.new_private.trigger()
    ask(qtbot, window, "Secret talk")
    settle(qtbot, window)
    page = opened(qtbot, window)
    page.restore.click()
    did(qtbot, page, "are back. What was there is kept as one more copy.")
    assert [turn.question for turn in window._desk.asking.conversation.turns] == ["Secret talk"]


def test_a_restoration_that_is_thought_better_of_does_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda box: box.defaultButton().click() or 0)
    page = opened(qtbot, window)
    page.restore.click()
    QApplication.processEvents()
    assert engine.store.calls == ["offline"]


def test_a_restoration_that_fails_says_why(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, agree: list[str]
) -> None:
    page = opened(qtbot, window)
    engine.store.error = StorageError("The copy is damaged.")
    page.restore.click()
    did(qtbot, page, "The copy is damaged.")


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        ((), "All files were checked; none is damaged."),
        ((Notice(code="damaged", text="chats.db is damaged."),), "chats.db is damaged."),
    ],
)
def test_a_check_says_what_it_found(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    problems: tuple[Notice, ...],
    said: str,
) -> None:
    engine.store.problems = problems
    page = opened(qtbot, window)
    page.check.click()
    did(qtbot, page, said)


def test_every_kind_of_copy_is_asked_about_in_its_own_words() -> None:
    assert words.restoring(CHATS)[0].startswith("Put back the chats of ")
    assert words.restoring(OLD)[1].startswith("All chats of now are replaced")


# The network --------------------------------------------------------------------------------


@pytest.mark.parametrize("offline", [True, False])
def test_of_the_network_no_more_is_said_than_is_true_here(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, offline: bool
) -> None:
    engine.store.offline_said = offline
    page = opened(qtbot, window)
    said = page.network.text()
    assert said.startswith("Only Attune's download program opens connections")
    assert ("the process that runs models was refused one by the system" in said) is offline
    assert ("no way to forbid it" in said) is not offline
    window.menus.chat.trigger()
    window.menus.data.trigger()
    QApplication.processEvents()
    assert engine.store.calls == ["offline"], "a process is started for it once only"


def test_where_that_cannot_be_found_out_nothing_is_claimed(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.store.error = EngineError("The child did not start.")
    window.menus.data.trigger()
    page = page_of(window)
    qtbot.waitUntil(lambda: "offline" in engine.store.calls and bool(page.kept.lines))
    assert page.network.text().endswith("nothing else in Attune opens one.")


# Erasing ------------------------------------------------------------------------------------


def test_a_word_has_to_be_typed_before_anything_is_erased(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.erase.click()
    asking = typed(qtbot, window, "eras")
    assert not asking.go.isEnabled()
    qtbot.keyClick(asking.field, Qt.Key.Key_Return)
    assert asking.isVisible()
    qtbot.keyClick(asking.field, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert engine.store.calls == ["offline"]


def test_everything_is_erased_and_the_receipt_shown(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.entries.clear()
    ask(qtbot, window, "Old talk")
    settle(qtbot, window)
    page = opened(qtbot, window)
    loaded = len(engine.loaded)
    page.erase.click()
    asking = typed(qtbot, window, "Erase")
    engine._settings = Settings()
    qtbot.keyClick(asking.field, Qt.Key.Key_Return)
    receipt = dialog(qtbot, window, ReceiptView)
    assert isinstance(receipt, ReceiptView)
    assert receipt.text.toPlainText().startswith("Attune erased one file, 1,234,000 bytes, from ")
    assert "erase" in engine.store.calls
    did(qtbot, page, "One file is erased, 1.2 MB.")
    qtbot.waitUntil(lambda: page.kept.lines[0] == "Chats  none")
    qtbot.waitUntil(lambda: len(engine.loaded) == loaded + 1 and not window._desk.loading.busy)
    assert window._desk.asking.conversation.turns == []
    qtbot.keyClick(receipt, Qt.Key.Key_Escape)
    window.menus.chat.trigger()
    ask(qtbot, window, "Anybody there?")
    assert settle(qtbot, window).text == "Yes."


def test_the_receipt_is_saved_only_where_the_owner_wants_it(
    qtbot: QtBot,
    window: Window,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "receipt.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    page = opened(qtbot, window)
    page.erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    receipt = dialog(qtbot, window, ReceiptView)
    assert isinstance(receipt, ReceiptView)
    assert not path.exists()
    receipt.save.click()
    did(qtbot, page, f"The receipt is in {path}.")
    assert path.read_text() == receipt.text.toPlainText()


def test_what_could_not_be_erased_is_said(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    left = DataFile(path="/data/record.db", size=9, reason="it cannot be erased (busy)")
    engine.store.failed = (left,)
    page = opened(qtbot, window)
    page.erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    did(qtbot, page, "One could not be; the receipt says which, and why.")
    receipt = dialog(qtbot, window, ReceiptView)
    assert isinstance(receipt, ReceiptView)
    assert "/data/record.db: it cannot be erased (busy)" in receipt.text.toPlainText()


def test_an_erasure_that_fails_says_why_and_shows_no_receipt(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    engine.store.error = StorageError("chats.db is in use by another program.")
    page.erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    did(qtbot, page, "chats.db is in use by another program.")
    assert not window.findChildren(ReceiptView)


def test_an_answer_under_way_ends_first(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("still "))
    ask(qtbot, window, "Forever")
    qtbot.waitUntil(lambda: "still" in shown(window))
    window.menus.data.trigger()
    page_of(window).erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    dialog(qtbot, window, ReceiptView)
    assert window._desk.asking.conversation.turns == []


def test_nothing_is_erased_beneath_a_training(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.craft.steps = waits()
    window.menus.workshop.trigger()
    workshop = window.places.workshop
    assert workshop is not None
    qtbot.waitUntil(workshop.teaching.train.isVisible)
    workshop.teaching.train.click()
    page = opened(qtbot, window)
    page.erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    did(qtbot, page, "Cancel that first, then erase.")
    assert "erase" not in engine.store.calls
    window._desk.crafting.cancel()
    qtbot.waitUntil(lambda: not window._desk.crafting.busy)


# The page as a whole ------------------------------------------------------------------------


def test_every_control_has_a_name_and_is_reached_by_tab(qtbot: QtBot, window: Window) -> None:
    page = opened(qtbot, window)
    page.erase.click()
    asking = dialog(qtbot, window, EraseEverything)
    controls = [
        widget
        for part in (page, asking)
        for widget in part.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE) and not isinstance(widget, QScrollBar)
    ]
    assert len(controls) > 8
    assert [w for w in controls if not w.accessibleName()] == []
    stops = [w for w in controls if w.isVisible() and w.isEnabled()]
    assert all(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in stops)
    names = [w.accessibleName() for w in stops if isinstance(w, QAbstractButton)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("size", [(900, 600), (800, 600), (600, 600)])
def test_it_fits_small_windows(qtbot: QtBot, window: Window, size: tuple[int, int]) -> None:
    page = opened(qtbot, window)
    window.resize(*size)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    assert page._column.width() <= page._area.viewport().width()


# With the engine itself ---------------------------------------------------------------------


@pytest.fixture
def real(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Window, Path]]:
    """A window on a data folder with votes in it, its engine the real one, its child a fake."""
    own_threads(monkeypatch)
    program, data = tmp_path / "program", tmp_path / "data"
    for folder in (program, data):
        folder.mkdir()
    write_tiny_llama(program / STARTER_FILE, seed=7)
    monkeypatch.setattr(catalogue, "asset_folders", lambda: (program,))
    remember(data, gamma=3.5)
    for number in range(6):
        id = put_duel(data, f"beef{number:04x}")
        with record(data) as votes:
            votes.vote(id, "first")
    drawn = random.Random(11)
    engine = Engine(data, host=fake.command(), seeds=lambda: drawn.getrandbits(32))
    window = build(Desk(engine))
    qtbot.addWidget(window)
    window.show()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    yield window, data
    window.close()


def test_after_erasing_the_window_goes_on_as_on_a_first_start(
    qtbot: QtBot, real: tuple[Window, Path]
) -> None:
    window, data = real
    qtbot.waitUntil(lambda: window.sidebar._count.text() == "6")
    page = opened(qtbot, window)
    page.erase.click()
    qtbot.keyClick(typed(qtbot, window, "erase").field, Qt.Key.Key_Return)
    receipt = dialog(qtbot, window, ReceiptView)
    assert isinstance(receipt, ReceiptView)
    assert str(data / "record.db") in receipt.text.toPlainText()
    qtbot.waitUntil(lambda: window.sidebar._count.text() == "")
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    assert window._desk.taste.gamma == 2.0
    assert window._desk.engine.settings.gamma == 2.0
    window.menus.chat.trigger()
    ask(qtbot, window, "Anybody there?")
    assert settle(qtbot, window).text


@pytest.mark.parametrize("place", ["data", "portfolio", "workshop"])
def test_a_page_that_waits_for_an_answer_says_so_and_claims_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, place: str
) -> None:
    engine.scripts.append(endless())
    ask(qtbot, window, "Sing")
    qtbot.waitUntil(lambda: "la" in shown(window))
    getattr(window.menus, place).trigger()
    page = getattr(window.places, place)
    assert "An answer is being written; this comes after it." in page.headline
    if place == "data":
        assert "There are no copies yet" not in page._copies.text()
    window.menus.stop.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "written" not in page.headline and "Reading" not in page.headline)
