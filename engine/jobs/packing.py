"""Which questions are answered together: as many as the streams and the cache have room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.inference.model import MAX_STREAMS
from engine.inference.variants import plan
from engine.jobs.protocol import Asked

TEMPLATE_TOKENS = 48
"""What a chat template adds to a chat with one question, at most: some add a sentence or two."""

BYTES_PER_TOKEN = 3
"""Text in European languages has three to five bytes to a token. Where it has fewer, and the cache
is tight, an answer may end early."""

Batch = tuple["Sized", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A question and what it takes.

    streams  that are decoded for it
    prompt   tokens of its longest prompt variant, guessed, rather too many
    """

    asked: Asked
    streams: int
    prompt: int

    @property
    def longest(self) -> int:
        """Tokens of the longest answer that it may get."""
        return self.asked.question.sampling.max_tokens


def sized(asked: Asked) -> Sized:
    """What a question takes. Raises InputError where it cannot be asked."""
    chats = plan(asked.question).chats
    length = max(sum(len(message.text.encode()) for message in chat) for chat in chats)
    prompt = length // BYTES_PER_TOKEN + TEMPLATE_TOKENS
    return Sized(asked=asked, streams=len(chats), prompt=prompt)


def packed(questions: Iterable[Sized], *, cells: int) -> list[Batch]:
    """Batches of questions that take equally many streams, in their order otherwise.

    cells  tokens that the cache holds; nobody's answer is cut short for want of room that a
           neighbour takes

    A question that is too large even alone gets a batch of its own.
    """
    batches: list[list[Sized]] = []
    # The sort is stable, and a batch that is open belongs to the questions before.
    for question in sorted(questions, key=lambda question: question.streams):
        if batches and _fit((*batches[-1], question), cells=cells):
            batches[-1].append(question)
        else:
            batches.append([question])
    return [tuple(batch) for batch in batches]


def _fit(batch: Sequence[Sized], *, cells: int) -> bool:
    """Whether these can be answered together; every one gets an equal part of the cache."""
    first, last = batch[0], batch[-1]
    streams = len(batch) * first.streams
    each = max(q.prompt for q in batch) + max(q.longest for q in batch)
    return first.streams == last.streams and streams <= MAX_STREAMS and streams * each <= cells
