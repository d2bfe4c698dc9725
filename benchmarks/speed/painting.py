"""Writing 100 KB answers of every kind into the window: the longest time it is held up."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget

from benchmarks.speed.measure import HEADER, Row
from desktop.style.tokens import look_for
from desktop.widgets.reader import Reader

LARGE = {
    "prose": "Some **bold** text with `code` and [a link](http://e.org/x) in it.\n\n- a\n- b\n\n"
    * 1300,
    "one line": "word " * 20_000,
    "code": "```python\n" + "def f(x): return x + 1\n" * 4400 + "```\n",
    "list": "- item **one** here\n" * 5000,
    "table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 16_000,
    "quotes": "> hi there\n" * 9000,
}


def run() -> list[Row]:
    """The longest frame of each kind, in seconds of the window's own thread."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(["benchmark"])
    assert isinstance(application, QApplication)
    longest = {name: max(_frames(application, text)) for name, text in LARGE.items()}
    worst = max(longest, key=lambda name: longest[name])
    return [
        Row(
            name="longest frame while a 100 KB answer is written, s",
            model="",
            ratio=longest[worst],
            spread=(min(longest.values()), longest[worst]),
            target=0.2,
            low=True,
            detail=", ".join(f"{name} {1e3 * took:.0f} ms" for name, took in longest.items()),
        )
    ]


def _frames(application: QApplication, text: str) -> list[float]:
    """Times of one answer in a page of the usual size."""
    page, inside = QScrollArea(), QWidget()
    reader = Reader(look_for(application.palette(), font=application.font(), zoom=0))
    column = QVBoxLayout(inside)
    column.addWidget(reader)
    page.setWidget(inside)
    page.setWidgetResizable(True)
    page.resize(640, 700)
    page.show()
    reader.show_markdown(text)
    frames, more = [], True
    while more:
        # The time of this thread alone: the machine may have other things to do.
        begun = time.thread_time()
        more = reader.advance()
        application.processEvents()
        frames.append(time.thread_time() - begun)
    page.close()
    page.deleteLater()
    return frames


def main() -> int:
    """python -m benchmarks.speed.painting: print the row and keep it."""
    lines = [HEADER, *(row.line() for row in run())]
    print("\n".join(lines))
    kept = Path(__file__).parent / "results" / "painting.md"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
