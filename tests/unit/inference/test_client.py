"""The client notices every way in which a child can go wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine import program
from engine.errors import (
    AttuneError,
    DamagedModel,
    EngineCrashed,
    EngineMismatch,
    EngineSilent,
    InvalidText,
)
from engine.inference import child, protocol
from engine.inference import client as module
from engine.inference.client import ChildDied, Client
from engine.types.answers import Message, Question
from engine.types.models import Launch
from tests.fakes import host as fake
from tests.fakes import puppet
from tests.fakes.host import Script, Trouble

Start = Callable[[Sequence[str]], Client]
QUESTION = Question(messages=(Message(role="user", text="Hello?"),))
PHASE = {"id": 1, "seq": 1}


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts clients and kills what is left of them."""
    clients: list[Client] = []

    def starter(command: Sequence[str]) -> Client:
        clients.append(Client(command))
        return clients[-1]

    yield starter
    for client in clients:
        client.kill()


def probe(client: Client) -> list[object]:
    return list(client.request(protocol.Probe(id=client.next_id())))


def generate(client: Client) -> Iterator[object]:
    return client.request(protocol.Generate(id=client.next_id(), questions=(QUESTION,), seed=1))


def load(client: Client, *, context: int = 2048) -> list[object]:
    launch = Launch(context=context)
    return list(
        client.request(protocol.Load(id=client.next_id(), path="x", name="X", launch=launch))
    )


def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


# Hello --------------------------------------------------------------------------------------


def test_a_child_that_greets_is_alive_and_has_a_number(start: Start) -> None:
    client = start(puppet.command(puppet.hello()))
    assert client.alive
    assert client.pid > 0


@pytest.mark.parametrize("wrong", [{"protocol": 999}, {"build": "0.0.1-other"}])
def test_a_child_of_another_version_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(EngineMismatch, match="Install Attune again"):
        Client(puppet.command(puppet.hello(**wrong)))  # type: ignore[arg-type]


def test_a_child_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.05)
    with pytest.raises(EngineSilent):
        Client(puppet.command(["sleep"]))


def test_a_child_that_greets_with_something_else_is_refused() -> None:
    with pytest.raises(EngineSilent):
        Client(puppet.command(puppet.say("Cancelled", id=1)))


def test_a_child_that_dies_before_its_hello_is_reported() -> None:
    with pytest.raises(ChildDied) as caught:
        Client(puppet.command(["words", "I could not start"], ["exit", 1]))
    assert "I could not start" in caught.value.detail


def test_a_program_that_does_not_exist_is_one_clear_error() -> None:
    with pytest.raises(EngineCrashed, match="could not be started"):
        Client(("/nowhere/at/all",))


# Requests -----------------------------------------------------------------------------------


def test_a_request_yields_its_items_and_ends_with_done(start: Start) -> None:
    client = start(fake.command(answers=("Hi there",)))
    assert isinstance(load(client)[-1], protocol.Loaded)
    *items, last = generate(client)
    assert isinstance(last, protocol.Answered)
    assert last.answers[0].text == "Hi there"
    chunks = [item.chunk.text for item in items if isinstance(item, protocol.ChunkItem)]
    assert "".join(chunks) == "Hi there"
    numbers = [item.seq for item in items]  # type: ignore[attr-defined]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.usefixtures("threads")
def test_a_failure_of_the_child_is_raised_as_its_own_class(start: Start) -> None:
    client = start(fake.command(troubles=(Trouble(at="load", kind="damaged"),)))
    with pytest.raises(DamagedModel, match="is damaged"):
        load(client)
    assert client.alive


def test_an_unknown_error_code_is_still_an_error_in_words(start: Start) -> None:
    failed = puppet.say("Failed", id=1, code="from_the_future", message="Something new.")
    client = start(puppet.command(puppet.hello(), ["hear"], failed))
    with pytest.raises(AttuneError, match="Something new"):
        probe(client)


def test_messages_of_an_earlier_request_are_passed_over(start: Start) -> None:
    stale = puppet.say("Phase", id=77, seq=1, phase="decode")
    done = puppet.say("Probed", id=1, variants=["a"], devices=["b"], gpu=False, offline=True)
    client = start(puppet.command(puppet.hello(), ["hear"], stale, puppet.hello(), done))
    assert [type(reply) for reply in probe(client)] == [protocol.Probed]


