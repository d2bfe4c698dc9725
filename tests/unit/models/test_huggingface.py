from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFValueType
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DamagedModel, UnsupportedModel
from engine.models import layout
from engine.models.huggingface import FineTune, as_gguf
from engine.models.layout import F32_TYPE, Entry
from engine.models.members import measure, open_member, rounding, task_vector
from engine.models.weights import Weights, open_weights
from engine.numerics import F32
from tests.fixtures.tiny_gguf import Field, write_tiny_llama
from tests.unit.models.hugging_files import (
    config,
    stored,
    their_rows,
    their_weights,
    tokenizer,
    write_model,
    write_safetensors,
    write_shards,
)
from tests.unit.models.model_files import MATRIX, TABLE, changes, rewritten, tiny

FLOAT, NUMBER, TEXT = GGUFValueType.FLOAT32, GGUFValueType.UINT32, GGUFValueType.STRING
ARRAY, INTEGER = GGUFValueType.ARRAY, GGUFValueType.INT32


@pytest.fixture
def base(tmp_path: Path) -> Weights:
    return tiny(tmp_path)


@pytest.fixture
def folder(base: Weights, tmp_path: Path) -> Path:
    """The base itself, as Hugging Face would keep it."""
    return write_model(tmp_path / "tuned", base)


# The order of rows --------------------------------------------------------------------------


