"""Whether there is a screen to open a window on, asked without Qt.

Qt ends the process where it finds none; whoever knows beforehand can say so, or go on without.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

X11 = frozenset({"xcb"})
WAYLAND = frozenset({"wayland", "wayland-egl"})

PACKAGES = {
    "libxcb-cursor": "libxcb-cursor0", "libxkbcommon-x11": "libxkbcommon-x11-0",
    "libxkbcommon": "libxkbcommon0", "libxcb-icccm": "libxcb-icccm4", "libEGL": "libegl1",
    "libxcb-keysyms": "libxcb-keysyms1", "libxcb-image": "libxcb-image0", "libGL": "libgl1",
    "libxcb-render-util": "libxcb-render-util0", "libfontconfig": "libfontconfig1",
    "libdbus-1": "libdbus-1-3", "libwayland-client": "libwayland-client0",
    "libwayland-cursor": "libwayland-cursor0", "libwayland-egl": "libwayland-egl1",
}  # fmt: skip
"""Where Debian and Ubuntu have what Qt expects from the system."""

PATIENCE = 1.0
"""Seconds in which a Wayland compositor has to take a connection."""


def available() -> bool:
    """Whether Qt would find a display. Blocks for a moment."""
    if sys.platform != "linux":
        return True
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    if not wanted:
        return _wayland() or _x11()
    names = set(_platforms(wanted))
    if names - X11 - WAYLAND:
        return True  # one that needs no server, or that Attune knows nothing about
    return bool(names & WAYLAND and _wayland()) or bool(names & X11 and _x11())


def trouble() -> str:
    """Why Qt could show no window although there is a display, in a sentence; "" if it can.

    Loads what Qt would load in a moment, and so finds out whether a library of the system is
    missing: Qt itself would end the process over that. Raises nothing.
    """
    if sys.platform != "linux":
        return ""
    found = [_missing(file) for name in _wanted() if (file := _plugin(name)) is not None]
    if not found or not all(found):
        return ""
    library = found[0]
    package = PACKAGES.get(library.partition(".so")[0], "")
    hint = f" (the package {package} on Debian and Ubuntu)" if package else ""
    return f"The window needs {library}, which this system lacks; install it{hint}."


def _wanted() -> tuple[str, ...]:
    """The platforms that Qt would try here, in order."""
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    if wanted:
        return _platforms(wanted)
    return tuple(name for name, there in (("wayland", _wayland), ("xcb", _x11)) if there())


def _platforms(wanted: str) -> tuple[str, ...]:
    # A list, tried in order, each perhaps with options: "wayland;xcb", "offscreen:size=800x600".
    return tuple(entry.partition(":")[0] for entry in wanted.split(";"))


def _plugin(name: str) -> Path | None:
    """The file of a platform in Qt's own folder; None where it is elsewhere, for Qt to find."""
    from importlib.util import find_spec

    spec = find_spec("PySide6")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "Qt" / "plugins" / "platforms" / f"libq{name}.so"
    return file if file.is_file() else None


def _missing(plugin: Path) -> str:
    """The library of the system without which this one does not load; "" if it loads."""
    import ctypes

    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return Path(str(error).partition(":")[0]).name
    return ""


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
