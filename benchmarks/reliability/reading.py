"""Shows answers in a reader off the screen, and tells what each of them made the process do.

    python -m benchmarks.reliability.reading FILE

Started by `benchmarks.reliability.payloads`, with one answer a line in the file; one line of result
each on standard output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget

from benchmarks.reliability.hostile_answers import Payload, Shown
from benchmarks.reliability.tracing import MARK, is_ours
from desktop.style.tokens import look_for
from desktop.widgets.reader import Reader

PIECES = 3
DEEDS = ("os.", "subprocess.", "socket.", "shutil.", "urllib.", "webbrowser.", "ctypes.dlopen")
WARM = (
    "# Warm\n\n> Some *text*, `code` and [a](http://e.org).\n\n- a\n\n1. b\n\n|a|\n|-|\n|b|\n\n"
    "```python\nx = 1\n```\n\n```html\n<b>\n```\n\n---\n"
    "\n\U0001f600 \u0627\u0644 \u4e00 \u0939\u093f"
)
"""What loads fonts, lexers and the parser, which are not the answers' doing."""


class Watch:
    """Hears of what the process does while an answer is shown."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._on = False
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        self.heard = []
        self._on = True

    def end(self) -> tuple[str, ...]:
        self._on = False
        return tuple(self.heard)

    def _hear(self, event: str, given: tuple[object, ...]) -> None:
        if self._on and len(self.heard) < 20 and self._offends(event, given):
            self.heard.append(f"{event} {given!r:.100}")

    def _offends(self, event: str, given: tuple[object, ...]) -> bool:
        if event == "open":
            path = given[0]
            return not (isinstance(path, str) and is_ours(path))
        if event in ("os.listdir", "os.scandir"):
            return not (isinstance(given[0], str) and is_ours(given[0]))
        return event.startswith(DEEDS)


class Stage:
    """A page of the usual size with one reader, new for each answer."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self._look = look_for(application.palette(), font=application.font(), zoom=0)
        self._opened: list[str] = []
        QDesktopServices.openUrl = self._open  # type: ignore[method-assign]

    def show(self, text: str) -> float:
        """Show, paint and click; the longest time in the window's thread, in seconds."""
        page, inside = QScrollArea(), QWidget()
        reader = Reader(self._look)
        reader.link_chosen.connect(self._chosen)
        QVBoxLayout(inside).addWidget(reader)
        page.setWidget(inside)
        page.setWidgetResizable(True)
        page.resize(640, 700)
        page.show()
        longest = max(self._frames(reader, text))
        self._click(reader)
        page.close()
        page.deleteLater()
        self._application.processEvents()
        return longest

    def complaints(self) -> tuple[str, ...]:
        """What links led to since the last time, beyond asking the owner about the web."""
        found, self._opened = tuple(self._opened), []
        return found

    def _frames(self, reader: Reader, text: str) -> Iterator[float]:
        for piece in range(1, PIECES + 1):
            reader.show_markdown(text[: len(text) * piece // PIECES])
            more = True
            while more:
                begun = time.thread_time()
                more = reader.advance()
                self._application.processEvents()
                yield time.thread_time() - begun

    def _click(self, reader: Reader) -> None:
        for address in sorted(_addresses(reader))[:50]:
            reader.anchorClicked.emit(QUrl(address))
            self._application.processEvents()

    def _chosen(self, address: str) -> None:
        if not address.lower().startswith(("http://", "https://")):
            self._opened.append(f"asked about {address[:100]}")

    def _open(self, url: QUrl | str) -> bool:
        self._opened.append(f"opened {url}"[:100])
        return False


def _addresses(reader: Reader) -> set[str]:
    found: set[str] = set()
    block = reader.document().begin()
    while block.isValid():
        found |= {span.format.anchorHref() for span in block.textFormats()}
        block = block.next()
    return found - {""}


def _mark(name: str) -> None:
    """Say in the trace what follows."""
    with suppress(OSError):
        os.close(os.open(f"{MARK}{name}", os.O_RDONLY))


def main() -> int:
    application = QApplication(["reading"])
    stage, watch = Stage(application), Watch()
    for _ in range(2):
        stage.show(WARM)
    for line in Path(sys.argv[1]).read_bytes().split(b"\n"):
        answer = msgspec.json.decode(line, type=Payload)
        _mark(str(answer.number))
        watch.begin()
        seconds = stage.show(answer.text)
        heard = watch.end()
        _mark("end")
        told = Shown(
            number=answer.number, seconds=round(seconds, 4), offences=(*heard, *stage.complaints())
        )
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
