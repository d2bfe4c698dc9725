"""The disk image for macOS, signed and notarised where the means are given.

ATTUNE_IDENTITY   "Developer ID Application: …", as `security find-identity` shows it; without it
                  the bundle is signed for this computer alone
ATTUNE_NOTARY     name of the keychain profile that `notarytool store-credentials` has stored
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from engine.version import __version__
from installer import build as building
from installer.contents import ROOT
from installer.linux.tree import ID, rendered

HERE = Path(__file__).parent
SIZES = (16, 32, 128, 256, 512)
MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How programs and libraries begin: for one processor, and for several."""


def prepare(work: Path) -> None:
    """Write what the specification asks for: the icon. Raises BuildFailed."""
    picture = ROOT / "assets" / f"{ID}.svg"
    folder = work / "attune.iconset"
    folder.mkdir(exist_ok=True)
    for size in SIZES:
        (folder / f"icon_{size}x{size}.png").write_bytes(rendered(picture, size))
        (folder / f"icon_{size}x{size}@2x.png").write_bytes(rendered(picture, 2 * size))
    command = ["iconutil", "--convert", "icns", "--output", str(work / "attune.icns"), str(folder)]
    building.run(command, "The icon was not made.")


def build(app: Path, into: Path) -> Path:
    """Sign, notarise and pack the bundle. Raises BuildFailed."""
    identity = os.environ.get("ATTUNE_IDENTITY", "-")
    notary = os.environ.get("ATTUNE_NOTARY")
    for bundle in (*(app / "Contents" / "Helpers").glob("*.app"), app):
        sign(bundle, identity)
    if notary:
        packed = building.WORK / "Attune.zip"
        building.run(["ditto", "-c", "-k", "--keepParent", str(app), str(packed)], "ditto failed.")
        notarise(packed, notary)
        building.run(["xcrun", "stapler", "staple", str(app)], "The ticket was not stapled.")
    image = packed_image(app, into)
    if notary:
        command = ["codesign", "--timestamp", "--sign", identity, str(image)]
        building.run(command, "The image was not signed.")
        notarise(image, notary)
        building.run(["xcrun", "stapler", "staple", str(image)], "The ticket was not stapled.")
    return image


def sign(bundle: Path, identity: str) -> None:
    """Sign everything in a bundle from the inside out, with the hardened runtime."""
    options = ["--force", "--timestamp", "--options", "runtime", "--sign", identity]
    if identity == "-":
        options = ["--force", "--sign", identity]
    for file in code(bundle):
        building.run(["codesign", *options, str(file)], f"{file.name} was not signed.")
    entitled = ["--entitlements", str(HERE / "entitlements.plist")]
    building.run(["codesign", *options, *entitled, str(bundle)], f"{bundle.name} was not signed.")
    check = ["codesign", "--verify", "--deep", "--strict", str(bundle)]
    building.run(check, f"{bundle.name} is not signed as a whole.")


def code(bundle: Path) -> list[Path]:
    """What has to be signed before a bundle is, innermost first.

    Told by what is in the files: those of Qt's frameworks, and Python itself, have no ending. The
    bundle's own program is signed with it, and a bundle inside, whole, before.
    """
    inside = [path for path in (bundle / "Contents").rglob("*.app") if path.is_dir()]
    found = (
        path
        for path in (bundle / "Contents").rglob("*")
        if path.is_file() and not path.is_symlink() and _is_code(path)
        if path.parent != bundle / "Contents" / "MacOS"
        if not any(other in path.parents for other in inside)
    )
    return sorted(found, key=lambda path: (-len(path.parts), path))


def _is_code(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in MACH_O


def notarise(file: Path, profile: str) -> None:
    """Have Apple look through it. Waits for the answer."""
    command = ["xcrun", "notarytool", "submit", str(file), "--keychain-profile", profile, "--wait"]
    building.run(command, f"{file.name} was not notarised; `notarytool log` tells why.")


def packed_image(app: Path, into: Path) -> Path:
    """A disk image with the bundle and a link to the folder of applications beside it."""
    stage = building.WORK / "image"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    building.run(["ditto", str(app), str(stage / app.name)], "ditto failed.")
    (stage / "Applications").symlink_to("/Applications")
    image = into / f"attune-{__version__}-macos-{platform.machine()}.dmg"
    command = ["hdiutil", "create", "-volname", "Attune", "-srcfolder", str(stage), "-ov"]
    building.run([*command, "-format", "ULFO", str(image)], "The disk image was not made.")
    return image
