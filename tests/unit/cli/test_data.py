"""`attune data`, and a file in the place of a command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.api import OpenWindow
from tests.fixtures.profile_files import FULL
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.cli.conftest import Attune, Follow
from tests.unit.cli.records import have_voted


def files(data: Path) -> set[str]:
    return {path.name for path in data.rglob("*") if path.is_file()}


def test_show_says_what_is_kept_and_where(attune: Attune, data: Path) -> None:
    have_voted(data, "first", times=2)
    said = attune("data", "show")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    size = sum(path.stat().st_size for path in data.rglob("*"))
    assert lines[0] == f"Everything is in {data}, {size / 1000:.1f} kB."
    assert any(line.split()[:2] == ["2", "votes"] for line in lines)
    assert any(line.split() == ["0", "models", "that", "you", "added"] for line in lines)
    found = attune("data", "show", "--json").json
    assert found["folder"] == str(data)
    assert {part["kind"]: part["count"] for part in found["parts"]}["votes"] == 2


def test_what_cannot_be_read_is_said_below_its_line(attune: Attune, data: Path) -> None:
    (data / "chats.db").write_bytes(b"no database" * 100)
    lines = attune("data", "show").out.splitlines()
    assert lines[1].split()[:2] == ["?", "chats"]
    assert "is damaged" in lines[2]


def test_export_writes_everything_once(attune: Attune, data: Path, tmp_path: Path) -> None:
    have_voted(data, "first", times=1)
    said = attune("data", "export", tmp_path / "mine")
    assert said.out.startswith(f"Wrote {tmp_path / 'mine'}: 2 files, ")
    assert files(tmp_path / "mine") == {"profile.attune-profile", "settings.json"}
    again = attune("data", "export", tmp_path / "mine", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "input")


def test_erase_without_yes_only_says_what_it_would(attune: Attune, data: Path) -> None:
    have_voted(data, "first", times=1)
    (data / "notes.txt").write_text("mine")
    said = attune("data", "erase")
    assert said.code == 0
    assert str(data / "record.db") in said.out
    assert f"stays  {data / 'notes.txt'}: Attune did not make it" in said.out
    assert said.out.splitlines()[-2].startswith("That is 2 files, ")
    assert "Nothing was erased" in said.out
    found = attune("data", "erase", "--json").json
    assert [Path(file["path"]).name for file in found["files"]] == ["record.db", "settings.json"]
    assert files(data) == {"record.db", "settings.json", "notes.txt"}


def test_erase_with_yes_does_it_and_prints_the_receipt(attune: Attune, data: Path) -> None:
    have_voted(data, "first", times=1)
    said = attune("data", "erase", "--yes")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Attune erased 2 files, ")
    assert files(data) == set()
    empty = attune("data", "erase", "--yes", "--json").json
    assert (empty["erased"], empty["failed"], empty["stays"]) == ([], [], [])


def test_what_cannot_be_erased_is_an_error_beside_the_receipt(
    attune: Attune, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "unlink", refuse)
    said = attune("data", "erase", "--yes", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "storage"
    assert said.json["failed"][0]["path"] == str(data / "settings.json")


@pytest.mark.skipif(sys.platform == "win32", reason="the lock is another one there")
def test_nothing_is_erased_beneath_an_open_window(attune: Attune, data: Path) -> None:
    import fcntl

    with (data / "window.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = attune("data", "erase", "--yes")
    assert (said.code, "window is open" in said.err) == (1, True)
    assert "settings.json" in files(data)


# A file in the place of a command -----------------------------------------------------------


@pytest.fixture
def opened() -> list[OpenWindow]:
    return []


@pytest.mark.parametrize("name", ["mine.gguf", "mine.attune-profile"])
def test_a_file_is_handed_to_the_window(
    attune: Attune, opened: list[OpenWindow], tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(b"?")

    def open_window(request: OpenWindow) -> int:
        opened.append(request)
        return 0

    assert attune(file, "--data-dir", tmp_path, open_window=open_window).code == 0
    assert opened == [OpenWindow(data_dir=tmp_path, files=(str(file),))]
    assert attune(open_window=open_window).code == 0
    assert opened[1].files == ()


@pytest.mark.parametrize(
    ("name", "code"), [("missing.gguf", 1), ("chats.json", 2), ("folder.gguf", 1)]
)
def test_anything_else_is_no_command(attune: Attune, tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "chats.json").write_text("[]")
    (tmp_path / "folder.gguf").mkdir()
    assert attune(tmp_path / name, open_window=lambda _: 0).code == code


def test_without_a_display_a_profile_is_looked_at(attune: Attune, data: Path) -> None:
    said = attune(FULL, open_window=lambda _: 0, has_display=lambda: False)
    assert said.code == 0
    assert said.err == (
        "There is no display for the window. This is what the profile would change.\n"
    )
    assert said.out == attune("profile", "import", FULL, "--dry-run").out
    assert said.out.endswith("Nothing was changed; without --dry-run it is.\n")


def test_without_a_display_a_model_chats(attune: Attune, tmp_path: Path, follow: Follow) -> None:
    model = write_tiny_llama(tmp_path / "mine.gguf", seed=3)
    said = attune(model, open_window=lambda _: 0, has_display=lambda: False)
    assert said.code == 0
    assert "mine" in said.err
