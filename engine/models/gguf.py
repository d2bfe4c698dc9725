"""The pre-check: what a GGUF file says of itself is judged before llama.cpp ever sees it.

llama.cpp answers many wrong fields with `abort()`, which ends its process without a word. Each
rule here either turns such an end into a sentence or says early what llama.cpp would say late.
An architecture that is not known here is not refused: llama.cpp decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import DamagedModel, UnsupportedModel
from engine.models.families import KINDS, NOT_WRITERS
from engine.models.formats import BLOCKS, TABLES
from engine.models.header import (
    DEFAULT_ALIGNMENT,
    Array,
    Header,
    Omitted,
    Tensor,
    damaged,
    file_name,
    printable,
    read_header,
)

__all__ = ["Facts", "Header", "check", "facts", "read_header"]

MAX_LAYERS = 512
MAX_EXPERTS = 1024
MAX_WIDTH = 1 << 20
MAX_CONTEXT = (1 << 31) - 1
MAX_TEMPLATE = 1 << 20
"""Bytes of a chat template: the longest real ones have 30 000."""

_NO_HEADS = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
"""Recurrent throughout: they state zero attention heads."""

_ROPE_SCALING = ("none", "linear", "yarn", "longrope")
_SIZES_ABOVE_ZERO = (
    "ssm.conv_kernel",
    "ssm.inner_size",
    "ssm.state_size",
    "ssm.time_step_rank",
    "wkv.head_size",
    "shortconv.l_cache",
)
"""llama.cpp divides by these or subtracts one from them."""


def check(header: Header) -> None:
    """Refuse what llama.cpp would die of, or could load but never write text with.

    Raises UnsupportedModel (sound, but not a model that writes text here) or DamagedModel (a
    field or tensor that cannot be right). Returns silently otherwise; llama.cpp may still refuse.
    """
    for rule in _RULES:
        rule(header)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a model card and a memory estimate need.

    parameters       weights in all tensors
    context          tokens the model was trained for
    licence          as the file states it, "" where it does not
    size             bytes of the file
    cache_per_token  numbers in the KV cache per token, over all layers (times 2 bytes at F16)
    """

    name: str
    architecture: str
    parameters: int
    context: int
    licence: str
    size: int
    layers: int
    embedding: int
    heads: int
    heads_kv: int
    cache_per_token: int
    has_chat_template: bool


def facts(header: Header) -> Facts:
    """The facts of a header that `check` has passed; 0 and "" where it does not tell."""
    layers, embedding = _plain(header, "block_count"), _plain(header, "embedding_length")
    heads = _per_layer(header, "attention.head_count", layers)
    heads_kv = _per_layer(header, "attention.head_count_kv", layers) or heads
    head = embedding // max(heads, default=0) if any(heads) else 0
    key = _plain(header, "attention.key_length") or head
    value = _plain(header, "attention.value_length") or head
    return Facts(
        name=_name(header),
        architecture=header.architecture,
        parameters=sum(tensor.elements for tensor in header.tensors),
        context=_plain(header, "context_length"),
        licence=_text(header, "general.license"),
        size=header.file_size,
        layers=layers,
        embedding=embedding,
        heads=max(heads, default=0),
        heads_kv=max(heads_kv, default=0),
        cache_per_token=sum(heads_kv) * (key + value),
        has_chat_template="tokenizer.chat_template" in header.metadata,
    )


def _name(header: Header) -> str:
    # Converters leave names such as "Storage" or "content"; the file's own name says more then.
    name, stem = printable(_text(header, "general.name"), 80), header.path.stem
    first = re.split(r"[\s_-]", name.lower(), maxsplit=1)[0]
    return name if first and first in stem.lower() else printable(stem, 80)


def _text(header: Header, key: str) -> str:
    value = header.metadata.get(key, "")
    return value if isinstance(value, str) else ""


def _plain(header: Header, field: str) -> int:
    value = header.metadata.get(f"{header.architecture}.{field}", 0)
    return value if type(value) is int else 0


def _per_layer(header: Header, field: str, layers: int) -> tuple[int, ...]:
    value = header.metadata.get(f"{header.architecture}.{field}")
    if isinstance(value, Array):
        return tuple(int(v) for v in value.values)
    return (value,) * layers if type(value) is int else ()


# The words of a refusal ---------------------------------------------------------------------


