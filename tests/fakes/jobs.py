"""The real job child, whose inference children follow a script; it gives way to nobody.

`command(Script(…))` is a command line for `JobClient`; that of `deaf_command` does work which hears
no cancel and goes on for good.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from engine.inference.client import Client
from engine.jobs import host, protocol
from engine.jobs.calibration import Calibration
from tests.fakes import host as fake
from tests.fakes.host import Script

ROOT = Path(__file__).parents[2]
_START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tests.fakes.jobs as child; "


def command(script: Script | None = None, **changes: Any) -> tuple[str, ...]:
    """The command line of a job child whose children follow the script."""
    wanted = replace(script or Script(), **changes)
    text = msgspec.json.encode(wanted).decode()
    return _command("main", text)


def deaf_command(mark: Path) -> tuple[str, ...]:
    """The command line of a job child that leaves a mark when it has started a process and hears
    nothing any more."""
    return _command("be_deaf", str(mark))


def _command(function: str, argument: str) -> tuple[str, ...]:
    code = f"{_START}sys.exit(child.{function}(sys.argv[1]))"
    return (sys.executable, "-P", "-X", "utf8", "-c", code, argument)


def main(text: str) -> int:
    """Be a job child."""
    script = msgspec.json.decode(text, type=Script)

    def spawn() -> Client:
        return Client(fake.command(script), background=True)

    def begin(work: protocol.Work) -> host.Working:
        assert isinstance(work, protocol.Calibrate)
        return Calibration(work, spawn=spawn, clock=time.monotonic)

    with patch.object(host, "give_way"):  # on a busy machine the tests would take for ever
        return host.main(begin)


class Deaf:
    """Work that starts a process and never ends."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def run(self) -> Generator[protocol.Item, None, None]:
        with subprocess.Popen((sys.executable, "-S", "-c", "import time; time.sleep(600)")):
            self._mark.touch()
            while True:
                time.sleep(60.0)
        yield

    def cancel(self) -> None:
        """Is not heard."""


def be_deaf(mark: str) -> int:
    """Be a job child whose work hears nothing."""
    with patch.object(host, "give_way"), patch.object(host, "GRACE_SECONDS", 0.1):
        return host.main(lambda _work: Deaf(Path(mark)))
