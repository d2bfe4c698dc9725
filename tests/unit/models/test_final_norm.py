"""How long hidden states can be, read off a file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine.models.final_norm import longest_hidden
from tests.fixtures import tiny_gguf
from tests.fixtures.tiny_gguf import write_tiny_llama


def written(folder: Path, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model with other last norms; None leaves one out."""
    weights = tiny_gguf._weights

    def changed(*args: object) -> object:
        found = weights(*args) | changes  # type: ignore[arg-type]
        return {name: weight for name, weight in found.items() if weight is not None}

    monkeypatch.setattr(tiny_gguf, "_weights", changed)
    return write_tiny_llama(folder / "tiny.gguf")


def ones(scale: float) -> object:
    weight = np.full(64, 0.5, np.float32)
    weight[3] = scale
    return weight


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 8.0),
        ({"output_norm.weight": ones(-3.0)}, 24.0),
        ({"output_norm.weight": ones(3.0), "output_norm.bias": np.ones(64, np.float32)}, 32.0),
        ({"output_norm.weight": None}, math.inf),
        ({"output_norm.weight": np.ones(64, np.float16)}, math.inf),
        ({"output_norm.weight": ones(math.nan)}, math.inf),
    ],
)
def test_the_bound_is_that_of_the_last_norm(
    changes: dict[str, object],
    expected: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = longest_hidden(written(tmp_path, changes, monkeypatch))
    assert found == pytest.approx(expected, rel=2e-3)
    assert found >= expected


def test_nothing_is_known_of_a_file_that_is_gone_or_breaks_off(tmp_path: Path) -> None:
    assert longest_hidden(tmp_path / "nowhere.gguf") == math.inf
    file = write_tiny_llama(tmp_path / "tiny.gguf")
    file.write_bytes(file.read_bytes()[:-200_000])
    assert longest_hidden(file) == math.inf
