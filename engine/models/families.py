"""Which GGUF files hold something other than a model that writes text word by word."""

from __future__ import annotations

KINDS = {
    "adapter": "an adapter for another model",
    "mmproj": "the part of a model that sees pictures",
    "imatrix": "a table made for quantizing a model",
    "vocab": "a vocabulary without a model",
}
"""Values of general.type."""

NOT_WRITERS = {
    "clip": "the part of a model that sees pictures",
    "controlvector": "a control vector for another model",
    "imatrix": "a table made for quantizing a model",
    "wavtokenizer-dec": "a model for sound",
    "qwen3tts": "a model for sound",
    "pockettts": "a model for sound",
    "eagle3": "a draft model that only helps another one",
    "dflash": "a draft model that only helps another one",
    "gemma4-assistant": "a draft model that only helps another one",
    "t5": "an encoder-decoder model, and only decoders are run",
    "dream": "a diffusion model, and only models that write word by word are run",
    "llada": "a diffusion model, and only models that write word by word are run",
    "llada-moe": "a diffusion model, and only models that write word by word are run",
    "rnd1": "a diffusion model, and only models that write word by word are run",
} | dict.fromkeys(
    (
        "bert",
        "modern-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "neo-bert",
        "jina-bert-v2",
        "jina-bert-v3",
        "eurobert",
        "gemma-embedding",
        "llama-embed",
        "t5encoder",
    ),
    "an embedding model, which compares texts but writes none",
)
"""Values of general.architecture."""
