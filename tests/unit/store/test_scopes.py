"""Votes that count in their chats only, and files from before there were any."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import InvalidParameter, NewerRecord, UnknownChat
from engine.store import chat_tables, schema
from engine.store.changes import Carried, Import, Taste
from engine.store.chats import ChatStore
from engine.store.record import Record, Standing
from tests.unit.store.conftest import OpenRecord, duel

FIXTURES = Path(__file__).parents[2] / "fixtures"
PLAIN = Taste(preferences=(), gamma=2.0, neutral=False, sliders={}, fade=None)


def voted(record: Record, id: str, *, chat: str = "", local: bool = False) -> None:
    record.open_duel(duel(id, at=float(ord(id[-1]))))
    record.vote(id, "first", chat=chat, local=local)


def told(standing: Standing) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Ids and chats of the votes that count everywhere, and of those that do not."""
    everywhere, local = standing.ballots, standing.local
    return [(b.duel.id, b.chat) for b in everywhere], [(b.duel.id, b.chat) for b in local]


def brought(*ids: str, replace: bool) -> Import:
    votes = tuple(Carried(duel=id, outcome="second") for id in ids)
    return Import(
        name="x", replace=replace, votes=votes, traits=(), removed=(), before=PLAIN, after=PLAIN
    )


# Votes --------------------------------------------------------------------------------------


def test_a_vote_carries_its_chat_and_how_far_it_counts(
    record: Record, open_record: OpenRecord
) -> None:
    voted(record, "d1")
    voted(record, "d2", chat="c1")
    voted(record, "d3", chat="c1", local=True)
    voted(record, "d4", chat="c2", local=True)
    everywhere, local = told(record.standing())
    assert everywhere == [("d1", ""), ("d2", "c1")]
    assert local == [("d3", "c1"), ("d4", "c2")]
    assert told(open_record().standing()) == (everywhere, local), "and it is on the disk"


def test_a_local_vote_is_undone_deleted_and_reset_like_others(record: Record) -> None:
    voted(record, "d1", chat="c1", local=True)
    before = record.standing()
    assert (before.undoable, before.newest_vote) == ("the vote on concise", "d1")
    record.undo()
    assert told(record.standing()) == ([], [])
    record.vote("d1", "second", chat="c1", local=True)
    record.withdraw("d1")
    assert told(record.standing()) == ([], [])
    record.undo()
    assert told(record.standing()) == ([], [("d1", "c1")])
    record.reset()
    assert told(record.standing()) == ([], [])
    record.undo()
    assert told(record.standing()) == ([], [("d1", "c1")])


def test_a_damaged_local_vote_is_counted_as_unreadable(record: Record, path: Path) -> None:
    voted(record, "d1", chat="c1", local=True)
    voted(record, "d2", chat="c1", local=True)
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE duels SET body = 'no' WHERE id = 'd1'")
    standing = record.standing()
    assert (told(standing)[1], standing.unreadable) == ([("d2", "c1")], 1)


@pytest.mark.parametrize("replace", [False, True])
def test_an_import_leaves_votes_that_are_kept_to_a_chat_alone(
    record: Record, replace: bool
) -> None:
    voted(record, "d1")
    voted(record, "d2", chat="c1", local=True)
    record.forget("warm")
    before = record.standing()
    record.import_(brought("d2", "d3", replace=replace), [duel("d3")], committing=lambda n: None)
    after = record.standing()
    assert after.local == before.local
    assert after.forgotten == before.forgotten, "the local vote still says nothing about it"
    assert [b.duel.id for b in after.ballots] == (["d3"] if replace else ["d1", "d3"])
    record.undo()
    assert record.standing() == before


# The record of the version before -----------------------------------------------------------


def test_a_record_of_the_second_version_is_brought_along(path: Path, record: Record) -> None:
    shutil.copy(FIXTURES / "record-v2.db", path)
    standing = record.standing()
    assert [(b.duel.id, b.outcome, b.change, b.chat) for b in standing.ballots] == [
        ("0000000b", "first", 8, ""), ("00000000", "first", 1, ""), ("00000002", "second", 4, ""),
        ("00000003", "neither", 10, ""),
    ]  # fmt: skip
    assert standing.local == ()
    assert standing.removed == {"figures", "short"}
    assert standing.forgotten == {"warm": 7}
    assert [number for number, _ in standing.overrides] == [9]
    assert standing.ballots[0].duel.trait == "", "what the import muted stays so"
    record.vote("00000001", "first", chat="c1", local=True)
    assert told(record.standing())[1] == [("00000001", "c1")]
    assert record.undo() == "the vote on concise"
    assert record.undo() == "the vote on concise"
    assert record.undo() == "the choice of another setting"
    assert record.undo() == 'the import of "old"'


