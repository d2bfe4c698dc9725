"""The host does whatever work it is given, one at a time, and hears a cancel meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO

import pytest

from engine.errors import OutOfMemory, Stopped
from engine.jobs import protocol
from engine.jobs.host import Host, Working
from engine.jobs.protocol import Begin, Calibrate, Cancel, ProgressItem
from tests.unit.jobs.conftest import subject

WORK = Calibrate(subjects=())


def item(done: int) -> ProgressItem:
    return ProgressItem(done=done, total=9, left=None)


class Labour:
    """Work that tells of a few items and then ends, raises, or waits to be cancelled."""

    def __init__(self, *, items: int = 2, end: BaseException | None = None, waits: bool = False):
        self._items, self._end, self._waits = items, end, waits
        self.cancelled = threading.Event()
        self.closed = False

    def run(self) -> Generator[protocol.Item, None, None]:
        try:
            for done in range(self._items):
                yield item(done)
            if self._end is not None:
                raise self._end
            if self._waits:
                assert self.cancelled.wait(10.0)
                raise Stopped("Stopped.")
        finally:
            self.closed = True

    def cancel(self) -> None:
        self.cancelled.set()


class Talk:
    """A host in a thread of its own, and the other ends of its pipes."""

    def __init__(self, begin: Callable[[protocol.Work], Working]) -> None:
        requests, self._requests = _pipe()
        self._replies, replies = _pipe()
        self.deserted = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(begin, requests, replies))
        self._thread.start()

    def send(self, *messages: protocol.Request) -> None:
        for message in messages:
            protocol.send(self._requests, message)

    def write(self, line: bytes) -> None:
        self._requests.write(line)
        self._requests.flush()

    def hear(self) -> protocol.Reply:
        return protocol.read_reply(self._replies.readline())

    def deafen(self) -> None:
        """Read no more, as a parent that is gone."""
        self._replies.close()

    def leave(self) -> None:
        """Close the input and wait until the host is done."""
        if not self._requests.closed:
            self._requests.close()
        self._thread.join(10.0)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.leave()
        self._replies.close()

    def _serve(
        self, begin: Callable[[protocol.Work], Working], requests: BinaryIO, replies: BinaryIO
    ) -> None:
        with requests:
            Host(begin, replies=replies).serve(requests, deserted=self.deserted.set)
            assert self.deserted.wait(10.0)  # the reading thread has done with the pipe
        try:
            replies.close()
        except OSError:
            return


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")


Start = Callable[..., Talk]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a host that does the given works, one after another."""
    talks: list[Talk] = []

    def starter(*works: Working) -> Talk:
        waiting = list(works)
        talks.append(Talk(lambda _work: waiting.pop(0)))
        hello = talks[-1].hear()
        expected = protocol.Hello(protocol=protocol.PROTOCOL, build=protocol.BUILD, pid=os.getpid())
        assert hello == expected
        return talks[-1]

    yield starter
    for talk in talks:
        talk.close()


def told(id: int, *, count: int) -> list[protocol.Reply]:
    return [protocol.Told(id=id, seq=n + 1, item=item(n)) for n in range(count)]


def test_items_are_numbered_and_the_end_is_said(start: Start) -> None:
    talk = start(Labour(items=3), Labour(items=1))
    talk.send(Begin(id=1, work=WORK), Begin(id=2, work=WORK))
    assert [talk.hear() for _ in range(4)] == [*told(1, count=3), protocol.Done(id=1)]
    assert [talk.hear() for _ in range(2)] == [*told(2, count=1), protocol.Done(id=2)]


def test_the_work_is_given_as_it_was_asked_for() -> None:
    seen = []

    def begin(work: protocol.Work) -> Working:
        seen.append(work)
        return Labour()

    talk = Talk(begin)
    talk.hear()
    work = Calibrate(subjects=(subject(),), seed=3)
    talk.send(Begin(id=1, work=work))
    while not isinstance(talk.hear(), protocol.Done):
        pass
    talk.close()
    assert seen == [work]


def test_an_error_of_the_tree_is_told_as_it_is(start: Start) -> None:
    talk = start(Labour(items=0, end=OutOfMemory("Too little.", detail="why")), Labour(items=0))
    talk.send(Begin(id=1, work=WORK), Begin(id=2, work=WORK))
    assert talk.hear() == protocol.Failed(
        id=1, code="out_of_memory", message="Too little.", detail="why"
    )
    assert talk.hear() == protocol.Done(id=2)


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), AssertionError()])
def test_any_other_error_is_told_as_ours_and_is_not_the_end(
    start: Start, error: BaseException
) -> None:
    talk = start(Labour(items=0, end=error), Labour(items=0))
    talk.send(Begin(id=1, work=WORK), Begin(id=2, work=WORK))
    failed = talk.hear()
    assert isinstance(failed, protocol.Failed)
    assert (failed.id, failed.code) == (1, "internal")
    assert talk.hear() == protocol.Done(id=2)


def test_a_cancel_is_heard_while_the_work_goes_on(start: Start) -> None:
    work = Labour(waits=True)
    talk = start(work)
    talk.send(Begin(id=7, work=WORK))
    assert [talk.hear() for _ in range(2)] == told(7, count=2)
    talk.send(Cancel(target=7))
    assert talk.hear() == protocol.Cancelled(id=7)
    assert work.closed


def test_a_cancel_of_something_else_is_not_for_this_work(start: Start) -> None:
    first, second = Labour(items=0, waits=True), Labour(items=0, waits=True)
    talk = start(first, second)
    talk.send(Cancel(target=2), Begin(id=1, work=WORK), Begin(id=2, work=WORK), Cancel(target=1))
    # The second was cancelled before it began.
    assert [talk.hear(), talk.hear()] == [protocol.Cancelled(id=1), protocol.Cancelled(id=2)]


def test_a_line_that_cannot_be_read_is_refused_by_its_number(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    talk = start(Labour(items=0))
    talk.write(b'{"type":"Begin","id":3,"work":{"type":"Unheard-of"}}\n')
    talk.write(b"nonsense\n")
    talk.send(Begin(id=4, work=WORK))
    failed = talk.hear()
    assert isinstance(failed, protocol.Failed)
    assert (failed.id, failed.code) == (3, "protocol")
    assert talk.hear() == protocol.Done(id=4)
    assert "refused a line" in caplog.text


def test_when_the_input_closes_the_work_is_cancelled_and_the_host_leaves(start: Start) -> None:
    work = Labour(waits=True)
    talk = start(work)
    talk.send(Begin(id=1, work=WORK))
    assert [talk.hear() for _ in range(2)] == told(1, count=2)
    talk.leave()
    assert work.closed
    assert talk.deserted.is_set()


def test_work_is_ended_when_nobody_listens_any_more(start: Start) -> None:
    work = Labour(items=100_000)
    talk = start(work)
    talk.send(Begin(id=1, work=WORK))
    talk.hear()
    talk.deafen()
    talk.leave()
    assert work.closed