def test_rows_of_a_head_alternate_between_its_halves() -> None:
    values = np.arange(8, dtype=np.float32)
    assert as_gguf(values, heads=1).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert as_gguf(values, heads=2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert as_gguf(values.reshape(4, 2), heads=1).tolist() == [[0, 1], [4, 5], [2, 3], [6, 7]]


@given(
    heads=st.integers(1, 5),
    half=st.integers(1, 4),
    width=st.integers(1, 3),
    position=st.integers(0, 50),
    seed=st.integers(0, 2**32 - 1),
)
def test_both_ways_to_rotate_see_the_same_model(
    heads: int, half: int, width: int, position: int, seed: int
) -> None:
    """Half against half, as Hugging Face does, and pair by pair, as llama.cpp does."""
    rows = np.random.default_rng(seed).normal(size=(heads * 2 * half, width)).astype(np.float32)
    turned = as_gguf(rows, heads=heads)
    np.testing.assert_array_equal(their_rows(turned, heads=heads), rows)
    theta = position * 10_000.0 ** (-np.arange(half) / half)
    for head in range(heads):
        of_head = slice(head * 2 * half, (head + 1) * 2 * half)
        x, y = rows[of_head], turned[of_head]
        by_halves = (x[:half] + 1j * x[half:]) * np.exp(1j * theta)[:, None]
        by_pairs = (y[0::2] + 1j * y[1::2]) * np.exp(1j * theta)[:, None]
        np.testing.assert_array_equal(by_halves, by_pairs)


# What a member is ---------------------------------------------------------------------------


def test_the_base_itself_changes_nothing_at_all(base: Weights, folder: Path) -> None:
    member = open_member(folder, base=base)
    assert isinstance(member, FineTune)
    assert member.notices == ()
    for name in base.tensors:
        change = member.change(name)
        assert change is not None
        assert change.dtype == np.float32
        assert change.shape == base.shape(name)
        assert not change.any(), name
    assert task_vector(member, base=base) == {}


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_member_is_its_difference_from_the_base_in_the_order_of_the_base(
    dtype: str, base: Weights, tmp_path: Path
) -> None:
    tuned = changes(base, scale=2e-2)
    member = open_member(write_model(tmp_path / "tuned", base, tuned, dtype=dtype), base=base)
    for name in base.tensors:
        theta = base.read(name) + tuned[name]
        if dtype != "F32":
            raw = np.frombuffer(stored(theta, dtype), "<u2")
            theta = raw.view("<f2") if dtype == "F16" else (raw.astype("<u4") << 16).view("<f4")
            theta = theta.astype(np.float32).reshape(base.shape(name))
        np.testing.assert_array_equal(member.change(name), theta - base.read(name))


def test_a_coarse_base_is_compared_as_it_is_stored(tmp_path: Path) -> None:
    fine, coarse = tiny(tmp_path), tiny(tmp_path, label="Q4_1", name="coarse.gguf")
    member = open_member(write_model(tmp_path / "tuned", fine), base=coarse)
    for name in fine.tensors:
        lost = fine.read(name) - coarse.read(name)
        np.testing.assert_array_equal(member.change(name), lost)


def test_file_index_and_folder_are_one_member(base: Weights, tmp_path: Path) -> None:
    tuned = changes(base)
    whole = open_member(write_model(tmp_path / "whole", base, tuned), base=base)
    (tmp_path / "parts").mkdir()
    index = write_shards(tmp_path / "parts", their_weights(base, tuned))
    for path in (tmp_path / "whole" / "model.safetensors", index, index.parent):
        member = open_member(path, base=base)
        assert member.path == path
        for name in base.tensors:
            np.testing.assert_array_equal(member.change(name), whole.change(name))


def test_embeddings_that_are_the_head_too_are_there_once(tmp_path: Path) -> None:
    whole = tiny(tmp_path)
    kept = {name: t for name, t in whole.tensors.items() if name != "output.weight"}
    tied = rewritten(Weights(header=whole.header, tensors=kept), tmp_path / "tied.gguf")
    tuned = changes(tied)
    member = open_member(write_model(tmp_path / "tuned", tied, tuned), base=tied)
    np.testing.assert_allclose(member.change(TABLE), tuned[TABLE], atol=5e-7)  # type: ignore[arg-type]
    assert isinstance(member, FineTune)
    assert set(member.names) == set(tied.tensors)


def test_tables_of_positions_among_the_weights_are_passed_over(
    base: Weights, tmp_path: Path
) -> None:
    weights = their_weights(base)
    for layer in range(2):
        weights[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = np.ones(8, np.float32)
    path = write_safetensors(tmp_path / "old.safetensors", weights)
    assert not open_member(path, base=base).change(MATRIX).any()  # type: ignore[union-attr]


def with_factors(base: Weights, path: Path) -> Weights:
    """The base with the tensor that the converter makes of scaled positions."""
    values = {name: base.read(name) for name in base.tensors}
    values["rope_freqs.weight"] = np.ones(8, np.float32)
    entries = [Entry(name=n, shape=v.shape, type=F32_TYPE) for n, v in values.items()]
    data = b"".join(v.tobytes().ljust(layout.padded(v.nbytes, 32), b"\0") for v in values.values())
    path.write_bytes(layout.header_bytes(layout.raw_fields(base.header), entries) + data)
    return open_weights(path)


def test_scaled_positions_are_compared_by_their_kind_and_left_alone(
    base: Weights, folder: Path, tmp_path: Path
) -> None:
    scaled = with_factors(base, tmp_path / "scaled.gguf")
    with pytest.raises(UnsupportedModel, match="rope_type is none, but llama3 in the base"):
        open_member(folder, base=scaled)
    rewrite(folder, rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0})
    member = open_member(folder, base=scaled)
    assert member.change("rope_freqs.weight") is None
    assert not member.change(MATRIX).any()  # type: ignore[union-attr]
    with pytest.raises(UnsupportedModel, match="rope_type is llama3, but none in the base"):
        open_member(folder, base=base)


def test_rows_of_other_architectures_stay_where_they_are(tmp_path: Path) -> None:
    base = qwen(tmp_path / "qwen.gguf")
    weights = their_weights(base, heads={})
    path = write_safetensors(tmp_path / "tuned.safetensors", weights)
    member = open_member(path, base=base)
    assert all(not member.change(name).any() for name in base.tensors)  # type: ignore[union-attr]
    (tmp_path / "config.json").write_text(json.dumps(config() | {"model_type": "qwen2"}))
    assert not open_member(path, base=base).change(MATRIX).any()  # type: ignore[union-attr]


def test_rows_in_the_order_of_before_hugging_face_stay_where_they_are(
    base: Weights, tmp_path: Path
) -> None:
    """As Meta and Mistral name and order them; the converter leaves those alone, too."""
    parts = {"q_proj": "wq", "k_proj": "wk", "v_proj": "wv", "o_proj": "wo"}
    weights = {}
    for name, values in their_weights(base, heads={}).items():
        for theirs, theirs_before in parts.items():
            name = name.replace(f"self_attn.{theirs}", f"attention.{theirs_before}")
        weights[name.replace("model.layers.", "layers.") if "attention" in name else name] = values
    member = open_member(write_safetensors(tmp_path / "m.safetensors", weights), base=base)
    assert all(not member.change(name).any() for name in base.tensors)  # type: ignore[union-attr]


def qwen(path: Path, architecture: str = "qwen2") -> Weights:
    """The tiny llama under another name."""
    sizes = {
        "block_count": 2, "context_length": 512, "embedding_length": 64,
        "feed_forward_length": 128, "attention.head_count": 4, "attention.head_count_kv": 2,
    }  # fmt: skip
    more: dict[str, Field | None] = {f"{architecture}.{k}": (v, NUMBER) for k, v in sizes.items()}
    more["general.architecture"] = (architecture, TEXT)
    more[f"{architecture}.attention.layer_norm_rms_epsilon"] = (1e-5, FLOAT)
    return open_weights(write_tiny_llama(path, overrides=more))


# What is refused ----------------------------------------------------------------------------


def rewrite(folder: Path, **fields: object) -> None:
    """Change config.json; a field that is given as ... is left out."""
    changed = json.loads((folder / "config.json").read_text()) | fields
    kept = {name: value for name, value in changed.items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(kept))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "gemma3"}, "model_type is gemma3, but the base is llama"),
        ({"model_type": ...}, "model_type is missing, but the base is llama"),
        ({"hidden_size": 128}, "hidden_size is 128, but 64 in the base"),
        ({"num_hidden_layers": 3}, "num_hidden_layers is 3, but 2"),
        ({"num_attention_heads": 8}, "num_attention_heads is 8, but 4"),
        ({"num_key_value_heads": 4}, "num_key_value_heads is 4, but 2"),
        ({"num_key_value_heads": ...}, "num_key_value_heads is 4, but 2"),
        ({"rms_norm_eps": 1e-6}, "rms_norm_eps is 1e-06, but 9.99"),
        ({"rope_theta": 500000}, r"rope_theta is 500000\.0, but 10000\.0"),
        ({"rope_parameters": {"rope_theta": 5e5}, "rope_theta": ...}, r"rope_theta is 500000\.0"),
        ({"vocab_size": 273}, "vocab_size is 273, but 272"),
        ({"vocab_size": ...}, "vocab_size is missing, but 272"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_type is linear, but none"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_scaling.rope_type is yarn, but none"),
    ],
)
def test_weights_that_mean_something_else_are_refused_by_the_field(
    fields: dict[str, object], message: str, base: Weights, folder: Path
) -> None:
    rewrite(folder, **fields)
    with pytest.raises(
        UnsupportedModel, match=f"tuned is not made from this base: .*{message}.*choose members"
    ):
        open_member(folder, base=base)


