"""Follows the system's colours, contrast and font, and the owner's wishes."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from desktop.style.tokens import ZOOM_LIMIT, ZOOM_STEP, Look, look_for, own_palette

Colours = Literal["system", "light", "dark"]

_SCHEMES: dict[Colours, Qt.ColorScheme] = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """Tells how the window looks now. Windows call `refresh` when Qt tells them of a change.

    changed(Look)  colours, contrast, font or zoom changed
    """

    changed = Signal(object)

    def __init__(self, *, zoom: int = 0) -> None:
        super().__init__()
        self.zoom = _limited(zoom)
        self.colours: Colours = "system"
        self._forced: Colours = "system"
        self.look = self._derive()
        # Some platforms tell the scheme, others only send windows a new palette or font.
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh)

    @property
    def scale(self) -> float:
        """Size of the text, as a share of the system's."""
        return ZOOM_STEP**self.zoom

    def set_colours(self, colours: Colours) -> None:
        """Light or dark, or whichever the system has."""
        if colours != self.colours:
            self.colours = colours
            QGuiApplication.styleHints().setColorScheme(_SCHEMES[colours])
            self.refresh()

    def set_zoom(self, steps: int) -> None:
        if _limited(steps) != self.zoom:
            self.zoom = _limited(steps)
            self.refresh()

    def refresh(self) -> None:
        self._insist()
        look = self._derive()
        if look != self.look:
            self.look = look
            self.changed.emit(look)

    def _insist(self) -> None:
        """Some platforms do not hear the wish for a scheme: there the palette is ours."""
        heard = QGuiApplication.styleHints().colorScheme() is _SCHEMES[self.colours]
        wanted: Colours = "system" if heard else self.colours
        if wanted != self._forced:
            self._forced = wanted
            ours = QPalette() if wanted == "system" else own_palette(dark=wanted == "dark")
            QApplication.setPalette(ours)

    def _derive(self) -> Look:
        palette, font = QGuiApplication.palette(), QApplication.font()
        return look_for(palette, font=font, zoom=self.zoom, contrast=_high_contrast())


def _limited(zoom: int) -> int:
    return max(-ZOOM_LIMIT // 2, min(zoom, ZOOM_LIMIT))


def _high_contrast() -> bool:
    hints = QGuiApplication.styleHints()  # kept: its parts live no longer than this name
    return bool(hints.accessibility().contrastPreference().value)
