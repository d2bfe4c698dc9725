"""The same promises, kept by the fake, by a tiny random llama and by the starter model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.inference.host import HostedModel
from engine.models.catalogue import starter_path
from engine.types.models import Launch
from tests.fakes.model import FakeModel
from tests.fixtures.tiny_gguf import write_tiny_llama

CELLS = 768
"""More than a batch of llama.cpp, so that prompts are split."""
SAFE = ("haswell", "sse42")
"""What the best library claims and what this machine allows may differ; these two just run."""


class Models:
    """Loads each real model once for all tests."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._loaded: dict[str, HostedModel] = {}

    def get(self, name: str) -> HostedModel:
        if name == "fake":
            return FakeModel(cells=CELLS)
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        model = self._loaded[name]
        model.resume()
        model.forget()
        return model

    def _load(self, name: str) -> HostedModel:
        from engine.inference import llama

        variant = next((v for v in SAFE if v in llama.variants()), None)
        llama.start(variant)
        path = starter_path() if name == "starter" else write_tiny_llama(self._folder / "tiny.gguf")
        launch = Launch(variant=variant, extra_bufts=False, threads=1, context=CELLS)
        model = llama.LlamaModel(str(path), launch=launch)
        self._stack.callback(model.close)
        return model


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with ExitStack() as stack:
        yield Models(tmp_path_factory.mktemp("models"), stack)


@pytest.fixture(params=["fake", "tiny", pytest.param("starter", marks=pytest.mark.model)])
def model(request: pytest.FixtureRequest, models: Models) -> HostedModel:
    """A model with an empty cache."""
    return models.get(request.param)


@pytest.fixture(params=["tiny", pytest.param("starter", marks=pytest.mark.model)])
def llama_model(request: pytest.FixtureRequest, models: Models) -> HostedModel:
    """A model that llama.cpp runs, with an empty cache."""
    return models.get(request.param)


@pytest.fixture
def starter(models: Models) -> HostedModel:
    """The starter model, with an empty cache."""
    return models.get("starter")
