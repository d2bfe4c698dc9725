"""Model files in the folders of other programs: found by where those keep them, read only.

The places are the ones that each program uses unless its owner has told it otherwise.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

SUFFIX = ".gguf"
MOST = 1000
"""Files of one program that are looked at: a folder may hold anything."""

_DEEPEST = 6
"""Folders below that of the program."""

_LAYER = "application/vnd.ollama.image.model"
"""What Ollama's manifests call the file of a model."""

_LARGEST = 1 << 20
"""Bytes of a manifest; they have some hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A file in the folder of another program.

    path  as it lies there, which may be a link of that program's
    name  what that program, or the file's name, calls it
    """

    path: Path
    app: str
    name: str


def find(*, home: Path, variables: Mapping[str, str], system: str) -> tuple[Foreign, ...]:
    """What is there, by program and name, each file once. What cannot be read is passed over.

    home       of the owner
    variables  of the environment, where some programs are told where to look
    system     "linux", "darwin" or "win32"
    """
    found: dict[str, Foreign] = {}
    for app, folder in _folders(home, variables, system):
        files = _of_ollama(folder) if app == OLLAMA else _below(folder, app)
        for foreign in islice(files, MOST):
            found.setdefault(os.path.realpath(foreign.path), foreign)
    return tuple(sorted(found.values(), key=lambda each: (each.app, each.name.lower())))


# Where --------------------------------------------------------------------------------------

OLLAMA = "Ollama"


def _folders(home: Path, variables: Mapping[str, str], system: str) -> Iterator[tuple[str, Path]]:
    """Programs, and where each keeps its models."""
    data, config = _data(home, variables, system), _config(home, variables, system)
    yield "LM Studio", home / ".lmstudio" / "models"
    yield "LM Studio", home / ".cache" / "lm-studio" / "models"
    yield "Jan", data / "Jan" / "data"
    yield "Jan", config / "Jan" / "data"
    yield "Jan", home / "jan" / "models"
    yield "GPT4All", _local(home, variables, system) / "nomic.ai" / "GPT4All"
    if told := variables.get("OLLAMA_MODELS"):
        yield OLLAMA, Path(told)
    yield OLLAMA, home / ".ollama" / "models"
    if system == "linux":
        yield OLLAMA, Path("/usr/share/ollama/.ollama/models")
    yield "Hugging Face", _hub(home, variables)


def _data(home: Path, variables: Mapping[str, str], system: str) -> Path:
    match system:
        case "darwin":
            return home / "Library" / "Application Support"
        case "win32":
            return Path(variables.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share")


def _config(home: Path, variables: Mapping[str, str], system: str) -> Path:
    if system in ("darwin", "win32"):
        return _data(home, variables, system)
    return Path(variables.get("XDG_CONFIG_HOME") or home / ".config")


def _local(home: Path, variables: Mapping[str, str], system: str) -> Path:
    if system == "win32":
        return Path(variables.get("LOCALAPPDATA") or home / "AppData" / "Local")
    return _data(home, variables, system)


def _hub(home: Path, variables: Mapping[str, str]) -> Path:
    if told := variables.get("HF_HUB_CACHE"):
        return Path(told)
    cache = Path(variables.get("XDG_CACHE_HOME") or home / ".cache")
    return Path(variables.get("HF_HOME") or cache / "huggingface") / "hub"


# What ---------------------------------------------------------------------------------------


def _below(folder: Path, app: str) -> Iterator[Foreign]:
    """Files that end in .gguf. Links to folders are not followed: they may lead in circles."""
    start = len(folder.parts)
    for place, folders, names in os.walk(folder):
        folders.sort()
        if len(Path(place).parts) - start >= _DEEPEST:
            folders.clear()
        for name in sorted(names):
            path = Path(place, name)
            if name.lower().endswith(SUFFIX) and os.path.isfile(path):
                yield Foreign(path=path, app=app, name=_called(path))


def _called(path: Path) -> str:
    """Jan calls every file the same, and the folder by the model."""
    return path.parent.name if path.stem.lower() == "model" else path.stem


def _of_ollama(folder: Path) -> Iterator[Foreign]:
    """Its files are named by their hashes; manifests say which model is which file."""
    manifests = folder / "manifests"
    for place, folders, names in os.walk(manifests):
        folders.sort()
        for name in sorted(names):
            manifest = Path(place, name)
            blob = _blob(folder, manifest)
            if blob is not None and os.path.isfile(blob):
                model = f"{manifest.parent.name}:{manifest.name}"
                yield Foreign(path=blob, app=OLLAMA, name=model)


def _small(file: Path) -> bytes:
    """What is in a manifest. Raises OSError; ValueError where it is none."""
    facts = file.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
        raise ValueError("no manifest")
    return file.read_bytes()


def _blob(folder: Path, manifest: Path) -> Path | None:
    """The file of the model that a manifest speaks of."""
    try:
        layers = json.loads(_small(manifest))["layers"]
        digests = [str(each["digest"]) for each in layers if each["mediaType"] == _LAYER]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    name = digests[0].replace(":", "-") if digests else ""
    # A manifest is a stranger's text and may name no file outside of the folder.
    return folder / "blobs" / name if name.replace("-", "").isalnum() else None
