"""python -m benchmarks.speed.first_minute [--question Q]: from the start to what a thumb changed.

Opens the real window on an empty data folder, with the starter model in its process, and does what
its owner would, without reading: asks, asks for two answers, votes for the shorter one, asks the
same again. Prints the seconds from the start of the process, a line for each step. Where Qt shows
the window is for QT_QPA_PLATFORM; the machine should be idle.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from benchmarks.reliability.session import open_window
from desktop.conversation import Turn
from desktop.views.window import Window
from desktop.widgets.composer import Editor

TICK = 10
"""Milliseconds between two looks."""

BEGUN = "ATTUNE_BEGUN"
QUESTION = "How do I keep basil alive?"

Step = tuple[str, Callable[[], bool]]
"""What has been reached, and whether it is."""


class Newcomer(QObject):
    """Uses a window; ends it with the last step."""

    def __init__(self, window: Window, *, question: str, begun: float) -> None:
        super().__init__(window)
        self._window, self._desk = window, window._desk
        self._question, self._begun = question, begun
        self._steps = self._script()
        self._name, self._reached = next(self._steps)
        timer = QTimer(self, interval=TICK)
        timer.timeout.connect(self._look)
        timer.start()

    def _look(self) -> None:
        while self._reached():
            print(f"{time.time() - self._begun:6.2f}  {self._name}", flush=True)
            step = next(self._steps, None)
            if step is None:
                self._window.close()
                return
            self._name, self._reached = step

    def _script(self) -> Iterator[Step]:
        window, asking = self._window, self._desk.asking
        yield "window visible", window.isVisible
        editor = window.composer.findChild(Editor)
        assert isinstance(editor, Editor)
        editor.setPlainText(self._question)
        window.menus.send.trigger()  # while the model is still loaded: it waits by itself
        yield "first word", lambda: bool(self._last.text)
        yield "first answer", lambda: not asking.busy
        plain = self._last.text
        window.menus.compare.trigger()
        yield "two answers", lambda: not asking.busy
        pair = self._last.pair
        if pair is None or not pair.open:
            print("        there is no vote to give on these two", flush=True)
            return
        texts = [pair.text_of(number) for number in range(2)]
        window.menus.votes[texts.index(min(texts, key=len))].trigger()
        yield "vote counted", lambda: pair.stage == "voted"
        yield "offered to see it", lambda: window.page.offer.isVisible()
        window.page.offer.buttons[0].click()
        yield "first word that a thumb has moved", lambda: asking.busy and bool(self._last.text)
        yield "next answer", lambda: not asking.busy
        words = [len(text.split()) for text in (plain, *texts, self._last.text)]
        print(f"        words: plain {words[0]}, A {words[1]}, B {words[2]}, next {words[3]}")

    @property
    def _last(self) -> Turn:
        return self._desk.asking.conversation.turns[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--question", default=QUESTION)
    given = parser.parse_args()
    if BEGUN not in os.environ:
        command = [sys.executable, "-m", "benchmarks.speed.first_minute", *sys.argv[1:]]
        return subprocess.call(command, env=os.environ | {BEGUN: str(time.time())})
    begun = float(os.environ[BEGUN])
    with tempfile.TemporaryDirectory() as folder:
        use: list[Newcomer] = []
        return open_window(
            Path(folder),
            use=lambda window: use.append(Newcomer(window, question=given.question, begun=begun)),
        )


if __name__ == "__main__":
    sys.exit(main())
