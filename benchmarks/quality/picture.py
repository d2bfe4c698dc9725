"""The learning curves as a picture, drawn with the window's own plotting library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

BOOTSTRAPS = 2000
SIZE = 900, 520


def interval(runs: dict[str, Any], point: int, *, seed: int = 0) -> tuple[float, float, float]:
    """Mean win rate over owners at one checkpoint, with its 95 % bootstrap interval.

    Owners are drawn, each with the mean of its seeds: runs of one owner are near copies.
    """
    owners: dict[str, list[float]] = {}
    for name, run in runs.items():
        owners.setdefault(name.split("/")[0], []).append(run[point]["win_rate"])
    values = np.asarray([np.mean(rates) for rates in owners.values()])
    rng = np.random.default_rng(seed)
    means = rng.choice(values, (BOOTSTRAPS, len(values))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)


def draw_curves(results: dict[str, Any], path: Path) -> None:
    """Mean win rate over owners and seeds against votes, with intervals, one line a learner."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph as pg
    import pyqtgraph.exporters
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    pg.setConfigOptions(background="w", foreground="k", antialias=True)
    plot = pg.PlotWidget()
    plot.resize(*SIZE)
    plot.setLabels(left="win rate against the untouched model", bottom="votes")
    plot.addLegend(offset=(-20, -20))
    plot.setYRange(0.3, 1.0)
    parts = {"curves": ("ours", "#0b6e4f"), "random": ("random duels", "#888888"),
             "neural": ("as published", "#b5541c")}  # fmt: skip
    for part, (name, colour) in parts.items():
        if part in results:
            _draw(plot, results[part], name=name, colour=colour)
    app.processEvents()
    exporter = pyqtgraph.exporters.ImageExporter(plot.getPlotItem())
    exporter.parameters()["width"] = SIZE[0]
    exporter.export(str(path))


def _draw(plot: Any, runs: dict[str, Any], *, name: str, colour: str) -> None:
    import pyqtgraph as pg

    votes = [point["votes"] for point in next(iter(runs.values()))]
    bands = [interval(runs, i) for i in range(len(votes))]
    mean, low, high = (np.asarray(values) for values in zip(*bands, strict=True))
    pen = pg.mkPen(colour, width=2)
    plot.plot(votes, mean, pen=pen, symbol="o", symbolBrush=colour, symbolPen=None, name=name)
    bars = pg.ErrorBarItem(
        x=np.asarray(votes, float), y=mean, top=high - mean, bottom=mean - low, beam=0.6, pen=pen
    )
    plot.addItem(bars)