@pytest.mark.parametrize(
    "fields",
    [
        {"model_type": "mistral"},
        {"rope_theta": ...},
        {"rope_theta": ..., "rope_parameters": {"rope_theta": 1e4, "rope_type": "default"}},
        {"rope_theta": ..., "rope_parameters": {"rope_type": "default"}},
        {"rms_norm_eps": 0.00001, "max_position_embeddings": 8192, "eos_token_id": [1, 2]},
    ],
)
def test_what_says_the_same_in_other_words_fits(
    fields: dict[str, object], base: Weights, folder: Path
) -> None:
    rewrite(folder, **fields)
    assert open_member(folder, base=base).path == folder


def test_how_far_positions_are_scaled_is_compared_too(tmp_path: Path, folder: Path) -> None:
    more: dict[str, Field | None] = {
        "llama.rope.scaling.type": ("linear", TEXT),
        "llama.rope.scaling.factor": (4.0, FLOAT),
    }
    scaled = open_weights(write_tiny_llama(tmp_path / "scaled.gguf", overrides=more))
    rewrite(folder, rope_scaling={"type": "linear", "factor": 4})
    assert open_member(folder, base=scaled).path == folder
    rewrite(folder, rope_scaling={"type": "linear", "factor": 2})
    with pytest.raises(UnsupportedModel, match=r"factor is 2\.0, but 4\.0 in the base"):
        open_member(folder, base=scaled)


