"""Streams: several token sequences in one KV cache, decoded together.

A stream is a prompt variant being continued with an answer. What is common to the prompts is
decoded once; what the cache still holds from the last turn is not decoded at all. Each step then
decodes one token of every live stream in a single batch.

Two sets of sequence ids take turns, so that a new turn copies what it can from the old one's
sequences before those are forgotten. A copy shares cells and costs no decoding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.errors import InternalError
from engine.inference.model import (
    MAX_STREAMS,
    SEQUENCE_IDS,
    CacheFull,
    Entry,
    Interrupted,
    LanguageModel,
)
from engine.numerics import F32


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Prompts understood.

    logits  float32, (streams, V): a row for each prompt; overwritten by the next step
    cached  tokens of the longest prompt that needed no decoding
    """

    logits: F32
    cached: int


def common_length(*sequences: Sequence[int]) -> int:
    """How many tokens the sequences share from their start."""
    shortest = min(sequences, key=len)
    first = sequences[0]
    for other in sequences[1:]:
        if list(other[: len(shortest)]) != list(first[: len(shortest)]):
            pairs = enumerate(zip(first, other, strict=False))
            differs = next(i for i, (a, b) in pairs if a != b)
            shortest = shortest[:differs]
    return len(shortest)


def cells_needed(prompts: Sequence[Sequence[int]], *, each: int) -> int:
    """Cells of the cache for distinct prompts plus `each` answer tokens per stream."""
    shared = common_length(*prompts)
    return shared + sum(len(p) - shared + each for p in prompts)


