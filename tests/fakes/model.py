"""A language model of a few lines that believes nothing: every mistake in bookkeeping shows.

It keeps a true record of what each sequence of the cache holds and computes logits from exactly
that, so that a token at the wrong place, a forgotten copy or a row of the wrong stream changes the
answer. Tokens 0 to 255 are bytes, the rest are control tokens. Where texts are given, it answers
with these, one after another, instead of at random.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from engine.inference.model import SEQUENCE_IDS, CacheFull, Entry, Interrupted, Shape
from engine.numerics import F32

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BEGIN, TURN, END = range(256, 256 + len(CONTROLS))
VOCABULARY = 256 + len(CONTROLS)
LETTERS = b"abcdefghijklmnopqrstuvwxyz "
UNLIKELY = -8.0
WIDTH = 6
"""Numbers in a hidden state."""
LONGEST = 8.0
"""A hidden state is no longer than this."""


class Cell(NamedTuple):
    """One place of the cache; sequences that share a prefix share its cells."""

    number: int
    token: int


class FakeModel:
    """A `HostedModel`. Wrong use fails an assertion.

    answers  texts to answer with, one per question; without any, they follow from the history
    header   what stands at the end of a prompt, where an answer begins
    shares   False behaves like a recurrent model, whose states cannot be cut
    before   called with every batch before it is decoded; may call `interrupt`
    """

    def __init__(
        self,
        *,
        answers: Iterable[str | bytes] = (),
        header: str = "<|im_start|>assistant\n",
        template: str = CHATML,
        cells: int = 2048,
        trained: int = 4096,
        batch: int = 32,
        shares: bool = True,
        before: Callable[[Sequence[Entry]], None] | None = None,
    ) -> None:
        self._shape = Shape(
            vocabulary=VOCABULARY,
            cells=cells,
            trained=trained,
            batch=batch,
            shares=shares,
            width=WIDTH,
        )
        self.keeps_hidden = False
        self._last: list[tuple[int, ...]] = []
        self.template = template
        self.before = before
        self.batches: list[tuple[Entry, ...]] = []
        self.threads: list[int] = []
        self.closed = False
        self._answers = deque(a.encode() if isinstance(a, str) else a for a in answers)
        self._scripted = bool(self._answers)
        self._header = self.tokenize(header, special=True)
        self._given: dict[tuple[int, ...], bytes] = {}
        self._cells: dict[int, list[Cell]] = {}
        self._next_cell = 0
        self._interrupted = False
        self._rows = np.empty((SEQUENCE_IDS, VOCABULARY), np.float32)

    # What a test may ask --------------------------------------------------------------------

    @property
    def decoded(self) -> int:
        """Tokens decoded so far, all sequences together."""
        return sum(map(len, self.batches))

    @property
    def used(self) -> int:
        """Cells in use; shared ones count once."""
        return len({cell.number for cells in self._cells.values() for cell in cells})

    def held(self, sequence: int) -> list[int]:
        """Tokens of a sequence."""
        return [cell.token for cell in self._cells.get(sequence, [])]

    # LanguageModel --------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        return self._shape

    @property
    def marks(self) -> tuple[str, str]:
        return CONTROLS[0], CONTROLS[2]

    def tokenize(self, text: str, *, special: bool, begin: bool = False) -> list[int]:
        tokens: list[int] = []
        while text:
            control = next((c for c in CONTROLS if special and text.startswith(c)), "")
            if control:
                tokens.append(256 + CONTROLS.index(control))
            else:
                tokens += text[0].encode()
            text = text[len(control) or 1 :]
        return tokens

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def is_end(self, token: int) -> bool:
        return token in {BEGIN, END}

    def is_control(self, token: int) -> bool:
        return token >= 256

    def control_text(self, token: int) -> str:
        return CONTROLS[token - 256]

    def decode(self, entries: Sequence[Entry]) -> F32:
        assert not self.closed, "decoded after close"
        assert entries, "decoded nothing"
        assert len(entries) <= self._shape.batch, f"{len(entries)} entries in one batch"
        assert sum(entry.output for entry in entries) <= SEQUENCE_IDS
        if self.before is not None:
            self.before(entries)
        if self.used + len(entries) > self._shape.cells:
            raise CacheFull
        if self._interrupted:
            # What the cache then holds of the batch is unknown; half of it is a nasty guess.
            self._append(entries[: len(entries) // 2])
            raise Interrupted
        wanted = self._append(entries)
        self.batches.append(tuple(entries))
        self._last = wanted if len(wanted) == len(entries) else []
        self._give(wanted)
        for i, history in enumerate(wanted):
            self._rows[i] = self._logits(history)
        rows = self._rows[: len(wanted)]
        rows.flags.writeable = False
        return rows

    def keep_hidden(self, on: bool) -> None:
        self.keeps_hidden = on

    @property
    def hidden(self) -> F32:
        assert self.keeps_hidden, "hidden states were not kept"
        assert self._last, "some entries of the batch did not want their logits"
        return np.stack([hidden_state(history) for history in self._last])

    @property
    def longest_hidden(self) -> float:
        return LONGEST

    def copy(self, source: int, target: int, *, length: int) -> None:
        assert not self.held(target), f"copied over what sequence {target} holds"
        assert 0 <= target < SEQUENCE_IDS
        held = self._cells.get(source, [])
        assert length <= len(held), f"copied {length} of {len(held)} tokens"
        assert self._shape.shares or length == len(held), "cut a state that cannot be cut"
        self._cells[target] = held[:length]

    def truncate(self, sequence: int, *, length: int) -> bool:
        held = self._cells.get(sequence, [])
        if not self._shape.shares and 0 < length < len(held):
            return False
        self._cells[sequence] = held[:length]
        return True

    def forget(self) -> None:
        self._cells.clear()

    def close(self) -> None:
        self.closed = True

    # HostedModel ----------------------------------------------------------------------------

    def interrupt(self) -> None:
        self._interrupted = True

    def resume(self) -> None:
        self._interrupted = False

    def use_threads(self, count: int) -> None:
        self.threads.append(count)

    # ----------------------------------------------------------------------------------------

    def _append(self, entries: Sequence[Entry]) -> list[tuple[int, ...]]:
        """Store the entries; returns the history of each that wants logits."""
        histories = []
        for token, position, sequence, output in entries:
            assert 0 <= token < VOCABULARY, f"token {token} is not in the vocabulary"
            assert 0 <= sequence < SEQUENCE_IDS, f"sequence {sequence} does not exist"
            cells = self._cells.setdefault(sequence, [])
            assert position == len(cells), f"position {position} after {len(cells)} tokens"
            cells.append(Cell(self._next_cell, token))
            self._next_cell += 1
            if output:
                histories.append(tuple(cell.token for cell in cells))
        return histories

    def _logits(self, history: tuple[int, ...]) -> F32:
        start = self._answer_start(history)
        if not self._scripted or not start:
            return made_up(history)
        answer, so_far = self._given[history[:start]], bytes(history[start:])
        assert answer.startswith(so_far), f"{so_far!r} was drawn, {answer!r} was on offer"
        return certain(answer[len(so_far)] if len(so_far) < len(answer) else END)

    def _give(self, histories: Sequence[tuple[int, ...]]) -> None:
        """The next text for prompts whose answer begins; the variants of one prompt share it."""
        fresh = [h for h in histories if self._answer_start(h) == len(h)]
        if self._scripted and fresh:
            assert self._answers, "asked more often than there are answers"
            self._given |= dict.fromkeys(fresh, self._answers.popleft())

    def _answer_start(self, history: tuple[int, ...]) -> int:
        """Where the answer begins, right after the last header; 0 where there is no header."""
        header = tuple(self._header)
        for start in range(len(history), len(header) - 1, -1):
            if history[start - len(header) : start] == header:
                return start
        return 0


def certain(token: int) -> F32:
    """Logits that leave no choice."""
    row = np.full(VOCABULARY, -30.0, np.float32)
    row[token] = 30.0
    return row


def hidden_state(history: Sequence[int]) -> F32:
    """Some of the logits, shortened where they are too long: float32, (WIDTH,)."""
    state = made_up(history)[LETTERS[0] :][:WIDTH]
    state *= np.float32(min(1.0, 0.999 * LONGEST / float(np.linalg.norm(state))))
    return state


def made_up(history: Sequence[int]) -> F32:
    """Logits that depend on every token of the history and their order. Letters are likely, and
    the answer never ends by itself."""
    data = np.asarray(history, np.int32).tobytes()
    seed = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
    row = np.random.default_rng(seed).standard_normal(VOCABULARY, dtype=np.float32)
    row *= np.float32(2.0)
    row[:256] += np.float32(UNLIKELY)
    row[list(LETTERS)] -= np.float32(UNLIKELY)
    row[256:] = -30.0
    return row
