"""How far what is learned in a chat goes: which votes count for which answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import Settings
from engine.errors import InputError
from engine.preference.learner import Serving
from engine.session.learning import Answering, Learning, Manner
from engine.session.profiles import Profiles
from engine.store import database, profile
from engine.store.record import Record
from engine.types.learning import LearnerName
from engine.types.scope import EVERYWHERE, Reach, Scope
from tests.unit.session.test_learning import a_duel

HERE, THERE = "chat-here", "chat-there"


@dataclass
class Case:
    """A record with what is learned from it."""

    record: Record
    learner: LearnerName = "utilities"

    def __post_init__(self) -> None:
        self.learning = Learning(
            self.record,
            manner=lambda: Manner(learner=self.learner, fade=None, neutral=False),
            model=lambda: Answering(id="m", width=0),
        )

    def vote(self, id: str, reach: Reach = EVERYWHERE, *, trait: str = "short") -> str:
        self.record.open_duel(a_duel(id, trait=trait))
        return self.learning.vote(id, "first", reach=reach).sentence

    def theta(self, reach: Reach = EVERYWHERE, *, trait: str = "short") -> float:
        return next(
            t.theta for t in self.learning.learned(reach=reach).traits if t.trait.id == trait
        )

    def votes(self, reach: Reach = EVERYWHERE) -> int:
        return self.learning.learned(reach=reach).votes


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    fast = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    record = Record(tmp_path / "record.db", clock=lambda: 7.0)
    yield Case(record)
    record.close()


def reach(scope: Scope, chat: str = HERE) -> Reach:
    return Reach(chat=chat, scope=scope)


def test_a_vote_teaches_every_chat_unless_it_is_kept_to_its_own(case: Case) -> None:
    case.vote("a", reach("everywhere"))
    assert case.theta() == case.theta(reach("everywhere", THERE)) > 0.0
    before = case.theta()
    case.vote("b", reach("chat"))
    assert (case.theta(), case.votes()) == (before, 1)
    assert case.theta(reach("chat", THERE)) == 0.0


def test_in_a_chat_of_its_own_only_the_votes_of_that_chat_act(case: Case) -> None:
    case.vote("elsewhere", reach("everywhere", THERE), trait="lists")
    assert case.theta(trait="lists") > 0.0
    assert case.theta(reach("chat"), trait="lists") == 0.0
    case.vote("here", reach("chat"))
    assert case.theta(reach("chat")) > 0.0
    assert case.learning.serving(reach("chat")) != Serving()
    assert [p.trait for p in case.learning.serving(reach("chat")).pulls] == ["short"]
    assert [p.trait for p in case.learning.serving().pulls] == ["lists"]


def test_votes_given_before_the_chat_kept_to_itself_go_on_counting_in_both(case: Case) -> None:
    case.vote("a", reach("everywhere"))
    assert case.votes(reach("chat")) == case.votes() == 1
    case.vote("b", reach("chat"))
    assert (case.votes(reach("chat")), case.votes()) == (2, 1)
    assert case.votes(reach("everywhere")) == 1, "back again, what was kept to the chat stays so"


def test_where_learning_is_off_nothing_acts_and_no_vote_is_taken(case: Case) -> None:
    case.vote("a", reach("everywhere"))
    case.record.open_duel(a_duel("b"))
    off = reach("off")
    assert case.learning.serving(off) == Serving()
    assert case.learning.contrast(reach=off) is None
    with pytest.raises(InputError, match="Nothing is learned in this chat"):
        case.learning.vote("b", "first", reach=off)
    assert (case.votes(off), case.votes()) == (0, 1)


def test_a_chat_that_is_kept_nowhere_has_no_votes_of_its_own(case: Case) -> None:
    case.vote("a")
    nowhere = reach("chat", "")
    assert case.votes(nowhere) == 0
    assert case.learning.contrast(reach=nowhere) is None
    case.record.open_duel(a_duel("b"))
    with pytest.raises(InputError):
        case.learning.vote("b", "first", reach=nowhere)


def test_what_moved_is_told_of_the_chat_and_what_is_known_of_everywhere(case: Case) -> None:
    for id in ("a", "b", "c"):
        case.vote(id, reach("everywhere", THERE))
    sure = case.learning.learned().traits[0].sure
    assert sure > 0.9
    case.record.open_duel(a_duel("d"))
    voted = case.learning.vote("d", "first", reach=reach("chat"))
    assert voted.sentence.startswith("Shorter answers: 50 % → ")
    assert (voted.learned.scope, voted.learned.votes) == ("everywhere", 3)
    assert case.learning.learned(reach=reach("chat")).scope == "chat"


def test_local_votes_are_listed_marked_and_can_be_deleted(case: Case) -> None:
    case.vote("a", reach("everywhere"))
    case.vote("b", reach("chat"))
    assert [(v.duel, v.local) for v in case.learning.past_votes()] == [("b", True), ("a", False)]
    assert [vote.duel for vote in case.learning.past_votes("short")] == ["a"]
    case.record.withdraw("b")
    assert case.votes(reach("chat")) == 1
    assert case.learning.undo() == "the deletion of the vote on shorter or longer answers"
    assert case.votes(reach("chat")) == 2


def test_what_is_known_follows_the_record_in_every_scope(case: Case) -> None:
    case.vote("a", reach("chat"))
    first = case.theta(reach("chat"))
    case.vote("b", reach("chat", THERE))
    assert case.theta(reach("chat")) == first
    assert case.theta(reach("chat", THERE)) > 0.0
    case.record.undo()
    assert case.theta(reach("chat", THERE)) == 0.0
    case.record.undo()
    assert case.theta(reach("chat")) == 0.0


def test_the_other_form_of_learning_keeps_to_the_chat_too(case: Case) -> None:
    case.learner = "neural"
    case.vote("a", reach("everywhere"))
    assert case.votes(reach("chat", THERE)) == 0
    assert case.learning.serving(reach("off")) == Serving()


PLACES = st.builds(
    Reach, chat=st.sampled_from([HERE, THERE]), scope=st.sampled_from(["everywhere", "chat"])
)


@settings(max_examples=25)
@given(st.lists(PLACES, max_size=6))
def test_which_votes_count_where_is_what_the_plain_rule_says(
    tmp_path_factory: pytest.TempPathFactory, places: list[Reach]
) -> None:
    folder = tmp_path_factory.mktemp("rule")
    case = Case(Record(folder / "record.db", clock=lambda: 7.0))
    try:
        for number, place in enumerate(places):
            case.vote(f"d{number}", place)
        assert case.votes() == sum(place.scope == "everywhere" for place in places)
        for chat in (HERE, THERE):
            assert case.votes(reach("chat", chat)) == sum(place.chat == chat for place in places)
            assert case.votes(reach("off", chat)) == 0
    finally:
        case.record.close()


def test_a_profile_holds_what_counts_everywhere_and_nothing_else(
    case: Case, tmp_path: Path
) -> None:
    case.vote("0000000a", reach("everywhere"))
    case.vote("0000000b", reach("chat"))
    profiles = Profiles(
        case.record, settings=Settings, change=lambda **_: Settings(), note=tmp_path / "note",
        clock=lambda: 7.0,
    )  # fmt: skip
    found = profiles.export(tmp_path / "mine.attune-profile")
    assert found.votes == 1
    written = profile.read(tmp_path / "mine.attune-profile")
    assert [vote.duel for vote in written.votes] == ["0000000a"]
    assert HERE not in (tmp_path / "mine.attune-profile").read_text(encoding="utf-8")
