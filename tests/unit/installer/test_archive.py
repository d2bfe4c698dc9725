"""The file that installs without root: whole or not at all, and nothing is left when it goes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.app import APP_ID
from engine.version import __version__
from installer.linux import archive, tree

WORKS = "#!/bin/sh\necho here\n"


class Place:
    """A prefix with a space in its name, and what is done there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "ein Ort"
        self.program = self.prefix / "lib" / "attune"
        self.command = self.prefix / "bin" / "attune"

    def archive(self, program: str | Path = WORKS, *, damage: bool = False) -> Path:
        """An archive of a program, which is the text of a script or a file to copy."""
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        entry = root / "share" / "applications" / f"{APP_ID}.desktop"
        entry.parent.mkdir(parents=True)
        shutil.copyfile(tree.SOURCES / entry.name, entry)
        if isinstance(program, Path):
            shutil.copyfile(program, root / "attune")
        else:
            (root / "attune").write_text(program)
        for name in archive.SCRIPTS:
            shutil.copyfile(archive.HERE / name, root / name)
        for name in ("attune", *archive.SCRIPTS):
            (root / name).chmod(0o755)
        packed = archive.packed_tree(root, self.folder / "packed.tar")
        data = packed.read_bytes()
        file = self.folder / "attune.run"
        file.write_bytes(archive.head(packed).encode() + (data[:-1] + b"?" if damage else data))
        return file

    def install(self, file: Path) -> subprocess.CompletedProcess[str]:
        return self.run("sh", str(file), "--prefix", str(self.prefix))

    def uninstall(self) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.program / "uninstall"))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        variables = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        return subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=60
        )

    def files(self) -> list[str]:
        """What lies below the prefix, folders aside."""
        found = (path for path in self.prefix.rglob("*") if not path.is_dir())
        return sorted(str(path.relative_to(self.prefix)) for path in found)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_head_knows_where_it_ends_and_what_follows(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(b"not a tar")
    head = archive.head(packed)
    assert f"lines={len(head.splitlines()) + 1}\n" in head
    assert "@" not in head.replace("$@", "")
    assert f"Attune {__version__}" in head


def test_it_installs_into_any_folder_twice_and_leaves_again(place: Place) -> None:
    file = place.archive()
    for _ in range(2):
        done = place.install(file)
        assert done.returncode == 0, done.stderr
        assert f"Start it with: {place.command}" in done.stdout
    assert place.run(str(place.command)).stdout == "here\n"
    entry = place.prefix / "share" / "applications" / f"{APP_ID}.desktop"
    text = entry.read_text(encoding="utf-8")
    assert f'Exec="{place.program}/attune" %f\n' in text
    assert "TryExec" not in text
    assert place.uninstall().returncode == 0
    assert list(place.prefix.iterdir()) == []


def test_lists_that_the_desktop_made_go_with_the_last_entry(place: Place) -> None:
    place.install(place.archive())
    lists = [
        place.prefix / "share" / name for name in ("mime/mime.cache", "applications/mimeinfo.cache")
    ]
    for each in lists:
        each.parent.mkdir(exist_ok=True)
        each.touch()
    place.uninstall()
    assert list(place.prefix.iterdir()) == []


def test_what_others_put_beside_it_stays(place: Place) -> None:
    place.install(place.archive())
    others = (
        "bin/other",
        "lib/other",
        "share/applications/other.desktop",
        "share/applications/mimeinfo.cache",
        "share/mime/packages/other.xml",
        "share/mime/mime.cache",
    )
    for name in others:
        (place.prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (place.prefix / name).touch()
    place.uninstall()
    assert set(others) <= set(place.files())
    assert not any("attune" in name.lower() for name in place.files())


def test_another_program_of_the_same_name_is_left_alone(place: Place) -> None:
    place.command.parent.mkdir(parents=True)
    place.command.write_text("mine")
    done = place.install(place.archive())
    assert done.returncode == 0
    assert f"{place.command} is another program" in done.stdout
    place.uninstall()
    assert place.files() == ["bin/attune"]
    assert place.command.read_text() == "mine"


def test_what_is_the_owners_is_named_when_it_stays(place: Place) -> None:
    place.install(place.archive())
    data = place.folder / ".local" / "share" / "attune"
    data.mkdir(parents=True)
    assert f"What is yours stays in {data}\n" in place.uninstall().stdout
    assert data.is_dir()


def test_a_damaged_archive_unpacks_nothing(place: Place) -> None:
    done = place.install(place.archive(damage=True))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not place.prefix.exists()


def test_a_folder_that_is_no_attune_is_left_alone(place: Place) -> None:
    place.program.mkdir(parents=True)
    (place.program / "mine").touch()
    done = place.install(place.archive())
    assert done.returncode == 1
    assert "is no Attune" in done.stderr
    assert place.files() == ["lib/attune/mine"]


def test_a_program_that_does_not_run_here_replaces_nothing(place: Place) -> None:
    place.install(place.archive())
    before = place.files()
    done = place.install(place.archive("#!/bin/sh\necho too old >&2\nexit 1\n"))
    assert done.returncode == 1
    assert "too old\nAttune does not run in" in done.stderr
    assert place.files() == before
    assert place.run(str(place.command)).stdout == "here\n"


def test_who_stops_it_half_way_finds_nothing_left(place: Place) -> None:
    file = place.archive('#!/bin/sh\n: > "$0.started"\nexec sleep 60\n')
    command = ("sh", str(file), "--prefix", str(place.prefix))
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        _wait_for(place.prefix / "lib", "attune.*/attune.started")
        os.killpg(process.pid, signal.SIGTERM)
    assert process.returncode != 0
    assert place.files() == []
    assert list((place.prefix / "lib").iterdir()) == []


def test_who_stops_it_while_the_older_one_makes_way_has_the_newer_one(place: Place) -> None:
    file = place.archive()
    place.install(file)
    script = '#!/bin/sh\nkill -TERM $PPID\nrm -rf "$(dirname "$0")"\n'
    (place.program / "uninstall").write_text(script)
    assert place.install(file).returncode == 0
    assert place.run(str(place.command)).stdout == "here\n"


def test_nothing_of_it_is_open_when_it_goes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a file system on a network has it: the name of an open file stays until it is closed.
    file, stub = place.archive(), place.folder / "stubs" / "rm"
    place.install(file)
    stub.parent.mkdir()
    stub.write_text(
        "#!/bin/sh\nfor each in /proc/$PPID/fd/*; do\n"
        f'    case $(readlink "$each") in "{place.program}"/*) exit 1 ;; esac\n'
        f'done\nexec {shutil.which("rm")} "$@"\n'
    )
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}:{os.environ['PATH']}")
    assert place.install(file).returncode == 0
    assert place.uninstall().returncode == 0
    assert list(place.prefix.iterdir()) == []


def _wait_for(folder: Path, pattern: str) -> None:
    until = time.monotonic() + 30
    while not list(folder.glob(pattern)):
        assert time.monotonic() < until, f"{pattern} did not come"


@pytest.fixture
def running(place: Place) -> Iterator[Path]:
    """An installed program that runs; what it was installed from."""
    file = place.archive(Path(shutil.which("sleep") or ""))
    done = place.install(file)
    assert done.returncode == 0, done.stderr
    with subprocess.Popen([place.program / "attune", "60"]) as process:
        yield file
        process.terminate()


def test_while_it_runs_it_is_neither_replaced_nor_removed(place: Place, running: Path) -> None:
    before = place.files()
    for done in (place.install(running), place.uninstall()):
        assert done.returncode == 1
        assert "Attune is running. Close it" in done.stderr
    assert place.files() == before
    assert [path.name for path in (place.prefix / "lib").iterdir()] == ["attune"]


def test_one_tree_packs_to_the_same_bytes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("b", "a"):
        (root / name).write_text(name)
    first = archive.packed_tree(root, tmp_path / "1.tar").read_bytes()
    assert archive.packed_tree(root, tmp_path / "2.tar").read_bytes() == first
