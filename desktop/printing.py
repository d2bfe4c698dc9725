"""A chat as a PDF: typeset as on the page, always on white, in pieces that each take little time.

Runs on a thread of its own. Nothing that a text names is loaded, and the file is somebody else's
business: what comes of it are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import (
    QBuffer,
    QDate,
    QIODevice,
    QLocale,
    QMarginsF,
    QRectF,
    QSizeF,
    Qt,
)
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)

from desktop.chat_words import title
from desktop.languages import tr
from desktop.markdown import portion
from desktop.prose import LONGEST_NAME, Paragraph, Span, brief
from desktop.style import tokens
from desktop.style.tokens import Look, look_for, own_palette
from desktop.widgets.ground import paint_ground
from desktop.widgets.reader import InertDocument
from desktop.widgets.typesetter import Typesetter, wrapping
from engine.api import ChatMessage, OpenChat

DOTS = 96
"""Of the paper per inch: what the sizes of the page are made for. Letters are drawn as curves."""

MARGIN = 18.0
"""Millimetres on each side of the paper."""

FOOT = 36
"""Dots below the text in which the line with the page's number stands."""

LONGEST = 2_000
"""Characters of a paragraph of a question: laying out a huge one takes long."""

_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")

_T = QLocale.Country
_LETTER = frozenset({
    _T.Belize, _T.Canada, _T.Chile, _T.Colombia, _T.CostaRica, _T.ElSalvador, _T.Guatemala,
    _T.Mexico, _T.Nicaragua, _T.Panama, _T.Philippines, _T.PuertoRico, _T.UnitedStates,
    _T.Venezuela,
})  # fmt: skip
"""Where paper is US Letter (Unicode CLDR, "paperSize"); elsewhere it is A4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a chat is printed on.

    look   dark on white, whatever the window's is
    size   of the sheet
    names  of models, by id
    """

    look: Look
    size: QPageSize.PageSizeId
    names: Mapping[str, str]


def paper(names: Mapping[str, str]) -> Paper:
    """The paper of the owner's country, with the system's fonts. On the GUI thread."""
    letter = QLocale().territory() in _LETTER
    return Paper(
        look=look_for(own_palette(dark=False), font=QGuiApplication.font(), zoom=0),
        size=QPageSize.PageSizeId.Letter if letter else QPageSize.PageSizeId.A4,
        names=names,
    )


