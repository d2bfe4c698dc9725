"""What the next window is told of the one before, and when it is told nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import endings
from engine.endings import Ending, RunNote
from engine.types.models import Launch

LAUNCH = Launch(variant="haswell", gpu_layers=-1, threads=4)


def note(folder: Path, *, boot: str = "monday", at: float = 7.0) -> RunNote:
    return RunNote(folder / "logs", clock=lambda: at, boot=boot)


def test_the_first_window_is_told_nothing(tmp_path: Path) -> None:
    assert note(tmp_path).begin() is None


def test_after_a_good_end_nothing_is_told(tmp_path: Path) -> None:
    first = note(tmp_path)
    first.begin()
    first.clear()
    first.clear()
    assert note(tmp_path).begin() is None


def test_a_window_that_vanished_is_told_of_once(tmp_path: Path) -> None:
    note(tmp_path).begin()
    ended = note(tmp_path, at=9.0).begin()
    assert ended == Ending(doing="running", at=7.0, boot="monday")
    again = note(tmp_path)
    again.clear()
    assert again.begin() is None


def test_what_was_being_loaded_is_told_with_its_settings(tmp_path: Path) -> None:
    first = note(tmp_path)
    first.begin()
    with first.during("loading", model="Qwen 0.5B", launch=LAUNCH):
        ended = note(tmp_path).begin()
    assert ended == Ending(doing="loading", model="Qwen 0.5B", launch=LAUNCH, at=7.0, boot="monday")


def test_what_is_over_is_told_no_more_however_it_ended(tmp_path: Path) -> None:
    first = note(tmp_path)
    first.begin()
    with pytest.raises(KeyError), first.during("loading", model="Qwen", launch=LAUNCH):
        raise KeyError
    ended = note(tmp_path).begin()
    assert ended is not None
    assert (ended.doing, ended.model) == ("running", "")


def test_who_ends_it_on_purpose_while_a_model_is_loaded_is_told_nothing(tmp_path: Path) -> None:
    first = note(tmp_path)
    first.begin()
    with first.during("loading", model="Qwen"):
        first.clear()
    with first.during("loading", model="Qwen"):
        pass
    assert note(tmp_path).begin() is None


@pytest.mark.parametrize(
    ("doing", "now", "told"),
    [
        ("running", "tuesday", False),  # somebody switched the machine off
        ("running", "monday", True),
        ("running", "", True),  # nobody can tell
        ("loading", "tuesday", True),  # the machine stood still over it
        ("trying", "tuesday", True),
    ],
)
def test_a_machine_that_was_started_anew_excuses_what_is_no_risk(
    tmp_path: Path, doing: endings.Doing, now: str, told: bool
) -> None:
    first = note(tmp_path)
    first.begin()
    with first.during(doing):
        assert (note(tmp_path, boot=now).begin() is not None) is told


def test_a_fault_that_was_written_down_is_told(tmp_path: Path) -> None:
    note(tmp_path).begin()
    fault = "Fatal Python error: Segmentation fault"
    (tmp_path / "logs" / endings.FAULTS).write_text(f"{fault}\n\nCurrent thread 0x1:\n")
    ended = note(tmp_path, boot="tuesday").begin()
    assert ended is not None
    assert ended.fault == fault
    assert endings.last(tmp_path / "logs", window=True) == ended
    assert (tmp_path / "logs" / endings.FAULTS).read_text() == "", "it is told of once"


@given(st.binary(max_size=200))
def test_a_damaged_note_is_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "logs"
    folder.mkdir(exist_ok=True)
    (folder / endings.NOW).write_bytes(content)
    found = RunNote(folder, clock=lambda: 0.0).begin()
    assert found is None or isinstance(found, Ending)


def test_where_no_note_can_be_written_all_goes_on(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    first = note(tmp_path)
    assert first.begin() is None
    with first.during("loading"):
        pass
    first.clear()


def test_a_note_of_something_risky_is_on_the_disk_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append("synced"))
    first = note(tmp_path)
    first.begin()
    assert synced == []
    with first.during("loading"):
        assert synced == ["synced"]


def test_the_doctor_finds_the_newest_bad_end(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    assert endings.last(folder, window=False) is None
    first = note(tmp_path)
    first.begin()
    assert endings.last(folder, window=True) is None, "that is the window that is open"
    unclosed = endings.last(folder, window=False)
    second = note(tmp_path, at=9.0)
    second.begin()
    assert endings.last(folder, window=True) == unclosed
    second.clear()
    assert endings.last(folder, window=False) == unclosed
