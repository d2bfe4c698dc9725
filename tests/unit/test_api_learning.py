"""The one door, its learning half: when two answers are shown, what a vote does, what may fail."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Engine
from engine.errors import (
    AlreadyVoted,
    DamagedRecord,
    InvalidParameter,
    NothingToUndo,
    UnknownDuel,
    UnknownTrait,
)
from engine.types.answers import Answer, Chunk, Question
from engine.types.learning import Duel, Trait
from engine.types.work import Notice
from tests.fakes.asking import question
from tests.fakes.host import Trouble
from tests.unit.conftest import MakeEngine, remember

ASKED = replace(question("How do I keep basil alive?"), personal=True)
TEXTS = ("Water it.", "Give it a warm and bright place, and water it often.")
DIE = Trouble(at="decode", signal=signal.SIGKILL, tokens=4, times=1)


def started(make_engine: MakeEngine, **changes: object) -> Engine:
    engine = make_engine(**changes)
    for _ in engine.start():
        pass
    return engine


def hold(engine: Engine, asked: Question = ASKED) -> Duel:
    duels = [event for event in engine.duel(asked) if isinstance(event, Duel)]
    assert len(duels) == 1
    return duels[0]


def ask(engine: Engine, asked: Question = ASKED) -> Answer:
    (answer,) = (event for event in engine.answer(asked) if isinstance(event, Answer))
    return answer


def test_a_vote_changes_the_next_answer_and_undo_changes_it_back(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    assert ask(engine).streams == 1
    voted = engine.learning.vote(hold(engine).id, "first")
    assert voted.sentence
    assert [t.trait.id for t in voted.learned.traits if t.theta] == ["short"]
    assert ask(engine).streams == 2
    assert engine.learning.undo() == "the vote on shorter or longer answers"
    assert ask(engine).streams == 1


def test_a_neutral_question_is_never_steered(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    engine.learning.vote(hold(engine).id, "first")
    assert ask(engine, replace(ASKED, personal=False)).streams == 1


def test_both_answers_stream_side_by_side(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    chunks = [event for event in engine.duel(ASKED) if isinstance(event, Chunk)]
    assert {chunk.answer for chunk in chunks} == {0, 1}
    turns = [chunk.answer for chunk in chunks[:6]]
    assert turns in ([0, 1] * 3, [1, 0] * 3), "neither waits for the other"


def test_two_answers_come_at_most_as_often_as_the_owner_allows(make_engine: MakeEngine) -> None:
    assert doubled(started(make_engine), questions=8) == [2, 5, 8]


@pytest.mark.parametrize(
    ("every", "when"), [(0, []), (1, [1, 2, 3, 4]), (2, [2, 4]), (3, [2]), (9, [2])]
)
def test_the_first_two_answers_come_with_the_second_question_of_a_run(
    make_engine: MakeEngine, data: Path, every: int, when: list[int]
) -> None:
    remember(data, duel_every=every)
    assert doubled(started(make_engine), questions=4) == when


def doubled(engine: Engine, *, questions: int) -> list[int]:
    """Which of so many questions got two answers, from 1."""
    shown = []
    for number in range(1, questions + 1):
        if engine.wants_duel():
            shown.append(number)
            hold(engine)
        else:
            ask(engine)
    return shown


@pytest.mark.parametrize("changes", [{"duel_every": 0}, {"neutral": True}])
def test_who_does_not_want_two_answers_never_gets_them(
    make_engine: MakeEngine, changes: dict[str, object]
) -> None:
    engine = started(make_engine)
    engine.change(**changes)
    assert engine.wants_duel() == ""


def test_a_vote_counts_once_and_on_a_duel_that_was_held(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    duel = hold(engine).id
    engine.learning.vote(duel, "second")
    with pytest.raises(AlreadyVoted):
        engine.learning.vote(duel, "first")
    with pytest.raises(UnknownDuel, match="'nothing'"):
        engine.learning.vote("nothing", "first")
    assert engine.learning.learned().votes == 1


def test_a_duel_whose_child_dies_keeps_its_texts_and_cannot_be_voted_on(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    trouble = replace(DIE, count=str(tmp_path / "count"))
    engine = started(make_engine, troubles=(trouble,))
    duel = hold(engine)
    assert (duel.id, duel.verdict) == ("", "cut")
    assert engine.learning.learned().votes == 0
    assert hold(engine).verdict != "cut", "the child is back"


def test_votes_need_no_model_and_survive_a_restart(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    duel = hold(engine).id
    engine.close()
    again = make_engine()
    again.learning.vote(duel, "first")
    assert again.learning.learned().votes == 1
    assert [vote.duel for vote in again.learning.past_votes("short")] == [duel]


def test_texts_are_kept_only_if_the_owner_says_so_and_can_be_dropped(
    make_engine: MakeEngine,
) -> None:
    engine = started(make_engine)
    engine.learning.vote(hold(engine).id, "first")
    engine.change(keep_texts=True)
    engine.learning.vote(hold(engine).id, "first")
    kept, secret = engine.learning.past_votes()
    assert kept.question == "How do I keep basil alive?"
    assert all(kept.answers)
    assert (secret.question, secret.answers) == ("", ("", ""))
    engine.learning.drop_texts()
    assert {vote.question for vote in engine.learning.past_votes()} == {""}
    assert engine.learning.learned().votes == 2


def test_a_trait_is_added_removed_brought_back_and_forgotten(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    learned = engine.learning.add_trait("Write like a pirate.")
    own = next(t.trait for t in learned.traits if t.trait.own)

    def ids(traits: tuple[Trait, ...]) -> set[str]:
        return {trait.id for trait in traits}

    learned = engine.learning.remove_trait(own.id)
    assert own.id in ids(learned.removed)
    learned = engine.learning.restore_trait(own.id)
    assert own.id in ids(tuple(t.trait for t in learned.traits))
    with pytest.raises(InvalidParameter, match="is asked about already"):
        engine.learning.restore_trait(own.id)
    with pytest.raises(UnknownTrait):
        engine.learning.forget_trait("nothing")
    with pytest.raises(InvalidParameter):
        engine.learning.add_trait("Always agree with me.")


def test_starting_over_can_be_undone(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    engine.learning.vote(hold(engine).id, "first")
    before = engine.learning.learned()
    assert engine.learning.reset().votes == 0
    engine.learning.undo()
    assert engine.learning.learned() == before
    assert engine.learning.rebuild() == before


def test_deleting_a_vote_takes_back_what_it_did(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    duel = hold(engine).id
    engine.learning.vote(duel, "first")
    assert engine.learning.delete_vote(duel).votes == 0
    assert ask(engine).streams == 1


def test_with_nothing_to_undo_a_sentence_says_so(make_engine: MakeEngine) -> None:
    with pytest.raises(NothingToUndo):
        make_engine().learning.undo()


def test_a_record_that_cannot_be_read_leaves_answers_unsteered_and_says_so_once(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "record.db").write_bytes(b"this is no database at all, not even a little" * 99)
    engine = started(make_engine)
    assert engine.wants_duel() == ""
    first = [event for event in engine.answer(ASKED) if isinstance(event, Notice)]
    assert [notice.code for notice in first] == ["learning_unavailable"]
    assert [e for e in engine.answer(ASKED) if isinstance(e, Notice)] == []
    with pytest.raises(DamagedRecord):
        engine.learning.learned()


@pytest.mark.parametrize("learner", ["utilities", "neural"])
def test_a_simulated_owner_votes_and_is_measured(make_engine: MakeEngine, learner: str) -> None:
    engine = started(make_engine)
    engine.change(learner=learner)
    *answers, curve = engine.simulate("brief", votes=2, seed=1, questions=2)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert isinstance(curve, tuple)
    assert [point.votes for point in curve] == [0, 2]
    assert all(0 <= point.win_rate <= 1 for point in curve)
    assert curve[0].win_rate == 0.5, "the untouched model against itself"
    assert engine.learning.learned().votes == 0, "the owner's own record is left alone"


@pytest.mark.parametrize(
    ("owner", "votes", "questions"), [("nobody", 1, 1), ("brief", 0, 1), ("brief", 1, 17)]
)
def test_a_simulation_that_makes_no_sense_is_refused_at_once(
    make_engine: MakeEngine, owner: str, votes: int, questions: int
) -> None:
    with pytest.raises(InvalidParameter):
        make_engine().simulate(owner, votes=votes, seed=0, questions=questions)