def printed(opened: OpenChat, *, on: Paper) -> Iterator[bytes]:
    """The current branch of a chat as a PDF: b"" after each piece of the work, then the file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = _writer(buffer, opened, on)
    document = _document(writer)
    for _ in _Setter(document, on).set(opened):
        yield b""
    for _ in _draw(document, writer, opened, on):
        yield b""
    yield bytes(buffer.data().data())


class _Setter:
    """Fills a document, a piece at a time."""

    def __init__(self, document: InertDocument, on: Paper) -> None:
        self._cursor, self._look, self._names = QTextCursor(document), on.look, on.names
        self._typesetter = Typesetter(self._cursor, on.look, [], copies=False)

    def set(self, opened: OpenChat) -> Iterator[None]:
        """All of a chat; each step takes little time."""
        look = self._look
        strong = tokens.strong(look.body, scale=tokens.HEADINGS[0])
        self._line(title(opened.chat), strong, look.text, above=0)
        self._line(_day(opened.chat.created), look.small, look.muted, above=tokens.GAP_SMALL)
        for message in opened.messages:
            yield from self._question(message) if message.role == "user" else self._answer(message)

    def _question(self, message: ChatMessage) -> Iterator[None]:
        """As it was typed, in strong letters."""
        above = tokens.TURN_GAP
        for text in _PARAGRAPHS.split(message.text.strip()):
            for at in range(0, len(text), LONGEST):
                span = Span(text=text[at : at + LONGEST].replace("\ufffc", ""), bold=True)
                self._typesetter.write((Paragraph(spans=(span,)),))
                shape = self._cursor.blockFormat()
                shape.setTopMargin(above)
                self._cursor.setBlockFormat(shape)
                above = 0
                yield

    def _answer(self, message: ChatMessage) -> Iterator[None]:
        """Who answered, and the Markdown."""
        name = self._names.get(message.model, message.model)
        said = brief(name, longest=LONGEST_NAME) or tr("Answer")
        if message.state != "whole":
            said = tr("{0}, not finished").format(said)
        self._line(said, self._look.small, self._look.muted, above=tokens.GAP)
        rest = message.text.replace("\r\n", "\n").replace("\r", "\n")
        while rest:
            passages, length = portion(rest)
            rest = rest[length:]
            for passage in passages:
                self._typesetter.write(passage.blocks)
                yield

    def _line(self, text: str, font: QFont, colour: QColor, *, above: int) -> None:
        """A line of ours."""
        shape, char = QTextBlockFormat(), QTextCharFormat()
        shape.setTopMargin(above)
        shape.setBottomMargin(tokens.GAP_SMALL)
        char.setFont(font)
        char.setForeground(colour)
        if self._cursor.document().isEmpty():
            self._cursor.setBlockFormat(shape)
        else:
            self._cursor.insertBlock(shape, char)
        self._cursor.insertText(text, char)


def _writer(buffer: QBuffer, opened: OpenChat, on: Paper) -> QPdfWriter:
    writer = QPdfWriter(buffer)
    writer.setResolution(DOTS)
    writer.setPageSize(QPageSize(on.size))
    margins = QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN)
    writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
    writer.setTitle(title(opened.chat))
    writer.setCreator("Attune")
    return writer


def _document(writer: QPdfWriter) -> InertDocument:
    """As wide as the paper, with room for the foot."""
    document = InertDocument()
    document.setUndoRedoEnabled(False)
    document.setUseDesignMetrics(True)  # widths of letters as on paper, not as on a screen
    document.setDefaultTextOption(wrapping())
    document.documentLayout().setPaintDevice(writer)
    document.setDocumentMargin(0)
    document.setPageSize(QSizeF(writer.width(), writer.height() - FOOT))
    shape = document.rootFrame().frameFormat()
    shape.setLeftMargin(tokens.INSET)
    shape.setRightMargin(tokens.INSET)
    document.rootFrame().setFrameFormat(shape)
    return document


def _draw(
    document: InertDocument, writer: QPdfWriter, opened: OpenChat, on: Paper
) -> Iterator[None]:
    """One page after the other."""
    painter = QPainter(writer)
    try:
        pages = document.pageCount()
        for page in range(pages):
            if page:
                writer.newPage()
            _draw_page(painter, document, on.look, page)
            _draw_foot(painter, document, on.look, title(opened.chat), page=page, pages=pages)
            yield
    finally:
        painter.end()


def _draw_page(painter: QPainter, document: InertDocument, look: Look, page: int) -> None:
    size = document.pageSize()
    exposed = QRectF(0, page * size.height(), size.width(), size.height())
    painter.save()
    painter.translate(0, -exposed.top())
    painter.setClipRect(exposed)
    paint_ground(painter, document, look, exposed=exposed)
    context = QAbstractTextDocumentLayout.PaintContext()
    context.clip = exposed
    document.documentLayout().draw(painter, context)
    painter.restore()


def _draw_foot(
    painter: QPainter, document: InertDocument, look: Look, text: str, *, page: int, pages: int
) -> None:
    """What it is, and the number of the page."""
    size = document.pageSize()
    foot = QRectF(tokens.INSET, size.height() + FOOT / 2, size.width() - 2 * tokens.INSET, FOOT / 2)
    number = tr("Page {0} of {1}").format(QLocale().toString(page + 1), QLocale().toString(pages))
    metrics = QFontMetricsF(look.small, painter.device())
    room = foot.width() - metrics.horizontalAdvance(number) - tokens.GAP_WIDE
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    painter.setFont(look.small)
    painter.setPen(look.muted)
    painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, shown)
    painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, number)


def _day(at: float) -> str:
    try:
        day = datetime.fromtimestamp(at)
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return ""
    shown = QDate(day.year, day.month, day.day)
    return QLocale().toString(shown, QLocale.FormatType.LongFormat)
