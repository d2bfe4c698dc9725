"""The models of a machine through the front door; downloads are those of the real program."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gguf import GGUFValueType

from engine.api import (
    Engine,
    GetEvent,
    InputError,
    InstalledModel,
    ModelCard,
    Notice,
    Progress,
    RecommendedModel,
    StorageError,
)
from engine.errors import (
    DownloadError,
    InvalidParameter,
    ModelChanged,
    ModelInUse,
    ModelNotFound,
    NotAModel,
    Offline,
    Stopped,
    UnsupportedModel,
    WrongFile,
)
from engine.models import memory
from engine.models.catalogue import STARTER_ID
from engine.models.recommended import Offer
from engine.session import fitting, library
from engine.types.answers import Answer, Seconds
from tests.fakes.hub import COMMIT, Hub, serving
from tests.fixtures.tiny_adapter import write_tiny_adapter
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine

GIB = 1 << 30
NOW = 1_700_000_000.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own models are found, and nobody's variables are heard."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "ATTUNE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "small-q4.gguf", seed=3, name="Small")


@pytest.fixture
def hub(model: Path) -> Iterator[Hub]:
    files = {"small-q4.gguf": model.read_bytes(), "letter.gguf": b"a letter to a friend" * 50}
    with serving(Hub(files=files)) as hub:
        yield hub


@pytest.fixture
def offer(model: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """The one model that is recommended here."""
    data = model.read_bytes()
    offer = Offer(
        id="small", name="Small", licence="CC0-1.0", repository="owner/name", revision=COMMIT,
        file="small-q4.gguf", sha256=hashlib.sha256(data).hexdigest(), size=len(data),
        cache_per_token=100,
    )  # fmt: skip
    monkeypatch.setattr(library, "OFFERS", (offer,))
    return offer


Make = Callable[..., Engine]


@pytest.fixture
def make(data: Path, hub: Hub) -> Iterator[Make]:
    """Engines whose downloads come from the test's own hub."""
    made: list[Engine] = []

    def engine(*command: str) -> Engine:
        own = (sys.executable, "-I", "-X", "utf8", "-m", "engine.download")
        downloader = command or (*own, "--endpoint", hub.endpoint)
        made.append(Engine(data, downloader=downloader, clock=lambda: NOW))
        return made[-1]

    yield engine
    for each in made:
        each.close()


def last(events: Iterator[GetEvent]) -> ModelCard:
    *_, card = events
    assert isinstance(card, ModelCard)
    return card


def installed(engine: Engine, id: str) -> InstalledModel:
    (found,) = [each for each in engine.library.installed() if each.card.id == id]
    return found


# What is installed --------------------------------------------------------------------------


def test_the_starter_is_there_from_the_beginning(make: Make) -> None:
    (starter,) = make().library.installed()
    assert (starter.card.id, starter.origin, starter.chosen) == (STARTER_ID, "starter", True)
    assert starter.size == Path(starter.card.path).stat().st_size
    assert (starter.verified, starter.speed, starter.deletes) == (None, None, False)


def test_a_file_of_the_owners_is_added_and_never_deleted(make: Make, model: Path) -> None:
    engine = make()
    id = engine.add_model(model).id
    assert installed(engine, id).origin == "added"
    assert not engine.library.remove(id).deletes
    assert model.exists()


def test_what_the_workshop_made_is_told_apart(make: Make, model: Path) -> None:
    engine = make()
    place = engine.data_dir / "made" / "mine.gguf"
    place.parent.mkdir()
    place.write_bytes(model.read_bytes())
    assert installed(engine, engine.add_model(place).id).origin == "made"


