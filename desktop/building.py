"""Measuring the pool, which takes minutes."""

from __future__ import annotations

from desktop.long_work import LongWork
from engine.api import Engine

BUILD = "attune-build"
"""Name of the thread that builds."""


class Building(LongWork):
    """Finishes with a Portfolio; what was measured is kept in any case."""

    def __init__(self, engine: Engine) -> None:
        # Asked for late: the engine's part comes with numpy, which the start of a window can spare.
        super().__init__(name=BUILD, stop=lambda: engine.portfolio.stop())
        self._engine = engine

    def begin(self) -> None:
        """Build, or go on where the last build was cancelled."""
        if not self.busy:
            self._begin(lambda: self._engine.portfolio.build())
