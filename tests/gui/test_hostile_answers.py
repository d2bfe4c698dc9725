"""A short form of the run over hostile answers, and what it once found."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from benchmarks.reliability.payloads import FRAME_SECONDS, display
from benchmarks.reliability.reading import Watch
from desktop.markdown import MAX_LINE, PORTION, portion
from desktop.style.tokens import look_for
from desktop.widgets.reader import Reader


@pytest.fixture
def reader(qtbot: QtBot) -> Reader:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    reader = Reader(look_for(app.palette(), font=app.font(), zoom=0))
    qtbot.addWidget(reader)
    return reader


@pytest.mark.slow
def test_hostile_answers_open_and_call_nothing_and_hold_nothing_up() -> None:
    found = display(range(0, 275, 7), count=275, seed=1)
    assert len(found) == 40
    assert [(case.number, case.offences) for case in found if case.offences] == []
    times = [case.seconds for case in found if case.seconds is not None]
    assert len(times) == 8
    # Twice the target, since this machine may be busy.
    assert max(times) < 2 * FRAME_SECONDS


def test_the_watch_of_that_run_sees_files_while_it_is_told_to() -> None:
    watch = Watch()
    watch.begin()
    with open(os.devnull, "rb"):
        os.listdir("/")
    seen = watch.end()
    assert [line.split()[0] for line in seen] == ["open", "os.listdir"]
    os.listdir("/")
    assert watch.end() == seen


def read(source: str) -> tuple[str, list[int]]:
    """All text, and how many characters were read at a time."""
    lengths, shown = [], ""
    while source:
        found, length = portion(source)
        assert length > 0
        for passage in found:
            for block in passage.blocks:
                shown += "".join(span.text for span in getattr(block, "spans", ()))
        lengths.append(length)
        source = source[length:]
    return shown, lengths


@pytest.mark.parametrize("letters", ["x", "<div>"])
def test_a_line_without_end_is_read_in_portions_and_completely(letters: str) -> None:
    line = letters * (100_000 // len(letters))
    shown, lengths = read(line)
    assert max(lengths) <= MAX_LINE
    assert shown == line


def test_what_stands_before_a_line_without_end_is_read_as_ever() -> None:
    found, length = portion("# Title\n\nText.\n\n" + "x" * 50_000)
    assert length == len("# Title\n\nText.\n\n")
    assert len(found) == 2
    assert portion("x" * (MAX_LINE + 1))[1] == PORTION


@pytest.mark.parametrize("address", ["http://a@b:99999", "http://%zz", "http://["])
def test_an_address_that_is_none_is_not_asked_about(reader: Reader, address: str) -> None:
    asked: list[str] = []
    reader.link_chosen.connect(asked.append)
    reader.anchorClicked.emit(QUrl(address))
    assert asked == []
    reader.anchorClicked.emit(QUrl("https://example.org/"))
    assert asked == ["https://example.org/"]
