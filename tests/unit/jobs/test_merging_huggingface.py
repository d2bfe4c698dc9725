"""Merges with members as Hugging Face keeps them: what is written, what the card says of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from engine.errors import DamagedModel, InputError, NotAModel, UnsupportedModel
from engine.merging.masks import is_masked
from engine.models.adapters import write_adapter
from engine.models.cards import marked
from engine.models.safetensors import weight_files
from engine.numerics import F32
from tests.unit.jobs.merges import Workshop
from tests.unit.models.hugging_files import (
    their_weights,
    write_model,
    write_safetensors,
    write_shards,
)
from tests.unit.models.model_files import MATRIX, changes, tiny


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """What is on the disk after the power fails is tested nowhere, and waiting for it is slow."""
    with patch.object(os, "fsync"):
        yield


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, label="F32")


@pytest.fixture
def tuned(shop: Workshop) -> Path:
    return write_model(shop.folder / "tuned", shop.base, changes(shop.base, scale=2e-2, seed=7))


def adapter(shop: Workshop) -> tuple[Path, F32]:
    """An adapter of one matrix, and what it adds."""
    rng = np.random.default_rng(4)
    outputs, inputs = shop.base.shape(MATRIX)
    a = rng.normal(size=(2, inputs)).astype(np.float32)
    b = (rng.normal(size=(outputs, 2)) * 1e-1).astype(np.float32)
    path = shop.folder / "a.gguf"
    halves = {f"{MATRIX}.lora_a": a, f"{MATRIX}.lora_b": b}
    write_adapter(path, base=shop.base, halves=halves, alpha=2.0, name="A", storage="F32")
    return path, b @ a


def test_a_model_in_safetensors_and_an_adapter_are_averaged(shop: Workshop, tuned: Path) -> None:
    path, added = adapter(shop)
    merged = shop.merge(members=(str(tuned), str(path)), method="average")
    wanted = changes(shop.base, scale=2e-2, seed=7)
    wanted[MATRIX] = wanted[MATRIX] + added
    for name, change in wanted.items():
        expected = shop.base.read(name) + change / 2
        np.testing.assert_allclose(merged.model.read(name), expected, rtol=2e-3, atol=1e-4)
    assert merged.notices == []
    assert [mark.name for mark in merged.card.members] == ["tuned", "a.gguf"]


def test_a_model_in_safetensors_and_an_adapter_are_merged_by_a_mask(
    shop: Workshop, tuned: Path
) -> None:
    path, added = adapter(shop)
    merged = shop.merge(members=(str(tuned), str(path)))
    assert merged.card.method == "calm"
    assert {"tuned alone", "a.gguf alone", "calm"} <= set(merged.card.scores)
    for name, change in changes(shop.base, scale=2e-2, seed=7).items():
        if not is_masked(name, change.ndim):
            continue
        found, base = merged.model.read(name), shop.base.read(name)
        other = added if name == MATRIX else 0.0
        from_one = np.isclose(found, base + change, rtol=2e-3, atol=1e-4)
        from_other = np.isclose(found, base + other, rtol=2e-3, atol=1e-4)
        assert (from_one | from_other).all(), name
        assert from_one.any(), name


def test_shards_have_the_mark_of_all_their_weights_in_order(shop: Workshop, tuned: Path) -> None:
    parts = shop.folder / "parts"
    parts.mkdir()
    index = write_shards(parts, their_weights(shop.base, changes(shop.base, scale=2e-2, seed=8)))
    merged = shop.merge(members=(str(index), str(tuned)), method="average")
    data = b"".join(path.read_bytes() for path in weight_files(index))
    sharded, whole = merged.card.members
    assert (sharded.name, sharded.size) == ("model.safetensors.index.json", len(data))
    assert sharded.sha256 == hashlib.sha256(data).hexdigest()
    assert whole.sha256 == marked(tuned / "model.safetensors").sha256


def test_a_folder_and_the_file_in_it_are_one_member(shop: Workshop, tuned: Path) -> None:
    members = (str(tuned), str(tuned / "model.safetensors"))
    with pytest.raises(InputError, match=r"model\.safetensors is named twice"):
        list(shop.begin(members=members).run())


def test_what_could_not_be_checked_stands_on_the_card(shop: Workshop) -> None:
    weights = their_weights(shop.base, changes(shop.base, scale=2e-2, seed=7))
    path = write_safetensors(shop.folder / "bare.safetensors", weights)
    merged = shop.merge(members=(str(path), str(shop.members[0].path)), method="average")
    assert merged.notices == ["unchecked_member"]
    assert any("bare.safetensors" in text for text in merged.card.notices)


def test_rounding_of_the_base_is_said_before_the_work(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, label="Q4_1")
    original = tiny(tmp_path, name="original.gguf")
    tuned = write_model(tmp_path / "tuned", original, changes(original, scale=1e-3))
    merged = shop.merge(members=(str(tuned), str(shop.members[0].path)), method="average")
    assert merged.notices == ["coarse_base"]
    assert any("base.gguf stores a weight in 5.0 bits" in text for text in merged.card.notices)


def test_what_does_not_belong_to_the_base_leaves_nothing_behind(
    shop: Workshop, tuned: Path
) -> None:
    other = str(shop.members[0].path)
    with pytest.raises(NotAModel, match="folder state has neither"):
        list(shop.begin(members=(str(shop.folder / "state"), other)).run())
    config = tuned / "config.json"
    config.write_text(config.read_text().replace('"num_key_value_heads": 2', '"head_dim": 1'))
    with pytest.raises(UnsupportedModel, match="num_key_value_heads is 4, but 2"):
        list(shop.begin(members=(str(tuned), other)).run())
    config.unlink()
    weights = tuned / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(DamagedModel, match="follow the header"):
        list(shop.begin(members=(str(tuned), other)).run())
    assert not (shop.folder / "out.gguf").exists()
    assert not list((shop.folder / "state").iterdir())
    assert shop.letters.asked == 0
