import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine.errors import AlreadyVoted, InvalidParameter, UnknownDuel, UnknownTrait
from engine.preference.traits import BUILT_IN, MAX_TRAITS
from engine.session.learning import Answering, Learning, Manner, _sentence
from engine.store.record import Record, StoredAnswer, StoredDuel
from engine.types.learning import Learned, LearnerName, Moved

ANSWERING = Answering(id="m", width=0)
UTILITIES = Manner(learner="utilities", fade=None, neutral=False)


def stored(**utilities: float) -> StoredAnswer:
    named = {name.replace("_more", "+").replace("_less", "-"): v for name, v in utilities.items()}
    return StoredAnswer(text="", finish="end", tokens=9, utilities=named)


def a_duel(name: str, *, trait: str = "short", model: str = "m") -> StoredDuel:
    """The first answer leans to `more`, the second to `less`."""
    first = stored(**{f"{trait}_more": 12.0})
    second = stored(**{f"{trait}_less": 9.0})
    return StoredDuel(
        id=name,
        at=1.0,
        model=model,
        learner="utilities",
        trait=trait,
        why="",
        question="Why?",
        answers=(first, second),
        swapped=False,
        detail={},
    )


@dataclass
class Case:
    """A record with what is learned from it."""

    record: Record
    manner: Manner = UTILITIES
    model: Answering = ANSWERING
    learning: Learning = field(init=False)

    def __post_init__(self) -> None:
        self.learning = Learning(self.record, manner=lambda: self.manner, model=lambda: self.model)

    def hold(self, *names: str, trait: str = "short") -> None:
        for name in names:
            self.record.open_duel(a_duel(name, trait=trait))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    record = Record(tmp_path / "record.db", clock=lambda: 7.0)
    yield Case(record)
    record.close()


def weights(learning: Learning) -> dict[str, float]:
    return {t.trait.id: t.weight for t in learning.learned().traits}


def test_a_vote_says_what_moved_and_how_sure(case: Case) -> None:
    case.hold("a")
    voted = case.learning.vote("a", "first")
    assert voted.sentence.startswith("Shorter answers: 50 % → ")
    assert voted.sentence.endswith(" % sure.")
    moved = voted.changed[0]
    assert (moved.trait, moved.pole) == ("short", "shorter answers")
    assert moved.before == pytest.approx(0.5, abs=0.03)
    assert moved.after > 0.7
    assert voted.learned.votes == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ([("short", 0.5, 0.7)], "Shorter answers: 50 % → 70 % sure."),
        ([("short", 0.5, 0.503)], "Shorter answers: still 50 % sure."),
        (
            [("short", 0.5, 0.51), ("lists", 0.6, 0.65), ("warm", 0.62, 0.76)],
            "Shorter answers: 50 % → 51 % sure; a warm tone: 62 % → 76 %.",
        ),
        (
            [("short", 0.5, 0.51), ("lists", 0.82, 0.71)],
            "Shorter answers: 50 % → 51 % sure; bulleted lists: 82 % → 71 %.",
        ),
    ],
)
def test_one_line_says_what_was_asked_about_and_what_else_moved_a_lot(
    changed: list[tuple[str, float, float]], said: str
) -> None:
    poles = {"short": "shorter answers", "lists": "bulleted lists", "warm": "a warm tone"}
    moved = tuple(Moved(trait=t, pole=poles[t], before=b, after=a) for t, b, a in changed)
    now = Learned(traits=(), learner="utilities", neutral=False, votes=1, to_settle=0)
    assert _sentence(moved, now, asked="short", outcome="first") == said


def test_a_vote_for_the_other_pole_is_said_in_its_words(case: Case) -> None:
    case.hold("a")
    assert "Longer answers: 50 % → " in case.learning.vote("a", "second").sentence


def with_lists(name: str, *counted: float) -> StoredDuel:
    """Also heard: the first answer seems to be a list, and the second does not."""
    heard = a_duel(name)
    first, second = (
        replace(answer, utilities=answer.utilities | {"lists+": phi}, scores={"lists": count})
        for answer, phi, count in zip(heard.answers, (12.0, -12.0), counted, strict=True)
    )
    return replace(heard, answers=(first, second))


