"""Two starts on one data folder: the second brings up the first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from pytestqt.qtbot import QtBot

from desktop import doorbell
from desktop.doorbell import LOCK, RINGS, Doorbell, move_in, ring
from engine.api import AttuneError

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Doorbell]:
    bell = move_in(tmp_path)
    assert bell is not None
    bell.begin(lambda: True)
    yield bell
    bell.close()


def test_only_one_window_lives_in_a_folder(home: Doorbell, tmp_path: Path) -> None:
    assert move_in(tmp_path) is None
    home.close()
    again = move_in(tmp_path)
    assert again is not None
    again.close()


def test_a_ring_is_answered_with_its_files(qtbot: QtBot, home: Doorbell, tmp_path: Path) -> None:
    heard: list[tuple[str, ...]] = []
    home.rang.connect(heard.append)
    visitor = Thread(target=ring, args=(tmp_path, ("/models/a b.gguf", "c.gguf")))
    visitor.start()
    qtbot.waitUntil(lambda: bool(heard))
    visitor.join(5)
    assert not visitor.is_alive()
    assert heard == [("/models/a b.gguf", str(Path.cwd() / "c.gguf"))]
    assert list((tmp_path / RINGS).iterdir()) == []


def test_a_window_that_does_not_answer_is_told_of_and_the_ring_taken_back(
    home: Doorbell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "PATIENCE", 0.05)
    with pytest.raises(AttuneError, match="does not answer"):
        ring(tmp_path, ())
    assert list((tmp_path / RINGS).iterdir()) == []


@pytest.mark.parametrize(
    "written", [b"", b"[", b"{}", b"[1]", b"\xff", b"[" * 100_000, b'"a"', b'["' + b"x" * 99_999]
)
def test_a_ring_that_says_anything_else_only_brings_the_window_up(
    qtbot: QtBot, home: Doorbell, tmp_path: Path, written: bytes
) -> None:
    heard: list[tuple[str, ...]] = []
    home.rang.connect(heard.append)
    (tmp_path / RINGS / "1-0.json").write_bytes(written)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [()]


def test_who_rings_while_the_window_is_being_opened_is_answered_once_it_is(tmp_path: Path) -> None:
    rings = tmp_path / RINGS
    rings.mkdir()
    heard: list[tuple[str, ...]] = []
    bell = move_in(tmp_path)
    assert bell is not None
    (rings / "1-0.json").write_text(json.dumps(["a.gguf"]))
    assert move_in(tmp_path) is None
    bell.rang.connect(heard.append)
    bell.listen()
    assert heard == []
    bell.begin(lambda: True)
    assert heard == [("a.gguf",)]
    bell.close()


def test_a_ring_between_lock_and_bell_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, heard = doorbell._made, list[tuple[str, ...]]()

    def rung_meanwhile(folder: Path) -> Path:
        rings = made(folder)
        (rings / "1-0.json").write_text(json.dumps(["a.gguf"]))
        return rings

    monkeypatch.setattr(doorbell, "_made", rung_meanwhile)
    bell = move_in(tmp_path)
    assert bell is not None
    bell.rang.connect(heard.append)
    bell.begin(lambda: True)
    assert heard == [("a.gguf",)]
    bell.close()


def test_who_rings_at_a_window_that_is_being_closed_moves_in(
    home: Doorbell, tmp_path: Path
) -> None:
    rings, asked = tmp_path / RINGS, list[int]()
    home.begin(lambda: False)

    def clock() -> float:
        asked.append(len(list(rings.iterdir())))
        if len(asked) == 2:
            home.listen()
            assert list(rings.glob("*.json")), "nobody answers who is about to leave"
            home.close()
        return 0.0

    own = ring(tmp_path, ("a.gguf",), clock=clock)
    assert own is not None
    assert list(rings.iterdir()) == []
    assert move_in(tmp_path) is None
    own.close()


def test_rings_of_an_earlier_day_are_not_answered(tmp_path: Path) -> None:
    rings = tmp_path / RINGS
    rings.mkdir()
    (rings / "1-0.json").write_text(json.dumps(["old.gguf"]))
    os.utime(rings / "1-0.json", (0, 0))
    bell = move_in(tmp_path)
    assert bell is not None
    assert list(rings.iterdir()) == []
    bell.close()


DIES = """
import os, sys
from pathlib import Path
from desktop.doorbell import move_in
assert move_in(Path(sys.argv[1])) is not None
os._exit(9)
"""


def test_the_lock_of_a_window_that_died_holds_nobody_up(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, check=False)
    assert died.returncode == 9
    assert (tmp_path / LOCK).exists()
    bell = move_in(tmp_path)
    assert bell is not None
    bell.close()


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="there permissions do not hold us up"
)
def test_a_folder_that_takes_no_file_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(AttuneError, match="no file can be made"):
        move_in(tmp_path)


def test_a_file_in_the_way_of_the_rings_is_said(tmp_path: Path) -> None:
    (tmp_path / RINGS).write_text("in the way")
    with pytest.raises(AttuneError, match="cannot be used"):
        move_in(tmp_path)
    with pytest.raises(AttuneError, match="cannot be used"):
        ring(tmp_path, ())


TWICE = """
import sys, pathlib
import desktop.app as app
from PySide6.QtCore import QTimer
from engine.api import OpenWindow
from tests.gui.scripted_engine import ScriptedEngine
app.Engine = ScriptedEngine
if sys.argv[2:] == ["first"]:
    answer = app._answer
    def answered(window, desk, files):
        desk.add_model = lambda path: print("opens", path.name, flush=True)
        answer(window, desk, files)
        QTimer.singleShot(0, window.close)
    app._answer = answered
    begin = app._begin
    def begun(desk, files):
        begin(desk, files)
        print("open", flush=True)
    app._begin = begun
files = () if sys.argv[2:] == ["first"] else ("model.gguf",)
sys.exit(app.open_window(OpenWindow(data_dir=pathlib.Path(sys.argv[1]), files=files)))
"""


def test_a_second_start_with_a_file_that_is_no_profile_says_so_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DAMAGED, str(tmp_path)]
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    (tmp_path / "mine.attune-profile").write_text("{}")
    bell = move_in(tmp_path)
    assert bell is not None
    second = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=30
    )
    bell.close()
    assert second.stdout == "no profile of Attune\n"
    assert list((tmp_path / RINGS).iterdir()) == []


DAMAGED = """
import sys, pathlib
import desktop.app as app
from engine.api import OpenWindow, ProfileError
app.QMessageBox.exec = lambda box: 0
folder = pathlib.Path(sys.argv[1])
try:
    app.open_window(OpenWindow(data_dir=folder, files=(str(folder / "mine.attune-profile"),)))
except ProfileError as error:
    print("no profile of Attune" if "no profile of Attune" in error.message else error.message)
"""


def test_a_second_start_brings_up_the_window_of_the_first_with_its_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWICE, str(tmp_path)]
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [*command, "first"], cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        second = subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=30
        )
        assert (second.returncode, second.stderr) == (0, "")
        assert "open already" in second.stdout
        assert first.stdout.readline() == "opens model.gguf\n"
    assert first.returncode == 0
