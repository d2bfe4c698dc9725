"""A run that ended badly is told of by the next one, with a way on; one that was ended is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest
from PySide6.QtCore import Qt, QUrl, qInstallMessageHandler, qWarning
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop import crashes
from desktop.app import build
from desktop.desk import Desk
from desktop.views.last_end import LastEnd
from desktop.views.window import Window
from engine import endings, logs
from engine.api import Ending, Launch
from engine.endings import RunNote
from tests.gui.conftest import lanes
from tests.gui.scripted_engine import ScriptedEngine
from tests.gui.test_chat import ask, editor, settle, shown

ROOT = Path(__file__).parents[2]
SECRET = "How do I tell my mother?"
LOADING = Ending(
    doing="loading", model="Qwen <b>0.5B</b>", at=1.0, launch=Launch(variant="haswell", threads=4)
)


@contextmanager
def opened(qtbot: QtBot, engine: ScriptedEngine, ending: Ending) -> Iterator[Window]:
    """The window after such an end; no model is being loaded yet."""
    window = build(Desk(engine), ending=ending)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()
    assert not lanes()


def sheet(window: Window) -> LastEnd:
    found = window.mending.sheet
    assert found is not None
    return found


# What it says and offers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (LOADING, "Attune stopped while it loaded Qwen <b>0.5B</b> with CPU (haswell), 4 threads, "
         "context 8192."),
        (Ending(doing="loading", model="Qwen"), "Attune stopped while it loaded Qwen."),
        (Ending(doing="trying"), "Attune stopped while it tried which settings work on this "
         "computer."),
        (Ending(fault="Fatal Python error: Aborted"), "Attune crashed (Fatal Python error: "
         "Aborted)."),
        (Ending(), "Attune stopped while its window was open."),
    ],
)  # fmt: skip
def test_one_sentence_says_what_happened(
    qtbot: QtBot, engine: ScriptedEngine, ending: Ending, said: str
) -> None:
    with opened(qtbot, engine, ending) as window:
        assert sheet(window).sentence == said
        assert sheet(window)._sentence.textFormat() == Qt.TextFormat.PlainText
        assert sheet(window).isVisible()
        assert not window.page.welcome.isVisible()


def test_it_can_be_reached_by_keys_and_every_button_has_a_name(
    qtbot: QtBot, engine: ScriptedEngine
) -> None:
    with opened(qtbot, engine, LOADING) as window:
        buttons = sheet(window).findChildren(QPushButton)
        assert [button.text() for button in buttons] == [
            "Go on in safe mode", "Go on as ever", "Copy diagnostics", "Open the log folder",
        ]  # fmt: skip
        assert all(button.accessibleName() == button.text() for button in buttons)
        assert all(button.focusPolicy() & Qt.FocusPolicy.TabFocus for button in buttons)
        assert window.focusWidget() is sheet(window).safe


def test_nothing_is_loaded_before_its_owner_has_said_how(
    qtbot: QtBot, engine: ScriptedEngine
) -> None:
    with opened(qtbot, engine, LOADING) as window:
        qtbot.wait(50)
        assert engine.loaded == []
        qtbot.keyClick(sheet(window).usual, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: engine.loaded == [None])
        assert window.mending.sheet is None
        assert window.page.welcome.isVisible()
        assert window.focusWidget() is editor(window)
        assert not engine.safe


def test_safe_mode_is_one_key_away_and_says_what_it_is(
    qtbot: QtBot, engine: ScriptedEngine
) -> None:
    engine.change(model="qwen-0.5b")
    with opened(qtbot, engine, LOADING) as window:
        qtbot.keyClick(sheet(window).safe, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: not window._desk.loading.busy and bool(engine.loaded))
        assert engine.safe
        assert window._desk.loading.current is not None
        assert window._desk.loading.current.model == "smollm2-135m"
        assert window.windowTitle() == "Safe mode – Attune"
        assert "Safe mode: the starter model answers" in shown(window)
        assert window._desk.taste.neutral
        window.close()
        assert engine.changes == [{"model": "qwen-0.5b"}], "nothing of it is remembered"


def test_a_window_that_is_started_in_safe_mode_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    engine = ScriptedEngine(tmp_path, safe=True)
    window = build(Desk(engine))
    qtbot.addWidget(window)
    assert window.windowTitle() == "Safe mode – Attune"
    window.close()


def test_who_just_asks_goes_on_as_ever(qtbot: QtBot, engine: ScriptedEngine) -> None:
    with opened(qtbot, engine, LOADING) as window:
        ask(qtbot, window, "Well?")
        assert settle(qtbot, window).text == "Yes."
        assert window.mending.sheet is None


def test_diagnostics_are_copied_and_that_is_said(qtbot: QtBot, engine: ScriptedEngine) -> None:
    with opened(qtbot, engine, LOADING) as window:
        sheet(window).copy.click()
        qtbot.waitUntil(lambda: "Qt 6" in QGuiApplication.clipboard().text())
        assert sheet(window)._told.text().startswith("Copied: versions")
        assert sheet(window)._told.isVisible()


def test_the_folder_of_the_log_is_shown_or_named(
    qtbot: QtBot, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def show(url: QUrl) -> bool:
        asked.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    with opened(qtbot, engine, LOADING) as window:
        sheet(window).folder.click()
        assert asked == []
        assert str(engine.log_dir) in sheet(window)._told.text()
        engine.log_dir.mkdir()
        sheet(window).folder.click()
        assert asked == [str(engine.log_dir)]


def test_the_help_menu_copies_diagnostics_and_opens_the_log_folder_at_any_time(
    qtbot: QtBot, window: Window, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def show(url: QUrl) -> bool:
        asked.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    ask(qtbot, window, SECRET)
    settle(qtbot, window)
    window.menus.diagnostics.trigger()
    qtbot.waitUntil(lambda: "No texts of yours." in shown(window))
    assert "Qt 6" in QGuiApplication.clipboard().text()
    assert SECRET not in QGuiApplication.clipboard().text()
    window.menus.log_folder.trigger()
    assert asked == []
    assert f"The log is in {engine.log_dir}." in shown(window)
    engine.log_dir.mkdir()
    window.menus.log_folder.trigger()
    assert asked == [str(engine.log_dir)]


@pytest.mark.parametrize("size", [(1366, 768), (700, 600)])
def test_it_fits(qtbot: QtBot, engine: ScriptedEngine, size: tuple[int, int]) -> None:
    with opened(qtbot, engine, LOADING) as window:
        window.resize(*size)
        qtbot.wait(10)
        assert window.page.verticalScrollBar().maximum() == 0
        assert sheet(window).width() <= window.page.viewport().width()


# Whole runs -----------------------------------------------------------------------------------

RUN = """
import sys, pathlib, os, faulthandler, signal, threading
from PySide6.QtCore import QTimer
import desktop.app as app
from engine.api import OpenWindow
from engine.cli.main import main
from tests.gui.scripted_engine import ScriptedEngine
app.Engine = ScriptedEngine
how, folder = sys.argv[1:]
def fails():
    raise ValueError("SECRET")
