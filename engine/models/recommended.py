"""The models that Attune offers to get: few, measured with it, and pinned to the byte.

They are files as their publisher keeps them on the hub. The hash protects the owner: what has
another one never becomes a model, whatever revision or server it came from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file on the hub.

    size             bytes
    cache_per_token  numbers in the KV cache per token, over all layers
    """

    id: str
    name: str
    licence: str
    repository: str
    revision: str
    file: str
    sha256: str
    size: int
    cache_per_token: int


OFFERS = (
    Offer(
        id="qwen2.5-coder-0.5b-instruct",
        name="Qwen2.5 Coder 0.5B Instruct",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="ebb2015119c907b064c512bf053e945850b5875f",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        cache_per_token=24 * 2 * (64 + 64),
    ),
    Offer(
        id="qwen2.5-coder-1.5b-instruct",
        name="Qwen2.5 Coder 1.5B Instruct",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        cache_per_token=28 * 2 * (128 + 128),
    ),
)
"""The smallest first. 24 and 28 layers with two key heads each, of 64 and 128 numbers."""
