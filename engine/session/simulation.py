"""A simulated owner at the thumbs: asks, votes, and is measured, again and again.

A simulation is a generator: it yields the questions that it needs answered and is sent the
answers. Whoever drives it decides how: one after another by the inference child
(`attune simulate`), or many simulations in the same batches (benchmarks).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from statistics import fmean

import numpy as np

from engine.errors import EngineError, InvalidParameter
from engine.numerics import F32
from engine.preference.ballots import Evidence
from engine.preference.learner import Contrast, Learner, Serving
from engine.preference.neural import NeuralLearner
from engine.preference.owners import Owner, find_owner, vote, win
from engine.preference.scorers import SAME, difference, scores
from engine.preference.traits import BUILT_IN
from engine.preference.utilities import UtilityLearner
from engine.session.duels import steered, told
from engine.session.questions import HELD_OUT, VOTED_ON
from engine.types.answers import Answer, AnswerEvent, Message, Question
from engine.types.learning import LearnerName, Simulated
from engine.types.steering import Sampling

CHECKPOINTS = (0, 5, 10, 20, 40, 80)

Asked = tuple[Question, ...]
Answered = tuple[Answer, ...]
Learn = Callable[[Sequence[Evidence]], Learner]

SAMPLING = Sampling(max_tokens=100)
"""As the app answers, but shorter. Without chance small models fall into loops when steered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a simulated owner thinks after so many votes, on questions never voted on.

    win_rate  share of questions whose answer beats the untouched model's, a draw is half
    utility   mean utility of the answers, logits
    wins      the same by question, in {0, 0.5, 1}
    utilities the same by question
    answers   the answers themselves
    serving   how they were steered
    """

    votes: int
    win_rate: float
    utility: float
    wins: tuple[float, ...]
    utilities: tuple[float, ...]
    answers: Answered
    serving: Serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A duel that was voted on, with the texts."""

    question: str
    texts: tuple[str, str]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a simulation went.

    points   one for each checkpoint
    choices  the votes, oldest first
    learner  what was learned at the end
    """

    points: tuple[Point, ...]
    choices: tuple[Choice, ...]
    learner: Learner


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is simulated.

    voted_on     questions of the duels, one each, in this order, from the start again if need be
    held_out     questions that measure
    checkpoints  numbers of votes after which is measured
    """

    owner: Owner
    voted_on: tuple[str, ...]
    held_out: tuple[str, ...]
    checkpoints: tuple[int, ...]
    learn: Learn
    seed: int
    sampling: Sampling = SAMPLING


def simulate(plan: Plan) -> Generator[Asked, Answered, Course]:
    """Votes until the last checkpoint. See `Plan`.

    Pairs that came out nearly alike are not voted on, as in the app; the next question is asked.
    """
    rng = np.random.default_rng(plan.seed)
    base = yield tuple(question(text, Serving(), plan.sampling) for text in plan.held_out)
    choices: list[Choice] = []
    points = []
    asked = count()
    for votes in range(max(plan.checkpoints) + 1):
        learner = plan.learn([choice.evidence for choice in choices])
        if votes in plan.checkpoints:
            points.append((yield from _measure(plan, learner.serving(), base, votes=votes)))
        if votes < max(plan.checkpoints):
            choices.append((yield from _vote(plan, learner, rng=rng, numbers=asked)))
    learner = plan.learn([choice.evidence for choice in choices])
    return Course(points=tuple(points), choices=tuple(choices), learner=learner)


def question(text: str, serving: Serving, sampling: Sampling) -> Question:
    """A question of a simulation; what was learned decides how it is answered.

    The seed follows from the text, so that two answers to it begin with the same chances.
    """
    plain = Question(
        messages=(Message(role="user", text=text),),
        sampling=replace(sampling, seed=sum(text.encode())),
        embed=not serving.pulls,
    )
    return steered(plain, serving)


def _measure(
    plan: Plan, serving: Serving, base: Answered, *, votes: int
) -> Generator[Asked, Answered, Point]:
    answers = yield tuple(question(text, serving, plan.sampling) for text in plan.held_out)
    wins = [win(plan.owner, a.text, b.text) for a, b in zip(answers, base, strict=True)]
    utilities = [plan.owner.utility(a.text) for a in answers]
    return Point(
        votes=votes,
        win_rate=fmean(wins),
        utility=fmean(utilities),
        wins=tuple(wins),
        utilities=tuple(utilities),
        answers=answers,
        serving=serving,
    )


