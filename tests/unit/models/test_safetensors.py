from __future__ import annotations

import json
import os
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import (
    AttuneError,
    DamagedModel,
    ModelError,
    ModelNotFound,
    NotAModel,
    UnsupportedModel,
)
from engine.models.safetensors import is_safetensors, open_safetensors, read_json, weight_files
from engine.numerics import F32
from tests.unit.models.hugging_files import write_raw, write_safetensors, write_shards

TENSORS: dict[str, F32] = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array([1.5, -2.0], dtype=np.float32),
    "c": np.ones((2, 1, 2), dtype=np.float32),
}


def read(path: Path) -> dict[str, F32]:
    return {name: weights.read(name) for name, weights in open_safetensors(path).items()}


# What is read -------------------------------------------------------------------------------


def test_bytes_are_read_as_the_format_has_them(tmp_path: Path) -> None:
    header = {
        "two": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [4, 8]},
        "one": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "three": {"dtype": "F16", "shape": [3], "data_offsets": [8, 14]},
    }
    data = bytes.fromhex("0000c03f" + "c03f20c1" + "003c00c00038")
    found = read(write_raw(tmp_path / "m.safetensors", header, data))
    expected = {"two": [[1.5, -10.0]], "one": [1.5], "three": [1.0, -2.0, 0.5]}
    assert {name: values.tolist() for name, values in found.items()} == expected
    assert {str(values.dtype) for values in found.values()} == {"float32"}


@given(
    shapes=st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
        st.lists(st.integers(1, 5), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    ),
    dtype=st.sampled_from(["F32", "F16", "BF16"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_was_written_is_read(shapes: dict[str, list[int]], dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Numbers that all three types have exactly.
    tensors = {
        name: rng.integers(-128, 128, shape).astype(np.float32) for name, shape in shapes.items()
    }
    with TemporaryDirectory() as folder:
        found = read(write_safetensors(Path(folder) / "m.safetensors", tensors, dtype=dtype))
    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_file_its_folder_and_shards_with_an_index_are_read_alike(tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    one.mkdir()
    many.mkdir()
    file = write_safetensors(one / "model.safetensors", TENSORS)
    index = write_shards(many, TENSORS)
    for path in (file, one, index, many):
        assert is_safetensors(path)
        found = read(path)
        assert found.keys() == TENSORS.keys(), path
        assert all(np.array_equal(found[name], TENSORS[name]) for name in TENSORS), path
    assert weight_files(one) == weight_files(file) == (file,)
    shards = tuple(many / f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3))
    assert weight_files(many) == weight_files(index) == shards


def test_a_model_in_one_file_goes_before_an_index_in_its_folder(tmp_path: Path) -> None:
    write_shards(tmp_path, TENSORS)
    file = write_safetensors(tmp_path / "model.safetensors", {"other": TENSORS["a"]})
    assert weight_files(tmp_path) == (file,)
    assert list(open_safetensors(tmp_path)) == ["other"]


def test_other_files_are_their_own_weights(tmp_path: Path) -> None:
    assert weight_files(tmp_path / "m.gguf") == (tmp_path / "m.gguf",)
    assert not is_safetensors(tmp_path / "m.gguf")


# What is refused ----------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "F16", "shape": [4], "data_offsets": [24, 32]},
}


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return GOOD | {name: GOOD[name] | fields}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (changed("a", shape=[2, 4]), "tensor a of 2 by 4 weights takes 32 bytes, but has 24"),
        (changed("a", shape=[1 << 40, 1 << 40]), r"tensor a of .* takes \d+ bytes, but has 24"),
        (changed("a", shape=[-2, -3]), "tensor a has the shape -2 by -3"),
        (changed("a", shape=[0, 3]), "tensor a has the shape 0 by 3"),
        (changed("a", shape=[]), r"tensor a has the shape \(\)"),
        (changed("a", shape=[1, 1, 1, 2, 3]), "tensor a has the shape 1 by 1 by 1 by 2 by 3"),
        (changed("a", data_offsets=[24, 0]), "tensor a of 2 by 3 weights takes 24 bytes, but has"),
        (changed("b", data_offsets=[20, 28]), "tensor b begins at byte 20 of the weights instead"),
        (changed("b", data_offsets=[25, 33]), "tensor b begins at byte 25 of the weights instead"),
        (changed("b", data_offsets=[-8, 0]), "tensor b begins at byte -8 of the weights instead"),
        (changed("b", data_offsets=[1 << 60, (1 << 60) + 8]), "tensor b begins at byte"),
        (changed("a", data_offsets=[0, 24, 25]), "tensor a is not as it must be"),
        (changed("a", shape="2"), "tensor a is not as it must be"),
        (changed("a", shape=[2.0, 3.0]), "tensor a is not as it must be"),
        (changed("a", dtype=None), "tensor a is not as it must be"),
        (GOOD | {"a": []}, "tensor a is not as it must be"),
        ({"b": GOOD["b"]}, "tensor b begins at byte 24 of the weights instead of 0"),
        ({"a": GOOD["a"]}, "its tensors take 24 bytes, but 32 follow the header"),
        ([], "its JSON is not as it must be"),
        (b"", "its JSON is not as it must be"),
        (b"{", "its JSON is not as it must be"),
        (b'{"\xff": 1}', "its JSON is not as it must be"),
        (b'{"a":' + b"[" * 200_000, "its JSON is not as it must be"),
        (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", "tensor a is not as it must be"),
    ],
)
def test_a_header_that_cannot_be_right_is_refused_by_its_tensor(
    header: object, message: str, tmp_path: Path
) -> None:
    path = write_raw(tmp_path / "m.safetensors", header, bytes(32))
    with pytest.raises(DamagedModel, match=f"m.safetensors is damaged: {message}"):
        open_safetensors(path)


def test_a_name_that_stands_there_twice_cannot_hide_a_tensor(tmp_path: Path) -> None:
    text = json.dumps(GOOD["a"]) + ', "a": ' + json.dumps(GOOD["b"])
    path = write_raw(tmp_path / "m.safetensors", b'{"a": ' + text.encode() + b"}", bytes(32))
    with pytest.raises(DamagedModel, match="tensor a begins at byte 24"):
        open_safetensors(path)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "I64", "U8", "BOOL", "F64"])
