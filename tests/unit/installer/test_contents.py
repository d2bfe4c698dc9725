"""What goes into the installed program: lists that name real things, and what the filters do."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import program
from installer import contents
from installer.contents import EXCLUDED, NETWORK, ROOT

KEPT = (
    "PySide6/Qt/plugins/platforms/libqxcb.so",
    "PySide6/Qt/plugins/platforms/libqwayland.so",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "PySide6/Qt/plugins/imageformats/libqjpeg.so",
    "PySide6/Qt/plugins/imageformats/libqsvg.so",
    "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
    "PySide6/Qt/translations/qtbase_de.qm",
    "assets/translations/attune_de.qm",
    "llama_cpp/lib/libllama.so",
    "libdbus-1.so.3",
    r"PySide6\plugins\platforms\qwindows.dll",
    r"PySide6\plugins\imageformats\qjpeg.dll",
)
LEFT_OUT = (
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libexpat.so.1",
    "libssl.so.3",
    "libcrypto.so.3",
    "PySide6/Qt/lib/libQt6Network.so.6",
    "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
    "PySide6/Qt/plugins/platforms/libqvnc.so",
    "PySide6/Qt/plugins/platforms/libqeglfs.so",
    "PySide6/Qt/plugins/generic/libqtuiotouchplugin.so",
    "PySide6/Qt/plugins/imageformats/libqtiff.so",
    "PySide6/Qt/plugins/tls/libqopensslbackend.so",
    "PySide6/Qt/translations/qtmultimedia_de.qm",
    "llama_cpp/lib/libllama-common.so",
    r"PySide6\plugins\imageformats\qtiff.dll",
)


@pytest.mark.parametrize("place", KEPT)
def test_what_the_window_needs_stays(place: str) -> None:
    assert not contents.is_unwanted(place)


@pytest.mark.parametrize("place", LEFT_OUT)
def test_what_speaks_to_a_network_or_belongs_to_the_system_is_left_out(place: str) -> None:
    assert contents.is_unwanted(place)


def test_a_library_goes_with_the_last_that_asks_for_it() -> None:
    entries = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/venv/libqxcb.so", "BINARY"),
        ("libgtk-3.so.0", "/usr/lib/libgtk-3.so.0", "BINARY"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", "/venv/libQt6Gui.so.6", "BINARY"),
        ("libQt6Gui.so.6", "PySide6/Qt/lib/libQt6Gui.so.6", "SYMLINK"),
        ("libpython3.11.so.1.0", "/usr/lib/libpython3.11.so.1.0", "BINARY"),
        ("llama_cpp/lib/libggml-cpu-haswell.so", "/venv/libggml-cpu-haswell.so", "BINARY"),
        ("libgomp.so.1", "/usr/lib/libgomp.so.1", "BINARY"),
    ]
    links = {
        "/venv/libqxcb.so": ["libQt6Gui.so.6"],
        "/venv/libggml-cpu-haswell.so": ["libgomp.so.1"],
    }
    kept = contents.asked_for(entries, lambda source: links.get(source, []))
    assert [place for place, _, _ in kept] == [
        place for place, _, _ in entries if place != "libgtk-3.so.0"
    ]


def test_every_variant_of_llama_counts() -> None:
    there = [f"llama_cpp/lib/libggml-cpu-{name}.so" for name in contents.VARIANTS["linux"]]
    assert contents.missing_variants(there, system="linux") == []
    assert contents.missing_variants(there[1:], system="linux") == ["x64"]
    assert contents.missing_variants([], system="darwin") == []


def test_the_libraries_of_llama_are_those_that_are_opened_by_name(tmp_path: Path) -> None:
    wanted = ["libggml-base.so", "libggml-cpu-sse42.so", "libggml.so", "libllama.so"]
    others = ["libllama-common.so", "libmtmd.so", "libllama.a", "cmake", "libggml-rpc.so"]
    for name in (*wanted, *others):
        (tmp_path / name).touch()
    assert [file.name for file in contents.llama_libraries(tmp_path)] == wanted


def test_the_built_llama_has_every_variant() -> None:
    found = importlib.util.find_spec("llama_cpp")
    assert found is not None
    assert found.origin is not None
    names = [file.name for file in contents.llama_libraries(Path(found.origin).parent / "lib")]
    assert contents.missing_variants(names) == []


def test_a_library_that_the_build_lacks_is_told_but_for_what_stays_out_anyway() -> None:
    log = (
        "1 WARNING: Library not found: could not resolve 'libxcb-icccm4.so.4', dependency of "
        "'/v/PySide6/Qt/plugins/platforms/libqxcb.so'.\n"
        "2 WARNING: Library not found: could not resolve 'libgtk-3.so.0', dependency of "
        "'/v/PySide6/Qt/plugins/platformthemes/libqgtk3.so'.\n"
    )
    assert contents.unresolved(log) == ["libxcb-icccm4.so.4, which libqxcb.so needs"]


def test_modules_that_are_left_out_are_spelled_right() -> None:
    # A name that nothing answers to may be misspelled; the strangers are never installed here.
    standard = {name for name in EXCLUDED if name.split(".")[0] in sys.stdlib_module_names}
    assert {"ssl", "_ssl", "http", "asyncio", "tkinter"} <= standard
    for name in EXCLUDED:
        if name.startswith(("PySide6.", "llama_cpp.", "pyqtgraph.", *NETWORK)):
            top = name.split(".")[0]
            assert importlib.util.find_spec(top) is not None, name
    qt = Path(str(importlib.import_module("PySide6").__file__)).parent
    for name in EXCLUDED:
        if name.startswith("PySide6.Qt") and not name.endswith(("Pdf", "PdfWidgets")):
            assert list(qt.glob(f"{name.removeprefix('PySide6.')}.*")), name


def test_no_module_of_attune_is_left_out() -> None:
    for name in EXCLUDED:
        assert not (ROOT / name.split(".")[0]).is_dir(), name


def test_attune_imports_nothing_that_is_left_out() -> None:
    imported: dict[str, str] = {}
    for folder in ("engine", "desktop"):
        for file in (ROOT / folder).rglob("*.py"):
            if "download" not in file.relative_to(ROOT / folder).parts:
                imported |= dict.fromkeys(_imports(file), file.name)
    assert {"numpy", "PySide6.QtWidgets", "socket"} <= imported.keys()
    left_out = {
        f"{name} in {where}"
        for name, where in imported.items()
        if name in EXCLUDED or name.rpartition(".")[0] in EXCLUDED
    }
    assert left_out == set()


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_parts_that_the_program_can_be_are_modules_with_a_main() -> None:
    for name in program.PARTS:
        assert callable(importlib.import_module(name).main)
