"""Long work gives way, on every system in the way that it has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.jobs import priority


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the parent says it")
def test_what_gives_way_and_what_it_starts_come_last() -> None:
    code = (
        "import os, subprocess, sys; from engine.jobs import priority; priority.give_way()\n"
        "inner = (sys.executable, '-S', '-c', 'import os; print(os.nice(0))')\n"
        "print(os.nice(0), subprocess.run(inner, capture_output=True, text=True).stdout)"
    )
    said = subprocess.run(
        (sys.executable, "-c", code),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert said.stdout.split() == [str(max(10, os.nice(0)))] * 2


def test_a_session_has_a_niceness_of_its_own_where_there_is_such_a_thing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "autogroup"
    monkeypatch.setattr(priority, "_AUTOGROUP", group)
    monkeypatch.setattr(os, "nice", lambda _by: 0)
    priority.give_way()
    assert not group.exists()
    group.write_text("/autogroup-12 nice 0")
    priority.give_way()
    assert group.read_text() == "10"


def test_a_system_that_refuses_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priority, "_AUTOGROUP", tmp_path)  # a folder cannot be written to
    monkeypatch.setattr(os, "nice", lambda _by: 0)
    priority.give_way()
