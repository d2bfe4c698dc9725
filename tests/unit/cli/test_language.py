"""The language of the window, said on the command line."""

from __future__ import annotations

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
