"""Writes blocks of prose into a text document. No HTML is involved."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextOption,
    QTextTableCellFormat,
    QTextTableFormat,
)

from desktop.highlight import Ink, coloured
from desktop.prose import Block, Code, Item, Paragraph, Place, Rule, Span, Table
from desktop.style import tokens
from desktop.style.tokens import Look

PANEL = QTextFormat.Property.UserProperty + 1
"""Property of a block: the number of the code panel that it belongs to."""

QUOTE = QTextFormat.Property.UserProperty + 2
"""Property of a block: how deep in quotes it stands."""

COPY = "copy:"
"""Scheme of our own links in code panels; no link of a model can have it."""

MAX_DEPTH = 6
"""Nested deeper than this, lists and quotes are not indented any further."""

_PROPORTIONAL = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_FIXED = QTextBlockFormat.LineHeightTypes.FixedHeight.value
_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class Typesetter:
    """Appends to the end of one document.

    codes  the code blocks written so far; the links that copy them hold an index into this
    """

    def __init__(
        self, cursor: QTextCursor, look: Look, codes: list[str], *, copies: bool = True
    ) -> None:
        """copies  code has a link that copies it, which on paper would be of no use"""
        self._cursor, self._look, self.codes = cursor, look, codes
        self._copies = copies
        self._lists: dict[int, QTextList] = {}

    def write(self, blocks: Iterable[Block]) -> None:
        """Append one passage; list numbers count within it."""
        self._lists.clear()
        for block in blocks:
            match block:
                case Paragraph():
                    self._paragraph(block)
                case Code():
                    self._code(block)
                case Table():
                    self._table(block)
                case Rule():
                    self._rule(block)

    # Blocks -----------------------------------------------------------------------------

    def _paragraph(self, block: Paragraph) -> None:
        shape = self._shape(block.place, leading=tokens.LEADING)
        shape.setBottomMargin(3 if block.tight else tokens.PARAGRAPH_GAP)
        if block.level:
            shape.setHeadingLevel(block.level)
            shape.setTopMargin(tokens.PARAGRAPH_GAP)
            shape.setBottomMargin(tokens.GAP_SMALL + 2)
        self._begin(shape)
        base = self._heading(block.level) if block.level else self._char(self._look.body)
        if block.place.quote:
            base.setForeground(self._look.muted)
        if block.item is not None:
            self._cursor.setBlockCharFormat(base)  # the mark looks like this
            self._mark(block.item)
        self._spans(block.spans, base)

    def _code(self, block: Code) -> None:
        number = len(self.codes)
        self.codes.append(block.text)
        if self._copies or block.language:
            self._code_head(block, number)
        self._panel_block(block.place, number, top=tokens.GAP_SMALL, bottom=24)
        # An unfinished block changes with each paint: its colours can wait.
        language = "" if block.open and len(block.text) > 4_000 else block.language
        style = self._look.code_style
        for text, ink in coloured(block.text, language=language, style=style):
            self._cursor.insertText(text.replace("\n", "\u2028"), self._inked(ink))

    def _code_head(self, block: Code, number: int) -> None:
        """The language, and the link that copies."""
        label = QCoreApplication.translate("Typesetter", "Copy code")
        self._panel_block(block.place, number, top=tokens.PADDING, bottom=0)
        small = self._char(self._look.small)
        small.setForeground(self._look.muted)
        self._cursor.insertText(f"{block.language}   " if block.language else "", small)
        if self._copies:
            self._cursor.insertText(label, self._anchor(small, f"{COPY}{number}"))

    def _panel_block(self, place: Place, number: int, *, top: int, bottom: int) -> None:
        shape = self._shape(place, leading=tokens.CODE_LEADING)
        shape.setProperty(PANEL, number + 1)
        shape.setTopMargin(top)
        shape.setBottomMargin(bottom)
        shape.setNonBreakableLines(False)
        self._begin(shape)

    def _table(self, block: Table) -> None:
        rows, columns = len(block.rows), max(map(len, block.rows), default=0)
        if not rows or not columns:
            return
        shape = QTextTableFormat()
        shape.setBorder(0)
        shape.setCellSpacing(0)
        shape.setCellPadding(6)
        shape.setHeaderRowCount(1)
        after_code = self._cursor.blockFormat().hasProperty(PANEL)
        shape.setTopMargin(24 if after_code else 2)  # a panel is painted beyond its text
        shape.setBottomMargin(tokens.PADDING)
        shape.setBorderCollapse(True)
        shape.setLeftMargin(self._left(block.place))
        if self._cursor.document().isEmpty():
            self._vanish()
        table = self._cursor.insertTable(rows, columns, shape)
        for r, row in enumerate(block.rows):
            for c in range(columns):
                cell = table.cellAt(r, c)
                cell.setFormat(self._cell(header=r == 0, last=r == rows - 1))
                at = cell.firstCursorPosition()
                align = block.aligns[c] if c < len(block.aligns) else "left"
                line = QTextBlockFormat()
                line.setAlignment(_ALIGN[align])
                at.setBlockFormat(line)
                base = self._char(self._look.body, bold=r == 0)
                self._spans(row[c] if c < len(row) else (), base, at)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._vanish()

    def _cell(self, *, header: bool, last: bool) -> QTextTableCellFormat:
        shape = QTextTableCellFormat()
        if not last:
            shape.setBottomBorder(1)
            shape.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            colour = self._look.muted if header else self._look.line
            shape.setBottomBorderBrush(QBrush(colour))
        shape.setTopPadding(4)
        shape.setBottomPadding(4)
        shape.setLeftPadding(0)
        shape.setRightPadding(18)
        return shape

    def _rule(self, block: Rule) -> None:
        shape = self._shape(block.place, leading=100.0)
        shape.setProperty(
            QTextFormat.Property.BlockTrailingHorizontalRulerWidth,
            QTextLength(QTextLength.Type.PercentageLength, 100),
        )
        shape.setBackground(self._look.line)
        shape.setBottomMargin(tokens.PARAGRAPH_GAP)
        self._begin(shape)

    # Their parts ------------------------------------------------------------------------

    def _begin(self, shape: QTextBlockFormat) -> None:
        """Go to a new block, or take the empty one that the document or a table ends with."""
        plain = QTextCharFormat()
        if self._cursor.block().length() > 1 or self._at_rule():
            self._cursor.insertBlock(shape, plain)
        else:
            self._cursor.setBlockFormat(shape)
            self._cursor.setBlockCharFormat(plain)

    def _at_rule(self) -> bool:
        ruler = QTextFormat.Property.BlockTrailingHorizontalRulerWidth
        return self._cursor.blockFormat().hasProperty(ruler)

    def _vanish(self) -> None:
        """Qt wants a block before and after a table; make it no higher than a hair."""
        shape = QTextBlockFormat()
        shape.setLineHeight(1, _FIXED)
        hair = QTextCharFormat()
        hair.setFontPointSize(1)
        self._cursor.setBlockFormat(shape)
        self._cursor.setBlockCharFormat(hair)

    def _shape(self, place: Place, *, leading: float) -> QTextBlockFormat:
        shape = QTextBlockFormat()
        shape.setLineHeight(leading, _PROPORTIONAL)
        shape.setLeftMargin(self._left(place))
        if place.quote:
            shape.setProperty(QUOTE, min(place.quote, MAX_DEPTH))
        return shape

    def _left(self, place: Place) -> int:
        return tokens.INDENT * min(place.depth, MAX_DEPTH) + tokens.QUOTE_INDENT * min(
            place.quote, MAX_DEPTH
        )

    def _mark(self, item: Item) -> None:
        if (known := self._lists.get(item.list)) is not None:
            known.add(self._cursor.block())
            return
        shape = QTextListFormat()
        shape.setIndent(0)
        ordered = item.number is not None
        style = QTextListFormat.Style
        shape.setStyle(style.ListDecimal if ordered else style.ListDisc)
        if item.number is not None:
            shape.setStart(item.number)
        self._lists[item.list] = self._cursor.createList(shape)

    def _spans(
        self, spans: Iterable[Span], base: QTextCharFormat, cursor: QTextCursor | None = None
    ) -> None:
        at = cursor or self._cursor
        for span in spans:
            if span.text:
                at.insertText(span.text.replace("\n", "\u2028"), self._styled(span, base))

    def _styled(self, span: Span, base: QTextCharFormat) -> QTextCharFormat:
        if not (span.bold or span.italic or span.strike or span.code or span.link):
            return base
        char = QTextCharFormat(base)
        if span.code:
            char.setFontFamilies(self._look.code.families())
            char.setFontFixedPitch(True)
            char.setFontPointSize(base.fontPointSize() * 0.93)
            char.setBackground(self._look.raised)
        if span.bold:
            char.setFontWeight(QFont.Weight.DemiBold)
        char.setFontItalic(span.italic or base.fontItalic())
        char.setFontStrikeOut(span.strike)
        return self._anchor(char, span.link) if span.link else char

    def _anchor(self, base: QTextCharFormat, address: str) -> QTextCharFormat:
        char = QTextCharFormat(base)
        char.setAnchor(True)
        char.setAnchorHref(address)
        char.setForeground(self._look.accent)
        char.setFontUnderline(not address.startswith(COPY))
        return char

    def _heading(self, level: int) -> QTextCharFormat:
        char = self._char(self._look.body, bold=True)
        char.setFontPointSize(self._look.body.pointSizeF() * tokens.HEADINGS[level - 1])
        return char

    def _inked(self, ink: Ink) -> QTextCharFormat:
        char = self._char(self._look.code, bold=ink.bold)
        char.setFontItalic(ink.italic)
        if ink.colour:
            char.setForeground(QColor(ink.colour))
        return char

    def _char(self, font: QFont, *, bold: bool = False) -> QTextCharFormat:
        char = QTextCharFormat()
        char.setFont(font)
        char.setForeground(self._look.text)
        if bold:
            char.setFontWeight(QFont.Weight.DemiBold)
        return char


def wrapping() -> QTextOption:
    """Break between words, and within one that is too long for the line."""
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return option
