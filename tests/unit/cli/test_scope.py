"""Whether votes teach, and what they taught acts, in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.types.answers import Question
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.cli.records import put_duel, record
from tests.unit.conftest import remember


@pytest.mark.parametrize(
    ("argv", "saved", "personal"),
    [
        ((), "everywhere", True),
        ((), "chat", False),
        ((), "off", False),
        (("--scope", "off"), "everywhere", False),
        (("--scope", "everywhere"), "off", True),
    ],
)
def test_what_was_learned_acts_where_it_is_to(
    attune: Attune,
    follow: Follow,
    data: Path,
    questions: list[Question],
    argv: tuple[str, ...],
    saved: str,
    personal: bool,
) -> None:
    remember(data, scope=saved)
    assert attune("ask", "Why?", *argv).code == 0
    assert [question.personal for question in questions] == [personal]


def test_a_duel_where_nothing_is_learned_is_refused_with_the_way_on(
    attune: Attune, follow: Follow, data: Path
) -> None:
    remember(data, scope="off")
    refused = attune("duel", "Why?")
    assert refused.code == 1
    assert "--scope everywhere" in refused.err
    assert attune("duel", "Why?", "--scope", "everywhere").code == 0
    assert attune("duel", "Why?", "--scope", "chat").code == 2, "no chat is kept here"


def test_a_vote_that_counts_in_its_chat_only_is_marked(attune: Attune, data: Path) -> None:
    put_duel(data, "beef0000")
    with record(data) as votes:
        votes.vote("beef0000", "first", chat="c1", local=True)
    assert "(in its chat only)" in attune("profile", "votes").out
    (vote,) = attune("profile", "votes", "--json").json["votes"]
    assert vote["local"] is True
    assert attune("profile", "show", "--json").json["votes"] == 0
