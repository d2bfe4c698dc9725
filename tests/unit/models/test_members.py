from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFValueType

from engine.errors import DamagedModel, UnsupportedModel
from engine.models.adapters import Adapter, Factors, write_adapter
from engine.models.members import FullModel, measure, open_member, stored_bits, task_vector
from engine.models.weights import Weights, open_weights
from engine.numerics import F32
from tests.fixtures.tiny_gguf import Field, write_tiny_llama
from tests.unit.models.model_files import MATRIX, NORM, TABLE, changes, rewritten, tiny

FLOAT, NUMBER, TEXT, ARRAY = (
    GGUFValueType.FLOAT32,
    GGUFValueType.UINT32,
    GGUFValueType.STRING,
    GGUFValueType.ARRAY,
)


def member_of(base: Weights, folder: Path, *, label: str = "F32", scale: float = 1e-3) -> Path:
    """A model that was fine-tuned from the base, so to speak."""
    change = changes(base, scale=scale)
    return rewritten(base, folder / "member.gguf", label=label, change=change).path


def nearest(change: F32, *, rank: int) -> Factors:
    """The nearest matrix of this rank, to be used with α = r."""
    u, s, v = np.linalg.svd(change, full_matrices=False)
    return Factors(a=v[:rank].copy(), b=u[:, :rank] * s[:rank])


def adapter_of(base: Weights, folder: Path, *, scale: float = 1e-3) -> Path:
    change = changes(base, scale=scale)[MATRIX]
    path = folder / "adapter.gguf"
    pair = nearest(change, rank=3)
    write_adapter(path, base=base, halves=pair.named(MATRIX), alpha=3.0, name="x", storage="F32")
    return path


# What a member is ---------------------------------------------------------------------------


def test_a_model_is_its_difference_from_the_base(tmp_path: Path) -> None:
    base = tiny(tmp_path, label="Q4_1")
    member = open_member(member_of(base, tmp_path), base=base)
    assert isinstance(member, FullModel)
    for name, change in changes(base, scale=1e-3).items():
        np.testing.assert_allclose(member.change(name), change, atol=1e-6)  # type: ignore[arg-type]


def test_an_adapter_is_a_member_as_well(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    member = open_member(adapter_of(base, tmp_path), base=base)
    assert isinstance(member, Adapter)
    expected = nearest(changes(base, scale=1e-3)[MATRIX], rank=3)
    np.testing.assert_allclose(member.change(MATRIX), expected.b @ expected.a, atol=1e-7)  # type: ignore[arg-type]
    assert member.change(NORM) is None


def test_a_task_vector_holds_what_is_changed_in_half_precision(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    path = rewritten(
        base, tmp_path / "member.gguf", change=changes(base, scale=3e-4, only="blk.0.")
    ).path
    member = open_member(path, base=base)
    found = task_vector(member, base=base)
    assert list(found) == [name for name in base.tensors if name.startswith("blk.0.")]
    for name, change in found.items():
        assert change.dtype == np.float16
        np.testing.assert_allclose(change, member.change(name), atol=5e-7)  # type: ignore[arg-type]


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("llama.rope.freq_base", (500000.0, FLOAT), r"freq_base is 500000\.0, but 10000\.0"),
        ("llama.attention.head_count_kv", (1, NUMBER), r"head_count_kv is 1, but 2 in the base"),
        ("llama.rope.freq_base", None, r"freq_base is missing, but 10000\.0 in the base"),
        ("llama.rope.scaling.factor", (4.0, FLOAT), r"factor is 4\.0, but missing in the base"),
        ("general.architecture", ("qwen2", TEXT), r"general\.architecture is qwen2, but llama"),
        (
            "llama.attention.layer_norm_rms_epsilon",
            (1e-6, FLOAT),
            "llama.attention.layer_norm_rms_epsilon is",
        ),
    ],
)
def test_weights_that_mean_something_else_are_refused_by_the_field(
    field: str, value: Field | None, message: str, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    more: dict[str, Field | None] = {field: value}
    if field == "general.architecture":
        more |= {f"qwen2.{key}": (number, NUMBER) for key, number in QWEN.items()}
    path = write_tiny_llama(tmp_path / "member.gguf", overrides=more)
    with pytest.raises(
        UnsupportedModel, match=f"member.gguf is not made from this base: .*{message}"
    ):
        open_member(path, base=base)


QWEN = {"block_count": 2, "context_length": 512, "embedding_length": 64, "attention.head_count": 4}


def test_what_does_not_change_the_weights_is_no_reason_to_refuse(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    stated: dict[str, Field | None] = {
        "llama.attention.key_length": (16, NUMBER),
        "llama.rope.dimension_count": None,
        "llama.vocab_size": (272, NUMBER),
    }
    path = write_tiny_llama(
        tmp_path / "member.gguf", context=4096, chat_template=None, overrides=stated
    )
    assert open_member(path, base=base).path == path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 3}, "block_count is 3, but 2"),
        ({"feed_forward": 96}, "feed_forward_length is 96, but 128"),
        ({"vocab": 288}, r"tensor token_embd.weight is \(288, 64\), but \(272, 64\) in the base"),
    ],
)
def test_another_shape_is_refused_by_field_or_tensor(
    change: dict[str, int], message: str, tmp_path: Path
) -> None:
    path = write_tiny_llama(tmp_path / "member.gguf", **change)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedModel, match=message):
        open_member(path, base=tiny(tmp_path))


