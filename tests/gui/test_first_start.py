"""A first start: what Attune is, how a thumb works, what the first one did; each said once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from desktop import window_state
from desktop.views.welcome import Suggestion
from desktop.views.window import Window
from desktop.window_state import WindowState
from engine.api import AttuneError, Notice
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine, endless, pair, says
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_duel import duel, model, voted

ESCAPE = Qt.Key.Key_Escape


@pytest.fixture
def fresh(qtbot: QtBot, engine: ScriptedEngine, open_window: Open) -> Window:
    """The first window of all, its model loaded."""
    (engine.data_dir / window_state.FILE).unlink()
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    return window


def words(window: Window) -> list[str]:
    """What stands in the empty chat."""
    return [
        part.property("text")
        for part in window.page.welcome.children()
        if part.property("text") and part.isVisible()  # type: ignore[attr-defined]
    ]


def offered(window: Window) -> list[str]:
    """What can be done now, under the last answer."""
    offer = window.page.offer
    return [button.text() for button in offer.buttons] if offer.isVisible() else []


def press(qtbot: QtBot, window: Window, number: int = 0) -> None:
    qtbot.mouseClick(window.page.offer.buttons[number], Qt.MouseButton.LeftButton)


def remembered(engine: ScriptedEngine) -> str:
    return window_state.read(engine.data_dir).introduced


# What Attune is -------------------------------------------------------------------------------


def test_the_first_window_says_what_attune_is_and_offers_three_questions(fresh: Window) -> None:
    headline, what, *questions, skip = words(fresh)
    assert headline == "Welcome to Attune"
    assert what.count(". ") == 1
    assert "Nothing you write leaves this computer." in what
    assert len(questions) == 3
    assert "Esc" in skip
    assert editor(fresh).hasFocus() or fresh.focusWidget() is editor(fresh)


def test_one_key_skips_all_of_it_for_good(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine, open_window: Open
) -> None:
    qtbot.keyClick(editor(fresh), ESCAPE)
    assert words(fresh)[0] == "What would you like to know?"
    assert remembered(engine) == "all"
    ask(qtbot, fresh, "Hm?")
    settle(qtbot, fresh)
    assert offered(fresh) == []
    again = open_window()
    assert len(words(again)) == 4


def test_that_key_does_not_end_the_loading_of_the_model(
    qtbot: QtBot, engine: ScriptedEngine, open_window: Open
) -> None:
    (engine.data_dir / window_state.FILE).unlink()
    engine.may_load.clear()
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(window.isActiveWindow)  # before that no key is a shortcut
    qtbot.waitUntil(lambda: bool(engine.loaded))
    qtbot.keyClick(editor(window), ESCAPE)
    assert len(words(window)) == 4
    assert not engine.stopped.is_set()
    assert window.menus.stop.isEnabled(), "from now on it is for that"
    engine.may_load.set()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)


def test_a_later_empty_chat_has_its_three_questions_only(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, fresh, "Hm?")
    settle(qtbot, fresh)
    fresh.menus.new_chat.trigger()
    assert words(fresh)[0] == "What would you like to know?"
    assert len(words(fresh)) == 4
    assert offered(fresh) == []


# How a thumb works ----------------------------------------------------------------------------


def test_after_the_first_plain_answer_two_are_offered_once(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, fresh, "First?")
    assert offered(fresh) == []
    settle(qtbot, fresh)
    assert offered(fresh) == ["Show me two answers to this"]
    assert "a thumb says which one is better" in fresh.page.offer.text
    assert remembered(engine) == "thumbs"
    ask(qtbot, fresh, "Second?")
    settle(qtbot, fresh)
    assert offered(fresh) == []


def test_the_second_question_of_a_first_start_gets_two_answers_by_itself(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    engine.duels.append(pair("one", "two"))
    ask(qtbot, fresh, "First?")
    assert settle(qtbot, fresh).pair is None
    ask(qtbot, fresh, "Second?")
    assert settle(qtbot, fresh).pair is not None


def test_who_asks_for_two_answers_gets_them_to_the_same_question(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    ask(qtbot, fresh, "First?")
    settle(qtbot, fresh)
    engine.duels.append(pair("one", "two"))
    press(qtbot, fresh)
    turn = settle(qtbot, fresh)
    assert (turn.question, turn.pair is not None) == ("First?", True)
    assert offered(fresh) == []
    assert fresh.focusWidget() is editor(fresh)


@pytest.mark.parametrize("hindrance", ["broken", "neutral", "private"])
def test_where_a_thumb_would_teach_nothing_none_is_offered(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine, hindrance: str
) -> None:
    if hindrance == "broken":

        def breaks(engine: ScriptedEngine, question: object) -> Iterator[object]:
            yield from list(says("Half")(engine, question))[:2]  # type: ignore[arg-type]
            raise AttuneError("It broke.")

        engine.scripts.append(breaks)  # type: ignore[arg-type]
    elif hindrance == "neutral":
        fresh.menus.neutral.trigger()
    else:
        fresh.menus.new_private.trigger()
    ask(qtbot, fresh, "First?")
    settle(qtbot, fresh)
    assert offered(fresh) == []
    assert fresh.menus.compare.isEnabled() is (hindrance == "broken")


def test_two_answers_can_be_had_by_key_at_any_time(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    assert not window.menus.compare.isEnabled()
    ask(qtbot, window, "First?")
    settle(qtbot, window)
    engine.duels.append(pair("one", "two"))
    qtbot.keyClick(editor(window), Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert settle(qtbot, window).pair is not None


# What the first thumb did ---------------------------------------------------------------------


def test_after_the_first_vote_its_effect_is_one_click_away(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, fresh, engine)
    fresh.menus.votes[0].trigger()
    turn = voted(qtbot, fresh)
    assert turn._said.text == "✓ Shorter answers: 50% → 69% sure."
    assert offered(fresh) == ["Same question again?"]
    assert remembered(engine) == "all"
    engine.duels.append(pair("no", "more"))  # as often as two answers may come
    engine.scripts.append(says("Short."))
    press(qtbot, fresh)
    again = settle(qtbot, fresh)
    assert (again.question, again.text, again.pair) == ("How?", "Short.", None)
    assert again.learned == ("shorter answers",)
    qtbot.waitUntil(lambda: "Learned: shorter answers" in shown(fresh))
    assert offered(fresh) == []


def test_a_vote_that_changed_nothing_promises_nothing(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, fresh, engine)
    fresh.menus.votes[2].trigger()
    voted(qtbot, fresh)
    assert offered(fresh) == []
    assert remembered(engine) == "thumbs"


def test_a_vote_that_is_taken_back_takes_the_offer_along(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, fresh, engine)
    fresh.menus.votes[0].trigger()
    voted(qtbot, fresh)
    fresh.menus.undo.trigger()
    qtbot.waitUntil(lambda: model(fresh).open)
    assert offered(fresh) == []


def test_the_second_vote_is_not_explained(
    qtbot: QtBot, fresh: Window, engine: ScriptedEngine
) -> None:
    for question in ("One?", "Two?"):
        duel(qtbot, fresh, engine, question=question)
        fresh.menus.votes[0].trigger()
        voted(qtbot, fresh)
    assert offered(fresh) == []


def test_who_has_voted_before_is_told_nothing(
    qtbot: QtBot, engine: ScriptedEngine, open_window: Open
) -> None:
    (engine.data_dir / window_state.FILE).unlink()
    engine.held(None, "a", "b", verdict="open")  # type: ignore[arg-type]
    engine.record.vote("duel-1", "first")
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: remembered(engine) == "all")
    assert words(window)[0] == "What would you like to know?"


@pytest.mark.parametrize("written", ['"x"', "7", "null", '["all"]'])
def test_a_damaged_memory_of_it_begins_anew(written: str, engine: ScriptedEngine) -> None:
    file = engine.data_dir / window_state.FILE
    file.write_text(f'{{"introduced": {written}, "width": 900}}')
    assert window_state.read(engine.data_dir) == WindowState(width=900)


# The first load, and small things -------------------------------------------------------------


@pytest.mark.parametrize("ends", ["well", "badly"])
@pytest.mark.parametrize("asked", [True, False])
def test_the_line_about_the_self_test_is_gone_when_loading_is_over(
    qtbot: QtBot, engine: ScriptedEngine, open_window: Open, ends: str, asked: bool
) -> None:
    engine.start_notices = (Notice(code="self_test", text="First start: finding settings."),)
    window = open_window()
    seen: list[bool] = []
    window._desk.loading.passing.connect(lambda _: seen.append("First start" in shown(window)))
    if ends == "badly":
        engine.start_error = AttuneError("No setting works.")
    window._desk.loading.start()
    if asked and ends == "well":
        ask(qtbot, window, "Already?")
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    if asked and ends == "well":
        settle(qtbot, window)
    assert seen == [True]
    assert "First start" not in shown(window)


def test_the_composer_stays_where_it_is_when_the_first_vote_counts(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    before = window.composer.mapTo(window, window.composer.rect().topLeft())
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    qtbot.waitUntil(window.steering._neutral.isVisible)
    assert window.composer.mapTo(window, window.composer.rect().topLeft()) == before


def test_after_a_stop_by_mouse_the_keyboard_is_back_in_the_question(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(endless("so far "))
    ask(qtbot, window, "Go on")
    qtbot.waitUntil(lambda: "so far" in shown(window))
    button = window.composer.findChild(QToolButton)
    assert isinstance(button, QToolButton)
    button.setFocus()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.focusWidget() is editor(window)
    settle(qtbot, window)


def test_every_button_of_it_has_a_name(qtbot: QtBot, fresh: Window, engine: ScriptedEngine) -> None:
    ask(qtbot, fresh, "First?")
    settle(qtbot, fresh)
    buttons = [*fresh.page.welcome.findChildren(QPushButton), *fresh.page.offer.buttons]
    assert len(buttons) == 5
    assert all(button.accessibleName() for button in buttons)


def test_a_question_to_try_that_is_too_long_gives_way(fresh: Window) -> None:
    """A translation may be longer; the page must not become wider for it."""
    button = Suggestion("How " * 60 + "long?", fresh)
    button.resize(200, 40)
    button.show()
    assert button.text().endswith("…")
    assert button.minimumSizeHint().width() < 10
    button.resize(9_000, 40)
    assert button.text().endswith("long?")
