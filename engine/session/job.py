"""Long work as the owner sees it: one at a time, in a job child, to be stopped at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from engine.errors import InputError
from engine.jobs import protocol
from engine.jobs.client import JobClient


class Job:
    """Work that may take several job children, one after the other; `stop` is for any thread."""

    def __init__(self, name: str, *, spawn: Callable[[], JobClient]) -> None:
        """
        name   what a message calls it: "build"
        spawn  starts a job child
        """
        self._name, self._spawn = name, spawn
        self._child: JobClient | None = None
        self._busy, self._stopping = threading.Lock(), threading.Event()

    @property
    def child(self) -> JobClient | None:
        """The job child that works now."""
        return self._child

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called since the work was begun."""
        return self._stopping.is_set()

    @contextmanager
    def begun(self) -> Iterator[None]:
        """While it lasts. Raises InputError where it is under way already."""
        if not self._busy.acquire(blocking=False):
            raise InputError(f"A {self._name} is under way already. Wait for it, or stop it first.")
        try:
            self._stopping.clear()
            yield
        finally:
            self._busy.release()

    def run(
        self, work: protocol.Work
    ) -> Generator[protocol.Item | protocol.Done | protocol.Cancelled, None, None]:
        """Have a job child do this; see `JobClient.run`. It is ended with the iterator."""
        child = self._child = self._spawn()
        try:
            for item in child.run(work):
                if self._stopping.is_set():  # before there was a child to cancel
                    child.cancel()
                yield item
        finally:
            self._child = None
            child.close()

    def stop(self) -> None:
        """End what is running. Any thread."""
        self._stopping.set()
        if (child := self._child) is not None:
            child.cancel()
