"""The real child with real models, on settings that run on nearly any processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.api import Engine
from engine.config import Settings, SettingsFile
from engine.inference import llama
from engine.session.selftest import machine_key
from engine.types.models import Launch

CONTEXT = 1024
SAFE = ("haswell", "sse42")
MakeEngine = Callable[[], Engine]


def safe_launch(*, context: int = CONTEXT) -> Launch:
    """What the best library claims and what this machine allows may differ; these just run."""
    variant = next((v for v in SAFE if v in llama.variants()), None)
    return Launch(variant=variant, extra_bufts=False, threads=1, context=context)


def remember_safe(folder: Path) -> None:
    """Settings as a self-test would leave them."""
    folder.mkdir(exist_ok=True)
    known = Settings(
        launch=safe_launch(), launch_key=machine_key(), variants=tuple(llama.variants())
    )
    SettingsFile(folder / "settings.json").write(known)


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes engines in one data folder and closes them."""
    folder = tmp_path / "data"
    remember_safe(folder)
    made: list[Engine] = []

    def make() -> Engine:
        made.append(Engine(folder))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
