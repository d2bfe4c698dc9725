from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from hypothesis import strategies as st

from engine.errors import (
    AttuneError,
    DamagedModel,
    InternalError,
    InvalidParameter,
    NotAModel,
    UnsupportedModel,
)
from engine.models import layout
from engine.models.adapters import Factors, is_adapter, open_adapter, write_adapter
from engine.models.header import read_header
from engine.models.layout import F32_TYPE, Entry
from engine.models.weights import Weights, encode
from engine.numerics import F32
from tests.unit.models.model_files import MATRIX, NORM, TABLE, tiny

DOWN = "blk.1.ffn_down.weight"
seeds = st.integers(0, 2**31)


def thin(seed: int, *, out: int, width: int, rank: int) -> Factors:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(rank, width)), rng.normal(size=(out, rank))
    return Factors(a=a.astype(np.float32), b=b.astype(np.float32))


def halves() -> dict[str, F32]:
    """Of two matrices of the tiny model, with different ranks."""
    return thin(0, out=64, width=64, rank=4).named(MATRIX) | thin(
        1, out=64, width=128, rank=2
    ).named(DOWN)


def file_of(
    path: Path, tensors: Mapping[str, F32], fields: Mapping[str, bytes | None] | None = None
) -> Path:
    """An adapter file made without the code under test."""
    stated = {
        "general.architecture": layout.text("llama"),
        "general.type": layout.text("adapter"),
        "adapter.type": layout.text("lora"),
        "adapter.lora.alpha": layout.float32(8.0),
    } | dict(fields or {})
    kept = {key: value for key, value in stated.items() if value is not None}
    entries = [Entry(name=n, shape=t.shape, type=F32_TYPE) for n, t in tensors.items()]
    data = layout.header_bytes(kept, entries)
    for entry in entries:
        stored = b"".join(encode(tensors[entry.name], F32_TYPE))
        data += stored.ljust(layout.padded(len(stored), 32), b"\0")
    path.write_bytes(data)
    return path


# Writing and reading ------------------------------------------------------------------------


