"""A program folder with a tiny starter model, and engines whose child is a fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Engine
from engine.config import Settings, SettingsFile
from engine.models import catalogue
from engine.models.catalogue import STARTER_FILE
from engine.session.selftest import machine_key
from engine.types.models import Launch
from engine.types.steering import GREEDY
from tests.fakes import host as fake
from tests.fakes.host import Script
from tests.fakes.process import own_threads
from tests.fixtures.tiny_gguf import write_tiny_llama

MakeEngine = Callable[..., Engine]


@pytest.fixture(scope="session")
def program_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installed program keeps its starter model; here it is a tiny one."""
    folder = tmp_path_factory.mktemp("program")
    write_tiny_llama(folder / STARTER_FILE, seed=7)
    return folder


@pytest.fixture
def data(tmp_path: Path, program_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder where the self-test has already found what works."""
    monkeypatch.setattr(catalogue, "asset_folders", lambda: (program_folder,))
    folder = tmp_path / "data"
    folder.mkdir()
    remember(folder)
    return folder


def remember(folder: Path, **changes: object) -> None:
    """Write settings: tested on this machine, greedy, and the changes."""
    known = Settings(
        launch=Launch(variant="newest", context=4096),
        launch_key=machine_key(),
        variants=("newest", "haswell", "sse42"),
        sampling=replace(GREEDY, max_tokens=64),
    )
    file = SettingsFile(folder / "settings.json")
    file.write(replace(known, **changes))  # type: ignore[arg-type]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that follow a script run as threads of this process."""
    own_threads(monkeypatch)


@pytest.fixture
def make_engine(data: Path, threads: None) -> Iterator[MakeEngine]:
    """Makes engines with a fake child that follows a script, and closes them."""
    made: list[Engine] = []

    def make(script: Script | None = None, **changes: object) -> Engine:
        command = fake.command(script, **changes)
        made.append(Engine(data, host=command, seeds=lambda: 11))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
