"""`attune models find | recommended | get | connections`, and what the others say of downloads."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import program
from engine.models.connections import ConnectionLog
from engine.models.recommended import Offer
from engine.session import library
from engine.types.library import Connection
from tests.fakes.hub import COMMIT, Hub, serving
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.conftest import Attune


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "ATTUNE_OFFLINE", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """It has the one model that is recommended here."""
    data = write_tiny_llama(tmp_path / "small.gguf", seed=3).read_bytes()
    offer = Offer(
        id="small", name="Small", licence="CC0-1.0", repository="owner/name", revision=COMMIT,
        file="small-q4.gguf", sha256=hashlib.sha256(data).hexdigest(), size=len(data),
        cache_per_token=100,
    )  # fmt: skip
    monkeypatch.setattr(library, "OFFERS", (offer,))
    with serving(Hub(files={"small-q4.gguf": data})) as hub:
        own = (sys.executable, "-I", "-X", "utf8", "-m", "engine.download")
        command = (*own, "--endpoint", hub.endpoint)
        monkeypatch.setattr(program, "command", lambda _module: command)
        yield hub


def test_a_model_is_got_listed_and_deleted(attune: Attune, hub: Hub, data: Path) -> None:
    out = attune("models", "recommended").out
    assert out.splitlines()[-1] == "To get one, as the first: attune models get small"
    (offered,) = attune("models", "recommended", "--json").json["models"]
    assert (offered["id"], offered["installed"]) == ("small", "")
    got = attune("models", "get", "small", "--json")
    (card,) = got.json["models"]
    assert (card["id"], card["sha256"]) == ("small-q4", offered["sha256"])
    assert "100%: Getting small-q4.gguf" in got.err
    assert "Connected to 127.0.0.1" in got.err
    _, listed = attune("models", "list", "--json").json["models"]
    assert (listed["origin"], listed["fit"]["word"]) == ("downloaded", "well")
    assert "yours already, as small-q4" in attune("models", "recommended").out
    assert "models get" not in attune("models", "recommended").out
    again = attune("models", "get", "small", "--offline")
    assert again.out.startswith("small-q4 is here already, as small-q4.")
    assert again.code == 0
    refused = attune("models", "remove", "small-q4", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "input")
    assert "--yes" in refused.err
    assert Path(card["path"]).exists()
    assert attune("models", "remove", "small-q4", "--yes").out.startswith("Deleted small-q4")
    assert not Path(card["path"]).exists()


def test_a_file_of_a_repository_is_got_by_its_names(attune: Attune, hub: Hub) -> None:
    assert "here as small-q4" in attune("models", "get", "owner/name", "small-q4.gguf").out
    which = attune("models", "get", "owner/name")
    assert which.code == 1
    assert "Which file" in which.err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_offline_nothing_is_got(
    attune: Attune, hub: Hub, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "variable":
        monkeypatch.setenv("ATTUNE_OFFLINE", "1")
    said = attune("models", "get", "small", "--json", *(["--offline"] * (how == "option")))
    assert (said.code, said.json["error"]["code"]) == (1, "offline")
    assert hub.requests == []
    assert attune("models", "list", "--offline").code == 0


def test_what_the_hub_does_not_have_is_one_line(attune: Attune, hub: Hub) -> None:
    said = attune("models", "get", "owner/name", "none.gguf", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "not_on_hub")
    assert said.err.splitlines()[-1].startswith("attune: There is no file none.gguf")


def test_connections_are_shown_and_their_want_is_said(attune: Attune, data: Path) -> None:
    assert attune("models", "connections").out == "No connection was ever made.\n"
    assert attune("models", "connections", "--json").json == {"connections": []}
    made = Connection(
        at=1.7e9, host="hub.example", purpose="m.gguf of a/b", sent=1, received=2345, ended="done"
    )
    ConnectionLog(data / "connections.jsonl").add(made)
    out = attune("models", "connections").out
    assert "hub.example  m.gguf of a/b  2,345 bytes received, done" in out
    (told,) = attune("models", "connections", "--json").json["connections"]
    assert told["received"] == 2345


def test_models_of_other_programs_are_found_and_added(attune: Attune, home: Path) -> None:
    assert "No other program" in attune("models", "find").out
    theirs = home / ".lmstudio" / "models" / "theirs.gguf"
    theirs.parent.mkdir(parents=True)
    write_tiny_llama(theirs, seed=5)
    (found,) = attune("models", "find", "--json").json["found"]
    assert (found["app"], found["path"]) == ("LM Studio", str(theirs))
    assert attune("models", "add", theirs).code == 0
    assert "yours already, as theirs" in attune("models", "find").out
    listed: list[Any] = attune("models", "list", "--json").json["models"]
    assert [(each["origin"], each["app"]) for each in listed][1] == ("linked", "LM Studio")
    assert json.loads((home / "data" / "models.json").read_text())
