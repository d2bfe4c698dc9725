"""Hostile and ordinary Markdown: nothing is loaded, nothing is opened, nothing is lost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextFormat, QTextList
from PySide6.QtWidgets import QApplication, QMessageBox, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop import highlight
from desktop.actions import links
from desktop.highlight import LANGUAGES, PLAIN, coloured
from desktop.markdown import passages, portion
from desktop.prose import (
    Code,
    Paragraph,
    Passage,
    Table,
    plain,
    web_address,
)
from desktop.style.tokens import look_for
from desktop.widgets.reader import Reader

HOSTILE = [
    "![secret](file:///etc/passwd)",
    "![secret](http://example.org/track.png)",
    "![secret](//server/share/x.png)",
    "![secret](\\\\server\\share\\x.png)",
    "<img src='file:///etc/passwd'>",
    "<script>alert(1)</script>",
    "<iframe src='http://example.org'></iframe>",
    "<style>@import url(http://example.org/x.css)</style>",
    "<table background='file:///etc/passwd'><tr><td>x</td></tr></table>",
    "[secret](javascript:alert(1))",
    "[secret](file:///etc/passwd)",
    "[secret](data:text/html,x)",
    "[secret](//server/share)",
    "[secret](copy:0)",
    "[secret](mailto:a@b.c)",
    "<javascript:alert(1)>",
    "[secret]\n\n[secret]: file:///etc/passwd",
    "&lt;img src=x&gt;",
    "`<img src='file:///etc/passwd'>`",
    "```html\n<img src='file:///etc/passwd'>\n```",
    "\ufffc",
    "a\x00b",
]


def spans(passage: Passage) -> str:
    block = passage.blocks[0]
    assert isinstance(block, Paragraph)
    return "".join(span.text for span in block.spans)


@pytest.fixture
def reader(qtbot: QtBot) -> Reader:
    """A reader in a scrolling page of the usual size."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    page, inside = QScrollArea(), QWidget()
    reader = Reader(look_for(app.palette(), font=app.font(), zoom=0))
    column = QVBoxLayout(inside)
    column.addWidget(reader)
    column.addStretch()
    page.setWidget(inside)
    page.setWidgetResizable(True)
    page.resize(640, 700)
    qtbot.addWidget(page)
    page.show()
    reader.page = page  # type: ignore[attr-defined]  # kept as long as the reader
    return reader


def show(reader: Reader, source: str) -> str:
    reader.show_markdown(source)
    while reader.advance():
        pass
    return reader.toPlainText()


def hrefs(reader: Reader) -> set[str]:
    found = set()
    block = reader.document().begin()
    while block.isValid():
        found |= {f.format.anchorHref() for f in block.textFormats()}
        block = block.next()
    return found - {""}


