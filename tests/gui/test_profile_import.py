"""Profile files in the window: looked at first, taken in by a button, taken back by Undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from desktop import app, differences
from desktop.profile_files import SUFFIX
from desktop.views.profile_dialogs import MERGE, REPLACE, ExportProfile, ImportPreview
from desktop.views.window import Window
from engine.api import Learned, ProfileDiff
from engine.errors import NotAProfile, StorageError
from tests.fixtures.profile_files import FULL
from tests.gui.conftest import Open
from tests.gui.scripted_data import difference
from tests.gui.scripted_engine import ScriptedEngine
from tests.gui.scripted_record import FORMAL, LISTS, SHORT, told
from tests.gui.test_chat import shown
from tests.gui.test_data import real  # noqa: F401 -- a fixture
from tests.gui.test_window import INTERACTIVE

FILE = Path("/elsewhere/mine.attune-profile")


def learned(*traits: object, votes: int = 4) -> Learned:
    return Learned(
        traits=traits,  # type: ignore[arg-type]
        learner="utilities", neutral=False, votes=votes, to_settle=3,
    )  # fmt: skip


BEFORE = learned(
    told(SHORT, weight=0.3, low=-0.2, high=0.8, sure=0.79, votes=("a",)),
    told(LISTS, weight=-0.2, low=-0.8, high=0.4, sure=0.3, votes=("b",)),
    told(FORMAL, weight=0.0, low=-0.9, high=0.9, sure=0.5),
)
AFTER = learned(
    told(SHORT, weight=0.7, low=0.4, high=0.9, sure=0.98, votes=("a", "c")),
    told(LISTS, weight=0.2, low=-0.4, high=0.8, sure=0.66, votes=("b", "d")),
    told(FORMAL, weight=0.0, low=-0.9, high=0.9, sure=0.52),
)


def preview(qtbot: QtBot, window: Window) -> ImportPreview:
    qtbot.waitUntil(lambda: window.carrying.preview is not None)
    found = window.carrying.preview
    assert found is not None
    qtbot.waitUntil(found.isVisible)
    return found


def picks(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for method in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, method, lambda *_, **__: (name, ""))


def opened(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> ImportPreview:
    picks(monkeypatch, str(FILE))
    window.menus.import_profile.trigger()
    return preview(qtbot, window)


def rows(found: ImportPreview) -> list[tuple[str, ...]]:
    cells = [[found.table.item(row, column) for column in range(3)]
             for row in range(found.table.rowCount())]  # fmt: skip
    return [tuple(cell.text() for cell in row if cell is not None) for row in cells]


# Looking ------------------------------------------------------------------------------------


def test_what_it_would_change_is_shown_first_in_words_and_per_cent(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.files.merge = difference(BEFORE, AFTER)
    found = opened(qtbot, window, monkeypatch)
    assert found.summary.text() == "3 new votes, 2 known already."
    assert rows(found) == [
        ("shorter answers", "79 % sure", "98 % sure"),
        ("bulleted lists", "70 % sure: flowing paragraphs", "66 % sure"),
        ("Strength", "2", "4.5"),
    ]
    assert found.go.text() == "Merge"
    assert engine.files.calls == [f"preview {FILE.name}"] * 2
    assert engine.settings.gamma == 2.0
    assert window.places.at_chat


def test_the_other_way_shows_its_own_changes_before_it_is_done(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(qtbot, window, monkeypatch)
    found.kind.buttons[REPLACE].click()
    assert "3 of yours count no more" in found.summary.text()
    assert found.go.text() == found.go.accessibleName() == "Replace"
    found.kind.buttons[MERGE].click()
    assert "count no more" not in found.summary.text()


def test_what_holds_nothing_new_cannot_be_merged(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.files.merge = replace(difference(BEFORE, BEFORE), new=0, settings=())
    found = opened(qtbot, window, monkeypatch)
    assert found.rest.text() == "There is nothing in it that is not here already."
    assert not found.go.isEnabled()
    assert not found.table.isVisible()
    found.kind.buttons[REPLACE].click()
    assert found.go.isEnabled()


def test_everything_that_a_difference_can_hold_is_said() -> None:
    own = replace(SHORT, id="own-1", sentence="Be kind.", own=True)
    diff: ProfileDiff = replace(
        difference(BEFORE, AFTER), new=1, dropped=6, differing=2, left_out=1, texts=1,
        added=(own,), reworded=(own,), gone=(LISTS,), back=(FORMAL,), refused=("Flatter me.",),
    )  # fmt: skip
    assert differences.summary(diff).splitlines() == [
        "One new vote, 2 known already, 6 of yours count no more.",
        "Where a vote differs (2), yours stays.",
        "Left out, because they are about other duels here: 1.",
        "With question and answers: 1.",
        "Adds your own: Be kind.",
        "Words anew: Be kind.",
        "Asks no more about: bulleted lists",
        "Asks again about: a formal tone",
        "Not taken in: Flatter me.",
    ]
    assert "the file's counts" in differences.summary(replace(diff, replace=True))


def test_a_trait_that_is_on_one_side_only_says_so() -> None:
    less = learned(*BEFORE.traits[1:])
    assert differences.rows(replace(difference(less, BEFORE), settings=())) == (
        ("shorter answers", "not asked about", "79 % sure"),
    )
    assert differences.rows(replace(difference(BEFORE, less), settings=())) == (
        ("shorter answers", "79 % sure", "not asked about"),
    )


def test_a_clock_that_was_far_off_is_no_reason_to_fail() -> None:
    for exported in (-1e300, 1e300):
        assert differences.origin(replace(difference(BEFORE, AFTER), exported=exported))


def test_a_hostile_name_stays_one_short_line() -> None:
    diff = replace(difference(BEFORE, AFTER), name="a\u202e\n" * 10_000)
    assert len(differences.headline(diff)) < 90
    assert "\u202e" not in differences.headline(diff)


# Taking in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MERGE, REPLACE])
def test_one_button_takes_it_in_and_undo_takes_it_back(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    kind: int,
) -> None:
    found = opened(qtbot, window, monkeypatch)
    found.kind.buttons[kind].click()
    found.go.click()
    page = window.places.learned
    assert page is not None
    qtbot.waitUntil(lambda: "is taken in: 3 new votes." in page.said.text)
    assert engine.files.calls[-1] == f"{'replace' if kind == REPLACE else 'merge'} {FILE.name}"
    assert window._desk.taste.gamma == 4.5
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: page.said.text == "Taken back: the import of mine.")
    assert (engine.settings.gamma, window._desk.taste.gamma) == (2.0, 2.0)


def test_by_keyboard_alone(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picks(monkeypatch, str(FILE))
    window.activateWindow()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_O, both)
    found = preview(qtbot, window)
    assert found.focusWidget() is found.kind.buttons[MERGE]
    qtbot.keyClick(found.kind.buttons[MERGE], Qt.Key.Key_Right)
    qtbot.keyClick(found.kind.buttons[REPLACE], Qt.Key.Key_Space)
    assert found.go.text() == "Replace"
    qtbot.keyClick(found.go, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine.files.calls[-1] == f"replace {FILE.name}")


def test_escape_and_cancel_change_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.keyClick(opened(qtbot, window, monkeypatch), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.carrying.preview is None)
    opened(qtbot, window, monkeypatch).cancel.click()
    QApplication.processEvents()
    assert {call.split()[0] for call in engine.files.calls} == {"preview"}
    assert window.places.at_chat


def test_a_change_of_the_owners_that_waits_to_be_saved_comes_before_the_import(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(qtbot, window, monkeypatch)
    window._desk.use(replace(window._desk.taste, gamma=1.25))
    found.go.click()
    qtbot.waitUntil(lambda: window._desk.taste.gamma == 4.5)
    assert engine.settings.gamma == 4.5
    assert {k: v for k, v in engine.changes[-1].items() if k == "gamma"} == {"gamma": 1.25}


def test_what_the_owner_sets_meanwhile_is_not_overruled(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(qtbot, window, monkeypatch)
    found.go.click()
    window._desk.use(replace(window._desk.taste, gamma=1.25))
    qtbot.waitUntil(lambda: engine.settings.gamma == 1.25)
    assert window._desk.taste.gamma == 1.25


def test_an_import_that_fails_says_why_on_the_page(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(qtbot, window, monkeypatch)
    engine.files.error = StorageError("The disk is full.")
    found.go.click()
    page = window.places.learned
    assert page is not None
    qtbot.waitUntil(lambda: page.said.text == "The disk is full.")


@pytest.mark.parametrize("place", ["chat", "portfolio"])
def test_a_file_that_is_none_is_refused_where_the_owner_is(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    getattr(window.menus, place).trigger()
    engine.files.error = NotAProfile("mine is no profile.")
    picks(monkeypatch, str(FILE))
    window.menus.import_profile.trigger()
    if place == "chat":
        qtbot.waitUntil(lambda: "mine is no profile." in shown(window))
    else:
        page = window.places.portfolio
        assert page is not None
        qtbot.waitUntil(lambda: page.said.text == "mine is no profile.")
    assert window.carrying.preview is None


def test_another_file_takes_the_place_of_the_one_that_is_looked_at(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(qtbot, window, monkeypatch)
    app._answer(window, window._desk, ("/elsewhere/other.attune-profile",))
    qtbot.waitUntil(lambda: window.carrying.preview not in (first, None))
    assert preview(qtbot, window)._looked.path == Path("/elsewhere/other.attune-profile")


# Opening a file -----------------------------------------------------------------------------


def test_a_profile_that_attune_is_started_with_is_looked_at(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    app._begin(window._desk, (str(FILE),))
    assert preview(qtbot, window)._looked.path == FILE
    qtbot.waitUntil(lambda: not window._desk.loading.busy)
    assert engine.loaded == [None]


def test_a_model_that_attune_is_started_with_answers(
    qtbot: QtBot, open_window: Open, engine: ScriptedEngine
) -> None:
    window = open_window()
    app._begin(window._desk, ("/elsewhere/mine.gguf",))
    qtbot.waitUntil(lambda: engine.loaded == ["mine"])
    assert window.carrying.preview is None


# Taking out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [False, True])
def test_a_profile_is_written_with_texts_only_where_that_is_ticked(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    texts: bool,
) -> None:
    picks(monkeypatch, "/elsewhere/me")
    window.menus.export_profile.trigger()
    (asking,) = window.findChildren(ExportProfile)
    assert not asking.texts.isChecked()
    if texts:
        qtbot.keyClick(asking.texts, Qt.Key.Key_Space)
    asking.go.click()
    said = f"What I learned is in {Path('/elsewhere/me')}{SUFFIX}: 6 votes, 4.2"
    qtbot.waitUntil(lambda: said in shown(window))
    assert engine.files.calls == [f"export me{SUFFIX}{' with texts' if texts else ''}"]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_profile_of_the_whole_name_is_replaced_only_once_agreed(
    qtbot: QtBot,
    window: Window,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    wanted: bool,
) -> None:
    asked: list[str] = []

    def agreed(question: str, *_: object, **__: object) -> bool:
        asked.append(question)
        return wanted

    monkeypatch.setattr("desktop.actions.profiles.agreed", agreed)
    (tmp_path / "me.attune-profile").write_text("mine")
    picks(monkeypatch, str(tmp_path / "me"))
    window.carrying._export(False)
    assert "me.attune-profile" in asked[0]
    qtbot.wait(20)
    assert engine.files.calls == (["export me.attune-profile"] if wanted else [])


def test_an_export_that_is_cancelled_writes_nothing(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picks(monkeypatch, "")
    for choice in ("go", "cancel"):
        window.menus.export_profile.trigger()
        asking = [d for d in window.findChildren(ExportProfile) if d.isVisible()][-1]
        getattr(asking, choice).click()
    QApplication.processEvents()
    assert engine.files.calls == []


def test_every_control_of_both_has_a_name(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(qtbot, window, monkeypatch)
    window.menus.export_profile.trigger()
    (asking,) = window.findChildren(ExportProfile)
    for part in (found, asking):
        controls = [
            widget
            for widget in part.findChildren(QWidget)
            if isinstance(widget, INTERACTIVE) and not isinstance(widget, QScrollBar)
            and not widget.objectName().startswith("qt_")
        ]  # fmt: skip
        assert [w for w in controls if not w.accessibleName()] == []
        names = [w.accessibleName() for w in controls if isinstance(w, QAbstractButton)]
        assert len(names) == len(set(names))


# With the engine itself ---------------------------------------------------------------------


def test_a_real_profile_is_taken_in_shown_everywhere_and_taken_back(
    qtbot: QtBot,
    real: tuple[Window, Path],  # noqa: F811
) -> None:
    window, _ = real
    qtbot.waitUntil(lambda: window.sidebar._count.text() == "6")
    window._desk.profiles.look(FULL)
    found = preview(qtbot, window)
    found.kind.buttons[REPLACE].click()
    assert ("Strength", "3.5", "4.65") in rows(found)
    found.go.click()
    qtbot.waitUntil(lambda: window.sidebar._count.text() == "4")
    taste = window._desk.taste
    assert (taste.gamma, taste.neutral, taste.words[0]) == (4.65, True, "concise")
    assert window.menus.neutral.isChecked()
    page = window.places.learned
    assert page is not None
    assert page.habits.neutral.isChecked()
    qtbot.waitUntil(lambda: "is taken in" in page.said.text)
    page.said.chosen.emit()
    qtbot.waitUntil(lambda: window.sidebar._count.text() == "6")
    assert (window._desk.taste.gamma, window._desk.taste.words) == (3.5, ())
