from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, quants

from engine.errors import DamagedModel, ModelError, UnsupportedModel
from engine.models import weights as module
from engine.models.header import read_header
from engine.models.weights import decode, encode, open_weights, weights_of
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.models.model_files import MATRIX, NUMBERS, TABLE, rewritten, tiny

FORMATS = ("F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1")


@pytest.mark.parametrize("label", FORMATS)
def test_every_tensor_is_what_the_package_of_the_format_reads(label: str, tmp_path: Path) -> None:
    model = tiny(tmp_path, label=label)
    tensors = GGUFReader(model.path).tensors
    assert [tensor.name for tensor in tensors] == list(model.tensors)
    for tensor in tensors:
        found = model.read(tensor.name)
        expected = quants.dequantize(tensor.data, tensor.tensor_type)
        assert found.dtype == np.float32
        assert found.shape == model.shape(tensor.name)
        np.testing.assert_array_equal(found, expected)
        assert b"".join(model.raw(tensor.name)) == tensor.data.tobytes()


@pytest.mark.parametrize("label", ["F16", "Q8_0"])
def test_decoding_and_encoding_in_pieces_changes_nothing(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(tmp_path, label=label)
    whole = model.read(TABLE)
    coded = b"".join(encode(whole, NUMBERS[label]))
    monkeypatch.setattr(module, "CHUNK", 200)
    assert len(list(model.raw(TABLE))) == 91  # three rows of 64 weights each
    np.testing.assert_array_equal(model.read(TABLE), whole)
    pieces = list(encode(whole, NUMBERS[label]))
    assert len(pieces) == 91
    assert b"".join(pieces) == coded


def test_a_block_of_eight_bits_is_that_worked_by_hand() -> None:
    block = ((np.arange(32, dtype=np.float32) - 16) / np.float32(10))[None]
    data = b"".join(encode(block, NUMBERS["Q8_0"]))
    assert float(np.frombuffer(data[:2], np.float16)[0]) == pytest.approx(0.012596130, abs=1e-8)
    codes = np.frombuffer(data[2:], np.int8).tolist()
    assert (codes[:3], codes[-3:]) == ([-127, -119, -111], [103, 111, 119])
    found = decode(iter([data]), NUMBERS["Q8_0"], (1, 32))
    np.testing.assert_allclose(found[0, :3], [-1.599709, -1.498940, -1.398170], atol=1e-6)


def test_weights_too_small_for_a_scale_become_zeros() -> None:
    tiniest = np.full((1, 32), 1e-41, np.float32)
    data = b"".join(encode(tiniest, NUMBERS["Q8_0"]))
    np.testing.assert_array_equal(decode(iter([data]), NUMBERS["Q8_0"], (1, 32)), 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("label", ["F32", "F16"])
def test_a_weight_that_is_no_finite_number_is_refused_by_its_tensor(
    label: str, value: float, tmp_path: Path
) -> None:
    source = open_weights(write_tiny_llama(tmp_path / "tiny.gguf"))
    bad = np.zeros(source.shape(MATRIX), np.float32)
    bad[3, 5] = value
    model = rewritten(source, tmp_path / "bad.gguf", label=label, change={MATRIX: bad})
    with pytest.raises(DamagedModel, match=f"tensor {MATRIX} holds weights that are not finite"):
        model.read(MATRIX)
    assert np.isfinite(model.read(TABLE)).all()


def test_a_file_that_breaks_off_meanwhile_is_refused_by_the_tensor(tmp_path: Path) -> None:
    model = open_weights(write_tiny_llama(tmp_path / "tiny.gguf"))
    last = list(model.tensors)[-1]
    model.path.write_bytes(model.path.read_bytes()[:-100])
    with pytest.raises(DamagedModel, match=f"ends inside tensor {last}"):
        model.read(last)
    model.path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        model.read(last)
    with pytest.raises(ModelError, match="cannot be read"):
        list(model.raw(last))


@pytest.mark.parametrize("label", ["I8", "Q1_0"])
def test_a_format_that_cannot_be_decoded_is_refused_by_the_tensor(
    label: str, tmp_path: Path
) -> None:
    model = open_weights(write_tiny_llama(tmp_path / "tiny.gguf", embedding=128))
    tensor = replace(model.tensors[MATRIX], type=NUMBERS[label])
    with pytest.raises(UnsupportedModel, match=f"stores tensor {MATRIX} as {label}"):
        replace(model, tensors={MATRIX: tensor}).read(MATRIX)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dims": (64, 1 << 30)}, "ends at byte"),
        ({"type": 99}, "in format 99"),
        ({"type": 8, "dims": (48, 64)}, "has the shape 48 by 64, which Q8_0 cannot store"),
        ({"dims": (64, 0)}, "has the shape 64 by 0"),
        ({"dims": ()}, r"has the shape \(\)"),
    ],
)
def test_a_tensor_that_cannot_lie_in_the_file_is_refused(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    wrong = replace(header.tensors[2], **change)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=f"tensor {wrong.name} {message}|{wrong.name} {message}"):
        weights_of(replace(header, tensors=(*header.tensors[:2], wrong)))


def test_a_model_that_cannot_be_run_is_not_opened(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf", overrides={"llama.block_count": None})
    with pytest.raises(DamagedModel, match="block_count"):
        open_weights(path)


def test_the_numbers_of_the_formats_are_those_of_the_package() -> None:
    for label in FORMATS:
        assert GGMLQuantizationType[label] == NUMBERS[label]