def test_as_many_heads_of_keys_as_of_queries_need_not_be_said(tmp_path: Path) -> None:
    path = tmp_path / "even.gguf"
    even: dict[str, Field | None] = {"llama.attention.head_count_kv": None}
    base = open_weights(write_tiny_llama(path, kv_heads=4, overrides=even))
    (tmp_path / "config.json").write_text(json.dumps(config() | {"num_key_value_heads": None}))
    weights = their_weights(base, heads={"attn_q": 4, "attn_k": 4})
    member = open_member(write_safetensors(tmp_path / "m.safetensors", weights), base=base)
    assert all(not member.change(name).any() for name in base.tensors)  # type: ignore[union-attr]


Weighed = dict[str, F32]
Q, V = "model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.v_proj.weight"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop(V), "it has no tensor for blk.1.attn_v.weight"),
        (lambda w: w.pop("lm_head.weight"), "it has no tensor for output.weight"),
        (lambda w: w.update({"model.layers.2.mlp.up_proj.weight": w[V]}), "layers.2.mlp.up_proj"),
        (lambda w: w.update({"visual.proj.weight": w[V]}), "a tensor visual.proj.weight more"),
        (lambda w: w.update({Q.replace("weight", "bias"): w[V][0]}), "q_proj.bias more"),
        (lambda w: w.update({Q: w[Q][:32]}), rf"tensor {Q} is \(32, 64\), but \(64, 64\) in the"),
        (lambda w: w.update({"transformer.wte.weight": w[V]}), "are one tensor in the base"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(
    spoil: Callable[[Weighed], object], message: str, base: Weights, tmp_path: Path
) -> None:
    weights = their_weights(base)
    spoil(weights)
    path = write_safetensors(tmp_path / "m.safetensors", weights)
    with pytest.raises(UnsupportedModel, match=f"m.safetensors is not made from this.*{message}"):
        open_member(path, base=base)


def test_a_base_whose_weights_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    base = qwen(tmp_path / "base.gguf", "gemma3")
    path = write_safetensors(tmp_path / "m.safetensors", their_weights(base, heads={}))
    with pytest.raises(UnsupportedModel, match=r"architecture gemma3.*llama, qwen2, qwen3"):
        open_member(path, base=base)


def test_a_base_that_counts_heads_by_layer_is_refused(tmp_path: Path) -> None:
    by_layer: dict[str, Field | None] = {"llama.attention.head_count_kv": ([2, 2], ARRAY, INTEGER)}
    base = open_weights(write_tiny_llama(tmp_path / "base.gguf", overrides=by_layer))
    path = write_safetensors(tmp_path / "m.safetensors", their_weights(base))
    with pytest.raises(UnsupportedModel, match=r"how the 32 rows of blk\.0\.attn_k\.weight are"):
        open_member(path, base=base)


def test_a_weight_that_is_not_finite_is_found_before_any_work(base: Weights, folder: Path) -> None:
    weights = their_weights(base)
    weights[Q][3, 4] = np.inf
    write_safetensors(folder / "model.safetensors", weights)
    with pytest.raises(DamagedModel, match=f"model.safetensors is damaged: tensor {Q} holds"):
        measure(open_member(folder, base=base), base=base)


def test_weights_too_large_to_compare_are_refused_in_a_sentence(
    base: Weights, folder: Path
) -> None:
    weights = their_weights(base)
    weights[Q][:] = np.finfo(np.float32).max
    write_safetensors(folder / "model.safetensors", weights)
    with pytest.raises(UnsupportedModel, match="tuned differs from the base"):
        measure(open_member(folder, base=base), base=base)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize(
    "text", ["", "[1]", '{"hidden_size": "64"}', '{"a":' * 100_000, '{"model": {"vocab": 3}}']
)
def test_a_damaged_file_beside_the_weights_is_refused_by_its_name(
    name: str, text: str, base: Weights, folder: Path
) -> None:
    (folder / name).write_text(text)
    with pytest.raises((DamagedModel, UnsupportedModel), match=f"{name} is damaged|model_type"):
        open_member(folder, base=base)


# The tokenizer ------------------------------------------------------------------------------


def retell(folder: Path, base: Weights, spoil: Callable[[dict[str, Any]], object]) -> None:
    found = tokenizer(base)
    spoil(found)
    (folder / "tokenizer.json").write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t["model"]["vocab"].pop("A"), "tokenizer.json has no token 68, 'A' in the base"),
        (
            lambda t: t["model"]["vocab"].update({"A": 69, "B": 68}),
            "token 68 of tokenizer.json is 'B', but 'A' in the base",
        ),
        (lambda t: t["model"]["vocab"].update({"new": 272}), "has a token 272, and the base 272"),
        (lambda t: t["added_tokens"][1].update(content="<s>"), "token 1 .* is '<s>', but '<|im_st"),
        (lambda t: t["model"]["merges"].reverse(), "merge 0 of tokenizer.json is not that"),
        (lambda t: t["model"]["merges"].pop(), "merge 9 of tokenizer.json is not that"),
        (lambda t: t["model"]["merges"].append("a t"), "merge 10 of tokenizer.json is not that"),
    ],
)
def test_another_tokenizer_is_refused_by_its_token(
    spoil: Callable[[dict[str, Any]], object], message: str, base: Weights, folder: Path
) -> None:
    retell(folder, base, spoil)
    with pytest.raises(UnsupportedModel, match=f"tuned is not made from this base: .*{message}"):
        open_member(folder, base=base)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["added_tokens"].clear(),
        lambda t: t["added_tokens"].append({"id": 300, "content": "<pad>", "special": True}),
        lambda t: t["model"].update(merges=[m.split(" ") for m in t["model"]["merges"]]),
        lambda t: t["model"]["vocab"].update({"<|im_start|>": 1}),
    ],
)
def test_added_tokens_may_be_missing_in_either_and_merges_are_pairs_or_texts(
    change: Callable[[dict[str, Any]], object], base: Weights, folder: Path
) -> None:
    retell(folder, base, change)
    assert open_member(folder, base=base).path == folder


