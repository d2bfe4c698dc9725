"""Tooltips show texts as they are: nothing in them is read as markup, or shown as an entity."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as Gui
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.prose import hint
from desktop.style.tokens import Look, look_for
from desktop.widgets.chips import Chips
from desktop.widgets.elided import ElidedLabel
from desktop.widgets.entries import Entry, EntryRow, Verb
from desktop.widgets.log_table import Line, LogTable
from desktop.widgets.tick_row import TickRow

NAMES = ("Lost & found", "<b>bold</b>", "Tom's <img src='file:///etc/hostname'>", 'a "b"')


@pytest.fixture
def look(qapp: QApplication) -> Look:
    return look_for(qapp.palette(), font=qapp.font(), zoom=0)


def read(tooltip: str) -> str:
    """What is seen of a tooltip."""
    if not Gui.mightBeRichText(tooltip):
        return tooltip
    document = QTextDocument()
    document.setHtml(tooltip)
    return document.toPlainText()


def elided(name: str, _: Look) -> str:
    label = ElidedLabel()
    label.setText(name)
    label.resize(10, 20)
    label.grab()
    return label.toolTip()


def ticked(name: str, look: Look) -> str:
    row = TickRow(look)
    row.show_row(name, "", ticked=False)
    return row.toggle.toolTip()


def chip(name: str, _: Look) -> str:
    chips = Chips()
    chips.show_words((name,), full=False, resting=False)
    return next(part.toolTip() for part in chips.findChildren(QWidget) if part.toolTip())


def row(name: str, look: Look) -> str:
    shown = EntryRow(Entry(id="a", name="A", facts="1 MB", hint=name), look)
    return shown.facts.toolTip()


def verb(name: str, look: Look) -> str:
    verbs = (Verb(id="use", text="Use it", told="Use A", why=name),)
    shown = EntryRow(Entry(id="a", name="A", verbs=verbs), look)
    return shown.buttons["use"].toolTip()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [elided, ticked, chip, row, verb])
def test_a_name_is_seen_as_it_is(
    qtbot: QtBot, look: Look, make: Callable[[str, Look], str], name: str
) -> None:
    assert name in read(make(name, look))


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_the_log_is_seen_as_it_is(qtbot: QtBot, look: Look, name: str) -> None:
    table = LogTable(("When", "What for"), look, name="Log")
    qtbot.addWidget(table)
    table.show_lines([Line(cells=("now", name), told=name)])
    tooltip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert read(tooltip) == name


def test_no_text_is_no_tooltip() -> None:
    assert hint("") == ""
    assert unescape(hint("a & b")) == "<qt>a & b</qt>"
