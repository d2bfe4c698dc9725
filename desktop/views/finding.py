"""Words found in the chat that is open, also while an answer is being written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit, QWidget
from shiboken6 import isValid

from desktop.prose import brief
from desktop.style.tokens import Look
from desktop.views.menus import Menus
from desktop.views.page import Page
from desktop.widgets.composer import Composer
from desktop.widgets.find_line import FindLine
from desktop.widgets.reader import Reader
from desktop.widgets.typesetter import COPY

MOST = 1_000
"""Places that are marked: more of them would take long to paint, and tell nobody anything."""

REST = 100
"""Milliseconds between two looks at an answer that is being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in one text, as it was at this revision."""

    wanted: str
    revision: int
    cursors: tuple[QTextCursor, ...]


class Finding(QObject):
    """Joins the line to the page.

    told(str)  where one is now, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(
        self, *, window: QWidget, page: Page, composer: Composer, menus: Menus, look: Look
    ) -> None:
        super().__init__(window)
        self._page, self._composer, self._menus = page, composer, menus
        self.line = FindLine(look)
        self._found: dict[Reader, Found] = {}
        self._places: list[tuple[Reader, QTextCursor]] = []
        self._now: tuple[Reader, int] | None = None
        self._soon = QTimer(self, singleShot=True, interval=REST)
        self._soon.timeout.connect(self._look_again)
        page.put_above(self.line)
        page.painted.connect(self._painted)
        self.line.searched.connect(self._search)
        self.line.stepped.connect(self.step)
        self.line.left.connect(self.leave)
        menus.on(menus.find, self.begin)
        menus.on(menus.find_next, lambda: self._go_on(1))
        menus.on(menus.find_previous, lambda: self._go_on(-1))

    @property
    def open(self) -> bool:
        return not self.line.isHidden()

    def begin(self) -> None:
        """Show the line, and search for what it held the last time."""
        self._menus.chat.trigger()
        if not self.open:
            self._page.show_above(shown=True)
            self._search()
        self.line.begin()

    def step(self, step: int) -> None:
        """To the next place, or the one before, round and round."""
        self._look_again()
        if self._places:
            self._go((self._place + step) % len(self._places))
            self._tell()

    def close(self) -> None:
        """Nothing is marked any more."""
        self._page.show_above(shown=False)
        _unmark(self._found)
        self._found, self._places, self._now = {}, [], None

    def leave(self) -> None:
        """Close, and give the keyboard back to the question."""
        self.close()
        self._composer.setFocus()

    # How it is done ---------------------------------------------------------------------

    def _go_on(self, step: int) -> None:
        if self.open and self.line.wanted:
            self._menus.chat.trigger()
            self.step(step)
        else:
            self.begin()

    def _search(self, _: str = "") -> None:
        """Something else is searched for: from what is on the screen onwards."""
        self._now = None
        self._look_again()
        if self._places:
            seen = (place for place in range(len(self._places)) if self._below(place))
            self._go(next(seen, len(self._places) - 1))
        if self.line.wanted:
            self._tell()

    def _painted(self) -> None:
        if self.open and not self._soon.isActive():
            self._soon.start()

    def _look_again(self) -> None:
        """What is on the page may be another text."""
        if not self.open:
            return
        wanted, before, place = self.line.wanted, self._found, self._place
        self._found, self._places = {}, []
        for reader in self._page.readers:
            known, revision = before.get(reader), reader.document().revision()
            if known is None or (known.wanted, known.revision) != (wanted, revision):
                cursors = _find(reader.document(), wanted)
                known = Found(wanted=wanted, revision=revision, cursors=cursors)
            self._found[reader] = known
            self._places += [(reader, cursor) for cursor in known.cursors]
        _unmark(reader for reader in before if reader not in self._found)
        del self._places[MOST:]
        if self._places and self._place < 0:  # it is gone: the one that came up for it is near
            reader, cursor = self._places[min(max(place, 0), len(self._places) - 1)]
            self._now = reader, cursor.selectionStart()
        self._mark()

    @property
    def _place(self) -> int:
        """Which place one is at; -1 before the first."""
        for place, (reader, cursor) in enumerate(self._places):
            if (reader, cursor.selectionStart()) == self._now:
                return place
        return -1

    def _go(self, place: int) -> None:
        reader, cursor = self._places[place]
        self._now = reader, cursor.selectionStart()
        self._mark()
        self._page.show_place(reader, reader.cursorRect(cursor))

    def _below(self, place: int) -> bool:
        """It is on the screen, or below what is."""
        reader, cursor = self._places[place]
        return self._page.place_of(reader, reader.cursorRect(cursor)) >= 0

    def _mark(self) -> None:
        marks: dict[Reader, list[QTextEdit.ExtraSelection]] = {r: [] for r in self._found}
        for reader, cursor in self._places:
            here = (reader, cursor.selectionStart()) == self._now
            marks[reader].append(_marked(cursor, self.line.look, here=here))
        for reader, selections in marks.items():
            reader.setExtraSelections(selections)
        self.line.show_count(self._place + 1, len(self._places), most=MOST)

    def _tell(self) -> None:
        """Where one is, with the words around it."""
        said, place = self.line.count.text(), self._place
        if place >= 0:
            around = brief(self._places[place][1].block().text())
            said = self.tr("{0}: {1}").format(said, around)
        self.told.emit(said)


def _find(document: QTextDocument, wanted: str) -> tuple[QTextCursor, ...]:
    """Where it stands, in large letters or small; our own words on a code panel are no text."""
    found: list[QTextCursor] = []
    cursor = document.find(wanted, 0) if wanted else QTextCursor()
    while not cursor.isNull() and len(found) < MOST:
        if not cursor.charFormat().anchorHref().startswith(COPY):
            found.append(cursor)
        cursor = document.find(wanted, cursor)
    return tuple(found)


def _unmark(readers: Iterable[Reader]) -> None:
    """Of texts that are on the page no more, some are hidden, and some are no more at all."""
    for reader in filter(isValid, readers):
        reader.setExtraSelections([])


def _marked(cursor: QTextCursor, look: Look, *, here: bool) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    selection.format.setBackground(look.accent if here else look.selection)
    selection.format.setForeground(look.on_accent if here else look.text)
    return selection
