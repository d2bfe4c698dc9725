"""An adapter among the models: which one it acts on, what the pair is called, and what becomes of
it when a file moves, changes or goes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import (
    DamagedModel,
    InputError,
    InvalidParameter,
    ModelChanged,
    ModelNotFound,
    UnsupportedModel,
)
from engine.models import catalogue as module
from engine.models.cards import CardSurvival, FileMark, MergeCard, marked, write_card
from engine.models.catalogue import STARTER_FILE, STARTER_ID, Catalogue
from engine.types.models import ModelCard
from tests.fixtures.tiny_adapter import MATRIX, write_tiny_adapter
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.models.test_adapters import file_of, thin

STARTER = "SmolLM2 135M Instruct"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the program's own model, a tiny one that is as it should be."""
    (tmp_path / "assets").mkdir()
    path = write_tiny_llama(tmp_path / "assets" / STARTER_FILE, seed=7)
    monkeypatch.setattr(module, "_STARTER", replace(module._STARTER, sha256=sha256(path)))
    return path


@pytest.fixture
def catalogue(tmp_path: Path, starter: Path) -> Catalogue:
    return Catalogue(tmp_path / "data" / "models.json", starter_folders=[starter.parent])


@pytest.fixture
def adapter(tmp_path: Path, starter: Path) -> Path:
    return write_tiny_adapter(tmp_path / "warm.gguf", base=starter)


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """Another model of the same shapes, which the adapter fits as well."""
    return write_tiny_llama(tmp_path / "Twin.gguf", name="Twin", seed=3)


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A model that the adapter does not fit."""
    return write_tiny_llama(tmp_path / "Narrow.gguf", name="Narrow", embedding=32, seed=4)


def again(catalogue: Catalogue) -> Catalogue:
    """The same list as the next start of the program finds it."""
    return Catalogue(catalogue._path, starter_folders=catalogue._starter_folders)


def put_card(adapter: Path, base: FileMark, output: FileMark | None = None) -> None:
    card = MergeCard(
        kind="adapter",
        name="Warm",
        output=output or marked(adapter),
        base=base,
        method="train",
        survival=CardSurvival(share=1.0),
    )
    write_card(card, beside=adapter)


# The pair -----------------------------------------------------------------------------------


def test_an_adapter_is_a_model_of_its_own(
    catalogue: Catalogue, adapter: Path, starter: Path
) -> None:
    base, card = catalogue.list()[0], catalogue.add(adapter)
    assert again(catalogue).list() == (base, card)
    assert card == replace(
        base,
        id="warm",
        name=f"{STARTER}, warm",
        size=base.size + adapter.stat().st_size,
        starter=False,
        adapter=str(adapter),
        adapter_sha256=sha256(adapter),
    )
    assert (card.path, card.sha256, card.available) == (str(starter), sha256(starter), True)


def test_measured_answers_are_kept_under_both_files_together() -> None:
    plain = ModelCard(
        id="a", name="A", path="/a", sha256="a" * 64, size=1, architecture="llama", parameters=1,
        context=1, licence="",
    )  # fmt: skip
    assert plain.digest == "a" * 64
    adapted = replace(plain, adapter="/b", adapter_sha256="b" * 64)
    assert adapted.digest == hashlib.sha256(b"a" * 64 + b"b" * 64).hexdigest()
    assert adapted.digest == replace(adapted, id="c", path="/c", adapter="/c").digest


@pytest.mark.parametrize(
    ("stem", "title", "called"),
    [
        ("a", f"{STARTER}, short", "short"),
        ("a", f"{STARTER}, ", "a"),
        ("warm", "", "warm"),
        ("warm", "content", "warm"),
        ("warm-v2", "Warm and kind", "Warm and kind"),
        ("warm", STARTER, "warm"),
        ("a", f"{STARTER}, sh\u202eort", "sh?ort"),
    ],
)
def test_it_is_called_after_its_base_and_what_it_does(
    catalogue: Catalogue, tmp_path: Path, starter: Path, stem: str, title: str, called: str
) -> None:
    path = write_tiny_adapter(tmp_path / f"{stem}.gguf", base=starter, name=title)
    assert catalogue.add(path).name == f"{STARTER}, {called}"


def test_its_path_is_the_pair_and_the_path_of_its_base_is_the_base(
    catalogue: Catalogue, adapter: Path, starter: Path
) -> None:
    card = catalogue.add(adapter)
    assert catalogue.get(str(adapter)) == card
    assert catalogue.get(str(starter)).id == STARTER_ID


# Which model it acts on ---------------------------------------------------------------------


def test_it_acts_on_the_only_model_that_it_fits(
    catalogue: Catalogue, adapter: Path, narrow: Path
) -> None:
    catalogue.add(narrow)
    assert catalogue.add(adapter).name == f"{STARTER}, warm"


def test_where_it_fits_several_they_are_named_and_the_owner_says_which(
    catalogue: Catalogue, adapter: Path, twin: Path, narrow: Path
) -> None:
    catalogue.add(twin)
    catalogue.add(narrow)
    with pytest.raises(InputError, match=rf"warm\.gguf .* {STARTER_ID}, twin\. .*--base"):
        catalogue.add(adapter)
    assert [c.id for c in catalogue.list()] == [STARTER_ID, "twin", "narrow"]
    assert catalogue.add(adapter, base="twin").path == str(twin)


def test_its_card_says_what_it_was_made_for(
    catalogue: Catalogue, adapter: Path, twin: Path
) -> None:
    catalogue.add(twin)
    put_card(adapter, marked(twin))
    card = catalogue.add(adapter)
    assert (card.path, card.name) == (str(twin), "Twin, warm")


def test_where_what_its_card_names_is_gone_no_other_takes_its_place(
    catalogue: Catalogue, adapter: Path, twin: Path
) -> None:
    catalogue.add(twin)
    put_card(adapter, marked(twin))
    twin.unlink()
    with pytest.raises(ModelNotFound, match=r"Twin\.gguf"):
        catalogue.add(adapter)


def test_the_card_of_another_file_is_not_believed(
    catalogue: Catalogue, adapter: Path, twin: Path
) -> None:
    catalogue.add(twin)
    put_card(adapter, marked(twin), output=marked(twin))
    with pytest.raises(InputError, match="--base"):
        catalogue.add(adapter)


def test_what_its_card_names_may_be_here_in_another_form(
    catalogue: Catalogue, adapter: Path, starter: Path
) -> None:
    """Which only the owner can say: by their shapes alone they may be strangers."""
    put_card(adapter, FileMark(name="elsewhere.gguf", size=1, sha256="0" * 64))
    with pytest.raises(InputError, match=rf"elsewhere\.gguf, .* only {STARTER_ID} .*--base"):
        catalogue.add(adapter)
    assert catalogue.add(adapter, base=STARTER_ID).path == str(starter)


def test_an_adapter_that_does_not_fit_what_its_card_names_is_refused(
    catalogue: Catalogue, adapter: Path, narrow: Path
) -> None:
    catalogue.add(narrow)
    put_card(adapter, marked(narrow))
    with pytest.raises(UnsupportedModel, match=MATRIX):
        catalogue.add(adapter)


@pytest.mark.parametrize("named", ["", "big.gguf"])
def test_without_its_model_it_is_refused_with_what_to_add(
    catalogue: Catalogue, tmp_path: Path, narrow: Path, named: str
) -> None:
    path = write_tiny_adapter(tmp_path / "narrow-warm.gguf", base=narrow)
    if named:
        put_card(path, FileMark(name=named, size=1, sha256="0" * 64))
    wanted = rf"fits none of your models\. .* for{', ' + named if named else ''} first\."
    with pytest.raises(InputError, match=wanted):
        catalogue.add(path)
    assert not catalogue._path.exists()


def test_a_model_that_cannot_be_read_or_has_an_adapter_is_no_candidate(
    catalogue: Catalogue, adapter: Path, twin: Path, tmp_path: Path, starter: Path
) -> None:
    catalogue.add(twin)
    catalogue.add(adapter, base="twin")
    gone = write_tiny_llama(tmp_path / "Gone.gguf", seed=5)
    catalogue.add(gone)
    gone.unlink()
    twin.write_bytes(b"a letter to a friend")
    second = write_tiny_adapter(tmp_path / "cool.gguf", base=starter, seed=1)
    assert catalogue.add(second).path == str(starter)


def test_a_damaged_adapter_is_said_to_be_damaged(catalogue: Catalogue, tmp_path: Path) -> None:
    half = thin(0, out=64, width=64, rank=2).named(MATRIX)
    half.popitem()
    path = file_of(tmp_path / "half.gguf", half)
    for base in ("", STARTER_ID):
        with pytest.raises(DamagedModel, match="missing"):
            catalogue.add(path, base=base)


def test_a_base_that_cannot_be_one_is_refused(
    catalogue: Catalogue, adapter: Path, twin: Path, narrow: Path
) -> None:
    for path in (twin, narrow):
        catalogue.add(path)
    catalogue.add(adapter, base="twin")
    with pytest.raises(InvalidParameter, match="warm has an adapter already"):
        catalogue.add(adapter, base="warm")
    with pytest.raises(UnsupportedModel, match=MATRIX):
        catalogue.add(adapter, base="narrow")
    with pytest.raises(ModelNotFound, match="did you mean narrow"):
        catalogue.add(adapter, base="narrows")
    narrow.unlink()
    with pytest.raises(ModelNotFound, match="no longer at"):
        catalogue.add(adapter, base="narrow")
    assert len(catalogue.list()) == 4


def test_a_model_of_its_own_has_no_base(catalogue: Catalogue, twin: Path) -> None:
    with pytest.raises(InputError, match=r"Twin\.gguf is a model of its own .* without --base"):
        catalogue.add(twin, base=STARTER_ID)
    assert len(catalogue.list()) == 1


# Again, moved, changed ----------------------------------------------------------------------


def test_a_known_pair_keeps_its_card(catalogue: Catalogue, adapter: Path, tmp_path: Path) -> None:
    card = catalogue.add(adapter)
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(adapter.read_bytes())
    assert catalogue.add(adapter) == catalogue.add(copy) == card
    assert catalogue.add(adapter, base=STARTER_ID) == card
    assert len(catalogue.list()) == 2


def test_on_another_base_it_is_another_model(
    catalogue: Catalogue, adapter: Path, twin: Path
) -> None:
    first = catalogue.add(adapter)
    catalogue.add(twin)
    second = catalogue.add(adapter, base="twin")
    assert (first.id, second.id) == ("warm", "warm-2")
    assert first.digest != second.digest
    assert catalogue.get("warm") == first
    assert catalogue.add(adapter, base="twin") == second


def test_one_that_was_trained_again_keeps_its_id(
    catalogue: Catalogue, adapter: Path, starter: Path
) -> None:
    before = catalogue.add(adapter)
    write_tiny_adapter(adapter, base=starter, seed=1)
    after = catalogue.add(adapter)
    assert after.id == before.id
    assert after.digest != before.digest
    assert len(catalogue.list()) == 2


def test_one_whose_base_is_another_file_now_has_to_be_added_again_and_keeps_its_id(
    catalogue: Catalogue, adapter: Path, twin: Path
) -> None:
    catalogue.add(twin)
    before = catalogue.add(adapter, base="twin")
    write_tiny_llama(twin, name="Twin", seed=4)
    catalogue.add(twin)
    assert not catalogue.list()[2].available
    with pytest.raises(ModelNotFound, match=r"The base Twin\.gguf of warm is no longer"):
        catalogue.get("warm")
    with pytest.raises(InvalidParameter, match="twin is the base of warm"):
        catalogue.remove("twin")
    after = catalogue.add(adapter, base="twin")
    assert after.id == before.id
    assert after.digest != before.digest
    assert catalogue.verify("warm") == after


def test_a_moved_adapter_keeps_its_id(catalogue: Catalogue, adapter: Path, tmp_path: Path) -> None:
    card = catalogue.add(adapter)
    moved = adapter.rename(tmp_path / "kind.gguf")
    assert catalogue.add(moved) == replace(card, adapter=str(moved), name=f"{STARTER}, kind")
    assert len(catalogue.list()) == 2


def test_it_follows_its_base_to_another_place(
    catalogue: Catalogue, adapter: Path, twin: Path, tmp_path: Path
) -> None:
    catalogue.add(twin)
    card = catalogue.add(adapter, base="twin")
    moved = twin.rename(tmp_path / "Moved.gguf")
    assert not catalogue.list()[2].available
    catalogue.add(moved)
    assert catalogue.get(card.id) == replace(card, path=str(moved))


def test_it_follows_the_contents_of_its_base_and_not_the_place(
    catalogue: Catalogue, adapter: Path, twin: Path, tmp_path: Path
) -> None:
    catalogue.add(twin)
    card = catalogue.add(adapter, base="twin")
    kept = tmp_path / "Kept.gguf"
    kept.write_bytes(twin.read_bytes())
    write_tiny_llama(twin, name="Twin", seed=4)
    catalogue.add(twin)
    catalogue.add(kept)
    assert catalogue.get("warm") == replace(card, path=str(kept))


def test_it_follows_the_starter_to_where_this_program_has_it(
    catalogue: Catalogue, adapter: Path, starter: Path, tmp_path: Path
) -> None:
    card = catalogue.add(adapter)
    (tmp_path / "unpacked").mkdir()
    elsewhere = starter.rename(tmp_path / "unpacked" / STARTER_FILE)
    moved = Catalogue(catalogue._path, starter_folders=[elsewhere.parent])
    assert moved.get(card.id) == replace(card, path=str(elsewhere))


@pytest.mark.parametrize("gone", ["adapter", "base"])
def test_the_file_that_is_gone_is_named(
    catalogue: Catalogue, adapter: Path, twin: Path, gone: str
) -> None:
    catalogue.add(twin)
    card = catalogue.add(adapter, base="twin")
    path = {"adapter": adapter, "base": twin}[gone]
    path.unlink()
    assert again(catalogue).list()[2] == replace(card, available=False)
    with pytest.raises(ModelNotFound) as caught:
        catalogue.get(card.id)
    assert caught.value.message.startswith(f"The {gone} {path.name} of warm is no longer at {path}")


def test_without_the_starter_its_adapters_say_where_it_was(
    catalogue: Catalogue, adapter: Path, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.add(adapter)
    monkeypatch.setattr(module, "_packaged", list)
    starter.unlink()
    with pytest.raises(ModelNotFound) as caught:
        catalogue.get("warm")
    assert f"{STARTER_FILE} of warm is no longer at {starter}" in caught.value.message


# Verifying and removing ---------------------------------------------------------------------


def test_both_files_are_verified(catalogue: Catalogue, adapter: Path, twin: Path) -> None:
    catalogue.add(twin)
    card = catalogue.add(adapter, base="twin")
    assert catalogue.verify(card.id) == card
    for path in (adapter, twin):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ModelChanged, match=rf"{path.name} is not the file that was added"):
            catalogue.verify(card.id)
        path.write_bytes(whole)


def test_a_base_stays_while_adapters_act_on_it(
    catalogue: Catalogue, adapter: Path, twin: Path, tmp_path: Path
) -> None:
    catalogue.add(twin)
    catalogue.add(adapter, base="twin")
    catalogue.add(write_tiny_adapter(tmp_path / "cool.gguf", base=twin, seed=1), base="twin")
    with pytest.raises(InvalidParameter, match=r"twin is the base of warm, cool; remove"):
        catalogue.remove("twin")
    for id in ("warm", "cool", "twin"):
        catalogue.remove(id)
    assert [c.id for c in again(catalogue).list()] == [STARTER_ID]
    assert adapter.exists()
    assert twin.exists()


# The file -----------------------------------------------------------------------------------


def test_entries_without_the_new_fields_are_plain_models(catalogue: Catalogue, twin: Path) -> None:
    card = catalogue.add(twin)
    body = json.loads(catalogue._path.read_text())
    for field in ("adapter", "adapter_sha256"):
        assert body["models"][0].pop(field) == ""
    catalogue._path.write_text(json.dumps(body))
    assert again(catalogue).list()[1] == card


@pytest.mark.parametrize(
    "wrong",
    [
        {"adapter": "not/absolute.gguf"},
        {"adapter": "/with\0zero.gguf"},
        {"adapter": ""},
        {"adapter_sha256": ""},
        {"adapter": 3},
    ],
)
def test_an_unusable_adapter_costs_its_entry_alone(
    catalogue: Catalogue, adapter: Path, twin: Path, wrong: dict[str, object]
) -> None:
    catalogue.add(twin)
    catalogue.add(adapter, base="twin")
    body = json.loads(catalogue._path.read_text())
    body["models"][1] |= wrong
    catalogue._path.write_text(json.dumps(body))
    fresh = again(catalogue)
    assert [c.id for c in fresh.list()] == [STARTER_ID, "twin"]
    assert len(fresh.notices) == 1
