"""Names, versions and licences: the same everywhere, and none forgotten."""

from __future__ import annotations

import configparser
import json
import plistlib
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from desktop.app import APP_ID
from engine.version import __version__
from installer import licences
from installer.contents import ROOT
from installer.licences import Component, NoLicence
from installer.linux import archive, deb, tree
from installer.windows import setup

EPOCH = 1_795_251_250
SHARE = tree.SOURCES


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree below /usr."""
    folder = tmp_path_factory.mktemp("usr")
    tree.write(folder, epoch=EPOCH)
    return folder / "share"


# Names and versions --------------------------------------------------------------------------


def test_the_entry_is_known_by_the_id_of_the_window() -> None:
    assert tree.ID == APP_ID
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(SHARE / f"{APP_ID}.desktop", encoding="utf-8")
    keys = entry["Desktop Entry"]
    assert keys["Icon"] == APP_ID
    assert keys["Exec"] == "attune %f"
    assert keys["TryExec"] == keys["StartupWMClass"] == "attune"
    assert keys["Terminal"] == "false"
    assert keys["X-GNOME-SingleWindow"] == "true"
    assert tree.MIME in keys["MimeType"].split(";")
    assert keys["MimeType"].endswith(";")


def test_the_metadata_say_id_version_and_date(written: Path) -> None:
    root = ElementTree.parse(written / "metainfo" / f"{APP_ID}.metainfo.xml").getroot()
    assert root.findtext("id") == APP_ID
    assert root.findtext("launchable") == f"{APP_ID}.desktop"
    release = root.find("releases/release")
    assert release is not None
    assert release.get("version") == __version__
    assert release.get("date") == "2026-11-21"
    assert tree.MIME in [each.text for each in root.findall("provides/mediatype")]


def test_the_type_of_a_profile_is_told_by_its_ending() -> None:
    name = "{http://www.freedesktop.org/standards/shared-mime-info}"
    root = ElementTree.parse(SHARE / f"{APP_ID}.xml").getroot()
    types = {
        each.get("type"): [glob.get("pattern") for glob in each.findall(f"{name}glob")]
        for each in root
    }
    assert types[tree.MIME] == ["*.attune-profile"]


def test_every_size_of_the_icons_is_there(written: Path) -> None:
    icons = written / "icons" / "hicolor"
    for size in tree.SIZES:
        for kind, name in (("apps", APP_ID), ("mimetypes", tree.MIME.replace("/", "-"))):
            data = (icons / f"{size}x{size}" / kind / f"{name}.png").read_bytes()
            assert data[1:4] == b"PNG"
            assert int.from_bytes(data[16:20]) == int.from_bytes(data[20:24]) == size
    assert (icons / "scalable" / "apps" / f"{APP_ID}.svg").is_file()
    assert (icons / "symbolic" / "apps" / f"{APP_ID}-symbolic.svg").is_file()


def test_the_manual_knows_every_command(written: Path) -> None:
    manual = (written / "man" / "man1" / "attune.1").read_text(encoding="utf-8")
    assert len(tree.commands()) > 10
    for name, what in tree.commands().items():
        assert f".TP\n.B {name}\n{what}\n" in manual
    assert f'"Attune {__version__}"' in manual
    assert "@" not in manual


def test_windows_and_macos_know_the_same_names() -> None:
    plist = plistlib.loads((ROOT / "installer/macos/Info.plist").read_bytes())
    script = (ROOT / "installer/windows/attune.iss").read_text(encoding="utf-8")
    assert plist["CFBundleIdentifier"] == APP_ID
    assert f'#define Id "{APP_ID}"' in script
    (declared,) = plist["UTExportedTypeDeclarations"]
    assert declared["UTTypeTagSpecification"]["public.mime-type"] == [tree.MIME]
    assert declared["UTTypeTagSpecification"]["public.filename-extension"] == ["attune-profile"]
    assert r"Software\Classes\.attune-profile" in script
    assert plistlib.loads((ROOT / "installer/macos/entitlements.plist").read_bytes())


def test_on_windows_everything_goes_to_the_owner_alone_and_data_stays_unless_asked() -> None:
    script = (ROOT / "installer/windows/attune.iss").read_text(encoding="utf-8")
    assert "PrivilegesRequired=lowest" in script
    assert "HKLM" not in script
    roots = re.findall(r"^Root: (\w+);", script, flags=re.MULTILINE)
    assert set(roots) == {"HKCU"}
    assert "not UninstallSilent" in script
    assert "MB_DEFBUTTON2, IDNO" in script


def test_the_version_resource_is_a_call_with_four_numbers() -> None:
    text = setup.version_resource("1.2.3")
    assert "filevers=(1, 2, 3, 0)" in text
    assert 'StringStruct("ProductVersion", "1.2.3")' in text
    compile(text, "version", "eval")


def test_an_icon_for_windows_holds_its_pictures_where_it_says() -> None:
    data = setup.icon({16: b"small", 256: b"large"})
    assert data[:6] == b"\0\0\1\0\2\0"
    for number, (width, picture) in enumerate(((16, b"small"), (0, b"large"))):
        entry = data[6 + 16 * number : 22 + 16 * number]
        length, place = int.from_bytes(entry[8:12], "little"), int.from_bytes(entry[12:], "little")
        assert entry[0] == width
        assert data[place : place + length] == picture


# The Debian package --------------------------------------------------------------------------


def test_the_package_says_what_it_needs() -> None:
    fields = dict(line.split(": ", 1) for line in deb.control(kilobytes=7).splitlines()
                  if not line.startswith(" "))  # fmt: skip
    assert fields["Package"] == "attune"
    assert fields["Version"] == __version__
    assert fields["Installed-Size"] == "7"
    depends = fields["Depends"].split(", ")
    assert depends[0] == "libc6 (>= 2.35)"
    assert {"libgl1", "libegl1", "libxcb1", "libwayland-client0", "fontconfig-config"} <= set(
        depends
    )
    assert any(each.startswith("fonts-dejavu-core |") for each in depends)
    assert len(depends) == len(set(depends))


def test_the_long_description_is_written_as_debian_wants_it() -> None:
    text = deb.control(kilobytes=7).partition("Description: ")[2]
    assert all(line.startswith(" ") and len(line) <= 81 for line in text.splitlines()[1:])
    assert all(line.strip() for line in text.splitlines())


def test_the_changelog_ends_with_who_and_when() -> None:
    text = deb.changelog(epoch=EPOCH)
    assert text.startswith(f"attune ({__version__}) ")
    assert text.endswith(">  Sat, 21 Nov 2026 09:34:10 +0000\n".replace("09:34:10", _time()))


def _time() -> str:
    asked = ("date", "--utc", "--date", f"@{EPOCH}", "+%H:%M:%S")
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


# The archive ---------------------------------------------------------------------------------


def test_the_head_of_the_archive_knows_where_it_ends_and_what_follows(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(b"not a tar")
    head = archive.head(packed)
    assert f"lines={len(head.splitlines()) + 1}\n" in head
    assert "@" not in head.replace("$@", "")
    assert f"Attune {__version__}" in head


def run_archive(
    tmp_path: Path, payload: bytes, *, damage: bool = False
) -> subprocess.CompletedProcess[str]:
    packed = tmp_path / "packed"
    packed.write_bytes(payload)
    text = archive.head(packed).encode()
    file = tmp_path / "attune.run"
    file.write_bytes(text + (payload[:-1] + b"?" if damage else payload))
    return subprocess.run(
        ["sh", str(file), "--prefix", str(tmp_path / "ein Ort")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def payload(tmp_path: Path) -> bytes:
    """A program that is a shell script, with the scripts that come along."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "attune").write_text("#!/bin/sh\necho here\n")
    for name in archive.SCRIPTS:
        (root / name).write_bytes((archive.HERE / name).read_bytes())
    for file in root.iterdir():
        file.chmod(0o755)
    entry = root / "share" / "applications" / f"{APP_ID}.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_bytes((SHARE / f"{APP_ID}.desktop").read_bytes())
    return archive.packed_tree(root, tmp_path / "p.tar").read_bytes()


