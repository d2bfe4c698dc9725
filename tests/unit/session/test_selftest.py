"""The self-test tries settings from the fastest down and keeps the first that decodes."""

from __future__ import annotations

import importlib.util
import signal
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from engine.errors import EngineCrashed, EngineMismatch
from engine.inference.client import Client
from engine.inference.ladder import rungs
from engine.inference.threads import most_threads
from engine.session import selftest
from engine.types.models import Launch, Trial
from tests.fakes import host as fake
from tests.fakes import puppet
from tests.fakes.host import Script, Trouble

pytestmark = pytest.mark.usefixtures("threads")

CONTEXT = 512


def run(script: Script) -> selftest.SelfTest:
    command = fake.command(script)
    return selftest.run(lambda: Client(command), model="starter.gguf", context=CONTEXT)


def test_what_the_machine_offers_is_asked_of_a_child() -> None:
    script = Script(variants=("a", "b"), devices=("Card", "Chip"), gpu=True)
    command = fake.command(script)
    found = selftest.probe(lambda: Client(command))
    assert found == selftest.Machine(
        variants=("a", "b"), devices=("Card", "Chip"), gpu=True, offline=found.offline
    )


def test_where_the_best_settings_work_nothing_else_is_tried() -> None:
    found = run(Script())
    (trial,) = found.trials
    assert trial.works
    assert trial.tokens_per_second > 0
    assert found.launch == trial.launch
    assert found.launch is not None
    assert found.launch.variant == "newest"
    assert 1 <= found.launch.threads <= most_threads()


def test_settings_that_crash_are_passed_over_one_by_one_with_their_reasons() -> None:
    troubles = (
        Trouble(at="trial", signal=signal.SIGSEGV, gpu=True),
        Trouble(at="trial", signal=signal.SIGILL, repacked=True, variant="newest"),
        Trouble(at="load", signal=signal.SIGSEGV, variant="haswell"),
    )
    found = run(Script(gpu=True, troubles=troubles))
    assert [trial.works for trial in found.trials] == [False, False, False, True]
    assert "does not have" in found.trials[1].outcome
    assert found.launch is not None
    assert (found.launch.variant, found.launch.extra_bufts) == ("newest", False)


def test_where_nothing_works_every_rung_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "most_threads", lambda: 1)
    script = Script(variants=("newest",), troubles=(Trouble(at="load", kind="memory"),))
    found = run(script)
    assert found.launch is None
    expected = rungs(("newest",), gpu=False, threads=1, context=CONTEXT)
    assert [trial.launch for trial in found.trials] == list(expected)
    told = selftest.failures(found.trials)
    assert told.count("not enough memory") == len(expected)


def test_a_child_of_another_version_is_told_before_anything_is_tried() -> None:
    command = puppet.command(puppet.hello(protocol=999))
    with pytest.raises(EngineMismatch):
        selftest.run(lambda: Client(command), model="x", context=CONTEXT)


def test_a_probe_that_crashes_is_an_error() -> None:
    command = puppet.command(puppet.hello(), ["hear"], ["die", int(signal.SIGSEGV)])
    with pytest.raises(EngineCrashed):
        selftest.probe(lambda: Client(command))


def test_the_key_of_a_machine_stays_the_same_until_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = selftest.machine_key()
    assert key == selftest.machine_key()
    for name, value in (("cpu_name", lambda: "Another 9000"), ("__version__", "99.0")):
        with monkeypatch.context() as changed:
            changed.setattr(selftest, name, value)
            assert selftest.machine_key() != key


def test_the_key_of_a_machine_changes_with_the_build_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another build may know a GPU that this one does not."""
    package = tmp_path / "llama_cpp"
    libraries = package / "lib"
    libraries.mkdir(parents=True)
    (libraries / "libggml-cpu.so").write_bytes(b"one")
    spec = ModuleSpec("llama_cpp", None, origin=str(package / "__init__.py"))
    keys = [selftest.machine_key()]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    keys.append(selftest.machine_key())
    assert selftest.machine_key() == keys[-1]
    (libraries / "libggml-cpu.so").write_bytes(b"other")
    keys.append(selftest.machine_key())
    (libraries / "libggml-cuda.so").write_bytes(b"one")
    keys.append(selftest.machine_key())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    keys.append(selftest.machine_key())
    assert len(set(keys)) == len(keys)
    assert all("llama" not in key and "\n" not in key for key in keys)


def test_a_report_names_settings_and_outcome() -> None:
    trial = Trial(launch=Launch(threads=2), works=False, tokens_per_second=0.0, outcome="It died.")
    assert selftest.failures([trial]) == "CPU, 2 threads, context 8192: It died."
