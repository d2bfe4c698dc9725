"""The child gives up what it does not need before it reads anybody's file."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.inference import confinement

resource = pytest.importorskip("resource")
SHOW = """
import resource
from pathlib import Path
from engine.inference.confinement import confine
resource.setrlimit(resource.RLIMIT_CORE, (hard := resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
confine()
print(resource.getrlimit(resource.RLIMIT_CORE))
print(Path("/proc/self/oom_score_adj").read_text().strip())
print(*[s.split()[1] for s in Path("/proc/self/status").open() if s.startswith("NoNewPrivs")])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems offer less")
def test_a_confined_process_dumps_no_core_gains_nothing_and_goes_first() -> None:
    shown = subprocess.run(
        (sys.executable, "-c", SHOW), capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.splitlines() == ["(0, 0)", "500", "1"]


def test_a_system_that_offers_none_of_this_runs_the_child_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_which: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not here")

    caplog.set_level("INFO")
    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(sys, "platform", "darwin")
    confinement.confine()
    assert "not here" in caplog.text