def test_the_archive_installs_into_any_folder_twice_and_leaves_again(
    tmp_path: Path, payload: bytes
) -> None:
    prefix = tmp_path / "ein Ort"
    for _ in range(2):
        done = run_archive(tmp_path, payload)
        assert done.returncode == 0, done.stderr
    said = subprocess.run([prefix / "bin" / "attune"], capture_output=True, text=True, check=True)
    assert said.stdout == "here\n"
    entry = (prefix / "share" / "applications" / f"{APP_ID}.desktop").read_text(encoding="utf-8")
    assert f'Exec="{prefix}/lib/attune/attune" %f\n' in entry
    assert "TryExec" not in entry
    subprocess.run([prefix / "lib" / "attune" / "uninstall"], check=True, capture_output=True)
    assert [path for path in prefix.rglob("*") if path.is_file() and path.suffix != ".cache"] == []
    assert not (prefix / "lib").exists()


def test_a_damaged_archive_unpacks_nothing(tmp_path: Path, payload: bytes) -> None:
    done = run_archive(tmp_path, payload, damage=True)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not (tmp_path / "ein Ort").exists()


def test_a_folder_that_is_no_attune_is_left_alone(tmp_path: Path, payload: bytes) -> None:
    stranger = tmp_path / "ein Ort" / "lib" / "attune" / "mine"
    stranger.parent.mkdir(parents=True)
    stranger.touch()
    done = run_archive(tmp_path, payload)
    assert done.returncode == 1
    assert "is no Attune" in done.stderr
    assert [path.name for path in stranger.parent.parent.rglob("*")] == ["attune", "mine"]


