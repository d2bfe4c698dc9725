"""The installer for Windows, made by Inno Setup: for one user, no administrator needed.

With ATTUNE_SIGN, a command line that signs the file whose path is put after it, every program and
library is signed, and by Inno Setup the installer and the uninstaller.
"""

from __future__ import annotations

import os
import shlex
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

from engine.version import __version__
from installer import build as building
from installer.contents import ROOT
from installer.linux.tree import ID, rendered

HERE = Path(__file__).parent
SIZES = (16, 24, 32, 48, 64, 128, 256)
RUNTIME = ("vcomp140.dll",)
"""OpenMP, which llama.cpp's libraries need and PyInstaller does not find."""

_VERSION = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0, OS=0x40004,
                    fileType=1, subtype=0, date=(0, 0)),
  kids=[
    StringFileInfo([StringTable("040904B0", [
      StringStruct("CompanyName", "The Attune developers"),
      StringStruct("FileDescription", "Attune"),
      StringStruct("FileVersion", "{version}"),
      StringStruct("InternalName", "attune"),
      StringStruct("LegalCopyright", "Apache License 2.0"),
      StringStruct("OriginalFilename", "attune.exe"),
      StringStruct("ProductName", "Attune"),
      StringStruct("ProductVersion", "{version}")])]),
    VarFileInfo([VarStruct("Translation", [0x409, 1200])])
  ]
)
"""


def prepare(work: Path) -> None:
    """Write what the specification asks for: the version resource and the icon."""
    (work / "version.txt").write_text(version_resource(__version__), encoding="utf-8")
    picture = ROOT / "assets" / f"{ID}.svg"
    (work / "attune.ico").write_bytes(icon({size: rendered(picture, size) for size in SIZES}))


def build(program: Path, into: Path) -> Path:
    """Pack the frozen program. Raises BuildFailed."""
    bring_runtime(program)
    sign(sorted((*program.rglob("*.exe"), *program.rglob("*.dll"), *program.rglob("*.pyd"))))
    name = f"attune-{__version__}-windows-x64-setup"
    values = {
        "AppVersion": __version__, "Program": str(program), "Root": str(ROOT),
        "OutputDir": str(into), "OutputName": name,
    }  # fmt: skip
    defines = [f"/D{key}={value}" for key, value in values.items()]
    command = [compiler(), *defines, *signing(signer()), str(HERE / "attune.iss")]
    building.run(command, "Inno Setup failed.")
    return into / f"{name}.exe"


def version_resource(version: str) -> str:
    """What Windows shows among the properties of the program."""
    numbers = (*map(int, version.split(".")), 0)
    return _VERSION.format(numbers=numbers, version=version)


def icon(pictures: dict[int, bytes]) -> bytes:
    """An .ico file of PNGs, by their size in pixels."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    place = len(head) + 16 * len(pictures)
    entries = b""
    for size, data in pictures.items():
        entries += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), place)
        place += len(data)
    return head + entries + b"".join(pictures.values())


def bring_runtime(program: Path) -> None:
    """Put Microsoft's libraries beside llama.cpp's, from where Windows keeps its own."""
    system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
    for name in RUNTIME:
        target = program / "_internal" / name
        if target.exists():
            continue
        if not (system / name).exists():
            raise building.BuildFailed(f"{name} is missing; install the Visual C++ runtime.")
        shutil.copyfile(system / name, target)


def signer() -> str:
    """The command line that signs, "" where there is none."""
    return os.environ.get("ATTUNE_SIGN", "").strip()


def sign(files: Iterable[Path]) -> None:
    """Sign files, where a command for it is given."""
    # Not as POSIX has it, where a backslash is no part of a path; then the quotes stay.
    command = [word.strip('"') for word in shlex.split(signer(), posix=False)]
    for file in files if command else ():
        building.run([*command, str(file)], f"{file.name} was not signed.")


def signing(command: str) -> list[str]:
    """What has Inno Setup sign with a command line, which it wants in a writing of its own."""
    told = command.replace("$", "$$").replace('"', "$q")
    return ["/DSigned", f"/Sattune={told} $f"] if command else []


def compiler() -> str:
    """Inno Setup's compiler, on the path or where it installs itself."""
    usual = Path(os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")) / "Inno Setup 6"
    found = shutil.which("iscc") or shutil.which("ISCC", path=str(usual))
    if found is None:
        raise building.BuildFailed("Inno Setup 6 is missing: winget install JRSoftware.InnoSetup")
    return found
