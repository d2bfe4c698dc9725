"""What a question that is being typed will leave of the context, said before it is sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from desktop.conversation import Turn
from desktop.room import AROUND, RESERVE, Room, foresee
from desktop.views.window import Window
from desktop.widgets.status_line import StatusLine
from tests.gui.scripted_engine import CONTEXT, ScriptedEngine, says
from tests.gui.test_chat import ask, editor, settle


def turn(tokens: int) -> Turn:
    """A question and an answer of so many tokens each, as they are estimated."""
    text = "abcd" * (tokens - round(AROUND))
    return Turn(question=text, pieces=[text])


def words(tokens: int) -> str:
    return "abcd" * (tokens - round(AROUND))


# By hand ------------------------------------------------------------------------------------


def test_a_question_in_an_empty_chat() -> None:
    found = foresee(words(100), [], used=0, context=1000, answer=512)
    assert found == Room(taken=0.1, left=0.9, dropped=0, fits=True)


def test_what_was_counted_goes_before_what_is_estimated() -> None:
    # 400 were estimated and 800 counted: a token is two bytes here, the question is twice as long.
    found = foresee(words(100), [turn(100), turn(100)], used=800, context=2000, answer=100)
    assert found == Room(taken=0.1, left=0.5, dropped=0, fits=True)


def test_the_oldest_messages_go_four_at_a_time_until_there_is_room_for_an_answer() -> None:
    turns = [turn(100)] * 5  # 1000 tokens, and 1000 - 250 for an answer are there
    assert foresee(words(100), turns[:3], used=0, context=1000, answer=999).dropped == 0
    assert foresee(words(200), turns[:3], used=0, context=1000, answer=999).dropped == 4
    found = foresee(words(100), turns, used=0, context=1000, answer=999)
    assert (found.dropped, found.fits) == (4, True)
    assert found.left == 1 - (600 + 100) / 1000
    assert foresee(words(500), turns, used=0, context=1000, answer=999).dropped == 8
    assert foresee(words(700), turns, used=0, context=1000, answer=999).dropped == 10


def test_a_question_that_is_too_long_by_itself_does_not_fit() -> None:
    assert foresee(words(RESERVE * 30), [], used=0, context=RESERVE * 32, answer=999).fits
    found = foresee(words(RESERVE * 32), [], used=0, context=RESERVE * 32, answer=999)
    assert (found.fits, found.left, found.taken) == (False, 0.0, 1.0)


def test_letters_of_three_bytes_count_for_more() -> None:
    latin = foresee("a" * 400, [], used=0, context=10_000, answer=9).taken
    kanji = foresee("字" * 400, [], used=0, context=10_000, answer=9).taken
    assert 2.5 < (kanji * 10_000 - AROUND) / (latin * 10_000 - AROUND) < 3.5


@given(
    st.text(max_size=50),
    st.lists(st.integers(8, 500), max_size=8),
    st.integers(0, 3000),
    st.integers(64, 4096),
    st.integers(1, 2000),
)
def test_shares_are_shares_and_no_more_is_dropped_than_there_is(
    text: str, sizes: list[int], used: int, context: int, answer: int
) -> None:
    turns = [turn(size) for size in sizes]
    found = foresee(text, turns, used=used, context=context, answer=answer)
    assert 0.0 <= found.taken <= 1.0
    assert 0.0 <= found.left <= 1.0
    assert 0 <= found.dropped <= 2 * len(turns)
    longer = foresee(text + "x" * 99, turns, used=used, context=context, answer=answer)
    assert longer.dropped >= found.dropped


# In the window ------------------------------------------------------------------------------


def ahead(status: StatusLine) -> str:
    return status._context.text()


def test_it_is_said_while_one_types_and_gone_when_it_is_sent(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    status, field = window.status, editor(window)
    usual = ahead(status)
    assert usual == "0 % of context"
    field.setPlainText("Short?")
    field.setPlainText("word " * (CONTEXT // 5))
    qtbot.waitUntil(lambda: ahead(status) == "leaves about 75 % of the room")
    assert "leaves about 75 %" in status._context.accessibleDescription()
    assert not status._state.isVisible(), "there is room for one of them"
    field.setPlainText("word " * CONTEXT)
    qtbot.waitUntil(lambda: ahead(status) == "too long for the model")
    field.clear()
    qtbot.waitUntil(lambda: ahead(status) == usual)
    assert "are in use" in status._context.accessibleDescription()
    assert status._state.isVisible()


def test_a_short_question_is_not_worth_a_word(qtbot: QtBot, window: Window) -> None:
    editor(window).setPlainText("Short?")
    qtbot.wait(300)
    assert ahead(window.status) == "0 % of context"


def test_what_will_be_left_out_is_said_before_it_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.scripts.append(says("an answer " * 1200))
    for text in ("First?", "Second?"):
        ask(qtbot, window, text)
        settle(qtbot, window)
    window._desk.asking.used = CONTEXT - 300
    editor(window).setPlainText("word " * 300)
    qtbot.waitUntil(lambda: ahead(window.status).startswith("drops the oldest "))
    assert "They stay here for you" in window.status._context.accessibleDescription()
