"""Fine-tuned models as Hugging Face keeps them, as changes of a base in a GGUF file.

Tensors are renamed as llama.cpp's converter does it. For the llama architecture it also reorders
the rows of q and k inside a head: Hugging Face rotates row i together with row i + D/2, llama.cpp
row 2i with row 2i + 1 (`permute` of `LlamaModel` there). Of other architectures it changes the
weights themselves, as the norms of Gemma, so that only those are known here of which it does not.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import UnsupportedModel
from engine.models import layout
from engine.models.adapters import EMBEDDING
from engine.models.header import VOCABULARY_KEY, Value, file_name, printable
from engine.models.safetensors import open_safetensors, read_json
from engine.models.weights import Weights
from engine.numerics import F32
from engine.types.work import Notice

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
"""Looked for beside the weights."""

ROPE_FACTORS = "rope_freqs.weight"
"""Made by the converter from settings; no file of Hugging Face has it."""

_MODEL_TYPES = {"llama": ("llama", "mistral"), "qwen2": ("qwen2",), "qwen3": ("qwen3",)}
"""general.architecture of the base → model_type of what is converted to it."""

_NO_WEIGHTS = (".rotary_emb.inv_freq", ".attention.masked_bias", ".attention.bias")
"""Ends of names of tables that older files have among the weights."""

_NORMAL, _UNUSED, _BYTE = 1, 5, 6
"""Kinds of tokens. The rest are control tokens and those that were added by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTune:
    """A member that is a whole model in safetensors files.

    stored   name of a tensor there → the file that holds it
    names    name in the base → name there; what is missing follows from settings
    heads    kind of tensor, q_proj or k_proj → heads inside which its rows are reordered
    notices  what could not be checked
    """

    path: Path
    base: Weights
    stored: Mapping[str, Weights]
    names: Mapping[str, str]
    heads: Mapping[str, int]
    notices: tuple[Notice, ...]

    def change(self, name: str) -> F32 | None:
        """θ − θ0, float32, as the base orders it. Raises what `Weights.read` raises."""
        theirs = self.names.get(name)
        if theirs is None:
            return None
        values = self.stored[theirs].read(theirs)
        heads = self.heads.get(_kind(theirs))
        if heads is not None:
            values = as_gguf(values, heads=heads)
        with np.errstate(over="ignore"):  # what is far off is refused by its distance
            difference: F32 = values - self.base.read(name)
        return difference


