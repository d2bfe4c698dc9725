from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import pytest

from engine.errors import EngineError, InvalidParameter
from engine.preference.ballots import Evidence
from engine.preference.learner import Serving
from engine.preference.owners import find_owner
from engine.preference.scorers import scores
from engine.preference.traits import BUILT_IN
from engine.preference.utilities import UtilityLearner
from engine.session.questions import HELD_OUT, VOTED_ON
from engine.session.simulation import (
    Asked,
    Course,
    Plan,
    Point,
    curve,
    question,
    simulate,
    standard,
)
from engine.types.answers import Answer, Question

Write = Callable[[Question], str]
LONG = " ".join(f"word{i} and other things that matter a little," for i in range(12))


def learn(evidence: Sequence[Evidence]) -> UtilityLearner:
    return UtilityLearner(BUILT_IN, evidence)


def plan(owner: str = "brief", *, votes: int = 6, seed: int = 0) -> Plan:
    return Plan(
        owner=find_owner(owner),
        voted_on=VOTED_ON,
        held_out=HELD_OUT[:2],
        checkpoints=(0, votes),
        learn=learn,
        seed=seed,
    )


def answer(text: str, asked: Question) -> Answer:
    pulls = asked.steering.pulls
    return Answer(
        text=text,
        finish="end",
        tokens=len(text.split()),
        streams=1 + len(pulls),
        gamma=0.0,
        seed=0,
        used=0,
        context=0,
        model="m",
        utilities=tuple(8.0 if pull.theta else -4.0 for pull in pulls),
    )


def obedient(asked: Question) -> str:
    """Short where it is asked to be, long otherwise, in words that come from the other wishes."""
    wishes = [pull.sentence for pull in asked.steering.pulls if pull.theta > 0]
    short = any("one or two sentences" in wish for wish in wishes)
    told = [w for wish in wishes for w in wish.split()]
    words = [*LONG.split(), *(f"{w}{i}" for i, w in enumerate(told * 6))]
    return " ".join(words[:12] if short else words[-80:])


def drive(run: Generator[Asked, tuple[Answer, ...], Course], write: Write) -> Course:
    answers: tuple[Answer, ...] = ()
    try:
        asked = next(run)
        while True:
            answers = tuple(answer(write(q), q) for q in asked)
            asked = run.send(answers)
    except StopIteration as end:
        course: Course = end.value
        return course


def test_votes_lead_to_answers_that_the_owner_likes_better() -> None:
    wins = [drive(simulate(plan(votes=12, seed=s)), obedient).points[-1].win_rate for s in range(3)]
    assert max(wins) == 1.0
    assert sum(wins) / len(wins) >= 0.75


def test_before_any_vote_the_answers_are_the_untouched_models() -> None:
    start = drive(simulate(plan()), obedient).points[0]
    assert (start.votes, start.win_rate, start.serving) == (0, 0.5, Serving())


def test_the_owners_taste_is_in_no_question() -> None:
    seen: list[Question] = []

    def write(asked: Question) -> str:
        seen.append(asked)
        return obedient(asked)

    owner = find_owner("brief")
    drive(simulate(plan("brief")), write)
    sentences = {s for trait in BUILT_IN for s in (trait.sentence, trait.opposite)}
    for asked in seen:
        assert owner.taste not in asked.messages[-1].text
        assert len(asked.messages) == 1
        assert {pull.sentence for pull in asked.steering.pulls} <= sentences


def test_what_is_measured_was_never_voted_on() -> None:
    assert not set(VOTED_ON) & set(HELD_OUT)
    assert len(set(VOTED_ON)) == len(VOTED_ON)
    course = drive(simulate(plan()), obedient)
    assert {choice.question for choice in course.choices} <= set(VOTED_ON)


def test_the_same_seed_is_the_same_course() -> None:
    one, two = (drive(simulate(plan(seed=4)), obedient) for _ in range(2))
    assert (one.points, one.choices) == (two.points, two.choices)


def test_a_vote_comes_with_what_is_counted_in_the_texts_as_in_the_app() -> None:
    choices = drive(simulate(plan()), obedient).choices
    counted = [tuple(scores(text) for text in choice.texts) for choice in choices]
    assert [choice.evidence.scores for choice in choices] == counted
    assert any(first["short"] != second["short"] for first, second in counted)


def test_where_every_pair_comes_out_alike_it_ends_with_a_sentence() -> None:
    with pytest.raises(EngineError, match="nothing to vote on"):
        drive(simulate(plan()), lambda _: "Always the very same words.")


def test_a_question_is_the_same_for_every_serving_but_for_its_steering() -> None:
    pulls = learn([]).contrast().arms[0].pulls
    plain, pulled = (question("Why?", Serving(pulls=p), plan().sampling) for p in ((), pulls))
    assert replace(plain, steering=pulled.steering, embed=pulled.embed) == pulled


def test_regret_is_what_is_missing_to_the_best_point() -> None:
    base = drive(simulate(plan()), obedient).points[0]

    def at(votes: int, utility: float) -> Point:
        return replace(base, votes=votes, utility=utility)

    found = curve([at(0, -1.0), at(5, 2.0), at(10, 1.5)])
    assert [point.regret for point in found] == [3.0, 0.0, 0.5]


def test_a_standard_simulation_ends_at_its_last_vote() -> None:
    made = standard("brief", votes=7, seed=0, questions=3, learner="utilities", width=lambda: 0)
    assert made.checkpoints == (0, 5, 7)
    assert len(made.held_out) == 3
    with pytest.raises(InvalidParameter, match="nobody"):
        standard("nobody", votes=1, seed=0, questions=1, learner="utilities", width=lambda: 0)
