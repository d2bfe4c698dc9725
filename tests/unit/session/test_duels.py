import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from engine.errors import InputError
from engine.inference.model import MAX_STREAMS
from engine.inference.variants import plan
from engine.preference.learner import WORTH, Serving, TraitPull
from engine.preference.scorers import scores
from engine.preference.traits import BUILT_IN
from engine.session.duels import Duels, steered, told
from engine.session.learning import Answering, Learning, Manner
from engine.session.supervisor import Supervisor
from engine.store.record import Record
from engine.types.answers import Answer, AnswerEvent, Chunk, Finish, Message, Question
from engine.types.learning import Duel
from engine.types.steering import MAX_PREFERENCES, Preference, Pull, Steering

QUESTION = Question(messages=(Message(role="user", text="Why?"),))
TEXTS = ("A short one.", "Here is a long and winding answer.\n\n- with\n- a list")


def answer(text: str, question: Question, *, finish: Finish = "end") -> Answer:
    """An answer whose streams like it as much as it is long."""
    return Answer(
        text=text,
        finish=finish,
        tokens=len(text.split()),
        streams=2,
        gamma=0.0,
        seed=question.sampling.seed or 0,
        used=9,
        context=99,
        model="m",
        utilities=tuple(float(len(text)) for _ in question.steering.pulls),
    )


class Scripted:
    """Answers with given texts, and remembers what was asked."""

    def __init__(self, *texts: str, finish: Finish = "end") -> None:
        self.texts, self.finish = texts, finish
        self.asked: tuple[Question, ...] = ()

    def answer(self, *questions: Question, seed: int) -> Iterator[AnswerEvent]:
        self.asked = questions
        for i, text in enumerate(self.texts):
            yield Chunk(text=text, tokens=1, answer=i)
        for text, question in zip(self.texts, questions, strict=True):
            yield answer(text, question, finish=self.finish)


class Case:
    """Duels on a record of their own."""

    def __init__(self, folder: Path, child: Scripted, *, seed: int = 0) -> None:
        self.child = child
        self.record = Record(folder / "record.db", clock=lambda: 7.0)
        self.learning = Learning(
            self.record,
            manner=lambda: Manner(learner="utilities", fade=None, neutral=False),
            model=lambda: Answering(id="m", width=0),
        )
        self.duels = Duels(
            cast(Supervisor, child),
            self.learning,
            clock=lambda: 7.0,
            rng=random.Random(seed),
        )

    def hold(self, *, keep_texts: bool = False, member: Question = QUESTION) -> Duel:
        *_, duel = self.duels.hold(QUESTION, member=member, seed=5, keep_texts=keep_texts)
        assert isinstance(duel, Duel)
        return duel


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Any]:
    cases: list[Case] = []

    def start(*texts: str, **how: Any) -> Case:
        seed = how.pop("seed", 0)
        cases.append(Case(tmp_path, Scripted(*texts, **how), seed=seed))
        return cases[-1]

    yield start
    for case in cases:
        case.record.close()


def test_a_duel_is_on_record_before_anybody_votes(held: Any) -> None:
    case = held(*TEXTS)
    duel = case.hold()
    stored = case.record.duel(duel.id)
    assert duel.verdict == "open"
    assert (stored.trait, stored.model, stored.why) == ("short", "m", duel.why)
    assert [a.tokens for a in stored.answers] == [a.tokens for a in duel.answers]


def test_what_can_be_measured_of_both_texts_is_on_record_without_them(held: Any) -> None:
    case = held(*TEXTS)
    duel = case.hold(keep_texts=False)
    stored = case.record.duel(duel.id)
    assert [answer.scores for answer in stored.answers] == [scores(a.text) for a in duel.answers]
    assert stored.answers[0].scores.keys() >= {"short", "lists"}
    assert [answer.text for answer in stored.answers] == ["", ""]


def test_a_member_answers_in_its_own_way_but_for_the_trait_that_is_asked_about(held: Any) -> None:
    by_id = {trait.id: trait for trait in BUILT_IN}
    warm, short = (
        replace(QUESTION, steering=Steering(method="amulet", preferences=(Preference(text=text),)))
        for text in (by_id["warm"].sentence, by_id["short"].sentence)
    )
    case = held(*TEXTS)
    case.hold(member=warm)
    assert [q.steering.preferences for q in case.child.asked] == [warm.steering.preferences] * 2
    pulled = [pull.sentence for q in case.child.asked for pull in q.steering.pulls]
    assert by_id["warm"].sentence not in pulled
    case.hold(member=short)  # which is what is asked about
    assert [q.steering.preferences for q in case.child.asked] == [(), ()]


def test_both_answers_have_one_seed_and_differ_by_their_pulls_alone(held: Any) -> None:
    case = held(*TEXTS)
    case.hold()
    first, second = case.child.asked
    assert first.sampling == second.sampling == replace(QUESTION.sampling, seed=5)
    assert first.steering.pulls != second.steering.pulls
    assert replace(first, steering=second.steering) == second


