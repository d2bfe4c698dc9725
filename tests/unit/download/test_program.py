"""The download program as a process: its lines, its end, and that nothing leaves it unlogged."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from engine.models.connections import ConnectionLog
from engine.models.order import (
    Connected,
    Delivered,
    Failed,
    Order,
    Progressed,
    Report,
    line_of,
    part_name,
    read_report,
)
from tests.fakes.hub import COMMIT, Fault, Hub, serving

DATA = random.Random(5).randbytes(400_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
FILE = "model.gguf"
COMMAND = (sys.executable, "-I", "-X", "utf8", "-m", "engine.download")
ROOT = Path(__file__).parents[3]
SECONDS = 20.0


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(files={FILE: DATA})) as hub:
        yield hub


@pytest.fixture
def order(tmp_path: Path) -> Order:
    folder = tmp_path / "downloaded"
    folder.mkdir()
    return Order(
        repository="owner/name",
        revision=COMMIT,
        file=FILE,
        sha256=SHA256,
        size=len(DATA),
        folder=str(folder),
        log=str(tmp_path / "connections.jsonl"),
    )


@contextmanager
def started(hub: Hub, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    command = (*COMMAND, "--endpoint", hub.endpoint, *arguments)
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **variables},
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[bytes], order: Order) -> list[Report]:
    """Everything that comes of an order."""
    _hand_over(process, order)
    return [read_report(line) for line in _out(process)]


def _hand_over(process: subprocess.Popen[bytes], order: Order) -> None:
    assert process.stdin is not None
    process.stdin.write(line_of(order))
    process.stdin.flush()


def _out(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _until(condition: object, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def test_an_order_ends_in_a_file(hub: Hub, order: Order) -> None:
    with started(hub) as process:
        reports = said(process, order)
        assert process.wait(SECONDS) == 0
    assert {type(each) for each in reports[:-1]} == {Connected, Progressed}
    path = Path(order.folder) / FILE
    assert reports[-1] == Delivered(path=str(path), sha256=SHA256, size=len(DATA), revision=COMMIT)
    assert path.read_bytes() == DATA
    hosts = [each.host for each in reports if isinstance(each, Connected)]
    assert hosts == [each.host for each in reversed(ConnectionLog(Path(order.log)).read())]


def test_a_failure_is_one_sentence_with_its_code(hub: Hub, order: Order) -> None:
    hub.refusal = (404, "EntryNotFound")
    with started(hub) as process:
        *_, last = said(process, order)
        assert process.wait(SECONDS) == 1
    assert isinstance(last, Failed)
    assert last.code == "not_on_hub"
    assert FILE in last.message


@pytest.mark.parametrize(
    ("arguments", "variables"), [(("--offline",), {}), ((), {"ATTUNE_OFFLINE": "1"})]
)
def test_offline_no_connection_is_made(
    hub: Hub, order: Order, arguments: Sequence[str], variables: dict[str, str]
) -> None:
    with started(hub, *arguments, **variables) as process:
        reports = [read_report(line) for line in _out(process)]
        assert process.wait(SECONDS) == 1
    assert [type(each) for each in reports] == [Failed]
    assert hub.requests == []
    assert not Path(order.log).exists()


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_killed_at_any_time_it_goes_on_where_it_was(hub: Hub, order: Order, share: float) -> None:
    hub.slowly = 0.01
    part = Path(order.folder) / part_name(FILE, SHA256)
    with started(hub) as process:
        _hand_over(process, order)
        _until(lambda: part.exists() and part.stat().st_size >= share * len(DATA))
        process.kill()
        process.wait()
    kept = part.stat().st_size
    assert list(Path(order.folder).glob("*.gguf")) == []
    assert ConnectionLog(Path(order.log)).read()[0].ended == ""
    hub.slowly = 0.0
    with started(hub) as process:
        assert isinstance(said(process, order)[-1], Delivered)
    assert hub.fetched()[-1] == f"bytes={kept}-"
    assert (Path(order.folder) / FILE).read_bytes() == DATA


def test_it_ends_at_once_when_its_input_closes(hub: Hub, order: Order) -> None:
    hub.slowly = 0.05
    part = Path(order.folder) / part_name(FILE, SHA256)
    with started(hub) as process:
        _hand_over(process, order)
        _until(lambda: part.exists() and part.stat().st_size > 0)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(SECONDS) == 1
    assert 0 < part.stat().st_size < len(DATA)
    assert ConnectionLog(Path(order.log)).read()[0].ended == "stopped"


def test_it_ends_with_its_input_also_where_the_log_cannot_be_written_any_more(
    hub: Hub, order: Order
) -> None:
    hub.faults = [Fault(after=81_920, hang=True)]
    part, log = Path(order.folder) / part_name(FILE, SHA256), Path(order.log)
    with started(hub) as process:
        _hand_over(process, order)
        _until(lambda: part.exists() and part.stat().st_size == 81_920)
        log.unlink()
        log.mkdir()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5.0) == 1


def test_what_libraries_may_be_told_by_variables_is_not_heard(hub: Hub, order: Order) -> None:
    """A variable sends no order elsewhere, and gives nobody's name away."""
    elsewhere = "http://127.0.0.1:1"
    variables = {"HF_ENDPOINT": elsewhere, "HTTP_PROXY": elsewhere, "HF_TOKEN": "hf_secret"}
    with started(hub, **variables) as process:
        assert isinstance(said(process, order)[-1], Delivered)
    assert all("secret" not in agent for agent in hub.agents)


def test_no_connection_can_be_made_beside_the_log(tmp_path: Path) -> None:
    code = (
        "import socket, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from engine.download.wire import Wire\n"
        "from engine.models.connections import ConnectionLog\n"
        "log = ConnectionLog(Path(sys.argv[2]))\n"
        "wire = Wire(log, purpose='', clock=lambda: 0.0, connected=print)\n"
        "wire.guard()\n"
        "datagrams = socket.socket(type=socket.SOCK_DGRAM)\n"
        "for attempt in (lambda: socket.create_connection(('127.0.0.1', 1)),\n"
        "                lambda: socket.socket().connect(('127.0.0.1', 1)),\n"
        "                lambda: socket.getaddrinfo('localhost', 80),\n"
        "                lambda: socket.gethostbyaddr('127.0.0.1'),\n"
        "                lambda: socket.getnameinfo(('127.0.0.1', 80), 0),\n"
        "                lambda: datagrams.sendto(b'x', ('127.0.0.1', 9)),\n"
        "                lambda: datagrams.sendmsg([b'x'], [], 0, ('127.0.0.1', 9))):\n"
        "    try: attempt()\n"
        "    except RuntimeError: print('refused')\n"
    )
    said = subprocess.run(
        (sys.executable, "-I", "-c", code, str(ROOT), str(tmp_path / "log")),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.split() == ["refused"] * 7


def test_a_line_that_is_no_order_is_refused(hub: Hub, tmp_path: Path) -> None:
    with started(hub) as process:
        out, _ = process.communicate(b"get me something\n", timeout=SECONDS)
        assert process.returncode == 1
    report = read_report(out)
    assert isinstance(report, Failed)
    assert report.code == "internal"
