"""One file that installs Attune for one user, without root: a shell text, the program behind."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path

from engine.version import __version__
from installer import build as building
from installer.linux import tree

SCRIPTS = ("install-entry", "uninstall")
HERE = Path(__file__).parent


def build(program: Path, into: Path, *, epoch: int) -> Path:
    """Pack the frozen program. Raises BuildFailed."""
    root = building.WORK / "archive"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(program, root, symlinks=True)
    tree.write(root, epoch=epoch)
    for name in SCRIPTS:
        shutil.copyfile(HERE / name, root / name)
        (root / name).chmod(0o755)
    building.date_all(root, epoch)
    target = into / f"attune-{__version__}-linux-x86_64.run"
    building.say(f"packing {target.name}")
    packed = packed_tree(root, building.WORK / "archive.tar")
    target.write_bytes(head(packed).encode() + packed.read_bytes())
    target.chmod(0o755)
    return target


def head(packed: Path) -> str:
    """The shell text for what is packed."""
    text = (HERE / "head.sh").read_text(encoding="utf-8")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    values = {"VERSION": __version__, "SHA256": digest, "LINES": str(len(text.splitlines()) + 1)}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def packed_tree(root: Path, tar: Path) -> Path:
    """Everything below a folder as .tar.xz, the same for the same files. Raises BuildFailed."""
    with tarfile.open(tar, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, str(path.relative_to(root)), recursive=False, filter=_nobodys)
    # In blocks of one size: then the result does not depend on how many threads there are.
    command = ["xz", "--force", "--threads=0", "--block-size=32MiB", "-6", str(tar)]
    building.run(command, "xz failed; the package xz-utils holds it.")
    return tar.with_name(f"{tar.name}.xz")


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
