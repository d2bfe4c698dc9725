"""What goes into the installed program and what stays out. Read by the PyInstaller specification.

PyInstaller follows imports and links, and so brings plugins that nothing asks for, with all that
they link to. What is left out here is left out for a reason: what speaks to a network, because
Attune does not; what the system has to bring, because a copy that is older or newer breaks its
graphics; the rest for its size.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]
"""Where a file goes in the program, where it comes from, and PyInstaller's name for its kind."""

ROOT = Path(__file__).resolve().parents[1]

NETWORK = ("ssl", "_ssl", "http", "urllib.request", "ftplib", "smtplib", "asyncio", "socketserver")
"""Modules that are for networks. `socket` itself is in: a display is asked through it whether it is
there, and on Linux the children that run models are refused it by the system."""

EXCLUDED = (
    *NETWORK,
    "huggingface_hub", "llama_cpp.server", "PySide6.QtNetwork", "_hashlib", "_uuid",
    "readline", "tkinter", "unittest", "pydoc", "pydoc_data", "lib2to3", "doctest", "pdb", "test",
    "numpy.f2py.tests", "numpy.distutils", "setuptools", "distutils", "pip", "IPython",
    "transformers", "torch", "PIL", "scipy", "pandas", "matplotlib", "h5py", "cupy", "numba",
    "pyqtgraph.examples", "pyqtgraph.opengl", "pyqtgraph.jupyter", "pyqtgraph.flowchart",
    "PyQt5", "PyQt6", "PySide2",
    *(f"PySide6.Qt{name}" for name in (
        "Concurrent", "Designer", "Help", "OpenGL", "OpenGLWidgets", "Pdf", "PdfWidgets",
        "PrintSupport", "Qml", "Quick", "QuickControls2", "QuickTest", "QuickWidgets", "Sql",
        "Test", "UiTools", "Xml",
    )),
)  # fmt: skip
"""Modules that are not taken in. `_hashlib` would bring OpenSSL, whose work Python does by itself,
and `_uuid` a library that asks a server for numbers;
`readline` a library under the GPL, for which Attune would have to be under the GPL, too."""

UNWANTED = tuple(re.compile(pattern) for pattern in (
    r"(^|/)lib(stdc\+\+|gcc_s|expat)\.so",  # the system's, or its graphics drivers break
    r"Qt6?(Network|Qml|Quick|Pdf|VirtualKeyboard|OpenGLWidgets)",
    r"plugins/(generic|egldeviceintegrations|networkinformation|tls|sqldrivers|qmltooling)/",
    r"plugins/platforms/.*(eglfs|linuxfb|vnc|vkkhrdisplay|minimalegl)",
    r"plugins/platformthemes/.*gtk3",
    r"plugins/platforminputcontexts/.*virtualkeyboard",
    r"plugins/imageformats/.*q(?!jpeg|svg)\w+\.(so|dll|dylib)$",
    r"PySide6/.*translations/(?!qtbase_)",
    r"(lib)?llama-common|(lib)?mtmd",
    r"(^|/)(libssl|libcrypto)",
))  # fmt: skip
"""Files that are not taken in, by where they would go."""

VARIANTS = {
    "linux": ("x64", "sse42", "sandybridge", "ivybridge", "piledriver", "haswell", "skylakex",
              "cannonlake", "cascadelake", "icelake", "cooperlake", "zen4", "alderlake",
              "sapphirerapids"),
    "win32": ("x64", "sse42", "sandybridge", "haswell", "skylakex", "cannonlake", "cascadelake",
              "icelake", "alderlake"),
    "darwin": (),
}  # fmt: skip
"""Processors of the x86 family that llama.cpp must be there for, by system; macOS has one build."""

_LLAMA = re.compile(r"(lib)?(ggml|llama)(-base|-cpu(-\w+)?|-vulkan|-metal|-blas)?\.(so|dylib|dll)")
_SHARED = re.compile(r"lib[^/]*\.so(\.[\d.]+)?$")
_NOT_FOUND = re.compile(r"could not resolve '([^']+)', dependency of '([^']+)'")


def llama_libraries(folder: Path) -> list[Path]:
    """llama.cpp's own libraries in the folder that its package keeps them in. They are opened by
    name, so no search for links would find them."""
    return sorted(file for file in folder.iterdir() if _LLAMA.fullmatch(file.name))


def missing_variants(names: Iterable[str], *, system: str = sys.platform) -> list[str]:
    """Processors for which no library is among these files."""
    there = {PurePosixPath(name).stem.removeprefix("lib") for name in names}
    return [name for name in VARIANTS[system] if f"ggml-cpu-{name}" not in there]


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Without the unwanted."""
    return [entry for entry in entries if not is_unwanted(entry[0])]


def is_unwanted(place: str) -> bool:
    """Whether a file stays out, by its place in the program."""
    place = place.replace("\\", "/")
    return any(pattern.search(place) for pattern in UNWANTED)


def asked_for(entries: Iterable[Entry], links: Callable[[str], Iterable[str]]) -> list[Entry]:
    """Without libraries that nothing links to any more, once those that did were left out.

    links  the names of all libraries that a file needs, directly or not; it is asked about files
           that are no such libraries themselves: modules, plugins, what is opened by name
    """
    entries = list(entries)
    roots = [entry for entry in entries if not _is_dependency(entry[0])]
    needed = {name for _, source, kind in roots if kind != "SYMLINK" for name in links(source)}
    return [
        entry
        for entry in entries
        if not _is_dependency(entry[0]) or PurePosixPath(entry[0]).name in needed
    ]


def _is_dependency(place: str) -> bool:
    """Whether a file is there only for others: a shared library beside the program or in Qt's
    folder of libraries. The interpreter itself is loaded by name."""
    path = PurePosixPath(place)
    beside = str(path.parent) in (".", "PySide6/Qt/lib")
    is_python = path.name.startswith("libpython")
    return beside and not is_python and _SHARED.match(path.name) is not None


def unresolved(log: str) -> list[str]:
    """What PyInstaller missed and should not have, in its own words; of files that stay out
    anyway it may miss what it likes."""
    return [
        f"{name}, which {Path(asker).name} needs"
        for name, asker in _NOT_FOUND.findall(log)
        if not is_unwanted(asker) and not is_unwanted(name)
    ]