def test_a_number_that_the_base_does_not_use_may_get_a_meaning(tmp_path: Path) -> None:
    base = open_weights(write_tiny_llama(tmp_path / "base.gguf", vocab=288))
    path = write_safetensors(tmp_path / "m.safetensors", their_weights(base))
    retell(tmp_path, base, lambda t: t["added_tokens"].append({"id": 280, "content": "<think>"}))
    assert open_member(path, base=base).path == path


def test_a_vocabulary_with_scores_is_a_list_and_needs_no_merges(tmp_path: Path) -> None:
    """As the converter makes it of SentencePiece, whose tokens that were added have spaces."""
    tokens = ["<unk>", "a b", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    tokens += [f"▁{letter}" for letter in "abcdefghijklm"]
    kinds = [2, 4, 3] + [6] * 256 + [1] * 13
    more: dict[str, Field | None] = {
        "tokenizer.ggml.model": ("llama", TEXT),
        "tokenizer.ggml.tokens": (tokens, ARRAY, TEXT),
        "tokenizer.ggml.token_type": (kinds, ARRAY, INTEGER),
        "tokenizer.ggml.scores": ([0.0] * len(tokens), ARRAY, FLOAT),
        "tokenizer.ggml.merges": None,
    }
    base = open_weights(write_tiny_llama(tmp_path / "scored.gguf", overrides=more))
    path = write_safetensors(tmp_path / "m.safetensors", their_weights(base))
    pieces = [["a▁b" if token == "a b" else token, -1.0] for token in tokens]
    found = tmp_path / "tokenizer.json"
    found.write_text(json.dumps({"model": {"type": "Unigram", "vocab": pieces}}))
    assert open_member(path, base=base).path == path
    pieces[3], pieces[4] = pieces[4], pieces[3]
    found.write_text(json.dumps({"model": {"type": "Unigram", "vocab": pieces}}))
    with pytest.raises(UnsupportedModel, match=r"token 3 of tokenizer\.json is '<0x01>', but"):
        open_member(path, base=base)


# What is said -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (["config.json"], "no config.json beside tuned: its settings were not compared"),
        (["tokenizer.json"], "no tokenizer.json beside tuned: its tokenizer was not compared"),
        (["config.json", "tokenizer.json"], "no config.json and no tokenizer.json beside tuned: "),
    ],
)
def test_what_could_not_be_checked_is_said(
    missing: list[str], words: str, base: Weights, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "tuned", base, changes(base, scale=1e-2))
    for name in missing:
        (folder / name).unlink()
    (notice,) = measure(open_member(folder, base=base), base=base).notices
    assert notice.code == "unchecked_member"
    assert words in notice.text


