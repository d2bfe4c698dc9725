"""What an adapter does in llama.cpp is what its file says: the logits of the merged weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as api
import numpy as np
import pytest

from engine.errors import DamagedModel, UnsupportedModel
from engine.inference.llama import LlamaModel
from engine.models.adapters import open_adapter, write_adapter
from engine.models.weights import Weights
from engine.numerics import F32
from engine.types.models import Launch
from tests.contract.conftest import CELLS, Models
from tests.contract.decoding import decode, words
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.models.model_files import rewritten, tiny

ALPHA = 12.0
RANK = 4
PARTS = ("attn_q", "attn_v", "ffn_gate", "ffn_down")


class Bench:
    """A tiny model, adapters of it, and what they make of it."""

    def __init__(self, folder: Path, launch: Launch, stack: ExitStack) -> None:
        self.folder, self.base = folder, tiny(folder)
        self._launch, self._stack = launch, stack

    def adapter(self, seed: int, name: str = "warm.gguf") -> Path:
        """An adapter in F32 of some matrices of every block."""
        rng, path = np.random.default_rng(seed), self.folder / f"{seed}-{name}"
        halves: dict[str, F32] = {}
        for tensor in self.base.tensors:
            if any(f".{part}." in tensor for part in PARTS):
                out, width = self.base.shape(tensor)
                halves[tensor + ".lora_a"] = rng.normal(size=(RANK, width)).astype(np.float32)
                b = rng.normal(size=(out, RANK)) / 80
                halves[tensor + ".lora_b"] = b.astype(np.float32)
        write_adapter(path, base=self.base, halves=halves, alpha=ALPHA, name="warm", storage="F32")
        return path

    def merged(self, *adapters: tuple[Path, float]) -> Weights:
        """The base with s · α/r · B A added to its weights."""
        change: dict[str, F32] = {}
        for path, scale in adapters:
            opened = open_adapter(path, base=self.base)
            for name in opened.names:
                found = opened.change(name)
                assert found is not None
                change[name] = change.get(name, np.float32(0.0)) + np.float32(scale) * found
        return rewritten(self.base, self.folder / "merged.gguf", change=change)

    def load(self, weights: Weights, *adapters: tuple[Path, float]) -> LlamaModel:
        worn = [(str(path), scale) for path, scale in adapters]
        model = LlamaModel(str(weights.path), launch=self._launch, adapters=worn)
        self._stack.callback(model.close)
        return model

    def logits(self, weights: Weights, *adapters: tuple[Path, float]) -> F32:
        model = self.load(weights, *adapters)
        return decode(model, words(model))


@pytest.fixture
def bench(models: Models, tmp_path: Path) -> Iterator[Bench]:
    models.get("tiny")  # llama.cpp is started with a library that runs here
    with ExitStack() as stack:
        yield Bench(tmp_path, Launch(extra_bufts=False, threads=1, context=CELLS), stack)


@pytest.mark.parametrize("scale", [1.0, 0.5, -1.0])
def test_an_adapter_gives_the_logits_of_the_merged_weights(bench: Bench, scale: float) -> None:
    path = bench.adapter(1)
    worn = bench.logits(bench.base, (path, scale))
    np.testing.assert_allclose(worn, bench.logits(bench.merged((path, scale))), atol=2e-3)
    assert np.abs(worn - bench.logits(bench.base)).max() > 0.1


def test_several_adapters_add_up(bench: Bench) -> None:
    worn = (bench.adapter(1), 0.7), (bench.adapter(2), 0.4)
    together = bench.logits(bench.base, *worn)
    np.testing.assert_allclose(together, bench.logits(bench.merged(*worn)), atol=2e-3)
    assert np.abs(together - bench.logits(bench.base, worn[0])).max() > 0.1


def test_an_adapter_of_scale_nothing_changes_nothing(bench: Bench) -> None:
    worn = bench.logits(bench.base, (bench.adapter(1), 0.0))
    np.testing.assert_array_equal(worn, bench.logits(bench.base))


def test_an_adapter_of_another_model_is_refused_with_its_name(bench: Bench) -> None:
    path = bench.adapter(1)
    other = bench.folder / "other.gguf"
    write_tiny_llama(other, embedding=32, feed_forward=64)
    with pytest.raises(UnsupportedModel, match=r"1-warm\.gguf does not fit this model"):
        LlamaModel(str(other), launch=Launch(threads=1, context=CELLS), adapters=[(str(path), 1.0)])


def test_a_model_is_no_adapter(bench: Bench) -> None:
    with pytest.raises(UnsupportedModel, match=r"base\.gguf does not fit"):
        bench.load(bench.base, (bench.base.path, 1.0))


@pytest.mark.parametrize("data", [b"", b"GGUF" + bytes(60), b"hello" * 20])
def test_a_file_that_is_no_adapter_is_refused_with_its_name(bench: Bench, data: bytes) -> None:
    path = bench.folder / "holiday.gguf"
    path.write_bytes(data)
    with pytest.raises((DamagedModel, UnsupportedModel), match=r"holiday\.gguf"):
        bench.load(bench.base, (path, 1.0))


def test_an_adapter_that_breaks_off_is_refused(bench: Bench) -> None:
    path = bench.adapter(1)
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises((DamagedModel, UnsupportedModel), match=r"1-warm\.gguf"):
        bench.load(bench.base, (path, 1.0))


def test_what_was_loaded_before_one_that_does_not_fit_is_freed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[Any] = []
    real = api.llama_adapter_lora_free

    def free(adapter: Any) -> None:
        freed.append(adapter)
        real(adapter)

    monkeypatch.setattr(api, "llama_adapter_lora_free", free)
    with pytest.raises(UnsupportedModel):
        bench.load(bench.base, (bench.adapter(1), 1.0), (bench.base.path, 1.0))
    assert len(freed) == 1
