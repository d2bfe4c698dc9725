"""What is said is kept as a tree; nothing is overwritten, and a chat is where it was left."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from engine.errors import (
    DamagedRecord,
    EmptyQuestion,
    InputError,
    InvalidParameter,
    InvalidText,
    NewerRecord,
    StorageError,
    UnknownChat,
    UnknownMessage,
)
from engine.paths import DataFolder
from engine.store import database
from engine.store.chat_rows import proposed_title
from engine.store.chats import TRASH_SECONDS, ChatStore
from engine.store.record import Record
from engine.types.chats import MessageState
from tests.unit.store.chat_stores import (
    Clock,
    OpenStore,
    answered,
    check_index,
    run,
    store_at,
    talk,
    texts,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return DataFolder(root=tmp_path).chats


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_store(path: Path, clock: Clock) -> Iterator[OpenStore]:
    """Further stores on the same file, as other processes have them."""
    opened: list[ChatStore] = []

    def open_one() -> ChatStore:
        opened.append(store_at(path, clock=clock, seed=len(opened)))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def store(open_store: OpenStore) -> ChatStore:
    return open_store()


# Saying -------------------------------------------------------------------------------------


def test_a_question_is_there_for_others_as_soon_as_it_is_asked(
    store: ChatStore, open_store: OpenStore
) -> None:
    asked = store.ask("How do I keep basil alive? I have little light.")
    (found,) = open_store().open(asked.chat).messages
    assert (found.id, found.role, found.text) == (asked.id, "user", asked.text)
    assert (found.parent, found.state, found.versions) == ("", "whole", (asked.id,))
    chat = open_store().open(asked.chat).chat
    assert (chat.title, chat.named) == ("How do I keep basil alive?", False)
    assert chat.created <= found.at <= chat.changed


def test_an_answer_grows_and_ends(store: ChatStore, open_store: OpenStore) -> None:
    asked = store.ask("Well?")
    begun = store.begin_answer(asked.id, model="tiny")
    assert (begun.state, begun.text, begun.parent) == ("partial", "", asked.id)
    store.append(begun.id, "Yes", tokens=1)
    store.append(begun.id, ", well.\0", tokens=4)
    other = open_store()
    (_, partial) = other.open(asked.chat).messages
    assert (partial.text, partial.tokens, partial.state) == ("Yes, well.\0", 4, "partial")
    facts = {"seconds": 1.5, "steering": {"gamma": 2.0}, "list": [1, None]}
    ended = store.finish(
        begun.id, state="whole", text="Yes, well!", finish="end", tokens=5, facts=facts
    )
    assert (ended.text, ended.finish, ended.tokens, ended.model) == ("Yes, well!", "end", 5, "tiny")
    assert other.open(asked.chat).messages[1].facts == facts


@pytest.mark.parametrize("state", ["stopped", "interrupted"])
def test_an_answer_that_was_cut_keeps_what_came(store: ChatStore, state: str) -> None:
    begun = store.begin_answer(store.ask("Well?").id)
    store.append(begun.id, "Ye", tokens=1)
    ended = store.finish(begun.id, state=cast(MessageState, state), facts={})
    assert (ended.text, ended.state, ended.finish, ended.tokens) == ("Ye", state, "", 1)


def test_an_answer_that_ended_takes_no_more(store: ChatStore) -> None:
    answer = answered(store, store.ask("Well?").id, "Yes.")
    for again in (
        lambda: store.append(answer.id, "?", tokens=9),
        lambda: store.finish(answer.id, state="whole", text="No.", facts={}),
        lambda: store.append(answer.parent, "?", tokens=9),
    ):
        with pytest.raises(UnknownMessage, match="not being written"):
            again()
    assert texts(store, answer.chat) == ["Well?", "Yes."]


def test_questions_and_answers_take_turns(store: ChatStore) -> None:
    asked = store.ask("Well?")
    answer = answered(store, asked.id)
    with pytest.raises(InputError, match="is one itself"):
        store.ask("And?", chat=asked.chat, parent=asked.id)
    with pytest.raises(InputError, match="is one itself"):
        store.begin_answer(answer.id)
    with pytest.raises(EmptyQuestion):
        store.ask(" \n")


def test_what_is_not_there_is_named(store: ChatStore) -> None:
    here, there = store.ask("Here?"), store.ask("There?")
    answer = answered(store, there.id)
    with pytest.raises(UnknownChat, match="'nowhere'"):
        store.ask("Well?", chat="nowhere")
    with pytest.raises(UnknownMessage, match="in this chat"):
        store.ask("Well?", chat=here.chat, parent=answer.id)
    for ask in (store.versions, store.choose, store.withdraw, store.begin_answer):
        with pytest.raises(UnknownMessage, match="'none'"):
            ask("none")
    for about in (store.open, store.delete, store.undelete, lambda id: store.erase([id])):
        with pytest.raises(UnknownChat, match="'none'"):
            about("none")
    assert len(store.chats(limit=10)) == 2


def test_half_a_character_is_refused_and_nothing_is_kept(store: ChatStore) -> None:
    with pytest.raises(InvalidText):
        store.ask("half a \ud83d face")
    assert store.chats(limit=10) == ()


def test_facts_that_are_no_small_thing_are_refused(store: ChatStore) -> None:
    begun = store.begin_answer(store.ask("Well?").id)
    with pytest.raises(InvalidParameter, match="facts"):
        store.finish(begun.id, state="whole", facts={"x": "y" * 70_000})


def test_ids_that_are_taken_are_not_given_again(path: Path, clock: Clock) -> None:
    chats = set()
    for _ in range(3):  # the same seed each time, as two processes may come to it
        store = store_at(path, clock=clock, seed=5)
        chats.add(talk(store, ("Well?", "Yes.")))
        store.close()
    assert len(chats) == 3


# The tree -----------------------------------------------------------------------------------


def test_an_edited_question_stands_beside_the_old_one_and_both_can_be_gone_back_to(
    store: ChatStore,
) -> None:
    chat = talk(store, ("One?", "1."), ("Two?", "2."))
    one, first, two, _ = store.open(chat).messages
    edited = store.ask("Two, please?", chat=chat, parent=first.id)
    answered(store, edited.id, "2!")
    assert texts(store, chat) == ["One?", "1.", "Two, please?", "2!"]
    assert store.open(chat).messages[2].versions == (two.id, edited.id)
    old = store.choose(two.id)
    assert [m.text for m in old.messages] == texts(store, chat) == ["One?", "1.", "Two?", "2."]
    assert [m.text for m in store.choose(edited.id).messages][-1] == "2!"
    again = store.ask("Zero?", chat=chat)
    assert texts(store, chat) == ["Zero?"]
    assert [m.text for m in store.versions(again.id)] == ["One?", "Zero?"]
    store.choose(one.id)
    assert texts(store, chat)[-1] == "2!"


def test_choosing_a_message_far_off_opens_the_way_to_it(store: ChatStore) -> None:
    chat = talk(store, ("A?", "a"), ("B?", "b"))
    deep = store.open(chat).messages[-1]
    store.ask("Other?", chat=chat)
    assert texts(store, chat) == ["Other?"]
    assert [m.id for m in store.choose(deep.id).messages][-1] == deep.id


def test_of_a_duel_the_chat_goes_on_with_the_first_until_another_is_chosen(
    store: ChatStore,
) -> None:
    asked = store.ask("Which?")
    first = store.begin_answer(asked.id)
    second = store.begin_answer(asked.id, choose=False)
    for answer, text in ((first, "A"), (second, "B")):
        store.finish(answer.id, state="whole", text=text, duel="d1", facts={})
    assert texts(store, asked.chat) == ["Which?", "A"]
    assert [(m.text, m.duel) for m in store.versions(first.id)] == [("A", "d1"), ("B", "d1")]
    store.choose(second.id)
    assert texts(store, asked.chat) == ["Which?", "B"]


def test_what_came_to_nothing_can_be_withdrawn_and_nothing_else(store: ChatStore) -> None:
    chat = talk(store, ("One?", "1."))
    _, one = store.open(chat).messages
    again = store.begin_answer(one.parent)
    store.withdraw(again.id)
    assert texts(store, chat) == ["One?", "1."]
    two = store.ask("Two?", chat=chat, parent=one.id)
    empty = store.begin_answer(two.id)
    for kept in (one.id, one.parent, two.id):
        with pytest.raises(InputError, match="not empty, or something follows"):
            store.withdraw(kept)
    store.withdraw(empty.id)
    store.withdraw(two.id)
    assert texts(store, chat) == ["One?", "1."]


def test_withdrawing_another_version_leaves_the_branch_where_it_is(store: ChatStore) -> None:
    asked = store.ask("Which?")
    first = answered(store, asked.id, "A")
    second = store.begin_answer(asked.id, choose=False)
    third = answered(store, asked.id, "C")
    store.choose(first.id)
    store.withdraw(second.id)
    assert texts(store, asked.chat) == ["Which?", "A"]
    assert store.open(asked.chat).messages[1].versions == (first.id, third.id)


def test_a_chat_whose_only_question_is_withdrawn_is_gone(store: ChatStore) -> None:
    asked = store.ask("Well?")
    store.withdraw(asked.id)
    assert store.chats(limit=10) == ()
    with pytest.raises(UnknownChat):
        store.open(asked.chat)


# The list -----------------------------------------------------------------------------------


def test_the_list_has_pinned_chats_first_then_the_newest_a_page_at_a_time(
    store: ChatStore,
) -> None:
    ids = [talk(store, (f"Question {n}?", f"Answer\n{n}.")) for n in range(5)]
    store.pin(ids[1], pinned=True)
    last = store.open(ids[0]).messages[-1]
    store.ask("And then?", chat=ids[0], parent=last.id)
    order = [ids[n] for n in (1, 0, 4, 3, 2)]
    assert [chat.id for chat in store.chats(limit=10)] == order
    pages, before = [], ""
    while page := store.chats(limit=2, before=before):
        pages.append([chat.id for chat in page])
        before = page[-1].id
    assert pages == [order[:2], order[2:4], order[4:]]
    newest = store.chats(limit=3)
    assert [(c.messages, c.snippet) for c in newest[1:]] == [(3, "And then?"), (2, "Answer 4.")]
    store.pin(ids[1], pinned=False)
    assert store.chats(limit=1)[0].id == ids[0]
    for limit in (0, 501):
        with pytest.raises(InvalidParameter, match="limit"):
            store.chats(limit=limit)


def test_a_title_is_proposed_until_the_owner_gives_one(store: ChatStore) -> None:
    asked = store.ask("First words. More words.")
    assert store.open(asked.chat).chat.title == "First words"
    store.ask("Edited words!", chat=asked.chat)
    assert store.open(asked.chat).chat.title == "Edited words!"
    store.rename(asked.chat, " My\n own ")
    store.ask("Edited again?", chat=asked.chat)
    chat = store.open(asked.chat).chat
    assert (chat.title, chat.named) == ("My own", True)
    for wrong in ("", " \n", "x" * 201):
        with pytest.raises(InvalidParameter, match="title"):
            store.rename(asked.chat, wrong)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Why?", "Why?"),
        ("Be brief. Why is it so?", "Be brief"),
        ("Version 3.11 of it", "Version 3.11 of it"),
        ("\n  Two\nlines ", "Two lines"),
        ("word " * 20, ("word " * 11).strip() + "…"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_the_proposed_title_is_the_first_sentence(text: str, title: str) -> None:
    assert proposed_title(text) == title
    assert len(proposed_title(text)) <= 60


def test_a_deleted_chat_is_in_the_trash_and_comes_back_as_it_was(
    store: ChatStore, clock: Clock
) -> None:
    chat = talk(store, ("Well?", "Yes."))
    before = store.open(chat)
    store.delete(chat)
    first = store.open(chat).chat.deleted
    store.delete(chat)
    assert store.open(chat).chat.deleted == first == clock.now - 1
    assert store.chats(limit=10) == ()
    assert [c.id for c in store.chats(limit=10, trash=True)] == [chat]
    store.undelete(chat)
    store.undelete(chat)
    assert store.open(chat) == before
    assert [c.id for c in store.chats(limit=10)] == [chat]


def test_the_trash_holds_a_chat_for_thirty_days(store: ChatStore, clock: Clock) -> None:
    chat = talk(store, ("Well?", "Yes."))
    assert store.expired() == ()
    store.delete(chat)
    clock.now += TRASH_SECONDS - 5
    assert store.expired() == ()
    clock.now += 5
    assert store.expired() == (chat,)


def test_what_is_erased_is_in_the_file_no_more_not_even_in_the_index(
    store: ChatStore, path: Path
) -> None:
    gone = talk(store, ("Quetzalword?", "Zyzzyvaword."), ("Wquestion?", "Partialword."))
    begun = store.begin_answer(store.open(gone).messages[0].id)
    store.append(begun.id, "Xylophoneword", tokens=1)
    store.rename(gone, "Jabberword")
    stays = talk(store, ("Stays?", "Yes."))
    words = [b"uetzalword", b"yzzyvaword", b"artialword", b"ylophoneword", b"abberword"]
    content = path.read_bytes().lower()
    assert all(word in content for word in words)
    with pytest.raises(UnknownChat):
        store.erase([gone, "none"])
    assert texts(store, gone)
    store.erase([gone])
    content = path.read_bytes().lower()
    assert not any(word in content for word in words)
    assert texts(store, stays) == ["Stays?", "Yes."]
    check_index(path)


def test_words_of_what_was_withdrawn_and_renamed_go_with_the_next_erasing(
    store: ChatStore, path: Path
) -> None:
    store.withdraw(store.ask("Quetzalword").id)
    chat = talk(store, ("Well?", "Yes."))
    store.rename(chat, "Jabberword")
    store.rename(chat, "Plain")
    store.erase([])
    content = path.read_bytes().lower()
    assert b"uetzalword" not in content
    assert b"abberword" not in content


# The file -----------------------------------------------------------------------------------


def refused(store: ChatStore, kind: type[StorageError] = StorageError) -> str:
    """What it says to whoever reads or writes."""
    said = set()
    for ask in (
        lambda: store.ask("Well?"),
        lambda: store.chats(limit=1),
        lambda: store.search("x", limit=1),
    ):
        with pytest.raises(kind) as caught:
            ask()
        assert type(caught.value) is kind
        said.add(caught.value.message)
    assert len(said) == 1
    return said.pop()


@pytest.fixture
def used(path: Path) -> Path:
    """A file with a chat in it, closed."""
    kept = store_at(path)
    talk(kept, ("Well?", "Yes."))
    kept.close()
    return path


def test_a_newer_file_is_refused_and_not_a_byte_is_changed(used: Path, store: ChatStore) -> None:
    run(used, "PRAGMA user_version = 7")
    before = used.read_bytes()
    assert "file of chats" in refused(store, NewerRecord)
    assert used.read_bytes() == before


def test_a_damaged_file_and_one_of_another_kind_are_refused_and_left_alone(
    path: Path, store: ChatStore, tmp_path: Path
) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    assert f"file of chats {path} is damaged" in refused(store, DamagedRecord)
    votes = Record(tmp_path / "record.db", clock=lambda: 0.0)
    votes.reset()
    votes.close()
    wrong = store_at(tmp_path / "record.db")
    assert "no chats and no messages" in refused(wrong, DamagedRecord)


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_the_file_is_closed_to_other_users(used: Path) -> None:
    assert stat.S_IMODE(used.stat().st_mode) == 0o600


def test_a_file_that_is_full_keeps_nothing_and_is_not_the_end(
    used: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "PRAGMAS", (*database.PRAGMAS, ("max_page_count", 40)))
        short = open_store()
        before = short.chats(limit=10)
        with pytest.raises(StorageError, match="no space left"):
            short.ask("?" * 200_000)
        assert short.chats(limit=10) == before
    open_store().ask("Now?")
    assert len(short.chats(limit=10)) == 2
    check_index(used)


def test_damaged_facts_leave_the_message_readable(used: Path, store: ChatStore) -> None:
    run(used, "UPDATE messages SET facts = 'gibberish'")
    (chat,) = store.chats(limit=1)
    assert [m.facts for m in store.open(chat.id).messages] == [{}, {}]


def test_damage_that_makes_a_circle_comes_to_an_end(used: Path, store: ChatStore) -> None:
    run(used, "UPDATE messages SET chosen = 1 WHERE number = 2")
    (chat,) = store.chats(limit=1)
    assert len(store.open(chat.id).messages) == 2


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a matter of POSIX")
def test_what_was_acknowledged_outlives_a_writer_that_is_killed(path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from tests.unit.store.chat_stores import store_at\n"
        f"store = store_at(Path({str(path)!r}), seed=int(sys.argv[1]))\n"
        "while True:\n"
        "    asked = store.ask('Well?'); print('ask', asked.id, flush=True)\n"
        "    answer = store.begin_answer(asked.id); print('begin', answer.id, flush=True)\n"
        "    for n in range(3):\n"
        "        store.append(answer.id, f' {n}', tokens=n); print('piece', n, flush=True)\n"
    )
    for kill in range(3):
        command = (sys.executable, "-c", code, str(kill))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(7 + 4 * kill)]
            os.kill(writer.pid, signal.SIGKILL)
            said = [line.split() for line in (*lines, *writer.stdout)]
        kept = {str(id): str(text) for id, text in run(path, "SELECT id, text FROM messages")}
        answer = ""
        for kind, value in (words for words in said if len(words) == 2):
            if kind == "piece":
                assert value in kept[answer].split()
            else:
                assert value in kept
                answer = value
        assert run(path, "PRAGMA integrity_check") == [("ok",)]
        check_index(path)


# Another program meanwhile ------------------------------------------------------------------


def test_who_asks_on_in_a_deleted_chat_takes_it_out_of_the_trash(store: ChatStore) -> None:
    chat = talk(store, ("Well?", "Yes."))
    store.delete(chat)
    store.ask("And then?", chat=chat, parent=store.open(chat).messages[-1].id)
    assert [one.id for one in store.chats(limit=9)] == [chat]
    assert store.chats(limit=9, trash=True) == ()


def test_a_question_is_on_the_branch_whichever_answer_it_follows(store: ChatStore) -> None:
    asked = store.ask("Well?")
    answers = [store.begin_answer(asked.id, choose=place == 0) for place in range(2)]
    for answer in answers:
        store.finish(answer.id, state="whole", text="Yes.", facts={})
    store.ask("And then?", chat=asked.chat, parent=answers[1].id)
    branch = store.open(asked.chat).messages
    assert [message.id for message in branch[:2]] == [asked.id, answers[1].id]
    assert [message.text for message in branch] == ["Well?", "Yes.", "And then?"]


def test_the_title_is_never_of_a_question_that_was_taken_back(store: ChatStore) -> None:
    chat = talk(store, ("First?", "Yes."))
    edited = store.ask("Secret?", chat=chat)
    assert store.open(chat).chat.title == "Secret?"
    store.withdraw(edited.id)
    assert store.open(chat).chat.title == "First?"
    store.rename(chat, "Mine")
    store.withdraw(store.ask("Secret?", chat=chat).id)
    assert store.open(chat).chat.title == "Mine"
