"""Proves the Linux installers. Needs root, Debian's debootstrap, and some minutes for each system.

sudo build/venv/bin/python -m installer.linux.prove dist/attune_*.deb dist/attune-*.run [SYSTEM …]

SYSTEM is bookworm, trixie, jammy or noble; without any, the first three. For Ubuntu put the
file ubuntu-archive-keyring.gpg, of Ubuntu's package ubuntu-keyring, into build/prove.
Findings and pictures are left in build/prove/findings.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from installer.build import sha256_of
from installer.contents import ROOT
from installer.linux.prove import steps
from installer.linux.prove.roots import OWNER, SUITES, discard, fresh
from installer.linux.prove.screen import screen
from installer.linux.prove.steps import Finding

WORK = Path(os.environ.get("ATTUNE_PROVE", ROOT / "build" / "prove"))
SYSTEMS = ("bookworm", "trixie", "jammy")
TOOLS = (
    "debootstrap", "Xvfb", "convert", "xdotool", "xprop", "qemu-x86_64-static", "nm", "objdump",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case [package, archive, *systems] if set(systems) <= set(SUITES):
            pass
        case _:
            print((__doc__ or "").strip(), file=sys.stderr)
            return 2
    if os.geteuid() != 0:
        sys.exit("This has to be run by root, because it makes whole systems.")
    if lacking := [name for name in TOOLS if shutil.which(name) is None]:
        sys.exit(f"Not installed here: {', '.join(lacking)}. Debian has them all as packages.")
    findings = {"files": _all("files", _of_files(Path(package), Path(archive)))}
    for system in systems or SYSTEMS:
        findings[system] = _all(system, _of_system(system, Path(package), Path(archive)))
    _keep(findings, Path(package), Path(archive))
    return 0 if all(each.kept for found in findings.values() for each in found) else 1


def _of_files(package: Path, archive: Path) -> Iterable[Finding]:
    size = package.stat().st_size / 1e6
    yield Finding(promise="package at most 170 MB", kept=size <= 170, seen=f"{size:.1f} MB")
    yield from steps.papers(package)
    yield from steps.damaged_archive(archive)


def _of_system(system: str, package: Path, archive: Path) -> Iterable[Finding]:
    root = fresh(system, f"{system}-attune", work=WORK)
    pictures = WORK / "findings"
    yield from steps.install(root, package)
    yield from steps.files_themselves(root)
    for user in ("root", OWNER):
        yield from steps.in_the_terminal(root, user)
        with screen() as shown:
            yield from steps.window(root, user, shown, pictures / f"{system}-{user}.png")
        yield from steps.first_token(root, user)
    yield from steps.odd_places(root)
    if system == SYSTEMS[0]:
        yield from steps.old_processors(root)
    yield from steps.upgrade(root, package)
    yield from steps.purge(root)
    yield from steps.without_root(root, archive)
    discard(root)


def _all(what: str, findings: Iterable[Finding]) -> list[Finding]:
    """Carry them out, and tell each as it comes."""
    kept = []
    for finding in findings:
        mark = "ok    " if finding.kept else "FAILED"
        print(f"{mark} {what:<9} {finding.promise}: {finding.seen}", flush=True)
        kept.append(finding)
    return kept


def _keep(findings: dict[str, list[Finding]], package: Path, archive: Path) -> None:
    written = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "packages": {file.name: sha256_of(file) for file in (package, archive)},
        "findings": {name: [asdict(each) for each in found] for name, found in findings.items()},
    }
    folder = WORK / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(written, indent=1, ensure_ascii=False)
    (folder / "findings.json").write_text(text + "\n", encoding="utf-8")
    print(f"Kept in {folder}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
