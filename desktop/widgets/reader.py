"""Shows text that must not do anything: questions as they are, answers as Markdown."""

from __future__ import annotations

import math
from itertools import zip_longest
from time import perf_counter

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from desktop.markdown import line_start, portion
from desktop.prose import Passage, plain
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.ground import paint_ground
from desktop.widgets.typesetter import COPY, PANEL, Typesetter, wrapping

BUDGET = 0.015
"""Seconds after which `advance` begins no further portion, and a portion no further passage."""

_PASS_ON = {
    Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End,
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space,
}  # fmt: skip


NOTHING = QByteArray(b"")
"""What every resource consists of. Were it None, Qt would go and read the local file itself."""


class InertDocument(QTextDocument):
    """A document that loads nothing."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return NOTHING


class Reader(QTextBrowser):
    """As high as its text; scrolling is its parent's business. Loads nothing, opens nothing.

    link_chosen(str)  the owner chose a link to the web; it has not been opened
    copy_asked(str)   the owner wants this code on the clipboard
    """

    link_chosen = Signal(str)
    copy_asked = Signal(str)

    def __init__(self, look: Look, *, bubble: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._bubble = look, bubble
        self._source, self._markdown = "", True
        self._fixed = self._mark = 0
        self._fixed_codes = 0
        self._codes: list[str] = []
        self._refit = QTimer(self, singleShot=True, interval=0)
        self._refit.timeout.connect(self._fit)
        self.setObjectName("reader")
        self._prepare()

    @property
    def pending(self) -> bool:
        """There is text that `advance` has not shown yet."""
        return self._pending

    def show_text(self, text: str) -> None:
        """Show text as it is."""
        self._source, self._markdown, self._pending = text, False, False
        char = QTextCharFormat()
        char.setFont(self._look.body)
        char.setForeground(self._look.text)
        self.document().clear()
        self._set_margins()
        cursor = QTextCursor(self.document())
        shape = cursor.blockFormat()
        shape.setLineHeight(tokens.LEADING - 8, 1)
        cursor.setBlockFormat(shape)
        cursor.insertText(text.replace("\ufffc", ""), char)
        self._fit()

    def show_markdown(self, source: str) -> None:
        """Show Markdown; `advance` does the work. What stays in front is not done again."""
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        if not self._markdown or not source.startswith(self._source[: self._fixed]):
            self._reset()
        self._source, self._markdown, self._pending = source, True, True

    def advance(self) -> bool:
        """Show more of the text; True while there is more to come."""
        until = perf_counter() + BUDGET
        while self._pending and perf_counter() < until:
            self._portion()
        self._close_panel()
        return self._pending

    def set_look(self, look: Look) -> None:
        """Write everything again in another look."""
        self._look = look
        source, markdown = self._source, self._markdown
        self._reset()
        if markdown:
            self.show_markdown(source)
        else:
            self.show_text(source)

    def ideal_width(self) -> int:
        """The width at which no line of plain text needs to break."""
        self.document().setTextWidth(-1)
        return math.ceil(self.document().idealWidth()) + 2

    # Writing ----------------------------------------------------------------------------

    def _prepare(self) -> None:
        self._pending = False
        self.setDocument(InertDocument(self))
        self.setOpenLinks(False)
        self.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.document().setDefaultTextOption(wrapping())
        self._set_margins()
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.anchorClicked.connect(self._chosen)

    def _set_margins(self) -> None:
        shape = self.document().rootFrame().frameFormat()
        shape.setLeftMargin(tokens.INSET)
        shape.setRightMargin(tokens.INSET)
        shape.setTopMargin(tokens.PADDING - 2 if self._bubble else 0)
        # Qt leaves the space between lines under the last one too.
        shape.setBottomMargin(tokens.GAP_SMALL if self._bubble else 0)
        self.document().rootFrame().setFrameFormat(shape)

    def _reset(self) -> None:
        self.document().clear()
        self._set_margins()
        self._fixed = self._mark = self._fixed_codes = 0
        self._codes.clear()
        self._source = ""

    def _portion(self) -> None:
        rest = self._source[self._fixed :]
        found, length = portion(rest)
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._cut(cursor)
        if self._write(cursor, found, rest=rest, final=length < len(rest)):
            if length < len(rest):
                self._hold(cursor, length)
            else:
                self._pending = False
        cursor.endEditBlock()

    def _write(
        self,
        cursor: QTextCursor,
        found: tuple[Passage, ...],
        *,
        rest: str,
        final: bool,
    ) -> bool:
        """Write passages while there is time. False if some are left.

        final  the last passage will not change any more
        """
        until = perf_counter() + BUDGET
        typesetter = Typesetter(cursor, self._look, self._codes)
        for passage, following in zip_longest(found, found[1:]):
            if following is None and not final:
                self._hold(cursor, line_start(rest, passage.line))
            typesetter.write(passage.blocks)
            if following is not None and perf_counter() > until:
                self._hold(cursor, line_start(rest, following.line))
                return False
        return True

    def _close_panel(self) -> None:
        """A code panel at the very end is painted a little beyond its text."""
        last = self.document().lastBlock().blockFormat()
        room = tokens.PADDING if last.hasProperty(PANEL) else 0
        frame = self.document().rootFrame()
        shape = frame.frameFormat()
        if shape.bottomMargin() != room:
            shape.setBottomMargin(room)
            frame.setFrameFormat(shape)

    def _hold(self, cursor: QTextCursor, length: int) -> None:
        """So much more of the source is final; what follows is written again next time."""
        self._fixed += length
        self._mark, self._fixed_codes = cursor.position(), len(self._codes)

    def _cut(self, cursor: QTextCursor) -> None:
        """Take away what was written after the last final passage."""
        cursor.setPosition(min(self._mark, self.document().characterCount() - 1))
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self._codes[self._fixed_codes :]

    def _chosen(self, url: QUrl) -> None:
        address = url.toString()
        if address.startswith(COPY):
            self.copy_asked.emit(self._codes[int(address.removeprefix(COPY))])
        elif url.isValid() and url.scheme() in ("http", "https"):
            self.link_chosen.emit(plain(address))

    def _wrap(self) -> None:
        """Break lines at the width of the widget. Qt's own way lays out at each new height too."""
        width = self.viewport().width()
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)

    def _fit(self) -> None:
        bar = self.horizontalScrollBar()
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        self.setFixedHeight(max(1, math.ceil(self.document().size().height()) + extra))

    # Qt ---------------------------------------------------------------------------------

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Nothing is ever loaded, whatever asks."""
        return NOTHING

    def doSetSource(self, name: QUrl | str, kind: object = None) -> None:
        """Nothing is ever navigated to."""

    def sizeHint(self) -> QSize:
        return QSize(320, 24)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._wrap()
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            # Not now: a layout in the middle of its work does not notice a new height.
            self._refit.start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().x() and self.horizontalScrollBar().maximum():
            super().wheelEvent(event)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        # There is nothing to undo in a text that cannot be edited: the key is for the vote.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Undo)
        ):
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _PASS_ON and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._ring = event.reason() in reasons
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring = False
        self.viewport().update()

    _ring = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(-self.horizontalScrollBar().value(), 0)
        self._paint_frame(painter)
        paint_ground(painter, self.document(), self._look, exposed=QRectF(event.rect()))
        painter.end()
        super().paintEvent(event)

    def _paint_frame(self, painter: QPainter) -> None:
        area = QRectF(self.viewport().rect())
        painter.setPen(Qt.PenStyle.NoPen)
        if self._bubble:
            painter.setBrush(self._look.surface)
            painter.drawRoundedRect(area, tokens.RADIUS_WIDE, tokens.RADIUS_WIDE)
        if self._ring:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._look.accent, tokens.FOCUS))
            inset = area.adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(inset, tokens.RADIUS, tokens.RADIUS)
            painter.setPen(Qt.PenStyle.NoPen)
