"""A confined process opens no socket to a network, and neither does what it starts."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from engine.inference import seccomp

linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in seccomp._KNOWN,
    reason="only there a filter is known",
)

TRIES = """
import ctypes, os, socket, subprocess, sys
def said(call):
    try:
        call()
    except OSError as error:
        return error.errno
    return "opened"
print(said(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)))
print(said(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)))
print(said(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)))
print(said(lambda: socket.socket(socket.AF_UNIX)), said(socket.socketpair))
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(425, 1, 0) if libc.syscall(425, 1, 0) >= 0 else ctypes.get_errno())
"""
CONFINED = f"""
from engine.inference.confinement import confine
confine()
{TRIES}
import threading
found = []
thread = threading.Thread(target=lambda: found.append(said(socket.socket)))
thread.start(); thread.join()
print(*found)
child = "import socket; socket.socket()"
print(subprocess.run([sys.executable, "-c", child], stderr=subprocess.DEVNULL).returncode)
from engine.inference.seccomp import sockets_are_refused
print(sockets_are_refused())
"""


def run(script: str) -> list[str]:
    shown = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, timeout=60
    )
    return shown.stdout.splitlines()


@linux
def test_networks_are_refused_and_pipes_of_this_machine_are_not() -> None:
    refused = "13"
    inet, inet6, netlink, unix, io_uring, thread, child, told = run(CONFINED)
    assert (inet, inet6, netlink, io_uring) == (refused,) * 4
    assert unix == "opened opened"
    assert thread == refused
    assert child == "1"
    assert told == "True"


@linux
def test_without_the_filter_the_same_is_let_through() -> None:
    inet, *_ = run(TRIES)
    assert inet == "opened"
    assert run("from engine.inference.seccomp import *; print(sockets_are_refused())") == ["False"]


def test_a_machine_without_a_filter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    with pytest.raises(OSError, match="abacus"):
        seccomp.forbid_sockets()


@linux
def test_a_child_without_a_filter_goes_on_and_notes_it() -> None:
    shown = run(
        "import logging; logging.basicConfig(level='INFO', format='%(message)s')\n"
        "import sys; sys.stderr = sys.stdout\n"
        "from engine.inference import confinement, seccomp\n"
        "import platform; platform.machine = lambda: 'abacus'\n"
        "logging.getLogger().handlers[0].stream = sys.stdout\n"
        "confinement.confine()\n"
    )
    assert shown == [
        "sockets could not be forbidden: [Errno 38] no filter is known for linux abacus"
    ]
