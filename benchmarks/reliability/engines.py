"""Engines for the runs: the real child and the starter model, in a folder of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.api import Engine
from engine.config import Settings, SettingsFile
from engine.inference.client import Client
from engine.session import selftest
from engine.session.selftest import machine_key
from engine.types.answers import Message, Question
from engine.types.models import Launch
from engine.types.steering import GREEDY

SAFE = ("haswell", "sse42")
"""Libraries that run on nearly any x86-64 processor; what the newest one claims need not hold."""


def remember_settings(folder: Path, *, context: int = 4096) -> None:
    """Settings as a self-test would leave them, with one thread, so that others may work beside.

    The machine is asked in a child, so that llama.cpp is not loaded here.
    """
    found = selftest.probe(Client)
    variant = next((name for name in SAFE if name in found.variants), None)
    launch = Launch(variant=variant, extra_bufts=False, threads=1, context=context)
    known = Settings(launch=launch, launch_key=machine_key(), variants=found.variants)
    folder.mkdir(parents=True, exist_ok=True)
    SettingsFile(folder / "settings.json").write(known)


def limited_host(megabytes: int) -> Sequence[str]:
    """The command line of a child whose address space is limited before it begins."""
    line = (
        "import os, resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({megabytes} << 20, {megabytes} << 20))\n"
        "host = ('-I', '-X', 'utf8', '-m', 'engine.inference.host')\n"
        "os.execv(sys.executable, (sys.executable, *host))\n"
    )
    return (sys.executable, "-c", line)


def asked(text: str, *, max_tokens: int) -> Question:
    """A question without a past, answered greedily."""
    sampling = replace(GREEDY, max_tokens=max_tokens)
    return Question(messages=(Message(role="user", text=text),), sampling=sampling)


def children() -> list[int]:
    """Processes that this one has started and that have not ended."""
    found: list[int] = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        try:
            found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:
            continue
    return [pid for pid in found if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def address_space(pid: int) -> int:
    """Bytes that a process has mapped."""
    pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def child_of(engine: Engine) -> int:
    """The process that holds the model."""
    client = engine._running.supervisor._client
    assert client is not None, "no model is loaded"
    return client.pid
