"""The files that a Linux desktop knows an application by, written into a tree as below /usr."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.version import __version__
from installer.contents import ROOT

ID = "io.github.attune.Attune"
MIME = "application/vnd.attune.preference-profile+json"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
"""Pixels of the icons."""

SOURCES = Path(__file__).parent / "share"
ASSETS = ROOT / "assets"


def write(root: Path, *, epoch: int) -> None:
    """Fill root/share with entry, icons, metadata, type of file and manual."""
    share = root / "share"
    texts = {
        f"applications/{ID}.desktop": f"{ID}.desktop",
        f"metainfo/{ID}.metainfo.xml": f"{ID}.metainfo.xml",
        f"mime/packages/{ID}.xml": f"{ID}.xml",
        "man/man1/attune.1": "attune.1",
    }
    for place, source in texts.items():
        _put(share / place, filled(SOURCES / source, epoch=epoch).encode())
    for place, data in icons():
        _put(share / "icons" / "hicolor" / place, data)


def filled(template: Path, *, epoch: int) -> str:
    """A text with version, date and commands put in."""
    text = template.read_text(encoding="utf-8")
    date = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d")
    for name, value in (("VERSION", __version__), ("DATE", date)):
        text = text.replace(f"@{name}@", value)
    return text.replace("@COMMANDS@", _commands()) if "@COMMANDS@" in text else text


def icons() -> Iterator[tuple[str, bytes]]:
    """Every icon, by its place in the theme. Needs Qt, and no display."""
    program, profile = ASSETS / f"{ID}.svg", SOURCES / f"{ID}.profile.svg"
    document = MIME.replace("/", "-")
    yield f"scalable/apps/{ID}.svg", program.read_bytes()
    yield f"scalable/mimetypes/{document}.svg", profile.read_bytes()
    yield f"symbolic/apps/{ID}-symbolic.svg", (SOURCES / f"{ID}-symbolic.svg").read_bytes()
    for size in SIZES:
        yield f"{size}x{size}/apps/{ID}.png", rendered(program, size)
        yield f"{size}x{size}/mimetypes/{document}.png", rendered(profile, size)


def rendered(picture: Path, size: int) -> bytes:
    """An SVG file as PNG, so many pixels wide and high."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(picture)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload] # takes a device as well
    return bytes(buffer.data().data())


def commands() -> dict[str, str]:
    """Every command of the terminal, and what it is for."""
    from engine.cli.arguments import parser

    found: dict[str, str] = {}
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {each.dest: each.help or "" for each in action._choices_actions}
    return found


def _commands() -> str:
    """As the manual lists them."""
    return "\n".join(f".TP\n.B {name}\n{what}" for name, what in commands().items())


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
