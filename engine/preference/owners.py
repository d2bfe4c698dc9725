"""Simulated owners: tastes as measured functions of an answer, and how such an owner votes.

For `attune simulate` and the benchmarks. A utility reads the text only: it knows nothing of traits,
their sentences or their scorers' scale. Some owners want what one trait asks for, some a mixture,
and some what no trait names, so that a method cannot look good by having the right traits.

Utilities are in logits of the Bradley–Terry model: scales were set by hand so that two clearly
different answers to one question differ by about 1 to 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import InvalidParameter
from engine.preference.scorers import WINDOW, Measures, measures, per_100
from engine.types.learning import Outcome

ENOUGH = 8
"""Words; below, an answer says too little for anybody."""

MARGIN = 0.05
"""Utilities nearer than this are a draw where nobody votes."""

_BOUND = 4.0
_TOO_LITTLE = 4.0
_LOOPING = 4.0
_NOTHING = -(_BOUND + _TOO_LITTLE + _LOOPING)


class Chance(Protocol):
    """Anything that draws: a random.Random or a numpy Generator, in a known state.

    By its shape, so that this module needs no numpy.
    """

    def random(self) -> float:
        """A number in [0, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody with a taste.

    name         to ask for it
    taste        the same in words, for what a model does when it is simply told
    utility      of a text, in logits; in [−12, 4] and −12 only without words, for those below
    aligned      ids of built-in traits it is mostly about, with a sign: ("short+",); () when it is
                 about none
    temperature  > 0; votes follow utilities divided by it, so 2 is an owner half as sure
    """

    name: str
    taste: str
    utility: Callable[[str], float]
    aligned: tuple[str, ...] = ()
    temperature: float = 0.5


def vote(
    owner: Owner, first: str, second: str, *, rng: Chance, flips: float = 0.1, tie: float = 0.25
) -> Outcome:
    """What the owner votes on two answers.

    "equal" where utilities are nearer than `tie`; else "first" with probability
    σ((u₁ − u₂)/temperature), Bradley–Terry, and then the other side with probability `flips`.

    rng    draws twice whatever the outcome, so that runs stay comparable; changed in place
    flips  in [0, 1]: slips of the hand
    tie    ≥ 0, logits

    Raises InvalidParameter when flips or tie is outside.
    """
    if not 0.0 <= flips <= 1.0:
        raise InvalidParameter.outside("flips", flips, "in [0, 1]")
    if not tie >= 0.0:
        raise InvalidParameter.outside("tie", tie, "0 or more")
    drawn, slip = rng.random(), rng.random()
    gain = owner.utility(first) - owner.utility(second)
    if abs(gain) < tie:
        return "equal"
    likes_first = drawn < _sigmoid(gain / owner.temperature)
    return "first" if likes_first != (slip < flips) else "second"


def win(owner: Owner, text: str, against: str) -> float:
    """1 where the owner likes `text` better, 0 where worse, 0.5 within MARGIN; no noise."""
    gain = owner.utility(text) - owner.utility(against)
    if abs(gain) <= MARGIN:
        return 0.5
    return float(gain > 0.0)


def find_owner(name: str) -> Owner:
    """The owner of that name. Raises InvalidParameter, naming those there are."""
    known = {owner.name: owner for owner in OWNERS}
    if name not in known:
        raise InvalidParameter(
            f"There is no simulated owner {name!r}. There are: {', '.join(known)}."
        )
    return known[name]


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else 1.0 - 1.0 / (1.0 + math.exp(x))


# Utilities ----------------------------------------------------------------------------------
# Tastes are 0 at about what a small model writes unasked. Rates are drawn towards that as if some
# usual words had been read before: otherwise the shortest answer has the purest style, and every
# owner would want brevity.


@dataclass(frozen=True, slots=True)
class _Utility:
    """A taste times a scale, bounded, less what nobody wants: nothing, too little, and loops.

    u = b·tanh(s·taste/b) − 4·(8 − words)⁺/8 − 4·loop, with b = _BOUND and loop rising from 0 to 1
    as repeated triples rise from 30 % to 60 %
    """

    taste: Callable[[Measures], float]
    scale: float

    def __call__(self, text: str) -> float:
        m = measures(text)
        if m.words == 0:
            return _NOTHING
        wanted = _BOUND * math.tanh(self.scale * self.taste(m) / _BOUND)
        too_little = max(0, ENOUGH - m.words) / ENOUGH
        looping = min(1.0, max(0.0, m.repeated_triples - 0.3) / 0.3)
        return wanted - _TOO_LITTLE * too_little - _LOOPING * looping


def _drawn(rate: float, usual: float, m: Measures, *, words: int = 20) -> float:
    """How far a rate is from the usual one, after so many usual words."""
    return (rate - usual) * m.words / (m.words + words)


def _length(m: Measures) -> float:
    return math.log(max(m.words, ENOUGH) / 60)


def _brevity(m: Measures) -> float:
    return -_length(m)


def _detail(m: Measures) -> float:
    """More is better up to 300 words."""
    return math.log(min(max(m.words, ENOUGH), 300) / 60)


def _flowing(m: Measures) -> float:
    """List lines, headings and bold words, by how much they show; the first ones hurt most."""
    marks = per_100(m.list_lines + 1.5 * m.headings + 0.5 * m.bold, m.words)
    return 0.5 - math.sqrt(marks / 4)


def _listed(m: Measures) -> float:
    """Four lines are a list; a mild dislike of more than twelve."""
    return min(1.0, m.list_lines / 4) - 0.5 * min(1.0, max(0.0, m.list_lines / 12 - 1.0))


def _ease(m: Measures) -> float:
    """Long words count beyond the syllables that Flesch counts."""
    return _drawn(m.flesch - 50.0 * m.long_word_share, 45.0, m, words=10) / 40


def _chat(m: Measures) -> float:
    loose = m.contractions_per_100 + m.casual_per_100 + 0.5 * m.second_person_per_100
    loose += per_100(m.exclamations + m.emoji, m.words)
    return _drawn(loose - 0.5 * m.formal_per_100, 1.5, m) / 4


def _brief_and_casual(m: Measures) -> float:
    return 0.6 * _brevity(m) + 0.7 * _chat(m)


def _formal_and_careful(m: Measures) -> float:
    loose = m.contractions_per_100 + m.casual_per_100 + per_100(m.exclamations, m.words)
    wanted = m.hedges_per_100 + m.formal_per_100 - loose - 0.5 * m.second_person_per_100
    return _drawn(wanted, -0.5, m) / 4


def _short_sentences(m: Measures) -> float:
    return -_drawn(m.words_per_stop, 18.0, m) / 10


def _few_pauses(m: Measures) -> float:
    """A new line of a list is a pause too, or every list would please."""
    return -_drawn(m.pauses_per_100 + per_100(m.list_lines, m.words), 9.0, m) / 6


def _varied(m: Measures) -> float:
    """Any few words are different ones: what is shorter than the window shows nothing."""
    known = min(1.0, max(0.0, m.words / WINDOW - 1.0))
    return known * (m.window_distinct_share - 0.83) / 0.1


def _airy(m: Measures) -> float:
    """Breaks between paragraphs; a single short paragraph has none."""
    breaks = per_100(max(0, m.paragraphs - 1), max(m.words, 60))
    return (min(breaks, 6.0) - 1.0) / 2


OWNERS: tuple[Owner, ...] = (
    Owner(
        name="brief",
        taste="I like short answers.",
        utility=_Utility(_brevity, 1.0),
        aligned=("short+",),
    ),
    Owner(
        name="thorough",
        taste="I like long, detailed answers.",
        utility=_Utility(_detail, 1.5),
        aligned=("short-",),
    ),
    Owner(
        name="no-lists",
        taste="I like flowing text, without lists, headings or bold words.",
        utility=_Utility(_flowing, 2.0),
        aligned=("lists-", "headings-"),
    ),
    Owner(
        name="lists",
        taste="I like answers as lists.",
        utility=_Utility(_listed, 3.0),
        aligned=("lists+",),
    ),
    Owner(
        name="plain-speaker",
        taste="I like answers that are easy to read, in short and common words.",
        utility=_Utility(_ease, 4.0),
        aligned=("simple+",),
    ),
    Owner(
        name="chatty",
        taste="I like a casual tone, as in a chat with a friend.",
        utility=_Utility(_chat, 3.0),
        aligned=("formal-", "personal+"),
    ),
    Owner(
        name="brief-and-casual",
        taste="I like short answers in a casual tone.",
        utility=_Utility(_brief_and_casual, 2.0),
        aligned=("short+", "formal-"),
    ),
    Owner(
        name="formal-and-careful",
        taste="I like a formal tone and careful claims, and not to be addressed.",
        utility=_Utility(_formal_and_careful, 4.0),
        aligned=("formal+", "careful+", "personal-"),
    ),
    Owner(
        name="short-sentences",
        taste="I like short sentences.",
        utility=_Utility(_short_sentences, 5.0),
    ),
    Owner(
        name="no-commas",
        taste="I like sentences without commas, colons and brackets.",
        utility=_Utility(_few_pauses, 3.0),
    ),
    Owner(
        name="varied-words",
        taste="I like a rich choice of words, without repetition.",
        utility=_Utility(_varied, 3.0),
    ),
    Owner(
        name="airy",
        taste="I like short paragraphs with empty lines between them.",
        utility=_Utility(_airy, 4.0),
    ),
)
