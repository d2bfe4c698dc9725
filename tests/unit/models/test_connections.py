"""The log of connections: whole lines, whatever happens to who writes them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import StorageError
from engine.models.connections import LINE, ConnectionLog
from engine.types.library import Connection

ONE = Connection(
    at=1_700_000_000.0, host="hub.example", purpose="m.gguf of a/b", sent=0, received=0, ended=""
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "connections.jsonl"


def test_what_is_written_is_read_the_newest_first(path: Path) -> None:
    log = ConnectionLog(path)
    other = replace(ONE, host="store.example", at=ONE.at + 5)
    log.add(ONE)
    log.add(other)
    assert log.read() == (other, ONE)


def test_an_entry_is_changed_where_it_stands(path: Path) -> None:
    log = ConnectionLog(path)
    first, second = log.add(ONE), log.add(replace(ONE, host="b"))
    ended = replace(ONE, sent=10, received=10**12, ended="done")
    log.change(first, ended)
    assert log.read() == (replace(ONE, host="b"), ended)
    assert second == LINE


def test_a_line_is_on_the_disk_before_the_connection_is_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: synced.append(path.read_bytes()))
    ConnectionLog(path).add(ONE)
    assert [b"hub.example" in data for data in synced] == [True]


def test_each_line_is_an_object_that_people_can_read(path: Path) -> None:
    ConnectionLog(path).add(replace(ONE, ended="done"))
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "at": "2023-11-14T22:13:20Z", "host": "hub.example", "purpose": "m.gguf of a/b",
        "sent": 0, "received": 0, "ended": "done",
    }  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=400))
def test_no_text_breaks_a_line(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    log = ConnectionLog(tmp_path_factory.mktemp("log") / "c.jsonl")
    place = log.add(replace(ONE, host=text, purpose=text, ended=text, sent=10**15))
    log.add(ONE)
    log.change(place, replace(ONE, host=text, purpose=text, received=10**15))
    newest, changed = log.read()
    assert newest == ONE
    assert text.startswith(changed.host)
    if text.isascii() and text.isprintable() and len(text) < 50:
        assert changed.host == text


@pytest.mark.parametrize("left", [b'{"at": "2023', b"\n", b"x" * 700, b"x" * LINE])
def test_what_a_crash_has_left_costs_no_other_line(path: Path, left: bytes) -> None:
    path.write_bytes(left)
    log = ConnectionLog(path)
    place = log.add(ONE)
    log.change(place, replace(ONE, ended="done"))
    log.add(ONE)
    assert log.read() == (ONE, replace(ONE, ended="done"))


def test_lines_that_are_no_entries_are_passed_over(path: Path) -> None:
    ConnectionLog(path).add(ONE)
    with path.open("ab") as file:
        file.write(b'[]\nnull\n{"at": 3}\n{"at": "never", "host": ""}\n\xff\n')
    assert ConnectionLog(path).read() == (ONE,)


def test_before_the_first_connection_there_is_none(path: Path) -> None:
    assert ConnectionLog(path).read() == ()


def test_a_log_that_cannot_be_used_is_said(path: Path) -> None:
    path.mkdir()
    for attempt in (ConnectionLog(path).read, lambda: ConnectionLog(path).add(ONE)):
        with pytest.raises(StorageError, match="log of connections"):
            attempt()


def test_it_is_for_its_owner_alone(path: Path) -> None:
    ConnectionLog(path).add(ONE)
    assert path.stat().st_mode & 0o077 == 0
