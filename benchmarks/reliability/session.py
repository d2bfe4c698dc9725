"""The whole app, used by a script: it asks, votes, takes back and opens every page, then leaves.

    python -m benchmarks.reliability.session FOLDER [--minutes 0]

The window is the real one, wherever QT_QPA_PLATFORM says that it shall be shown; the model is the
starter model in its process. FOLDER is a data folder that `prepare` has made. Everything is done
once at the least. At the end a line of JSON says what was done and which libraries were in use.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication

from benchmarks.reliability.engines import child_of, remember_settings
from desktop import app
from desktop.views.window import Window
from desktop.widgets.composer import Editor
from engine.api import Engine, OpenWindow

TICK = 50
"""Milliseconds between two looks at whether the script may go on."""
PATIENCE = 300.0
"""Seconds after which a step that does not end has failed."""
LOOK_AROUND = 0.3
"""Seconds on each page."""
LONGEST_ANSWER = 24
"""Tokens."""
QUESTIONS = (
    "How do I keep basil alive?",
    "What is a lighthouse?",
    "Write me a letter to my landlord.",
    "[a](http://127.0.0.1:9/) ![b](http://127.0.0.1:9/b.png) What does this Markdown mean?",
)

Until = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was done how often, and the files that either process had mapped."""

    done: dict[str, int]
    window: tuple[str, ...]
    child: tuple[str, ...]


class Owner:
    """Uses a window, step by step, on its own thread."""

    def __init__(self, window: Window, *, minutes: float) -> None:
        """minutes  after which no other round is begun"""
        self.done: Counter[str] = Counter()
        self.maps: dict[str, tuple[str, ...]] = {}
        self._window, self._desk = window, window._desk
        self._end = time.monotonic() + 60.0 * minutes
        self._steps = self._script()
        self._until: Until = lambda: True
        self._since = time.monotonic()
        self._timer = QTimer(window, interval=TICK)
        self._timer.timeout.connect(self._go_on)
        self._timer.start()

    def _go_on(self) -> None:
        if not self._until():
            if time.monotonic() - self._since > PATIENCE:
                raise SystemExit(f"A step took more than {PATIENCE:g} s, after {self.done}.")
            return
        self._since = time.monotonic()
        step = next(self._steps, None)
        if step is None:
            self._timer.stop()
            self._window.close()
        else:
            self._until = step

    def _script(self) -> Iterator[Until]:
        loading = self._desk.loading
        yield lambda: not loading.busy and loading.current is not None
        self.done["load"] += 1
        for number in count():
            yield from self._ask(QUESTIONS[number % len(QUESTIONS)])
            yield from self._vote(number)
            yield from self._look_around()
            if number % 3 == 2:
                self._choose(self._window.menus.new_chat, "new chat")
            if time.monotonic() > self._end:
                break
        self.maps = {
            "window": mapped("self"),
            "child": mapped(str(child_of(self._desk.engine))),
        }

    def _ask(self, question: str) -> Iterator[Until]:
        editor = self._window.composer.findChild(Editor)
        assert isinstance(editor, Editor)
        editor.setPlainText(question)
        press = QEvent.Type.KeyPress
        key = QKeyEvent(press, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(editor, key)
        yield lambda: not self._desk.asking.busy
        self.done["ask"] += 1

    def _vote(self, number: int) -> Iterator[Until]:
        turn = self._desk.asking.conversation.open_turn()
        if turn is None or turn.pair is None:
            return
        pair, menus = turn.pair, self._window.menus
        self.done["duel"] += 1
        self._choose(menus.votes[number % 4], "vote")
        yield lambda: pair.stage == "voted"
        if number % 4 == 3:
            self._choose(menus.undo, "undo")
            yield lambda: pair.stage != "voted"

    def _look_around(self) -> Iterator[Until]:
        menus = self._window.menus
        for page in (menus.learned, menus.portfolio, menus.workshop, menus.chat):
            self._choose(page, "page")
            come = time.monotonic()
            yield lambda come=come: time.monotonic() - come > LOOK_AROUND  # type: ignore[misc]

    def _choose(self, action: QAction, what: str) -> None:
        action.trigger()
        self.done[what] += 1


def mapped(process: str) -> tuple[str, ...]:
    """Libraries and other files that a process has in its address space."""
    lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) > 5}
    return tuple(sorted(path for path in paths if path.startswith("/")))


def prepare(folder: Path) -> None:
    """Settings with short answers, and two of them as often as it is worth it."""
    remember_settings(folder, context=2048)
    engine = Engine(folder)
    sampling = replace(engine.settings.sampling, max_tokens=LONGEST_ANSWER)
    engine.change(duel_every=1, sampling=sampling)
    engine.close()


def open_window(folder: Path, *, use: Callable[[Window], object]) -> int:
    """Open the window on a data folder, and stay until it is closed.

    use  is handed the window before it is shown
    """
    build = app.build

    def built(*given: Any, **named: Any) -> Window:
        window = build(*given, **named)
        use(window)
        return window

    app.build = built
    return app.open_window(OpenWindow(data_dir=folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=0.0)
    given = parser.parse_args()
    owners: list[Owner] = []
    code = open_window(
        given.folder, use=lambda window: owners.append(Owner(window, minutes=given.minutes))
    )
    (owner,) = owners
    used = Used(done=dict(owner.done), window=owner.maps["window"], child=owner.maps["child"])
    print(msgspec.json.encode(used).decode(), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
