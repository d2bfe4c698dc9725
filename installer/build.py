"""Freezes Attune and makes what installs it on systems like this one, in dist/.

python3 dev.py package            everything for this system
python3 dev.py package --freeze   the program alone, in dist/attune, tried by its self-test

SOURCE_DATE_EPOCH dates what is made; without it the last commit does. Two builds of one source with
the same date, Python and system libraries are the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from installer import licences
from installer.contents import ROOT, unresolved
from installer.papers import FOLDER

WORK = ROOT / "build"
DIST = ROOT / "dist"
PROGRAM = DIST / "attune"
CHECKSUMS = "SHA256SUMS"


class BuildFailed(Exception):
    """What is wrong and what to do, in a sentence or two."""


def main(arguments: Sequence[str]) -> int:
    if arguments not in ([], ["--freeze"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    epoch = date_of_source()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)  # for every tool that is started
    try:
        freeze(epoch)
        if arguments == []:
            write_checksums(DIST, pack(epoch))
    except (BuildFailed, licences.NoLicence) as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


def freeze(epoch: int) -> None:
    """Make dist/attune, whole and tried. Raises BuildFailed, NoLicence."""
    for folder in (DIST, WORK / "pyinstaller"):
        shutil.rmtree(folder, ignore_errors=True)
    prepare()
    run_pyinstaller()
    nest_downloader()
    remove_dangling_links()
    strip_interpreter()
    collect_licences()
    date_all(PROGRAM, epoch)
    say("self-test of the frozen program")
    run([str(executable()), "--self-test"], "The frozen program does not pass its self-test.")


def pack(epoch: int) -> list[Path]:
    """Make the installers of this system, and return them. Raises BuildFailed."""
    if sys.platform == "linux":
        from installer.linux import archive, deb

        return [deb.build(PROGRAM, DIST, epoch=epoch), archive.build(PROGRAM, DIST, epoch=epoch)]
    if sys.platform == "win32":
        from installer.windows import setup

        return [setup.build(PROGRAM, DIST)]
    from installer.macos import image

    return [image.build(DIST / "Attune.app", DIST)]


def date_of_source() -> int:
    """Seconds since the epoch: of SOURCE_DATE_EPOCH, else of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        asked = ("git", "log", "-1", "--format=%ct")
        given = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    try:
        return int(given)
    except ValueError:
        sys.exit("There is no commit to take the date from. Set SOURCE_DATE_EPOCH to seconds.")


# Freezing ------------------------------------------------------------------------------------


def prepare() -> None:
    """What the specification asks for and the sources do not hold: icons and version data."""
    WORK.mkdir(exist_ok=True)
    if sys.platform == "win32":
        from installer.windows import setup

        setup.prepare(WORK)
    elif sys.platform == "darwin":
        from installer.macos import image

        image.prepare(WORK)


def run_pyinstaller() -> None:
    say("PyInstaller")
    log = WORK / "pyinstaller.log"
    folders = ("--distpath", str(DIST), "--workpath", str(WORK / "pyinstaller"))
    # Without the seed, sets would be written in another order each time.
    surroundings = os.environ | {"PYTHONHASHSEED": "0"}
    with log.open("wb") as words:
        code = subprocess.call(
            [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", *folders,
             str(ROOT / "installer" / "attune.spec")],
            cwd=ROOT, env=surroundings, stdout=words, stderr=words,
        )  # fmt: skip
    said = log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        raise BuildFailed("\n".join(said.splitlines()[-15:]) + f"\nPyInstaller failed; see {log}.")
    if missed := unresolved(said):
        raise BuildFailed(
            f"This system lacks {'; '.join(missed)}. Install what holds it (docs/install.md lists "
            "the packages), or the program would lack it too."
        )


def nest_downloader() -> None:
    """Put the program that downloads where the other looks for it."""
    downloader = DIST / "attune-download"
    if sys.platform != "darwin":
        if downloader.is_dir():
            downloader.rename(PROGRAM / "download")
        return
    from engine.program import DOWNLOADER_APP

    if (DIST / DOWNLOADER_APP).is_dir():
        helpers = DIST / "Attune.app" / "Contents" / "Helpers"
        helpers.mkdir()
        (DIST / DOWNLOADER_APP).rename(helpers / DOWNLOADER_APP)


def remove_dangling_links() -> None:
    """PyInstaller links to libraries of Qt that were left out since."""
    for path in PROGRAM.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def strip_interpreter() -> None:
    """Python's own libraries alone: stripping makes others unloadable, such as numpy's OpenBLAS."""
    if sys.platform == "linux":
        own = (*PROGRAM.rglob("libpython3*.so.*"), *PROGRAM.rglob("lib-dynload/*.so"))
        run(["strip", "--strip-unneeded", *map(str, own)], "strip failed; install binutils.")


def collect_licences() -> None:
    """Put the licences of everything that was collected beside it. Raises NoLicence."""
    collected = json.loads((WORK / "pyinstaller" / "attune" / "collected.json").read_text())
    libraries = [
        (place, Path(source))
        for entries in collected.values()
        for place, source in entries
        if sys.platform == "linux" and is_of_system(Path(source))
    ]
    say("licences")
    licences.collect(resources() / FOLDER, libraries=libraries)
    if sys.platform == "darwin":  # there the program looks among the libraries, links included
        link = DIST / "Attune.app" / "Contents" / "Frameworks" / FOLDER
        link.symlink_to(f"../Resources/{FOLDER}")


def is_of_system(source: Path) -> bool:
    """Whether a file came neither from Python nor from a package of Python."""
    python = Path(sys.base_prefix)
    if python == Path("/usr"):  # the system's own, whose library belongs to one of its packages
        python /= f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    return not any(source.is_relative_to(base) for base in (sys.prefix, python, ROOT))


def resources() -> Path:
    """Where files lie that are no code."""
    if sys.platform == "darwin":
        return DIST / "Attune.app" / "Contents" / "Resources"
    return PROGRAM / "_internal"


def executable() -> Path:
    """The frozen program, as a terminal starts it."""
    if sys.platform == "darwin":
        return DIST / "Attune.app" / "Contents" / "MacOS" / "attune"
    return PROGRAM / ("attune.exe" if sys.platform == "win32" else "attune")


# Small parts ---------------------------------------------------------------------------------


def date_all(folder: Path, epoch: int) -> None:
    """Give all files one date, and all the same rights: others may read, nobody else may write."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink() and sys.platform != "win32":
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs and not _is_library(path) else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=not path.is_symlink())


def _is_library(path: Path) -> bool:
    return path.is_file() and ".so" in path.suffixes


def write_checksums(folder: Path, files: Sequence[Path]) -> None:
    """SHA256SUMS, as sha256sum reads it."""
    lines = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(files)]
    # On Windows, too, lines end as sha256sum reads them.
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    for file in files:
        say(f"{file} {file.stat().st_size / 1e6:.1f} MB")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(command: Sequence[str], otherwise: str, *, folder: Path = ROOT) -> None:
    """Run a step. Raises BuildFailed with what it means when it fails."""
    try:
        code = subprocess.call(command, cwd=folder)
    except FileNotFoundError:
        raise BuildFailed(f"{command[0]} is not installed. {otherwise}") from None
    if code != 0:
        raise BuildFailed(otherwise)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
