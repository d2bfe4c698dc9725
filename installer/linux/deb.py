"""The Debian package, for Debian 12, Ubuntu 22.04 and later.

Nothing runs while it is installed or removed: menus, icons and types of files are brought up to
date by the packages that own them.
"""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, datetime
from pathlib import Path

from engine.version import __version__
from installer import build as building
from installer.linux import tree

# What PyInstaller leaves to the system, because it belongs to the graphics driver, the display or
# the C library, and one font: without it, no text.
DEPENDS = (
    "libc6 (>= 2.35)", "libstdc++6", "libgcc-s1", "libexpat1", "libgl1", "libegl1", "libdrm2",
    "libxcb1", "libwayland-client0", "libwayland-cursor0", "libwayland-egl1", "fontconfig-config",
    "fonts-dejavu-core | fonts-liberation2 | fonts-liberation | fonts-noto-core",
)  # fmt: skip

# Debian wants an address. This one is nobody's, now and for good (RFC 2606), since a made-up one
# could be a stranger's: who hands the package out puts one here that somebody reads.
MAINTAINER = "The Attune developers <nobody@attune.invalid>"
SOURCES = Path(__file__).parent / "debian"


def build(program: Path, into: Path, *, epoch: int) -> Path:
    """Pack the frozen program. Raises BuildFailed."""
    root = building.WORK / "deb"
    shutil.rmtree(root, ignore_errors=True)
    fill(root, program, epoch=epoch)
    package = into / f"attune_{__version__}_amd64.deb"
    building.say(f"packing {package.name}")
    # Always two threads: one alone packs in another way, and the bytes would not be the same.
    how = ["--build", "--root-owner-group", "-Zxz", "-z6", "--threads-max=2"]
    command = ["dpkg-deb", *how, str(root), str(package)]
    building.run(command, "dpkg-deb failed; the package dpkg holds it.")
    return package


def fill(root: Path, program: Path, *, epoch: int) -> None:
    """Lay out everything as it will lie in the system."""
    shutil.copytree(program, root / "opt" / "attune", symlinks=True)
    tree.write(root / "usr", epoch=epoch)
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / "attune").symlink_to("/opt/attune/attune")
    manual = root / "usr/share/man/man1/attune.1"
    _compressed(manual.with_suffix(".1.gz"), manual.read_bytes())
    manual.unlink()
    documents = root / "usr/share/doc/attune"
    documents.mkdir(parents=True)
    shutil.copyfile(SOURCES / "copyright", documents / "copyright")
    _compressed(documents / "changelog.gz", changelog(epoch=epoch).encode())
    overrides = root / "usr/share/lintian/overrides"
    overrides.mkdir(parents=True)
    shutil.copyfile(SOURCES / "lintian-overrides", overrides / "attune")
    _write_control(root)
    building.date_all(root, epoch)


def control(*, kilobytes: int) -> str:
    """The package's description of itself; kilobytes is what it takes on the disk."""
    fields = {
        "Package": "attune",
        "Version": __version__,
        "Architecture": "amd64",
        "Maintainer": MAINTAINER,
        "Installed-Size": str(kilobytes),
        "Depends": ", ".join(DEPENDS),
        "Recommends": "xdg-utils",
        "Section": "science",
        "Priority": "optional",
        "Description": "answers with a local language model, in the way that you like\n"
        + (SOURCES / "description").read_text(encoding="utf-8").rstrip(),
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def changelog(*, epoch: int) -> str:
    """As Debian writes it; the whole story is CHANGELOG.md's."""
    date = datetime.fromtimestamp(epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"attune ({__version__}) stable; urgency=medium\n\n"
        f"  * Version {__version__}; what changed is told in the CHANGELOG of Attune.\n\n"
        f" -- {MAINTAINER}  {date}\n"
    )


def _write_control(root: Path) -> None:
    size = sum(file.lstat().st_size for file in root.rglob("*") if not file.is_dir())
    folder = root / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(control(kilobytes=size // 1024), encoding="utf-8")
    files = sorted(file for file in root.rglob("*") if file.is_file() and not file.is_symlink())
    sums = (
        f"{_md5(file)}  {file.relative_to(root)}\n" for file in files if folder not in file.parents
    )
    (folder / "md5sums").write_text("".join(sums), encoding="utf-8")


def _md5(file: Path) -> str:
    import hashlib

    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()


def _compressed(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data, 9, mtime=0))
