"""The parent gets all that comes of the work, hears of every death, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.errors import EngineCrashed, EngineMismatch, EngineSilent, OutOfMemory
from engine.jobs import client as module
from engine.jobs import protocol
from engine.jobs.client import JobClient, JobDied
from engine.jobs.protocol import AnsweredItem, Calibrate, ProgressItem
from tests.fakes import jobs as fake
from tests.fakes import puppet
from tests.fakes.host import Kind, Script, Trouble
from tests.unit.jobs.conftest import asked, subject

WORK = Calibrate(subjects=())
PROGRESS: list[str | int] = puppet.say(
    "Told", id=1, seq=1, item={"type": "ProgressItem", "done": 1, "total": 2, "left": None}
)
ROOT = Path(__file__).parents[3]
Start = Callable[[Sequence[str]], JobClient]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts clients and kills what is left of them."""
    clients: list[JobClient] = []

    def starter(command: Sequence[str]) -> JobClient:
        clients.append(JobClient(command))
        return clients[-1]

    yield starter
    for client in clients:
        client.kill()


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "mark"


def slow() -> Calibrate:
    return Calibrate(subjects=(subject(asked("quick", max_tokens=1), asked("a", max_tokens=60)),))


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def only_child(pid: int) -> int:
    """The process that this one has started, as soon as there is one."""
    assert until(lambda: bool(children(pid)))
    (found,) = children(pid)
    return found


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


# Hello --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"protocol": 999}, {"build": "0.0.1-other"}])
def test_a_child_of_another_version_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(EngineMismatch, match="Install Attune again"):
        JobClient(puppet.command(puppet.hello(**wrong)))  # type: ignore[arg-type]


def test_a_child_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.05)
    with pytest.raises(EngineSilent, match="did not start"):
        JobClient(puppet.command(["sleep"]))


def test_a_child_that_dies_before_its_hello_is_reported_with_its_last_words() -> None:
    with pytest.raises(JobDied) as caught:
        JobClient(puppet.command(["words", "I could not start"], ["exit", 1]))
    assert "I could not start" in caught.value.detail


def test_a_program_that_does_not_exist_is_one_clear_error() -> None:
    with pytest.raises(EngineCrashed, match="process for long work could not be started"):
        JobClient(("/nowhere/at/all",))


def test_the_child_is_the_same_python_without_the_owners_settings_of_it() -> None:
    assert module.own_command() == (
        sys.executable, "-I", "-X", "utf8", "-m", "engine.jobs.host"
    )  # fmt: skip


# Work ---------------------------------------------------------------------------------------


def test_items_come_as_they_are_told_and_the_end_is_the_last(start: Start) -> None:
    done = puppet.say("Done", id=1)
    stale = puppet.say("Done", id=99)
    client = start(puppet.command(puppet.hello(), ["hear"], stale, PROGRESS, done))
    expected = [ProgressItem(done=1, total=2, left=None), protocol.Done(id=1)]
    assert list(client.run(WORK)) == expected


def test_a_failure_is_raised_as_its_own_class(start: Start) -> None:
    failed = puppet.say("Failed", id=1, code="out_of_memory", message="Too little.", detail="")
    client = start(puppet.command(puppet.hello(), ["hear"], failed))
    with pytest.raises(OutOfMemory, match="Too little"):
        list(client.run(WORK))
    assert client.alive


def test_works_follow_one_another(start: Start) -> None:
    ends = [puppet.say("Done", id=i) for i in (1, 2)]
    client = start(puppet.command(puppet.hello(), ["hear"], ends[0], ["hear"], ends[1]))
    assert [list(client.run(WORK)) for _ in (1, 2)] == [
        [protocol.Done(id=1)],
        [protocol.Done(id=2)],
    ]


# Deaths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "crashed"),
        (signal.SIGKILL, "memory ran out"),
        (signal.SIGILL, "processor"),
    ],
)
def test_a_death_is_told_with_its_cause_after_what_had_come(
    start: Start, number: int, words: str
) -> None:
    client = start(
        puppet.command(
            puppet.hello(), ["hear"], PROGRESS, ["words", "the last line"], ["die", int(number)]
        )
    )
    items = client.run(WORK)
    assert isinstance(next(items), ProgressItem)
    with pytest.raises(JobDied, match=words) as caught:
        next(items)
    assert "is kept" in caught.value.message
    assert "the last line" in caught.value.detail
    with pytest.raises(JobDied):
        list(client.run(WORK))


def test_nonsense_ends_the_child(start: Start) -> None:
    client = start(puppet.command(puppet.hello(), ["hear"], ["say", "What?\n"]))
    with pytest.raises(JobDied, match="crashed"):
        list(client.run(WORK))
    assert not client.alive


