"""The rules of the house: who imports whom, what a start may load, what must be listed.

The contracts stand in pyproject.toml. Here they are broken on purpose, in a copy of the tree with
empty modules, because a contract that names the wrong thing is kept for ever.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("desktop", "engine")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Contract, module of the toy tree, what it imports there, and the arrow that must be reported.
BROKEN = (
    ("layers", "engine.config", "engine.session", "engine.config -> engine.session"),
    ("layers", "engine.types", "engine.numerics", "engine.types -> engine.numerics"),
    ("one-door", "desktop.bridge", "engine.config", "desktop.bridge -> engine.config"),
    ("no-gui", "engine.session", "PySide6", "engine.session -> PySide6"),
    ("parent", "engine.session", "engine.inference.host", "session -> engine.inference.host"),
    ("parent", "engine.inference.client", "llama_cpp", "engine.inference.client -> llama_cpp"),
    ("child", "engine.inference.threads", "sqlite3", "engine.inference.threads -> sqlite3"),
    ("parent", "engine.jobs.client", "llama_cpp", "engine.jobs.client -> llama_cpp"),
    ("job", "engine.jobs.host", "engine.store", "engine.jobs.host -> engine.store"),
    ("layers", "engine.session", "engine.download", "engine.session -> engine.download"),
    ("network", "engine.models.gguf", "socket", "engine.models.gguf -> socket"),
    ("network", "desktop.bridge", "huggingface_hub", "desktop.bridge -> huggingface_hub"),
    ("download", "engine.download.hub", "engine.store", "engine.download.hub -> engine.store"),
    ("one-importer", "engine.models.gguf", "llama_cpp", "engine.models.gguf -> llama_cpp"),
    ("pure", "engine.steering.sampling", "engine.models.gguf", "sampling -> engine.models.gguf"),
    ("pure", "engine.steering.strength", "sqlite3", "engine.steering.strength -> sqlite3"),
    ("pure", "engine.preference.traits", "engine.store", "traits -> engine.store"),
    ("pure", "engine.portfolio.gaps", "engine.models", "gaps -> engine.models"),
    ("pure", "engine.merging.layers", "engine.jobs", "layers -> engine.jobs"),
    ("layers", "engine.portfolio.words", "engine.preference", "words -> engine.preference"),
    ("desktop-layers", "desktop.style.tokens", "desktop.views", "tokens -> desktop.views"),
    ("widgets", "desktop.widgets.chips", "engine.types", "chips -> engine.types"),
    ("empty-init", "engine", "engine.types", "engine -> engine.types"),
)  # fmt: skip

# Sound arrows of the toy tree, for the cases that are chains.
SOUND = (
    ("engine.session", "engine.inference.client"),
    ("engine.inference.host", "engine.inference.threads"),
)

# Module, and what must not be loaded with it: the start must be quick, the parent must not be
# able to crash, and the window must open on a machine whose model library is broken.
LIGHT = {
    "engine.api": ("PySide6", "llama_cpp", "numpy", "huggingface_hub", "httpx"),
    "engine.session.library": ("PySide6", "llama_cpp", "numpy", "huggingface_hub", "httpx", "ssl"),
    "engine.cli.main": ("PySide6", "llama_cpp", "numpy"),
    "engine.steering.amulet": ("PySide6", "llama_cpp", "sqlite3"),
    "engine.inference.protocol": ("PySide6", "llama_cpp", "numpy", "sqlite3"),
    "desktop.__main__": ("PySide6", "llama_cpp", "numpy"),
    "desktop.app": ("llama_cpp", "numpy"),
}


# Contracts -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What lint-imports says about each contract of a toy tree in which all are broken."""
    toy = tmp_path_factory.mktemp("toy")
    _copy_empty_tree(toy)
    for module, imported in (*SOUND, *(case[1:3] for case in BROKEN)):
        with _file_of(toy, module).open("a", encoding="utf-8") as file:
            file.write(f"import {imported}\n")
    (toy / "engine" / "unplaced.py").touch()
    output = _lint(toy)
    names = {contract["id"]: contract["name"] for contract in _contracts()}
    report = output[output.index("Broken contracts") :]
    parts = re.split(r"^-+$", report, flags=re.MULTILINE)
    titles = [part.strip().splitlines()[-1] for part in parts[:-1]]
    said = dict(zip(titles, parts[1:], strict=True))
    return {contract: said.get(name, "") for contract, name in names.items()}


@pytest.mark.parametrize(("contract", "module", "imported", "arrow"), BROKEN)
def test_a_broken_contract_is_reported(
    complaints: dict[str, str], contract: str, module: str, imported: str, arrow: str
) -> None:
    assert arrow in " ".join(complaints[contract].split()), f"{module} may import {imported}"


def test_a_module_without_a_layer_is_reported(complaints: dict[str, str]) -> None:
    assert "unplaced" in complaints["layers"]


def test_every_contract_is_broken_by_some_case() -> None:
    assert {contract["id"] for contract in _contracts()} == {case[0] for case in BROKEN}


def test_a_clean_tree_keeps_all_contracts(tmp_path: Path) -> None:
    _copy_empty_tree(tmp_path)
    assert "0 broken" in _lint(tmp_path)


def _contracts() -> list[dict[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, str]] = project["tool"]["importlinter"]["contracts"]
    return contracts


def _copy_empty_tree(folder: Path) -> None:
    for source in SOURCES:
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())


def _file_of(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _lint(folder: Path) -> str:
    command = (Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo")
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    ).stdout


# What an import loads ------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "heavy"), LIGHT.items())
def test_an_import_loads_nothing_heavy(module: str, heavy: tuple[str, ...]) -> None:
    assert _loaded(f"import {module}", heavy) == ""


def test_the_version_loads_nothing_heavy() -> None:
    code = (
        "import sys, contextlib; sys.argv = ['attune', '--version']\n"
        "from desktop.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main()"
    )
    assert _loaded(code, ("PySide6", "llama_cpp", "numpy")).startswith("attune ")


def _loaded(code: str, heavy: tuple[str, ...]) -> str:
    """What a fresh Python prints when it runs the code and then looks for heavy modules."""
    check = f"\nimport sys; print(*(sys.modules.keys() & {set(heavy)!r}), end='')"
    return subprocess.run(
        (sys.executable, "-c", code + check),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=str)
def test_a_package_is_a_docstring_only(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


# Papers in order -----------------------------------------------------------------------------


def _locked(listing: str) -> list[tuple[str, str]]:
    """Name and version of every package in a locked list."""
    text = (ROOT / listing).read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("package", "version"), _locked("requirements.txt"))
def test_the_licence_of_every_runtime_requirement_is_told(package: str, version: str) -> None:
    notices = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").lower()
    assert f"| {package} | {version} |" in notices


@pytest.mark.parametrize("kind", ["", "-dev", "-build"])
def test_locked_requirements_name_hashes_and_no_host(kind: str) -> None:
    text = (ROOT / f"requirements{kind}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text))
