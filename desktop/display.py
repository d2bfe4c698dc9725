"""Whether there is a screen to open a window on, asked without Qt.

Qt ends the process where it finds none; whoever knows beforehand can say so, or go on without.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

X11 = frozenset({"xcb"})
WAYLAND = frozenset({"wayland", "wayland-egl"})

PATIENCE = 1.0
"""Seconds in which a Wayland compositor has to take a connection."""


def available() -> bool:
    """Whether Qt would find a display. Blocks for a moment."""
    if sys.platform != "linux":
        return True
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    if not wanted:
        return _wayland() or _x11()
    # A list, tried in order, each perhaps with options: "wayland;xcb", "offscreen:size=800x600".
    names = {entry.partition(":")[0] for entry in wanted.split(";")}
    if names - X11 - WAYLAND:
        return True  # one that needs no server, or that Attune knows nothing about
    return bool(names & WAYLAND and _wayland()) or bool(names & X11 and _x11())


def _wayland() -> bool:
    """Whether a compositor listens where the environment says."""
    name = os.environ.get("WAYLAND_DISPLAY", "")
    if not name and os.environ.get("XDG_SESSION_TYPE") == "wayland":
        name = "wayland-0"
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if not name or not (folder or os.path.isabs(name)):
        return False
    return _listens(Path(folder) / name)  # an absolute name stands for itself


def _listens(path: Path) -> bool:
    import socket

    # The file alone may be left over from a compositor that has ended.
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect(str(path))
        except (OSError, ValueError):
            return False
    return True


def _x11() -> bool:
    """Whether an X server takes a connection; where nobody can tell, it is believed."""
    if not os.environ.get("DISPLAY"):
        return False
    import ctypes

    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed: int = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed
