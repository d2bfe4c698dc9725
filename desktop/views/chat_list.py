"""A list of chats that stays quick with thousands: a model, and one delegate that paints."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.chat_words import Row
from desktop.prose import hint
from desktop.style import tokens
from desktop.style.tokens import Look
from engine.api import Chat

Index = QModelIndex | QPersistentModelIndex

NOWHERE = QModelIndex()

ROW = int(Qt.ItemDataRole.UserRole)
OPEN = ROW + 1


class ChatModel(QAbstractListModel):
    """Rows as they were given.

    more_asked()  the last row is on the screen
    """

    more_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Row] = ()
        self.open = ""
        self._more = False

    def show_rows(self, rows: Sequence[Row], *, more: bool) -> None:
        """more  there are more to be had"""
        self.beginResetModel()
        self.rows, self._more = rows, more
        self.endResetModel()

    def mark(self, chat: str) -> None:
        """This chat is open."""
        if chat != self.open:
            self.open = chat
            if self.rows:
                self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1), [OPEN])

    def place(self, chat: str) -> int:
        """The row of a chat; -1 where it is not in the list."""
        found = (place for place, row in enumerate(self.rows) if row.chat and row.chat.id == chat)
        return next(found, -1)

    # Qt ---------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return hint(row.text) if row.chat is not None else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row)
        if role == ROW:
            return row
        if role == OPEN:
            return row.chat is not None and row.chat.id == self.open
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self.rows[index.row()].chat is None:
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
        return super().flags(index) | Qt.ItemFlag.ItemNeverHasChildren

    def canFetchMore(self, parent: Index) -> bool:
        return self._more

    def fetchMore(self, parent: Index) -> None:
        self._more = False  # once is enough; what comes says whether there is more still
        self.more_asked.emit()

    def _spoken(self, row: Row) -> str:
        parts = [row.text]
        if row.chat is not None and row.chat.id == self.open:
            parts.append(self.tr("open now"))
        if row.snippet:
            parts.append(row.snippet)
        return ", ".join(parts)


class ChatDelegate(QStyledItemDelegate):
    """Paints a heading, a chat, or one that was found with what was found in it."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = look

    # Qt ---------------------------------------------------------------------------------

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: Row = index.data(ROW)
        title, small = QFontMetrics(self.look.plain), QFontMetrics(self.look.small)
        if row.chat is None:
            return QSize(0, small.height() + tokens.PADDING + tokens.GAP_SMALL)
        second = small.height() if row.snippet else 0
        return QSize(0, title.height() + second + 2 * tokens.GAP_SMALL + 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(ROW)
        area, state = option.rect, option.state
        painter.save()
        if row.chat is None:
            self._paint_heading(painter, area, row.text)
        else:
            self._paint_ground(painter, area, state, is_open=bool(index.data(OPEN)))
            self._paint_chat(painter, area, row, is_open=bool(index.data(OPEN)))
        painter.restore()

    def _paint_heading(self, painter: QPainter, area: QRect, text: str) -> None:
        painter.setFont(self.look.small)
        painter.setPen(self.look.muted)
        inside = area.adjusted(tokens.INSET, 0, 0, -2)
        align = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, int(align), text)

    def _paint_ground(
        self, painter: QPainter, area: QRect, state: QStyle.StateFlag, *, is_open: bool
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if is_open or hovered:
            painter.setBrush(self.look.surface if is_open else self.look.raised)
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), tokens.RADIUS, tokens.RADIUS)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.look.accent)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), tokens.RADIUS, tokens.RADIUS)

    def _paint_chat(self, painter: QPainter, area: QRect, row: Row, *, is_open: bool) -> None:
        inside = area.adjusted(tokens.INSET, tokens.GAP_SMALL + 1, -tokens.GAP, 0)
        font = tokens.strong(self.look.plain) if is_open else self.look.plain
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(self.look.text)
        text = metrics.elidedText(row.text, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside.x(), inside.y() + metrics.ascent(), text)
        if row.snippet:
            top = inside.y() + metrics.height()
            self._paint_snippet(painter, inside.x(), top, inside.right(), row)

    def _paint_snippet(self, painter: QPainter, x: int, top: int, right: int, row: Row) -> None:
        """From shortly before the first word that was found, with the words found in strong."""
        strong = tokens.strong(self.look.small)
        baseline = top + QFontMetrics(self.look.small).ascent()
        for text, marked in snippet_parts(row):
            font = strong if marked else self.look.small
            metrics = QFontMetrics(font)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - x)
            painter.setFont(font)
            painter.setPen(self.look.text if marked else self.look.muted)
            painter.drawText(x, baseline, shown)
            x += metrics.horizontalAdvance(shown)
            if shown != text:
                return