@pytest.mark.usefixtures("threads")
def test_a_request_that_the_child_cannot_read_fails_instead_of_hanging(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = start(fake.command())
    real = protocol.send

    def garble(channel: Any, message: Any) -> None:
        if isinstance(message, protocol.Probe):
            channel.write(b'{"type":"Probe","id":1,"from":"the future"}\n')
            channel.flush()
        else:
            real(channel, message)

    monkeypatch.setattr(protocol, "send", garble)
    with pytest.raises(protocol.ProtocolError):
        probe(client)
    assert client.alive
    assert "refused a line" in caplog.text


def test_text_that_json_cannot_carry_is_refused_and_harms_nothing(start: Start) -> None:
    client = start(puppet.command(puppet.hello()))
    question = Question(messages=(Message(role="user", text="half a \ud83d face"),))
    with pytest.raises(InvalidText, match="not valid Unicode"):
        list(client.request(protocol.Generate(id=1, questions=(question,), seed=1)))
    assert client.alive


# Deaths -------------------------------------------------------------------------------------

SIGNALS = (signal.SIGSEGV, signal.SIGILL, signal.SIGABRT, signal.SIGKILL, signal.SIGBUS)
CAUSES: dict[int, str] = {signal.SIGILL: "processor", signal.SIGKILL: "memory"}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("phase", ["load", "template", "prefill", "decode"])
def test_a_death_by_signal_is_told_with_its_cause(start: Start, phase: str, number: int) -> None:
    said = puppet.say("Phase", **PHASE, phase=phase)
    client = start(puppet.command(puppet.hello(), ["hear"], said, ["die", int(number)]))
    with pytest.raises(ChildDied) as caught:
        probe(client)
    at_load = number == signal.SIGABRT and phase == "load"
    assert caught.value.death.cause == ("file" if at_load else CAUSES.get(number, "fault"))
    assert not client.alive


def test_items_before_a_death_are_not_lost(start: Start) -> None:
    said = [puppet.say("Phase", id=1, seq=i, phase="decode") for i in range(1, 4)]
    client = start(puppet.command(puppet.hello(), ["hear"], *said, ["die", signal.SIGSEGV]))
    replies = client.request(protocol.Probe(id=client.next_id()))
    assert [next(replies).seq for _ in range(3)] == [1, 2, 3]  # type: ignore[union-attr]
    with pytest.raises(ChildDied):
        next(replies)


def test_what_the_child_said_last_is_kept_as_detail(start: Start) -> None:
    moves: tuple[list[str | int], ...] = (
        ["words", "assertion n_layer < 512 failed"],
        ["die", int(signal.SIGABRT)],
    )
    client = start(puppet.command(puppet.hello(), ["hear"], *moves))
    with pytest.raises(ChildDied) as caught:
        probe(client)
    assert "n_layer < 512" in caught.value.detail


def test_a_death_while_idle_shows_at_the_next_request(start: Start) -> None:
    client = start(puppet.command(puppet.hello(), ["exit", 0]))
    assert until(lambda: not client.alive)
    with pytest.raises(ChildDied):
        probe(client)


def test_a_death_that_the_system_has_not_told_of_yet_is_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a child reads from closes before its parent hears that it has ended."""
    client = start(puppet.command(puppet.hello(), ["die", int(signal.SIGKILL)]))
    assert until(lambda: not client.alive)
    monkeypatch.setattr(child.Child, "status", None)
    with pytest.raises(ChildDied) as caught:
        probe(client)
    assert caught.value.death.cause == "memory"


def test_every_later_request_fails_too(start: Start) -> None:
    client = start(puppet.command(puppet.hello(), ["hear"], ["exit", 3]))
    for _ in range(3):
        with pytest.raises(ChildDied):
            probe(client)


# Nonsense -----------------------------------------------------------------------------------

NONSENSE = {
    "words": "Segmentation fault (core dumped)\n",
    "bytes": "\xff\xfe\x00\x01\n",
    "another kind": puppet.line("Surprise", id=1),
    "a field more": puppet.line("Cancelled", id=1, why="because"),
    "a wrong type": puppet.line("Cancelled", id="one"),
    "an empty line": "\n",
    "no object": "[1, 2]\n",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_child_and_is_not_called_a_lack_of_memory(
    start: Start, nonsense: str
) -> None:
    client = start(puppet.command(puppet.hello(), ["hear"], ["say", nonsense]))
    with pytest.raises(ChildDied) as caught:
        probe(client)
    assert caught.value.death.cause == "fault"
    assert not client.alive


def test_half_a_message_is_the_last_word_of_a_child_that_died(start: Start) -> None:
    half = '{"type":"Cancel'
    client = start(puppet.command(puppet.hello(), ["hear"], ["say", half], ["die", signal.SIGKILL]))
    with pytest.raises(ChildDied) as caught:
        probe(client)
    assert caught.value.death.cause == "memory"


def test_a_child_that_goes_on_in_silence_after_closing_its_output_is_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    client = start(puppet.command(puppet.hello(), ["hear"], ["close"], ["sleep"]))
    with pytest.raises(ChildDied) as caught:
        probe(client)
    assert caught.value.death.cause == "fault"
    assert not client.alive


# Silence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["template", "decode"])
def test_a_phase_that_is_silent_for_too_long_ends_the_child(
    start: Start, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    monkeypatch.setitem(module.SILENCE_SECONDS, phase, 0.05)
    said = puppet.say("Phase", **PHASE, phase=phase)
    client = start(puppet.command(puppet.hello(), ["hear"], said, ["sleep"]))
    with pytest.raises(EngineSilent, match=phase) as caught:
        probe(client)
    assert caught.value.detail == phase
    assert not client.alive


@pytest.mark.parametrize("phase", ["load", "prefill"])
def test_loading_and_reading_a_long_prompt_may_take_any_time(phase: str) -> None:
    assert phase not in module.SILENCE_SECONDS


@pytest.mark.usefixtures("threads")
def test_a_long_prompt_is_read_in_a_phase_of_its_own(start: Start) -> None:
    client = start(fake.command(answers=("Hi",)))
    load(client)
    phases = [reply.phase for reply in generate(client) if isinstance(reply, protocol.Phase)]
    assert phases == ["template", "prefill"]


# Stopping -----------------------------------------------------------------------------------


def test_a_cancelled_answer_ends_with_the_text_so_far(start: Start, tmp_path: Path) -> None:
    client = start(fake.command(answers=("Hello world",), gate=str(tmp_path / "never")))
    load(client)
    replies = generate(client)
    shown = next(r for r in replies if isinstance(r, protocol.ChunkItem)).chunk.text
    client.cancel()
    *items, last = replies
    shown += "".join(r.chunk.text for r in items if isinstance(r, protocol.ChunkItem))
    assert isinstance(last, protocol.Answered)
    assert (last.answers[0].finish, last.answers[0].text) == ("stopped", shown)
    assert "He".startswith(shown)


@pytest.mark.parametrize("at", ["load", "prefill"])
def test_a_cancel_reaches_a_load_and_a_long_prompt(start: Start, at: str) -> None:
    client = start(fake.command(troubles=(Trouble(at=at, kind="hang"),)))  # type: ignore[arg-type]
    stopper = threading.Timer(0.05, client.cancel)
    stopper.start()
    if at == "load":
        assert isinstance(load(client)[-1], protocol.Cancelled)
    else:
        load(client)
        replies = generate(client)
        for reply in replies:
            if isinstance(reply, protocol.Phase) and reply.phase == "prefill":
                client.cancel()
        assert isinstance(reply, protocol.Answered)
        assert reply.answers[0].finish == "stopped"
    stopper.join()


def test_a_child_that_does_not_stop_is_ended_in_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    said = puppet.say("Phase", **PHASE, phase="decode")
    client = start(puppet.command(puppet.hello(), ["hear"], said, ["sleep"]))
    replies = client.request(protocol.Probe(id=client.next_id()))
    next(replies)
    begun = time.monotonic()
    client.cancel()
    with pytest.raises(EngineSilent, match="did not stop"):
        next(replies)
    assert time.monotonic() - begun < 5.0
    assert not client.alive


def test_a_cancel_wakes_a_request_that_waits_without_limit(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    client = start(puppet.command(puppet.hello(), ["sleep"]))
    stopper = threading.Timer(0.05, client.cancel)
    stopper.start()
    with pytest.raises(EngineSilent):
        probe(client)
    stopper.join()


@pytest.mark.usefixtures("threads")
def test_a_cancel_with_nothing_running_does_nothing(start: Start) -> None:
    client = start(fake.command(answers=("One", "Two")))
    client.cancel()
    load(client)
    client.cancel()
    *_, last = generate(client)
    client.cancel()
    assert isinstance(last, protocol.Answered)
    assert last.answers[0].text == "One"


@pytest.mark.usefixtures("threads")
def test_a_late_cancel_leaves_the_next_request_alone(start: Start) -> None:
    client = start(fake.command(answers=tuple("abcdefgh")))
    load(client)
    for expected in "abcdefgh":
        stopper = threading.Thread(target=client.cancel)
        *_, last = generate(client)
        stopper.start()
        stopper.join()
        assert isinstance(last, protocol.Answered)
        assert last.answers[0].text == expected


def test_a_cancel_that_comes_too_late_gives_the_next_request_its_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = [
        puppet.say("Probed", id=i, variants=[], devices=[], gpu=False, offline=True) for i in (1, 2)
    ]
    client = start(puppet.command(puppet.hello(), ["hear"], done[0], ["hear"], ["hear"], done[1]))
    first = client.request(protocol.Probe(id=1))
    next(first)
    client.cancel()
    monkeypatch.setattr(module, "STOP_SECONDS", 0.0)
    assert list(first) == []
    # Patience with the first request is over; the second one has no limit.
    assert isinstance(list(client.request(protocol.Probe(id=2)))[-1], protocol.Probed)


@pytest.mark.usefixtures("threads")
def test_an_answer_that_nobody_reads_on_is_cancelled(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    client = start(fake.command(answers=("Hello world", "Next"), gate=str(gate)))
    load(client)
    replies = generate(client)
    next(r for r in replies if isinstance(r, protocol.ChunkItem))
    replies.close()  # type: ignore[attr-defined]
    gate.touch()
    *_, last = generate(client)
    assert isinstance(last, protocol.Answered)
    assert last.answers[0].text == "Next"


# Ending -------------------------------------------------------------------------------------


def test_closing_lets_the_child_leave_by_itself(start: Start) -> None:
    client = start(fake.command())
    client.close()
    assert client._process.returncode == 0


def test_closing_ends_a_child_that_does_not_leave(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    client = start(puppet.command(puppet.hello(), ["sleep"]))
    client.close()
    assert client._process.returncode == -signal.SIGKILL


def test_closing_and_killing_may_come_in_any_order_and_twice(start: Start) -> None:
    client = start(puppet.command(puppet.hello()))
    for end in (client.close, client.kill, client.close, client.kill):
        end()
    assert not client.alive


def test_after_the_end_requests_and_cancels_are_harmless(start: Start) -> None:
    client = start(puppet.command(puppet.hello()))
    client.close()
    client.cancel()
    with pytest.raises(ChildDied):
        probe(client)


def test_killing_from_several_threads_ends_the_request_that_runs(start: Start) -> None:
    client = start(puppet.command(puppet.hello(), ["sleep"]))
    killers = [threading.Thread(target=client.kill) for _ in range(4)]
    for killer in killers:
        killer.start()
    with pytest.raises(ChildDied):
        probe(client)
    for killer in killers:
        killer.join()
    assert not client.alive


def test_a_closed_client_leaves_no_thread_and_no_open_pipe() -> None:
    threads, files = set(threading.enumerate()), set(os.listdir("/proc/self/fd"))
    client = Client(puppet.command(puppet.hello()))
    client.close()
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/proc/self/fd")) == files


# How the child is started -------------------------------------------------------------------


def test_the_child_gets_few_variables_and_its_own_session(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GGML_BACKEND_PATH", "/planted.so")
    monkeypatch.setenv("PYTHONPATH", "/planted")
    client = start(puppet.command(puppet.hello()))
    told = Path(f"/proc/{client.pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in told if entry}
    assert not names & {"GGML_BACKEND_PATH", "PYTHONPATH", "LD_PRELOAD"}
    assert "PATH" in names
    assert os.getsid(client.pid) == client.pid
    assert Path(f"/proc/{client.pid}/cwd").resolve() == program.folder()


def test_the_child_is_the_same_python_without_the_owners_settings_of_it() -> None:
    assert module.own_command()[0] == sys.executable
    assert "-I" in module.own_command()


def test_a_child_confines_itself_before_it_greets(start: Start) -> None:
    client = start(fake.command())
    status = Path(f"/proc/{client.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status


@pytest.mark.usefixtures("threads")
def test_a_script_with_defaults_is_a_child_that_works(start: Start) -> None:
    client = start(fake.command(Script()))
    (reply,) = probe(client)
    assert reply == protocol.Probed(
        id=1, variants=Script().variants, devices=Script().devices, gpu=False, offline=False
    )
