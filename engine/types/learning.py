"""Traits, duels, votes, and what was learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.types.answers import Answer, Chunk, Ready, Started
from engine.types.scope import Scope
from engine.types.work import Notice

Outcome = Literal["first", "second", "equal", "neither"]
LearnerName = Literal["utilities", "neural"]
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "equal", "neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A direction of style with two poles, each with its own preference sentence.

    id            stable; what the record refers to
    more, less    the poles in plain words: "shorter answers", "longer answers"
    sentence      asks for the first pole
    opposite      asks for the second; "" where the owner gave only one sentence
    visible       how much a reader notices of it, in (0, 1]: where to begin asking
    own           the owner added it
    """

    id: str
    more: str
    less: str
    sentence: str
    opposite: str = ""
    visible: float = 0.5
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTrait:
    """What the votes say about a trait.

    weight     posterior mean in [−1, 1]: 1 is as strongly as Attune ever steers towards `more`
    low, high  95 % credible interval on the same scale
    sure       probability that the owner likes `more` better than `less`
    theta      θ that acts on answers now; 0 while too unsure, or beyond the strongest few
    votes      ids of the duels that asked about it, oldest first; forgotten ones left out
    to_settle  comparisons that would probably settle it; 0 is settled
    """

    trait: Trait
    weight: float
    low: float
    high: float
    sure: float
    theta: float
    votes: tuple[str, ...]
    to_settle: int

    @property
    def liked(self) -> str:
        """The pole that the votes lean to."""
        return self.trait.more if self.sure >= 0.5 else self.trait.less

    @property
    def likely(self) -> float:
        """Probability that this is the pole that the owner likes, at least ½."""
        return max(self.sure, 1.0 - self.sure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How a vote moved one trait: probabilities that `pole` is what the owner likes."""

    trait: str
    pole: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Everything that is learned at one moment.

    traits       those that are asked about, strongest first
    learner      which form of T-POP answers
    neutral      whether the untouched model answers all the same
    votes        votes that count
    to_settle    comparisons that would probably settle everything
    removed      traits that are not asked about and can be brought back
    undoable     what Undo would take back, in words; "" if there is nothing
    newest_vote  id of the duel, where what Undo would take back is the vote on it; else ""
    unreadable   votes and other entries of the record that are damaged and do not count
    scope        how far it goes: everywhere, or in one chat only
    """

    traits: tuple[LearnedTrait, ...]
    learner: LearnerName
    neutral: bool
    votes: int
    to_settle: int
    removed: tuple[Trait, ...] = ()
    undoable: str = ""
    newest_vote: str = ""
    unreadable: int = 0
    scope: Scope = "everywhere"

    @property
    def acting(self) -> tuple[LearnedTrait, ...]:
        """The traits that steer answers now, the strongest first."""
        steering = (trait for trait in self.traits if trait.theta)
        return tuple(sorted(steering, key=lambda trait: -abs(trait.theta)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """What a vote did: the sentence for the owner, and all of what is learned now."""

    duel: str
    outcome: Outcome
    sentence: str
    changed: tuple[Moved, ...]
    learned: Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVote:
    """A vote on record, as the owner may see it.

    question, answers  "" where the owner did not let texts be kept
    local              it counts in its chat only
    """

    duel: str
    at: float
    outcome: Outcome
    trait: str
    question: str
    answers: tuple[str, str]
    model: str
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two finished answers to one question.

    id       what a vote names; "" where there is nothing to vote on (see `verdict`)
    why      what the vote would tell, in words
    verdict  "open" for a vote, "same" where both came out nearly alike, "cut" where one of them
             did not come to its end
    """

    id: str
    answers: tuple[Answer, Answer]
    why: str
    verdict: Literal["open", "same", "cut"] = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """How a simulated owner likes the answers after so many votes.

    win_rate  share of other questions whose answer beats the untouched model's; a draw is half
    utility   the owner's mean utility of those answers, logits
    regret    how much less that is than the best point of the same simulation
    """

    votes: int
    win_rate: float
    utility: float
    regret: float


DuelEvent = Notice | Started | Chunk | Duel | Ready
