"""The picture of what was learned: a dot per trait and the interval that it is surely in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget

from desktop.style import tokens
from desktop.style.tokens import Look, mix

if TYPE_CHECKING:
    from types import ModuleType

log = logging.getLogger("desktop.picture")

EDGE = 1.06
"""How far the picture reaches: a dot at the very end is shown whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row: where its dot is and from where to where its line goes, in [-1, 1].

    firm  painted in the accent; else quietly, for it has no effect
    """

    at: float
    low: float
    high: float
    firm: bool


class Plotting(QObject):
    """Imports pyqtgraph, which takes half a second, on a thread of its own; once.

    ready()  it is there
    """

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()  # without a parent: the thread may outlive a window that closes
        self.module: ModuleType | None = None
        self._begun = False

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._load, name="attune-plotting", daemon=True).start()

    def _load(self) -> None:
        try:
            import pyqtgraph
        except ImportError:
            log.exception("there is no picture; the rows tell the same in words")
            return
        # Its own clean-up at exit would touch Qt objects that are gone by then.
        pyqtgraph.setConfigOptions(exitCleanup=False, antialias=True)
        self.module = pyqtgraph
        self.ready.emit()


def picture(plotting: ModuleType, marks: Sequence[Mark], look: Look, *, parent: QWidget) -> QWidget:
    """Rows of equal height from the top, for a widget exactly as high as the rows it lies on. It
    turns with the words at both ends: what is more lies on the left where one reads from there."""
    plot = plotting.PlotWidget(parent=parent, background=None)
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.hideAxis("left")
    plot.hideAxis("bottom")
    plot.getPlotItem().setContentsMargins(0, 0, 0, 0)
    plot.setRange(xRange=(-EDGE, EDGE), yRange=(0, max(len(marks), 1)), padding=0)
    plot.getViewBox().invertY(True)
    plot.getViewBox().invertX(parent.isRightToLeft())
    plot.getViewBox().setDefaultPadding(0)
    for row, mark in enumerate(marks):
        _draw(plotting, plot, row + 0.5, mark, look)
    middle = plotting.InfiniteLine(pos=0, angle=90, pen=QPen(look.line, 0))
    middle.setZValue(-1)
    plot.addItem(middle, True)
    plot.viewport().setAutoFillBackground(False)
    widget: QWidget = plot
    widget.setStyleSheet("background: transparent")
    widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return widget


def _draw(plotting: ModuleType, plot: object, y: float, mark: Mark, look: Look) -> None:
    add = plot.addItem  # type: ignore[attr-defined]
    colour = look.accent if mark.firm else look.muted
    track = QPen(look.line, 1)
    track.setCosmetic(True)
    add(plotting.PlotCurveItem(x=[-1, 1], y=[y, y], pen=track))
    line = QPen(mix(look.page, colour, 0.55), tokens.INTERVAL)
    line.setCosmetic(True)
    line.setCapStyle(Qt.PenCapStyle.RoundCap)
    add(plotting.PlotCurveItem(x=[mark.low, mark.high], y=[y, y], pen=line))
    edge = QPen(colour, 2)
    edge.setCosmetic(True)
    add(
        plotting.ScatterPlotItem(
            x=[mark.at], y=[y], size=tokens.DOT, symbol="o", pxMode=True,
            pen=edge, brush=colour if mark.firm else look.page,
        )
    )  # fmt: skip