def test_a_vote_tells_of_lists_where_the_answer_that_was_liked_has_them(case: Case) -> None:
    case.record.open_duel(with_lists("a", 0.6, 0.0))
    case.learning.vote("a", "first")
    assert weights(case.learning)["lists"] > 0.2


def test_a_vote_tells_nothing_of_lists_where_there_are_none(case: Case) -> None:
    case.record.open_duel(with_lists("a", 0.0, 0.0))
    assert case.learning.vote("a", "first").changed[0].trait == "short"
    assert weights(case.learning)["lists"] == pytest.approx(0.0, abs=0.03)


def test_equal_and_neither_have_their_own_words(case: Case) -> None:
    case.hold("a", "b")
    assert case.learning.vote("a", "equal").sentence
    assert case.learning.vote("b", "neither").sentence


def test_a_vote_that_cannot_count_changes_nothing(case: Case) -> None:
    case.hold("a")
    case.learning.vote("a", "first")
    before = case.learning.learned()
    with pytest.raises(AlreadyVoted):
        case.learning.vote("a", "second")
    with pytest.raises(UnknownDuel):
        case.learning.vote("b", "first")
    assert case.learning.learned() == before


def test_undo_takes_back_exactly_what_the_vote_did(case: Case) -> None:
    case.hold("a", "b")
    case.learning.vote("a", "first")
    before = case.learning.learned()
    case.learning.vote("b", "second")
    case.learning.undo()
    assert case.learning.learned() == before


def test_what_can_be_undone_is_said_in_words(case: Case) -> None:
    case.hold("a")
    case.learning.vote("a", "first")
    assert case.learning.learned().undoable == "the vote on shorter or longer answers"
    assert case.learning.undo() == "the vote on shorter or longer answers"


def test_the_learned_state_is_derived_and_can_be_rebuilt(case: Case) -> None:
    case.hold("a", "b", "c")
    for name in "abc":
        case.learning.vote(name, "first")
    before = case.learning.learned()
    assert case.learning.rebuild() == before
    assert Case(case.record).learning.learned() == before


def test_what_another_process_voted_counts_at_once(case: Case, tmp_path: Path) -> None:
    case.hold("a")
    assert case.learning.learned().votes == 0
    other = Record(tmp_path / "record.db", clock=lambda: 8.0)
    other.vote("a", "first")
    other.close()
    assert case.learning.learned().votes == 1


def test_a_forgotten_trait_is_as_before_any_vote(case: Case) -> None:
    case.hold("a", "b")
    case.hold("c", trait="warm")
    for name in "abc":
        case.learning.vote(name, "first")
    case.record.forget("short")
    found = weights(case.learning)
    assert found["short"] == pytest.approx(0, abs=0.05)
    assert found["warm"] > 0.2
    case.hold("d")
    case.learning.vote("d", "first")
    assert weights(case.learning)["short"] > 0.2, "votes from now on count"


def test_a_removed_trait_neither_steers_nor_is_shown_and_comes_back_with_its_votes(
    case: Case,
) -> None:
    case.hold("a", "b")
    for name in "ab":
        case.learning.vote(name, "first")
    before = case.learning.learned()
    case.record.remove_trait("short")
    assert "short" not in weights(case.learning)
    assert case.learning.serving().pulls == ()
    case.record.add_trait(case.learning.find("short"))
    assert weights(case.learning) == {t.trait.id: t.weight for t in before.traits}


def test_with_every_trait_removed_nothing_is_asked_and_nothing_breaks(case: Case) -> None:
    for trait in BUILT_IN:
        case.record.remove_trait(trait.id)
    assert case.learning.contrast() is None
    assert case.learning.serving().pulls == ()
    assert case.learning.learned().traits == ()


def test_a_trait_in_own_words_is_learned_like_the_others(case: Case) -> None:
    learned = case.learning.add_trait("Explain like a pirate.")
    own = next(known.trait for known in learned.traits if known.trait.own)
    assert own.id in weights(case.learning)
    assert case.learning.find(own.id) == own
    with pytest.raises(InvalidParameter):
        case.learning.add_trait("Explain like a pirate.")


def test_an_unknown_trait_is_named_with_those_there_are(case: Case) -> None:
    with pytest.raises(UnknownTrait, match=r"'rhyme'.*short"):
        case.learning.find("rhyme")


