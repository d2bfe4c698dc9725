"""The picture of the tastes: who serves which, and where the owner stands.

With three objectives it is a triangle with an area per member, with others a row per objective and
a line per member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, dist, sqrt
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPen, QPolygonF, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QGraphicsPolygonItem,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.languages import tr
from desktop.style import tokens
from desktop.style.tokens import Look, mix
from desktop.widgets.elided import ElidedLabel
from desktop.widgets.trait_plot import Plotting

if TYPE_CHECKING:
    from types import ModuleType

Vector = tuple[float, ...]

HEIGHT = sqrt(3.0) / 2.0
"""Of a triangle with sides of 1."""

BESIDE, ABOVE = 0.14, 0.13
"""Room around the triangle, for the words at its corners."""

BELOW = 0.9
"""Room under the rows, in rows, for the words of the scale."""

CLEAR = 0.15
"""How far the number of an area keeps from where the owner stands."""

ASIDE = 0.3
"""How far from a row the number of a line stands, in rows: on it there may be a ring."""

SMALLEST = 0.012
"""Share of the triangle below which an area has no room for its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The area of one member; places are given as three weights that sum to 1."""

    number: int
    corners: tuple[Vector, ...]
    centre: Vector
    share: float
    yours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """names  of the corners: the top, the left and the right one"""

    names: tuple[str, ...]
    regions: tuple[Region, ...]
    you: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The taste that one member typically serves, a weight per row."""

    number: int
    weights: Vector
    yours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A row per objective."""

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    you: Vector


class WeightPicture(QWidget):
    """Says in words what it shows to those who cannot see it."""

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._shown: Triangle | Rows | None = None
        self._plot: QWidget | None = None
        self.plotting = Plotting()
        self.plotting.ready.connect(self._draw)
        self._names = QWidget(self)
        self._labels: list[ElidedLabel] = []
        self._column = QVBoxLayout(self._names)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._ground = QWidget(self)
        self._inside = QVBoxLayout(self._ground)
        self._inside.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.GAP)
        row.addWidget(self._names, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._ground, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Picture of the tastes"))

    def show_picture(self, picture: Triangle | Rows | None, *, told: str) -> None:
        """told  the same in words"""
        self.setAccessibleDescription(told)
        if picture != self._shown:
            self._shown = picture
            self._write()
            self._draw()

    def set_look(self, look: Look) -> None:
        self._look = look
        self._write()
        self._draw()

    # Parts ------------------------------------------------------------------------------

    def _write(self) -> None:
        """The words beside the rows."""
        while (item := self._column.takeAt(0)) is not None:
            if (label := item.widget()) is not None:
                label.hide()
                label.deleteLater()
        self._labels.clear()
        rows = self._shown.names if isinstance(self._shown, Rows) else ()
        for name in rows:
            label = ElidedLabel(name, self._names)
            label.setFont(self._look.plain)
            label.setFixedHeight(self._row)
            self._column.addWidget(label)
            self._labels.append(label)
        self._names.setVisible(bool(rows))
        self.setFixedHeight(self._height())
        self._fit()

    def _fit(self) -> None:
        widest = max((label.sizeHint().width() for label in self._labels), default=0)
        for label in self._labels:
            label.setFixedWidth(min(widest, max(self.width() - tokens.PICTURE_LEAST, 40)))

    @property
    def _row(self) -> int:
        return QFontMetrics(self._look.plain).height() + tokens.ROW_GAP + tokens.GAP

    def _height(self) -> int:
        if isinstance(self._shown, Rows):
            return round((len(self._shown.names) + BELOW) * self._row)
        return QFontMetrics(self._look.plain).lineSpacing() * tokens.TRIANGLE_LINES

    def _draw(self) -> None:
        if self._plot is not None:
            self._plot.hide()
            self._plot.deleteLater()
            self._plot = None
        module = self.plotting.module
        if module is None or self._shown is None:
            return
        drawing = _Drawing(module, self._look)
        if isinstance(self._shown, Triangle):
            self._plot = drawing.triangle(self._shown, room=self.width())
        else:
            self._plot = drawing.rows(self._shown)
        self._inside.addWidget(self._plot)
        self._plot.show()

    # Qt ---------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.plotting.begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(2 * tokens.PICTURE_LEAST, self._height())


class _Drawing:
    """One picture."""

    def __init__(self, plotting: ModuleType, look: Look) -> None:
        self._plotting, self._look = plotting, look
        self.plot = plotting.PlotWidget(background=None)
        self._add = self.plot.addItem
        self._quiet()

    def triangle(self, shown: Triangle, *, room: int) -> QWidget:
        self.plot.setAspectLocked(True)
        low, high = -ABOVE, HEIGHT + ABOVE
        self.plot.setRange(xRange=(-BESIDE, 1.0 + BESIDE), yRange=(low, high), padding=0)
        for region in shown.regions:
            if region.corners:
                self._area(region)
        for region in shown.regions:
            if region.share >= SMALLEST:
                self._badge(_free(region, shown.you), region.number, yours=region.yours)
        top, left, right = (self._short(name, room // 2) for name in shown.names)
        self._word(top, (0.5, HEIGHT + 0.01), anchor=(0.5, 1.0))
        self._word(left, (-BESIDE, -0.01), anchor=(0.0, 0.0))
        self._word(right, (1.0 + BESIDE, -0.01), anchor=(1.0, 0.0))
        at = _flat(shown.you)
        self._ring([at[0]], [at[1]], size=tokens.RING, brush=self._look.accent)
        you = tr("you")
        self._word(you, at, anchor=(-0.4, 0.5) if at[0] < 0.6 else (1.4, 0.5), strong=True)
        return self._widget()

    def rows(self, shown: Rows) -> QWidget:
        count = len(shown.names)
        top = ceil(10 * max(max(weights) for weights in self._all(shown)) + 0.01) / 10
        self.plot.setRange(xRange=(-0.08 * top, 1.08 * top), yRange=(0, count + BELOW), padding=0)
        self.plot.getViewBox().invertY(True)
        middles = [row + 0.5 for row in range(count)]
        for y in middles:
            self._curve([0.0, top], [y, y], QPen(self._look.line, 1))
        for line in shown.lines:
            pen = QPen(self._look.lit if line.yours else self._quiet_line(), 2)
            self._curve(list(line.weights), middles, pen)
        you = QPen(self._look.text, 2, Qt.PenStyle.DashLine)
        self._curve(list(shown.you), middles, you)
        for line in shown.lines:
            self._badge(_beside(line, shown.lines), line.number, yours=line.yours)
        self._ring(list(shown.you), middles, size=tokens.RING_SMALL, brush=self._look.page)
        self._word("0 %", (0.0, count + 0.1), anchor=(0.5, 0.0), quiet=True)
        self._word(f"{round(100 * top)} %", (top, count + 0.1), anchor=(0.5, 0.0), quiet=True)
        return self._widget()

    # Strokes ----------------------------------------------------------------------------

    def _area(self, region: Region) -> None:
        polygon = QPolygonF([QPointF(*_flat(corner)) for corner in region.corners])
        item = QGraphicsPolygonItem(polygon)
        item.setBrush(self._look.shade(region.number - 1))
        pen = QPen(self._look.accent if region.yours else self._look.page, 2)
        pen.setCosmetic(True)
        item.setPen(pen)
        item.setZValue(1 if region.yours else 0)
        self._add(item, ignoreBounds=True)

    def _badge(self, at: tuple[float, float], number: int, *, yours: bool) -> None:
        look = self._look
        edge, brush = look.accent if yours else look.page, look.shade(number - 1)
        self._dot([at[0]], [at[1]], size=tokens.BADGE, edge=QPen(edge, 2), brush=brush, height=3)
        self._word(str(number), at, anchor=(0.5, 0.5), strong=True)

    def _ring(self, x: Sequence[float], y: Sequence[float], *, size: int, brush: QColor) -> None:
        look = self._look
        self._dot(x, y, size=size + 5, edge=QPen(look.page, 1), brush=look.page, height=4)
        self._dot(x, y, size=size, edge=QPen(look.text, 2), brush=brush, height=5)

    def _dot(
        self,
        x: Sequence[float],
        y: Sequence[float],
        *,
        size: int,
        edge: QPen,
        brush: QColor,
        height: int,
    ) -> None:
        edge.setCosmetic(True)
        dot = self._plotting.ScatterPlotItem(
            x=x, y=y, size=size, symbol="o", pxMode=True, pen=edge, brush=brush
        )
        dot.setZValue(height)
        self._add(dot)

    def _curve(self, x: list[float], y: list[float], pen: QPen) -> None:
        pen.setCosmetic(True)
        self._add(self._plotting.PlotCurveItem(x=x, y=y, pen=pen))

    def _word(
        self,
        text: str,
        at: tuple[float, float],
        *,
        anchor: tuple[float, float],
        strong: bool = False,
        quiet: bool = False,
    ) -> None:
        colour = self._look.muted if quiet else self._look.text
        item = self._plotting.TextItem(text, color=colour, anchor=anchor)
        font = tokens.strong(self._look.small) if strong else self._look.small
        item.setFont(font)
        item.setPos(*at)
        item.setZValue(6)
        self._add(item, ignoreBounds=True)

    # Small things -----------------------------------------------------------------------

    def _quiet(self) -> None:
        plot = self.plot
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.hideAxis("left")
        plot.hideAxis("bottom")
        plot.getPlotItem().setContentsMargins(0, 0, 0, 0)
        plot.getViewBox().setDefaultPadding(0)

    def _widget(self) -> QWidget:
        self.plot.viewport().setAutoFillBackground(False)
        widget: QWidget = self.plot
        widget.setStyleSheet("background: transparent")
        widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return widget

    def _short(self, name: str, room: int) -> str:
        metrics = QFontMetrics(self._look.small)
        return metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)

    def _quiet_line(self) -> QColor:
        return mix(self._look.page, self._look.text, 0.34)

    @staticmethod
    def _all(shown: Rows) -> list[Vector]:
        return [shown.you, *(line.weights for line in shown.lines)]


def _flat(place: Vector) -> tuple[float, float]:
    """Where three weights lie on the picture: the first at the top, then left and right."""
    top, _, right = place
    return right + 0.5 * top, HEIGHT * top


def _free(region: Region, you: Vector) -> tuple[float, float]:
    """Where the number of an area stands: in its middle, or aside where the owner stands there."""
    middle, own = _flat(region.centre), _flat(you)
    corners = [_flat(corner) for corner in region.corners]
    spots = [middle, *(((x + middle[0]) / 2, (y + middle[1]) / 2) for x, y in corners)]
    clear = (spot for spot in spots if dist(spot, own) >= CLEAR)
    return next(clear, max(spots, key=lambda spot: dist(spot, own)))


def _beside(line: Line, lines: Sequence[Line]) -> tuple[float, float]:
    """Where its number stands: on the line, next to where it is most to the right of the others."""
    others = [other.weights for other in lines if other is not line]

    def ahead(row: int) -> float:
        rest = sum(weights[row] for weights in others) / max(len(others), 1)
        return line.weights[row] - rest

    row = max(range(len(line.weights)), key=ahead)
    onward = row + 1 if row + 1 < len(line.weights) else row - 1
    there, then = line.weights[row], line.weights[onward]
    return there + ASIDE * (then - there), row + 0.5 + ASIDE * (onward - row)