def test_a_finely_stored_base_with_all_its_files_needs_no_word(
    base: Weights, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "tuned", base, changes(base, scale=1e-2))
    assert measure(open_member(folder, base=base), base=base).notices == ()


@pytest.mark.parametrize(
    ("label", "scale", "warned"),
    [
        ("Q4_0", 1e-3, True),
        ("Q4_1", 1e-3, True),
        ("Q5_1", 1e-3, True),
        ("Q8_0", 1e-4, True),
        ("Q4_1", 1e-1, False),
        ("Q8_0", 2e-2, False),
        ("F16", 1e-3, False),
    ],
)
def test_a_base_whose_rounding_is_most_of_the_change_is_warned_of(
    label: str, scale: float, warned: bool, tmp_path: Path
) -> None:
    original, base = tiny(tmp_path), tiny(tmp_path, label=label, name="coarse.gguf")
    tuned = changes(original, scale=scale)
    folder = write_model(tmp_path / "tuned", original, tuned)
    found = measure(open_member(folder, base=base), base=base)
    assert [notice.code for notice in found.notices] == ["coarse_base"] * warned
    if warned:
        assert "coarse.gguf stores a weight in" in found.notices[0].text
        assert "tuned seems to change" in found.notices[0].text


@pytest.mark.parametrize(
    ("type", "label"), [(2, "Q4_0"), (3, "Q4_1"), (6, "Q5_0"), (7, "Q5_1"), (8, "Q8_0")]
)
def test_rounding_is_guessed_at_what_it_is(type: int, label: str) -> None:
    from gguf import GGMLQuantizationType, quants

    kind = GGMLQuantizationType[label]
    weights = np.random.default_rng(3).normal(size=(64, 256)).astype(np.float32)
    lost = quants.dequantize(quants.quantize(weights, kind), kind) - weights
    ratio = float(np.linalg.norm(lost) / np.linalg.norm(weights))
    assert rounding(type) == pytest.approx(ratio, rel=0.25)


@pytest.mark.parametrize("type", [0, 1, 30])
def test_formats_that_models_come_in_round_nothing(type: int) -> None:
    assert rounding(type) == 0.0