class Streams:
    """The only place that knows what the cache holds."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._held: dict[int, list[int]] = {}
        self._ids: list[int] = []
        self._branches: dict[int, list[int]] = {}

    def prepare(self, prompts: Sequence[Sequence[int]]) -> Prepared:
        """Bring one stream per prompt to its last token.

        prompts  at least one, none empty, at most MAX_STREAMS and what fits one batch

        Raises Interrupted or CacheFull; the cache is then still consistent.
        """
        most = min(MAX_STREAMS, self._model.shape.batch)
        if not 1 <= len(prompts) <= most or not all(prompts):
            raise InternalError(f"{len(prompts)} prompts, some perhaps empty, cannot be prepared.")
        self._branches = {}  # what is left of them is held like any old sequence
        try:
            cached = self._reuse(prompts)
            self._share(prompts)
            logits = self._finish(prompts)
        except (Interrupted, CacheFull):
            self._restore()
            raise
        return Prepared(logits=logits, cached=cached)

    def step(self, tokens: dict[int, int]) -> F32:
        """Decode one token for each live stream, keyed by its place among the prompts.

        returns  float32, (len(tokens), V), rows in the order of `tokens`
        """
        entries = []
        for stream, token in tokens.items():
            sequence = self._ids[stream]
            entries.append(Entry(token, len(self._held[sequence]), sequence, True))
        try:
            rows = self._model.decode(entries)
        except Interrupted:
            self._restore()
            raise
        for entry in entries:
            self._held[entry.sequence].append(entry.token)
        return rows

    def follow(self, stream: int, tokens: Sequence[int]) -> Iterator[F32]:
        """Decode tokens onto a stream; yields logits in pieces, a row for each of the tokens.

        The row of a token tells what comes after it. Raises Interrupted or CacheFull.
        """
        sequence = self._ids[stream]
        for start in range(0, len(tokens), SEQUENCE_IDS):
            piece = tokens[start : start + SEQUENCE_IDS]
            first = len(self._held[sequence])
            entries = [Entry(t, first + i, sequence, True) for i, t in enumerate(piece)]
            try:
                yield self._decode_batch(entries)
            except Interrupted:
                self._restore()
                raise

    def fork(self, stream: int) -> int:
        """A new stream that continues where `stream` stands; returns its place."""
        if len(self._ids) >= MAX_STREAMS:
            raise InternalError(f"{MAX_STREAMS} streams are the most.")
        self._ids.append(self._twin(self._ids[stream]))
        return len(self._ids) - 1

    def room(self, streams: int) -> int:
        """Branches that so many streams can have together."""
        free = SEQUENCE_IDS - len(self._held)
        return min(free + streams, SEQUENCE_IDS, self._model.shape.batch)

    def branch(self, tokens: Mapping[int, Sequence[int]]) -> F32:
        """Decode several tokens after each stream, every one as if it alone came next, in one
        batch; `keep` then says which of them do. Costs no decoding beyond these tokens.

        tokens   for each stream, at least one; `room` in all at most
        returns  float32, (tokens, V): rows stream by stream, in the order of `tokens`

        Raises Interrupted or CacheFull; all streams are then where they were.
        """
        count = sum(map(len, tokens.values()))
        if self._branches or not all(tokens.values()) or count > self.room(len(tokens)):
            raise InternalError(f"{count} branches of {len(tokens)} streams cannot be made.")
        entries = [e for stream in tokens for e in self._fork_all(stream, tokens[stream])]
        try:
            return self._decode_batch(entries)
        except (Interrupted, CacheFull):
            self._fell()
            raise

    def keep(self, chosen: Mapping[int, int]) -> None:
        """Let each stream go on as its branch of that number, and forget the other branches.

        A stream that is not named goes back to where it stood before `branch`.
        """
        for stream, branches in self._branches.items():
            if stream in chosen:
                self._ids[stream] = branches[chosen[stream]]
            else:
                held = self._held[self._ids[stream]]
                held.pop()
                self._model.truncate(self._ids[stream], length=len(held))
            for sequence in branches:
                if sequence != self._ids[stream]:
                    self._drop(sequence)
        self._branches = {}

    @property
    def live(self) -> int:
        """Streams that can be stepped; 0 where an interruption emptied the cache."""
        return len(self._ids)

    def length(self, stream: int) -> int:
        """Tokens that the stream holds."""
        return len(self._held[self._ids[stream]])

    def forget(self) -> None:
        """Start with an empty cache."""
        self._model.forget()
        self._held, self._ids, self._branches = {}, [], {}

    # ----------------------------------------------------------------------------------------

    def _reuse(self, prompts: Sequence[Sequence[int]]) -> int:
        """Give every prompt a sequence with the longest prefix that the cache holds of it."""
        if not self._model.shape.shares:
            self.forget()
        old = self._held
        new_ids = self._free_ids(old)[: len(prompts)]
        new: dict[int, list[int]] = {}
        for sequence, prompt in zip(new_ids, prompts, strict=True):
            source, length = self._closest(old, prompt)
            if length:
                self._copy(source, sequence, length=length)
            new[sequence] = list(prompt[:length])
        for sequence in old:
            self._model.truncate(sequence, length=0)
        self._held, self._ids = new, new_ids
        longest = max(range(len(prompts)), key=lambda i: len(prompts[i]))
        return len(new[new_ids[longest]])

    def _share(self, prompts: Sequence[Sequence[int]]) -> None:
        """Decode what all prompts have in common once, then let every sequence share it."""
        if len(prompts) == 1 or not self._model.shape.shares:
            return
        # One token is left for each stream's own last batch, which is where its logits come from.
        shared = min(common_length(*prompts), min(map(len, prompts)) - 1)
        lead = max(self._ids, key=lambda s: len(self._held[s]))
        if len(self._held[lead]) < shared:
            self._decode(self._entries(lead, prompts[0][:shared]))
        for sequence in self._ids:
            if len(self._held[sequence]) < shared:
                self._model.truncate(sequence, length=0)
                self._copy(lead, sequence, length=shared)
                self._held[sequence] = list(prompts[0][:shared])

    def _finish(self, prompts: Sequence[Sequence[int]]) -> F32:
        """Decode the rest of every prompt; the last batch ends with all the last tokens."""
        inner: list[Entry] = []
        last: list[Entry] = []
        for sequence, prompt in zip(self._ids, prompts, strict=True):
            entries = self._entries(sequence, prompt)
            inner += entries[:-1]
            last.append(entries[-1]._replace(output=True))
        return self._decode(inner + last)

    def _entries(self, sequence: int, tokens: Sequence[int]) -> list[Entry]:
        start = len(self._held[sequence])
        new = enumerate(tokens[start:], start)
        return [Entry(token, position, sequence, False) for position, token in new]

    def _decode(self, entries: list[Entry]) -> F32:
        """Decode in batches aligned to the end, so that all wanted logits are in the last one."""
        size = self._model.shape.batch
        first = len(entries) % size or size
        rows = self._decode_batch(entries[:first])
        for start in range(first, len(entries), size):
            rows = self._decode_batch(entries[start : start + size])
        return rows

    def _decode_batch(self, entries: list[Entry]) -> F32:
        rows = self._model.decode(entries)
        for entry in entries:
            self._held[entry.sequence].append(entry.token)
        return rows

    def _restore(self) -> None:
        """After an interruption: take back what the cache holds of an unfinished batch."""
        kept = [self._model.truncate(s, length=len(t)) for s, t in self._held.items()]
        if not all(kept):
            self.forget()

    def _fork_all(self, stream: int, tokens: Sequence[int]) -> list[Entry]:
        """A sequence for each of the tokens; the last one takes the stream's own."""
        own = self._ids[stream]
        held = self._held[own]
        branches = [*(self._twin(own) for _ in tokens[1:]), own]
        self._branches[stream] = branches
        return [Entry(t, len(held), s, True) for t, s in zip(tokens, branches, strict=True)]

    def _twin(self, sequence: int) -> int:
        """A new sequence that holds the same."""
        twin, held = self._free_ids(self._held)[0], self._held[sequence]
        self._copy(sequence, twin, length=len(held))
        self._held[twin] = list(held)
        return twin

    def _fell(self) -> None:
        """After a batch of branches that failed: forget them, and what it left in the streams."""
        for stream, branches in self._branches.items():
            for sequence in branches:
                if sequence != self._ids[stream]:
                    self._drop(sequence)
        self._branches = {}
        self._restore()

    def _drop(self, sequence: int) -> None:
        self._model.truncate(sequence, length=0)
        del self._held[sequence]

    def _closest(self, held: dict[int, list[int]], prompt: Sequence[int]) -> tuple[int, int]:
        """The held sequence sharing most with a prompt, and how much; its last token never counts,
        since its logits have to be computed anew."""
        best, longest = -1, 0
        for sequence, tokens in held.items():
            length = min(common_length(tokens, prompt) if tokens else 0, len(prompt) - 1)
            if length > longest:
                best, longest = sequence, length
        return best, longest

    def _copy(self, source: int, target: int, *, length: int) -> None:
        self._model.copy(source, target, length=length)

    def _free_ids(self, used: dict[int, list[int]]) -> list[int]:
        return [i for i in range(SEQUENCE_IDS) if i not in used]
