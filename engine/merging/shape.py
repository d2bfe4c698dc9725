"""Which models have a reverse pass here, and what shape they are of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import UnsupportedModel

EMBEDDING = "token_embd.weight"
LAST_NORM = "output_norm.weight"
HEAD = "output.weight"
"""Left out of a file where the embedding serves as head, too (tied)."""

ATTENTION = ("attn_q", "attn_k", "attn_v", "attn_output")
FEED_FORWARD = ("ffn_gate", "ffn_up", "ffn_down")
NORMS = ("attn_norm", "ffn_norm")

_UNDERSTOOD = frozenset(
    {
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.layer_norm_rms_epsilon",
        "attention.value_length",
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "rope.dimension_count",
        "rope.freq_base",
        "tensor_data_layout",
        "vocab_size",
    }
)
_HARMLESS: Mapping[str, object] = {
    "attention.causal": True,
    "expert_count": 0,
    "expert_used_count": 0,
    "rope.scale_linear": 1.0,
    "rope.scaling.factor": 1.0,
    "rope.scaling.type": "none",
}
"""Fields that change the computation, with the value that leaves it as it is."""


def block_tensor(layer: int, part: str) -> str:
    """The name of a tensor of a block: "blk.0.attn_q.weight"."""
    return f"blk.{layer}.{part}.weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes and constants of a llama-type transformer.

    layers    blocks
    width     d, numbers per token between blocks
    heads     H query heads
    kv_heads  K key and value heads, of which H is a multiple
    head_dim  D, even
    ff        inner width of the feed-forward part
    vocab     V
    base      of the rotary positions
    epsilon   of the norms
    tied      whether the embedding is the head, too
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    ff: int
    vocab: int
    base: float = 10_000.0
    epsilon: float = 1e-5
    tied: bool = True

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all tensors, matrices as (out, in)."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        parts: dict[str, tuple[int, ...]] = {
            "attn_norm": (self.width,),
            "attn_q": (queries, self.width),
            "attn_k": (keys, self.width),
            "attn_v": (keys, self.width),
            "attn_output": (self.width, queries),
            "ffn_norm": (self.width,),
            "ffn_gate": (self.ff, self.width),
            "ffn_up": (self.ff, self.width),
            "ffn_down": (self.width, self.ff),
        }
        found: dict[str, tuple[int, ...]] = {EMBEDDING: (self.vocab, self.width)}
        for layer in range(self.layers):
            found |= {block_tensor(layer, part): size for part, size in parts.items()}
        found[LAST_NORM] = (self.width,)
        if not self.tied:
            found[HEAD] = (self.vocab, self.width)
        return found

    def matrices(self, parts: Collection[str] = (*ATTENTION, *FEED_FORWARD)) -> tuple[str, ...]:
        """Names of those matrices of all blocks, block by block."""
        return tuple(block_tensor(i, part) for i in range(self.layers) for part in parts)


def check_supported(metadata: Mapping[str, object], tensor_names: Collection[str]) -> None:
    """Refuse models that compute anything else than `engine.merging.transformer` does.

    metadata      fields of the GGUF file, by their full names
    tensor_names  of all tensors in it

    Raises UnsupportedModel, naming the field or tensor: biases, norms of queries and keys, experts,
    scaled positions, other architectures, and what is not known at all. The last because a field
    that is passed over would make gradients of another model.
    """
    architecture = metadata.get("general.architecture")
    if architecture != "llama":
        raise _unsupported("general.architecture", architecture, "llama")
    for name, value in metadata.items():
        if name.startswith("llama."):
            _check_field(name, value)
    _check_heads(metadata)
    _check_tensors(metadata, tensor_names)


def shape_of(metadata: Mapping[str, object], sizes: Mapping[str, tuple[int, ...]]) -> Shape:
    """The shape of a supported model; raises UnsupportedModel as `check_supported` does, too.

    metadata  fields of the GGUF file
    sizes     shapes of its tensors by name, matrices as (out, in)
    """
    check_supported(metadata, sizes)
    heads = _count(metadata, "llama.attention.head_count")
    width = _count(metadata, "llama.embedding_length")
    shape = Shape(
        layers=_count(metadata, "llama.block_count"),
        width=width,
        heads=heads,
        kv_heads=_count(metadata, "llama.attention.head_count_kv", default=heads),
        head_dim=_count(metadata, "llama.attention.key_length", default=width // heads),
        ff=_count(metadata, "llama.feed_forward_length"),
        vocab=sizes[EMBEDDING][0],
        base=_number(metadata, "llama.rope.freq_base", default=10_000.0),
        epsilon=_number(metadata, "llama.attention.layer_norm_rms_epsilon"),
        tied=HEAD not in sizes,
    )
    for name, size in shape.tensors().items():
        if tuple(sizes[name]) != size:
            raise _unsupported(f"the shape of {name}", tuple(sizes[name]), size)
    return shape


def _check_field(name: str, value: object) -> None:
    field = name.removeprefix("llama.")
    if field in _UNDERSTOOD:
        return
    if field not in _HARMLESS:
        raise UnsupportedModel(
            f"The model cannot be merged or trained: its field {name} ({value!r}) is not known "
            "here. Choose a plain llama model."
        )
    if value != _HARMLESS[field]:
        raise _unsupported(name, value, _HARMLESS[field])


def _check_heads(metadata: Mapping[str, object]) -> None:
    heads = _count(metadata, "llama.attention.head_count")
    keys = _count(metadata, "llama.attention.head_count_kv", default=heads)
    if heads % keys:
        raise _unsupported("llama.attention.head_count", heads, f"a multiple of {keys}")
    width = _count(metadata, "llama.embedding_length")
    size = _count(metadata, "llama.attention.key_length", default=width // heads)
    for field in ("attention.value_length", "rope.dimension_count"):
        if _count(metadata, f"llama.{field}", default=size) != size:
            raise _unsupported(f"llama.{field}", metadata[f"llama.{field}"], size)
    if size % 2:
        raise _unsupported("the size of a head", size, "even")


def _check_tensors(metadata: Mapping[str, object], tensor_names: Collection[str]) -> None:
    layers = _count(metadata, "llama.block_count")
    parts = (*NORMS, *ATTENTION, *FEED_FORWARD)
    needed = {block_tensor(layer, part) for layer in range(layers) for part in parts}
    needed |= {EMBEDDING, LAST_NORM}
    for name in sorted(set(tensor_names) - needed - {HEAD}):
        raise UnsupportedModel(
            f"The model cannot be merged or trained: its tensor {name} is not part of a plain "
            "llama model. Choose one without it."
        )
    for name in sorted(needed - set(tensor_names)):
        raise UnsupportedModel(
            f"The model cannot be merged or trained: its tensor {name} is missing. "
            "Choose a complete llama model."
        )


def _count(metadata: Mapping[str, object], name: str, *, default: int | None = None) -> int:
    value = metadata.get(name, default)
    if not isinstance(value, int | np.integer) or value < 1:
        raise _unsupported(name, value, "a whole number above 0")
    return int(value)


def _number(metadata: Mapping[str, object], name: str, *, default: float | None = None) -> float:
    value = metadata.get(name, default)
    if not isinstance(value, float | int | np.floating | np.integer) or not 0 < value < np.inf:
        raise _unsupported(name, value, "a number above 0")
    return float(value)


def _unsupported(what: str, value: object, allowed: object) -> UnsupportedModel:
    return UnsupportedModel(
        f"The model cannot be merged or trained: {what} is {value!r}, but must be {allowed}."
    )
