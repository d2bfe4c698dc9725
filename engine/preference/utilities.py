"""T-POP with Amulet's utilities as features: the reward of an answer is linear in φ.

φ_j(y) = Σ_t δ_j(y_t) is what the preference sentence of a pole thinks of answer y, in nats, and it
is known for every answer that the pole's stream ran along. A reward that is linear in φ is
optimised exactly by adding θ_j δ_j to every token's log-probs, so what was learned is at once what
steers and what is shown.

Weights: a_j says which pole of trait j the owner likes, b what the owner thinks of being steered at
all. A pole's worth is then ±a_j + b: both poles of a trait may be worse than none.

Differs from the paper (T-POP, arXiv 2509.24696): features instead of an embedding, a full
posterior instead of a network with a diagonal bonus, and exploration by whole answers: the two
answers of a duel differ by one trait, the one whose vote is expected to change the answers most
for the better. Exploring token by token gives answers that a reader can hardly tell apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from engine.numerics import F64
from engine.preference.ballots import Evidence, borne_out, chances, entropy, information
from engine.preference.learner import (
    ACTIVE,
    CARRIED,
    LISTENED,
    WORTH,
    Contrast,
    Serving,
    TraitPull,
    percent,
    poles,
    scaled,
)
from engine.preference.posterior import Posterior, Prior, Votes, infer
from engine.types.learning import LearnedTrait, LearnerName, Trait
from engine.types.steering import MAX_THETA

SPREAD = 1.5
"""Standard deviation of a_j before any vote, logits per unit of feature."""

STEERED, STEERED_SPREAD = -0.2, 0.5
"""b before any vote: steering costs a small model some fluency, so most like it a little less."""

FULL = 1.5
"""Worth of a pole, in logits per unit of feature, at which it steers with 76 % of its most."""

WORTH_ACTING = 0.15
"""A pole worth less than this does not steer."""

STEP = 0.5
"""θ comes in steps: a vote that hardly moves a weight leaves the answers as they are."""

LIMIT = 2.5
"""The largest feature, in units of what a pole usually shows."""

PUSHED = 0.25
"""A lean above this is the work of a pull."""

USUAL = 8.0
"""|φ| in nats of an answer steered to a pole, on average, before any was seen."""

USUAL_WORTH = 2.0
"""How many seen answers that guess is worth."""

CURIOUS = 0.3
"""Logits of expected improvement that a bit of information about the owner is worth."""

MOST_TO_SETTLE = 20

FADED = 1e-6
"""A vote that counts less than this does not count at all."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A duel that could be held: about trait `trait`, both poles, or one against the answer as it
    would be; `step` is how far its two answers should be apart in the features."""

    trait: int
    pole: int
    step: F64


class UtilityLearner:
    """Everything derived from the votes at once."""

    def __init__(
        self,
        traits: Sequence[Trait],
        votes: Sequence[Evidence],
        *,
        model: str = "",
        fade: float | None = None,
        seed: int = 0,
        carried: int = CARRIED,
    ) -> None:
        """
        traits  those that are asked about; with none, nothing is learned
        votes   oldest first
        model   id of the model that answers now; nats differ from model to model
        fade    votes after which an older one counts half; None never
        seed    of the draws that stand for the posterior
        carried  acting traits that steer both answers of a duel about another one
        """
        self._carried = carried
        self._traits, self._votes = tuple(traits), tuple(votes)
        usual = {m: _usual(self._traits, votes, m) for m in {model, *(v.model for v in votes)}}
        self._now = usual[model]
        sides = [side for vote in votes for side in borne_out(vote)]
        scales = np.asarray([usual[vote.model] for vote in votes for _ in range(2)])
        asked = [vote.asked for vote in votes for _ in range(2)]
        features = _features(self._traits, sides, scales, asked=asked)
        pairs = features.reshape(len(votes), 2, 1 + len(traits))
        self.posterior: Posterior = infer(
            Votes(
                first=pairs[:, 0],
                second=pairs[:, 1],
                outcomes=tuple(vote.outcome for vote in votes),
                worth=_worth(len(votes), fade),
            ),
            prior=_prior(len(traits)),
            rng=np.random.default_rng(seed),
        )
        self._worths = _pole_worths(self.posterior.mean)

    @property
    def name(self) -> LearnerName:
        return "utilities"

    def traits(self) -> tuple[LearnedTrait, ...]:
        low, high = self.posterior.quantile(0.025), self.posterior.quantile(0.975)
        low, high = low[1:], high[1:]
        mean, positive = self.posterior.mean[1:], self.posterior.positive[1:]
        acting = {pull.trait: pull for pull in self.serving().pulls}
        found = [
            LearnedTrait(
                trait=trait,
                weight=_shown(mean[i]),
                low=_shown(low[i]),
                high=_shown(high[i]),
                sure=float(positive[i]),
                theta=_signed_theta(acting.get(trait.id)),
                votes=tuple(v.duel for v in self._votes if v.asked == trait.id),
                to_settle=self._to_settle(i),
            )
            for i, trait in enumerate(self._traits)
        ]
        return tuple(sorted(found, key=lambda t: -abs(t.sure - 0.5)))

    def serving(self) -> Serving:
        return Serving(pulls=self._pulls(ACTIVE))

    def contrast(self, *, without: Collection[str] = ()) -> Contrast:
        choices = [c for c in self._choices() if self._traits[c.trait].id not in without]
        choices = choices or self._choices()
        draws, mass = self.posterior.draws, self.posterior.mass
        scores, bits = np.zeros(len(choices)), np.zeros(len(choices))
        now = _value(self.posterior.mean[None])[0]
        for i, choice in enumerate(choices):
            p = chances(draws @ choice.step)
            expected = mass @ p
            bits[i] = entropy(expected) - mass @ entropy(p)
            after = (p * mass[:, None]).T @ draws / expected[:, None]
            scores[i] = expected @ _value(after) - now + CURIOUS * bits[i]
        # What tells too little is not asked, however much it might change: else one such choice
        # would stand before all others for good.
        telling = bits >= WORTH
        best = int(np.where(telling, scores, -np.inf).argmax() if telling.any() else bits.argmax())
        return self._contrast(choices[best], float(bits[best]))

    def reward(self, utilities: Mapping[str, float]) -> float:
        """How much better an answer seems than one that nothing is known of, in logits."""
        return float(
            _features(self._traits, [utilities], self._now[None], asked=[""])[0]
            @ self.posterior.mean
        )

    # What could be asked ---------------------------------------------------------------------

    def _choices(self) -> list[_Choice]:
        """Both poles of every trait against each other, and, of a trait that does not act, each
        pole against the answer without it."""
        acting = {pull.trait for pull in self._pulls(ACTIVE)}
        found = []
        for i, trait in enumerate(self._traits):
            apart = np.zeros(1 + len(self._traits))
            apart[1 + i] = 2.0 * trait.visible
            found.append(_Choice(i, 0, apart))
            for pole in () if trait.id in acting else (1, -1):
                tried = np.zeros(1 + len(self._traits))
                tried[0], tried[1 + i] = trait.visible, 1.5 * pole * trait.visible
                found.append(_Choice(i, pole, tried))
        return found

    def _contrast(self, choice: _Choice, bits: float) -> Contrast:
        trait = self._traits[choice.trait]
        others = (p for p in self._pulls(ACTIVE) if p.trait != trait.id)
        kept = tuple(islice(others, self._carried))
        more, less = poles(trait)
        if choice.pole == 0:
            first, second = scaled(more, MAX_THETA), scaled(less, MAX_THETA)
        else:
            pole = more if choice.pole > 0 else less
            first, second = scaled(pole, MAX_THETA), scaled(pole, 0.0)
        beside = (*kept, *self._listeners({trait.id, *(pull.trait for pull in kept)}))
        return Contrast(
            asked=trait.id,
            arms=(Serving(pulls=(first, *beside)), Serving(pulls=(second, *beside))),
            information=bits,
            why=self._why(choice),
        )

    def _listeners(self, present: Collection[str]) -> tuple[TraitPull, ...]:
        """Streams of the most visible traits, but for those that are there already."""
        visible = sorted(self._traits, key=lambda trait: -trait.visible)[:LISTENED]
        return tuple(scaled(poles(t)[0], 0.0) for t in visible if t.id not in present)

    def _why(self, choice: _Choice) -> str:
        i = choice.trait
        trait, sure = self._traits[i], float(self.posterior.positive[1 + i])
        likely, share = (trait.more, sure) if sure >= 0.5 else (trait.less, 1.0 - sure)
        if choice.pole != 0:
            wanted = trait.more if choice.pole > 0 else trait.less
            return f"One answer leans to {wanted}, the other does not."
        if share < 0.6:
            return f"It is not known yet whether you like {trait.more} or {trait.less}."
        return f"You seem to like {likely} ({percent(share)} sure); this would tell."

    # What is known ---------------------------------------------------------------------------

    def _pulls(self, most: int) -> tuple[TraitPull, ...]:
        """Pulls to the poles that are worth most, one of a trait."""
        order = np.argsort(-self._worths.max(axis=1), kind="stable")
        found = []
        for i in (int(i) for i in order):
            side = int(self._worths[i].argmax())
            theta = _theta(float(self._worths[i, side]))
            if theta > 0.0:
                found.append(scaled(poles(self._traits[i])[side], theta))
        return tuple(found[:most])

    def _to_settle(self, i: int) -> int:
        """Votes until the next one would tell too little: each adds its expected curvature."""
        reach = 2.0 * self._traits[i].visible
        mean, sd = self.posterior.mean[1 + i] * reach, self.posterior.sd[1 + i] * reach
        for votes in range(MOST_TO_SETTLE):
            if information(np.asarray(mean), np.asarray(sd)) < WORTH:
                return votes
            sd = 1.0 / np.sqrt(1.0 / sd**2 + _curvature(float(mean), float(sd)))
        return MOST_TO_SETTLE


def _prior(traits: int) -> Prior:
    return Prior(
        mean=np.asarray([STEERED] + [0.0] * traits),
        sd=np.asarray([STEERED_SPREAD] + [SPREAD] * traits),
    )


def _pole_worths(weights: F64) -> F64:
    """b ± a_j of both poles: (…, 1 + m) → (…, m, 2)."""
    b, a = weights[..., :1], weights[..., 1:]
    return np.stack([b + a, b - a], axis=-1)


def _value(weights: F64) -> F64:
    """What answers gain from the strongest few poles, logits: (S, 1 + m) → (S,)."""
    best = np.maximum(_pole_worths(weights).max(axis=-1), 0.0)
    found: F64 = np.sort(best, axis=-1)[:, -ACTIVE:].sum(axis=-1)
    return found


def _theta(worth: float) -> float:
    """θ of a pole, in steps up to MAX_THETA; 0 where it is worth too little."""
    if worth < WORTH_ACTING:
        return 0.0
    return float(np.round(MAX_THETA * np.tanh(worth / FULL) / STEP) * STEP)


def _signed_theta(pull: TraitPull | None) -> float:
    return pull.pole * abs(pull.pull.theta) if pull else 0.0


def _curvature(mean: float, sd: float) -> float:
    """Expected information of a vote about z ~ N(mean, sd²), per unit of z squared, roughly."""
    p = 1.0 / (1.0 + np.exp(-abs(mean) / np.sqrt(1.0 + sd**2 * np.pi / 8.0)))
    return float(0.64 * p * (1.0 - p))


def _shown(weight: float) -> float:
    return float(np.tanh(weight / FULL))


def _worth(count: int, fade: float | None) -> F64:
    if fade is None:
        return np.ones(count)
    ages = np.arange(count - 1, -1, -1, dtype=float)
    found: F64 = 0.5 ** (ages / fade)
    found[found < FADED] = 0.0
    return found


def _usual(traits: Sequence[Trait], votes: Sequence[Evidence], model: str) -> F64:
    """What each pole usually shows with a model, nats, (m, 2): mean of the φ above 0 in duels about
    the trait, drawn to `USUAL` while there are few."""
    found = np.zeros((len(traits), 2))
    for i, trait in enumerate(traits):
        for k, sign in enumerate("+-"):
            shown = [
                side[trait.id + sign]
                for vote in votes
                if vote.asked == trait.id and vote.model == model
                for side in (vote.first, vote.second)
                if side.get(trait.id + sign, 0.0) > 0.0
            ]
            found[i, k] = (sum(shown) + USUAL * USUAL_WORTH) / (len(shown) + USUAL_WORTH)
    return found


def _features(
    traits: Sequence[Trait],
    sides: Sequence[Mapping[str, float]],
    usual: F64,
    *,
    asked: Sequence[str],
) -> F64:
    """f of N answers, (N, 1 + m): whether it was pushed to a pole of the trait asked about, and for
    each trait how far it leans to `more`, in units of what poles usually show. 0: not measured.

    usual  (N, m, 2), nats
    asked  ids of the traits asked about
    """
    places = {t.id + sign: 2 * i + k for i, t in enumerate(traits) for k, sign in enumerate("+-")}
    raw = np.zeros((len(sides), 2 * len(traits)))
    for row, side in zip(raw, sides, strict=True):
        for stream, phi in side.items():
            if stream in places:  # not of a trait that was removed
                row[places[stream]] = phi
    shape = len(sides), len(traits), 2
    leans = np.clip(raw.reshape(shape) / usual.reshape(shape), -LIMIT, LIMIT)
    # A trait with one sentence is left by going against it; of the others each pole has its own.
    single = np.asarray([not trait.opposite for trait in traits])
    towards = np.where(single[:, None], np.abs(leans), leans).max(axis=2, initial=0.0)
    about = np.asarray([[t.id == name for t in traits] for name in asked], dtype=bool)
    pushed = np.any((towards > PUSHED) & about.reshape(towards.shape), axis=1, keepdims=True)
    return np.concatenate([pushed, leans[..., 0] - leans[..., 1]], axis=1)