@pytest.mark.parametrize(
    ("have", "word"), [(8 * GIB, "well"), (int(0.45 * GIB), "tight"), (GIB // 4, "large"),
                       (None, "unknown")],
)  # fmt: skip
def test_the_fit_is_told_in_a_word(
    make: Make, have: int | None, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tiny model needs some 300 MB, as everything does besides its weights."""
    monkeypatch.setattr(memory, "installed", lambda: have)
    (starter,) = make().library.installed()
    assert (starter.fit.word, starter.fit.memory) == (word, have)
    assert not starter.fit.measured


def test_an_answer_shows_how_fast_a_model_is_and_what_it_needs(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    monkeypatch.setattr(memory, "installed", lambda: 8 * GIB)
    answer = Answer(
        text="…", finish="end", tokens=61, streams=1, gamma=0.0, seed=1, used=0, context=512,
        model=STARTER_ID, seconds=Seconds(decode=3.0),
    )  # fmt: skip
    engine.library.measure(answer, pid=os.getpid())
    (starter,) = engine.library.installed()
    assert starter.speed == pytest.approx(20.0)
    if sys.platform == "linux":
        assert starter.fit.measured
        assert starter.fit.needed > 10_000_000  # of this very process
    engine.library.measure(replace(answer, seconds=Seconds(decode=6.0)), pid=None)
    (slower,) = engine.library.installed()
    assert slower.speed == pytest.approx(10.0)
    assert slower.fit.needed == starter.fit.needed  # the most that it ever had
    known = json.loads((data / "provenance.json").read_text())["models"]
    assert str(data) not in str(known)


def test_a_header_is_read_once_and_never_again(
    make: Make, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make()
    id = engine.add_model(model).id
    before = installed(engine, id).fit
    fitting._look.cache_clear()

    def unread(path: Path) -> None:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(fitting, "read_header", unread)
    assert installed(make(), id).fit == before


def test_a_short_answer_shows_nothing(make: Make) -> None:
    engine = make()
    answer = Answer(
        text="Yes.", finish="end", tokens=2, streams=1, gamma=0.0, seed=1, used=0, context=512,
        model=STARTER_ID, seconds=Seconds(decode=3.0),
    )  # fmt: skip
    engine.library.measure(answer, pid=None)
    assert engine.library.installed()[0].speed is None


def test_what_was_measured_on_another_machine_tells_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make()
    answer = Answer(
        text="…", finish="end", tokens=61, streams=1, gamma=0.0, seed=1, used=0, context=512,
        model=STARTER_ID, seconds=Seconds(decode=3.0),
    )  # fmt: skip
    engine.library.measure(answer, pid=os.getpid())
    monkeypatch.setattr("engine.session.selftest.cpu_name", lambda: "another processor")
    again = make().library.installed()[0]
    assert again.speed is None
    assert not again.fit.measured


# Getting ------------------------------------------------------------------------------------


def test_a_recommended_model_is_had_checked_and_offered(make: Make, hub: Hub, offer: Offer) -> None:
    engine = make()
    (before,) = engine.library.recommended()
    assert (before.installed, before.begun, before.sha256) == ("", 0, offer.sha256)
    events = list(engine.library.get("small"))
    card = events[-1]
    assert isinstance(card, ModelCard)
    assert card.sha256 == offer.sha256
    assert Path(card.path) == engine.data_dir / "downloaded" / "small-q4.gguf"
    progress = [each for each in events if isinstance(each, Progress)]
    assert (progress[-1].done, progress[-1].total) == (offer.size, offer.size)
    assert "small-q4.gguf" in progress[-1].text
    assert [n.code for n in events if isinstance(n, Notice)] == ["connected"] * 2
    found = installed(engine, card.id)
    assert (found.origin, found.source) == ("downloaded", "owner/name/small-q4.gguf")
    assert (found.verified, found.size, found.deletes) == (NOW, offer.size, True)
    assert engine.library.recommended()[0].installed == card.id
    assert len(engine.library.connections()) == 2


def test_a_model_that_is_here_is_not_had_again(make: Make, hub: Hub, offer: Offer) -> None:
    engine = make()
    first = last(engine.library.get("small"))
    asked = list(hub.requests)
    assert last(engine.library.get("small")) == first
    assert hub.requests == asked


def test_a_stopped_download_goes_on_where_it_was(make: Make, hub: Hub, offer: Offer) -> None:
    engine = make()
    hub.slowly = 0.1
    events = engine.library.get("small")
    with pytest.raises(Stopped):  # noqa: PT012 - at some moment of it
        for event in events:
            if isinstance(event, Progress) and event.done:
                engine.library.stop()
    begun = engine.library.recommended()[0].begun
    assert 0 < begun < offer.size
    assert [each.card.id for each in engine.library.installed()] == [STARTER_ID]
    hub.slowly = 0.0
    last(engine.library.get("small"))
    assert hub.fetched()[-1] == f"bytes={begun}-"
    assert engine.library.recommended()[0].begun == 0


def test_closing_the_engine_stops_a_download(make: Make, hub: Hub, offer: Offer) -> None:
    engine = make()
    hub.slowly = 0.1
    with pytest.raises(Stopped):  # noqa: PT012 - at some moment of it
        for event in engine.library.get("small"):
            if isinstance(event, Progress) and event.done:
                engine.close()


def test_a_file_can_be_read_beside_a_download_but_no_second_one(
    make: Make, hub: Hub, offer: Offer
) -> None:
    engine = make()
    events = engine.library.verify(STARTER_ID)
    next(events)
    last(engine.library.get("small"))
    with pytest.raises(InputError, match="being read already"):
        list(engine.library.verify("small-q4"))
    events.close()  # type: ignore[attr-defined]
    list(engine.library.verify("small-q4"))


def test_contents_with_another_hash_never_become_a_model(
    make: Make, hub: Hub, offer: Offer
) -> None:
    data = hub.files["small-q4.gguf"]
    hub.files["small-q4.gguf"] = data[:-1] + bytes([data[-1] ^ 1])
    hub.told_sha256 = offer.sha256
    engine = make()
    with pytest.raises(WrongFile):
        list(engine.library.get("small"))
    assert len(engine.models()) == 1
    assert os.listdir(engine.data_dir / "downloaded") == []


def test_a_program_that_ends_without_a_word_is_one_sentence(make: Make, offer: Offer) -> None:
    engine = make(sys.executable, "-c", "import sys; sys.stdin.readline(); print('hm', end='')")
    with pytest.raises(DownloadError, match="ended without a word") as caught:
        list(engine.library.get("small"))
    assert "kept" in caught.value.message


def test_an_unknown_recommendation_names_those_there_are(make: Make, offer: Offer) -> None:
    with pytest.raises(InvalidParameter, match="small"):
        list(make().library.get("large"))


def test_a_file_that_its_owner_names_is_had_with_the_hubs_own_hash(make: Make) -> None:
    engine = make()
    card = last(engine.library.get_file(" owner/name ", "small-q4.gguf"))
    assert installed(engine, card.id).source == "owner/name/small-q4.gguf"


def test_what_is_here_already_at_another_place_does_not_stay_twice(make: Make, model: Path) -> None:
    engine = make()
    own = engine.add_model(model)
    assert last(engine.library.get_file("owner/name", "small-q4.gguf")) == own
    assert os.listdir(engine.data_dir / "downloaded") == []
    assert installed(engine, own.id).origin == "added"
    assert installed(engine, own.id).source == ""
    assert model.exists()


def test_what_was_downloaded_before_stays_where_it_is_had_again(make: Make) -> None:
    engine = make()
    first = last(engine.library.get_file("owner/name", "small-q4.gguf"))
    assert last(engine.library.get_file("owner/name", "small-q4.gguf")) == first
    assert Path(first.path).exists()
    assert installed(engine, first.id).origin == "downloaded"


def test_a_file_that_is_no_model_is_deleted_and_said(make: Make) -> None:
    engine = make()
    with pytest.raises(NotAModel):
        list(engine.library.get_file("owner/name", "letter.gguf"))
    assert os.listdir(engine.data_dir / "downloaded") == []
    assert len(engine.models()) == 1


@pytest.mark.parametrize(
    ("repository", "file"),
    [
        ("name", "m.gguf"), ("a/b/c", "m.gguf"), ("../..", "m.gguf"), ("a/b?c", "m.gguf"),
        ("", "m.gguf"), ("a/b", "m.bin"), ("a/b", "../m.gguf"), ("a/b", ""), ("a/b", "m\n.gguf"),
    ],
)  # fmt: skip
def test_names_that_the_hub_cannot_have_are_refused(
    make: Make, hub: Hub, repository: str, file: str
) -> None:
    with pytest.raises(InputError):
        list(make().library.get_file(repository, file))
    assert hub.requests == []


# Offline ------------------------------------------------------------------------------------


def test_offline_the_program_is_never_started(
    make: Make, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make("/nowhere/at/all")
    assert engine.library.offline() == ""
    assert "--offline" in engine.library.offline(asked=True)
    monkeypatch.setenv("ATTUNE_OFFLINE", "1")
    assert "ATTUNE_OFFLINE" in engine.library.offline()
    with pytest.raises(Offline):
        list(engine.library.get("small"))
    monkeypatch.setenv("ATTUNE_OFFLINE", "0")
    engine.change(offline=True)
    with pytest.raises(Offline, match="Switch that off"):
        list(engine.library.get("small"))
    with pytest.raises(Offline):
        list(engine.library.get_file("owner/name", "small-q4.gguf"))
    assert engine.library.connections() == ()
    assert not (engine.data_dir / "connections.jsonl").exists()


# In other programs' folders -----------------------------------------------------------------


def test_a_model_of_another_program_is_used_from_there(make: Make, home: Path, model: Path) -> None:
    theirs = home / ".lmstudio" / "models" / "pub" / "repo" / "theirs.gguf"
    theirs.parent.mkdir(parents=True)
    model.rename(theirs)
    engine = make()
    (found,) = engine.library.find()
    assert (found.app, found.name, found.installed) == ("LM Studio", "theirs", "")
    assert found.fit is not None
    assert found.fit.word == "well"
    card = last(engine.library.link(Path(found.path)))
    assert card.path == str(theirs)
    known = installed(engine, card.id)
    assert (known.origin, known.app, known.deletes) == ("linked", "LM Studio", False)
    assert engine.library.find()[0].installed == card.id
    engine.library.remove(card.id)
    assert theirs.exists()
    assert engine.library.find()[0].installed == ""


def test_a_model_of_ollamas_has_its_name_there_and_not_that_of_its_file(
    make: Make, home: Path, model: Path
) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    blob = home / ".ollama" / "models" / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True)
    model.rename(blob)
    manifest = blob.parents[1] / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "7b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    engine = make()
    (found,) = engine.library.find()
    card = last(engine.library.link(Path(found.path)))
    assert (card.id, card.name) == ("tiny-7b", "tiny:7b")


def test_what_cannot_be_used_is_found_with_the_reason(make: Make, home: Path) -> None:
    folder = home / ".lmstudio" / "models"
    folder.mkdir(parents=True)
    (folder / "letter.gguf").write_bytes(b"a letter to a friend")
    engine = make()
    (found,) = engine.library.find()
    assert found.fit is None
    assert "letter.gguf" in found.problem
    with pytest.raises(NotAModel):
        list(engine.library.link(Path(found.path)))


def test_a_file_that_grows_while_it_is_read_is_not_taken_in(make: Make, model: Path) -> None:
    engine = make()
    events = engine.library.link(model)
    next(events)
    with model.open("ab") as file:
        file.write(bytes(1 << 20))
    with pytest.raises(ModelChanged, match="wait until it is complete"):
        list(events)
    assert len(engine.models()) == 1


def test_reading_a_file_can_be_stopped(make: Make, model: Path) -> None:
    engine = make()
    events = engine.library.link(model)
    next(events)
    engine.library.stop()
    with pytest.raises(Stopped):
        next(events)
    assert len(engine.models()) == 1


def test_a_file_without_weights_of_text_is_refused_before_it_is_read(
    make: Make, tmp_path: Path
) -> None:
    odd = write_tiny_llama(
        tmp_path / "odd.gguf", overrides={"general.architecture": ("clip", GGUFValueType.STRING)}
    )
    with pytest.raises(UnsupportedModel):
        next(make().library.link(odd))


# Verified and removed -----------------------------------------------------------------------


def test_a_verified_model_says_when(make: Make, model: Path) -> None:
    engine = make()
    id = engine.add_model(model).id
    assert installed(engine, id).verified is None
    *progress, found = engine.library.verify(id)
    assert isinstance(found, InstalledModel)
    assert found.verified == NOW
    assert all(isinstance(each, Progress) for each in progress)
    model.write_bytes(model.read_bytes() + b"!")
    with pytest.raises(ModelChanged):
        list(engine.library.verify(id))
    with pytest.raises(ModelNotFound, match="did you mean"):
        list(engine.library.verify(id[:-1]))


def test_removing_a_downloaded_model_deletes_its_file(make: Make, offer: Offer) -> None:
    engine = make()
    card = last(engine.library.get("small"))
    engine.change(model=card.id)
    assert engine.library.remove(card.id).deletes
    assert os.listdir(engine.data_dir / "downloaded") == []
    assert engine.settings.model == ""
    assert len(engine.library.installed()) == 1
    assert engine.library.recommended()[0].installed == ""


def test_a_file_that_somebody_put_beside_the_downloads_is_not_deleted(
    make: Make, model: Path
) -> None:
    engine = make()
    folder = engine.data_dir / "downloaded"
    folder.mkdir()
    own = folder / "own.gguf"
    model.rename(own)
    id = engine.add_model(own).id
    assert installed(engine, id).origin == "added"
    engine.library.remove(id)
    assert own.exists()


def test_removing_a_downloaded_adapter_deletes_the_adapter_and_not_its_base(
    make: Make, hub: Hub, tmp_path: Path
) -> None:
    under = write_tiny_llama(tmp_path / "under.gguf", embedding=32, seed=4)  # unlike the starter
    hub.files["warm.gguf"] = write_tiny_adapter(tmp_path / "warm.gguf", base=under).read_bytes()
    engine = make()
    base = engine.add_model(under)
    card = last(engine.library.get_file("owner/name", "warm.gguf"))
    assert (card.path, card.adapter) == (str(under), str(engine.data_dir / "downloaded/warm.gguf"))
    assert engine.library.remove(card.id).deletes
    assert under.exists()
    assert os.listdir(engine.data_dir / "downloaded") == []
    assert [each.id for each in engine.models()] == [STARTER_ID, base.id]


def test_a_downloaded_file_that_another_model_needs_is_not_deleted(
    make: Make, hub: Hub, tmp_path: Path
) -> None:
    under = write_tiny_llama(tmp_path / "under.gguf", embedding=32, seed=4)
    hub.files["warm.gguf"] = write_tiny_adapter(tmp_path / "warm.gguf", base=under).read_bytes()
    engine = make()
    engine.add_model(under)
    card = last(engine.library.get_file("owner/name", "warm.gguf"))
    twin = engine.add_model(write_tiny_llama(tmp_path / "twin.gguf", embedding=32, seed=5))
    other = engine.add_model(Path(card.adapter), base=twin.id)
    with pytest.raises(InvalidParameter, match=f"that of {other.id}, too"):
        engine.library.remove(card.id)
    assert Path(card.adapter).exists()
    assert not engine.library.remove(other.id).deletes
    assert engine.library.remove(card.id).deletes
    assert not Path(card.adapter).exists()


def test_a_file_that_cannot_be_deleted_is_said(
    make: Make, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make()
    card = last(engine.library.get("small"))

    def held(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(StorageError, match="cannot be deleted"):
        engine.library.remove(card.id)


def test_the_model_that_answers_is_not_removed(make_engine: MakeEngine, model: Path) -> None:
    engine = make_engine()
    card = engine.add_model(model)
    list(engine.start(card.id))
    with pytest.raises(ModelInUse, match="answers now"):
        engine.library.remove(card.id)
    list(engine.start(STARTER_ID))
    engine.library.remove(card.id)
    with pytest.raises(InvalidParameter, match="starter"):
        engine.library.remove(STARTER_ID)


# Recommended --------------------------------------------------------------------------------


def _words(make: Make, have: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(memory, "installed", lambda: have)
    return [each.why for each in make().library.recommended()]


def test_the_best_that_runs_well_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two need about 0.9 and 1.7 GB with 8192 tokens, here with 4096 about 0.84 and 1.53."""
    best = "The best that this machine runs well"
    assert _words(make, 8 * GIB, monkeypatch) == ["Small and quick", best]
    tight = "Better answers, but a tight fit for this machine"
    assert _words(make, 2 * GIB, monkeypatch) == ["Small, and runs well here", tight]
    large = "Better answers, but too large for this machine"
    assert _words(make, int(1.5 * GIB), monkeypatch) == ["Small, and runs well here", large]


def test_recommendations_are_pinned_to_the_byte(make: Make) -> None:
    models: tuple[RecommendedModel, ...] = make().library.recommended()
    assert 1 <= len(models) <= 3
    assert [each.size for each in models] == sorted(each.size for each in models)
    for each in models:
        assert len(bytes.fromhex(each.sha256)) == 32
        assert len(bytes.fromhex(each.revision)) == 20
        assert each.file.endswith(".gguf")
        assert each.licence


# Erased -------------------------------------------------------------------------------------


def test_everything_that_was_downloaded_can_be_erased(
    make: Make, offer: Offer, model: Path
) -> None:
    engine = make()
    last(engine.library.get("small"))
    folder = engine.data_dir / "downloaded"
    (folder / f"other.gguf.{'0' * 16}.part").write_bytes(b"half")
    (folder / "own.gguf").write_bytes(b"mine")
    erasable = engine.data.erasable()
    names = {Path(each.path).name for each in erasable.files}
    assert {"small-q4.gguf", f"other.gguf.{'0' * 16}.part"} <= names
    assert {"connections.jsonl", "provenance.json"} <= names
    assert [Path(each.path).name for each in erasable.stays] == ["own.gguf"]
    export = engine.data.export(engine.data_dir.parent / "all")
    assert {"connections.jsonl", "provenance.json"} <= set(export.files)
    assert any("downloaded stay where they are: 1 in" in each for each in export.left_out)
    engine.data.erase()
    assert os.listdir(folder) == ["own.gguf"]
