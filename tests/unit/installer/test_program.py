"""How one process of Attune starts another, from source and installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine import program
from installer import program as entry


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "attune"))
    return tmp_path


@pytest.mark.parametrize("part", program.PARTS)
def test_from_source_a_part_is_a_module_of_an_isolated_python(part: str) -> None:
    assert program.command(part) == (sys.executable, "-I", "-X", "utf8", "-m", part)
    assert program.folder().is_dir()


@pytest.mark.parametrize("part", program.PARTS)
def test_installed_a_part_is_the_same_program_once_more(installed: Path, part: str) -> None:
    assert program.command(part) == (str(installed / "attune"), "--be", part)
    assert program.folder() == installed


def test_installed_the_downloader_is_a_program_of_its_own(installed: Path) -> None:
    command = program.command(program.DOWNLOADER)
    assert command == (str(installed / "download" / "attune-download"),)


@pytest.mark.parametrize("part", program.PARTS)
def test_the_program_is_what_it_is_told_to_be(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{part}.main", lambda: 42)
    assert entry.main([program.BE, part]) == 42


def test_the_program_is_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main([program.BE, "os"]) == 2
    assert "no part of Attune: os" in capsys.readouterr().err


def test_everything_else_is_for_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        seen.append(arguments)
        return 7

    monkeypatch.setattr("desktop.__main__.main", main)
    assert entry.main(["-psn_0_12345", "ask", "Why?"]) == 7
    assert seen == [["ask", "Why?"]]


@pytest.mark.parametrize(("before", "after"), [("/opt/mine", "/opt/mine"), (None, None)])
def test_programs_that_attune_starts_find_the_libraries_of_the_system(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str | None
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/attune/_internal")
    if before is None:
        monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    else:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    entry.give_back_libraries()
    assert os.environ.get("LD_LIBRARY_PATH") == after
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ
