"""Models as Hugging Face keeps them, made of those in GGUF files."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader

from engine.models.weights import Weights
from engine.numerics import F32

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
HEADS = {"attn_q": 4, "attn_k": 2}
"""Of the tiny llama."""


def their_name(name: str) -> str:
    """blk.0.attn_q.weight → model.layers.0.self_attn.q_proj.weight."""
    match name.split("."):
        case ["blk", layer, part, end]:
            return f"model.layers.{layer}.{NAMES[part]}.{end}"
        case [part, end]:
            return f"{NAMES[part]}.{end}"
    raise AssertionError(name)


def their_rows(values: F32, *, heads: int) -> F32:
    """Row by row: of each head the even rows of a GGUF file first, then the odd ones."""
    size = len(values) // heads
    rows = []
    for head in range(heads):
        rows += [values[head * size + i] for i in range(0, size, 2)]
        rows += [values[head * size + i] for i in range(1, size, 2)]
    return np.stack(rows)


def their_weights(
    base: Weights,
    change: Mapping[str, F32] | None = None,
    *,
    heads: Mapping[str, int] = HEADS,
) -> dict[str, F32]:
    """The base, changed, under their names and in their order.

    heads  of the tensors whose rows are in another order there
    """
    found = {}
    for name in base.tensors:
        values = base.read(name)
        if change is not None and name in change:
            values = values + change[name]
        part = name.split(".")[-2]
        turned = their_rows(values, heads=heads[part]) if part in heads else values
        found[their_name(name)] = turned
    return found


def stored(values: F32, dtype: str) -> bytes:
    """BF16 by cutting, as there is no numpy type for it."""
    if dtype == "BF16":
        return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    return values.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def write_safetensors(path: Path, tensors: Mapping[str, F32], *, dtype: str = "F32") -> Path:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, values in tensors.items():
        added = stored(values, dtype)
        offsets = [len(data), len(data) + len(added)]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": offsets}
        data += added
    return write_raw(path, header, data)


def write_raw(path: Path, header: object, data: bytes) -> Path:
    """header: JSON of it, or the bytes that stand for it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def write_shards(folder: Path, tensors: Mapping[str, F32], *, count: int = 3) -> Path:
    """Returns the index."""
    weight_map: dict[str, str] = {}
    for number in range(count):
        name = f"model-{number + 1:05}-of-{count:05}.safetensors"
        part = dict(list(tensors.items())[number::count])
        write_safetensors(folder / name, part)
        weight_map |= dict.fromkeys(part, name)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    return index


def config() -> dict[str, Any]:
    """config.json of the tiny llama."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "vocab_size": 272,
        "torch_dtype": "bfloat16",
    }


def tokenizer(base: Weights) -> dict[str, Any]:
    """tokenizer.json of a base, with its control tokens as added ones."""
    fields = GGUFReader(base.path).fields
    tokens, kinds, merges = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type", "merges")
    )
    numbered = list(enumerate(tokens))
    return {
        "version": "1.0",
        "added_tokens": [{"id": n, "content": t} for n, t in numbered if kinds[n] == 3],
        "pre_tokenizer": {"type": "ByteLevel"},
        "model": {
            "type": "BPE",
            "vocab": {token: n for n, token in numbered if kinds[n] == 1},
            "merges": merges,
        },
    }


def write_model(
    folder: Path, base: Weights, change: Mapping[str, F32] | None = None, *, dtype: str = "F32"
) -> Path:
    """A folder with all that belongs to a fine-tuned model; returns it."""
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", their_weights(base, change), dtype=dtype)
    (folder / "config.json").write_text(json.dumps(config()))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(base)))
    return folder
