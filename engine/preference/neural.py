"""T-POP as published: a reward network on an answer's mean hidden state.

Source: T-POP (arXiv 2509.24696). The network is fitted anew to all votes after each of them; while
an answer is decoded its reward is added to the probability of the likeliest tokens, and the second
answer of a duel also gets a bonus where the network is unsure (see `engine.steering.network`).

Differs from the paper: labels have their right sign and the bonus shrinks along what was explored
(both defects of the released code); the embedding is the mean of the local model's own last hidden
states over the answer; "equal" is half a vote for each; V starts anew with every duel.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from engine.network import Network
from engine.numerics import F32
from engine.preference.ballots import Evidence
from engine.preference.learner import Contrast, Serving
from engine.preference.refit import Pair, initial, refit, spread_of
from engine.types.learning import LearnedTrait, LearnerName, Outcome
from engine.types.steering import Reward

UNITS = 64
LEARNING_RATE = 2e-3
NU = 0.5

FIRST_WORTH = 0.5
HALVED = 20
"""Bits that the first vote is taken to tell, and the votes after which one tells half as much. A
schedule, no posterior: there is none, and published gains are steep up to 20 votes and flat from
40 on."""

_LABELS: dict[Outcome, float] = {"first": 1.0, "second": 0.0, "equal": 0.5}
"""l. A vote for neither compares the answers with the untouched model's, which is none of the two;
it says nothing about their difference, and so nothing here."""


class NeuralLearner:
    """The reward network after all votes."""

    def __init__(
        self, votes: Sequence[Evidence], *, width: int, fade: float | None = None, seed: int = 0
    ) -> None:
        """
        votes  oldest first; those without embeddings of length `width` say nothing here
        width  d, the length of the model's hidden states; 0 where no model is loaded yet
        fade   votes after which an older one counts half; None never
        seed   of the first weights and of the order of the batches

        Takes about 2.5 ms for each vote, with d = 896.
        """
        pairs = _pairs(votes, width=width, fade=fade)
        self._count = len(pairs)
        self._network: Network | None = None
        if width:
            start = initial(UNITS, width, np.random.default_rng(seed))
            rng = np.random.default_rng(seed)
            self._network = refit(pairs, start=start, learning_rate=LEARNING_RATE, rng=rng)

    @property
    def name(self) -> LearnerName:
        return "neural"

    def traits(self) -> tuple[LearnedTrait, ...]:
        """None: nobody can read what the network has learned."""
        return ()

    def serving(self) -> Serving:
        """With the reward, once there is a vote: an untaught network would steer at random."""
        return Serving(reward=self._reward() if self._count else None)

    def contrast(self, *, without: Collection[str] = ()) -> Contrast:
        """The first answer as liked as can be, the second pulled to what is not known yet.

        Before the first vote the untaught network serves: it only has to tell answers apart.
        """
        return Contrast(
            asked="",
            arms=(Serving(reward=self._reward()), Serving(reward=self._reward(exploration=NU))),
            information=FIRST_WORTH * 2.0 ** (-self._count / HALVED),
            why=(
                "The second answer tries something that has not been compared yet; "
                "your choice tells which way to go."
            ),
        )

    def _reward(self, *, exploration: float = 0.0) -> Reward | None:
        """None where no model is loaded, so that nothing is known of its hidden states."""
        network = self._network
        if network is None:
            return None
        visited: F32 = np.empty((0, 2, network.width), np.float32)
        return Reward(
            network=network.pack(),
            units=network.units,
            exploration=exploration,
            spread=spread_of(visited, network).tobytes() if exploration else b"",
        )


def _pairs(votes: Sequence[Evidence], *, width: int, fade: float | None) -> list[Pair]:
    """What each vote that can be used says, the oldest first."""
    found = []
    for age, vote in zip(range(len(votes) - 1, -1, -1), votes, strict=True):
        label = _LABELS.get(vote.outcome)
        features = _features(vote, width=width)
        if label is not None and features is not None:
            first, second = features
            weight = 1.0 if fade is None else 0.5 ** (age / fade)
            found.append(Pair(first=first, second=second, label=label, weight=weight))
    return found


def _features(vote: Evidence, *, width: int) -> F32 | None:
    """Embeddings of both answers at length 1, float32, (2, d); None where there are none."""
    if vote.embeddings is None or vote.embeddings.shape != (2, width):
        return None
    lengths = np.linalg.norm(vote.embeddings, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0.0)).all():
        return None
    features: F32 = (vote.embeddings / lengths).astype(np.float32)
    return features
