"""Where the owner's things live."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import platformdirs
import pytest

from engine import paths
from engine.errors import StorageError
from engine.paths import LOGS, VARIABLE, DataFolder, beside_program, data_folder, log_folder


@pytest.fixture(autouse=True)
def nothing_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, and the platform's place in a folder of the test's own."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(
        platformdirs, "user_data_path", lambda *_args, **_options: tmp_path / "platform"
    )


def test_files_stand_in_the_folder_by_name(tmp_path: Path) -> None:
    folder = DataFolder(root=tmp_path)
    assert folder.settings == tmp_path / "settings.json"
    assert folder.models == tmp_path / "models.json"
    assert folder.record == tmp_path / "record.db"
    assert folder.calibration == tmp_path / "calibration.db"


def test_the_platforms_place_is_the_default(tmp_path: Path) -> None:
    assert data_folder().root == tmp_path / "platform"
    assert (tmp_path / "platform").is_dir()


def test_the_variable_comes_before_the_platforms_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert data_folder().root == tmp_path / "named"


def test_the_command_line_comes_before_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert data_folder(tmp_path / "chosen").root == tmp_path / "chosen"
    assert not (tmp_path / "named").exists()


def test_an_empty_variable_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert data_folder().root == tmp_path / "platform"


def test_the_folder_is_made_with_all_above_it_and_found_again(tmp_path: Path) -> None:
    wanted = tmp_path / "with space" / "数据" / "here"
    assert data_folder(wanted).root == wanted
    (wanted / "kept").touch()
    assert data_folder(wanted).root == wanted
    assert (wanted / "kept").exists()


def test_a_new_folder_outlives_a_power_cut_with_what_is_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def sync(folder: Path) -> None:
        synced.append(folder)
        if folder == tmp_path.parent:
            raise PermissionError(13, "Permission denied")  # older, and not its owner's

    monkeypatch.setattr(paths, "sync_folder", sync)
    (tmp_path / "new" / "here" / "logs").mkdir(parents=True)  # a log may be the first to be there
    root = data_folder(tmp_path / "new" / "here").root
    assert synced[:2] == [tmp_path / "new", tmp_path]
    assert synced == list(root.parents)
    synced.clear()
    (root / "record.db").touch()
    data_folder(root)
    assert synced == []


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_new_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    root = data_folder(tmp_path / "new").root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_relative_folder_is_taken_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder(Path("here")).root == tmp_path / "here"


def test_a_tilde_is_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert data_folder(Path("~/attune")).root == tmp_path / "attune"


def refused(chosen: Path) -> str:
    with pytest.raises(StorageError) as caught:
        data_folder(chosen)
    assert str(chosen) in caught.value.message
    assert "--data-dir" in caught.value.message
    assert ".)" not in caught.value.message
    return caught.value.message


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file")
    refused(tmp_path / "file" / "below")


def test_a_home_that_nobody_has_is_named() -> None:
    refused(Path("~nobody-has-this-name") / "attune")


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_args: False)
    assert "it cannot be written" in refused(tmp_path)


@pytest.mark.parametrize(
    ("program", "place"),
    [
        ("stick/attune/attune", "stick/attune"),
        ("stick/lib/attune/attune", "stick"),
        ("stick/Attune.app/Contents/MacOS/attune", "stick"),
    ],
)
def test_a_folder_beside_an_installed_program_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, place: str
) -> None:
    installed(tmp_path / program, monkeypatch)
    assert data_folder().root == tmp_path / "platform"
    wanted = tmp_path / place / "attune-data"
    wanted.mkdir()
    assert beside_program() == data_folder().root == wanted
    assert log_folder() == wanted / LOGS
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert data_folder().root == tmp_path / "named"
    assert data_folder(tmp_path / "chosen").root == tmp_path / "chosen"
    assert log_folder() == tmp_path / "named" / LOGS


def test_only_a_folder_counts_and_only_where_an_update_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "lib" / "attune" / "attune"
    installed(program, monkeypatch)
    (program.parent / "attune-data").mkdir()
    (tmp_path / "attune-data").touch()
    assert data_folder().root == tmp_path / "platform"


def test_from_source_nothing_beside_python_is_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "attune", monkeypatch)
    (tmp_path / "attune-data").mkdir()
    monkeypatch.delattr(sys, "frozen")
    assert data_folder().root == tmp_path / "platform"


def installed(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were the frozen program."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
