"""What texts are worth to every stream: utilities of answers that exist already.

Each text is decoded under each prompt variant, many tokens in a batch, which is faster than writing
it was. The app does without: a duel's own streams tell enough, and this is what more would cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.inference.model import CacheFull, Interrupted, LanguageModel
from engine.inference.prompts import fit
from engine.inference.streams import Streams
from engine.inference.templates import ChatFormat
from engine.inference.variants import plan
from engine.numerics import log_sum_exp
from engine.types.answers import Question

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A text's worth.

    utilities  φ in nats of each pull: Σ over the text's tokens of L_j − Lb
    surprise   mean −log p of its tokens under the base stream, nats
    tokens     how many of its tokens had room
    """

    utilities: tuple[float, ...]
    surprise: float
    tokens: int


def score(
    question: Question,
    *,
    texts: Sequence[str],
    model: LanguageModel,
    streams: Streams,
    form: ChatFormat,
    stopped: Callable[[], bool],
) -> tuple[Score, ...]:
    """Utilities of the pulls of `question.steering` for each text. Raises Interrupted, InputError.

    One variant is held in the cache at a time, so that long answers fit.
    """
    chats = plan(question).chats
    pulls = len(question.steering.pulls)
    variants = (chats[0], *chats[len(chats) - pulls :])
    tokens = [model.tokenize(text, special=False) for text in texts]
    longest = max(map(len, tokens), default=0)
    fitted = fit(variants, model=model, form=form, max_tokens=longest)
    found = np.zeros((len(texts), len(variants)))
    counts = np.zeros(len(texts), dtype=int)
    scratch = np.empty(model.shape.vocabulary, np.float32)
    for column, prompt in enumerate(fitted.prompts):
        for row, answer in enumerate(tokens):
            if stopped():
                raise Interrupted
            total, counts[row] = _log_prob(prompt, answer, streams=streams, scratch=scratch)
            found[row, column] = total
    return tuple(_score(row, int(count)) for row, count in zip(found, counts, strict=True))


def _log_prob(
    prompt: Sequence[int],
    answer: Sequence[int],
    *,
    streams: Streams,
    scratch: npt.NDArray[np.float32],
) -> tuple[float, int]:
    """Sum of the log-probs of an answer's tokens after a prompt, and how many had room."""
    rows = streams.prepare([prompt]).logits
    total, place = 0.0, 0
    try:
        if answer:
            total += float(rows[0, answer[0]]) - log_sum_exp(rows[0], scratch=scratch)
            place = 1
        for piece in streams.follow(0, answer[:-1]):
            for row in piece:
                total += float(row[answer[place]]) - log_sum_exp(row, scratch=scratch)
                place += 1
    except CacheFull:
        pass
    return total, place


def _score(log_probs: F64, count: int) -> Score:
    """From the log-probs under every variant, the base first."""
    utilities = tuple(float(v) for v in log_probs[1:] - log_probs[0])
    return Score(utilities=utilities, surprise=float(-log_probs[0]) / max(1, count), tokens=count)
