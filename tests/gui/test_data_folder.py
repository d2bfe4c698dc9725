"""A data folder that cannot be used at the start: its owner is asked, and can go on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from desktop import data_folder
from desktop.data_folder import Home, Way, settle
from desktop.doorbell import move_in
from engine.api import StorageError
from tests.gui.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.usefixtures("qapp")


class Owner:
    """Says what is on the list, and remembers what was told."""

    def __init__(self, *ways: Way, folder: Path | None = None) -> None:
        self.ways, self.folder = list(ways), folder
        self.told: list[str] = []

    def ask(self, sentence: str) -> Way:
        self.told.append(sentence)
        return self.ways.pop(0)

    def choose(self) -> Path | None:
        return self.folder


Settle = Callable[..., Home]


@pytest.fixture
def settled() -> Iterator[Settle]:
    """Settles an owner where folders named "bad" cannot be used."""
    homes: list[Home] = []
    with ExitStack() as until_end:

        def make(folder: Path | None) -> ScriptedEngine:
            assert folder is not None
            if folder.name == "bad":
                raise StorageError("The data folder cannot be used.")
            return ScriptedEngine(folder)

        def run(owner: Owner, folder: Path) -> Home:
            home = settle(
                folder, make=make, ask=owner.ask, choose=owner.choose, until_end=until_end
            )
            homes.append(home)
            return home

        yield run
        for home in homes:
            home.engine.close()
            if home.bell is not None:
                home.bell.close()


def test_a_good_folder_is_nobodys_question(settled: Settle, tmp_path: Path) -> None:
    owner = Owner()
    home = settled(owner, tmp_path)
    assert (owner.told, home.engine.data_dir, home.temporary) == ([], tmp_path, False)
    assert home.bell is not None


def test_who_leaves_leaves(settled: Settle, tmp_path: Path) -> None:
    owner = Owner("again", "leave")
    with pytest.raises(StorageError):
        settled(owner, tmp_path / "bad")
    assert owner.told == ["The data folder cannot be used."] * 2


def test_another_folder_can_be_chosen(settled: Settle, tmp_path: Path) -> None:
    home = settled(Owner("another", folder=tmp_path), tmp_path / "bad")
    assert (home.engine.data_dir, home.temporary) == (tmp_path, False)


def test_who_chooses_none_is_asked_again(settled: Settle, tmp_path: Path) -> None:
    owner = Owner("another", "leave")
    with pytest.raises(StorageError):
        settled(owner, tmp_path / "bad")
    assert len(owner.told) == 2


def test_a_temporary_folder_is_gone_at_the_end(tmp_path: Path) -> None:
    owner = Owner("temporary")

    def make(folder: Path | None) -> ScriptedEngine:
        if folder == tmp_path / "bad":
            raise StorageError("No.")
        assert folder is not None
        return ScriptedEngine(folder)

    with ExitStack() as until_end:
        home = settle(
            tmp_path / "bad", make=make, ask=owner.ask, choose=owner.choose, until_end=until_end
        )
        place = home.engine.data_dir
        assert home.temporary
        assert place.is_dir()
        home.engine.close()
        assert home.bell is not None
        home.bell.close()
    assert not place.exists()


def test_where_there_is_no_room_for_that_either_it_is_said(
    settled: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    owner = Owner("temporary", "leave")
    with pytest.raises(StorageError):
        settled(owner, tmp_path / "bad")
    assert "no room for a temporary folder either (No space left on device)" in owner.told[1]


def test_a_folder_that_takes_no_lock_is_asked_about_like_any_other(
    settled: Settle, tmp_path: Path
) -> None:
    (tmp_path / "rings").write_text("in the way")
    owner = Owner("another", folder=tmp_path / "other")
    (tmp_path / "other").mkdir()
    home = settled(owner, tmp_path)
    assert home.engine.data_dir == tmp_path / "other"
    assert "cannot be used" in owner.told[0]


def test_where_a_window_is_open_already_there_is_no_bell(settled: Settle, tmp_path: Path) -> None:
    first = move_in(tmp_path)
    assert first is not None
    home = settled(Owner(), tmp_path)
    assert home.bell is None
    first.close()


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("Try again", "again"), ("Choose another folder…", "another"),
        ("Use a temporary folder", "temporary"), ("Quit", "leave"),
    ],
)  # fmt: skip
def test_the_box_offers_every_way_on(text: str, way: Way) -> None:
    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert box.text() == "It is broken."
        {button.text(): button for button in box.findChildren(QPushButton)}[text].click()

    QTimer.singleShot(0, press)
    assert data_folder.ask("It is broken.") == way
