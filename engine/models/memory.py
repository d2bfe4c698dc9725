"""Whether a model fits this computer's memory: an estimate from its header."""

from __future__ import annotations

import os

from engine.models.gguf import Facts
from engine.types.work import Notice

OVERHEAD = 300_000_000
"""Bytes besides weights and cache: buffers for computing, the program itself."""


def needed(facts: Facts, *, context: int) -> int:
    """Bytes that a model takes with a cache of `context` tokens."""
    return facts.size + 2 * facts.cache_per_token * context + OVERHEAD  # two bytes a number


def installed() -> int | None:
    """Bytes of memory in this computer; None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def shortage(facts: Facts, *, context: int) -> Notice | None:
    """A warning where the model needs more than there is; it is tried all the same."""
    need, have = needed(facts, context=context), installed()
    if have is None or need <= have:
        return None
    text = (
        f"This model needs about {need / 1e9:.1f} GB, and the computer has {have / 1e9:.1f} GB. "
        "It may be very slow, or the system may end it. A smaller model answers better here."
    )
    return Notice(code="memory_short", text=text)
