from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine.errors import ModelError, ModelNotFound, StorageError
from engine.models.cards import (
    CARD_VERSION,
    CardSurvival,
    FileMark,
    MergeCard,
    SharesOfAdded,
    card_path,
    marked,
    own_card,
    read_card,
    write_card,
)


def mark(name: str) -> FileMark:
    return FileMark(name=name, size=len(name), sha256=hashlib.sha256(name.encode()).hexdigest())


CARD = MergeCard(
    kind="model",
    name="Cheerful and formal",
    output=mark("merged.gguf"),
    base=mark("base.gguf"),
    members=(mark("one.gguf"), mark("grün.gguf")),
    method="calm",
    parameters={"eta": 1e8, "epochs": 30, "reg": "code", "patience": None, "seed": 7},
    density=(SharesOfAdded(share=0.036, by_layer={"0": 0.1}, by_kind={"attn_q": 0.2}),),
    scores={"merged": {"cheerful": 0.202, "formal": 0.271}, "average": {"cheerful": 0.324}},
    survival=CardSurvival(share=0.998, noise=1.3, worst="blk.3.attn_q.weight", worst_share=0.97),
    notices=("One stores a weight in 5.0 bits.",),
)


def test_a_card_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "merged.gguf"
    assert write_card(CARD, beside=path) == card_path(path)
    assert read_card(path) == CARD
    assert [file.name for file in tmp_path.iterdir()] == ["merged.gguf.card.json"]


def test_cards_of_files_that_differ_in_their_ending_do_not_meet(tmp_path: Path) -> None:
    assert card_path(tmp_path / "a.v1.gguf") != card_path(tmp_path / "a.v2.gguf")
    assert not card_path(tmp_path / "a.gguf").name.endswith(".gguf")


def test_a_file_is_marked_by_its_name_size_and_contents(tmp_path: Path) -> None:
    path = tmp_path / "one.gguf"
    path.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert marked(path) == FileMark(name="one.gguf", size=3, sha256=expected)
    with pytest.raises(ModelNotFound, match=r"no file two\.gguf"):
        marked(tmp_path / "two.gguf")
    with pytest.raises(ModelError, match="cannot be read"):
        marked(tmp_path)


def test_a_model_in_parts_is_marked_as_if_it_were_one_file(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    parts = [tmp_path / f"part-{n}.safetensors" for n in (1, 2)]
    for path, data in zip((whole, *parts), (b"abc", b"ab", b"c"), strict=True):
        path.write_bytes(data)
    found = marked(tmp_path, files=parts)
    assert found == FileMark(name=tmp_path.name, size=3, sha256=marked(whole).sha256)
    assert marked(tmp_path, files=parts[::-1]).sha256 != found.sha256
    parts[1].unlink()
    with pytest.raises(ModelNotFound, match=r"no file part-2\.safetensors"):
        marked(tmp_path, files=parts)


def test_fields_of_later_days_are_ignored_and_missing_ones_filled_in(tmp_path: Path) -> None:
    place = write_card(CARD, beside=tmp_path / "merged.gguf")
    raw = json.loads(place.read_bytes())
    raw["mood"] = "good"
    del raw["notices"]
    place.write_text(json.dumps(raw))
    found = read_card(tmp_path / "merged.gguf")
    assert found.notices == ()
    assert found.density == CARD.density


def test_a_card_of_a_newer_program_is_not_guessed_at(tmp_path: Path) -> None:
    place = write_card(CARD, beside=tmp_path / "merged.gguf")
    place.write_text(json.dumps({"version": CARD_VERSION + 1}))
    with pytest.raises(ModelError, match="newer Attune; update"):
        read_card(tmp_path / "merged.gguf")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version": 1}', '{"version": "1"}', "{}", "\xff"]
)
def test_what_is_no_card_is_refused(text: str, tmp_path: Path) -> None:
    card_path(tmp_path / "merged.gguf").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"merged\.gguf\.card\.json is not the card"):
        read_card(tmp_path / "merged.gguf")


def test_a_file_without_a_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"merged\.gguf has no card"):
        read_card(tmp_path / "merged.gguf")
    card_path(tmp_path / "merged.gguf").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path / "merged.gguf")


def test_a_card_is_that_of_the_file_beside_it_or_of_none(tmp_path: Path) -> None:
    path = tmp_path / "merged.gguf"
    write_card(CARD, beside=path)
    for contents in (None, b"another"):
        if contents is not None:
            path.write_bytes(contents)
        with pytest.raises(ModelNotFound, match=r"beside merged\.gguf is that of another file"):
            own_card(path)
    path.write_bytes(b"x" * CARD.output.size)
    assert own_card(path) == CARD


def test_a_card_that_cannot_be_saved_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        write_card(CARD, beside=tmp_path / "nowhere" / "merged.gguf")
