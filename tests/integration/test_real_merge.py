"""The whole way of a merge through its processes, which may be killed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EngineCrashed
from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.models.cards import MergeCard, read_card
from tests.integration.conftest import safe_launch
from tests.unit.jobs.merges import Workshop

pytestmark = [pytest.mark.model, pytest.mark.slow]


def merged(shop: Workshop, *, out: str, kill_at: str = "") -> MergeCard:
    """Merge in a job child of its own, which is killed when it has said something."""
    place = shop.folder / out
    request = shop.request(out=str(place), launch=safe_launch())
    client = JobClient()
    end: object = None
    try:
        for end in client.run(request):
            if kill_at and kill_at in str(end):
                client.kill()
    finally:
        client.close()
    assert isinstance(end, protocol.Done)
    return read_card(place)


def test_a_merge_whose_process_is_killed_goes_on_and_is_the_same(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    with pytest.raises(EngineCrashed):
        merged(shop, out="out.gguf", kill_at="epoch 1 of")
    assert not list(tmp_path.glob("out*"))
    assert list((tmp_path / "state").iterdir())
    gone_on = merged(shop, out="out.gguf")
    data = (tmp_path / "out.gguf").read_bytes()
    (tmp_path / "out.gguf").unlink()
    undisturbed = merged(shop, out="out.gguf")
    assert (tmp_path / "out.gguf").read_bytes() == data
    assert gone_on == undisturbed
    assert not list((tmp_path / "state").iterdir())
