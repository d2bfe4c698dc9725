"""What can be wrong with the place where things are kept: each is one sentence and a way on."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Engine
from engine.config import SettingsFile
from engine.errors import AttuneError, NewerRecord, StorageError
from engine.paths import PROBE, data_folder
from engine.store import chat_tables, schema
from engine.store.chats import ChatStore
from engine.store.record import Record
from engine.types.answers import Answer
from engine.types.work import Notice
from tests.fakes.asking import question
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine, remember

CLOCK = iter(range(10_000)).__next__


def sentence(call: Callable[[], object]) -> str:
    """What is said of it; one sentence or two, on one line, that name a way on."""
    with pytest.raises(AttuneError) as caught:
        call()
    said = caught.value.message
    assert "\n" not in said
    assert len(said) < 400
    return said


def fails(number: int) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    return fail


# At the start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_data_folder_that_takes_no_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", fails(number))
    said = sentence(lambda: data_folder(tmp_path))
    assert str(tmp_path) in said
    assert os.strerror(number) in said
    assert "--data-dir" in said
    assert ("is its drive plugged in?" in said) is (number in (errno.EIO, errno.ESTALE))


def test_a_drive_that_went_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", fails(errno.EIO))
    assert "is its drive plugged in?" in sentence(lambda: data_folder(tmp_path / "usb"))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_folder_in_which_files_cannot_be_locked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "lockf", fails(number))
    said = sentence(lambda: data_folder(tmp_path))
    assert "cannot be locked" in said
    assert "--data-dir" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_keeps_nobody_from_reading_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", fails(number))
    assert data_folder(tmp_path).root == tmp_path


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    data_folder(tmp_path)
    assert list(tmp_path.glob(f"{PROBE}*")) == []


# While it runs --------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChatStore]:
    store = ChatStore(tmp_path / "chats.db", clock=CLOCK, rng=random.Random(1))
    yield store
    store.close()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record(tmp_path / "record.db", clock=CLOCK)
    yield record
    record.close()


def spoil(file: object, pragma: str) -> None:
    """Have the open connection behave as on a disk that is full, or may not be written."""
    connection = file._file._connection  # type: ignore[attr-defined]
    connection.execute(pragma)


@pytest.mark.parametrize(
    ("pragma", "told"),
    [
        ("PRAGMA max_page_count = 1", "there is no space left; free some and try again"),
        ("PRAGMA query_only = 1", "check its permissions and its folder's"),
    ],
    ids=["full", "read-only"],
)
def test_where_nothing_can_be_written_that_is_said_and_nothing_is_lost(
    store: ChatStore, record: Record, pragma: str, told: str
) -> None:
    kept = store.ask("Kept?")
    record.reset()
    for file in (store, record):
        spoil(file, pragma)
    said = sentence(lambda: store.ask("x" * 100_000))
    assert told in said
    assert "chats.db" in said
    assert store.open(kept.chat).chat.id == kept.chat
    if "query_only" in pragma:
        assert told in sentence(record.reset)


def test_a_file_that_cannot_be_made_for_want_of_room_says_so(
    store: ChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", fails(errno.ENOSPC))
    assert "there is no space left" in sentence(lambda: store.ask("Well?"))


def test_settings_that_cannot_be_saved_are_told_and_the_old_ones_act(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    monkeypatch.setattr(tempfile, "mkstemp", fails(errno.EROFS))
    said = sentence(lambda: engine.change(gamma=7.0))
    assert "settings.json" in said
    assert os.strerror(errno.EROFS) in said
    assert engine.settings.gamma == 2.0


def test_no_room_for_temporary_files_is_no_trouble(store: ChatStore, record: Record) -> None:
    """Nothing of a database is ever put elsewhere."""
    store.ask("Well?")
    record.reset()
    for file in (store, record):
        connection = file._file._connection
        assert connection is not None
        assert connection.execute("PRAGMA temp_store").fetchone() == (2,)


# A newer Attune was here ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["record.db", "chats.db"])
def test_a_file_of_a_newer_attune_is_left_alone_and_the_way_on_is_said(
    tmp_path: Path, store: ChatStore, record: Record, name: str
) -> None:
    store.ask("Kept?")
    record.reset()
    store.close()
    record.close()
    kinds = {"record.db": schema.record(), "chats.db": chat_tables.KIND}
    newer = len(kinds[name].migrations) + 1
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    before = (tmp_path / name).read_bytes()
    calls: dict[str, Callable[[], object]] = {
        "record.db": record.reset, "chats.db": lambda: store.ask("Again?"),
    }  # fmt: skip
    with pytest.raises(NewerRecord) as caught:
        calls[name]()
    for wanted in ("newer Attune", "update Attune", "--data-dir", "Nothing was changed"):
        assert wanted in caught.value.message
    assert (tmp_path / name).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chats.db", "record.db"]


# Damaged files --------------------------------------------------------------------------------


def test_damaged_settings_are_kept_aside_told_once_and_do_not_matter(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").write_bytes(b"{ half of it")
    told = [notice for _ in range(2) for notice in notices(make_engine())]
    (said,) = (notice.text for notice in told if notice.code == "settings_damaged")
    assert str(data / "settings.json.damaged") in said
    assert (data / "settings.json.damaged").read_bytes() == b"{ half of it"
    assert SettingsFile(data / "settings.json").read()[1] == ()


def notices(engine: Engine) -> list[Notice]:
    return [event for event in engine.start() if isinstance(event, Notice)]


def test_a_damaged_record_is_told_once_however_many_questions_are_asked(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "record.db").write_bytes(b"no database" * 500)
    engine = make_engine()
    for _ in engine.start():
        pass
    told: list[str] = []
    for _ in range(3):
        asked = replace(question("Well?"), personal=True)
        for event in engine.answer(asked):
            if isinstance(event, Notice):
                told.append(event.text)
            elif isinstance(event, Answer):
                assert event.text
    (said,) = told
    assert "record.db" in said
    assert "put an earlier copy of it in its place" in said


# A model whose file is gone -------------------------------------------------------------------


def test_the_starter_answers_for_a_model_that_was_moved_and_it_is_found_again_where_it_is(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    file = write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)
    remember(data, model="other")
    engine = make_engine()
    engine.add_model(file)
    moved = file.rename(tmp_path / "elsewhere.gguf")
    (notice,) = notices(engine)
    assert notice.code == "model_lost"
    assert str(file) in notice.text
    assert "The starter model answers." in notice.text
    assert engine.add_model(moved).id == "other"
    assert notices(engine) == []


def test_a_folder_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="--data-dir"):
        data_folder(tmp_path / "file")