def test_one_tree_packs_to_the_same_bytes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("b", "a"):
        (root / name).write_text(name)
    first = archive.packed_tree(root, tmp_path / "1.tar").read_bytes()
    assert archive.packed_tree(root, tmp_path / "2.tar").read_bytes() == first


# Licences ------------------------------------------------------------------------------------


def test_every_locked_requirement_that_is_installed_has_licence_and_text() -> None:
    found = {each.name: each for each in licences.packages()}
    assert {"pyside6-essentials", "numpy", "llama-cpp-python"} <= found.keys()
    for component in found.values():
        assert component.licence
        assert max(text.stat().st_size for text in component.texts) > 500
    assert [text.name for text in found["shiboken6"].texts] == ["LGPL-3.0.txt", "GPL-3.0.txt"]


def test_a_requirement_without_a_licence_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "locked", lambda: [("pytest", "9.2.0")])
    with pytest.raises(NoLicence, match=r"pytest 9\.2\.0"):
        list(licences.packages())


def test_a_library_that_no_package_holds_stops_the_build(tmp_path: Path) -> None:
    stranger = tmp_path / "libstrange.so"
    stranger.touch()
    with pytest.raises(NoLicence, match="libstrange"):
        list(licences._of_system([("libstrange.so", stranger)]))


def test_texts_and_lists_lie_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, text = tmp_path / "licences", tmp_path / "COPYING"
    text.write_text("Do what you like.")
    tool = Component(name="tool", version="2", licence="MIT", texts=(text, ROOT / "LICENSE"))
    monkeypatch.setattr(licences, "_tools", lambda: [tool])
    monkeypatch.setattr(licences, "packages", list)
    found = licences.collect(folder, libraries=[])
    listed = (folder / "LICENCES.md").read_text(encoding="utf-8")
    bill = json.loads((folder / "components.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert [each["name"] for each in bill["components"]] == [each.name for each in found]
    for each in found:
        assert f"| {each.name} | {each.version} | {each.licence} |" in listed
        assert any((folder / "texts" / each.name).iterdir())
    assert [each.name for each in found] == ["attune", "tool"]
    texts = sorted((folder / "texts" / "tool").iterdir())
    assert [file.name for file in texts] == ["1-LICENSE.txt", "COPYING.txt"]


def test_a_licence_that_only_the_text_tells_is_no_expression() -> None:
    part = Component(name="libx", version="1", licence="see text", texts=())
    (listed,) = json.loads(licences.bill([part]))["components"]
    assert listed["licenses"] == [{"license": {"name": "see text"}}]
