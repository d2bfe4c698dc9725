"""What every learner offers, whichever form of T-POP it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from engine.types.learning import LearnedTrait, LearnerName, Trait
from engine.types.steering import Pull, Reward

ACTIVE = 3
"""Traits that steer an answer at once: the strongest ones. Each costs a stream."""

CARRIED = 1
"""Of these, how many steer both answers of a duel about another trait."""

LISTENED = 2
"""Traits, the most visible ones, whose streams run along in every duel without steering, so that a
vote informs them whatever it is about. Each costs two streams."""

WORTH = 0.1
"""Bits that a vote must be expected to tell before the owner is asked for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitPull:
    """A pull, and the trait and pole that it stands for: +1 is `more`, −1 is `less`.

    stream  key of the utility that its stream tells: the trait's id with "+" for `sentence` and
            "-" for `opposite`
    """

    trait: str
    pole: int
    stream: str
    pull: Pull


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How an answer is steered by what was learned: by pulls, or by a reward."""

    pulls: tuple[TraitPull, ...] = ()
    reward: Reward | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A duel worth asking for.

    asked        id of the trait that it is about; "" where it is about none
    arms         how the two answers are steered
    information  what the vote would tell, bits, in [0, 1)
    why          the same in words
    """

    asked: str
    arms: tuple[Serving, Serving]
    information: float
    why: str


class Learner(Protocol):
    """State derived from votes; never changes. The same votes give the same learner."""

    @property
    def name(self) -> LearnerName: ...

    def traits(self) -> tuple[LearnedTrait, ...]:
        """Every trait that is asked about, the surest first; none where nothing is readable."""
        ...

    def serving(self) -> Serving:
        """How answers are steered."""
        ...

    def contrast(self, *, without: Collection[str] = ()) -> Contrast:
        """The duel that would tell most.

        without  ids of traits to leave alone, where others are left: their answers came out alike
        """
        ...


def poles(trait: Trait) -> tuple[TraitPull, TraitPull]:
    """Unit pulls towards `more` and towards `less`.

    A trait with one sentence only is left by going against it.
    """
    more = _pull(trait, pole=1, stream="+", sentence=trait.sentence, theta=1.0)
    if trait.opposite:
        return more, _pull(trait, pole=-1, stream="-", sentence=trait.opposite, theta=1.0)
    return more, _pull(trait, pole=-1, stream="+", sentence=trait.sentence, theta=-1.0)


def scaled(pull: TraitPull, theta: float) -> TraitPull:
    """The pull with its weight times `theta`; 0 makes it listen only."""
    return replace(pull, pull=replace(pull.pull, theta=pull.pull.theta * theta))


def _pull(trait: Trait, *, pole: int, stream: str, sentence: str, theta: float) -> TraitPull:
    return TraitPull(
        trait=trait.id,
        pole=pole,
        stream=trait.id + stream,
        pull=Pull(sentence=sentence, theta=theta),
    )


def percent(share: float) -> str:
    """A probability in words; certainty is never claimed."""
    if share >= 0.995:
        return "over 99 %"
    if share < 0.005:
        return "under 1 %"
    return f"{share * 100:.0f} %"