def test_past_votes_come_newest_first_and_by_trait(case: Case) -> None:
    case.hold("a")
    case.hold("b", trait="warm")
    for name in "ab":
        case.learning.vote(name, "first")
    assert [vote.duel for vote in case.learning.past_votes()] == ["b", "a"]
    assert [vote.duel for vote in case.learning.past_votes("short")] == ["a"]


def test_forgotten_votes_are_no_longer_behind_their_trait(case: Case) -> None:
    case.hold("a", "c")
    case.hold("b", trait="warm")
    for name in "ab":
        case.learning.vote(name, "first")
    case.record.forget("short")
    case.learning.vote("c", "first")
    assert [vote.duel for vote in case.learning.past_votes("short")] == ["c"]
    assert [vote.duel for vote in case.learning.past_votes("warm")] == ["b"]
    assert [vote.duel for vote in case.learning.past_votes()] == ["c", "b", "a"]
    for found in case.learning.learned().traits:
        past = case.learning.past_votes(found.trait.id)
        assert found.votes == tuple(vote.duel for vote in reversed(past)), "both say the same"


def test_only_a_removed_trait_can_be_brought_back(case: Case) -> None:
    with pytest.raises(InvalidParameter, match="'short' is asked about already"):
        case.learning.restore_trait("short")
    with pytest.raises(UnknownTrait):
        case.learning.restore_trait("rhyme")
    assert case.learning.learned().undoable == "", "nothing is on record"


def test_a_trait_is_not_brought_back_where_there_are_too_many(case: Case) -> None:
    case.record.remove_trait("short")
    for number in range(MAX_TRAITS - len(BUILT_IN) + 1):
        case.learning.add_trait(f"Mention the number {number}.")
    with pytest.raises(InvalidParameter, match="12 traits are asked about"):
        case.learning.restore_trait("short")
    case.record.remove_trait("warm")
    case.learning.restore_trait("short")
    assert len(case.learning.learned().traits) == MAX_TRAITS


def test_what_is_damaged_is_counted_and_the_newest_vote_is_named(
    case: Case, tmp_path: Path
) -> None:
    case.hold("a", "b")
    for name in "ab":
        case.learning.vote(name, "first")
    with closing(sqlite3.connect(tmp_path / "record.db")) as connection, connection:
        connection.execute("UPDATE duels SET body = '{' WHERE id = 'a'")
    learned = case.learning.learned()
    assert (learned.votes, learned.unreadable, learned.newest_vote) == (1, 1, "b")
    case.record.forget("short")
    assert case.learning.learned().newest_vote == ""


@pytest.mark.parametrize(
    ("first", "second"),
    [(b"odd", b"odd"), (bytes(24), bytes(20)), (bytes(24), b""), (bytes(23), bytes(24))],
)
@pytest.mark.parametrize("learner", ["utilities", "neural"])
def test_embeddings_that_do_not_fit_are_as_none(
    case: Case, learner: LearnerName, first: bytes, second: bytes
) -> None:
    case.manner, case.model = replace(UTILITIES, learner=learner), Answering(id="m", width=6)
    one, other = a_duel("a").answers
    answers = replace(one, embedding=first), replace(other, embedding=second)
    case.record.open_duel(replace(a_duel("a"), answers=answers))
    assert case.learning.vote("a", "first").learned.votes == 1
    assert case.learning.serving().reward is None


def test_votes_teach_another_model_too(case: Case) -> None:
    case.hold("a", "b")
    for name in "ab":
        case.learning.vote(name, "first")
    case.model = Answering(id="another", width=0)
    assert weights(case.learning)["short"] > 0.3


@pytest.mark.parametrize("learner", ["utilities", "neural"])
def test_each_form_answers_the_same_calls(case: Case, learner: LearnerName) -> None:
    case.manner = replace(UTILITIES, learner=learner)
    case.model = Answering(id="m", width=6)
    case.hold("a")
    voted = case.learning.vote("a", "first")
    assert voted.sentence
    assert voted.learned.learner == learner
    contrast = case.learning.contrast()
    assert contrast is not None
    assert contrast.why
    assert len(contrast.arms) == 2
