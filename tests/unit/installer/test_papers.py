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
from installer import build as building
from installer import licences
from installer.contents import ROOT
from installer.licences import Component, NoLicence
from installer.linux import deb, tree
from installer.macos import image
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


def test_on_windows_nothing_of_it_stays_in_the_registry() -> None:
    script = (ROOT / "installer/windows/attune.iss").read_text(encoding="utf-8")
    entries = re.findall(r'^Root: HKCU; Subkey: "([^"]+)".*$', script, flags=re.MULTILINE)
    flags = dict(re.findall(r'^Root: HKCU; Subkey: "([^"]+)".*Flags: (.*)$', script, re.MULTILINE))
    emptied = {key for key, how in flags.items() if "uninsdeletekey" in how}
    classes = [key for key in entries if key != "Environment"]
    assert len(classes) > 5
    for key in classes:
        parts = key.split("\\")
        assert any("\\".join(parts[:length]) in emptied for length in range(3, len(parts) + 1)), key
    assert r"Software\Classes\.gguf\OpenWithList" in emptied
    assert "ChangesEnvironment=yes" in script


def test_what_signs_on_windows_is_told_to_inno_setup_in_its_own_writing() -> None:
    assert setup.signing("") == []
    command = 'signtool sign /n "My Name" /d $x'
    told = "/Sattune=signtool sign /n $qMy Name$q /d $$x $f"
    assert setup.signing(command) == ["/DSigned", told]
    script = (ROOT / "installer/windows/attune.iss").read_text(encoding="utf-8")
    assert "#ifdef Signed\n" in script
    assert "SignTool=attune\n" in script


def test_a_command_that_signs_may_have_spaces_and_backslashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(building, "run", lambda command, otherwise: ran.append(command))
    monkeypatch.setenv("ATTUNE_SIGN", r'"C:\Program Files\signtool.exe" sign /n "My Name"')
    setup.sign([Path("a.dll")])
    assert ran == [[r"C:\Program Files\signtool.exe", "sign", "/n", "My Name", "a.dll"]]
    monkeypatch.delenv("ATTUNE_SIGN")
    setup.sign([Path("b.dll")])
    assert len(ran) == 1


def test_on_macos_all_code_is_signed_before_what_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "Attune.app" / "Contents"
    qt = inside / "Frameworks/PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore"
    files = {
        qt: b"\xca\xfe\xba\xbe",
        inside / "Frameworks/Python": b"\xcf\xfa\xed\xfe",
        inside / "Frameworks/numpy/core.so": b"\xcf\xfa\xed\xfe",
        inside / "Resources/starter.gguf": b"GGUF",
        inside / "MacOS/attune": b"\xcf\xfa\xed\xfe",
        inside / "Helpers/Other.app/Contents/MacOS/other": b"\xcf\xfa\xed\xfe",
        inside / "Helpers/Other.app/Contents/Frameworks/libz.dylib": b"\xcf\xfa\xed\xfe",
    }
    for file, data in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (inside / "Frameworks/QtCore").symlink_to(qt)
    ran: list[list[str]] = []
    monkeypatch.setattr(building, "run", lambda command, otherwise: ran.append(command))
    image.sign(tmp_path / "Attune.app", "Developer ID Application: Somebody")
    signed = [Path(command[-1]).name for command in ran if "--sign" in command]
    assert signed == ["QtCore", "core.so", "Python", "Attune.app"]
    assert all("--timestamp" in command for command in ran if "--sign" in command)


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


def test_the_version_is_three_numbers_which_every_system_can_compare() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_checksums_are_lines_as_sha256sum_reads_them(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    building.write_checksums(tmp_path, [tmp_path / "b", tmp_path / "a"])
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "a: OK\nb: OK\n"


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


def test_the_maintainers_address_is_no_strangers() -> None:
    # Until there is one that somebody reads, it is of the domain that is nobody's (RFC 2606).
    assert deb.MAINTAINER.endswith(".invalid>")


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


# Licences ------------------------------------------------------------------------------------


def test_every_locked_requirement_that_is_installed_has_licence_and_text() -> None:
    found = {each.name: each for each in licences.packages()}
    assert {"pyside6-essentials", "numpy", "llama-cpp-python"} <= found.keys()
    for component in found.values():
        assert component.licence
        assert max(text.stat().st_size for text in component.texts) > 500
    assert [text.name for text in found["shiboken6"].texts] == ["LGPL-3.0.txt", "GPL-3.0.txt"]


def test_what_qt_brings_of_others_is_told_with_its_texts() -> None:
    texts = licences.TEXTS
    assert set(licences.GIVEN["pyside6-essentials"]) >= {"qt-third-party.txt", "icu.txt"}
    told = (texts / "qt-third-party.txt").read_text(encoding="utf-8")
    for name in ("HarfBuzz", "PCRE2", "libpng", "LibJPEG-turbo", "MD4C", "zlib", "Wayland"):
        assert name.lower() in told.lower(), name
    assert "based in part on the work of the Independent JPEG Group" in told  # as it asks for
    numbers = {int(each) for line in re.findall(r"; text ([\d, ]+)$", told, re.MULTILINE)
               for each in line.split(", ")}  # fmt: skip
    there = [int(each) for each in re.findall(r"^Text (\d+)$", told, re.MULTILINE)]
    assert sorted(numbers) == there == list(range(1, len(there) + 1))


def test_every_text_that_is_given_is_there_and_for_something_inside() -> None:
    inside = {name for name, _ in licences.locked()} | {"llama.cpp", "python"}
    assert licences.GIVEN.keys() <= inside
    given = {name for names in licences.GIVEN.values() for name in names}
    assert given == {file.name for file in licences.TEXTS.iterdir()}


def test_a_text_that_another_refers_to_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = tmp_path / "common-licenses"
    common.mkdir()
    (common / "LGPL-2.1").write_text("the whole text")
    monkeypatch.setattr(licences, "_COMMON", str(common))
    text = tmp_path / "copyright"
    text.write_text(f"See {common}/LGPL-2.1.\nAnd {common}/LGPL-2.1, again.")
    tool = Component(name="libx", version="1", licence="see text", texts=(text,))
    monkeypatch.setattr(licences, "_tools", lambda: [tool])
    monkeypatch.setattr(licences, "packages", list)
    licences.collect(tmp_path / "licences", libraries=[])
    copied = tmp_path / "licences" / "texts" / "common-licenses" / "LGPL-2.1.txt"
    assert copied.read_text() == "the whole text"
    text.write_text(f"See {common}/GPL-9.")
    with pytest.raises(NoLicence, match="GPL-9"):
        licences.collect(tmp_path / "again", libraries=[])


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
