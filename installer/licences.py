"""Collects the licences of everything that an installed Attune holds, and lists what that is.

Packages bring their texts, and `THIRD_PARTY.md` says under which licence each of them is. What they
do not bring, Qt's above all, lies in `assets/licences`. Libraries of the system that were taken in
are asked for by the file that they came from. A component without a text stops the build.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from engine.version import __version__
from installer.contents import ROOT
from installer.papers import BILL, TABLE

TEXTS = ROOT / "assets" / "licences"
GIVEN = {
    "highspy": ("mit-parts.txt",),
    "llama.cpp": ("llama.cpp.txt", "mit-parts.txt"),
    "python": ("python-third-party.txt",),
    "pyside6-essentials": ("LGPL-3.0.txt", "GPL-3.0.txt", "qt-third-party.txt", "icu.txt"),
    "pyyaml": ("mit-parts.txt",),
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
}
"""Texts that packages do not bring, by files in assets/licences."""

COMMON = "common-licenses"
"""The folder of the texts that Debian keeps once, and those of its packages refer to."""

REFERRED = re.compile(rf"/{COMMON}/([\w.+-]*\w)")
"""How they are referred to."""

_TEXT = re.compile(r"(licen[cs]e|copying|notice|copyright|third.party)", re.IGNORECASE)
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
_COPYRIGHT = Path("/usr/share/doc")
_COMMON = f"/usr/share/{COMMON}"


class NoLicence(Exception):
    """A component whose licence text was not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Something that is inside, and the files that hold its licence.

    licence  an SPDX expression; "see text" where only the text says
    """

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]


def collect(folder: Path, *, libraries: Iterable[tuple[str, Path]]) -> tuple[Component, ...]:
    """Write the texts, the table and the bill of materials into a folder.

    libraries  of the system, that were taken in: names, and where they came from

    Raises NoLicence.
    """
    found = [*_attune(), *packages(), *_tools(), *_of_system(libraries)]
    folder.mkdir(parents=True)
    for component in found:
        into = folder / "texts" / component.name
        into.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(component.texts):
            name = text.name if text.suffix else f"{text.name}.txt"
            shutil.copyfile(text, into / (name if number == 0 else f"{number}-{name}"))
    for text in referred(text for component in found for text in component.texts):
        (folder / "texts" / COMMON).mkdir(exist_ok=True)
        shutil.copyfile(text, folder / "texts" / COMMON / f"{text.name}.txt")
    shutil.copyfile(ROOT / "THIRD_PARTY.md", folder / "THIRD_PARTY.md")
    (folder / TABLE).write_text(table(found), encoding="utf-8")
    (folder / BILL).write_text(bill(found), encoding="utf-8")
    return tuple(found)


def referred(texts: Iterable[Path]) -> list[Path]:
    """The texts in Debian's folder of common ones that others name instead of repeating them.

    Raises NoLicence for one that is not there.
    """
    said = (text.read_text(encoding="utf-8", errors="replace") for text in texts)
    names = {name for text in said for name in REFERRED.findall(text)}
    found = [Path(_COMMON, name) for name in sorted(names)]
    if missing := [str(text) for text in found if not text.is_file()]:
        raise NoLicence(f"Texts refer to {', '.join(missing)}, which is not here.")
    return found


def table(components: Iterable[Component]) -> str:
    """What is inside, for people."""
    rows = [f"| {each.name} | {each.version} | {each.licence} |" for each in components]
    head = (
        f"# What is in Attune {__version__}",
        "",
        "| what | version | licence |",
        "|---|---|---|",
    )
    told = (
        "Who made it, and how Qt may be replaced, says THIRD_PARTY.md beside this list.",
        f"What a text refers to in {_COMMON} lies in texts/{COMMON}.",
    )
    return "\n".join((*head, *rows, "", *told, ""))


def bill(components: Iterable[Component]) -> str:
    """What is inside, for programs: a bill of materials in the CycloneDX form."""
    parts = [
        {
            "type": "library",
            "name": each.name,
            "version": each.version,
            "licenses": [_cyclone(each.licence)],
        }
        for each in components
    ]
    whole = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "attune", "version": __version__}
        },
        "components": parts,
    }
    return json.dumps(whole, indent=1) + "\n"


def _cyclone(licence: str) -> dict[str, object]:
    if licence == "see text":
        return {"license": {"name": licence}}
    return {"expression": licence}


# Components ----------------------------------------------------------------------------------


def packages() -> Iterator[Component]:
    """Every locked requirement that is installed here. Raises NoLicence."""
    told = {row[0].lower(): row[2] for row in _ROW.findall(_third_party())}
    for name, version in locked():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        texts = (*texts_of(distribution), *_given(name))
        if not texts or name not in told:
            raise NoLicence(f"{name} {version} has no licence text or is not in THIRD_PARTY.md.")
        yield Component(name=name, version=version, licence=told[name], texts=texts)


def locked() -> list[tuple[str, str]]:
    """Name, in lower case, and version of every requirement."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [(name.lower(), version) for name, version, _ in _LOCKED.findall(text)]


