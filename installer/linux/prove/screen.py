"""A screen without a monitor, whose picture is a file: what is on it, and when it came."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 1366, 768
PATIENCE = 30.0
SHARE = 0.25
"""Of the screen that is not black when a window has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """An X server that draws into memory.

    name     what DISPLAY has to say
    picture  the file that it draws into, in the form of xwd
    """

    name: str
    picture: Path

    def wait_for_window(self, begun: float) -> float:
        """Seconds from `begun` (time.monotonic) until a window is painted; inf where none is."""
        while not self._shows_something():
            if time.monotonic() > begun + PATIENCE:
                return float("inf")
            time.sleep(0.004)
        return time.monotonic() - begun

    def wait_until_empty(self) -> None:
        """Until what was there before is gone from the picture, too."""
        until = time.monotonic() + PATIENCE
        while self._shows_something() and time.monotonic() < until:
            time.sleep(0.05)

    def save(self, path: Path) -> None:
        """What is on the screen, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["convert", f"xwd:{self.picture}", str(path)], check=True)

    def window_class(self) -> str:
        """WM_CLASS of the window, by which a desktop finds its entry."""
        ids = self._ask("xdotool", "search", "--onlyvisible", "--name", "Attune").split()
        return self._ask("xprop", "-id", ids[0], "WM_CLASS").strip() if ids else ""

    def _shows_something(self) -> bool:
        """An empty screen is black. Of each pixel looked at, it is the first of four bytes."""
        samples = self.picture.read_bytes()[-WIDTH * HEIGHT * 4 :: 4092]
        return sum(each != 0 for each in samples) > SHARE * len(samples)

    def _ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env={"DISPLAY": self.name, "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout


@contextmanager
def screen(number: int = 87) -> Iterator[Screen]:
    """A screen that is there while it is needed."""
    folder = Path(tempfile.mkdtemp(prefix="attune-screen-"))
    # -noreset: else it begins anew when the last window has gone, and refuses who comes meanwhile.
    options = ("-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(folder))
    server = subprocess.Popen(
        ["Xvfb", f":{number}", *options, "-nolisten", "tcp", "-ac", "-noreset", "-br"],
        stderr=subprocess.DEVNULL,
    )
    try:
        while not Path(f"/tmp/.X11-unix/X{number}").exists():
            assert server.poll() is None, f"Xvfb did not start on :{number}."
            time.sleep(0.05)
        time.sleep(0.5)
        yield Screen(name=f":{number}", picture=folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
