"""What the window remembers of itself, in one small file that may be lost without harm."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

log = logging.getLogger("desktop.window")

FILE = "window.json"

Introduced = Literal["nothing", "attune", "thumbs", "all"]
INTRODUCED: tuple[Introduced, ...] = get_args(Introduced)
"""What was shown so far, each with all before it: nothing; what Attune is; how a thumb works; what
the first one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """Place and size of the window, its zoom in steps from the system's size, and how far its
    owner was shown how Attune works."""

    x: int | None = None
    y: int | None = None
    width: int = 1080
    height: int = 760
    maximized: bool = False
    zoom: int = 0
    introduced: Introduced = "nothing"


def read(folder: Path) -> WindowState:
    """What was remembered; a damaged entry costs that entry, a damaged file costs the file."""
    try:
        raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return WindowState()
    except (OSError, ValueError, RecursionError) as error:
        log.info("%s is not usable: %s", FILE, error)
        return WindowState()
    return _from(raw if isinstance(raw, dict) else {})


def write(folder: Path, state: WindowState) -> None:
    """Old or new, never half. No fsync: after a power cut the default place will do."""
    part = folder / f".{FILE}.part"
    try:
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(state), indent=2), encoding="utf-8")
        os.replace(part, folder / FILE)
    except OSError as error:
        log.info("%s was not written: %s", FILE, error)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _from(raw: dict[str, object]) -> WindowState:
    default = WindowState()
    return WindowState(
        x=_whole(raw.get("x"), low=-20_000, high=20_000),
        y=_whole(raw.get("y"), low=-20_000, high=20_000),
        width=_whole(raw.get("width"), low=320, high=20_000) or default.width,
        height=_whole(raw.get("height"), low=240, high=20_000) or default.height,
        maximized=raw.get("maximized") is True,
        zoom=_whole(raw.get("zoom"), low=-20, high=20) or 0,
        introduced=next((s for s in INTRODUCED if s == raw.get("introduced")), INTRODUCED[0]),
    )


def _whole(value: object, *, low: int, high: int) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and low <= value <= high else None  # type: ignore[operator,return-value]