def texts_of(distribution: metadata.Distribution) -> Iterator[Path]:
    """The files with licences that an installed package brings."""
    for file in distribution.files or ():
        if ".dist-info/" in str(file) and _TEXT.search("/".join(file.parts[1:])):
            yield Path(str(distribution.locate_file(file)))


def _given(name: str) -> tuple[Path, ...]:
    return tuple(TEXTS / file for file in GIVEN.get(name, ()))


def _attune() -> Iterator[Component]:
    ours = (ROOT / "LICENSE",)
    yield Component(name="attune", version=__version__, licence="Apache-2.0", texts=ours)


def _tools() -> Iterator[Component]:
    """What is inside without being a requirement: the interpreter, the starter, llama.cpp."""
    running = ".".join(map(str, sys.version_info[:3]))
    texts = (_python_licence(), *_given("python"))
    yield Component(name="python", version=running, licence="PSF-2.0", texts=texts)
    freezer = metadata.distribution("pyinstaller")
    yield Component(
        name="pyinstaller-bootloader",
        version=freezer.version,
        licence="GPL-2.0-or-later WITH Bootloader-exception",
        texts=tuple(texts_of(freezer)),
    )
    llama = metadata.version("llama-cpp-python")
    yield Component(
        name="llama.cpp",
        version=f"of llama-cpp-python {llama}",
        licence="MIT",
        texts=_given("llama.cpp"),
    )


def _python_licence() -> Path:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = Path(sys.base_prefix)
    places = (
        base / "lib" / version / "LICENSE.txt",
        base / "LICENSE.txt",
        _COPYRIGHT / version / "copyright",
    )
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise NoLicence(f"The licence of Python is in none of {', '.join(map(str, places))}.")
    return found


def _of_system(libraries: Iterable[tuple[str, Path]]) -> Iterator[Component]:
    """The Debian packages that libraries came from, each once."""
    seen = set()
    for name, source in libraries:
        package, version = _debian_package(source)
        if package in seen:
            continue
        seen.add(package)
        text = _COPYRIGHT / package / "copyright"
        if not text.is_file():
            raise NoLicence(f"{name}, of the package {package}, has no licence at {text}.")
        yield Component(name=package, version=version, licence="see text", texts=(text,))


def _debian_package(file: Path) -> tuple[str, str]:
    """Name and version of the package that a file of the system is in. Raises NoLicence."""
    # The same file may be known by its place before /lib became a link to /usr/lib.
    real = str(file.resolve())
    for place in (real, str(file), real.removeprefix("/usr")):
        found = _output("dpkg", "-S", place)
        if found:
            package = found.partition(":")[0].partition(",")[0]
            version = _output("dpkg-query", "-W", "-f", "${Version}\n", package).split()[0]
            return package, version
    raise NoLicence(f"No package of this system holds {file}, so its licence is not known.")


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _third_party() -> str:
    return (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
