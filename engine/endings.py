"""How the last window ended: a note that is there while something goes on that may end badly.

It is written before and taken away after. A window that finds one knows that nobody took it away:
the one before ended in the middle of that. The note holds settings and names of models, no texts.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from engine.types.models import Launch
from engine.version import __version__

NOW, LAST = "running.json", "bad-end.json"
"""The note, and what became of the newest that was found."""

FAULTS = "faults.log"
"""Where the system's signals are written down, by Python's faulthandler."""

LONGEST_TRACE = 8000
"""Characters of it."""

_FOLDERS = re.compile(r'(File ")[^"\n]*?(?=[^/\\"\n]+[/\\][^/\\"\n]+")')

Doing = Literal["running", "loading", "trying"]

log = logging.getLogger("engine.endings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a window was doing when it ended without closing.

    doing    running: nothing that is known for its risk; loading: a model; trying: which settings
             work on this machine
    model    name of the model; "" unless one was being loaded
    launch   the settings that it was loaded with
    at       when that began, in seconds since the epoch
    version  of Attune
    boot     which start of the machine it was; "" where that is not known
    fault    the system's signal that ended it, in technical words; "" if none is known
    trace    where every thread was then
    """

    doing: Doing = "running"
    model: str = ""
    launch: Launch | None = None
    at: float = 0.0
    version: str = __version__
    boot: str = ""
    fault: str = ""
    trace: str = ""


class RunNote:
    """The note of this window's run. Any thread.

    Where it cannot be written there is none: that is no reason not to run.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float], boot: str = "") -> None:
        """
        folder  of the log
        clock   seconds since the epoch
        boot    changes with each start of the machine; "" where nothing tells
        """
        self._folder, self._clock, self._boot = folder, clock, boot
        self._lock = threading.RLock()  # a signal may come while its own thread writes
        self._open = False

    def begin(self) -> Ending | None:
        """Note that a window is open; returns how the last one ended, if that was badly."""
        found = _unclosed(self._folder)
        # A machine that was switched off took the window along, which is nobody's fault.
        if found is not None and not self._excused(found):
            self._write(LAST, found)
        with suppress(OSError):
            os.truncate(self._folder / FAULTS, 0)
        with self._lock:
            self._open = True
            self._write(NOW, self._running())
        return None if found is None or self._excused(found) else found

    @contextmanager
    def during(
        self, doing: Doing, *, model: str = "", launch: Launch | None = None
    ) -> Iterator[None]:
        """Note what is about to be done, on the disk before it begins; and that it is over."""
        self._say(replace(self._running(), doing=doing, model=model, launch=launch), sync=True)
        try:
            yield
        finally:
            self._say(self._running())

    def clear(self) -> None:
        """It ends as it should, or somebody ends it on purpose. Twice is once."""
        with self._lock:
            self._open = False
            with suppress(OSError):
                (self._folder / NOW).unlink(missing_ok=True)

    # ----------------------------------------------------------------------------------------

    def _running(self) -> Ending:
        return Ending(at=self._clock(), boot=self._boot)

    def _excused(self, found: Ending) -> bool:
        another = bool(self._boot and found.boot) and found.boot != self._boot
        return another and found.doing == "running" and not found.fault

    def _say(self, ending: Ending, *, sync: bool = False) -> None:
        with self._lock:
            if self._open:
                self._write(NOW, ending, sync=sync)

    def _write(self, name: str, ending: Ending, *, sync: bool = False) -> None:
        path = self._folder / name
        part = path.with_name(f"{name}.part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(ending))
                if sync:  # the machine may stand still in a moment
                    file.flush()
                    os.fsync(descriptor)
            os.replace(part, path)
        except OSError as error:
            log.info("the note of this run was not written: %s", error)


def last(folder: Path, *, window: bool) -> Ending | None:
    """The newest bad end that is known.

    window  one is open now: the note is its own
    """
    unclosed = None if window else _unclosed(folder)
    return unclosed or _read(folder / LAST)


def _unclosed(folder: Path) -> Ending | None:
    """The note that nobody took away, with what was written down of its end."""
    found = _read(folder / NOW)
    if found is None:
        return None
    trace = _trace(folder / FAULTS)
    return replace(found, fault=trace.partition("\n")[0].strip(), trace=trace)


def _read(path: Path) -> Ending | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ending)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.info("a note of a run cannot be read: %s", error)
        return None


def _trace(path: Path) -> str:
    """What was written down when a signal ended the process, without the folders of its owner."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _FOLDERS.sub(r"\1", file.read(LONGEST_TRACE))
    except OSError:
        return ""
