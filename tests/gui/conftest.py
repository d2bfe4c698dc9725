"""GUI tests run off the screen; a Qt warning, a live thread or a stray window fails them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

import dev
from desktop import languages, window_state
from desktop.app import build
from desktop.bridge import ENGINE
from desktop.building import BUILD
from desktop.chats import CHATS
from desktop.crafting import CRAFT
from desktop.desk import Desk
from desktop.fetching import FETCH
from desktop.library import LOOK
from desktop.views.window import Window
from desktop.window_state import WindowState
from tests.gui.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

# Read when pytest-qt makes the application, which is later than this.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

Open = Callable[[], Window]


def pytest_configure(config: pytest.Config) -> None:
    # Said by the offscreen platform of each window; it is not about us.
    config.addinivalue_line("qt_log_ignore", "This plugin does not support")


@pytest.fixture(scope="session", autouse=True)
def _english(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The plurals of English, as a window has them that was set up."""
    folder, name = tmp_path_factory.mktemp("translations"), "attune_en"
    dev.compile_translation(dev.TRANSLATIONS / f"{name}.ts", into=folder / f"{name}.qm")
    locale = QLocale()
    languages.install(qapp, languages.ENGLISH, folder=folder)
    QLocale.setDefault(locale)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    """Its owner knows Attune: nothing is explained."""
    window_state.write(tmp_path, WindowState(introduced="all"))
    engine = ScriptedEngine(tmp_path)
    yield engine
    engine.chats.close()


@pytest.fixture
def open_window(qtbot: QtBot, engine: ScriptedEngine) -> Iterator[Open]:
    """Opens a window whose model is not being loaded yet; closes it and looks for leaks."""
    windows: list[Window] = []

    def opener() -> Window:
        window = build(Desk(engine))
        qtbot.addWidget(window)
        windows.append(window)
        window.show()
        return window

    yield opener
    for window in windows:
        window.close()
    for thread in threading.enumerate():
        if thread.name == "attune-plotting":
            thread.join(60)  # the first import of pyqtgraph takes its time
    assert not lanes(), "a thread of the engine outlived its window: Desk.close must end it"


@pytest.fixture
def window(qtbot: QtBot, open_window: Open) -> Window:
    """A window with a model loaded."""
    window = open_window()
    window._desk.loading.start()
    qtbot.waitUntil(lambda: not window._desk.loading.busy and bool(window._desk.loading.cards))
    return window


def lanes() -> list[threading.Thread]:
    names = (ENGINE, BUILD, CRAFT, CHATS, FETCH, LOOK)
    return [thread for thread in threading.enumerate() if thread.name in names]
