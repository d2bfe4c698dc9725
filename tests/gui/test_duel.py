"""Two answers: seen, voted on, taken back; nothing lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop.pair import Pair
from desktop.views.pair import PairView
from desktop.views.turn import TurnView
from desktop.views.window import Window
from engine.api import NEUTRAL, AttuneError, Chunk, Duel, DuelEvent, Question, StorageError
from engine.errors import AlreadyVoted
from tests.gui.conftest import lanes
from tests.gui.scripted_engine import (
    WHY,
    DuelScript,
    ScriptedEngine,
    endless_pair,
    pair,
    says,
    started,
)
from tests.gui.scripted_record import SHORT, Held, told
from tests.gui.test_chat import ask, editor, settle, shown, views

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def view(window: Window, number: int = -1) -> PairView:
    found = views(window)[number].pair
    assert isinstance(found, PairView)
    return found


def model(window: Window, number: int = -1) -> Pair:
    found = views(window)[number].turn.pair
    assert found is not None
    return found


def said(turn: TurnView) -> str:
    return turn._said.text if turn._said.isVisible() else ""


def button(turn: TurnView) -> QPushButton:
    return turn._said._button


def press(qtbot: QtBot, turn: TurnView) -> None:
    """Undo, or vote after all; it waits until a double click is over."""
    qtbot.waitUntil(button(turn).isEnabled)
    qtbot.mouseClick(button(turn), Qt.MouseButton.LeftButton)


def duel(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    script: DuelScript | None = None,
    *,
    question: str = "How?",
) -> PairView:
    """Ask, and wait until the two answers have ended."""
    engine.change(duel_every=1)
    engine.duels.append(script or pair("the first", "the second"))
    ask(qtbot, window, question)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: model(window).stage != "writing" and window.page._stale == set())
    return view(window)


def cut_at_length(
    engine: ScriptedEngine, question: Question, *, which: int = 1
) -> Iterator[DuelEvent]:
    """Answer `which` would have gone on."""
    *events, ended = pair("Briefly, and in", "To begin with the")(engine, question)
    assert isinstance(ended, Duel)
    first, second = (
        replace(answer, finish="length") if number == which else answer
        for number, answer in enumerate(ended.answers)
    )
    yield from events
    yield replace(ended, answers=(first, second))


def voted(qtbot: QtBot, window: Window, number: int = -1) -> TurnView:
    qtbot.waitUntil(lambda: model(window, number).stage == "voted")
    qtbot.waitUntil(lambda: window.page._stale == set())
    return views(window)[number]


def test_a_whole_duel_by_keys_only(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is editor(window))
    duel(qtbot, window, engine)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_2, CTRL)
    turn = voted(qtbot, window)
    assert engine.record.counted() == {"duel-1": "second"}
    assert turn.turn.text == "the second"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: model(window).open)
    assert engine.record.counted() == {}
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_9, CTRL | SHIFT)
    voted(qtbot, window)
    assert engine.record.counted() == {"duel-1": "neither"}
    assert turn.turn.text == "the first"


@pytest.mark.parametrize(
    ("key", "modifiers", "outcome"),
    [
        (Qt.Key.Key_1, CTRL, "first"),
        (Qt.Key.Key_2, CTRL, "second"),
        (Qt.Key.Key_9, CTRL, "equal"),
        (Qt.Key.Key_9, CTRL | SHIFT, "neither"),
    ],
)
def test_every_outcome_has_its_key(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier,
    outcome: str,
) -> None:
    duel(qtbot, window, engine)
    qtbot.keyClick(editor(window), key, modifiers)
    voted(qtbot, window)
    assert engine.record.counted() == {"duel-1": outcome}


def test_both_answers_stream_and_look_alike_until_they_are_voted_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    gate = threading.Event()

    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        yield started()
        yield Chunk(text="**one**", tokens=1)
        yield Chunk(text="two", tokens=1, answer=1)
        gate.wait(10)
        yield engine.held(question, "**one**", "two", verdict="open")

    engine.change(duel_every=1)
    engine.duels.append(script)
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: views(window)[0].pair is not None)
    sides = view(window).sides
    qtbot.waitUntil(lambda: sides[1].reader.toPlainText() == "two")
    assert sides[0].reader.toPlainText() == "one"
    assert [side.button.isEnabled() for side in sides] == [False, False]
    assert [side.button.text() for side in sides] == ["A is better", "B is better"]
    assert not any(action.isEnabled() for action in window.menus.votes)
    assert view(window)._why.text() == f"Why two? {WHY}"
    gate.set()
    settle(qtbot, window)
    qtbot.waitUntil(sides[0].button.isEnabled)
    assert sides[1].button.isEnabled()
    assert abs(sides[0].width() - sides[1].width()) <= 1
    assert sides[0].height() == sides[1].height()


def test_the_winner_stays_and_the_loser_folds_to_a_line_that_opens(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    two = duel(qtbot, window, engine)
    qtbot.mouseClick(two.sides[1].button, Qt.MouseButton.LeftButton)
    turn = voted(qtbot, window)
    assert not two.isVisible()
    assert turn._answer.toPlainText() == "the second"
    assert turn._answer.accessibleName() == "Answer B"
    fold = turn.fold
    assert fold is not None
    assert fold._line.text() == "Answer A, not chosen — show"
    assert not fold.reader.isVisible()
    qtbot.mouseClick(fold._line, Qt.MouseButton.LeftButton)
    assert fold.reader.isVisible()
    assert fold.reader.toPlainText() == "the first"
    assert fold._line.accessibleName() == "Answer A, not chosen — hide"


def test_the_chat_goes_on_with_the_chosen_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[1].trigger()
    ask(qtbot, window, "And then?")  # the vote may still be on its way
    settle(qtbot, window)
    texts = [message.text for message in engine.questions[1].messages]
    assert texts == ["How?", "the second", "And then?"]


def test_the_vote_says_what_it_did_and_undo_puts_everything_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    two = duel(qtbot, window, engine)
    two.sides[0].button.click()
    turn = voted(qtbot, window)
    assert said(turn) == "✓ Shorter answers: 50% → 69% sure."
    assert button(turn).accessibleName() == "Undo the vote"
    press(qtbot, turn)
    qtbot.waitUntil(lambda: model(window).open and two.isVisible())
    assert engine.record.calls[-1] == "undo"
    assert "taken back" in said(turn)
    assert not button(turn).isVisible()
    qtbot.waitUntil(two.sides[0].button.isEnabled)
    two.sides[1].button.click()
    voted(qtbot, window)
    assert engine.record.counted() == {"duel-1": "second"}


def test_a_double_click_on_a_vote_does_not_undo_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    turn = voted(qtbot, window)
    assert button(turn).isVisible()
    qtbot.mouseClick(button(turn), Qt.MouseButton.LeftButton)
    assert engine.record.calls == ["vote"]


def test_only_the_newest_vote_offers_undo(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    for number in range(2):
        duel(qtbot, window, engine, question=f"Q{number}")
        window.menus.votes[0].trigger()
        voted(qtbot, window)
    first, second = views(window)
    assert not button(first).isVisible()
    assert button(second).isVisible()
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: model(window, 1).open)
    qtbot.waitUntil(lambda: button(first).isVisible())


def test_two_fast_clicks_are_one_vote(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    two = duel(qtbot, window, engine)
    for _ in range(2):
        qtbot.mouseClick(two.sides[0].button, Qt.MouseButton.LeftButton)
    two.sides[1].button.click()
    window.menus.votes[1].trigger()
    voted(qtbot, window)
    assert engine.record.calls == ["vote"]
    assert engine.record.counted() == {"duel-1": "first"}


def test_the_button_that_was_pressed_does_not_hand_the_keyboard_to_its_neighbour(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    window.activateWindow()
    two = duel(qtbot, window, engine)
    two.sides[0].button.setFocus()
    qtbot.keyClick(two.sides[0].button, Qt.Key.Key_Space)
    assert window.focusWidget() is editor(window)
    voted(qtbot, window)
    assert window.focusWidget() is editor(window)


@pytest.mark.parametrize(
    "error",
    [
        AlreadyVoted("Duel 'duel-1' has a vote already."),
        StorageError("The record could not be written: the disk is full."),
    ],
)
def test_a_vote_that_is_refused_says_why_and_can_be_given_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, error: AttuneError
) -> None:
    two = duel(qtbot, window, engine)
    engine.record.error = error
    two.sides[0].button.click()
    qtbot.waitUntil(lambda: said(views(window)[0]) == error.message)
    assert two.isVisible()
    assert [side.reader.toPlainText() for side in two.sides] == ["the first", "the second"]
    qtbot.waitUntil(two.sides[0].button.isEnabled)
    two.sides[0].button.click()
    voted(qtbot, window)


def test_a_vote_counts_even_if_the_record_cannot_be_read_afterwards(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> tuple[object, ...]:
        raise StorageError("The record cannot be read.")

    duel(qtbot, window, engine)
    monkeypatch.setattr(engine.record, "past_votes", broken)
    window.menus.votes[0].trigger()
    turn = voted(qtbot, window)
    assert said(turn).startswith("✓")
    learning = window._desk.learning
    learning.changed.emit()
    assert model(window).stage == "voted", "the list of votes is older than the vote"
    monkeypatch.undo()
    engine.record.delete_vote("duel-1")
    learning.fetch()
    qtbot.waitUntil(lambda: model(window).open)


def test_a_vote_that_was_given_elsewhere_is_followed_when_this_one_is_refused(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    engine.record.vote("duel-1", "second")
    window.menus.votes[0].trigger()
    turn = voted(qtbot, window)
    assert model(window).outcome == "second"
    assert turn.turn.text == "the second"


def test_undo_under_a_pair_takes_back_no_vote_that_was_given_elsewhere(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    turn = voted(qtbot, window)
    engine.record.duels["elsewhere"] = Held(id="elsewhere", trait="lists")
    engine.record.vote("elsewhere", "second")
    press(qtbot, turn)
    qtbot.waitUntil(lambda: "was not taken back" in shown(window))
    assert engine.record.counted() == {"duel-1": "first", "elsewhere": "second"}
    qtbot.waitUntil(lambda: not button(turn).isVisible())
    assert model(window).stage == "voted"
    window.menus.undo.trigger()  # which takes back whatever is the newest
    qtbot.waitUntil(lambda: button(turn).isVisible())
    assert engine.record.counted() == {"duel-1": "first"}


def test_asking_on_without_a_vote_is_a_skip(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    ask(qtbot, window, "Next")
    settle(qtbot, window)
    assert [message.text for message in engine.questions[1].messages] == [
        "How?", "the first", "Next",
    ]  # fmt: skip
    first = views(window)[0]
    qtbot.waitUntil(lambda: first._answer.isVisible())
    assert "Skipped" in said(first)
    assert first.fold is not None
    assert first.fold._line.text() == "Answer B — show"
    assert engine.record.calls == []


def test_what_was_skipped_can_be_voted_on_after_all(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    two = duel(qtbot, window, engine)
    two.skip.click()
    turn = views(window)[0]
    qtbot.waitUntil(lambda: button(turn).isVisible())
    assert button(turn).text() == "Vote after all"
    press(qtbot, turn)
    qtbot.waitUntil(two.sides[1].button.isEnabled)
    two.sides[1].button.click()
    assert voted(qtbot, window).turn.text == "the second"


def test_answers_that_came_out_alike_are_one_and_a_quiet_line(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    two = duel(qtbot, window, engine, pair("the same", "the same!", verdict="same"))
    turn = views(window)[0]
    qtbot.waitUntil(lambda: turn._answer.isVisible())
    assert not two.isVisible()
    assert turn._answer.toPlainText() == "the same"
    assert "nothing to compare" in said(turn)
    assert turn.fold is None
    assert not any(action.isEnabled() for action in window.menus.votes)


def test_stop_keeps_both_texts_and_asks_for_no_vote(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(endless_pair("one ", "two "))
    ask(qtbot, window, "Forever")
    qtbot.waitUntil(lambda: bool(views(window)) and views(window)[0].pair is not None)
    qtbot.waitUntil(lambda: "two" in view(window).sides[1].reader.toPlainText())
    qtbot.keyClick(editor(window), Qt.Key.Key_Escape)
    settle(qtbot, window)
    turn = views(window)[0]
    qtbot.waitUntil(lambda: "nothing to vote on" in said(turn))
    assert [side.reader.toPlainText().strip() for side in view(window).sides] == ["one", "two"]
    assert not view(window).sides[0].button.isVisible()
    assert not view(window)._words.isVisible()
    assert [side.end.text() for side in view(window).sides] == ["Stopped."] * 2
    assert "Stopped." not in shown(window)  # not a third time


def test_a_fault_in_a_duel_keeps_both_texts(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def script(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        yield started()
        yield Chunk(text="one", tokens=1)
        yield Chunk(text="two", tokens=1, answer=1)
        raise StorageError("The disk is full.")

    two = duel(qtbot, window, engine, script)
    assert model(window).stage == "cut"
    qtbot.waitUntil(lambda: "The disk is full." in shown(window))
    assert [side.reader.toPlainText() for side in two.sides] == ["one", "two"]


def test_a_new_chat_while_a_duel_streams_is_clean(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(endless_pair())
    ask(qtbot, window, "Old")
    qtbot.waitUntil(lambda: bool(views(window)) and views(window)[0].pair is not None)
    window.menus.new_chat.trigger()
    assert views(window) == []
    engine.change(duel_every=0)
    ask(qtbot, window, "New")
    assert settle(qtbot, window).text == "Yes."


def test_closing_while_a_duel_streams_is_clean(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(endless_pair())
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: bool(views(window)) and views(window)[0].pair is not None)
    window.close()
    assert not lanes()


def test_a_vote_just_before_closing_is_saved(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    window.close()
    assert engine.record.counted() == {"duel-1": "first"}


def test_two_answers_stack_where_it_is_narrow(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    window.resize(1100, 800)
    two = duel(qtbot, window, engine)
    a, b = two.sides
    qtbot.waitUntil(lambda: a.y() == b.y() and a.x() < b.x())
    assert not two.stacked
    window.resize(560, 800)
    qtbot.waitUntil(lambda: a.y() < b.y() and a.x() == b.x())
    assert two.stacked
    assert a.width() == b.width()


def test_neutral_asks_for_one_answer_of_the_untouched_model(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=1)
    engine.duels.append(pair("a", "b"))
    window.menus.neutral.trigger()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert views(window)[0].pair is None
    assert engine.questions[0].steering == NEUTRAL
    assert not engine.questions[0].personal
    window.menus.neutral.trigger()
    window.menus.regenerate.trigger()
    settle(qtbot, window)
    assert engine.questions[1].personal
    assert views(window)[0].turn.pair is not None


def test_both_ready_and_the_vote_are_announced(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def hear(event: object) -> None:
        heard.append(event.message())  # type: ignore[attr-defined]

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    duel(qtbot, window, engine)
    assert heard == [
        "Both answers are ready. F7 says A, F8 says B; Ctrl+1 if A is better, Ctrl+2 if B is."
    ]
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    assert heard[-1] == "Shorter answers: 50% → 69% sure."
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: heard[-1] == "Taken back: the vote on short.")


def test_what_was_learned_is_named_under_the_answer_it_acted_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.given = (
        told(SHORT, weight=0.5, low=0.1, high=0.9, sure=0.9, theta=1.2),
        told(engine.record.traits["lists"], weight=-0.3, low=-0.8, high=0.2, sure=0.2, theta=-0.7),
        told(engine.record.traits["formal"], weight=0, low=-0.8, high=0.8, sure=0.5),
    )
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "Learned: shorter answers, flowing paragraphs" in shown(window))
    assert window.steering._neutral.isVisible()
    window.menus.neutral.trigger()
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).learned == ()


def test_an_unreadable_record_costs_no_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.record.broken = StorageError("The record is damaged.")
    engine.scripts.append(says("Still."))
    ask(qtbot, window, "Q")
    assert settle(qtbot, window).text == "Still."


def test_undo_in_a_question_being_typed_takes_back_the_typing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    duel(qtbot, window, engine)
    window.menus.votes[0].trigger()
    voted(qtbot, window)
    qtbot.keyClicks(editor(window), "half a w")
    qtbot.keyClick(editor(window), Qt.Key.Key_Z, CTRL)
    assert editor(window).toPlainText() == ""
    assert engine.record.counted() == {"duel-1": "first"}


def test_a_refused_duel_gives_the_question_back(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def refuse(engine: ScriptedEngine, question: Question) -> Iterator[DuelEvent]:
        raise AttuneError("No trait is left to compare.")
        yield

    engine.change(duel_every=1)
    engine.duels.append(refuse)
    ask(qtbot, window, "Q")
    qtbot.waitUntil(lambda: not window._desk.asking.busy)
    assert editor(window).toPlainText() == "Q"
    assert views(window) == []


def test_an_answer_that_was_cut_at_the_limit_says_so_beneath_it(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    whole, cut = duel(qtbot, window, engine, cut_at_length).sides
    assert not whole.end.isVisible()
    assert cut.end.isVisible()
    assert cut.end.text() == "Ended at the longest answer allowed."
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_2, CTRL)
    turn = voted(qtbot, window)
    assert turn._state.text().startswith(cut.end.text())


def test_below_a_pair_nothing_says_again_how_one_of_them_ended(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    cut, whole = duel(qtbot, window, engine, partial(cut_at_length, which=0)).sides
    assert cut.end.isVisible()
    assert not whole.end.isVisible()
    assert "Ended at" not in shown(window)


def test_the_chosen_answer_is_kept_before_the_vote_so_that_no_end_parts_them(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    duel(qtbot, window, engine)
    done: list[str] = []
    choose, vote = engine.chats.choose, engine.learning.vote

    def choosing(message: str) -> object:
        done.append("chosen")
        return choose(message)

    def voting(*given: object, **named: object) -> object:
        done.append("voted")
        return vote(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.chats, "choose", choosing)
    monkeypatch.setattr(engine.learning, "vote", voting)
    qtbot.mouseClick(view(window).sides[1].button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model(window).stage == "voted")
    assert done == ["chosen", "voted"]


def test_a_vote_that_is_refused_leaves_the_chat_with_the_first_answer(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    duel(qtbot, window, engine)
    chosen: list[str] = []
    choose = engine.chats.choose

    def choosing(message: str) -> object:
        chosen.append(message)
        return choose(message)

    def refuse(*_: object, **__: object) -> object:
        raise StorageError("The disk is full. Nothing was saved.")

    monkeypatch.setattr(engine.chats, "choose", choosing)
    monkeypatch.setattr(engine.learning, "vote", refuse)
    qtbot.mouseClick(view(window).sides[1].button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(chosen) == 2)
    first, second = views(window)[-1].turn.kept.answers
    assert chosen == [second, first]
