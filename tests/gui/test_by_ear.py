"""The whole loop with the keyboard alone, and what a screen reader is told at each step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QHeaderView, QMenu, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from desktop.portfolio import NO_BREAK
from desktop.views.window import Window
from desktop.widgets.shortcut_list import ShortcutList
from tests.gui.scripted_engine import ScriptedEngine, pair, says
from tests.gui.test_chat import editor
from tests.gui.test_window import INTERACTIVE

CTRL = Qt.KeyboardModifier.ControlModifier


class Listener:
    """A screen reader: what it was asked to say, and how politely."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.polite: list[bool] = []
        monkeypatch.setattr(QAccessible, "updateAccessibility", self._hear)

    def _hear(self, event: object) -> None:
        assert isinstance(event, QAccessibleAnnouncementEvent)
        self.said.append(event.message())
        polite = QAccessible.AnnouncementPoliteness.Polite
        self.polite.append(event.politeness() == polite)

    def since(self) -> list[str]:
        """What was said since this was asked last."""
        said, self.said = self.said, []
        return said


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch, window: Window) -> Iterator[Listener]:
    listener = Listener(monkeypatch)
    yield listener
    assert all(listener.polite), "nobody is interrupted"


def press(
    qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Wherever the keyboard is."""
    focused = QApplication.focusWidget()
    assert focused is not None, "a key must never fall into nothing"
    qtbot.keyClick(focused, key, modifiers)


def type_question(qtbot: QtBot, window: Window, text: str) -> None:
    assert QApplication.focusWidget() is editor(window), "one can type on at once"
    qtbot.keyClicks(QApplication.focusWidget(), text)
    press(qtbot, Qt.Key.Key_Return)


def test_ask_hear_both_vote_see_what_changed_and_undo_by_keys_and_ears_alone(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, ear: Listener
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("Water it **daily**.", "Give it a warm and bright place."))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))

    type_question(qtbot, window, "How do I keep basil alive?")
    qtbot.waitUntil(lambda: bool(ear.said))
    assert ear.since() == [
        "Both answers are ready. F7 says A, F8 says B; Ctrl+1 if A is better, Ctrl+2 if B is."
    ]

    press(qtbot, Qt.Key.Key_F7)
    assert ear.since() == ["Answer A. Water it **daily**."]
    reader = QApplication.focusWidget()
    assert reader is not None
    assert reader.accessibleName() == "Answer A"
    press(qtbot, Qt.Key.Key_F8)
    assert ear.since() == ["Answer B. Give it a warm and bright place."]
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Answer B"

    press(qtbot, Qt.Key.Key_2, CTRL)
    qtbot.waitUntil(lambda: bool(ear.said))
    assert ear.since()[0] == "Shorter answers: 50% → 31% sure."
    assert engine.record.counted() == {"duel-1": "second"}
    assert QApplication.focusWidget() is editor(window), "not on a button that went away"

    press(qtbot, Qt.Key.Key_L, CTRL)
    page = window.places.learned
    assert page is not None
    qtbot.waitUntil(lambda: QApplication.focusWidget() is page.table)
    row = page.table.item(page.table.currentRow(), 0)
    assert row is not None
    told = str(row.data(Qt.ItemDataRole.AccessibleTextRole))
    wanted = "longer answers or shorter answers: 69 % sure you like longer answers."
    assert told.replace(NO_BREAK, " ") == wanted
    press(qtbot, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))
    ear.since()

    press(qtbot, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: "Taken back: the vote on short." in ear.said)
    assert engine.record.counted() == {}

    press(qtbot, Qt.Key.Key_1, CTRL)
    qtbot.waitUntil(lambda: "Shorter answers: 50% → 69% sure." in ear.said)
    ear.since()
    engine.scripts.append(says("It steers now."))
    type_question(qtbot, window, "And mint?")
    qtbot.waitUntil(lambda: bool(ear.said))
    assert ear.since() == ["The answer is finished. It steers now."]
    last = window._desk.asking.conversation.last
    assert last is not None
    assert last.learned == ("shorter answers",)


def test_where_there_are_no_two_answers_there_is_nothing_to_hear(
    qtbot: QtBot, window: Window, ear: Listener
) -> None:
    assert not any(action.isEnabled() for action in window.menus.hear)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))
    press(qtbot, Qt.Key.Key_F7)
    assert ear.said == []
    assert QApplication.focusWidget() is editor(window)


# The window as a whole ----------------------------------------------------------------------

PAGES = ("learned", "portfolio", "workshop", "models", "data", "settings")


def open_page(qtbot: QtBot, window: Window, name: str) -> QWidget:
    getattr(window.places, f"show_{name}")()
    page = getattr(window.places, name)
    assert isinstance(page, QWidget)
    qtbot.waitUntil(page.isVisible)
    return page


def test_every_page_is_in_the_list_of_pages(qtbot: QtBot, window: Window) -> None:
    shows = {name.removeprefix("show_") for name in dir(window.places) if name.startswith("show_")}
    assert shows - {"chat"} - {name for name in dir(QWidget) if name.startswith("show")} == set(
        PAGES
    )


@pytest.mark.parametrize("name", ["chat", *PAGES])
def test_everything_that_can_be_operated_has_a_name(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, name: str
) -> None:
    page = window if name == "chat" else open_page(qtbot, window, name)
    nameless = [
        widget
        for widget in page.findChildren(QWidget)
        if not isinstance(widget, QScrollBar | QHeaderView)
        and widget.isVisible()
        and not widget.objectName().startswith("qt_")
        and (isinstance(widget, INTERACTIVE) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not widget.accessibleName().strip()
    ]
    assert nameless == []


def here(page: QWidget) -> bool:
    """The keyboard is on it."""
    focused = QApplication.focusWidget()
    return focused is not None and (focused is page or page.isAncestorOf(focused))


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_is_on_each_page_that_comes_and_leaves_it_by_escape(
    qtbot: QtBot, window: Window, name: str
) -> None:
    window.activateWindow()
    page = open_page(qtbot, window, name)
    qtbot.waitUntil(lambda: here(page))
    press(qtbot, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.places.at_chat)
    assert QApplication.focusWidget() is editor(window)


def all_actions(window: Window) -> list[QAction]:
    """Those of all menus; the models that can be chosen are named by their files."""
    found: list[QAction] = []
    for bar in window.menuBar().actions():
        menu = bar.menu()
        assert isinstance(menu, QMenu)
        found += [a for a in menu.actions() if not a.isSeparator() and a.objectName() != "choice"]
    return found


def test_every_action_has_a_key_that_nothing_else_has(qtbot: QtBot, window: Window) -> None:
    for name in PAGES:
        open_page(qtbot, window, name)
    actions = all_actions(window)
    assert {a.objectName() for a in window.findChildren(QAction) if a.shortcuts()} <= {
        a.objectName() for a in actions
    }, "a key that is in no menu cannot be found"
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert all(action.shortcuts() for action in actions)
    assert len(keys) == len(set(keys))
    mnemonics = {QKeySequence.mnemonic(bar.text()).toString() for bar in window.menuBar().actions()}
    assert len(mnemonics) == len(window.menuBar().actions())
    assert not mnemonics & set(keys)


def test_no_menu_has_two_entries_of_one_letter(window: Window) -> None:
    for bar in window.menuBar().actions():
        menu = bar.menu()
        assert isinstance(menu, QMenu)
        shown = [a for a in menu.actions() if a.isVisible() and a.objectName() != "choice"]
        letters = [QKeySequence.mnemonic(action.text()).toString() for action in shown]
        given = [letter for letter in letters if letter]
        assert len(given) == len(set(given)), (bar.text(), sorted(given))


def test_the_list_of_shortcuts_has_every_action_with_its_keys(qtbot: QtBot, window: Window) -> None:
    box = ShortcutList(window.menus.groups, parent=window)
    qtbot.addWidget(box)
    words = [str(child.property("text")) for child in box.findChildren(QWidget)]
    native = QKeySequence.SequenceFormat.NativeText
    for action in all_actions(window):
        if action.isVisible():
            keys = "  ·  ".join(key.toString(native) for key in action.shortcuts())
            assert action.text().replace("&", "").rstrip("…") in words
            assert keys in words


def test_an_answer_is_reached_by_its_key_before_it_is_painted(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("Water it daily.", "Give it a warm and bright place."))
    window.page._pause = 60_000  # no frame comes by itself
    type_question(qtbot, window, "How do I keep basil alive?")
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    press(qtbot, Qt.Key.Key_F8)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Answer B"