def test_texts_are_kept_only_where_the_owner_allows(held: Any) -> None:
    case = held(*TEXTS)
    kept, dropped = (case.record.duel(case.hold(keep_texts=k).id) for k in (True, False))
    assert (kept.question, kept.answers[0].text) == ("Why?", TEXTS[0])
    assert (dropped.question, dropped.answers[0].text, dropped.answers[1].text) == ("", "", "")


def test_sides_are_random_and_the_mapping_is_on_record(held: Any) -> None:
    more = BUILT_IN[0].sentence
    sides = set()
    for seed in range(12):
        case = held(*TEXTS, seed=seed)
        stored = case.record.duel(case.hold().id)
        first_leans_to_more = case.child.asked[0].steering.pulls[0].sentence == more
        assert stored.swapped is not first_leans_to_more
        assert next(iter(stored.answers[0].utilities)) == (
            "short+" if first_leans_to_more else "short-"
        )
        sides.add(stored.swapped)
    assert sides == {True, False}


def test_a_pair_that_came_out_alike_is_not_voted_on(held: Any) -> None:
    case = held("The very same words.", "The very same words.")
    duel = case.hold()
    assert (duel.id, duel.verdict) == ("", "same")
    assert case.learning.learned().votes == 0


def test_a_trait_that_came_out_alike_is_left_alone_until_another_one_was_shown(held: Any) -> None:
    case = held("The very same words.", "The very same words.")
    asked = []
    for _ in range(3):
        case.hold()
        asked.append(case.child.asked[0].steering.pulls[0].sentence)
    assert len(set(asked)) == 3
    case.child.texts = TEXTS
    case.hold()
    case.hold()
    assert case.child.asked[0].steering.pulls[0].sentence in {
        BUILT_IN[0].sentence,
        BUILT_IN[0].opposite,
    }


@pytest.mark.parametrize("finish", ["stopped", "interrupted"])
def test_a_duel_cut_short_is_not_voted_on_and_keeps_its_texts(held: Any, finish: Finish) -> None:
    duel = held(*TEXTS, finish=finish).hold()
    assert (duel.id, duel.verdict) == ("", "cut")
    assert [a.text for a in duel.answers] == list(TEXTS)


@pytest.mark.parametrize("finish", ["length", "context"])
def test_a_long_answer_can_be_voted_on(held: Any, finish: Finish) -> None:
    assert held(*TEXTS, finish=finish).hold().verdict == "open"


def test_with_nothing_left_to_ask_a_duel_is_refused_in_a_sentence(held: Any) -> None:
    case = held(*TEXTS)
    for trait in BUILT_IN:
        case.record.remove_trait(trait.id)
    assert case.duels.worth() == ""
    with pytest.raises(InputError, match="No trait is left"):
        case.hold()


def test_a_duel_is_worth_it_until_everything_is_settled(held: Any) -> None:
    case = held(*TEXTS)
    assert case.duels.worth()
    for trait in BUILT_IN[1:]:
        case.record.remove_trait(trait.id)
    for _ in range(40):
        if not case.duels.worth():
            break
        duel = case.hold()
        outcome = "second" if case.record.duel(duel.id).swapped else "first"
        case.learning.vote(duel.id, outcome)
    contrast = case.learning.contrast()
    assert contrast is not None
    assert contrast.information < WORTH


def test_what_was_learned_is_added_to_what_was_asked_for() -> None:
    pull = TraitPull(trait="t", pole=1, stream="t+", pull=Pull(sentence="Rhyme.", theta=1.5))
    question = steered(QUESTION, Serving(pulls=(pull,)))
    assert question.steering.pulls == (Pull(sentence="Rhyme.", theta=1.5),)
    assert replace(question, steering=QUESTION.steering) == QUESTION


def test_with_many_preferences_a_duel_still_has_a_stream_for_everything(held: Any) -> None:
    case = held(*TEXTS)
    stated = tuple(Preference(text=f"wish {i}") for i in range(MAX_PREFERENCES))
    steering = Steering(method="amulet", preferences=stated)
    question = replace(QUESTION, steering=steering)
    for _ in case.duels.hold(question, member=question, seed=5, keep_texts=False):
        pass
    chats = [plan(asked).chats for asked in case.child.asked]
    assert sum(map(len, chats)) <= MAX_STREAMS
    assert case.child.asked[0].steering.pulls[0] != case.child.asked[1].steering.pulls[0]


def test_utilities_are_told_by_stream() -> None:
    pulls = tuple(
        TraitPull(trait="t", pole=p, stream=s, pull=Pull(sentence="Rhyme.", theta=1.0))
        for p, s in ((1, "t+"), (-1, "t-"))
    )
    asked = steered(QUESTION, Serving(pulls=pulls))
    assert told(answer("four", asked), Serving(pulls=pulls)) == {"t+": 4.0, "t-": 4.0}
