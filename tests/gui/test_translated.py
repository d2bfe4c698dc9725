"""The window in other languages: one that is longer than any, one from right to left, German."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractListModel, QLocale, QObject, QPoint, QRect, Qt, QTranslator
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from pytestqt.qtbot import QtBot

import dev
from desktop import languages
from desktop.views.erase_dialogs import EraseEverything
from desktop.views.profile_dialogs import ExportProfile
from desktop.views.trash import Trash
from desktop.views.window import Window
from desktop.widgets.elided import ElidedLabel
from desktop.widgets.reader import Reader
from desktop.widgets.shortcut_list import ShortcutList
from desktop.widgets.toggle import Toggle
from desktop.widgets.trait_table import LESS, MORE, SURE
from desktop.widgets.versions import Versions
from tests.gui.conftest import Open
from tests.gui.scripted_engine import ScriptedEngine, pair, says
from tests.gui.scripted_portfolio import portfolio
from tests.gui.scripted_workshop import MERGED, SHORT, WARM
from tests.gui.test_chat import ask, settle, views
from tests.gui.test_learned import GIVEN, drawn, opened, vote
from tests.gui.translating import bracketed, pseudo

ARABIC = "كيف أعتني بالريحان؟"
PHRASES = (
    "warm & simple", "warm  simple", "135M, short", "135M, warm", "Answers better, takes longer",
)  # fmt: skip
"""What scripts say that the engine would not."""

NAMES = (
    "Attune", "SmolLM", "smollm", "merged", "Qwen", "Coder", "Lost", "found", "CALM", "GGUF", "Qt",
    "Python", "CPU", "icelake", "GPU", "Ctrl", "Shift", "Alt", "Del", "Esc", "Return", "Left",
    "Right", "Tab", "PgUp", "PgDown", "Apache", "LM", "Studio", "Jan", "All", "Ollama", "Open",
    "WebUI", "ChatGPT", "English", "Deutsch", "Close",
)  # fmt: skip
"""Of models, apps and keys, and what Qt itself says."""


@pytest.fixture(scope="module")
def brackets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pseudo(tmp_path_factory.mktemp("pseudo"))


@pytest.fixture
def long(qapp: QApplication, brackets: Path) -> Iterator[None]:
    """Every text that can be translated is in brackets, and longer than in English."""
    translator = QTranslator()
    assert translator.load(str(brackets))
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


@pytest.fixture
def german(qapp: QApplication, tmp_path: Path) -> Iterator[None]:
    locale = QLocale()
    for code in ("en", "de"):
        source = dev.TRANSLATIONS / f"attune_{code}.ts"
        dev.compile_translation(source, into=tmp_path / f"{source.stem}.qm")
    languages.install(qapp, "de", folder=tmp_path)
    yield
    languages.install(qapp, "en", folder=tmp_path)
    QLocale.setDefault(locale)


@pytest.fixture
def from_the_right(qapp: QApplication) -> Iterator[None]:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.fixture
def full(engine: ScriptedEngine) -> ScriptedEngine:
    """Something of everything is there."""
    engine.record.given = GIVEN
    vote(engine)
    vote(engine, trait="lists")
    engine.offer.built = portfolio()
    engine.offer.measured = 10_000
    engine.craft.shelf = (SHORT, WARM, MERGED)
    engine.change(routing=True)
    return engine


Visit = Callable[[], Iterator[str]]


@pytest.fixture
def visit(qtbot: QtBot, open_window: Open, full: ScriptedEngine) -> Visit:
    """Opens a window on a laptop's screen, asks, and goes to one place after the other."""

    def tour() -> Iterator[str]:
        window = open_window()
        window.resize(1366, 768)
        window._desk.loading.start()
        qtbot.waitUntil(lambda: not window._desk.loading.busy)
        rest(qtbot, window)
        yield "empty"
        full.scripts.append(says("…"))
        full.change(duel_every=0)
        ask(qtbot, window, "?")
        settle(qtbot, window)
        full.change(duel_every=1)
        full.duels.append(pair("…", "……"))
        ask(qtbot, window, "??")
        settle(qtbot, window)
        qtbot.waitUntil(lambda: not window.page._stale)
        rest(qtbot, window)
        yield "two answers"
        for name in [name for name in dir(window.places) if name.startswith("show_")]:
            getattr(window.places, name)()
            rest(qtbot, window)
            yield name.removeprefix("show_")

    return tour