def test_a_written_adapter_has_what_llama_cpp_asks_for(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    size = write_adapter(
        tmp_path / "new.gguf", base=base, halves=halves(), alpha=8.0, name="Cheerful"
    )
    assert size == (tmp_path / "new.gguf").stat().st_size
    file = GGUFReader(tmp_path / "new.gguf")
    fields = {key: field.contents() for key, field in file.fields.items()}
    assert {key: fields[key] for key in fields if not key.startswith("GGUF.")} == {
        "general.architecture": "llama",
        "general.type": "adapter",
        "general.name": "Cheerful",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
    }
    # The dimensions of GGUF, innermost first.
    assert {tensor.name: tensor.shape.tolist() for tensor in file.tensors} == {
        f"{MATRIX}.lora_a": [64, 4],
        f"{MATRIX}.lora_b": [4, 64],
        f"{DOWN}.lora_a": [128, 2],
        f"{DOWN}.lora_b": [2, 64],
    }
    assert {tensor.tensor_type for tensor in file.tensors} == {GGMLQuantizationType.F16}


@pytest.mark.parametrize(("storage", "close"), [("F32", 1e-5), ("F16", 2e-2)])
def test_an_adapter_reads_as_the_change_that_was_written(
    storage: str, close: float, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    path = tmp_path / "new.gguf"
    write_adapter(path, base=base, halves=halves(), alpha=8.0, name="x", storage=storage)  # type: ignore[arg-type]
    adapter = open_adapter(path, base=base)
    assert adapter.names == (MATRIX, DOWN)
    for name, rank in ((MATRIX, 4), (DOWN, 2)):
        a, b = halves()[f"{name}.lora_a"], halves()[f"{name}.lora_b"]
        found = adapter.change(name)
        assert found is not None
        assert found.shape == base.shape(name)
        np.testing.assert_allclose(found, 8.0 / rank * b @ a, atol=close * 8.0)
        np.testing.assert_allclose(adapter.factors(name).a, a, atol=close)
    assert adapter.change(NORM) is None
    assert adapter.path == path


def test_without_alpha_nothing_is_scaled(tmp_path: Path) -> None:
    base, pair = tiny(tmp_path), thin(0, out=64, width=64, rank=4)
    for fields in ({"adapter.lora.alpha": None}, {"adapter.lora.alpha": layout.float32(0.0)}):
        path = file_of(tmp_path / "new.gguf", pair.named(MATRIX), fields)
        found = open_adapter(path, base=base).change(MATRIX)
        np.testing.assert_allclose(found, pair.b @ pair.a, rtol=1e-5)  # type: ignore[arg-type]


def test_the_halves_of_the_embeddings_are_turned_around(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    rows, width = base.shape(TABLE)
    rng = np.random.default_rng(0)
    a = rng.normal(size=(rows, 4)).astype(np.float32)
    b = rng.normal(size=(width, 4)).astype(np.float32)
    path = file_of(tmp_path / "new.gguf", {f"{TABLE}.lora_a": a, f"{TABLE}.lora_b": b})
    found = open_adapter(path, base=base).change(TABLE)
    np.testing.assert_allclose(found, 2.0 * a @ b.T, rtol=1e-4, atol=1e-5)  # type: ignore[arg-type]


def test_norms_in_an_adapter_are_passed_over(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    path = file_of(tmp_path / "new.gguf", halves() | {NORM: np.ones(64, np.float32)})
    assert open_adapter(path, base=base).names == (MATRIX, DOWN)


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"adapter.type": layout.text("ia3")}, UnsupportedModel, "adapter.type is ia3"),
        ({"adapter.type": None}, UnsupportedModel, "adapter.type is missing"),
        (
            {"general.architecture": layout.text("qwen2")},
            UnsupportedModel,
            "general.architecture is qwen2, but must be llama",
        ),
        (
            {"adapter.alora.invocation_tokens": layout.uint32(1)},
            UnsupportedModel,
            "adapter.alora.invocation_tokens",
        ),
        ({"adapter.lora.alpha": layout.float32(math.nan)}, DamagedModel, "adapter.lora.alpha"),
        ({"adapter.lora.alpha": layout.text("8")}, DamagedModel, "adapter.lora.alpha"),
    ],
)
def test_an_adapter_that_does_not_go_with_the_base_is_refused_by_its_field(
    fields: dict[str, bytes | None], error: type[AttuneError], message: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path / "new.gguf", halves(), fields)
    with pytest.raises(error, match=message):
        open_adapter(path, base=tiny(tmp_path))


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ({f"{MATRIX}.lora_a": (4, 64)}, DamagedModel, f"{MATRIX}.lora_b is missing"),
        ({f"{MATRIX}.lora_b": (64, 4)}, DamagedModel, f"{MATRIX}.lora_a is missing"),
        ({MATRIX: (64, 64)}, DamagedModel, f"{MATRIX}.lora_a is missing"),
        ({f"{MATRIX}.lora_a": (4, 64), f"{MATRIX}.lora_b": (64, 3)}, UnsupportedModel, MATRIX),
        ({f"{MATRIX}.lora_a": (4, 63), f"{MATRIX}.lora_b": (64, 4)}, UnsupportedModel, MATRIX),
        ({f"{MATRIX}.lora_a": (4, 64), f"{MATRIX}.lora_b": (63, 4)}, UnsupportedModel, MATRIX),
        ({f"{MATRIX}.lora_a": (64, 4), f"{MATRIX}.lora_b": (4, 64)}, UnsupportedModel, MATRIX),
        ({f"{NORM}.lora_a": (4, 64), f"{NORM}.lora_b": (64, 4)}, UnsupportedModel, NORM),
        ({f"{MATRIX}.lora_a": (64,), f"{MATRIX}.lora_b": (64,)}, UnsupportedModel, MATRIX),
        ({"blk.9.x.lora_a": (4, 64), "blk.9.x.lora_b": (64, 4)}, UnsupportedModel, "blk.9.x"),
    ],
)
def test_halves_that_do_not_fit_the_base_are_refused_by_their_tensor(
    tensors: dict[str, tuple[int, ...]], error: type[AttuneError], message: str, tmp_path: Path
) -> None:
    arrays = {name: np.ones(shape, np.float32) for name, shape in tensors.items()}
    path = file_of(tmp_path / "new.gguf", arrays)
    with pytest.raises(error, match=message):
        open_adapter(path, base=tiny(tmp_path))


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path, base = file_of(tmp_path / "new.gguf", halves()), tiny(tmp_path)
    path.write_bytes(path.read_bytes()[:-64])
    with pytest.raises(DamagedModel, match=r"lora_b ends at byte"):
        open_adapter(path, base=base)
    path.write_bytes(b"not a model")
    with pytest.raises(NotAModel):
        open_adapter(path, base=base)


