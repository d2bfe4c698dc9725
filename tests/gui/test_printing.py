"""A chat on paper: all of it, nothing that a text asks for, a whole file or none."""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QDate, QLocale
from PySide6.QtGui import QPageSize, QPalette
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop import printing
from desktop.chats import CHATS
from desktop.style.tokens import own_palette
from desktop.views.window import Window
from desktop.widgets.reader import InertDocument
from tests.gui.scripted_chats import ScriptedChats
from tests.gui.scripted_engine import ScriptedEngine
from tests.gui.test_chats import filled, reopened

NAMES = {"smollm2-135m": "SmolLM2 135M"}
HOSTILE = (
    "![x](file:///etc/passwd) ![y](http://203.0.113.1/a.png) <img src='file:///etc/hostname'> "
    "[go](javascript:alert(1)) [away](file:///etc/passwd) [web](https://example.org/basil)\n\n"
    "```copy:0\ncode\n```\n\n\ufffc\x00<a href='file:///etc/passwd'>z</a>"
)


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[ScriptedChats]:
    chats = ScriptedChats(tmp_path)
    yield chats
    chats.close()


def file_of(chats: ScriptedChats, id: str) -> bytes:
    *pieces, content = printing.printed(chats.open(id), on=printing.paper(NAMES))
    assert set(pieces) <= {b""}
    return content


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def streams(content: bytes) -> list[bytes]:
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    return [_unpacked(stream) for stream in found]


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def letters(content: bytes) -> set[str]:
    """Every letter that is on the paper: an embedded font holds those alone, and names them."""
    maps = [stream for stream in streams(content) if b"begincmap" in stream]
    words = re.findall(rb"<([0-9A-Fa-f]{4,})>\s*(?:\n|\]|endbf|$|(?=<))", b"\n".join(maps))
    return {bytes.fromhex(word.decode()).decode("utf-16-be", "replace") for word in words}


# What is on it ------------------------------------------------------------------------------


def test_the_file_is_a_pdf_that_brings_its_letters_and_its_title(chats: ScriptedChats) -> None:
    content = file_of(chats, chats.put("Basil", ["How?", "Wäter ☂ it."]))
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in content
    assert "Basil".encode("utf-16-be") in content
    assert pages(content) == 1


def test_title_questions_answers_and_the_number_of_the_page_are_on_it(
    chats: ScriptedChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "# Head\n\n- one\n\n> two\n\n```python\nthree\n```\n\n| four |\n|---|\n| five |\n\n**six**"
    )
    text = text_of(chats, chats.put("Basil <b>", ["How?\nNow\n\nor later", said, "And?", "So."]))
    for words in (
        "Basil <b>", "How?\nNow\nor later", "SmolLM2 135M\nHead\none\ntwo\npython   \nthree\n",
        "four\nfive", "six\nAnd?\nSmolLM2 135M\nSo.",
    ):  # fmt: skip
        assert words in text
    assert QLocale().toString(QDate.currentDate(), LONG) in text
    assert "Copy code" not in text
    drawn: list[str] = []
    monkeypatch.setattr(printing, "_draw_foot", lambda *_, page, pages: drawn.append(f"{page}"))
    file_of(chats, chats.put("Long", ["Q", "A line.\n\n" * 200]))
    assert drawn == [str(page) for page in range(len(drawn))]
    assert len(drawn) > 3


def test_an_answer_that_was_cut_says_so(chats: ScriptedChats) -> None:
    question = chats.ask("Q")
    chats.begin_answer(question.id, model="smollm2-135m")
    assert "SmolLM2 135M, not finished" in text_of(chats, question.chat)


LONG = QLocale.FormatType.LongFormat


def text_of(chats: ScriptedChats, id: str) -> str:
    """What is typeset, a line for each paragraph."""
    on, opened = printing.paper(NAMES), chats.open(id)
    writer = printing._writer(QBuffer(), opened, on)
    document = printing._document(writer)
    for _ in printing._Setter(document, on).set(opened):
        pass
    return document.toPlainText()


def test_letters_of_every_text_are_in_the_file(chats: ScriptedChats) -> None:
    found = letters(file_of(chats, chats.put("Ωmega", ["Жук?", "Ünd **ß**\n\n```\n€§\n```"])))
    assert set("ΩЖÜß€§") <= found
    assert "ŷ" not in found


# What a text cannot do ----------------------------------------------------------------------


def test_a_hostile_text_loads_nothing_and_leads_to_the_web_at_most(
    chats: ScriptedChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    load = InertDocument.loadResource

    def watched(document: InertDocument, kind: int, name: str) -> object:
        asked.append(name)
        return load(document, kind, name)

    monkeypatch.setattr(InertDocument, "loadResource", watched)
    content = file_of(chats, chats.put("<img src='file:///etc/passwd'>", [HOSTILE, HOSTILE]))
    assert asked == []
    assert re.findall(rb"/URI \((.*?)\)", content) == [b"https://example.org/basil"]
    assert b"root:" not in b"".join([content, *streams(content)])
    assert b"/JavaScript" not in content
    assert b"/EmbeddedFile" not in content


@pytest.mark.parametrize(
    "text", ["\n\n.\n\n", "\x00 \ufffc", "x" * 30_000, "a\n" * 3_000, "\ud83d\ude00"]
)
def test_odd_texts_are_printed_in_short_steps(chats: ScriptedChats, text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    steps = list(printing.printed(chats.open(chats.put("T", [text, text])), on=printing.paper({})))
    assert steps[-1].startswith(b"%PDF-")
    assert len(steps) > len(text) / printing.LONGEST / 4


def test_it_is_dark_on_white_in_a_dark_window(chats: ScriptedChats) -> None:
    QApplication.setPalette(own_palette(dark=True))
    try:
        look = printing.paper(NAMES).look
    finally:
        QApplication.setPalette(QPalette())
    assert not look.dark
    assert look.page.lightness() > 250


@pytest.mark.parametrize(
    ("country", "size", "box"),
    [("en_US", "Letter", (612, 792)), ("fr_CA", "Letter", (612, 792)), ("de_DE", "A4", (595, 842))],
)
def test_the_sheet_is_the_one_of_the_country(
    chats: ScriptedChats, country: str, size: str, box: tuple[int, int]
) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(country))
    try:
        on = printing.paper(NAMES)
        *_, content = printing.printed(chats.open(chats.put("T", ["Q", "A"])), on=on)
    finally:
        QLocale.setDefault(before)
    assert on.size == QPageSize.PageSizeId[size]
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert found is not None
    assert tuple(round(float(side)) for side in found.groups()) == box


def test_a_date_that_no_calendar_has_is_left_out() -> None:
    assert printing._day(float("nan")) == printing._day(1e300) == ""
    assert "1970" in printing._day(86_400.0)


# The file, from the window ------------------------------------------------------------------


def printing_to(target: Path, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    def pick(parent: object, title: str, name: str, kinds: str, *_: object) -> tuple[str, str]:
        return str(target), kinds.split(";;")[2]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", pick)
    window.menus.export.trigger()


@pytest.fixture
def long(qtbot: QtBot, window: Window, engine: ScriptedEngine) -> None:
    chat = engine.kept.put_many("Basil", 40)
    filled(qtbot, window)
    reopened(qtbot, window, chat)


def said(window: Window) -> str:
    return window.chats.note.words.text()


@pytest.mark.usefixtures("long")
def test_a_chat_is_printed_from_the_menu_off_the_windows_thread(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: set[str] = set()
    set_, draw = printing._document, printing._draw_page

    def noted(*given: object, call: object = None) -> object:
        names.add(threading.current_thread().name)
        return (set_ if len(given) == 1 else draw)(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(printing, "_document", noted)
    monkeypatch.setattr(printing, "_draw_page", noted)
    printing_to(tmp_path / "out.md", window, monkeypatch)
    qtbot.waitUntil(lambda: said(window) == f"Exported to {tmp_path / 'out.pdf'}.", timeout=20_000)
    assert pages((tmp_path / "out.pdf").read_bytes()) > 3
    assert names == {CHATS}
    assert not (tmp_path / "out.md").exists()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("long")
def test_a_file_that_is_there_stays_as_it_is(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.pdf"
    target.write_text("mine")
    printing_to(target, window, monkeypatch)
    qtbot.waitUntil(lambda: "is there already" in said(window), timeout=20_000)
    assert target.read_text() == "mine"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("long")
def test_on_a_full_disk_there_is_a_sentence_and_no_half_file(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    printing_to(tmp_path / "out.pdf", window, monkeypatch)
    qtbot.waitUntil(lambda: "No space left on device" in said(window), timeout=20_000)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.usefixtures("long")
def test_closing_the_window_does_not_wait_for_the_rest_and_leaves_no_file(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, begun = [0], threading.Event()

    def endless(*_: object, on: object) -> Iterator[bytes]:
        while True:
            steps[0] += 1
            begun.set()
            yield b""

    monkeypatch.setattr("desktop.actions.chats.printed", endless)
    printing_to(tmp_path / "out.pdf", window, monkeypatch)
    assert begun.wait(10)
    window.close()
    assert not list(tmp_path.glob("out*"))
