"""A list in which rows can be ticked, with marks that can be seen on any background."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.style.tokens import Look

TICK = (QPointF(0.20, 0.52), QPointF(0.42, 0.74), QPointF(0.80, 0.28))


class TickList(QListWidget):
    """The space bar ticks the row that the keyboard is in; scrolling is the page's."""

    def __init__(self, look: Look, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ticks = _Ticks(look, self)
        self.setItemDelegate(self._ticks)
        self.setObjectName("list")
        self.setAccessibleName(name)
        self.setFrameShape(self.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def set_look(self, look: Look) -> None:
        self._ticks.look = look
        self.setFont(look.plain)

    # Qt ---------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _Ticks(QStyledItemDelegate):
    """Draws the tick into the box that the style sheet fills."""

    def __init__(self, look: Look, parent: QListWidget) -> None:
        super().__init__(parent)
        self.look = look

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        if index.data(Qt.ItemDataRole.CheckStateRole) != Qt.CheckState.Checked.value:
            return
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        view = self.parent()
        assert isinstance(view, QWidget)
        part = QStyle.SubElement.SE_ItemViewItemCheckIndicator
        box = QRectF(view.style().subElementRect(part, shown, view))
        spots = [box.topLeft() + QPointF(p.x() * box.width(), p.y() * box.height()) for p in TICK]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.look.on_accent, 2, c=Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(spots)
        painter.restore()