def as_gguf(values: F32, *, heads: int) -> F32:
    """Rows of q or k as llama.cpp rotates them: in each head 0, D/2, 1, D/2 + 1, …

    values  (heads · D, …), float32, D even, in the order of Hugging Face
    """
    halves = values.reshape(heads, 2, -1, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def open_fine_tune(path: Path, *, base: Weights) -> FineTune:
    """A model in safetensors files that fits the base; of weights only headers are read.

    path  a file, an index of shards, or a folder with either; config.json and tokenizer.json
          beside it are compared with the base, and a notice says which of them is not there

    Raises UnsupportedModel where it is not made from this base, naming the field, token or tensor,
    or where the base is of an architecture that is not known here; and what `open_safetensors`
    and `read_json` raise.
    """
    _check_architecture(path, base)
    folder = path if os.path.isdir(path) else path.parent
    beside = [name for name in (CONFIG, TOKENIZER) if os.path.isfile(folder / name)]
    if CONFIG in beside:
        _check_settings(path, read_json(folder / CONFIG, _Config), base)
    stored = open_safetensors(path)
    names = _names(path, stored, base)
    _check_tensors(path, stored, names, base)
    if TOKENIZER in beside:
        _check_tokenizer(path, read_json(folder / TOKENIZER, _Tokenizer), base)
    return FineTune(
        path=path,
        base=base,
        stored=stored,
        names=names,
        heads=_heads(names, base),
        notices=_unchecked(path, [name for name in (CONFIG, TOKENIZER) if name not in beside]),
    )


def stranger(path: Path, why: str) -> UnsupportedModel:
    """A member of another base."""
    return UnsupportedModel(
        f"{file_name(path)} is not made from this base: {why}; choose members of one base."
    )


def _unchecked(path: Path, missing: list[str]) -> tuple[Notice, ...]:
    if not missing:
        return ()
    what = {
        (CONFIG,): "its settings were",
        (TOKENIZER,): "its tokenizer was",
        (CONFIG, TOKENIZER): "its settings and its tokenizer were",
    }
    text = (
        f"There is no {' and no '.join(missing)} beside {file_name(path)}: "
        f"{what[tuple(missing)]} not compared with those of the base."
    )
    return (Notice(code="unchecked_member", text=text),)


# Tensors ------------------------------------------------------------------------------------


def _check_architecture(path: Path, base: Weights) -> None:
    if base.header.architecture not in _MODEL_TYPES:
        raise UnsupportedModel(
            f"{file_name(path)} cannot be merged into a base of the architecture "
            f"{printable(base.header.architecture)}: which weight is which is known only for "
            f"{', '.join(_MODEL_TYPES)}; convert it to GGUF first."
        )


def _names(path: Path, stored: Mapping[str, Weights], base: Weights) -> dict[str, str]:
    """Name in the base → name in the files, of all tensors in the files."""
    from gguf import MODEL_ARCH, get_tensor_name_map  # takes a tenth of a second, and few merge

    architecture = base.header.architecture
    layers = base.header.metadata[f"{architecture}.block_count"]
    assert isinstance(layers, int)  # the base has been checked
    known = get_tensor_name_map(MODEL_ARCH[architecture.upper()], layers)
    found: dict[str, str] = {}
    for theirs in stored:
        if theirs.endswith(_NO_WEIGHTS):
            continue
        ours = known.get_name(theirs, try_suffixes=(".weight", ".bias"))
        if ours not in base.tensors:
            raise stranger(path, f"it has a tensor {printable(theirs)} more")
        if ours in found:
            both = f"{printable(found[ours])} and {printable(theirs)}"
            raise stranger(path, f"it has {both}, which are one tensor in the base")
        found[ours] = theirs
    return found


def _check_tensors(
    path: Path, stored: Mapping[str, Weights], names: Mapping[str, str], base: Weights
) -> None:
    for name in base.tensors:
        theirs = names.get(name)
        if theirs is None:
            if name == ROPE_FACTORS:
                continue
            raise stranger(path, f"it has no tensor for {printable(name)}")
        shape = stored[theirs].shape(theirs)
        if shape != base.shape(name):
            shapes = f"{shape}, but {base.shape(name)} in the base"
            raise stranger(path, f"tensor {printable(theirs)} is {shapes}")


def _heads(names: Mapping[str, str], base: Weights) -> dict[str, int]:
    """Kind of tensor whose rows are reordered → its heads."""
    if base.header.architecture != "llama":
        return {}
    queries = _stated(base, "attention.head_count")
    keys = _stated(base, "attention.head_count_kv", queries)
    found: dict[str, int] = {}
    for ours, theirs in names.items():
        kind = _kind(theirs)
        if kind not in ("q_proj", "k_proj"):
            continue
        heads, rows = queries if kind == "q_proj" else keys, base.shape(ours)[0]
        if not isinstance(heads, int) or heads < 1 or rows % (2 * heads):
            raise UnsupportedModel(
                f"{file_name(base.path)} says nothing of how the {rows} rows of {printable(ours)} "
                "are parted into heads, so that weights in safetensors cannot be put in its order; "
                "choose members in GGUF files."
            )
        found[kind] = heads
    return found


def _kind(name: str) -> str:
    """model.layers.0.self_attn.q_proj.weight → q_proj."""
    return name.rpartition(".")[0].rpartition(".")[2]


# Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rotation:
    """How positions are scaled; its kind has changed its name, and θ has moved here in 2025."""

    rope_type: str | None = None
    type: str | None = None
    factor: float | None = None
    rope_theta: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    """What config.json says, None where it does not."""

    model_type: str | None = None
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    rms_norm_eps: float | None = None
    rope_theta: float | None = None
    vocab_size: int | None = None
    rope_scaling: _Rotation | None = None
    rope_parameters: _Rotation | None = None


def _check_settings(path: Path, config: _Config, base: Weights) -> None:
    """What the weights mean must not differ."""
    architecture = base.header.architecture
    if config.model_type not in _MODEL_TYPES[architecture]:
        found = f"model_type is {shown(config.model_type)}, but the base is {architecture}"
        raise stranger(path, found)
    for field, theirs, ours in (*_sizes(config, base), *_rotation(config, base)):
        if not _equal(theirs, ours):
            found = f"{field} is {shown(theirs)}, but {shown(ours)} in the base"
            raise stranger(path, found)


_Compared = tuple[str, Value | None, Value | None]
"""A field of config.json, its value there, and what the base says."""


def _sizes(config: _Config, base: Weights) -> Iterator[_Compared]:
    heads = _stated(base, "attention.head_count")
    their_kv_heads = config.num_key_value_heads or config.num_attention_heads
    epsilon = _stated(base, "attention.layer_norm_rms_epsilon")
    yield "hidden_size", config.hidden_size, _stated(base, "embedding_length")
    yield "num_hidden_layers", config.num_hidden_layers, _stated(base, "block_count")
    yield "num_attention_heads", config.num_attention_heads, heads
    kv_heads = _stated(base, "attention.head_count_kv", heads)
    yield "num_key_value_heads", their_kv_heads, kv_heads
    yield "rms_norm_eps", config.rms_norm_eps, epsilon
    yield "vocab_size", config.vocab_size, base.shape(EMBEDDING)[0]


def _rotation(config: _Config, base: Weights) -> Iterator[_Compared]:
    rotation = config.rope_parameters or config.rope_scaling or _Rotation()
    theta = rotation.rope_theta if config.rope_theta is None else config.rope_theta
    yield "rope_theta", theta or 10_000.0, _stated(base, "rope.freq_base", 10_000.0)
    kind = rotation.rope_type or rotation.type or "default"
    scaled = "none" if kind == "default" else kind
    llama3 = ROPE_FACTORS in base.tensors
    ours = "llama3" if llama3 else _stated(base, "rope.scaling.type", "none")
    yield "rope_scaling.rope_type", scaled, ours
    if scaled not in ("none", "llama3"):  # those of llama3 have become a tensor of the base
        yield "rope_scaling.factor", rotation.factor, _stated(base, "rope.scaling.factor")


def _stated(base: Weights, field: str, default: Value | None = None) -> Value | None:
    return base.header.metadata.get(f"{base.header.architecture}.{field}", default)


def _equal(theirs: Value | None, ours: Value | None) -> bool:
    """A GGUF file has 32 bits of a number with a point, and 6 digits of them are sure."""
    if isinstance(theirs, float) and isinstance(ours, int | float):
        return math.isclose(theirs, ours, rel_tol=1e-6)
    return theirs == ours


def shown(value: Value | None) -> str:
    """A setting, fit to be shown."""
    return "missing" if value is None else printable(str(value))


# The tokenizer ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vocabulary:
    """vocab: token → number, or in some files (token, score) in the order of numbers."""

    vocab: dict[str, int] | list[tuple[str, float]]
    merges: tuple[str | tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    id: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tokenizer:
    model: _Vocabulary
    added_tokens: tuple[_Added, ...] = ()


def _check_tokenizer(path: Path, found: _Tokenizer, base: Weights) -> None:
    """Every number has to mean the same text, and texts have to be merged in the same order.

    Control tokens and added ones may be missing in either: their rows are there all the same. What
    both have must be the same, unless the base does not use that number. How text is cut before it
    is merged is not compared, nor are scores.
    """
    fields = layout.raw_fields(base.header)
    ours = _texts(fields.get(VOCABULARY_KEY, b""))
    theirs = _tokens(found)
    kinds = dict(enumerate(_numbers(fields.get("tokenizer.ggml.token_type", b""))))
    for number, token in enumerate(ours):
        kind, text = kinds.get(number, _NORMAL), theirs.pop(number, None)
        if text is None and kind in (_NORMAL, _BYTE):
            raise stranger(path, f"{TOKENIZER} has no token {number}, {_quoted(token)} in the base")
        if text is not None and kind != _UNUSED and token not in (text, _spaced(text)):
            what = f"token {number} of {TOKENIZER} is {_quoted(text)}, but {_quoted(token)}"
            raise stranger(path, f"{what} in the base")
    added = {token.id for token in found.added_tokens}
    for number in theirs:
        if number not in added:
            raise stranger(path, f"{TOKENIZER} has a token {number}, and the base {len(ours)}")
    _check_merges(path, found.model, fields)


def _check_merges(path: Path, found: _Vocabulary, fields: Mapping[str, bytes]) -> None:
    """Of a base that has some: one with scores instead goes by those."""
    ours = _texts(fields.get("tokenizer.ggml.merges", b""))
    theirs = [_merge(pair) for pair in found.merges] if ours else []
    if theirs == ours:
        return
    pairs = enumerate(zip(theirs, ours, strict=False))
    first = next((n for n, (one, other) in pairs if one != other), min(len(theirs), len(ours)))
    raise stranger(path, f"merge {first} of {TOKENIZER} is not that of the base")


def _tokens(found: _Tokenizer) -> dict[int, bytes]:
    vocab = found.model.vocab
    pairs = vocab.items() if isinstance(vocab, dict) else ((p[0], n) for n, p in enumerate(vocab))
    tokens = {number: token.encode() for token, number in pairs}
    return tokens | {token.id: token.content.encode() for token in found.added_tokens}


def _merge(pair: str | tuple[str, str]) -> bytes:
    if isinstance(pair, str):
        return pair.encode()
    # A space would end the first half; the converter writes the letter that stands for it.
    return " ".join(part.replace(" ", "Ġ") for part in pair).encode()


def _spaced(text: bytes) -> bytes:
    """As the converter writes tokens that were added by hand."""
    return text.replace("▁".encode(), b" ")


def _texts(field: bytes) -> list[bytes]:
    """The texts of an array field, as `layout.raw_fields` has it; none of an empty one."""
    found, at = [], 16
    while at < len(field):
        (length,) = struct.unpack_from("<Q", field, at)
        found.append(field[at + 8 : at + 8 + length])
        at += 8 + length
    return found


def _numbers(field: bytes) -> list[int]:
    """The same of an array of 32-bit numbers."""
    return [int(number) for number in np.frombuffer(field[16:], "<i4")]


def _quoted(token: bytes) -> str:
    return repr(printable(token.decode("utf-8", "replace")))