LEAD = 8
"""Characters of a snippet that are shown before the first word that was found."""


def snippet_parts(row: Row) -> list[tuple[str, bool]]:
    """Pieces of a snippet, and whether they were searched for."""
    begin = max(0, row.marks[0][0] - LEAD) if row.marks else 0
    parts = [("…", False)] if begin else []
    for first, end in row.marks:
        parts += [(row.snippet[begin:first], False), (row.snippet[first:end], True)]
        begin = end
    parts.append((row.snippet[begin:], False))
    return [part for part in parts if part[0]]


class ChatList(QListView):
    """Shows rows; a click or Enter opens a chat. No key changes one.

    chosen(Chat)             open it
    menu_asked(Chat, QPoint) what else can be done with it, at this place of the screen
    more_asked()             the end of the list is on the screen
    """

    chosen = Signal(object)
    menu_asked = Signal(object, QPoint)
    more_asked = Signal()

    def __init__(self, look: Look, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = ChatModel(self)
        self._delegate = ChatDelegate(look, self)
        self.setObjectName("chats")
        self.setAccessibleName(name)
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(1)
        self.rows.more_asked.connect(self.more_asked)
        self.clicked.connect(self._choose)
        self.customContextMenuRequested.connect(self._ask_menu)

    @property
    def current(self) -> Chat | None:
        """The chat that the keyboard is on."""
        row = self.currentIndex().data(ROW)
        return row.chat if isinstance(row, Row) else None

    def show_rows(self, rows: Sequence[Row], *, more: bool = False) -> None:
        """What was current stays so where it is there still, and the reader stays in place."""
        current = self.current
        bar = self.verticalScrollBar()
        place = bar.value()
        self.rows.show_rows(rows, more=more)
        if current is not None and (row := self.rows.place(current.id)) >= 0:
            self.setCurrentIndex(self.rows.index(row))
        self.doItemsLayout()
        bar.setValue(place)

    def go_to(self, chat: str) -> None:
        """Put the keyboard's place on a chat, and have it on the screen."""
        if (row := self.rows.place(chat)) >= 0:
            self.setCurrentIndex(self.rows.index(row))
            self.scrollTo(self.rows.index(row))

    def enter(self) -> None:
        """The keyboard comes from above: to the first chat where there is no place yet."""
        if self.current is None:
            chats = (place for place, row in enumerate(self.rows.rows) if row.chat is not None)
            self.setCurrentIndex(self.rows.index(next(chats, -1)))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_look(self, look: Look) -> None:
        self._delegate.look = look
        self.doItemsLayout()
        self.viewport().update()

    def _choose(self, index: QModelIndex) -> None:
        row: Row = index.data(ROW)
        if row.chat is not None:
            self.chosen.emit(row.chat)

    def _ask_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        row = index.data(ROW) if index.isValid() else None
        if isinstance(row, Row) and row.chat is not None:
            self.menu_asked.emit(row.chat, self.viewport().mapToGlobal(place))

    # Qt ---------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentIndex())
        elif event.key() == Qt.Key.Key_Menu and self.current is not None:
            below = self.visualRect(self.currentIndex()).bottomLeft()
            self.menu_asked.emit(self.current, self.viewport().mapToGlobal(below))
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(1, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 60)
