"""The reliability runs: they go on where they stopped, and they see what they look for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reliability import network, shortages
from benchmarks.reliability.gguf_bytes import cut, exchanged
from benchmarks.reliability.hostile_answers import EVERY, FAMILIES, LARGE, payloads
from benchmarks.reliability.hostile_templates import FAMILIES as TEMPLATE_FAMILIES
from benchmarks.reliability.hostile_templates import templates
from benchmarks.reliability.runs import Ledger, chance, conclude, never, run, spread
from benchmarks.reliability.tracing import MARK, offends, told_by_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    number: int
    text: str


def ledger(path: Path, *, seed: int = 0) -> Ledger[Case]:
    return Ledger(path, Case, seed=seed)


# Runs ---------------------------------------------------------------------------------------


def test_a_run_that_was_broken_off_does_what_is_missing_and_no_more(tmp_path: Path) -> None:
    path, done = tmp_path / "results" / "run.jsonl", []

    def case(number: int) -> Case:
        done.append(number)
        if len(done) == 3:
            raise KeyboardInterrupt
        return Case(number=number, text="ä\n")

    with pytest.raises(KeyboardInterrupt):
        run(ledger(path), count=5, case=case, tell=lambda c: c.text)
    run(ledger(path), count=5, case=case, tell=lambda c: c.text)
    assert done == [0, 1, 2, 2, 3, 4]
    assert ledger(path).cases == [Case(number=n, text="ä\n") for n in range(5)]


def test_a_line_that_was_not_finished_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = ledger(path)
    first.add(Case(number=0, text="a"))
    first.add(Case(number=1, text="b"))
    path.write_bytes(path.read_bytes()[:-5])
    again = ledger(path)
    assert again.missing(2) == [1]
    again.add(Case(number=1, text="c"))
    assert [case.text for case in ledger(path).cases] == ["a", "c"]


def test_results_of_another_seed_are_not_mixed_in(tmp_path: Path) -> None:
    ledger(tmp_path / "run.jsonl", seed=1)
    with pytest.raises(SystemExit, match="another seed"):
        ledger(tmp_path / "run.jsonl", seed=2)


def test_a_case_is_the_same_whatever_was_done_before_it() -> None:
    assert chance(3, 7).random() == chance(3, 7).random()
    assert len({chance(seed, n).random() for seed in range(3) for n in range(50)}) == 150


def test_a_summary_says_which_target_was_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [never("deaths", [Case(number=4, text="")], of=9), never("hangs", [], of=9)]
    assert conclude(tmp_path / "r.jsonl", title="T", about={"seed": 1}, findings=rows) == 1
    assert "| deaths | 1 of 9 (cases 4) | 0 | **no** |" in (tmp_path / "r.md").read_text()
    assert '"met": true' in (tmp_path / "r.json").read_text()
    assert "seed 1" in capsys.readouterr().out
    assert conclude(tmp_path / "r.jsonl", title="T", about={}, findings=rows[1:]) == 0


def test_nothing_that_was_never_tried_is_a_promise_kept() -> None:
    assert not never("deaths", [], of=0).met


def test_a_spread_names_the_middle_and_the_worst() -> None:
    assert spread([3.0, 1.0, 2.0]) == "median 2 s, 95 % 3, most 3"
    assert spread([]) == "none"


# What is tried ------------------------------------------------------------------------------


@given(seed=st.integers(0, 999), number=st.integers(0, 500))
def test_hostile_templates_follow_from_seed_and_number(seed: int, number: int) -> None:
    count = number + 1
    family, text = templates(count, seed=seed)[number]
    assert family is TEMPLATE_FAMILIES[number % len(TEMPLATE_FAMILIES)]
    assert templates(count + 5, seed=seed)[number] == (family, text)
    assert "«" not in text


def test_hostile_templates_hardly_repeat() -> None:
    assert len({text for _, text in templates(200, seed=0)}) > 150


@given(seed=st.integers(0, 999))
def test_every_fifth_hostile_answer_is_large_and_all_families_occur(seed: int) -> None:
    found = payloads(EVERY * len(FAMILIES), seed=seed, near="/near")
    assert {answer.family for answer in found} == set(FAMILIES)
    assert [len(a.text) == LARGE for a in found] == [n % EVERY == 0 for n in range(len(found))]
    assert not any("«" in answer.text for answer in found)


@given(seed=st.integers(0, 2**32))
def test_exchanged_bytes_keep_the_length(seed: int) -> None:
    sound = bytes(range(256)) * 4
    _, data = exchanged(sound, head=200, draw=Random(seed))
    assert len(data) == len(sound)
    assert sum(a != b for a, b in zip(data, sound, strict=True)) <= 8


@given(seed=st.integers(0, 2**32))
def test_a_cut_file_begins_as_the_sound_one_and_then_differs(seed: int) -> None:
    sound = bytes(range(1, 256)) * 4
    what, data = cut(sound, head=200, draw=Random(seed))
    at = int(what.rsplit(" ", 1)[1])
    assert data[:at] == sound[:at]
    assert len(data) == (at if what.startswith("nothing") else len(sound))
    assert data != sound or what.startswith("noise")


# What is seen -------------------------------------------------------------------------------

HARMLESS = (
    f'12 openat(AT_FDCWD, "{sys.prefix}/lib/x.py", O_RDONLY|O_CLOEXEC) = 3',
    'openat(AT_FDCWD, "/usr/share/fonts/a.ttf", O_RDONLY) = 3',
    "12 +++ exited with 0 +++",
    "--- SIGCHLD {si_signo=SIGCHLD} ---",
)
OFFENCES = (
    '12 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3',
    '12 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = -1 ENOENT (No such file or directory)',
    '[pid  12] open("canary.png", O_RDONLY) = 3',
    f'12 openat(AT_FDCWD, "{sys.prefix}/new", O_WRONLY|O_CREAT, 0666) = 3',
    "12 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 5",
    '12 execve("/usr/bin/xdg-open", ["xdg-open"], 0x7ffd /* 30 vars */) = 0',
    '12 connect(5, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0',
)


@pytest.mark.parametrize("line", HARMLESS)
def test_reading_the_program_and_fonts_is_no_offence(line: str) -> None:
    assert not offends(line)


@pytest.mark.parametrize("line", OFFENCES)
def test_any_other_file_socket_or_process_is_one(line: str) -> None:
    assert offends(line)


def test_offences_belong_to_the_answer_that_was_shown() -> None:
    def mark(name: str) -> str:
        return f'1 openat(AT_FDCWD, "{MARK}{name}", O_RDONLY) = -1 ENOENT (No such file)'

    lines = (OFFENCES[0], mark("3"), HARMLESS[0], mark("end"), OFFENCES[1], mark("14"), OFFENCES[4])
    assert told_by_system(lines) == {3: (), 14: (OFFENCES[4],)}


def test_families_of_sockets_are_counted_however_they_are_used() -> None:
    lines = (
        "1 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        '1 connect(3, {sa_family=AF_UNIX, sun_path=@"/tmp/.X11-unix/X0"}, 20) = 0',
        "2 socket(AF_INET, SOCK_DGRAM, 0) = -1 EACCES (Permission denied)",
        "2 sendto(4, 0x1, 2, 0, {sa_family=AF_INET6, sin6_port=htons(53)}, 28) = 2",
        "2 io_uring_setup(1, 0x0) = -1 EACCES",
    )
    assert network.families(lines) == {"AF_UNIX": 2, "AF_INET": 1, "AF_INET6": 1, "io_uring": 1}


def test_packets_of_all_devices_are_counted() -> None:
    table = (
        "Inter-|   Receive                  |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs\n"
        "    lo:     100       2    0    0    0     0          0         0      100       2    0\n"
        "  eth0: 5000 7 0 0 0 0 0 0 400 11 0 0 0 0 0 0\n"
    )
    assert network.packets(table) == 22


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_a_library_that_could_open_a_socket_is_found() -> None:
    import _socket

    from PySide6 import QtCore

    assert "socket" in network.socket_calls(Path(_socket.__file__))
    assert not network.socket_calls(Path(QtCore.__file__))
    qt = Path(QtCore.__file__).parent / "Qt" / "lib" / "libQt6Network.so.6"
    found = network.strangers((str(qt), QtCore.__file__, _socket.__file__))
    assert found == (str(qt),)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (["Memory"], "memory is not named"),
        (["There is not enough memory. Choose a smaller model."], ""),
        (["There is no memory left."], "no way out is offered"),
        (["No memory, smaller, please report it."], "something else is blamed"),
    ],
)
def test_a_message_about_memory_is_judged(said: Sequence[str], problem: str) -> None:
    assert shortages._unnamed(list(said)).startswith(problem)
    assert bool(shortages._unnamed(list(said))) is bool(problem)
