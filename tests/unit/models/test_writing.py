from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import AttuneError, InternalError, InvalidParameter, StorageError
from engine.models import layout, writing
from engine.models.header import read_header
from engine.models.layout import raw_fields
from engine.models.survival import summed, trace
from engine.models.weights import Weights, decode, encode, open_weights
from engine.models.writing import STORAGES, Storage, Written, write_model
from engine.numerics import F32
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.models.model_files import MATRIX, NORM, NUMBERS, TABLE, changes, tiny


def write(path: Path, base: Weights, change: Mapping[str, F32], **more: object) -> Written:
    return write_model(path, base=base, change=change.get, name="Merged", **more)  # type: ignore[arg-type]


class Never(dict[str, F32]):
    def get(self, name: str, default: object = None) -> F32:
        pytest.fail(f"{name} was asked for")


NEVER = Never()

# What the file holds ------------------------------------------------------------------------


@pytest.mark.parametrize("storage", STORAGES)
def test_the_file_holds_base_and_change_up_to_rounding(storage: Storage, tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q4_1")
    change = changes(base, scale=0.01)
    written = write(tmp_path / "merged.gguf", base, change, storage=storage)
    merged = open_weights(tmp_path / "merged.gguf")
    assert written.size == merged.header.file_size
    for name in base.tensors:
        expected = base.read(name) + change[name]
        if len(base.shape(name)) == 1:
            np.testing.assert_array_equal(merged.read(name), expected)
        else:
            step = np.abs(expected).max() / (127 if storage == "Q8_0" else 2048)
            np.testing.assert_allclose(merged.read(name), expected, atol=step)
    assert written.stored == {storage: 16, "F32": 5}


def test_all_metadata_of_the_base_is_kept_but_its_name_and_format(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    write(tmp_path / "merged.gguf", base, changes(base))
    before = raw_fields(base.header)
    after = raw_fields(read_header(tmp_path / "merged.gguf"))
    new = {"general.name", "general.file_type", "general.quantization_version"}
    assert {key: after[key] for key in before if key not in new} == {
        key: value for key, value in before.items() if key not in new
    }
    assert set(after) - set(before) <= new
    fields = GGUFReader(tmp_path / "merged.gguf").fields
    assert [fields[key].contents() for key in sorted(new)] == [7, "Merged", 2]


@pytest.mark.parametrize(("storage", "number"), [("Q8_0", 7), ("F16", 1)])
def test_the_file_says_how_it_is_stored(storage: Storage, number: int, tmp_path: Path) -> None:
    base = tiny(tmp_path)
    write(tmp_path / "merged.gguf", base, changes(base), storage=storage)
    header = read_header(tmp_path / "merged.gguf")
    assert header.metadata["general.file_type"] == number


def test_what_is_unchanged_keeps_its_bytes(tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q4_1")
    zeros = np.zeros(base.shape(TABLE), np.float32)
    change = changes(base, only=MATRIX)
    write(tmp_path / "merged.gguf", base, change | {TABLE: zeros})
    merged = open_weights(tmp_path / "merged.gguf")
    for name, tensor in base.tensors.items():
        if name == MATRIX:
            assert merged.tensors[name].type == NUMBERS["Q8_0"]
        else:
            assert merged.tensors[name].type == tensor.type
            assert b"".join(merged.raw(name)) == b"".join(base.raw(name))


def test_rows_that_blocks_do_not_fit_are_stored_in_sixteen_bits(tmp_path: Path) -> None:
    base = open_weights(write_tiny_llama(tmp_path / "odd.gguf", feed_forward=80))
    written = write(tmp_path / "merged.gguf", base, changes(base, only="blk"))
    merged = open_weights(tmp_path / "merged.gguf")
    assert merged.tensors["blk.0.ffn_down.weight"].type == NUMBERS["F16"]
    assert merged.tensors["blk.0.ffn_up.weight"].type == NUMBERS["Q8_0"]
    assert written.stored == {"F32": 7, "Q8_0": 12, "F16": 2}


def test_an_alignment_of_the_base_is_kept(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    source = read_header(path)
    fields = raw_fields(source) | {"general.alignment": layout.uint32(512)}
    entries = writing._as_it_was(open_weights(path))
    data = layout.header_bytes(fields, entries, alignment=512)
    for tensor in source.tensors:
        stored = b"".join(open_weights(path).raw(tensor.name))
        data += stored.ljust(layout.padded(len(stored), 512), b"\0")
    (tmp_path / "wide.gguf").write_bytes(data)
    base = open_weights(tmp_path / "wide.gguf")
    change = changes(base, only=MATRIX)
    write(tmp_path / "merged.gguf", base, change, storage="F16")
    merged = open_weights(tmp_path / "merged.gguf")
    assert merged.header.alignment == 512
    np.testing.assert_allclose(merged.read(MATRIX), base.read(MATRIX) + change[MATRIX], atol=1e-3)
    np.testing.assert_array_equal(merged.read(NORM), base.read(NORM))


# What survives ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [
        ("F16", 0.999, 1.001),
        ("Q8_0", 0.99, 1.01),
        ("Q4_0", 0.82, 0.93),
        ("Q4_1", 0.058, 0.072),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rounding_to_the_grid_of_the_base_erases_a_change(
    label: str, low: float, high: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    base = rounded(rng.normal(0, 0.1, (4096, 32)).astype(np.float32), "Q4_1")
    change = rng.normal(0, 4e-4, base.shape).astype(np.float32)
    found = summed([trace("one", rounded(base + change, label) - base, change)])
    assert low < found.share < high
    noise = {"F16": 0.05, "Q8_0": 1.34}
    if label in noise:
        assert found.noise == pytest.approx(noise[label], rel=0.05)


def rounded(values: F32, label: str) -> F32:
    return decode(encode(values, NUMBERS[label]), NUMBERS[label], values.shape)


@pytest.mark.parametrize("label", ["F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1"])
@pytest.mark.parametrize("storage", STORAGES)
def test_whatever_the_base_is_stored_in_the_change_survives(
    label: str, storage: Storage, tmp_path: Path
) -> None:
    base = tiny(tmp_path, label=label)
    change = changes(base, scale=3e-4)
    written = write(tmp_path / "merged.gguf", base, change, storage=storage)
    assert written.survival.share == pytest.approx(1.0, abs=0.03)
    assert written.survival.worst[1] == pytest.approx(1.0, abs=0.03)
    merged = open_weights(tmp_path / "merged.gguf")
    traces = [trace(n, merged.read(n) - base.read(n), change[n]) for n in base.tensors]
    assert summed(traces) == written.survival


def test_a_matrix_on_the_grid_of_the_format_is_stored_more_finely(tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q8_0")
    written = write(tmp_path / "merged.gguf", base, changes(base, scale=3e-4))
    assert written.stored == {"F16": 16, "F32": 5}


def test_a_change_below_the_steps_of_any_format_does_not_end_the_merge(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    lost = np.zeros(base.shape(NORM), np.float32)
    lost[3] = 0.3 * np.spacing(base.read(NORM)[3])
    written = write(tmp_path / "merged.gguf", base, changes(base, only=MATRIX) | {NORM: lost})
    assert written.survival.worst == (NORM, 0.0)
    assert written.survival.share == pytest.approx(1.0, abs=0.03)
    with pytest.raises(InternalError, match="Only 0%"):
        write(tmp_path / "alone.gguf", base, {NORM: lost})
    assert not list(tmp_path.glob("alone*"))


def test_a_change_that_could_be_stored_and_is_not_ends_the_merge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny(tmp_path)
    monkeypatch.setattr(writing, "decode", lambda *_: base.read(MATRIX))
    with pytest.raises(InternalError, match=f"{MATRIX} is lost in every format"):
        write(tmp_path / "merged.gguf", base, changes(base, only=MATRIX))


def test_a_change_in_half_precision_is_measured_in_single(tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q4_1")
    change = changes(base, scale=1e-4)
    half = {name: values.astype(np.float16) for name, values in change.items()}
    written = write_model(
        tmp_path / "merged.gguf", base=base, change=half.get, name="Merged", storage="F16"
    )
    assert written.survival.share == pytest.approx(1.0, abs=0.01)


def test_the_share_counts_the_coherent_part_alone() -> None:
    wanted = np.asarray([1.0, -1.0, 1.0, -1.0], np.float32)
    noise = np.asarray([2.0, 2.0, 2.0, 2.0], np.float32)
    found = summed([trace("a", wanted + noise, wanted), trace("b", wanted * 0.5, wanted)])
    assert found.share == pytest.approx(0.75)
    assert found.noise == pytest.approx((17 / 8) ** 0.5)
    assert found.worst == ("b", 0.5)


def test_a_file_in_which_too_little_survives_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny(tmp_path)
    monkeypatch.setattr(writing, "ENOUGH", 1.5)
    with pytest.raises(InternalError, match="Only 100%"):
        write(tmp_path / "merged.gguf", base, changes(base))
    assert not list(tmp_path.glob("merged*"))


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("storage", ["Q4_1", "Q4_0", "Q5_1", "Q4_K", "F32", ""])
def test_a_format_that_would_erase_the_merge_is_refused(storage: str, tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q4_1")
    with pytest.raises(InvalidParameter, match=r"must be Q8_0 or F16.*the merge would be erased"):
        write(tmp_path / "merged.gguf", base, changes(base), storage=storage)


@pytest.mark.parametrize("change", [{}, {NORM: np.zeros(64, np.float32)}])
def test_a_merge_without_a_change_is_refused(change: dict[str, F32], tmp_path: Path) -> None:
    base = tiny(tmp_path)
    with pytest.raises(InvalidParameter, match="changes nothing"):
        write(tmp_path / "merged.gguf", base, change)
    assert not list(tmp_path.glob("merged*"))


def test_the_base_is_not_overwritten(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    before = base.path.read_bytes()
    (tmp_path / "link.gguf").symlink_to(base.path)
    for path in (base.path, tmp_path / "link.gguf"):
        with pytest.raises(InvalidParameter, match="is the base itself"):
            write(path, base, changes(base))
    assert base.path.read_bytes() == before


def test_a_disk_that_is_too_small_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny(tmp_path)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000, 0, 1000))
    with pytest.raises(StorageError, match=r"needs 0 MB, but 0 MB are free"):
        write(tmp_path / "merged.gguf", base, NEVER)
    with pytest.raises(StorageError, match=r"needs 0 MB"):
        write(tmp_path / "merged.gguf", base, NEVER, storage="F16")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    with pytest.raises(StorageError, match="nowhere cannot be used"):
        write(tmp_path / "nowhere" / "merged.gguf", base, NEVER)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.full((64, 64), np.inf, np.float32), InvalidParameter, f"{MATRIX} is not finite"),
        (np.ones((64, 1), np.float32), InternalError, rf"{MATRIX} is \(64, 1\)"),
    ],
)
def test_a_change_that_cannot_be_right_is_refused_by_its_tensor(
    values: F32, error: type[AttuneError], message: str, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    with pytest.raises(error, match=message):
        write(tmp_path / "merged.gguf", base, {MATRIX: values})
    assert not list(tmp_path.glob("merged*"))


def test_weights_too_large_for_sixteen_bits_are_stored_in_thirty_two(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    change = {MATRIX: np.full((64, 64), 1e5, np.float32)}
    written = write(tmp_path / "merged.gguf", base, change, storage="F16")
    assert written.survival.share == pytest.approx(1.0, abs=1e-3)
    assert written.stored == {"F32": 21}


# Progress -----------------------------------------------------------------------------------


def test_progress_counts_all_weights(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    seen: list[tuple[int, int]] = []
    write(tmp_path / "merged.gguf", base, changes(base), progress=lambda *s: seen.append(s))
    total = sum(tensor.elements for tensor in base.tensors.values())
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) == len(base.tensors)


def test_work_that_is_cancelled_leaves_what_was_there(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    (tmp_path / "merged.gguf").write_bytes(b"old")

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "merged.gguf", base, changes(base), progress=cancel)
    assert (tmp_path / "merged.gguf").read_bytes() == b"old"
    assert not list(tmp_path.glob("*.part"))


@settings(max_examples=10)
@given(scale=st.floats(1e-3, 0.3), seed=st.integers(0, 100))
def test_any_change_of_any_size_survives(
    scale: float, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    base = tiny(folder, label="Q4_1", seed=seed)
    written = write(folder / "merged.gguf", base, changes(base, scale=scale, seed=seed))
    assert written.survival.share == pytest.approx(1.0, abs=0.03)


def test_a_shorter_vocabulary_than_that_of_the_base_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny(tmp_path)
    fields = raw_fields(base.header)
    monkeypatch.setattr(
        writing, "_fields", lambda *_: {k: v for k, v in fields.items() if k != "general.license"}
    )
    with pytest.raises(InternalError, match="all metadata"):
        write(tmp_path / "merged.gguf", base, changes(base))
    assert not list(tmp_path.glob("merged*"))
