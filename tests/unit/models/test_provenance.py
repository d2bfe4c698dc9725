"""What is known of models: kept by hash, read by any version, and never worth an error."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from engine.config import write_atomically
from engine.errors import StorageError
from engine.models import provenance as module
from engine.models.provenance import Known, Provenance


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "provenance.json"


def test_what_is_noted_is_known_and_adds_up(path: Path) -> None:
    Provenance(path).note("aa", app="Jan")
    Provenance(path).note("bb", speed=3.0, machine="x")
    Provenance(path).note("aa", verified=5.0)
    assert Provenance(path).of("aa") == Known(app="Jan", verified=5.0)
    assert Provenance(path).of("cc") == Known()
    Provenance(path).forget("aa")
    assert Provenance(path).read() == {"bb": Known(speed=3.0, machine="x")}


@pytest.mark.parametrize("left", [b"", b"[]", b"{}", b'{"models": 3}', b"\xff", b"[" * 100_000])
def test_a_file_that_cannot_be_read_is_begun_anew(path: Path, left: bytes) -> None:
    path.write_bytes(left)
    assert Provenance(path).read() == {}
    Provenance(path).note("aa", app="Jan")
    assert Provenance(path).of("aa").app == "Jan"


def test_an_entry_that_cannot_be_read_costs_no_other(path: Path) -> None:
    entries = {"aa": {"app": 3}, "bb": {"app": "Jan", "newer": True}}
    path.write_text(json.dumps({"models": entries}))
    assert Provenance(path).read() == {"bb": Known(app="Jan")}


def test_a_place_that_cannot_be_written_is_said(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageError, match="could not be saved"):
        Provenance(path).note("aa", app="Jan")


@pytest.mark.skipif(os.name == "nt", reason="there is no such lock")
def test_two_programs_that_note_at_once_lose_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes after the first has read the file and before it writes it."""
    noting = threading.Thread(target=Provenance(path).note, args=("bb",), kwargs={"app": "Jan"})

    def late(place: Path, data: bytes) -> None:
        monkeypatch.setattr(module, "write_atomically", write_atomically)
        noting.start()
        noting.join(0.3)
        write_atomically(place, data)

    monkeypatch.setattr(module, "write_atomically", late)
    Provenance(path).note("aa", app="Jan")
    noting.join()
    assert set(Provenance(path).read()) == {"aa", "bb"}
