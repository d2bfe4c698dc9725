"""What the decoding code asks of a language model: tokens in, rows of logits out.

`engine.inference.llama` answers with llama.cpp, the tests with a model of a few lines; the same
contract suite runs on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from engine.numerics import F32

MAX_STREAMS = 16
"""Sequences decoded at once; twice as many ids exist so that a new turn can copy from the old."""

SEQUENCE_IDS = 2 * MAX_STREAMS


class Entry(NamedTuple):
    """One token to decode: its position in one sequence, and whether its logits are wanted."""

    token: int
    position: int
    sequence: int
    output: bool


class Interrupted(Exception):
    """Decoding was stopped from outside; the cache holds an unknown part of the batch."""


class CacheFull(Exception):
    """The KV cache has no room for the batch; it is as it was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes that never change while a model is loaded.

    cells    tokens that the KV cache holds, all sequences together
    trained  longest sequence the model was trained for
    batch    most entries in one call of `decode`
    shares   whether a prefix of one sequence can be copied to another (not for recurrent models)
    width    d, numbers in a hidden state
    """

    vocabulary: int
    cells: int
    trained: int
    batch: int
    shares: bool
    width: int = 0


class LanguageModel(Protocol):
    """A loaded model with one KV cache, used from one thread."""

    @property
    def shape(self) -> Shape: ...

    @property
    def template(self) -> str:
        """The chat template that came with the model, or ""."""
        ...

    @property
    def marks(self) -> tuple[str, str]:
        """Text of the begin and end tokens, for the chat template; "" where there is none."""
        ...

    def tokenize(self, text: str, *, special: bool, begin: bool = False) -> list[int]:
        """Tokens of text; `special` reads written-out control tokens, `begin` adds the first."""
        ...

    def piece(self, token: int) -> bytes:
        """UTF-8 bytes of a token, perhaps a part of a character; b"" for a control token."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the token ends a turn."""
        ...

    def is_control(self, token: int) -> bool:
        """Whether the token is a control token, never text."""
        ...

    def control_text(self, token: int) -> str:
        """A control token written out ("<|im_end|>")."""
        ...

    def decode(self, entries: Sequence[Entry]) -> F32:
        """Decode entries, at most `shape.batch`, in one batch.

        returns  float32, (outputs, V), read-only view in the order of the entries that want
                 logits; it is overwritten by the next call
        Raises Interrupted or CacheFull.
        """
        ...

    def keep_hidden(self, on: bool) -> None:
        """Whether `decode` also keeps the last hidden states, of batches in which every entry wants
        its logits; off at first."""
        ...

    @property
    def hidden(self) -> F32:
        """float32, (outputs, d), read-only view: the last hidden states, after the final norm, that
        the last `decode`'s logits were computed from; it is overwritten by the next call."""
        ...

    @property
    def longest_hidden(self) -> float:
        """No hidden state is a longer vector than this; inf where that is not known."""
        ...

    def copy(self, source: int, target: int, *, length: int) -> None:
        """Let `target` share the first `length` tokens of `source`. Costs no decoding."""
        ...

    def truncate(self, sequence: int, *, length: int) -> bool:
        """Forget all but the first `length` tokens; False where the model cannot."""
        ...

    def forget(self) -> None:
        """Empty the cache."""
        ...

    def close(self) -> None:
        """Free everything. Safe to call twice."""
        ...