def _vote(
    plan: Plan, learner: Learner, *, rng: np.random.Generator, numbers: Iterator[int]
) -> Generator[Asked, Answered, Choice]:
    """Duels until one can be voted on. Raises EngineError where none can."""
    alike: set[str] = set()
    for number, _ in zip(numbers, plan.voted_on, strict=False):
        contrast = learner.contrast(without=alike)
        found = yield from _duel(plan, contrast, rng=rng, number=number)
        if found is not None:
            return found
        alike.add(contrast.asked)
    raise EngineError("Every pair of answers came out alike: there is nothing to vote on.")


def _duel(
    plan: Plan, contrast: Contrast, *, rng: np.random.Generator, number: int
) -> Generator[Asked, Answered, Choice | None]:
    """One duel and the vote on it; None where both answers came out alike."""
    text = plan.voted_on[number % len(plan.voted_on)]
    arms = contrast.arms[::-1] if rng.random() < 0.5 else contrast.arms
    first, second = yield tuple(question(text, arm, plan.sampling) for arm in arms)
    if difference(first.text, second.text) < SAME:
        return None
    evidence = Evidence(
        duel=str(number),
        asked=contrast.asked,
        outcome=vote(plan.owner, first.text, second.text, rng=rng),
        first=told(first, arms[0]),
        second=told(second, arms[1]),
        embeddings=_embeddings(first, second),
        scores=(scores(first.text), scores(second.text)),
    )
    return Choice(question=text, texts=(first.text, second.text), evidence=evidence)


def _embeddings(first: Answer, second: Answer) -> F32 | None:
    if not (first.embedding and second.embedding):
        return None
    rows = [np.frombuffer(answer.embedding, np.float32) for answer in (first, second)]
    return np.stack(rows)


def curve(points: Sequence[Point]) -> tuple[Simulated, ...]:
    """The points in short, each with its regret against the best of them."""
    best = max(point.utility for point in points)
    return tuple(
        Simulated(
            votes=point.votes,
            win_rate=point.win_rate,
            utility=point.utility,
            regret=best - point.utility,
        )
        for point in points
    )


def play(
    plan: Plan, *, ask: Callable[..., Iterator[AnswerEvent]]
) -> Iterator[Answer | tuple[Simulated, ...]]:
    """Simulate with one model; yields every answer and at last the curve.

    ask  streams answers to the questions that it is called with

    Raises EngineError where it is stopped before its end.
    """
    run = simulate(plan)
    answers: Answered = ()
    while True:
        try:
            asked = run.send(answers) if answers else next(run)
        except StopIteration as end:
            yield curve(end.value.points)
            return
        answers = yield from _answer_all(asked, ask)


def _answer_all(
    questions: Asked, ask: Callable[..., Iterator[AnswerEvent]]
) -> Generator[Answer, None, Answered]:
    """Answers to questions, two at a time."""
    found: list[Answer] = []
    for start in range(0, len(questions), 2):
        for event in ask(*questions[start : start + 2]):
            if isinstance(event, Answer):
                if event.finish in ("stopped", "interrupted"):
                    raise EngineError("The simulation was stopped before its end.")
                found.append(event)
                yield event
    return tuple(found)


def standard(
    owner: str,
    *,
    votes: int,
    seed: int,
    questions: int,
    learner: LearnerName,
    width: Callable[[], int],
) -> Plan:
    """A simulation with the built-in traits and questions.

    votes      in 1..200
    questions  that measure, in 1..16
    width      d of the model that answers, asked for when it is there

    Raises InvalidParameter.
    """
    _require_within("votes", votes, 1, 200)
    _require_within("questions", questions, 1, len(HELD_OUT))

    def learn(evidence: Sequence[Evidence]) -> Learner:
        if learner == "neural":
            return NeuralLearner(evidence, width=width())
        return UtilityLearner(BUILT_IN, evidence)

    return Plan(
        owner=find_owner(owner),
        voted_on=VOTED_ON,
        held_out=HELD_OUT[:questions],
        checkpoints=(*(c for c in CHECKPOINTS if c < votes), votes),
        learn=learn,
        seed=seed,
    )


def _require_within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidParameter.outside(name, value, f"from {low} to {high}")