def test_a_type_that_is_no_plain_number_is_refused_by_name(dtype: str, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "m.safetensors", changed("a", dtype=dtype), bytes(32))
    with pytest.raises(UnsupportedModel, match=f"stores tensor a as {dtype}, which cannot"):
        open_safetensors(path)


def test_a_file_that_breaks_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "m.safetensors", TENSORS)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedModel, match=r"m\.safetensors is damaged"):
            open_safetensors(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(DamagedModel, match="its tensors take 48 bytes, but 49 follow"):
        open_safetensors(path)


def test_a_file_that_shrinks_after_it_was_opened_is_refused(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "m.safetensors", TENSORS)
    weights = open_safetensors(path)["c"]
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(DamagedModel, match="it ends inside tensor c"):
        weights.read("c")


@pytest.mark.parametrize("length", [1 << 63, 100_000_001, 1_000])
def test_a_header_is_not_believed_to_be_longer_than_its_file(length: int, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    tracemalloc.start()
    try:
        with pytest.raises(DamagedModel, match=f"a header of {length} bytes, but 2 are the most"):
            open_safetensors(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_nothing_is_read_of_a_header_above_a_hundred_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", 150_000_000))
    os.truncate(path, 200_000_000)  # a hole, which takes no space
    with pytest.raises(DamagedModel, match="100000000 are the most"):
        open_safetensors(path)
    with pytest.raises(DamagedModel, match="has 200000000 bytes, and 100000000 are the most"):
        read_json(path, dict[str, int])


@pytest.mark.parametrize(("dtype", "bits"), [("F32", 4), ("F16", 2), ("BF16", 2)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_by_their_tensor(
    dtype: str, bits: int, value: float, tmp_path: Path
) -> None:
    bad = TENSORS["b"].copy()
    bad[1, 2] = value
    path = write_safetensors(tmp_path / "m.safetensors", TENSORS | {"b": bad}, dtype=dtype)
    weights = open_safetensors(path)
    assert weights["a"].read("a").tolist() == [1.5, -2.0]
    with pytest.raises(DamagedModel, match="tensor b holds weights that are not finite"):
        weights["b"].read("b")


@given(at=st.integers(0, 200), byte=st.integers(0, 255), cut=st.integers(0, 60), more=st.binary())
def test_any_bytes_are_read_or_refused_in_a_sentence(
    at: int, byte: int, cut: int, more: bytes
) -> None:
    with TemporaryDirectory() as folder:
        path = write_raw(Path(folder) / "m.safetensors", GOOD, bytes(32))
        data = bytearray(path.read_bytes())
        data[at % len(data)] = byte
        path.write_bytes(data[: len(data) - cut] + more)
        with suppress(AttuneError):
            assert all(np.isfinite(values).all() for values in read(path).values())


# Folders and shards -------------------------------------------------------------------------


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(NotAModel, match=r"has neither model\.safetensors nor model\.safetensors\."):
        open_safetensors(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes among files elsewhere")
def test_what_is_not_there_or_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path / "none.safetensors", tmp_path / "none.safetensors.index.json"):
        with pytest.raises(ModelNotFound, match=f"There is no file {path.name}"):
            open_safetensors(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "m.safetensors", TENSORS)
    path.chmod(0)
    with pytest.raises(ModelError, match="cannot be read"):
        open_safetensors(path)


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"a": "../m.safetensors"}, r"it names '\.\./m\.safetensors', which is no file beside"),
        ({"a": "/m.safetensors"}, "it names '/m.safetensors'"),
        ({"a": "c:m.safetensors"}, "it names 'c:m.safetensors'"),
        ({"a": "..\\m.safetensors"}, "it names .*m.safetensors', which is no file"),
        ({"a": "model.bin"}, r"it names 'model\.bin'"),
        ({"a": ""}, "it names ''"),
        ({}, "it names no file"),
        ({"a": 1}, "its JSON is not as it must be"),
        (None, "its JSON is not as it must be"),
        ({"a": "m.safetensors", "b": "m.safetensors", "z": "m.safetensors"}, "tensor z is not in"),
    ],
)
def test_an_index_that_cannot_be_right_is_refused(
    weight_map: object, message: str, tmp_path: Path
) -> None:
    write_raw(tmp_path / "m.safetensors", GOOD, bytes(32))
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(DamagedModel, match=f"index.json is damaged: {message}"):
        open_safetensors(index)


def test_a_shard_that_holds_what_the_index_does_not_say_is_refused(tmp_path: Path) -> None:
    index = write_shards(tmp_path, TENSORS)
    write_safetensors(tmp_path / "model-00002-of-00003.safetensors", TENSORS)
    with pytest.raises(DamagedModel, match=r"00002-of-00003.*its index has no tensor b in it"):
        open_safetensors(index)


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    index = write_shards(tmp_path, TENSORS)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ModelNotFound, match=r"no file model-00002-of-00003\.safetensors"):
        open_safetensors(index)
