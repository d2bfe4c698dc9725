"""Getting models, taking them in, verifying and removing them, and working offline."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from desktop import models as words
from desktop.desk import Desk
from desktop.fetching import Check, Get, GetFile, TakeIn
from desktop.languages import tr
from engine.api import FoundModel, InstalledModel, RecommendedModel


def get(desk: Desk, model: RecommendedModel) -> None:
    """Download it, or go on where that was stopped."""
    desk.fetching.begin(Get(model=model))


def get_file(desk: Desk, repository: str, file: str) -> None:
    """Download a file that the owner named, or go on where that was stopped."""
    desk.fetching.begin(GetFile(repository=repository, file=file))


def use_from_there(desk: Desk, model: FoundModel) -> None:
    """Take in a file where another program has it."""
    desk.fetching.begin(TakeIn(path=Path(model.path), found=model))


def add_file(desk: Desk, *, parent: QWidget) -> None:
    """Let the owner pick a GGUF file, and take it in where it is."""
    kinds = tr("Models (*.gguf);;All files (*)")
    name, _ = QFileDialog.getOpenFileName(parent, tr("Add a model"), "", kinds)
    if name:
        desk.fetching.begin(TakeIn(path=Path(name)))


def verify(desk: Desk, model: InstalledModel) -> None:
    """Hash its files again."""
    desk.fetching.begin(Check(model=model))


def stop(desk: Desk) -> None:
    """End what is under way; what came of a download is kept."""
    desk.fetching.cancel()


def set_offline(desk: Desk, offline: bool) -> None:
    """Never start the download program, or only when asked; one that runs is ended."""
    if offline:
        end_download(desk)
    desk.remember(offline=offline)


def end_download(desk: Desk) -> None:
    """Attune is to be offline: end the download that is under way; what came of it is kept."""
    if desk.fetching.downloads:
        desk.fetching.cancel()


def remove(desk: Desk, model: InstalledModel, *, parent: QWidget) -> None:
    """Take it off the list, and delete what was downloaded, once the owner has agreed."""
    if _agreed(model, parent):
        desk.library.remove(model)


def _agreed(model: InstalledModel, parent: QWidget) -> bool:
    asked, told = words.removing(model)
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(tr("Remove it?"))
    box.setText(asked)
    box.setInformativeText(told)
    leave = box.addButton(QMessageBox.StandardButton.Cancel)
    go = box.addButton(
        tr("Delete it") if model.deletes else tr("Remove"),
        QMessageBox.ButtonRole.DestructiveRole,
    )
    box.setDefaultButton(leave)
    box.exec()
    return box.clickedButton() is go