def test_models_are_told_from_adapters(tmp_path: Path) -> None:
    assert not is_adapter(tiny(tmp_path).header)
    path = file_of(tmp_path / "new.gguf", halves())
    assert is_adapter(read_header(path))
    old = file_of(tmp_path / "old.gguf", halves(), {"general.type": None})
    assert is_adapter(read_header(old))


def attempt(base: Weights, path: Path, **changes: object) -> None:
    arguments: dict[str, object] = {"halves": halves(), "alpha": 8.0, "name": "x"} | changes
    write_adapter(path, base=base, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alpha": 0.0}, InvalidParameter, "alpha"),
        ({"alpha": math.inf}, InvalidParameter, "alpha"),
        ({"storage": "Q8_0"}, InvalidParameter, "storage is 'Q8_0', but must be F16 or F32"),
        ({"halves": {}}, InvalidParameter, "changes nothing"),
        (
            {"halves": thin(0, out=64, width=63, rank=4).named(MATRIX)},
            InternalError,
            f"do not make a change of {MATRIX}",
        ),
        (
            {"halves": {f"{MATRIX}.lora_a": np.ones((4, 64), np.float32)}},
            InternalError,
            f"two halves of a change of a matrix {MATRIX}",
        ),
        (
            {"halves": thin(0, out=64, width=1, rank=1).named(NORM)},
            InternalError,
            f"do not make a change of {NORM}",
        ),
        (
            {"halves": thin(0, out=272, width=64, rank=1).named(TABLE)},
            InternalError,
            f"two halves of a change of a matrix {TABLE}",
        ),
        (
            {"halves": thin(0, out=64, width=64, rank=1).named("blk.7.attn_q.weight")},
            InternalError,
            "blk.7.attn_q.weight",
        ),
        (
            {
                "halves": thin(0, out=64, width=64, rank=4).named(MATRIX)
                | {f"{MATRIX}.lora_a": np.full((4, 64), np.nan, np.float32)}
            },
            InvalidParameter,
            f"adapter of {MATRIX} is not finite",
        ),
    ],
)
def test_what_would_be_no_adapter_of_the_base_is_not_written(
    changes: dict[str, object], error: type[AttuneError], message: str, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    with pytest.raises(error, match=message):
        attempt(base, tmp_path / "new.gguf", **changes)
    assert not list(tmp_path.glob("new*"))


def test_numbers_that_sixteen_bits_cannot_hold_are_refused(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    large = thin(0, out=64, width=64, rank=1).named(MATRIX)
    large[f"{MATRIX}.lora_a"] *= 1e6
    with pytest.raises(InvalidParameter, match=f"adapter of {MATRIX} is too large for F16"):
        attempt(base, tmp_path / "new.gguf", halves=large)
    attempt(base, tmp_path / "new.gguf", halves=large, storage="F32")
