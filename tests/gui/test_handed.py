"""What the desktop hands over: files as events, and arguments that mean nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from desktop import __main__ as program
from desktop.handed import HandedFiles, be_told_apart


@pytest.fixture
def handed(qapp: QApplication) -> Iterator[HandedFiles]:
    files = HandedFiles(qapp, listens=True)
    yield files
    qapp.removeEventFilter(files)
    files.setParent(None)


def send(app: QApplication, path: str) -> None:
    QApplication.sendEvent(app, QFileOpenEvent(QUrl.fromLocalFile(path)))


def test_files_that_come_before_there_is_a_window_wait_for_it(
    qapp: QApplication, handed: HandedFiles
) -> None:
    opened: list[tuple[str, ...]] = []
    send(qapp, "/a/mine.attune-profile")
    handed.begin(opened.append)
    assert opened == [("/a/mine.attune-profile",)]
    send(qapp, "/b/model.gguf")
    assert opened[1:] == [("/b/model.gguf",)]


def test_other_events_go_their_way(qapp: QApplication, handed: HandedFiles) -> None:
    assert not handed.eventFilter(qapp, QEvent(QEvent.Type.User))
    opened: list[tuple[str, ...]] = []
    handed.begin(opened.append)
    QApplication.sendEvent(qapp, QFileOpenEvent(QUrl("https://example.org")))
    assert opened == []


def test_where_there_are_no_such_events_nobody_listens(qapp: QApplication) -> None:
    files = HandedFiles(qapp, listens=False)
    opened: list[tuple[str, ...]] = []
    files.begin(opened.append)
    send(qapp, "/a/mine.attune-profile")
    assert opened == []
    files.setParent(None)


def test_elsewhere_than_on_windows_nothing_is_told_apart() -> None:
    if sys.platform != "win32":
        be_told_apart("io.github.attune.Attune")


def test_the_number_of_a_process_is_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["-psn_0_12345", "--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("attune ")


def test_to_say_the_version_takes_no_qt() -> None:
    root = Path(__file__).parents[2]
    said = (
        "import sys\nfrom desktop.__main__ import main\n"
        "try:\n    main(['-psn_1', '--version'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.startswith(('PySide6', 'llama_cpp'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")
