"""`attune --self-test`: whether this installed program has all that it needs, in half a minute.

What is left out of an installed program shows only where it is asked for. So everything is asked
for: every module of Attune, the window on no screen, both children, and the starter model.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from engine import program

PATIENCE = 60.0
"""Seconds that the downloader may take; it reads some hundred files at its first start."""

PACKAGES = ("engine", "desktop")
NOT_HERE = ("engine.download",)
"""Packages that another program holds."""

STARTS = ("desktop.__main__",)
"""Modules that do something when they are imported as what they are named."""


def run() -> int:
    """Try everything and print a line on each; 0 where all of it works."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    checks: tuple[tuple[str, Callable[[Path], str]], ...] = (
        ("modules", _modules),
        ("window", _window),
        ("long work", _job_child),
        ("starter model", _answer),
        ("downloader", _downloader),
    )
    with tempfile.TemporaryDirectory(prefix="attune-self-test-") as folder:
        passed = [_passes(name, check, Path(folder)) for name, check in checks]
    return 0 if all(passed) else 1


def _passes(name: str, check: Callable[[Path], str], folder: Path) -> bool:
    begun = time.perf_counter()
    try:
        found, well = check(folder), True
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what was to be found out
        found, well = f"{type(error).__name__}: {error}", False
    seconds = time.perf_counter() - begun
    print(f"{'ok    ' if well else 'FAILED'} {name:<14} {seconds:5.1f} s  {found}", flush=True)
    return well


def names() -> Iterator[str]:
    """Every module of Attune that this program should hold."""
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(folder, f"{package}."):
            if not found.name.startswith(NOT_HERE) and found.name not in STARTS:
                yield found.name


def _modules(_: Path) -> str:
    wanted = list(names())
    for name in wanted:
        importlib.import_module(name)
    assert "engine.inference.llama" in wanted, "the list of modules is not complete"
    return f"{len(wanted)} imported"


def _window(folder: Path) -> str:
    from PySide6.QtWidgets import QApplication

    from desktop import app
    from desktop.desk import Desk
    from engine.api import Engine

    application = QApplication.instance() or QApplication(["attune"])
    desk = Desk(Engine(folder / "window"))
    window = app.build(desk)
    window.show()
    application.processEvents()
    picture = window.grab().toImage()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 7) for y in (40, 300)}
    window.close()
    desk.close()
    assert len(colours) > 1, "nothing is painted"
    return f"{picture.width()} x {picture.height()}, painted"


def _job_child(_: Path) -> str:
    from engine.jobs.client import JobClient

    client = JobClient()
    client.close()
    return "started and ended"


def _downloader(_: Path) -> str:
    """It has a self-test of its own. Nothing is downloaded."""
    command = (*program.command(program.DOWNLOADER), "--self-test")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, (done.stderr or done.stdout).strip()[-300:]
    return done.stdout.strip()


def _answer(folder: Path) -> str:
    from engine.api import GREEDY, Answer, Engine, Message, Question

    engine = Engine(folder / "answer")
    try:
        for _ in engine.start():
            pass
        message = Message(role="user", text="What colour is the sky?")
        asked = Question(messages=(message,), sampling=replace(GREEDY, max_tokens=1))
        answers = [event for event in engine.answer(asked) if isinstance(event, Answer)]
        assert answers, "no answer came"
        assert answers[-1].tokens == 1, f"{answers[-1].tokens} tokens came, {answers[-1].finish}"
        launch, variants = engine.settings.launch, engine.settings.variants
    finally:
        engine.close()
    with_what = (launch and launch.variant) or "the only build"
    return f"said {answers[-1].text!r} with {with_what} (of {', '.join(variants) or 'one'})"
