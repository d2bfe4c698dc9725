"""Other programs' exports come in as trees; what is hostile is refused whole, in a sentence."""

from __future__ import annotations

import json
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InputError, UnreadableArchive
from engine.session import archives, foreign_trees
from engine.session.archives import read_archive
from engine.session.foreign_trees import NO_QUESTION, Node, grown
from engine.store import chat_files, database
from engine.store.chat_trees import StoredChat, StoredMessage, check
from engine.store.chats import ChatStore
from engine.types.chats import Speaker

NOW = 1_790_000_000.0
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes something as JSON."""

    def write_one(value: object, name: str = "conversations.json") -> Path:
        path = tmp_path / name
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return path

    return write_one


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatStore]:
    fast = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    opened = ChatStore(tmp_path / "chats.db", clock=lambda: NOW, rng=random.Random(1))
    yield opened
    opened.close()


def gpt_message(role: str, *parts: object, **changes: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": list(parts)}
    known = {"id": "x", "author": {"role": role}, "content": content, "create_time": 1_700_000_000}
    return known | changes


def gpt_node(parent: str | None, message: object = None, *children: str) -> dict[str, Any]:
    return {"id": "x", "message": message, "parent": parent, "children": list(children)}


def gpt_chat(**changes: Any) -> dict[str, Any]:
    """A chat with an edited question and an answer that was written again."""
    mapping = {
        "root": gpt_node(None, None, "sys"),
        "sys": gpt_node("root", gpt_message("system", "You are helpful."), "q1", "q2"),
        "q1": gpt_node("sys", gpt_message("user", "First?"), "a1"),
        "a1": gpt_node("q1", gpt_message("assistant", "1")),
        "q2": gpt_node("sys", gpt_message("user", "Edited?"), "a2", "a3"),
        "a3": gpt_node("q2", gpt_message("assistant", "3")),
        "a2": gpt_node(
            "q2", gpt_message("assistant", "2", metadata={"model_slug": "gpt-4o"})
        ),
    }  # fmt: skip
    known = {
        "title": "A chat", "create_time": 1_700_000_000.5, "update_time": 1_700_000_100.5,
        "mapping": mapping, "current_node": "a2", "conversation_id": "c-1", "plugin_ids": None,
    }  # fmt: skip
    return known | changes


def web_chat(**changes: Any) -> dict[str, Any]:
    messages = {
        "q": {"id": "q", "parentId": None, "childrenIds": ["a", "b"], "role": "user",
              "content": "Which?", "timestamp": 1_700_000_000},
        "a": {"id": "a", "parentId": "q", "childrenIds": [], "role": "assistant",
              "content": "A", "model": "llama3", "done": True, "timestamp": 1_700_000_001_000},
        "b": {"id": "b", "parentId": "q", "childrenIds": [], "role": "assistant",
              "content": "B", "model": "qwen"},
    }  # fmt: skip
    chat = {"title": "Inner", "history": {"messages": messages, "currentId": "a"}, "models": []}
    known = {"id": "w-1", "title": "Web", "chat": chat, "pinned": True,
             "created_at": 1_700_000_000, "updated_at": 1_700_000_009}  # fmt: skip
    return known | changes


def branch(chat: StoredChat) -> list[StoredMessage]:
    """The messages that the chat goes through."""
    known = {message.id: message for message in chat.messages}
    found, here = [], chat.first
    while here:
        found.append(known[here])
        here = known[here].chosen
    return found


def only(path: Path) -> StoredChat:
    (chat,) = read_archive(path, now=NOW).chats
    check(chat)
    return chat


# What comes in ------------------------------------------------------------------------------


def test_a_chatgpt_chat_comes_in_as_a_tree_that_is_where_it_was(write: Write) -> None:
    chat = only(write([gpt_chat()]))
    assert (chat.title, chat.named, chat.source) == ("A chat", True, "chatgpt:c-1")
    assert (chat.created, chat.changed) == (1_700_000_000.5, 1_700_000_100.5)
    assert [(m.role, m.text) for m in branch(chat)] == [("user", "Edited?"), ("assistant", "2")]
    assert branch(chat)[1].model == "gpt-4o"
    assert [m.text for m in chat.messages] == ["First?", "1", "Edited?", "2", "3"]
    assert chat.messages[0].chosen == chat.messages[1].id


def test_an_open_webui_chat_comes_in_as_a_tree_that_is_where_it_was(write: Write) -> None:
    chat = only(write([web_chat()]))
    assert (chat.title, chat.pinned, chat.source) == ("Web", True, "openwebui:w-1")
    assert [(m.text, m.model) for m in branch(chat)] == [("Which?", ""), ("A", "llama3")]
    assert [m.text for m in chat.messages] == ["Which?", "A", "B"]
    assert [m.at for m in chat.messages] == [1_700_000_000, 1_700_000_001, 1_700_000_000]


def test_only_text_comes_in_and_marks_for_the_rest(write: Write) -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file://x"}
    spoken = {"content_type": "audio_transcription", "text": "Spoken."}
    parts = ["Look:", picture, spoken, {"content_type": "real_time_user_audio_video"}, 7]
    seen = gpt_message("user", *parts, metadata={"attachments": [{"name": "a\nb.pdf"}, 3]})
    code = gpt_message("assistant", content={"content_type": "code", "text": "x = 1"})
    odd = gpt_message("assistant", content={"content_type": "new_thing"})
    said = gpt_message("user", content={"content_type": "text", "text": "Plain."})
    mapping = {
        "a": gpt_node(None, seen), "b": gpt_node("a", code), "c": gpt_node("b", odd),
        "d": gpt_node("c", said),
    }  # fmt: skip
    chat = only(write([gpt_chat(mapping=mapping, current_node="d")]))
    marks = ["[picture]", "Spoken.", "[sound]", "[attachment]", "[file: a b.pdf]", "[attachment]"]
    assert [m.text.split("\n\n") for m in branch(chat)] == [
        ["Look:", *marks],
        ["```\nx = 1\n```", "[attachment]"],
        ["Plain."],
    ]


def test_pictures_and_files_of_open_webui_become_marks(write: Write) -> None:
    content = [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "data:"}},
    ]
    files = [{"type": "image", "url": "x"}, {"type": "file", "name": "notes.txt"}]
    message = {"role": "user", "content": content, "files": files}
    chat = only(write([web_chat(chat={"history": {"messages": {"m": message}}})]))
    assert chat.messages[0].text == "See\n\n[picture]\n\n[picture]\n\n[file: notes.txt]"


def test_what_is_hidden_or_thought_or_of_a_tool_is_left_out(write: Write) -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    thoughts = {"content_type": "thoughts", "thoughts": [{"content": "Hm."}]}
    mapping = {
        "a": gpt_node(None, gpt_message("user", "Q?")),
        "b": gpt_node("a", gpt_message("assistant", content=thoughts)),
        "c": gpt_node("b", gpt_message("tool", "output")),
        "d": gpt_node("c", gpt_message("user", "hidden", metadata=hidden)),
        "e": gpt_node("d", gpt_message("assistant", "", "One.")),
        "f": gpt_node("e", gpt_message("assistant", " ")),
        "g": gpt_node("f", gpt_message("assistant", "Two.")),
    }
    chat = only(write([gpt_chat(mapping=mapping, current_node="g")]))
    assert [(m.role, m.text) for m in chat.messages] == [
        ("user", "Q?"),
        ("assistant", "One.\n\nTwo."),
    ]


def test_what_is_not_told_has_a_default(write: Write) -> None:
    mapping = {"a": gpt_node(None, {"author": {"role": "assistant"}, "content": {"parts": ["A"]}})}
    first, second = (
        only(write([{"mapping": mapping, "title": title, "create_time": time}]))
        for title, time in ((None, None), ("\n", -5))
    )
    assert [m.text for m in first.messages] == [NO_QUESTION, "A"]
    assert (first.title, first.created, first.messages[1].at) == ("Untitled", NOW, NOW)
    assert first.source == second.source
    assert len(first.source) == len("chatgpt:") + 32


def test_chats_with_nothing_in_them_are_counted(write: Write) -> None:
    empty = gpt_chat(mapping={"root": gpt_node(None)}, conversation_id="c-2")
    archive = read_archive(write([empty, gpt_chat()]), now=NOW)
    assert len(archive.chats) == 1
    assert [notice.text[:8] for notice in archive.notices] == ["1 chats "]
    with pytest.raises(UnreadableArchive, match="holds no chats"):
        read_archive(write([empty]), now=NOW)


def test_a_second_import_of_the_same_passes_everything_over(write: Write, store: ChatStore) -> None:
    chats = read_archive(write([gpt_chat(), gpt_chat(conversation_id="c-2")]), now=NOW).chats
    assert store.put(chats) == ()
    more = read_archive(write([gpt_chat(), gpt_chat(conversation_id="c-3")]), now=NOW).chats
    assert [chat.source for chat in store.put(more)] == ["chatgpt:c-1"]
    assert len(store.ids()) == 3
    (opened, *_) = [store.open(id) for id in store.ids()]
    assert [m.text for m in opened.messages] == ["Edited?", "2"]
    assert [len(m.id) for m in opened.messages] == [12, 12]


# Any tree -----------------------------------------------------------------------------------

ROLES = st.sampled_from(["user", "assistant", None])
TREES = st.lists(st.tuples(ROLES, st.integers(0, 30)), max_size=14)


def planted(tree: list[tuple[str | None, int]]) -> dict[str, Node]:
    """Nodes whose parents come before them; some have none."""
    nodes = {}
    for number, (role, pick) in enumerate(tree):
        above = pick % (number + 1)
        nodes[f"n{number}"] = Node(
            parent=f"n{above - 1}" if above else None,
            children=(),
            role=cast("Speaker | None", role),
            text=f"t{number}" if role else "unread",
            at=NOW,
        )
    return nodes


def way(nodes: dict[str, Node], leaf: str | None) -> list[tuple[str, str]]:
    """What is to be read on the way to a node: who says what, in turn."""
    path: list[Node] = []
    while leaf is not None:
        path.insert(0, nodes[leaf])
        leaf = nodes[leaf].parent
    said: list[tuple[str, str]] = []
    for node in path:
        if node.role is None:
            continue
        if not said and node.role == "assistant":
            said.append(("user", NO_QUESTION))
        if said and said[-1][0] == node.role:
            said[-1] = (node.role, f"{said[-1][1]}\n\n{node.text}")
        else:
            said.append((node.role, node.text))
    return said


def begins(whole: list[tuple[str, str]], part: list[tuple[str, str]]) -> bool:
    last = len(part) - 1
    if last < 0:
        return True
    if len(whole) <= last or whole[:last] != part[:last]:
        return False
    (role, text), (same, begun) = whole[last], part[last]
    return role == same and (text == begun or text.startswith(f"{begun}\n\n"))


@given(tree=TREES, pick=st.integers(0, 13))
@example(tree=[("user", 0), ("assistant", 1), ("assistant", 2)], pick=1)
def test_every_way_through_the_tree_can_still_be_read_and_nothing_else(
    tree: list[tuple[str | None, int]], pick: int
) -> None:
    nodes = planted(tree)
    current = f"n{pick}" if f"n{pick}" in nodes else None
    messages, first = grown(nodes, current=current, title="T")
    known = {message.id: message for message in messages}
    parents = {message.parent for message in messages}

    def read(message: StoredMessage) -> list[tuple[str, str]]:
        above = read(known[message.parent]) if message.parent else []
        return [*above, (message.role, message.text)]

    ways = [read(message) for message in messages if message.id not in parents]
    expected = [way(nodes, id) for id in nodes]
    assert all(one in expected for one in ways)
    assert all(any(begins(one, part) for one in ways) for part in expected if part)
    if messages:
        chat = StoredChat(
            id="", title="", named=True, created=0.0, changed=0.0, pinned=False, first=first,
            messages=messages,
        )  # fmt: skip
        check(chat)
        assert begins([(m.role, m.text) for m in branch(chat)], way(nodes, current))


def test_a_long_chain_costs_no_time_and_no_stack() -> None:
    length = 20_000
    nodes = {
        str(n): Node(
            parent=str(n - 1) if n else None, children=(), role="assistant", text="x", at=NOW
        )
        for n in range(length)
    }
    (question, answer), first = grown(nodes, current=str(length - 1), title="T")
    assert (question.id, question.text) == (first, NO_QUESTION)
    assert len(answer.text) == 3 * length - 2


def test_a_tree_that_would_grow_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {"a0": Node(parent=None, children=(), role="user", text="x" * 50, at=NOW)}
    for n in range(1, 60):  # every one is followed by an answer, so that each keeps all texts
        nodes[f"a{n}"] = Node(parent=f"a{n - 1}", children=(), role="user", text="x" * 50, at=NOW)
        nodes[f"b{n}"] = Node(parent=f"a{n}", children=(), role="assistant", text="y", at=NOW)
    monkeypatch.setattr(foreign_trees, "MOST_TEXT", 10_000)
    with pytest.raises(UnreadableArchive, match="too long"):
        grown(nodes, current=None, title="T")
    monkeypatch.setattr(foreign_trees, "MOST_MESSAGES", 100)
    with pytest.raises(UnreadableArchive, match="more than 100 messages"):
        grown(nodes, current=None, title="T")


# What is refused ----------------------------------------------------------------------------

CIRCLE = {
    "a": gpt_node("b", gpt_message("user", "A")), "b": gpt_node("a"),
    "c": gpt_node(None, gpt_message("user", "C")),
}  # fmt: skip
HOSTILE = {
    "no JSON": b"\x00\x01",
    "nothing": b"",
    "half of it": b'[{"mapping": {',
    "deep": b"[" * 100_000,
    "deep inside": b'[{"mapping": {"a": {"message": ' + b'{"x":' * 100_000,
    "a number": b"7",
    "no list": {"mapping": {}},
    "an empty list": [],
    "another list": [{"title": "x"}],
    "a mapping that is none": [gpt_chat(mapping=[])],
    "a title that is a number": [gpt_chat(title=7)],
    "a parent that is missing": [gpt_chat(mapping={"a": gpt_node("none")})],
    "a circle": [gpt_chat(mapping=CIRCLE)],
    "half a character": b'[{"title": "\\ud800", "mapping": {}}]',
    "time that is no number": [gpt_chat(create_time="now")],
    "messages that are a list": [web_chat(chat={"history": {"messages": []}})],
    "no history": [web_chat(chat={"messages": []})],
    "of two kinds": [gpt_chat(), web_chat()],
    "own, newer": {"format": "attune-chats", "version": 2, "chats": []},
    "own, damaged": {"format": "attune-chats", "version": 1, "chats": [{"id": 3}]},
    "own, without": {"format": "attune-chats", "version": 1},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_hostile_is_refused_in_a_sentence(write: Write, what: str) -> None:
    with pytest.raises(UnreadableArchive, match="Nothing was taken in"):
        read_archive(write(HOSTILE[what]), now=NOW)


def message(id: str, parent: str = "", **changes: Any) -> StoredMessage:
    facts: dict[str, Any] = {"role": "assistant" if parent else "user", "text": "x", "at": 0.0}
    return StoredMessage(id=id, parent=parent, **facts | changes)


def own(*messages: StoredMessage, **changes: Any) -> StoredChat:
    facts: dict[str, Any] = {
        "id": "0badcafe", "title": "T", "named": False, "created": 0.0, "changed": 0.0,
        "pinned": False, "first": "",
    }  # fmt: skip
    return StoredChat(messages=messages, **facts | changes)


WRONG = {
    "no messages": own(),
    "follows does not stand before": own(message("b", "a"), message("a")),
    "two messages": own(message("a"), message("a")),
    "message ''": own(message("")),
    "out of turn": own(message("a"), message("b", "a", role="user")),
    "is out of turn": own(message("a", role="assistant")),
    "where its branch": own(message("a"), first="b"),
    "its branch goes on": own(message("a", chosen="a"), first="a"),
    "has -1 tokens": own(message("a", tokens=-1)),
    "ended by": own(message("a", finish="boredom")),
    "too many facts": own(message("a", facts={"x": "y" * 70_000})),
    "no time": own(message("a", at=float("inf"))),
    "created is no time": own(message("a"), created=float("nan")),
}


@pytest.mark.parametrize("words", WRONG)
def test_a_chat_that_cannot_be_one_leaves_nothing_half_taken_in(
    store: ChatStore, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        store.put([own(message("a"), id="00000001"), WRONG[words]])
    assert store.ids() == ()


def test_our_own_file_of_any_bytes_is_read_or_refused(write: Write) -> None:
    good = chat_files.to_json([own(message("a"), first="a")])
    rng = random.Random(3)
    for _ in range(200):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        try:
            for chat in read_archive(write(bytes(bad)), now=NOW).chats:
                check(chat)
        except InputError:
            pass


# Zips ---------------------------------------------------------------------------------------


def zipped(path: Path, members: dict[str, bytes], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_of_a_zip_the_conversations_are_read_and_nothing_else(tmp_path: Path) -> None:
    parts = {
        "chat.html": b"<html>",
        "conversations-001.json": json.dumps([gpt_chat(conversation_id="c-2")]).encode(),
        "conversations-000.json": json.dumps([gpt_chat()]).encode(),
        "../conversations.json": b"evil",
        "sub/conversations.json": b"evil",
    }
    path = zipped(tmp_path / "export.zip", parts, compression=zipfile.ZIP_DEFLATED)
    archive = read_archive(path, now=NOW)
    assert [chat.source for chat in archive.chats] == ["chatgpt:c-1", "chatgpt:c-2"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["export.zip"]


def test_a_zip_that_is_hostile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "export.zip"
    deflated = {"compression": zipfile.ZIP_DEFLATED}

    def refused(words: str) -> None:
        with pytest.raises(UnreadableArchive, match=words):
            read_archive(path, now=NOW)

    zipped(path, {"chat.html": b""})
    refused("no conversations.json")
    zipped(path, {"conversations.json": b" " * 1_000_000}, **deflated)
    refused("far more than chats do")
    zipped(path, {"conversations.json": b"[]", "conversations.jsom": b"[]"})
    path.write_bytes(path.read_bytes().replace(b"jsom", b"json"))
    refused("two of one name")
    zipped(path, {"conversations.json": json.dumps([gpt_chat()]).encode()}, **deflated)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"PK\x01\x02", b"PK\x01\x03"))
    refused("cannot be taken in")
    start = whole.index(b"PK\x01\x02")
    flags = struct.pack("<H", 1)
    path.write_bytes(whole[:6] + flags + whole[8 : start + 8] + flags + whole[start + 10 :])
    refused("encrypted")
    path.write_bytes(whole[:60] + b"\xff\xff\xff" + whole[63:])
    refused("cannot be taken in")
    path.write_bytes(whole)
    monkeypatch.setattr(archives, "MOST_BYTES", 100)
    refused("MB in it")
    monkeypatch.setattr(archives, "MOST_ZIPPED", 100)
    refused("GB")


def test_a_file_that_is_too_large_or_missing_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 100)
    with pytest.raises(UnreadableArchive, match="larger than"):
        read_archive(write([gpt_chat()]), now=NOW)
    with pytest.raises(UnreadableArchive, match="No such file"):
        read_archive(tmp_path / "none.json", now=NOW)
    with pytest.raises(UnreadableArchive, match="it is no file"):
        read_archive(tmp_path, now=NOW)


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "chats.json")
    with pytest.raises(UnreadableArchive, match="it is no file"):
        read_archive(tmp_path / "chats.json", now=NOW)


def test_a_file_of_ours_that_was_cut_short_is_called_damaged(write: Write) -> None:
    whole = chat_files.to_json([own(message("m1"))])
    for length in (60, len(whole) // 2, len(whole) - 4):
        with pytest.raises(UnreadableArchive, match="exported chats are damaged"):
            read_archive(write(whole[:length]), now=NOW)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_all_at_once_is_refused_before_it_does(tmp_path: Path, packing: int) -> None:
    path = zipped(tmp_path / "export.zip", {"conversations.json": b"[]"}, compression=packing)
    with pytest.raises(UnreadableArchive, match="packed in a way"):
        read_archive(path, now=NOW)


def test_a_member_that_goes_on_past_its_length_is_left(tmp_path: Path) -> None:
    body = b"[" + b" " * 3_000_000 + b"]"
    path = zipped(tmp_path / "export.zip", {"conversations.json": body})
    short = path.read_bytes().replace(struct.pack("<L", len(body)), struct.pack("<L", 9))
    path.write_bytes(short)
    with pytest.raises(UnreadableArchive, match="cannot be taken in"):
        read_archive(path, now=NOW)


def test_a_zip_of_very_many_files_is_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"conversations.json": json.dumps([gpt_chat()]).encode()}
    pictures = {f"{place:0100}.png": b"" for place in range(100)}
    path = zipped(tmp_path / "export.zip", parts | pictures)
    assert len(read_archive(path, now=NOW).chats) == 1
    monkeypatch.setattr(archives, "MOST_LISTED", 10_000)
    with pytest.raises(UnreadableArchive, match="too many files"):
        read_archive(path, now=NOW)


@pytest.mark.parametrize("at", [1e300, 1e15, -1e300])
def test_a_time_that_no_calendar_has_is_none(write: Write, at: float) -> None:
    found = only(write([gpt_chat(create_time=at, update_time=at)]))
    assert (found.created, found.changed) == (NOW, NOW)
