"""`attune chats` and `attune backups`: what they print, and what scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import Chats, Engine
from engine.cli.chats import _when
from engine.store import database
from tests.unit.cli.conftest import Attune

AT = 1_790_000_000.0
CHAT = {
    "id", "title", "named", "created", "changed", "pinned", "deleted", "messages", "snippet",
    "scope",
}  # fmt: skip


@pytest.fixture
def chats(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    """The chats of the data folder, as the window has them."""
    fast = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    engine = Engine(data, seeds=lambda: 5, clock=lambda: AT)
    yield engine.chats
    engine.close()


def talk(chats: Chats, question: str, *answers: str) -> str:
    asked = chats.ask(question)
    for text in answers:
        begun = chats.begin_answer(asked.id, model="tiny")
        chats.append(begun.id, text, tokens=20)
        chats.break_off(begun.id)
    return asked.chat


@pytest.fixture
def chat(chats: Chats) -> str:
    return talk(chats, "How is basil? Well.", "Dead.", "Alive\x1b and well.")


# Chats --------------------------------------------------------------------------------------


def test_the_list_says_that_it_is_empty(attune: Attune) -> None:
    assert attune("chats", "list").out == "No chats are kept yet.\n"
    assert attune("chats", "list", "--trash").out == "The trash is empty.\n"
    assert attune("chats", "list", "--json").json == {"chats": []}


def test_chats_are_listed_a_line_each(attune: Attune, chats: Chats, chat: str) -> None:
    long = talk(chats, "word " * 30 + "?")
    assert attune("chats", "pin", chat).code == 0
    first, second = attune("chats", "list").out.splitlines()
    assert first == f"* {chat}  {_when(AT)}     3  How is basil?"
    assert second.startswith(f"  {long}  {_when(AT)}     1  word")
    assert len(second) <= 80
    (found,) = attune("chats", "list", "--limit", "1", "--json").json["chats"]
    assert set(found) == CHAT
    assert (found["id"], found["pinned"], found["messages"]) == (chat, True, 3)
    (after,) = attune("chats", "list", "--before", chat, "--json").json["chats"]
    assert after["id"] == long
    assert attune("chats", "list", "--limit", "0").code == 1


def test_a_chat_is_shown_without_what_steers_terminals(attune: Attune, chat: str) -> None:
    assert attune("chats", "show", chat).out == (
        f"How is basil?\n\nYou ({_when(AT)})\nHow is basil? Well.\n\n"
        f"tiny ({_when(AT)}, interrupted, version 2 of 2)\nAlive and well.\n"
    )
    shown = attune("chats", "show", chat, "--json").json
    assert set(shown) == {"chat", "messages"}
    assert [m["role"] for m in shown["messages"]] == ["user", "assistant"]
    assert len(shown["messages"][1]["versions"]) == 2
    missing = attune("chats", "show", "none", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (1, "unknown_chat")


def test_a_search_marks_what_it_found(attune: Attune, chat: str) -> None:
    assert attune("chats", "search", "basil w").out.splitlines() == [
        f"{chat}  How is basil?",
        "          How is [basil]? [Well].",
    ]
    assert attune("chats", "search", "nothing").out == "Nothing was found.\n"
    (found,) = attune("chats", "search", "dead", "--json").json["found"]
    assert set(found) == {"chat", "message", "snippet", "marks"}
    assert (found["chat"]["id"], found["snippet"], found["marks"]) == (chat, "Dead.", [[0, 4]])
    assert attune("chats", "search", "x", "--limit", "0").code == 1


def test_a_chat_is_renamed_pinned_deleted_and_brought_back(attune: Attune, chat: str) -> None:
    assert attune("chats", "rename", chat, "Basil", "--json").json["chat"]["title"] == "Basil"
    assert attune("chats", "pin", chat, "--json").json["chat"]["pinned"] is True
    assert attune("chats", "unpin", chat, "--json").json["chat"]["pinned"] is False
    said = attune("chats", "delete", chat)
    assert f"'attune chats undelete {chat}' brings it back" in said.out
    assert attune("chats", "list", "--json").json == {"chats": []}
    assert [c["id"] for c in attune("chats", "list", "--trash", "--json").json["chats"]] == [chat]
    assert attune("chats", "undelete", chat, "--json").json["chat"]["deleted"] is None
    assert attune("chats", "rename", chat, " ").code == 1


def test_a_chat_is_erased_for_good(attune: Attune, chat: str, data: Path) -> None:
    attune("backups", "make")
    assert attune("chats", "erase", chat, "--json").json == {"erased": chat}
    assert attune("chats", "show", chat).code == 1
    left = b"".join(path.read_bytes().lower() for path in data.rglob("*.db"))
    assert b"alive" not in left


def test_chats_are_exported_and_imported(attune: Attune, chat: str, tmp_path: Path) -> None:
    (file,) = attune("chats", "export", chat, "--to", tmp_path / "a.md", "--json").json["files"]
    assert Path(file).read_text("utf-8").startswith("# How is basil?\n")
    said = attune("chats", "export", "--all", "--to", tmp_path / "all.json", "--format", "json")
    assert said.out == f"{tmp_path / 'all.json'}\n"
    again = attune("chats", "import", tmp_path / "all.json", "--json").json
    assert again == {"chats": 0, "messages": 0, "skipped": 1, "notices": []}
    attune("chats", "erase", chat)
    took = attune("chats", "import", tmp_path / "all.json")
    assert took.out == "Took in 1 chats with 3 messages; 0 were here already.\n"
    assert "Alive" in attune("chats", "show", chat).out


def test_what_cannot_be_imported_is_said_in_a_line(attune: Attune, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[{")
    said = attune("chats", "import", tmp_path / "x.json", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "unreadable_archive")
    assert len(said.err.splitlines()) == 1


def test_empty_chats_of_an_import_are_noted(attune: Attune, chats: Chats, tmp_path: Path) -> None:
    message = {"author": {"role": "user"}, "content": {"parts": ["Hi?"]}}
    full = {"mapping": {"a": {"message": message}}}
    (tmp_path / "x.json").write_text(json.dumps([full, {"mapping": {}}]))
    said = attune("chats", "import", tmp_path / "x.json")
    assert "passed over" in said.err
    assert [found.title for found in chats.page()] == ["Untitled"]


@pytest.mark.parametrize(
    "argv",
    [
        ("chats",), ("chats", "export", "--to", "x"), ("chats", "show"), ("backups",),
        ("chats", "export", "a", "--all", "--to", "x"), ("chats", "export", "a"),
        ("backups", "restore"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_a_usage_error(attune: Attune, argv: tuple[str, ...]) -> None:
    assert attune(*argv).code == 2


# Copies -------------------------------------------------------------------------------------


def test_copies_are_made_listed_and_put_back(attune: Attune, chats: Chats, chat: str) -> None:
    assert attune("backups", "list").out == "There are no copies.\n"
    (made,) = attune("backups", "make", "--json").json["backups"]
    assert set(made) == {"name", "of", "at", "size", "replaced"}
    assert attune("backups", "list").out.startswith(made["name"])
    chats.close()
    talk(chats, "Later?")
    chats.close()
    restored = attune("backups", "restore", made["name"], "--json").json
    assert restored["restored"] == made["name"]
    assert restored["replaced"]["replaced"] is True
    assert [c["id"] for c in attune("chats", "list", "--json").json["chats"]] == [chat]
    said = attune("backups", "restore", restored["replaced"]["name"])
    assert "kept as chats-" in said.out
    assert len(attune("chats", "list", "--json").json["chats"]) == 2
    assert "was replaced" in attune("backups", "list").out
    none = attune("backups", "restore", "none", "--json")
    assert (none.code, none.json["error"]["code"]) == (1, "unknown_backup")
