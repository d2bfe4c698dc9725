"""The lane and the bridge: order, threads, ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.bridge import Bridge, Listener, once
from engine.api import AttuneError
from tests.gui.conftest import lanes


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    assert bridge.close(stop=lambda: None, last=lambda: None, timeout=5)
    assert not lanes()


def test_everything_is_heard_in_order_on_this_thread(qtbot: QtBot, bridge: Bridge) -> None:
    heard: list[object] = []

    def work() -> Iterator[object]:
        yield from range(500)

    def hear(item: object) -> None:
        assert threading.get_ident() == here
        heard.append(item)

    here = threading.get_ident()
    bridge.submit(work, Listener(heard=hear, done=lambda: heard.append("done")))
    qtbot.waitUntil(lambda: "done" in heard)
    assert heard == [*range(500), "done"]


def test_a_job_ends_in_exactly_one_way(qtbot: QtBot, bridge: Bridge) -> None:
    ends: list[str] = []

    def work() -> Iterator[object]:
        yield 1
        raise AttuneError("No.")

    listener = Listener(failed=lambda e: ends.append(e.message), done=lambda: ends.append("done"))
    bridge.submit(work, listener)
    bridge.submit(once(lambda: 2), listener)
    qtbot.waitUntil(lambda: "done" in ends)
    assert ends == ["No.", "done"]


def test_a_withdrawn_job_is_skipped(qtbot: QtBot, bridge: Bridge) -> None:
    gate = threading.Event()
    heard: list[object] = []
    bridge.submit(once(lambda: gate.wait(5)), Listener())
    second = bridge.submit(once(lambda: "second"), Listener(heard=heard.append))
    bridge.submit(once(lambda: "third"), Listener(heard=heard.append))
    bridge.withdraw(second)
    gate.set()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["third"]


def test_closing_cuts_short_but_does_what_must_last(qtbot: QtBot) -> None:
    bridge, done, stop = Bridge(), [], threading.Event()
    begun = threading.Event()

    def endless() -> Iterator[object]:
        try:
            begun.set()
            while True:
                stop.wait(5)
                yield 1
        finally:
            done.append("ended")

    bridge.submit(endless, Listener())
    bridge.submit(once(lambda: done.append("skipped")), Listener())
    bridge.submit(once(lambda: done.append("saved")), Listener(), lasting=True)
    begun.wait(5)
    assert bridge.close(stop=stop.set, last=lambda: done.append("last"), timeout=5)
    assert done == ["ended", "saved", "last"]


def test_an_engine_that_hangs_does_not_hang_the_window(qtbot: QtBot) -> None:
    bridge, free = Bridge(), threading.Event()
    begun = threading.Event()

    def hang() -> object:
        begun.set()
        return free.wait(5)

    bridge.submit(once(hang), Listener())
    begun.wait(5)
    assert not bridge.close(stop=lambda: None, last=lambda: None, timeout=0.05)
    free.set()
    qtbot.waitUntil(lambda: not lanes())
