"""Training, merging, and what becomes of what was made."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from desktop.crafting import Merge, Training
from desktop.desk import Desk
from desktop.languages import tr
from desktop.prose import brief
from engine.api import Made, MergeMethod, ModelCard, Objective


def train(desk: Desk, pole: Objective, base: ModelCard) -> None:
    """Train an adapter, or go on where it was stopped."""
    desk.crafting.begin(Training(pole=pole, base=base))


def merge(desk: Desk, base: ModelCard, members: tuple[str, ...], method: MergeMethod) -> None:
    """Merge these files, or go on where that was stopped."""
    desk.crafting.begin(Merge(base=base, members=members, method=method))


def stop(desk: Desk) -> None:
    """End what is being made; what was learned is kept."""
    desk.crafting.cancel()


def pick_files(*, parent: QWidget) -> list[str]:
    """Let the owner pick files to merge; returns their paths."""
    title = tr("Add files to merge")
    kinds = tr("Adapters and models (*.gguf *.safetensors);;All files (*)")
    names, _ = QFileDialog.getOpenFileNames(parent, title, "", kinds)
    return [str(Path(name)) for name in names]


def add_to_models(desk: Desk, made: Made) -> None:
    desk.shelf.add(made)


def take_out(desk: Desk, made: Made) -> None:
    """It is none of the owner's models any more; its file stays."""
    desk.shelf.take_out(made)


def show_in_folder(made: Made) -> bool:
    """Open the folder that its file is in. False where nothing on this computer can."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(made.path).parent)))


def remove(desk: Desk, made: Made, *, parent: QWidget) -> None:
    """Delete its file, once the owner has agreed."""
    if _agreed(made, parent):
        desk.shelf.remove(made)


def _agreed(made: Made, parent: QWidget) -> bool:
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(tr("Remove it?"))
    box.setText(tr("Remove {0}?").format(brief(made.name)))
    box.setInformativeText(
        tr("The file is deleted, and what is known of it. That cannot be undone.")
    )
    leave = box.addButton(QMessageBox.StandardButton.Cancel)
    go = box.addButton(tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(leave)
    box.exec()
    return box.clickedButton() is go