# Stopping -----------------------------------------------------------------------------------


def test_a_child_that_does_not_hear_a_cancel_is_ended_and_that_is_a_cancel(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    client = start(puppet.command(puppet.hello(), ["hear"], PROGRESS, ["sleep"]))
    items = client.run(WORK)
    next(items)
    client.cancel()
    assert list(items) == [protocol.Cancelled(id=1)]
    assert not client.alive


def test_a_cancel_wakes_whoever_waits_without_limit(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    client = start(puppet.command(puppet.hello(), ["sleep"]))
    stopper = threading.Timer(0.05, client.cancel)
    stopper.start()
    assert list(client.run(WORK)) == [protocol.Cancelled(id=1)]
    stopper.join()


def test_a_cancel_with_nothing_to_cancel_does_nothing(start: Start) -> None:
    client = start(puppet.command(puppet.hello(), ["hear"], puppet.say("Done", id=1)))
    client.cancel()
    assert list(client.run(WORK)) == [protocol.Done(id=1)]
    client.cancel()
    client.close()
    client.cancel()


def test_ending_may_come_twice_and_in_any_order(start: Start) -> None:
    client = start(puppet.command(puppet.hello()))
    for end in (client.close, client.kill, client.close):
        end()
    assert not client.alive


# The real child -----------------------------------------------------------------------------


def test_the_child_comes_last_and_has_a_session_of_its_own(start: Start) -> None:
    client = start(module.own_command())
    assert os.getpriority(os.PRIO_PROCESS, client.pid) == max(10, os.nice(0))
    assert os.getsid(client.pid) == client.pid
    assert "NoNewPrivs:\t1" in Path(f"/proc/{client.pid}/status").read_text()
    assert list(client.run(WORK)) == [protocol.Done(id=1)]


def stuck(kind: Kind, mark: Path) -> Script:
    """The model stops in the middle of its first answers, and leaves a mark when it does."""
    return Script(troubles=(Trouble(at="decode", kind=kind, times=1, count=str(mark)),))


def test_a_cancel_tells_what_is_finished_and_the_next_work_is_done(
    start: Start, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 60.0)  # it ends by itself, not by force
    client = start(fake.command(stuck("hang", mark)))
    items = client.run(slow())
    next(items)
    inner = only_child(client.pid)
    assert os.getpgid(inner) == client.pid
    assert until(mark.exists)
    client.cancel()
    *rest, end = items
    assert [item.key for item in rest if isinstance(item, AnsweredItem)] == ["quick"]
    assert isinstance(end, protocol.Cancelled)
    assert gone(inner)
    *rest, end = client.run(slow())
    assert [item.key for item in rest if isinstance(item, AnsweredItem)] == ["quick", "a"]
    assert isinstance(end, protocol.Done)
    assert children(client.pid) == []


def test_when_the_child_is_killed_the_model_goes_with_it(start: Start, mark: Path) -> None:
    client = start(fake.command(stuck("hang", mark)))
    items = client.run(slow())
    next(items)
    inner = only_child(client.pid)
    assert until(mark.exists)
    os.kill(client.pid, signal.SIGKILL)
    with pytest.raises(JobDied, match="memory"):
        list(items)
    assert until(lambda: gone(inner))


def test_killing_ends_even_a_model_that_hears_nothing(start: Start, mark: Path) -> None:
    client = start(fake.command(stuck("deaf", mark)))
    items = client.run(slow())
    next(items)
    inner = only_child(client.pid)
    assert until(mark.exists)
    client.kill()
    assert until(lambda: gone(inner), seconds=1.0)
    with pytest.raises(JobDied):
        list(items)


def test_when_the_parent_is_killed_the_child_and_the_model_go_with_it(mark: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from tests.unit.jobs.test_client import JobClient, fake, slow, stuck\n"
        f"client = JobClient(fake.command(stuck('hang', Path({str(mark)!r}))))\n"
        "print(client.pid, flush=True)\n"
        "list(client.run(slow()))"
    )
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        job = int(parent.stdout.readline())
        inner = only_child(job)
        assert until(mark.exists)
        parent.kill()
        assert until(lambda: gone(inner) and gone(job))


def test_work_that_hears_nothing_does_not_outlive_the_parent(mark: Path) -> None:
    with subprocess.Popen(
        fake.deaf_command(mark),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as job:
        assert job.stdin is not None
        protocol.send(job.stdin, protocol.Begin(id=1, work=WORK))  # type: ignore[arg-type]
        assert until(mark.exists)
        inner = only_child(job.pid)
        job.stdin.close()
        assert job.wait(timeout=30.0) == -signal.SIGKILL
    assert until(lambda: gone(inner))
