"""The language of the window, said on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.api import OpenWindow
from tests.unit.cli.conftest import Attune


@pytest.mark.parametrize(("said", "language"), [(["--lang", "de"], "de"), ([], None)])
def test_the_language_of_a_run_is_handed_to_the_window(
    attune: Attune, tmp_path: Path, said: list[str], language: str | None
) -> None:
    asked: list[OpenWindow] = []

    def open_window(request: OpenWindow) -> int:
        asked.append(request)
        return 0

    attune("--data-dir", tmp_path, *said, open_window=open_window, has_display=lambda: True)
    assert asked == [OpenWindow(data_dir=tmp_path, language=language)]


@pytest.mark.parametrize("command", [(), ("doctor",), ("data", "show")])
def test_a_language_that_is_not_there_is_one_sentence_everywhere(
    attune: Attune, command: tuple[str, ...]
) -> None:
    def trouble(code: str) -> str:
        return "" if code == "de" else f"There is no {code}."

    def open_window(_request: OpenWindow) -> int:
        raise AssertionError("it is refused before")

    said = attune("--lang", "xx", *command, open_window=open_window, language_trouble=trouble)
    assert (said.code, said.out, said.err) == (2, "", "attune: There is no xx.\n")
    told = attune("--lang", "xx", "--json", *command, language_trouble=trouble)
    assert told.code == 2
    assert json.loads(told.out)["error"]["code"] == "usage"
    assert attune("--lang", "de", "data", "show", language_trouble=trouble).code == 0