def _unsupported(header: Header, what: str, way_out: str) -> UnsupportedModel:
    return UnsupportedModel(f"{file_name(header.path)} {what}; {way_out}.")


_ANOTHER = "choose a model that writes text"


def _wrong(header: Header, key: str, value: object, allowed: str) -> DamagedModel:
    shown = (
        f"{value.count} values" if isinstance(value, Array) else printable(str(value)) or "empty"
    )
    return damaged(header.path, f"{printable(key)} is {shown}, but must be {allowed}")


def _integer(header: Header, field: str, low: int, high: int) -> int | None:
    """An integer field of the architecture, in [low, high]; None where it is missing."""
    key = f"{header.architecture}.{field}"
    value = header.metadata.get(key)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        allowed = f"a whole number from {low} to {high}" if low < high else str(low)
        raise _wrong(header, key, value, allowed)
    return value


def _required(header: Header, field: str, low: int, high: int) -> int:
    value = _integer(header, field, low, high)
    if value is None:
        raise damaged(header.path, f"{header.architecture}.{field} is missing")
    return value


def _integers(header: Header, field: str, low: int, high: int) -> tuple[int, ...]:
    """A field that holds one integer for all layers or an array of one per layer."""
    key = f"{header.architecture}.{field}"
    value = header.metadata.get(key)
    if not isinstance(value, Array):
        number = _integer(header, field, low, high)
        return () if number is None else (number,)
    for item in value.values:
        if type(item) is not int or not 0 <= item <= high:
            raise _wrong(header, key, item, f"whole numbers from 0 to {high}")
    layers = _plain(header, "block_count")
    if not value.values or value.count != layers:
        raise _wrong(header, key, value, f"one number for each of the {layers} layers")
    return tuple(int(number) for number in value.values)


# Rules, in the order in which their sentences help most ----------------------------------------


def _check_kind(header: Header) -> None:
    kind, name = _text(header, "general.type"), header.architecture
    what = KINDS.get(kind) or NOT_WRITERS.get(name)
    if "adapter.type" in header.metadata:
        what = KINDS["adapter"]
    if what:
        raise _unsupported(header, f"is {what}", _ANOTHER)
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        shown = header.metadata.get("general.architecture", "missing")
        allowed = "the name of a model family such as 'llama'"
        raise _wrong(header, "general.architecture", shown, allowed)


def _check_parts(header: Header) -> None:
    parts = header.metadata.get("split.count", 0)
    if type(parts) is not int or not 0 <= parts <= 65_535:
        raise _wrong(header, "split.count", parts, "a whole number from 0 to 65535")
    if parts > 1:
        way_out = "join the parts with llama-gguf-split --merge or choose a model in one file"
        raise _unsupported(header, f"is one of {parts} parts of a model", way_out)


def _check_layout(header: Header) -> None:
    if not header.tensors:
        raise _unsupported(header, "holds no weights", _ANOTHER)
    if header.alignment < DEFAULT_ALIGNMENT:
        # The format allows it, the kernels do not.
        raise _wrong(header, "general.alignment", header.alignment, "at least 32")
    expected = 0
    for tensor in header.tensors:
        size = _tensor_size(header, tensor)
        _check_place(header, tensor, size, expected)
        expected += -(-size // header.alignment) * header.alignment


def _tensor_size(header: Header, tensor: Tensor) -> int:
    name = f"tensor {printable(tensor.name)}"
    if tensor.type not in BLOCKS:
        what = f"stores {name} in format {tensor.type}, which this version cannot read"
        raise _unsupported(header, what, "choose another quantization of this model")
    label, block, size = BLOCKS[tensor.type]
    if any(not 0 < dim < 1 << 40 for dim in tensor.dims):
        raise damaged(header.path, f"{name} has the shape {_shape(tensor)}")
    if tensor.dims and tensor.dims[0] % block:
        rows = f"{name} has rows of {tensor.dims[0]} weights"
        raise damaged(header.path, f"{rows}, but {label} stores {block} at a time")
    return tensor.elements // block * size


def _check_place(header: Header, tensor: Tensor, size: int, expected: int) -> None:
    name = f"tensor {printable(tensor.name)}"
    end = header.data_offset + tensor.offset + size
    if end > header.file_size:
        what = f"{name} ends at byte {end}, but the file has only {header.file_size}"
        raise damaged(header.path, what)
    if tensor.offset != expected:
        what = f"{name} begins at byte {tensor.offset} of the weights, but must at {expected}"
        raise damaged(header.path, what)


def _shape(tensor: Tensor) -> str:
    return " by ".join(str(dim) for dim in tensor.dims) or "()"


def _check_types(header: Header) -> None:
    for tensor in header.tensors:
        label = BLOCKS[tensor.type][0]
        if tensor.type in TABLES and _is_weight(tensor):
            what = f"tensor {printable(tensor.name)} is stored as {label}, which holds no weights"
            raise damaged(header.path, what)
        if tensor.type != 0 and _is_vector(tensor):
            what = f"tensor {printable(tensor.name)} is stored as {label}, but must be F32"
            raise damaged(header.path, what)


def _is_weight(tensor: Tensor) -> bool:
    return tensor.name.endswith((".weight", ".bias")) and "tid2eid" not in tensor.name


def _is_vector(tensor: Tensor) -> bool:
    """Norms and biases: the kernels that apply them abort on anything but F32."""
    return tensor.name.endswith(("norm.weight", ".bias")) and len(tensor.dims) <= 1


def _check_size(header: Header) -> None:
    layers = _required(header, "block_count", 1, MAX_LAYERS)
    _required(header, "context_length", 1, MAX_CONTEXT)
    width = _required(header, "embedding_length", 1, MAX_WIDTH)
    if _integer(header, "embedding_length_out", 0, MAX_WIDTH) not in (None, 0, width):
        key = f"{header.architecture}.embedding_length_out"
        # Of a model that writes, what comes out is as wide as what is decoded with.
        raise _wrong(header, key, header.metadata[key], f"the embedding length {width}")
    _integers(header, "feed_forward_length", 0, MAX_CONTEXT)
    _integer(header, "nextn_predict_layers", 0, layers)
    _integer(header, "vocab_size", 1, MAX_CONTEXT)
    for field in _SIZES_ABOVE_ZERO:
        _integer(header, field, 1, MAX_CONTEXT)


def _check_heads(header: Header) -> None:
    lowest = 0 if header.architecture in _NO_HEADS else 1
    heads = _integers(header, "attention.head_count", lowest, MAX_WIDTH)
    heads_kv = _integers(header, "attention.head_count_kv", lowest, MAX_WIDTH)
    width = _plain(header, "embedding_length")
    key = _integer(header, "attention.key_length", 1, MAX_WIDTH)
    _integer(header, "attention.value_length", 1, MAX_WIDTH)
    first = heads[0] if heads else 0
    if first and key is None and width % first:
        name = f"{header.architecture}.attention.head_count"
        raise _wrong(header, name, first, f"a divisor of the embedding length {width}")
    _check_groups(header, heads, heads_kv)
    if first:
        _check_rotation(header, key or width // first)


def _check_groups(header: Header, heads: tuple[int, ...], heads_kv: tuple[int, ...]) -> None:
    longest = max(len(heads), len(heads_kv)) if heads and heads_kv else 0
    for layer in range(longest):
        all_, shared = heads[layer % len(heads)], heads_kv[layer % len(heads_kv)]
        if shared and all_ % shared:
            name = f"{header.architecture}.attention.head_count_kv"
            raise _wrong(header, name, shared, f"a divisor of the head count {all_}")


def _check_rotation(header: Header, head: int) -> None:
    rotated = _integer(header, "rope.dimension_count", 0, head)
    if rotated is not None and rotated % 2:
        name = f"{header.architecture}.rope.dimension_count"
        raise _wrong(header, name, rotated, "an even number")


def _check_floats(header: Header) -> None:
    for key, value in header.metadata.items():
        # Arrays may be infinite: Gemma 3n says "off" that way, one layer at a time.
        if not key.startswith(f"{header.architecture}.") or isinstance(value, Array):
            continue
        if isinstance(value, float) and not math.isfinite(value):
            raise _wrong(header, key, value, "a finite number")
        if key.endswith("epsilon") and not (isinstance(value, float) and 0.0 < value < 1.0):
            raise _wrong(header, key, value, "a number above 0 and below 1")


def _check_rope(header: Header) -> None:
    for field in ("rope.freq_base", "rope.freq_base_swa"):
        key = f"{header.architecture}.{field}"
        base = header.metadata.get(key)
        if base is not None and not (isinstance(base, float) and base > 0.0):
            raise _wrong(header, key, base, "a number above 0")
    for field in ("rope.scaling.factor", "rope.scale_linear", "rope.scaling.attn_factor"):
        key = f"{header.architecture}.{field}"
        factor = header.metadata.get(key)
        if factor is not None and not (isinstance(factor, float) and factor >= 0.0):
            raise _wrong(header, key, factor, "a number of at least 0")
    key = f"{header.architecture}.rope.scaling.type"
    kind = header.metadata.get(key, "none")
    if kind not in _ROPE_SCALING:
        raise _wrong(header, key, kind, " or ".join(_ROPE_SCALING))


def _check_experts(header: Header) -> None:
    experts = _integer(header, "expert_count", 0, MAX_EXPERTS) or 0
    if header.architecture.startswith("hunyuan") and experts == 1:
        return  # llama.cpp reads one expert as none there
    lowest = 1 if experts else 0
    used = _integers(header, "expert_used_count", lowest, experts)
    if experts and not any(used):
        raise damaged(header.path, f"{header.architecture}.expert_used_count is missing")
    groups = _integer(header, "expert_group_count", 0, max(experts - 1, 0)) or 0
    if groups > 1:
        if experts % groups:
            name = f"{header.architecture}.expert_group_count"
            raise _wrong(header, name, groups, f"a divisor of the expert count {experts}")
        _required(header, "expert_group_used_count", 1, groups - 1)


def _check_output(header: Header) -> None:
    causal = header.metadata.get(f"{header.architecture}.attention.causal", True)
    pooling = _integer(header, "pooling_type", -1, 64) or 0
    names = {tensor.name for tensor in header.tensors}
    ranks = pooling == 4
    if causal is False or ranks or (pooling > 0 and "output.weight" not in names):
        what = "is an embedding model, which compares texts but writes none"
        raise _unsupported(header, what, _ANOTHER)


def _check_vocabulary(header: Header) -> None:
    words, model = header.vocabulary, _text(header, "tokenizer.ggml.model")
    if model in ("", "none", "no_vocab") or words is None:
        raise _unsupported(header, "has no vocabulary", "choose a file that carries its own")
    if words.count < 1:
        raise _wrong(header, "tokenizer.ggml.tokens", "empty", "a list of tokens")
    if words.repeated is not None:
        what = f"the token {printable(words.repeated)!r} stands in its vocabulary twice"
        raise damaged(header.path, what)
    _check_tokenizer(header, model)
    _check_bytes(header, model, words.missing_bytes)
    for field in ("scores", "token_type"):
        _check_parallel(header, f"tokenizer.ggml.{field}", words.count)
    _check_embedding(header, words.count)


def _check_tokenizer(header: Header, model: str) -> None:
    # Over another vocabulary the first one aborts and the second never comes back.
    recurrent = header.architecture.startswith(("rwkv", "arwkv"))
    if model == "bert" or (model == "rwkv" and not recurrent):
        what = f"tokenizer.ggml.model is {model}, which does not go with {header.architecture}"
        raise damaged(header.path, what)


def _check_bytes(header: Header, model: str, missing: int) -> None:
    # These tokenizers look a byte token up without asking whether it is there, and die of it.
    if model in ("llama", "plamo2") and missing:
        what = f"its vocabulary has no token for {missing} of the bytes that texts consist of"
        raise damaged(header.path, what)


def _check_parallel(header: Header, key: str, count: int) -> None:
    value = header.metadata.get(key)
    if value is not None and not (isinstance(value, Array) and value.count >= count):
        raise _wrong(header, key, value, f"one number for each of the {count} tokens")


def _check_embedding(header: Header, count: int) -> None:
    for tensor in header.tensors:
        if tensor.name == "token_embd.weight" and tensor.dims[1:2] != (count,):
            what = f"token_embd.weight is {_shape(tensor)}, but the vocabulary has {count} tokens"
            raise damaged(header.path, what)


def _check_template(header: Header) -> None:
    for key, value in header.metadata.items():
        if not key.startswith("tokenizer.chat_template"):
            continue
        if isinstance(value, Omitted) and value.length > MAX_TEMPLATE:
            what = f"{value.length} bytes long"
            raise _wrong(header, key, what, f"at most {MAX_TEMPLATE} bytes")


_RULES: tuple[Callable[[Header], None], ...] = (
    _check_kind,
    _check_parts,
    _check_layout,
    _check_types,
    _check_size,
    _check_heads,
    _check_floats,
    _check_rope,
    _check_experts,
    _check_output,
    _check_vocabulary,
    _check_template,
)
