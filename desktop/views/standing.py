"""Where the window stands on the screen, taken from what is remembered and told for it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.window_state import WindowState


def put(window: QWidget, state: WindowState) -> None:
    """Give the window its size, and its place where there still is a screen."""
    window.resize(state.width, state.height)
    if state.x is not None and state.y is not None:
        place = QRect(state.x, state.y, state.width, state.height)
        # A screen may have been taken away since.
        if any(s.availableGeometry().intersects(place) for s in QGuiApplication.screens()):
            window.move(state.x, state.y)
    if state.maximized:
        window.setWindowState(Qt.WindowState.WindowMaximized)


def seen(window: QWidget, state: WindowState) -> WindowState:
    """The state with the window's size and place as they are, or were before it was enlarged."""
    enlarged = window.isMaximized() or window.isFullScreen()
    place = window.normalGeometry() if enlarged else QRect()
    place = place if place.isValid() else QRect(window.pos(), window.size())
    return replace(
        state, x=place.x(), y=place.y(), width=place.width(), height=place.height(),
        maximized=window.isMaximized(),
    )  # fmt: skip
