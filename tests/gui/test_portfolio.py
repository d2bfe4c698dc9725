"""The portfolio: its page, who answers next, and the build that runs beside the chat."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPolygonF
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from desktop import portfolio as words
from desktop.bridge import ENGINE
from desktop.building import BUILD
from desktop.chats import CHATS
from desktop.simplex import areas
from desktop.views.pool import preferences
from desktop.views.portfolio import PortfolioPage
from desktop.views.window import Window
from desktop.widgets.member_list import MemberRow
from engine.api import (
    MAX_MEMBERS,
    AttuneError,
    LeftOut,
    Notice,
    Pool,
    Portfolio,
    Progress,
    StorageError,
)
from tests.gui.conftest import Open, lanes
from tests.gui.scripted_engine import OTHER, STARTER, ScriptedEngine, endless
from tests.gui.scripted_portfolio import (
    BRIEF,
    LARGE,
    PLAIN,
    WARM,
    measures,
    portfolio,
    waits,
)
from tests.gui.test_chat import ask, editor, settle, shown
from tests.gui.test_duel import duel, voted
from tests.gui.test_steering import add
from tests.gui.test_window import INTERACTIVE, contrast, dark

NEEDS = "It needs 6.1 GB of memory, and 3.9 GB are free."


def plain(text: str) -> str:
    return text.replace(words.NO_BREAK, " ")


def page_of(window: Window) -> PortfolioPage:
    page = window.places.portfolio
    assert page is not None
    return page


def opened(qtbot: QtBot, window: Window) -> PortfolioPage:
    """The page, with everything in it."""
    window.activateWindow()
    qtbot.keyClick(editor(window), Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    page = page_of(window)
    qtbot.waitUntil(lambda: window._desk.choosing.known and not page._entering)
    return page


def drawn(qtbot: QtBot, page: PortfolioPage) -> QWidget:
    picture = page.weights.picture
    qtbot.waitUntil(lambda: picture._plot is not None, timeout=15_000)
    assert picture._plot is not None
    return picture._plot


def told(row: MemberRow) -> tuple[str, str]:
    return row.name.text(), plain(row.told.text())


def did(qtbot: QtBot, page: PortfolioPage, part: str) -> None:
    qtbot.waitUntil(lambda: page.said.isVisible() and part in page.said.text)


@pytest.fixture
def built(engine: ScriptedEngine) -> ScriptedEngine:
    """Something was built, and Attune chooses."""
    engine.offer.built = portfolio()
    engine.offer.measured = 10_000
    engine.change(routing=True)
    return engine


@pytest.fixture
def routed(qtbot: QtBot, built: ScriptedEngine, open_window: Open) -> Window:
    """A window that was opened with a portfolio."""
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(window.next.isVisible)
    return window


# Before anything is measured ----------------------------------------------------------------


def test_with_nothing_measured_it_says_what_it_will_do_and_offers_one_thing(
    qtbot: QtBot, window: Window
) -> None:
    page = opened(qtbot, window)
    assert page.headline == "Portfolio Nothing is measured yet."
    assert "nearly the best for every taste" in page._teach.text()
    assert page.contents.text() == "3 models, 4 settings, 160 answers."
    assert page.measure.text() == "Measure my models"
    assert window.focusWidget() is page.measure
    for hidden in (page._built, page.building, page.left_out, page.pool, page.said):
        assert not hidden.isVisible()


def test_a_pool_that_cannot_be_read_says_why(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.broken = StorageError("The measurements are damaged.")
    window.menus.portfolio.trigger()
    page = page_of(window)
    qtbot.waitUntil(lambda: page.headline == "Portfolio The measurements are damaged.")
    assert not page.measure.isVisible()
    engine.offer.broken = None
    window.menus.portfolio.trigger()
    qtbot.waitUntil(page.measure.isVisible)


# A build ------------------------------------------------------------------------------------


def test_a_build_tells_how_long_it_takes_while_the_chat_goes_on(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.steps = waits(done=412, total=1296, left=540.0)
    page = opened(qtbot, window)
    page.measure.click()
    line = page.building
    qtbot.waitUntil(lambda: plain(line.words.text()) == "32 %, about 9 minutes left")
    assert line.bar.value() == 318
    assert line.doing.text() == "Measuring your models"
    assert not page.measure.isVisible()
    assert plain(window.sidebar._share.text()) == "32 %"
    window.menus.chat.trigger()
    ask(qtbot, window, "Still there?")
    assert settle(qtbot, window).text == "Yes."
    assert window._desk.building.busy
    assert engine.offer.threads.isdisjoint(engine.threads)
    line.cancel.click()
    qtbot.waitUntil(lambda: not window._desk.building.busy)
    assert window.sidebar._share.text() == ""


def test_a_cancelled_build_keeps_what_is_measured_and_goes_on_there(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.steps = waits(done=60, total=160)
    page = opened(qtbot, window)
    qtbot.keyClick(page.measure, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.building.bar.value() > 0)
    assert window.focusWidget() is page.building.cancel
    qtbot.keyClick(page.building.cancel, Qt.Key.Key_Space)
    did(qtbot, page, "What was measured is kept.")
    qtbot.waitUntil(lambda: page.measure.text() == "Go on measuring")
    assert not page.building.isVisible()
    assert page.contents.text().endswith("160 answers, of which 60 are there already.")
    assert window.focusWidget() is page, "a second press of the key begins nothing"


def test_a_cancel_that_comes_before_the_engine_listens_is_said_again(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.steps = waits()
    page = opened(qtbot, window)
    page.measure.click()
    page.building.cancel.click()
    assert page.building.words.text() == "Ending …"
    assert not page.building.cancel.isEnabled()
    qtbot.waitUntil(lambda: not window._desk.building.busy)


def test_a_build_comes_to_its_end_on_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    heard: list[str] = []
    page.told.connect(heard.append)
    page.measure.click()
    did(qtbot, page, "Your models are measured. Of 3 settings measured, 3 are worth keeping.")
    qtbot.waitUntil(lambda: page.measure.isVisible())
    assert heard[0] == "Measuring has begun."
    assert page.headline == "Portfolio Of 3 settings measured, 3 are worth keeping."
    assert page._built.isVisible()
    assert page.measure.text() == "Measure again"
    assert "measured" not in shown(window)


def test_a_build_that_ends_while_one_chats_is_told_there(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    gate = threading.Event()

    def steps(self: object) -> object:
        gate.wait(10)
        yield portfolio()

    engine.offer.steps = steps  # type: ignore[assignment]
    opened(qtbot, window).measure.click()
    window.menus.chat.trigger()
    gate.set()
    qtbot.waitUntil(lambda: "Your models are measured." in shown(window))


def test_what_was_built_before_stays_in_sight_while_it_is_built_again(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    built.offer.steps = waits()
    page = opened(qtbot, routed)
    page.measure.click()
    qtbot.waitUntil(page.building.isVisible)
    assert page._built.isVisible()
    assert len(page.members.rows) == 3
    assert not page.pool.list.isEnabled()
    page.building.cancel.click()
    qtbot.waitUntil(page.pool.list.isEnabled)
    assert page.members.isVisible()


@pytest.mark.parametrize("place", ["page", "chat"])
def test_a_build_that_fails_says_why_where_the_owner_is(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, place: str
) -> None:
    page = opened(qtbot, window)
    engine.offer.error = AttuneError("The pool is empty.")
    if place == "chat":
        window.menus.chat.trigger()
        window._desk.building.begin()
        qtbot.waitUntil(lambda: "The pool is empty." in shown(window))
    else:
        page.measure.click()
        did(qtbot, page, "The pool is empty.")
        qtbot.waitUntil(page.measure.isVisible)
    assert not window._desk.building.busy


def test_what_happens_meanwhile_is_said(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    def steps(self: object) -> object:
        yield Notice(code="damaged", text="Lost & found 7B is left out: it is damaged.")

    engine.offer.steps = steps  # type: ignore[assignment]
    page = opened(qtbot, window)
    page.measure.click()
    did(qtbot, page, "it is damaged")


@pytest.mark.parametrize("answering", [False, True])
def test_closing_while_building_leaves_no_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, answering: bool
) -> None:
    engine.offer.steps = waits()
    page = opened(qtbot, window)
    page.measure.click()
    qtbot.waitUntil(lambda: page.building.bar.value() > 0)
    assert {thread.name for thread in lanes()} == {ENGINE, CHATS, BUILD}
    if answering:
        window.menus.chat.trigger()
        engine.scripts.append(endless("still "))
        ask(qtbot, window, "Forever")
        qtbot.waitUntil(lambda: "still" in shown(window))
    window.close()
    assert lanes() == []
    assert engine.closed == 1
    assert engine.offer.stopped.is_set()


def test_closing_right_after_it_began_leaves_no_thread(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.steps = waits()
    opened(qtbot, window).measure.click()
    window.close()
    assert lanes() == []


def test_a_window_that_never_built_has_no_second_thread(window: Window) -> None:
    assert {thread.name for thread in lanes()} == {ENGINE, CHATS}


# Who answers next ---------------------------------------------------------------------------


def test_the_pick_and_its_reason_stand_beside_the_question_before_it_is_asked(
    routed: Window, built: ScriptedEngine
) -> None:
    assert routed.next.label.text() == (
        "Answers next: Qwen2.5 Coder 0.5B, concise — because you like shorter answers."
    )
    assert routed.next.label.accessibleName() == routed.next.label.text()
    assert not built.questions


def test_without_automatic_choice_there_is_no_line_and_nothing_is_asked(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.broken = AttuneError("Nobody asked.")
    engine.offer.built = portfolio()
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert not window.next.isVisible()
    assert window._desk.choosing.trouble == ""
    assert engine.loaded == [None]


def test_the_switch_lets_attune_choose_and_it_is_remembered(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.built = portfolio()
    page = opened(qtbot, window)
    assert page._pick.text() == "Suits you best"
    assert page.why.text() == (
        "Because you like shorter answers. Now you choose the model and the preferences yourself."
    )
    assert window.focusWidget() is page.chooser
    assert not any(row.use.isVisible() or row.state.isVisible() for row in page.members.rows)
    qtbot.keyClick(page.chooser, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine.settings.routing)
    qtbot.waitUntil(lambda: page._pick.text() == "Answers next")
    assert page.next.text() == "Qwen2.5 Coder 0.5B, concise"
    assert page.why.text() == "Because you like shorter answers."
    window.menus.chat.trigger()
    assert window.next.isVisible()


def test_a_switch_that_cannot_be_saved_shows_the_truth(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.built = portfolio()
    page = opened(qtbot, window)
    engine.change_error = AttuneError("The disk is full.")
    page.chooser.click()
    did(qtbot, page, "The disk is full.")
    assert not page.chooser.isChecked()
    engine.change_error = None


def test_members_say_what_they_are_best_at_and_the_certificate_is_in_words(
    qtbot: QtBot, routed: Window
) -> None:
    page = opened(qtbot, routed)
    assert [told(row) for row in page.members.rows] == [
        (BRIEF.name, "Best at shorter answers  ·  serves 60 % of all tastes"),
        (WARM.name, "Best at a warm tone  ·  serves 20 % of all tastes"),
        (PLAIN.name, "Best at simple words  ·  serves 20 % of all tastes"),
    ]
    assert [row.state.isVisible() for row in page.members.rows] == [True, False, False]
    assert [row.use.isVisible() for row in page.members.rows] == [False, True, True]
    assert page.members.rows[1].use.accessibleName() == f"Use {WARM.name}"
    assert "at least 96 % of the best of the 3 settings measured (93 to 98 %" in page.proof.text()
    assert "24 questions" in page.proof.text()
    assert page.worst.text() == (
        "Worst served: someone who wants shorter answers (50 %) and simple words (50 %); "
        "4 % short of the best."
    )
    everything = page.proof.text() + page.worst.text() + page.why.text()
    assert not set("εδθγ") & set(everything)


def test_another_member_is_one_click_and_counts_until_undone(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    use = page.members.rows[1].use
    use.setFocus()
    qtbot.keyClick(use, Qt.Key.Key_Space)
    did(qtbot, page, f"{WARM.name} answers next. Attune learns from your choice.")
    assert built.offer.taken == WARM.id
    assert page.next.text() == WARM.name
    assert page.why.text() == "Because you took it."
    assert page.members.rows[0].use.isVisible()
    assert routed.focusWidget() is page.members, "a second press takes no other one"
    assert page.said._button.text() == "Undo"
    assert routed.next.label.text().startswith(f"Answers next: {WARM.name}")


def test_an_override_that_is_refused_says_why(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    built.offer.error = AttuneError("It does not fit any more.")
    page.members.rows[1].use.click()
    did(qtbot, page, "It does not fit any more.")
    assert page.next.text() == BRIEF.name


def test_another_one_is_taken_in_the_chat_by_keyboard(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    names = [action.text() for action in routed.next.menu.actions()]
    assert names == ["SmolLM2 135M, warm && simple", "SmolLM2 135M"]
    assert routed.menus.another.isEnabled()
    routed.next.menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: routed.next.label.text().startswith("Answers next: SmolLM2 135M —"))
    assert built.offer.taken == PLAIN.id
    assert "Attune learns" not in shown(routed), "the line says it"


def test_a_member_that_does_not_fit_is_never_offered_and_says_why(
    qtbot: QtBot, built: ScriptedEngine, open_window: Open
) -> None:
    made = portfolio(members=(LARGE, BRIEF, WARM))
    members = (replace(made.members[0], fits=False, reason=NEEDS), *made.members[1:])
    built.offer.built = replace(made, members=members)
    built.offer.refused = (LeftOut(candidate=LARGE, reason=NEEDS),)
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(window.next.isVisible)
    entries = {action.text(): action.isEnabled() for action in window.next.menu.actions()}
    assert entries == {
        "SmolLM2 135M, warm && simple": True,
        f"Lost && found 7B: {NEEDS}": False,
    }
    page = opened(qtbot, window)
    large = page.members.rows[0]
    assert large.trouble.text() == f"Not now: {NEEDS}"
    assert not large.use.isVisible()
    assert NEEDS in large.accessibleName()
    assert page.next.text() == BRIEF.name


def test_where_no_member_can_be_had_it_says_so(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    every = (BRIEF, WARM, PLAIN)
    built.offer.refused = tuple(LeftOut(candidate=c, reason=NEEDS) for c in every)
    page = opened(qtbot, routed)
    assert page.why.text() == "None of these settings can be had now."
    assert not page.next.isVisible()
    assert not routed.next.isVisibleTo(routed)
    assert not routed.menus.another.isEnabled()


def test_the_model_of_the_pick_is_loaded_first_in_the_usual_way(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    assert routed.status._model.text() == OTHER.name, "that of the pick, from the start"
    routed.next.menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: built.offer.taken == PLAIN.id)
    qtbot.waitUntil(lambda: routed.next.label.text().startswith(f"Answers next: {PLAIN.name} —"))
    built.may_load.clear()
    ask(qtbot, routed, "Who are you?")
    qtbot.waitUntil(lambda: "loading" in routed.status._state.text())
    built.may_load.set()
    assert settle(qtbot, routed).text == "Yes."
    assert routed.status._model.text() == STARTER.name
    assert built.settings.model == "", "what the owner chose is left alone"
    ask(qtbot, routed, "And now?")
    settle(qtbot, routed)
    assert len(built.loaded) == 2


def test_a_model_that_the_owner_chooses_ends_the_automatic_choice(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    routed._desk.choose(STARTER.id)
    qtbot.waitUntil(lambda: not built.settings.routing)
    qtbot.waitUntil(lambda: not routed.next.isVisible())
    assert "You chose a model, so Attune no longer chooses for you." in shown(routed)
    ask(qtbot, routed, "Q")
    settle(qtbot, routed)
    assert routed.status._model.text() == STARTER.name


def test_a_model_that_was_named_for_this_run_answers(
    qtbot: QtBot, built: ScriptedEngine, open_window: Open
) -> None:
    window = open_window()
    window._desk.loading._wish = STARTER.id
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    ask(qtbot, window, "Q")
    settle(qtbot, window)
    assert built.loaded == [STARTER.id]
    assert not window.next.isVisible()


def test_neutral_rests_the_choice_and_says_so(qtbot: QtBot, routed: Window) -> None:
    page = opened(qtbot, routed)
    routed.menus.neutral.trigger()
    assert page.why.text().endswith("Neutral is on, so the untouched model answers.")
    assert page._pick.text() == "Suits you best"
    assert not routed.menus.another.isEnabled()
    routed.menus.chat.trigger()
    assert not routed.next.isVisible()
    routed.menus.neutral.trigger()
    assert routed.next.isVisible()


def test_preferences_of_ones_own_come_before_the_members(qtbot: QtBot, routed: Window) -> None:
    add(qtbot, routed, "formal")
    assert routed.next.label.text().endswith("Your own preferences act instead of its.")


def test_the_line_follows_the_votes(qtbot: QtBot, routed: Window, built: ScriptedEngine) -> None:
    duel(qtbot, routed, built)
    built.offer.why = "you like a warm tone"
    routed.menus.votes[0].trigger()
    voted(qtbot, routed)
    qtbot.waitUntil(lambda: "because you like a warm tone" in routed.next.label.text())


def test_a_route_that_cannot_be_read_hides_the_line_and_answers_go_on(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    built.offer.broken = StorageError("The measurements are damaged.")
    ask(qtbot, routed, "Q")
    assert settle(qtbot, routed).text == "Yes."
    qtbot.waitUntil(lambda: not routed.next.isVisible())


# Tastes -------------------------------------------------------------------------------------


def test_the_triangle_has_an_area_per_member_and_the_owner_in_it(
    qtbot: QtBot, routed: Window
) -> None:
    page = opened(qtbot, routed)
    plot = drawn(qtbot, page)
    import pyqtgraph
    from PySide6.QtWidgets import QGraphicsPolygonItem

    items = plot.getViewBox().allChildItems()  # type: ignore[attr-defined]
    polygons = [i.polygon() for i in items if isinstance(i, QGraphicsPolygonItem)]
    made = portfolio()
    wanted = [area for area in areas(made.rewards, (0.0, 0.0, 0.0)) if area]
    assert [polygon.count() for polygon in polygons] == [len(area) for area in wanted]
    assert sum(map(extent, polygons)) == pytest.approx(3**0.5 / 4)
    rings = [i for i in items if isinstance(i, pyqtgraph.ScatterPlotItem)]
    spots = {
        (round(float(i.getData()[0][0]), 3), round(float(i.getData()[1][0]), 3)) for i in rings
    }
    assert (0.5, round(0.6 * 3**0.5 / 2, 3)) in spots, "60 % of the first, 20 % of each other"
    texts = [i.toPlainText() for i in items if isinstance(i, pyqtgraph.TextItem)]
    assert sorted(texts) == sorted(
        ["1", "2", "3", "shorter answers", "simple words", "a warm tone", "you"]
    )


def extent(polygon: QPolygonF) -> float:
    """The area of a polygon."""
    points = [polygon.at(i) for i in range(polygon.count())]
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(a.x() * b.y() - b.x() * a.y() for a, b in pairs)) / 2


def test_five_objectives_are_rows_with_a_line_per_member_and_the_owners(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    built.offer.built = portfolio(5, members=(BRIEF, WARM, PLAIN, LARGE))
    page = opened(qtbot, routed)
    plot = drawn(qtbot, page)
    qtbot.waitUntil(lambda: len(page.weights.picture._labels) == 5)
    plot = drawn(qtbot, page)
    import pyqtgraph

    items = plot.getViewBox().allChildItems()  # type: ignore[attr-defined]
    curves = [i.getData() for i in items if isinstance(i, pyqtgraph.PlotCurveItem)]
    lines = [tuple(round(float(w), 6) for w in x) for x, y in curves if len(x) == 5]
    assert (0.6, 0.1, 0.1, 0.1, 0.1) in lines
    assert len(lines) == 5
    assert all(sum(line) == pytest.approx(1.0, abs=1e-5) for line in lines)
    names = [label.text() for label in page.weights.picture._labels]
    assert names[0] == "shorter answers"
    assert names[-1] == "good answers"


def test_the_picture_is_told_to_those_who_cannot_see_it(qtbot: QtBot, routed: Window) -> None:
    page = opened(qtbot, routed)
    said = plain(page.weights.picture.accessibleDescription())
    assert said.startswith(
        f"1: {BRIEF.name}. Best at shorter answers  ·  serves 60 % of all tastes."
    )
    assert said.endswith("Yours: 60 % shorter answers, 20 % simple words, 20 % a warm tone.")
    assert "Yours: 60 %" in plain(page.weights._caption.text())


def test_the_caption_says_what_the_picture_shows_also_with_a_floor(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    known = portfolio(3)
    first, second, third = known.objectives
    asked = (first, second, replace(third, floor=0.2))
    built.offer.built = replace(known, objectives=asked)
    page = opened(qtbot, routed)
    qtbot.waitUntil(lambda: "75 %" in plain(page.weights._caption.text()))
    assert plain(page.weights._caption.text()).endswith(
        "Yours: 75 % shorter answers, 25 % simple words."
    )


def test_sliders_reach_the_settings_once_they_rest(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    matters = page.weights.matters
    assert [word.text() for word in matters.words.values()] == ["as my votes say"] * 3
    assert not matters.reset.isEnabled()
    before = len(built.changes)
    slider = matters.sliders["warm+"]
    slider.setFocus()
    for _ in range(4):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert matters.words["warm+"].text() == "more"
    assert slider.accessibleDescription() == "more"
    qtbot.waitUntil(lambda: built.settings.sliders == {"warm+": 0.7})
    assert len(built.changes) == before + 1, "a slider that moves is not saved at every step"
    matters.reset.click()
    qtbot.waitUntil(lambda: built.settings.sliders == {})
    assert matters.words["warm+"].text() == "as my votes say"
    assert slider.value() == 10


def test_a_slider_that_was_just_moved_is_saved_by_closing(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    page.weights.matters.sliders["short+"].setValue(20)
    routed.close()
    assert built.settings.sliders == {"short+": 1.0}


def test_a_slider_keeps_still_while_something_else_is_heard(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    page.weights.matters.sliders["short+"].setValue(20)
    page.members.rows[1].use.click()
    qtbot.waitUntil(lambda: built.offer.taken == WARM.id and page.next.text() == WARM.name)
    assert page.weights.matters.sliders["short+"].value() == 20
    qtbot.waitUntil(lambda: built.settings.sliders == {"short+": 1.0})


# The pool -----------------------------------------------------------------------------------


def test_what_is_not_ticked_is_not_measured(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert page.drawer.line.text() == "What is measured: 4 settings — show"
    page.drawer.line.click()
    rows = page.pool.list
    assert rows.isVisible()
    rows.setFocus()
    rows.setCurrentRow(1)
    qtbot.keyClick(rows, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine.offer.candidates.removed == (WARM,))
    qtbot.waitUntil(lambda: page.drawer.line.text() == "What is measured: 3 settings — hide")
    assert rows.item(1).text() == WARM.name, "it stays where it was"
    assert rows.item(1).checkState() == Qt.CheckState.Unchecked
    assert rows.currentRow() == 1
    qtbot.keyClick(rows, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine.offer.candidates.removed == ())
    qtbot.waitUntil(lambda: "4 settings" in page.contents.text())
    assert rows.item(1).text() == WARM.name


def test_showing_the_pool_changes_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    asked: list[object] = []
    page.pool.removed.connect(asked.append)
    page.pool.restored.connect(asked.append)
    engine.offer.candidates.remove(WARM.id)
    page.pool.show_pool(engine.offer.candidates.pool())
    page.pool.set_look(window._theme.look)
    assert page.pool.list.item(1).checkState() == Qt.CheckState.Unchecked
    assert asked == []


def test_the_page_follows_the_keyboard_down_a_long_pool(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.candidates.there = tuple(
        replace(PLAIN, id=f"c{i}", name=f"Setting {i}") for i in range(60)
    )
    page = opened(qtbot, window)
    page.drawer.line.click()
    rows = page.pool.list
    qtbot.waitUntil(lambda: page._area.verticalScrollBar().maximum() > rows.height() // 2)
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: rows.currentRow() == 59)
    spot = rows.visualItemRect(rows.item(59)).center()
    seen = page._area.viewport().rect()
    qtbot.waitUntil(lambda: seen.contains(rows.mapTo(page._area.viewport(), spot)))


def test_a_refused_change_of_the_pool_is_taken_back_on_the_screen(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    engine.offer.error = StorageError("The pool could not be written.")
    page.pool.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    did(qtbot, page, "could not be written")
    assert page.pool.list.item(0).checkState() == Qt.CheckState.Checked


def test_a_setting_of_ones_own_is_added_and_a_refusal_keeps_the_words(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    page.drawer.line.click()
    pool = page.pool
    assert pool.model.text() == STARTER.name
    models = [action.text() for action in pool.menu.actions()]
    assert models == [STARTER.name, OTHER.name], "a model that is not there is not offered"
    pool.menu.actions()[1].trigger()
    assert pool.model.text() == OTHER.name
    qtbot.keyClicks(pool.field, " concise ,warm, ")
    pool.strength._slider.setValue(20)
    qtbot.keyClick(pool.field, Qt.Key.Key_Return)
    did(qtbot, page, "It will be measured, too.")
    own = engine.offer.candidates.there[-1]
    assert (own.model, own.preferences, own.gamma) == (OTHER.id, ("concise", "warm"), 5.0)
    assert pool.field.text() == ""
    assert pool.list.count() == 5
    qtbot.keyClicks(pool.field, "concise, warm")
    pool.add.click()
    did(qtbot, page, "in the pool already")
    assert pool.field.text() == "concise, warm"


def test_a_sentence_keeps_its_commas() -> None:
    assert preferences("Begin with the answer, then explain.") == (
        "Begin with the answer, then explain.",
    )
    assert preferences(" concise , warm,, ") == ("concise", "warm")
    assert preferences("  ") == ()


def test_an_empty_pool_cannot_be_measured(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.offer.candidates.there = ()
    page = opened(qtbot, window)
    assert not page.measure.isEnabled()


def test_what_was_left_out_is_folded_with_its_reasons(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    reason = "Only 2 of 8 questions about dangers were answered safely."
    built.offer.built = portfolio(left_out=(LeftOut(candidate=LARGE, reason=reason),))
    page = opened(qtbot, routed)
    assert page.left_out.line.text() == "Left out: one setting — show"
    assert not page._left_out.isVisible()
    page.left_out.line.click()
    assert page._left_out.isVisible()
    assert page._left_out.text() == f"{LARGE.name}: {reason}"


def test_what_has_changed_since_is_said(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    gone = Notice(code="model_gone", text="SmolLM2 135M is another file now.")
    built.offer.built = portfolio(notices=(gone,))
    page = opened(qtbot, routed)
    assert page._teach.text() == "SmolLM2 135M is another file now."


def test_a_new_setting_makes_it_worth_measuring(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    built.offer.measured = 120
    page = opened(qtbot, routed)
    assert page.measure.text() == "Measure what is new"


# The page as a page -------------------------------------------------------------------------


def test_the_page_is_reached_and_left_like_the_other_one(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    assert window.sidebar.portfolio.property("here")
    assert window.sidebar.portfolio.accessibleName() == "Portfolio, shown now"
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert window.places.at_chat
    assert window.focusWidget() is editor(window)
    window.sidebar.portfolio.click()
    assert page.isVisible()
    window.sidebar.learned.click()
    assert not page.isVisible()
    assert window.places.learned is not None
    assert window.places.learned.isVisible()
    assert window.sidebar.learned.property("here")
    assert not window.sidebar.portfolio.property("here")


def test_every_control_of_the_page_has_a_name_and_is_reached_by_tab(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    page = opened(qtbot, routed)
    drawn(qtbot, page)
    page.drawer.line.click()
    plot = page.weights.picture._plot
    assert plot is not None
    controls = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
        and widget is not plot
        and not plot.isAncestorOf(widget)
    ]
    assert len(controls) > 12
    assert [w for w in controls if not w.accessibleName()] == []
    stops = [w for w in controls if w.isVisible() and w.isEnabled()]
    assert all(w.focusPolicy() & Qt.FocusPolicy.TabFocus for w in stops)


def test_the_page_follows_the_theme(qtbot: QtBot, routed: Window) -> None:
    page = opened(qtbot, routed)
    before_picture = drawn(qtbot, page)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before, light = app.palette(), routed._theme.look
    try:
        app.setPalette(dark())
        qtbot.waitUntil(lambda: routed._theme.look.dark)
        assert page.weights.picture._plot is not before_picture
        assert page.members.rows[0]._badge._look.dark
        looks = (light, routed._theme.look)
    finally:
        app.setPalette(before)
    for look in looks:
        for number in range(MAX_MEMBERS):
            assert contrast(look.text, look.shade(number)) >= 4.5


@pytest.mark.parametrize("objectives", [3, 5])
def test_it_fits_small_windows(
    qtbot: QtBot, routed: Window, built: ScriptedEngine, objectives: int
) -> None:
    built.offer.built = portfolio(objectives)
    page = opened(qtbot, routed)
    page.drawer.line.click()
    for width, height in ((900, 600), (600, 600)):
        routed.resize(width, height)
        assert (routed.width(), routed.height()) == (width, height)
        QApplication.processEvents()
        assert page._column.width() <= page._area.viewport().width()


def test_names_from_files_take_a_line_of_limited_length(
    qtbot: QtBot, routed: Window, built: ScriptedEngine
) -> None:
    hostile = replace(BRIEF, name="A\u202e\nB" * 100_000)
    made = portfolio()
    built.offer.built = replace(made, candidates=(hostile, *made.candidates[1:]))
    page = opened(qtbot, routed)
    for text in (page.next.text(), page.members.rows[0].name.text()):
        assert text.startswith("A BA BA")
        assert len(text) <= 60
    assert len(routed.next.label.text()) < 700


# Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "25 %"),
        (20.0, "25 %, less than a minute left"),
        (70.0, "25 %, about a minute left"),
        (540.0, "25 %, about 9 minutes left"),
        (7_300.0, "25 %, about 2 hours left"),
    ],
)
def test_time_left_is_said_as_people_say_it(seconds: float | None, said: str) -> None:
    progress = Progress(done=1, total=4, left=seconds, text="")
    assert plain(words.advance(progress)) == said


def test_progress_without_a_total_is_none_at_all() -> None:
    assert words.reached(Progress(done=0, total=0, left=None, text="")) == 0.0


def test_what_is_measured_is_counted() -> None:
    pool = Pool(candidates=(PLAIN,), removed=(), answers=48, known=0)
    assert words.contents(pool) == "One model, one setting, 48 answers."
    assert words.contents(replace(pool, known=48)).endswith("48 answers, all of which are there.")


def test_one_member_and_small_shares_are_said_rightly() -> None:
    made = portfolio(members=(BRIEF, PLAIN))
    proof = replace(made.certificate, usage=(0.996, 0.004))
    two: Portfolio = replace(made, certificate=proof)
    assert plain(words.strength(two, 1)).endswith("serves under 1 % of all tastes")
    one = replace(made, members=made.members[:1])
    assert words.headline(one) == "Of 2 settings measured, one is worth keeping."


def test_a_build_gives_every_event_in_its_order() -> None:
    engine_side = measures(portfolio(), total=2)
    from tests.gui.scripted_portfolio import ScriptedPortfolio

    kinds = [type(event).__name__ for event in engine_side(ScriptedPortfolio())]
    assert kinds == ["Progress", "Progress", "Progress", "Portfolio"]
