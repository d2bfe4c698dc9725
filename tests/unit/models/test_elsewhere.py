"""Model files in the folders of other programs, on three systems."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.models import elsewhere
from engine.models.elsewhere import Foreign, find

LAYER = "application/vnd.ollama.image.model"


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"GGUF")
    return path


def ollama(folder: Path, name: str, tag: str, digest: str = "a" * 64) -> Path:
    manifest = folder / "manifests" / "registry.ollama.ai" / "library" / name / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "b" * 64},
        {"mediaType": LAYER, "digest": f"sha256:{digest}"},
    ]
    manifest.write_text(json.dumps({"layers": layers}))
    return file(folder / "blobs" / f"sha256-{digest}")


def _of_a_file(read: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    """Fails where reading would wait for ever."""

    def checked(path: Path) -> bytes:
        assert path.is_file(), path
        return read(path)

    return checked


def found(home: Path, system: str = "linux", **variables: str) -> list[tuple[str, str]]:
    return [(f.app, f.name) for f in find(home=home, variables=variables, system=system)]


@pytest.mark.parametrize(
    ("system", "place", "expected"),
    [
        ("linux", ".lmstudio/models/pub/repo/Tiny-Q4.gguf", ("LM Studio", "Tiny-Q4")),
        ("linux", ".cache/lm-studio/models/pub/repo/Tiny.GGUF", ("LM Studio", "Tiny")),
        ("linux", ".local/share/Jan/data/llamacpp/models/tiny/model.gguf", ("Jan", "tiny")),
        ("linux", ".config/Jan/data/models/tiny/tiny.gguf", ("Jan", "tiny")),
        ("linux", "jan/models/tiny/tiny.gguf", ("Jan", "tiny")),
        ("linux", ".local/share/nomic.ai/GPT4All/tiny.gguf", ("GPT4All", "tiny")),
        ("darwin", "Library/Application Support/nomic.ai/GPT4All/t.gguf", ("GPT4All", "t")),
        ("darwin", "Library/Application Support/Jan/data/llamacpp/models/t/model.gguf",
         ("Jan", "t")),
        ("win32", "AppData/Local/nomic.ai/GPT4All/t.gguf", ("GPT4All", "t")),
        ("win32", "AppData/Roaming/Jan/data/llamacpp/models/t/model.gguf", ("Jan", "t")),
        ("linux", ".cache/huggingface/hub/models--a--b/snapshots/1/t.gguf", ("Hugging Face", "t")),
    ],
)  # fmt: skip
def test_each_program_is_looked_for_where_it_keeps_models(
    tmp_path: Path, system: str, place: str, expected: tuple[str, str]
) -> None:
    path = file(tmp_path / place)
    assert find(home=tmp_path, variables={}, system=system) == (
        Foreign(path=path, app=expected[0], name=expected[1]),
    )


def test_ollama_names_its_models_in_manifests(tmp_path: Path) -> None:
    blob = ollama(tmp_path / ".ollama" / "models", "tiny", "1b")
    assert find(home=tmp_path, variables={}, system="darwin") == (
        Foreign(path=blob, app="Ollama", name="tiny:1b"),
    )


def test_variables_that_move_folders_are_followed(tmp_path: Path) -> None:
    ollama(tmp_path / "elsewhere", "tiny", "1b")
    file(tmp_path / "cache" / "models--a--b" / "snapshots" / "1" / "t.gguf")
    where = {
        "OLLAMA_MODELS": str(tmp_path / "elsewhere"),
        "HF_HUB_CACHE": str(tmp_path / "cache"),
    }
    assert found(tmp_path, **where) == [("Hugging Face", "t"), ("Ollama", "tiny:1b")]


def test_one_file_under_two_names_is_found_once(tmp_path: Path) -> None:
    folder = tmp_path / ".ollama" / "models"
    ollama(folder, "tiny", "1b")
    ollama(folder, "tiny", "latest")
    blob = file(tmp_path / ".cache" / "huggingface" / "hub" / "models--a--b" / "blobs" / "f00d")
    for revision in ("1", "2"):
        link = blob.parents[1] / "snapshots" / revision / "t.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    assert found(tmp_path) == [("Hugging Face", "t"), ("Ollama", "tiny:1b")]


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"null", b'{"layers": 3}', b'{"layers": [{"mediaType": "x"}]}', b"\xff",
        json.dumps({"layers": [{"mediaType": LAYER, "digest": "../../../secret"}]}).encode(),
        json.dumps({"layers": [{"mediaType": LAYER, "digest": ""}]}).encode(),
        json.dumps({"layers": [{"mediaType": LAYER, "digest": "sha256:" + "c" * 64}]}).encode(),
    ],
)  # fmt: skip
def test_a_manifest_that_names_no_file_of_the_folder_names_nothing(
    tmp_path: Path, manifest: bytes
) -> None:
    folder = tmp_path / ".ollama" / "models"
    file(tmp_path / "secret")
    place = folder / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "1b"
    place.parent.mkdir(parents=True)
    place.write_bytes(manifest)
    assert found(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_what_is_no_small_file_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".ollama" / "models"
    ollama(folder, "good", "latest")
    large = ollama(folder, "large", "latest", "c" * 64).parents[1] / "manifests"
    manifest = next(large.rglob("large/latest"))
    manifest.write_text(manifest.read_text() + " " * (1 << 20))
    pipe = manifest.with_name("pipe")
    os.mkfifo(pipe)  # to read it is to wait for somebody who writes
    monkeypatch.setattr(Path, "read_bytes", _of_a_file(Path.read_bytes))
    assert found(tmp_path) == [("Ollama", "good:latest")]


def test_other_files_lost_links_and_circles_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models"
    file(folder / "readme.txt")
    (folder / "gone.gguf").symlink_to(tmp_path / "nowhere")
    (folder / "round").symlink_to(folder)
    (folder / "folder.gguf").mkdir()
    file(folder / Path(*"abcdefgh") / "deep.gguf")
    assert found(tmp_path) == []


def test_a_folder_of_anything_costs_a_bounded_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "MOST", 3)
    for number in range(5):
        file(tmp_path / ".lmstudio" / "models" / f"m{number}.gguf")
    assert len(found(tmp_path)) == 3


def test_a_machine_without_other_programs_has_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) == []