def leaves():
    print("loaded", window._desk.engine.loaded, flush=True)
    window.close()
def ends():
    if how == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if how == "term": os.kill(os.getpid(), signal.SIGTERM)
    if how == "fault": faulthandler._sigsegv()
    if how == "abort": os.abort()
    if how == "late": app.QApplication.exit(0)
    if how == "fails": QTimer.singleShot(0, fails)
    if how in ("quit", "fails"): QTimer.singleShot(100, leaves)
    if how == "wait": print("open", flush=True)
build = app.build
def built(desk, *, ending=None):
    global window
    if how == "early": os.kill(os.getpid(), signal.SIGTERM)
    if how == "late": desk.close = lambda: os.kill(os.getpid(), signal.SIGKILL)
    window = build(desk, ending=ending)
    print("told", window.mending.sheet is not None, flush=True)
    return window
app.build = built
def ending(begin):
    def begun(desk, files):
        begin(desk, files)
        QTimer.singleShot(0, ends)
    return begun
app._begin, app._begin_without_model = ending(app._begin), ending(app._begin_without_model)
sys.exit(main(["--data-dir", folder], open_window=app.open_window))
""".replace("SECRET", SECRET)


def run(folder: Path, how: str, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment}
    return subprocess.run(
        [sys.executable, "-c", RUN, how, str(folder)],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def told(folder: Path) -> bool:
    """Whether the next window tells of a bad end."""
    return "told True" in run(folder, "quit").stdout


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself differ there")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "bad"),
    [("quit", False), ("term", False), ("kill", True), ("fault", True), ("abort", True)],
)
def test_the_next_window_tells_of_an_end_that_nobody_wanted(
    tmp_path: Path, how: str, bad: bool
) -> None:
    ended = run(tmp_path, how)
    assert (ended.returncode != 0) is bad
    assert told(tmp_path) is bad
    assert not told(tmp_path), "once"
    ending = endings.last(tmp_path / "logs", window=False)
    assert (ending is not None) is bad
    faults = {
        "fault": "Fatal Python error: Segmentation fault",
        "abort": "Fatal Python error: Aborted",
    }
    if ending is not None:
        assert ending.fault == faults.get(how, "")


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself differ there")
@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [("early", 0), ("late", -signal.SIGKILL)])
def test_an_end_before_the_window_is_there_or_while_it_cleans_up_is_no_bad_one(
    tmp_path: Path, how: str, code: int
) -> None:
    assert run(tmp_path, how).returncode == code
    assert not told(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("doing", "loaded"), [("loading", "[]"), ("running", "[None]")])
def test_after_an_end_over_a_model_none_is_loaded_by_itself(
    tmp_path: Path, doing: endings.Doing, loaded: str
) -> None:
    note = RunNote(tmp_path / "logs", clock=lambda: 1.0)
    note.begin()
    with note.during(doing, model="Qwen"):
        (left := tmp_path / "logs" / endings.NOW).rename(left.with_suffix(".kept"))
    left.with_suffix(".kept").replace(left)
    assert run(tmp_path, "quit").stdout == f"told True\nloaded {loaded}\n"


@pytest.mark.slow
def test_an_error_in_the_window_is_logged_without_its_words(tmp_path: Path) -> None:
    ended = run(tmp_path, "fails")
    assert ended.returncode == 0
    log = (tmp_path / "logs" / "attune.log").read_text()
    assert "nobody caught an error" in log
    assert "ValueError" in log
    for written in (log, ended.stderr, ended.stdout):
        assert SECRET not in written


@pytest.mark.slow
@pytest.mark.skipif(which("Xvfb") is None, reason="needs an X server of its own")
def test_a_screen_that_goes_away_is_a_logout_and_no_bad_end(tmp_path: Path) -> None:
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as told_display:
        display = told_display.readline().strip()
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": f":{display}"}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "wait", str(tmp_path)],
        cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as attune:  # fmt: skip
        assert attune.stdout is not None
        lines = [attune.stdout.readline() for _ in range(2)]
        server.send_signal(signal.SIGKILL)
        server.wait()
        attune.communicate(timeout=30)
    assert lines == ["told False\n", "open\n"]
    assert attune.returncode != 0
    assert endings.last(tmp_path / "logs", window=False) is None


def test_a_note_of_a_window_that_is_open_is_not_taken_for_an_end(tmp_path: Path) -> None:
    note = RunNote(tmp_path, clock=lambda: 1.0)
    note.begin()
    assert endings.last(tmp_path, window=True) is None


# What Qt says ---------------------------------------------------------------------------------


@pytest.fixture
def heard_qt(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Notes each time that Qt says that the screen goes away."""
    gone: list[str] = []
    former = qInstallMessageHandler(None)
    crashes.log_qt(lambda: gone.append("gone"))
    yield gone
    qInstallMessageHandler(former)


def test_qt_says_when_the_screen_goes_away(heard_qt: list[str]) -> None:
    qWarning("QPainter::begin: Paint device returned engine == 0")
    assert heard_qt == []
    qWarning("The Wayland connection broke. Did the Wayland compositor die?")
    assert heard_qt == ["gone"]


def test_what_qt_says_is_logged_without_what_it_quotes(heard_qt: list[str], tmp_path: Path) -> None:
    with logs.kept(tmp_path):
        qWarning(f'QFont::fromString: Invalid description "{SECRET}"')
    text = (tmp_path / logs.NAME).read_text()
    assert "WARNING desktop.qt: default: QFont::fromString (65 characters)" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "message",
    [
        f"{SECRET}: no such file or directory",
        f"Cannot open file {SECRET}",
        f"QFont::fromString: Invalid description {SECRET}",
        f"QIODevice::read (QFile, /home/me/{SECRET}): device not open",
    ],
)
def test_what_qt_was_given_is_not_logged_without_quotes_either(
    heard_qt: list[str], tmp_path: Path, message: str
) -> None:
    with logs.kept(tmp_path):
        qWarning(message)
    text = (tmp_path / logs.NAME).read_text()
    assert f"({len(message)} characters)" in text
    assert "mother" not in text