def has_image(reader: Reader) -> bool:
    return any(
        form.objectType() == QTextFormat.ObjectTypes.ImageObject.value
        for form in reader.document().allFormats()
    )


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_text_is_only_text(
    source: str, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    show(reader, source)
    QApplication.processEvents()
    assert not has_image(reader)
    assert {h for h in hrefs(reader) if not h.startswith("copy:")} == set()
    assert opened == []


def test_images_are_their_alternative_text(reader: Reader) -> None:
    assert show(reader, "See ![a *cat*](file:///cat.png).") == "See a cat."


def test_nothing_can_be_loaded(reader: Reader, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    url = QUrl.fromLocalFile(str(secret))
    reader.document().setHtml(f'<img src="{url.toString()}">')
    for kind in range(1, 5):
        assert not reader.loadResource(kind, url)
        assert not reader.document().resource(kind, url)
    reader.setSource(url)
    assert "secret" not in reader.toPlainText()


def test_raw_html_is_shown_as_it_is(reader: Reader) -> None:
    assert "<b>not bold</b>" in show(reader, "x <b>not bold</b>")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/a?b=c", True),
        ("http://example.org", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("//server/share", False),
        ("\\\\server\\share", False),
        ("http:relative", False),
        ("http://[broken", False),
        ("copy:0", False),
        ("", False),
    ],
)
def test_only_links_to_the_web_are_kept(address: str, kept: bool) -> None:
    assert bool(web_address(address)) is kept


def test_a_link_is_shown_whole_and_opened_only_on_consent(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    opened: list[str] = []
    told: list[str] = []
    choice = QMessageBox.ButtonRole.RejectRole

    def answer(box: QMessageBox) -> int:
        told.append(box.informativeText())
        assert box.textFormat().name == "PlainText"
        next(b for b in box.buttons() if box.buttonRole(b) == choice).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    links.open_link("https://exаmple.org/<b>", parent=parent)  # a Cyrillic letter in it
    assert opened == []
    assert "xn--" in told[0]
    choice = QMessageBox.ButtonRole.AcceptRole
    links.open_link("https://example.org/x", parent=parent)
    assert opened == ["https://example.org/x"]
    links.open_link("file:///etc/passwd", parent=parent)
    assert len(told) == 2


def test_characters_that_reverse_text_are_taken_out() -> None:
    assert plain("a\u202eb\u2066c\u200f") == "abc"
    assert spans(passages("[x\u202ey](http://e.org)")[0]) == "xy"
    code = passages("```\nif\u202e x\n```")[0].blocks[0]
    assert isinstance(code, Code)
    assert code.text == "if x"
    # Marks that right-to-left writing needs stay where nothing is to be trusted.
    assert spans(passages("a\u200fb")[0]) == "a\u200fb"


def test_a_huge_table_is_shown_as_its_source() -> None:
    small = passages("|a|b|\n|-|-:|\n|1|2|")[0].blocks[0]
    assert isinstance(small, Table)
    assert small.aligns == ("left", "right")
    large = passages("|a|b|\n|-|-|\n" + "|x|y|\n" * 5000)[0].blocks
    assert [type(block) for block in large] == [Code]
    wide = passages("|" + "a|" * 40 + "\n|" + "-|" * 40 + "\n|" + "b|" * 40)[0].blocks
    assert [type(block) for block in wide] == [Code]


ORDINARY = """# Title

Text with **bold**, *italic*, ~~gone~~, `code` and [a link](http://e.org).
Second line.

1. one
2. two
   - inner

   more of two
7. seven

> quote
> - item

| a | b |
|:--|--:|
| 1 | 2 |

---

```python
def f() -> int:
    return 1
```

    indented

Last words."""


def test_streaming_by_letters_ends_as_reading_at_once(qtbot: QtBot, reader: Reader) -> None:
    for end in range(0, len(ORDINARY) + 1, 7):
        show(reader, ORDINARY[:end])
    streamed = show(reader, ORDINARY)
    before = shape(reader)
    reader.set_look(reader._look)
    assert show(reader, ORDINARY) == streamed
    assert shape(reader) == before
    assert "Last words." in streamed


def shape(reader: Reader) -> list[tuple[object, ...]]:
    """What each block looks like."""
    found: list[tuple[object, ...]] = []
    block = reader.document().begin()
    while block.isValid():
        form, item = block.blockFormat(), cast("QTextList | None", block.textList())
        mark = item.itemText(block) if item is not None else ""
        margins = (form.leftMargin(), form.topMargin(), form.bottomMargin(), form.lineHeight())
        found.append((block.text(), mark, form.headingLevel(), margins))
        block = block.next()
    return found


def test_reading_in_portions_loses_nothing() -> None:
    source = "".join(f"word{i} word\n\n- item {i}\n- other\n\n" for i in range(700))
    rest, words = source, []
    while rest:
        found, length = portion(rest)
        assert length > 0
        for passage in found:
            for block in passage.blocks:
                assert isinstance(block, Paragraph)
                words.append("".join(span.text for span in block.spans))
        rest = rest[length:]
    assert len(words) == 2100


LARGE = {
    "prose": "Some **bold** text with `code` and [a link](http://e.org/x) in it.\n\n- a\n- b\n\n"
    * 300,
    "code": "```python\n" + "def f(x): return x + 1\n" * 900 + "```\n",
    "table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 2_000,
    "brackets": "[" * 5_000,
}


@pytest.mark.parametrize("source", LARGE.values(), ids=LARGE.keys())
def test_a_long_answer_is_written_in_slices_and_completely(source: str, reader: Reader) -> None:
    reader.show_markdown(source + "\n\nthe very end")
    slices = 1
    while reader.advance():
        slices += 1
        assert slices < 10_000
    assert reader.toPlainText().rstrip().endswith("the very end")
    # One block is never split, so only a text of many blocks takes several slices.
    assert slices > 1 or source.count("\n\n") < 10


def test_little_is_read_at_a_time() -> None:
    for kind in ("prose", "quotes", "list"):
        source = {**LARGE, "quotes": "> hi there\n" * 900, "list": "- item **one**\n" * 900}[kind]
        assert 0 < portion(source)[1] < 6_500


def test_a_long_line_that_can_still_be_read_at_once_is(reader: Reader) -> None:
    text = show(reader, "**word** " * 1_000)
    assert "*" not in text


def test_code_is_coloured_and_complete() -> None:
    pieces = coloured("x = 'a'  # b", language="python", style="xcode")
    assert "".join(text for text, _ in pieces) == "x = 'a'  # b"
    assert any(ink.colour for _, ink in pieces)


HOSTILE_CODE = {
    "blank lines": " \n" * 4_000,
    "quotes": ('\\"' * 200 + "\n") * 19,
    "line ends": "\n" * 8_000,
    "brackets": ("([{<" * 99 + "\n") * 20,
}


@pytest.mark.parametrize("code", HOSTILE_CODE.values(), ids=HOSTILE_CODE.keys())
def test_colours_never_hold_the_window_up(code: str) -> None:
    for language in sorted(LANGUAGES):
        coloured("warm", language=language, style="xcode")
        begun = time.thread_time()
        pieces = coloured(code, language=language, style="xcode")
        # The deadline is a tenth of this; without it many a lexer takes longer.
        assert time.thread_time() - begun < 0.4, language
        assert "".join(text for text, _ in pieces) == code


def test_what_takes_longer_than_the_deadline_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlight, "DEADLINE", -1.0)
    code = "late = 'too late'"
    assert [text for text, _ in coloured(code, language="python", style="xcode")] == [code]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_is_known_and_coloured(language: str) -> None:
    sample = "<?php\n" if language == "php" else "a: [1]\n<a>&amp;</a>\nif (x) { return 'b'; }\n"
    assert any(ink != PLAIN for _, ink in coloured(sample, language=language, style="xcode"))


@pytest.mark.parametrize("language", ["makefile", "diff", "console", "nix", "groovy"])
def test_languages_whose_lexers_dawdle_are_plain(language: str) -> None:
    code = "+ a = 1\n- b: c\n"
    assert coloured(code, language=language, style="xcode") == ((code, PLAIN),)


def test_long_lines_and_long_code_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlight, "DEADLINE", 60.0)
    fits = "x = 1\n" * 1_000
    assert len(coloured(fits, language="Python", style="xcode")) > 1
    for code in (fits * 2, fits + "y" * 401):
        assert coloured(code, language="python", style="xcode") == ((code, PLAIN),)


@pytest.mark.parametrize("language", ["", "klingon", "../../etc", "python" * 50])
def test_code_of_an_unknown_language_is_plain(language: str) -> None:
    assert [text for text, _ in coloured("x = 1", language=language, style="xcode")] == ["x = 1"]
