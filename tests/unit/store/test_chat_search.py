"""Whatever is typed finds the chats that hold it, with an index and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter, StorageError
from engine.store import chat_index
from engine.store.chats import ChatStore
from engine.types.chats import Found
from tests.unit.store.chat_stores import answered, check_index, run, store_at, talk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.db"


@pytest.fixture
def store(path: Path) -> Iterator[ChatStore]:
    opened = store_at(path)
    yield opened
    opened.close()


@pytest.fixture(params=["index", "no index"])
def any_store(
    request: pytest.FixtureRequest, path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ChatStore]:
    """A store on a SQLite that has FTS5, and on one that has not."""
    if request.param == "no index":
        monkeypatch.setattr(chat_index, "available", lambda: False)
    opened = store_at(path)
    yield opened
    opened.close()


def marked(found: Found) -> list[str]:
    return [found.snippet[first:last] for first, last in found.marks]


def chats(found: tuple[Found, ...]) -> list[str]:
    return [one.chat.id for one in found]


def test_this_sqlite_has_the_index() -> None:
    assert chat_index.available()


def test_all_words_have_to_be_in_one_message_and_the_last_may_go_on(any_store: ChatStore) -> None:
    chat = talk(any_store, ("How is it?", "Basil loves\nwarm weather."), ("Basil", "No warmth."))
    for text in ("basil weath", "BASIL warm", "weather basil"):
        (found,) = any_store.search(text, limit=10)
        assert found.chat.id == chat
        assert found.message == any_store.open(chat).messages[1].id
        assert found.snippet == "Basil loves warm weather."
        assert "Basil" in marked(found)
    assert any_store.search("basil weather missing", limit=10) == ()


def test_titles_come_first_then_the_newest_message_that_fits(any_store: ChatStore) -> None:
    first = talk(any_store, ("One?", "pepper"), ("Again?", "pepper twice"))
    second = talk(any_store, ("Two?", "pepper"))
    titled = talk(any_store, ("Three?", "salt"))
    any_store.rename(titled, "Pepper and salt")
    found = any_store.search("pepper", limit=10)
    assert chats(found) == [titled, second, first]
    assert (found[0].message, found[0].snippet, marked(found[0])) == (
        "", "Pepper and salt", ["Pepper"],
    )  # fmt: skip
    assert found[2].message == any_store.open(first).messages[-1].id
    assert chats(any_store.search("pepper", limit=2)) == [titled, second]
    for limit in (0, 501):
        with pytest.raises(InvalidParameter, match="limit"):
            any_store.search("pepper", limit=limit)


def test_the_trash_is_not_searched(any_store: ChatStore) -> None:
    chat = talk(any_store, ("Pepper?", "Pepper."))
    any_store.delete(chat)
    assert any_store.search("pepper", limit=10) == ()
    any_store.undelete(chat)
    assert chats(any_store.search("pepper", limit=10)) == [chat]


def test_an_answer_is_found_while_it_is_written_and_as_it_ended(any_store: ChatStore) -> None:
    asked = any_store.ask("Well?")
    begun = any_store.begin_answer(asked.id)
    any_store.append(begun.id, "Draft of pepper", tokens=3)
    (found,) = any_store.search("pepp", limit=10)
    assert (found.message, found.snippet) == (begun.id, "Draft of pepper")
    assert marked(found) in (["pepp"], ["pepper"])
    any_store.finish(begun.id, state="whole", text="Only salt.", facts={})
    assert any_store.search("pepper", limit=10) == ()
    assert chats(any_store.search("salt", limit=10)) == [asked.chat]


def test_unfinished_answers_have_their_place_among_the_others(any_store: ChatStore) -> None:
    first = talk(any_store, ("One?", "pepper"))
    asked = any_store.ask("Two?")
    any_store.append(any_store.begin_answer(asked.id).id, "pepper", tokens=1)
    third = talk(any_store, ("Three?", "pepper"))
    assert chats(any_store.search("pepper", limit=10)) == [third, asked.chat, first]


def test_what_the_index_takes_for_no_word_is_found_all_the_same(any_store: ChatStore) -> None:
    chat = talk(any_store, ("Party?", "Yes 🎉 100% of_it \\o/ 今天天气很好。"))
    for text in ("🎉", "100%", "of_", "\\o/", "天气", "yes 天气"):
        assert chats(any_store.search(text, limit=10)) == [chat], text
    for text in ("%", "%_", "", " \n", "\0", "天空"):
        expected = [chat] if text == "%" else []
        assert chats(any_store.search(text, limit=10)) == expected, text


CAFE = "Cafe\u0301"
"""With an accent of its own."""


def test_accents_do_not_matter_to_the_index(store: ChatStore) -> None:
    chat = talk(store, ("Très?", "Schön, ein " + CAFE + ". Don't try."))
    for text, word in (("cafe", CAFE), ("scho", "Schön"), ("ein CAFÉ", CAFE), ("don't", "Don")):
        (found,) = store.search(text, limit=10)
        assert (found.chat.id, word in marked(found)) == (chat, True), text
    for text, words in (("don't", ["Don"]), ("don t", ["Don", "t", "try"]), ("t-tr", ["try"])):
        assert [marked(one) for one in store.search(text, limit=10)] == [words], text


def test_a_long_message_is_shown_around_what_was_found(any_store: ChatStore) -> None:
    talk(any_store, ("Well?", "so " * 500 + "the needle here" + " on" * 500))
    (found,) = any_store.search("needle", limit=10)
    assert marked(found) == ["needle"]
    assert found.snippet[0] == found.snippet[-1] == "…"
    assert len(found.snippet) < 200


SYNTAX = ['"', 'a"b', '"a', 'x" OR "y', "NEAR(", "a AND", "-x:y*", "^a", "{b}:", "a'b", "text : x"]


@given(text=st.text(max_size=20) | st.sampled_from(SYNTAX))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_searched_for(store: ChatStore, text: str) -> None:
    if not store.chats(limit=1):
        talk(store, ("a b x?", "NEAR y and more."))
    store.search(text, limit=5)


# The index ----------------------------------------------------------------------------------


def test_an_index_that_was_left_behind_is_made_anew(
    path: Path, store: ChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = talk(store, ("Old?", "pepper"))
    with monkeypatch.context() as patch:
        patch.setattr(chat_index, "available", lambda: False)
        new = talk(store, ("New?", "pepper"))
        store.rename(old, "Renamed")
        assert chats(store.search("pepper", limit=10)) == [new, old]
        with pytest.raises(StorageError, match="no FTS5"):
            store.erase([old])
    assert chats(store.search("pepper", limit=10)) == [new, old]
    asked = store.ask("Now?")
    check_index(path)
    answered(store, asked.id, "pepper")
    assert chats(store.search("pepper", limit=10)) == [asked.chat, new, old]
    assert chats(store.search("renamed", limit=10)) == [old]


def test_texts_that_change_in_any_way_change_in_the_index(path: Path, store: ChatStore) -> None:
    chat = talk(store, ("Well?", "pepper"))
    with store._file.writing() as connection:
        connection.execute("UPDATE messages SET text = 'salt' WHERE text = 'pepper'")
        connection.execute("UPDATE messages SET text = 'sugar' WHERE text = 'salt'")
        chat_index.catch_up(connection)
    check_index(path)
    assert chats(store.search("sugar", limit=10)) == [chat]
    assert run(path, "SELECT count(*) FROM message_words_noted") == [(0,)]