def rest(qtbot: QtBot, window: Window) -> None:
    """Wait until what is on the screen has been read and stays."""
    seen: list[list[tuple[str, str]]] = []

    def still() -> bool:
        seen.append(list(texts(window)))
        reading = window.tr("Reading …"), bracketed("Reading …")
        return seen[-2:-1] == seen[-1:] and not any(t in reading for _, t in seen[-1])

    qtbot.waitUntil(still)


def window_of() -> Window:
    widgets = QApplication.topLevelWidgets()  # one of an earlier test may not be gone yet
    return next(w for w in widgets if isinstance(w, Window) and w.isVisible())


def parts(window: QWidget) -> Iterator[QWidget]:
    """What can be seen, without what models and their owner wrote."""
    for part in window.findChildren(QWidget):
        if part.isVisibleTo(window) and not isinstance(part, Reader):
            yield part


def texts(window: QWidget) -> Iterator[tuple[str, str]]:
    """Everything that is said to the eye or the ear, each with where."""
    for part in parts(window):
        where = f"{type(part).__name__} {part.objectName()}"
        found = [part.accessibleName(), part.accessibleDescription(), part.toolTip()]
        match part:
            case QMenu():
                found += [part.title()]
            case QLabel() | QAbstractButton():
                found += [part.text()]
            case QLineEdit():
                found += [part.placeholderText()]
            case QComboBox():
                found += [part.itemText(i) for i in range(part.count())]
            case QAbstractItemView():
                found += _cells(part)
        yield from ((where, text) for text in found if text)
    for action in window.findChildren(QAction):
        if _of_the_plot(action):
            continue
        yield f"action {action.objectName()}", action.text().replace("&", "")
        yield f"action {action.objectName()}", action.iconText()


def _of_the_plot(action: QAction) -> bool:
    """Menus of the plotting library, which are switched off and seen by nobody."""
    above: QObject | None = action
    while above is not None:
        if type(above).__module__.startswith("pyqtgraph"):
            return True
        above = above.parent()
    return False


def _cells(view: QAbstractItemView) -> list[str]:
    model = view.model()
    if view.objectName() == "chats":
        return []
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole,
             Qt.ItemDataRole.AccessibleTextRole)  # fmt: skip
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    places = [model.index(r, c) for r in range(model.rowCount()) for c in range(columns)]
    heads = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(columns)]
    return [str(place.data(role) or "") for place in places for role in roles] + [
        head for head in heads if isinstance(head, str)
    ]


def untranslated(text: str) -> str:
    """The words that stand in no brackets, less names, paths and keys."""
    before = ""
    while text != before:
        before, text = text, re.sub("⟦[^⟦⟧]*⟧", " ", text)
    for phrase in PHRASES:
        text = text.replace(phrase, " ")
    text = re.sub(r"<[^>]*>|\S*/\S*|\S+\.\w+|\b\d\w*", " ", text)
    words = re.findall(r"[^\W\d_]{2,}", text)
    return " ".join(word for word in words if word not in NAMES)


@pytest.mark.slow
@pytest.mark.usefixtures("long")
def test_no_text_goes_past_the_translators(visit: Visit) -> None:
    left = {
        f"{place}, {where}: {text}"
        for place in visit()
        for where, text in texts(window_of())
        if untranslated(text)
    }
    assert sorted(left) == []


@pytest.mark.slow
@pytest.mark.usefixtures("long")
def test_every_page_has_room_for_long_texts_on_a_small_screen(visit: Visit) -> None:
    found = [f"{place}: {part}" for place in visit() for part in squeezed(window_of())]
    assert found == []


@pytest.mark.slow
@pytest.mark.usefixtures("german")
def test_german_fits_and_reads_as_german(visit: Visit) -> None:
    found = [f"{place}: {part}" for place in visit() for part in squeezed(window_of())]
    assert found == []
    said = {text for _, text in texts(window_of())}
    assert {"Werkstatt", "Meine Daten", "Was ich gelernt habe"} <= said


@pytest.mark.usefixtures("german")
def test_no_two_entries_of_a_german_menu_have_the_same_letter(window: Window) -> None:
    titles = [action.text() for action in window.menuBar().actions()]
    for entries in [titles, *([a.text() for a in menu.actions()] for menu in menus(window))]:
        letters = [letter.lower() for text in entries for letter in re.findall(r"&(\w)", text)]
        assert len(letters) == len(set(letters)), entries


def menus(window: Window) -> list[QMenu]:
    found = (action.menu() for action in window.menuBar().actions())
    return [menu for menu in found if isinstance(menu, QMenu)]