def test_a_tensor_more_or_less_is_refused_by_its_name(tmp_path: Path) -> None:
    whole = tiny(tmp_path)
    kept = {name: t for name, t in whole.tensors.items() if name != "output.weight"}
    tied = rewritten(Weights(header=whole.header, tensors=kept), tmp_path / "tied.gguf")
    with pytest.raises(UnsupportedModel, match=r"it has no tensor output\.weight"):
        open_member(tied.path, base=whole)
    with pytest.raises(UnsupportedModel, match=r"it has a tensor output\.weight more"):
        open_member(whole.path, base=tied)


@pytest.mark.parametrize("field", ["tokens", "pre", "merges"])
def test_another_tokenizer_is_refused_by_its_field(field: str, tmp_path: Path) -> None:
    base = tiny(tmp_path)
    words = [f"w{i}" for i in range(272)]
    values: dict[str, Field] = {
        "tokens": (words, ARRAY, TEXT),
        "pre": ("qwen2", TEXT),
        "merges": (["Ġ t"], ARRAY, TEXT),
    }
    key = f"tokenizer.ggml.{field}"
    path = write_tiny_llama(tmp_path / "member.gguf", overrides={key: values[field]})
    with pytest.raises(UnsupportedModel, match=f"{key} is not that of the base"):
        open_member(path, base=base)


# How far it is from the base ----------------------------------------------------------------


@pytest.mark.parametrize("made", [member_of, adapter_of])
def test_the_distance_is_that_of_all_weights_together(made: object, tmp_path: Path) -> None:
    base = tiny(tmp_path)
    member = open_member(made(base, tmp_path), base=base)  # type: ignore[operator]
    found = measure(member, base=base)
    change = sum(
        float((x.astype(np.float64) ** 2).sum())
        for x in (member.change(name) for name in base.tensors)
        if x is not None
    )
    whole = sum(float((base.read(n).astype(np.float64) ** 2).sum()) for n in base.tensors)
    assert found.ratio == pytest.approx(math.sqrt(change / whole), rel=1e-5)
    assert found.notices == ()


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (0.0, "hardly differs from the base"),
        (1e-6, "hardly differs"),
        (1.0, "differs.*30% is the most"),
    ],
)
def test_the_base_itself_and_another_model_are_refused(
    scale: float, message: str, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    member = open_member(member_of(base, tmp_path, scale=scale), base=base)
    with pytest.raises(UnsupportedModel, match=f"member.gguf {message}"):
        measure(member, base=base)


def test_a_member_with_a_broken_weight_is_refused_by_its_tensor(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    bad = changes(base)[TABLE]
    bad[2, 3] = math.nan
    path = rewritten(base, tmp_path / "member.gguf", change={TABLE: bad}).path
    with pytest.raises(DamagedModel, match=f"member.gguf is damaged: tensor {TABLE}"):
        measure(open_member(path, base=base), base=base)


@pytest.mark.parametrize(
    ("label", "bits", "warned"),
    [("Q4_1", "5.0", True), ("Q5_1", "6.0", True), ("Q8_0", "", False), ("F16", "", False)],
)
def test_a_member_of_few_bits_is_warned_about(
    label: str, bits: str, warned: bool, tmp_path: Path
) -> None:
    base = tiny(tmp_path)
    path = member_of(base, tmp_path, label=label, scale=0.02)
    notices = measure(open_member(path, base=base), base=base).notices
    assert [notice.code for notice in notices] == ["coarse_member"] * warned
    if warned:
        assert f"member.gguf stores a weight in {bits} bits" in notices[0].text


def test_bits_are_counted_over_the_matrices_of_the_blocks(tmp_path: Path) -> None:
    assert stored_bits(tiny(tmp_path, label="Q8_0")) == 8.5
    assert stored_bits(open_weights(write_tiny_llama(tmp_path / "full.gguf"))) == 32.0


def test_measuring_reports_its_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    base = tiny(tmp_path)
    member = open_member(member_of(base, tmp_path), base=base)
    seen: list[tuple[int, int]] = []
    measure(member, base=base, progress=lambda *step: seen.append(step))
    total = sum(tensor.elements for tensor in base.tensors.values())
    assert seen[-1] == (total, total)
    assert len(seen) == len(base.tensors)

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(member, base=base, progress=cancel)
