"""The log holds what happened, and no text of the owner's, whatever anybody hands to it."""

from __future__ import annotations

import ast
import logging
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import logs
from engine.errors import InvalidParameter, StorageError
from engine.logs import Fact, SafeFormatter

ROOT = Path(__file__).parents[2]
SECRET = "How do I tell my mother?"

ours = logging.getLogger("engine.test")
theirs = logging.getLogger("somebody.else")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with logs.kept(tmp_path / "logs"):
        yield tmp_path / "logs"


def read(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.log")))


# What is written ------------------------------------------------------------------------------


def test_words_of_the_source_numbers_and_facts_are_written(folder: Path) -> None:
    ours.warning("from %s to %s after %d tries, %.1f s", Fact("GPU"), Fact("CPU"), 3, 0.25)
    (line,) = read(folder).splitlines()
    assert line.endswith("WARNING engine.test: from GPU to CPU after 3 tries, 0.2 s")


def test_of_an_error_the_kinds_and_codes_of_the_whole_chain_are_written(folder: Path) -> None:
    try:
        try:
            raise OSError(28, SECRET)
        except OSError as full:
            raise StorageError(SECRET) from full
    except StorageError as error:
        ours.warning("not saved: %s", error)
    assert read(folder).endswith("not saved: StorageError (storage) from OSError (ENOSPC)\n")


def test_of_a_traceback_places_are_written_and_no_source(folder: Path) -> None:
    def fails() -> None:
        raise ValueError(f"{SECRET} in {os.getcwd()}")

    try:
        fails()
    except ValueError:
        ours.exception("it failed")
    text = read(folder)
    assert "ValueError" in text
    assert "in fails" in text
    assert "unit/test_logs.py:" in text
    assert SECRET not in text
    assert str(ROOT) not in text
    assert "raise" not in text


def test_below_the_level_nothing_is_written(folder: Path) -> None:
    ours.debug("chatter")
    assert not folder.exists()


# What is not ----------------------------------------------------------------------------------


class Talkative:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


class Number(int):
    """A number that says what it likes."""

    text = ""

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def ways(text: str) -> list[object]:
    number = Number(3)
    number.text = text
    chained = StorageError(text, detail=text)
    chained.__cause__ = ValueError(text, {text: text})
    return [
        text, text.encode(), [text], (text,), {text: text}, Path("/x") / text.replace("\0", ""),
        Talkative(text), number, ValueError(text), chained,
        InvalidParameter.outside(text, text, text),
    ]  # fmt: skip


def formatted(*args: object, msg: str = "said %s", name: str = "engine.x") -> str:
    record = logging.LogRecord(name, logging.ERROR, "file.py", 1, msg, args, None)
    return SafeFormatter().format(record)


@given(st.text(min_size=12, alphabet=st.characters(min_codepoint=0x400, max_codepoint=0x4FF)))
def test_no_text_gets_in_as_a_value_of_whatever_kind(text: str) -> None:
    for value in ways(text):
        for written in ("said %s", "said %r", "said %d", "said %g", "%(key)s"):
            assert text not in formatted(value, msg=written)
        assert text not in formatted({"key": value}, msg="said %(key)s")


@given(st.text(min_size=12, alphabet=st.characters(min_codepoint=0x400, max_codepoint=0x4FF)))
def test_no_text_gets_in_by_way_of_other_libraries(text: str) -> None:
    assert text not in formatted(msg=text, name="somebody.else")
    assert text not in formatted(Fact(text), msg="%s", name="somebody.else")


def test_a_text_is_told_by_its_length(folder: Path) -> None:
    ours.warning("refused %s", SECRET)
    assert "refused (24 characters)" in read(folder)


def test_every_message_in_the_source_is_a_literal() -> None:
    """What stands in the place of the message is written as it is: it must come from the source."""
    loose = []
    for path in (p for package in ("engine", "desktop") for p in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if _logs(node):
                assert isinstance(node, ast.Call)
                place = 1 if getattr(node.func, "attr", "") == "log" else 0
                message = node.args[place]
                if not (isinstance(message, ast.Constant) and isinstance(message.value, str)):
                    loose.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert loose == []


def _logs(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    named = isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "qt_log")
    return named and node.func.attr in levels


# The file -------------------------------------------------------------------------------------


def test_a_log_that_is_full_is_put_aside_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SIZE", 200)
    with logs.kept(tmp_path):
        for number in range(40):
            ours.warning("number %d", number)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["attune.1.log", "attune.2.log", "attune.log"]
    for name in names:
        assert (tmp_path / name).stat().st_size < 200 + 60
    newest = (tmp_path / "attune.log").read_text() or (tmp_path / "attune.1.log").read_text()
    assert newest.endswith("number 39\n")
    assert "number 0\n" not in read(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="an open file has no other name on Windows")
def test_a_log_that_another_program_has_put_aside_is_not_written_any_more(folder: Path) -> None:
    ours.warning("before")
    os.replace(folder / logs.NAME, folder / logs.older(1))
    (folder / logs.NAME).write_text("another program\n")
    ours.warning("after")
    assert (folder / logs.NAME).read_text().endswith("after\n")
    assert (folder / logs.older(1)).read_text().endswith("before\n")


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_nobody_else_can_read_it(folder: Path) -> None:
    ours.warning("there")
    assert stat.S_IMODE((folder / logs.NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_where_it_cannot_be_written_nobody_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with logs.kept(tmp_path / "file"):
        ours.error("lost")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_costs_the_log_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / logs.NAME).symlink_to("/dev/full")
    with logs.kept(tmp_path):
        ours.error("lost")
    assert capsys.readouterr().err == ""


def test_the_end_of_a_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / logs.NAME).write_text("first line\nsecond\nthird\n")
    assert logs.tail(tmp_path, longest=16) == "second\nthird\n"
    assert logs.tail(tmp_path, longest=1000) == "first line\nsecond\nthird\n"
    assert logs.tail(tmp_path / "nowhere", longest=16) == ""


# Mistakes -------------------------------------------------------------------------------------


def test_an_error_that_nobody_caught_is_logged_without_its_words_and_printed_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.excepthook
    with logs.mistakes_logged():
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            sys.excepthook(KeyError, error, error.__traceback__)
        thread = threading.Thread(target={}.__getitem__, args=(SECRET,))
        thread.start()
        thread.join()
    text = read(folder)
    assert text.count("CRITICAL engine.logs: nobody caught an error") == 2
    assert text.count("KeyError") == 2
    assert SECRET not in text
    assert SECRET not in capsys.readouterr().err
    assert sys.excepthook is before
