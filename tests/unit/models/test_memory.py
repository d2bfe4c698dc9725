"""The memory that a model needs, against numbers worked by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.models import memory
from engine.models.gguf import Facts, facts
from engine.models.header import read_header
from tests.fixtures.tiny_gguf import write_tiny_llama

# 30 layers with 3 heads of 64 numbers, each as a key and as a value.
SMOLLM2 = Facts(
    name="SmolLM2",
    architecture="llama",
    parameters=134_515_008,
    context=8192,
    licence="Apache-2.0",
    size=98_362_432,
    layers=30,
    embedding=576,
    heads=9,
    heads_kv=3,
    cache_per_token=11_520,
    has_chat_template=True,
)


def test_a_model_needs_its_weights_its_cache_and_a_little_more() -> None:
    # 98 362 432 weights + 11 520 numbers x 2 bytes x 8 192 tokens + 300 000 000
    assert memory.needed(SMOLLM2, context=8192) == 98_362_432 + 188_743_680 + 300_000_000
    assert memory.needed(SMOLLM2, context=1024) == 98_362_432 + 23_592_960 + 300_000_000


def test_the_header_of_a_file_tells_enough(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "t.gguf", layers=2, embedding=64, heads=4, kv_heads=2)
    # 2 layers x 2 heads x (16 + 16) numbers x 2 bytes x 100 tokens
    expected = path.stat().st_size + 25_600 + 300_000_000
    assert memory.needed(facts(read_header(path)), context=100) == expected


@pytest.mark.parametrize(("have", "short"), [(587_106_111, True), (587_106_112, False)])
def test_a_model_that_needs_more_than_there_is_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, have: int, short: bool
) -> None:
    monkeypatch.setattr(memory, "installed", lambda: have)
    warning = memory.shortage(SMOLLM2, context=8192)
    assert (warning is not None) == short
    if warning is not None:
        assert warning.code == "memory_short"
        assert "needs about 0.6 GB" in warning.text
        assert "\n" not in warning.text


def test_both_numbers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "installed", lambda: 400_000_000)
    warning = memory.shortage(SMOLLM2, context=1024)
    assert warning is not None
    assert "needs about 0.4 GB, and the computer has 0.4 GB" in warning.text


@pytest.mark.parametrize("error", [AttributeError, ValueError, OSError])
def test_where_the_system_does_not_tell_its_memory_nobody_is_warned(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(_name: str) -> int:
        raise error

    monkeypatch.setattr(os, "sysconf", refuse, raising=False)
    assert memory.installed() is None
    assert memory.shortage(SMOLLM2, context=10**9) is None


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="needs Linux to compare with")
def test_the_memory_of_this_computer_is_what_the_system_says() -> None:
    lines = Path("/proc/meminfo").read_text().splitlines()
    (total,) = [int(line.split()[1]) for line in lines if line.startswith("MemTotal")]
    found = memory.installed()
    assert found is not None
    assert found == pytest.approx(total * 1024, rel=0.05)