def squeezed(window: Window) -> Iterator[tuple[str, str]]:
    """What has not the room for its text, or reaches out of the window."""
    whole = QRect(0, 0, 1366, 768)
    if window.size() != whole.size():
        yield "Window", f"{window.width()} × {window.height()}"
    for part in parts(window):
        if isinstance(part, QAbstractScrollArea) and part.objectName() == "page":
            bar = part.horizontalScrollBar()
            if bar.maximum() > 0:
                yield type(part).__name__, "scrolls sideways"
        text = part.text() if isinstance(part, QLabel | QAbstractButton) else ""
        if not text or isinstance(part, QMenu):
            continue
        place = QRect(part.mapTo(window, QPoint()), part.size())
        if place.left() < whole.left() or place.right() > whole.right():
            yield type(part).__name__, text
        wraps = isinstance(part, ElidedLabel) or (isinstance(part, QLabel) and part.wordWrap())
        if not wraps and part.width() < part.minimumSizeHint().width():
            yield type(part).__name__, text


@pytest.mark.usefixtures("long")
def test_no_text_of_a_dialog_goes_past_the_translators(window: Window) -> None:
    desk, look = window._desk, window._theme.look
    for dialog in (
        ShortcutList(window.menus.groups, parent=window),
        Trash(desk, look, parent=window),
        EraseEverything(look, parent=window),
        ExportProfile(look, parent=window),
    ):
        assert {text for _, text in texts(dialog) if untranslated(text)} == set()
        dialog.deleteLater()


# From right to left --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("from_the_right")
def test_pages_are_mirrored(visit: Visit) -> None:
    for place in visit():
        window = window_of()
        assert window.sidebar.mapTo(window, QPoint()).x() > window.width() / 2, place
        assert window.places.mapTo(window, QPoint()).x() == 0, place
        assert not list(squeezed(window)), place


@pytest.mark.usefixtures("from_the_right")
def test_text_of_a_question_and_an_answer_keeps_its_own_direction(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=0)
    engine.scripts.append(says("Water it daily, please."))
    window.composer.put_back(ARABIC)  # there are no keys for it here
    ask(qtbot, window, "")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: not window.page._stale)
    view = views(window)[-1]
    assert direction(view._question) == Qt.LayoutDirection.RightToLeft
    assert direction(view._answer) == Qt.LayoutDirection.LeftToRight
    assert begins(view._answer) < view._answer.width() / 3


def test_arabic_is_read_from_the_right_in_an_english_window_too(
    qtbot: QtBot, window: Window, engine: ScriptedEngine
) -> None:
    engine.change(duel_every=0)
    engine.scripts.append(says(ARABIC))
    ask(qtbot, window, "?")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: not window.page._stale)
    answer = views(window)[-1]._answer
    assert direction(answer) == Qt.LayoutDirection.RightToLeft
    assert begins(answer) > answer.width() / 2


@pytest.mark.usefixtures("from_the_right")
def test_a_dot_lies_on_the_side_of_its_words(
    qtbot: QtBot, window: Window, full: ScriptedEngine
) -> None:
    page = opened(qtbot, window)
    picture = drawn(qtbot, page)
    table = page.table
    assert table.columnViewportPosition(LESS) > table.columnViewportPosition(MORE)
    assert picture.getPlotItem().getViewBox().xInverted()  # type: ignore[attr-defined]
    assert table.columnViewportPosition(SURE) >= 0


@pytest.mark.usefixtures("from_the_right")
def test_what_flows_and_what_leads_back_begins_on_the_right(
    qtbot: QtBot, window: Window, full: ScriptedEngine
) -> None:
    detail = opened(qtbot, window).detail
    assert detail.delete.x() > detail.forget.x() > detail.remove.x()
    assert window.menus.chat.shortcut() == QKeySequence("Alt+Right")
    toggle = window.steering.findChild(Toggle)
    assert toggle is not None
    assert toggle._box().center().x() > toggle.width() / 2


@pytest.mark.usefixtures("from_the_right")
def test_the_earlier_version_is_on_the_right(qtbot: QtBot, window: Window) -> None:
    versions = Versions(window._theme.look, earlier="earlier", later="later")
    qtbot.addWidget(versions)
    versions.show_versions(("a", "b", "c"), "b", enabled=True)
    versions.show()
    assert versions.earlier.x() > versions.words.x() > versions.later.x()
    with qtbot.waitSignal(versions.chosen) as chosen:
        versions.earlier.click()
    assert chosen.args == ["a"]


def direction(reader: Reader) -> Qt.LayoutDirection:
    block = reader.document().firstBlock()
    return block.textDirection()


def begins(reader: Reader) -> float:
    """Where the first letter stands, in pixels from the left edge."""
    line = reader.document().firstBlock().layout().lineAt(0)
    return line.naturalTextRect().left()