def test_of_a_record_of_the_second_version_a_copy_is_kept_that_it_can_still_read(
    path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FIXTURES / "record-v2.db", path)
    standing = record.standing()
    record.close()
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
    kept = Record(path.with_name("record.db.before-v3"), clock=lambda: 0.0)
    assert kept.standing() == standing
    kept.close()
    with pytest.raises(NewerRecord):  # it would take a local vote for one that counts everywhere
        Record(path, clock=lambda: 0.0).standing()


# Chats --------------------------------------------------------------------------------------


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[ChatStore]:
    store = ChatStore(tmp_path / "chats.db", clock=lambda: 5.0, rng=random.Random(1))
    yield store
    store.close()


def test_a_chat_says_how_far_it_goes_and_keeps_it(chats: ChatStore) -> None:
    usual, begun = chats.ask("One"), chats.ask("Two", scope="off")
    assert chats.open(usual.chat).chat.scope == "everywhere"
    assert chats.open(begun.chat).chat.scope == "off"
    chats.set_scope(usual.chat, "chat")
    assert {chat.id: chat.scope for chat in chats.chats(limit=9)} == {
        usual.chat: "chat", begun.chat: "off",
    }  # fmt: skip
    answer = chats.begin_answer(begun.id)
    chats.ask("Three", chat=begun.chat, parent=answer.id, scope="everywhere")
    assert chats.open(begun.chat).chat.scope == "off", "only a chat that begins takes it"


def test_what_is_no_scope_and_no_chat_is_refused(chats: ChatStore) -> None:
    asked = chats.ask("One")
    with pytest.raises(InvalidParameter, match="scope"):
        chats.set_scope(asked.chat, "nowhere")  # type: ignore[arg-type]
    with pytest.raises(UnknownChat):
        chats.set_scope("nothing", "off")


def test_a_chat_taken_out_and_in_again_keeps_its_scope(chats: ChatStore, tmp_path: Path) -> None:
    asked = chats.ask("One", scope="chat")
    (whole,) = chats.whole([asked.chat])
    other = ChatStore(tmp_path / "other.db", clock=lambda: 5.0, rng=random.Random(2))
    try:
        other.put([whole])
        assert other.open(asked.chat).chat.scope == "chat"
    finally:
        other.close()


def test_chats_of_the_first_version_are_brought_along(tmp_path: Path, chats: ChatStore) -> None:
    path = tmp_path / "chats.db"
    shutil.copy(FIXTURES / "chats-v1.db", path)
    pinned, first = chats.chats(limit=9)
    assert (pinned.title, pinned.pinned, pinned.scope) == ("Kept name", True, "everywhere")
    assert [m.text for m in chats.open(first.id).messages] == [
        "How do I keep basil alive?", "Water it.", "And mint?", "Mint needs",
    ]  # fmt: skip
    assert len(chats.ids(trash=True)) == 3
    (found,) = chats.search("mint", limit=9)
    assert found.chat.id == first.id
    chats.set_scope(first.id, "chat")
    assert chats.open(first.id).chat.scope == "chat"
    assert sorted(os.listdir(tmp_path)) == ["chats.db", "chats.db.before-v2"]
    with closing(sqlite3.connect(tmp_path / "chats.db.before-v2")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT count(*) FROM chats").fetchone() == (3,)


def test_the_tables_of_chats_brought_along_are_those_of_a_new_file(
    tmp_path: Path, chats: ChatStore
) -> None:
    shutil.copy(FIXTURES / "chats-v1.db", tmp_path / "chats.db")
    other = ChatStore(tmp_path / "new.db", clock=lambda: 5.0, rng=random.Random(2))
    chats.ids()
    other.ids()
    other.close()
    tables = []
    for name in ("chats.db", "new.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            columns = connection.execute("SELECT name, type FROM pragma_table_info('chats')")
            tables.append(columns.fetchall())
            version = connection.execute("PRAGMA user_version").fetchone()
            assert version == (len(chat_tables.KIND.migrations),)
    assert tables[0] == tables[1]
