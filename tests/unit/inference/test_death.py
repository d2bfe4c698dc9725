"""From exit status and phase to a cause and a sentence."""

from __future__ import annotations

import signal
from typing import get_args

import pytest

from engine.inference.death import Cause, explain

# As on Linux: what subprocess reports, wherever the tests run.
SIGNALS = {"SIGILL": 4, "SIGABRT": 6, "SIGKILL": 9, "SIGSEGV": 11}
PHASES = ("load", "template", "prefill", "decode", "idle")


@pytest.fixture(autouse=True)
def linux_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in SIGNALS.items():
        monkeypatch.setattr(signal, name, number, raising=False)


@pytest.mark.parametrize(
    ("status", "phase", "cause"),
    [
        (-4, "decode", "processor"),
        (-4, "load", "processor"),
        (0xC000001D, "prefill", "processor"),
        (0xC000001D - 2**32, "prefill", "processor"),
        (-9, "load", "memory"),
        (-9, "decode", "memory"),
        (-6, "load", "file"),
        (-6, "decode", "fault"),
        (-11, "decode", "fault"),
        (-11, "load", "fault"),
        (0xC0000005, "decode", "fault"),
        (1, "template", "fault"),
        (None, "decode", "fault"),
        (0, "idle", "ended"),
    ],
)
def test_the_likeliest_cause_is_named(status: int | None, phase: str, cause: Cause) -> None:
    death = explain(status, phase=phase)
    assert (death.cause, death.phase) == (cause, phase)


def test_every_cause_has_a_sentence_of_its_own() -> None:
    statuses = {-4, -6, -9, -11, 0}
    found = {explain(status, phase="load") for status in statuses}
    assert {death.cause for death in found} == set(get_args(Cause))
    assert len({death.text for death in found}) == len(found)
    for death in found:
        assert death.text.endswith(".")
        assert "\n" not in death.text


def test_a_kill_may_be_anybodys_and_memory_is_only_a_guess() -> None:
    killed = explain(-9, phase="decode")
    assert (killed.killed, killed.cause) == (True, "memory")
    assert "perhaps" in killed.text
    told = explain(1, phase="decode", last_words="std::bad_alloc")
    assert (told.killed, told.cause) == (False, "memory")
    assert "perhaps" not in told.text


@pytest.mark.parametrize("phase", PHASES)
def test_signals_that_a_system_does_not_know_are_never_the_cause(
    phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SIGNALS:
        monkeypatch.delattr(signal, name, raising=False)
    assert explain(-9, phase=phase).cause == "fault"
    assert explain(None, phase=phase).cause == "fault"
    assert explain(0xC000001D, phase=phase).cause == "processor"
