"""All data at once: looked at, taken out, put back, erased."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from desktop import data as words
from desktop.desk import Desk
from desktop.languages import tr
from engine.api import Backup, Receipt


def open_folder(desk: Desk) -> bool:
    """Show the data folder. False where nothing on this computer can."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(desk.engine.data_dir)))


def export(desk: Desk, *, today: date, parent: QWidget) -> None:
    """Write everything where the owner wants it."""
    name = str(Path.home() / f"attune-{today:%Y-%m-%d}.zip")
    kinds = tr("Zip files (*.zip);;Folders (*)")
    # Nothing is ever written over: to ask whether it may be would promise the opposite.
    how = QFileDialog.Option.DontConfirmOverwrite
    path, _ = QFileDialog.getSaveFileName(parent, tr("Export everything"), name, kinds, options=how)
    if path:
        desk.keeping.export(Path(path))


def check(desk: Desk) -> None:
    """Look for damage."""
    desk.keeping.check()


def restore(desk: Desk, backup: Backup, *, parent: QWidget) -> None:
    """Put a copy in the place of its file, once the owner has agreed."""
    asked, done = words.restoring(backup)
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(tr("Put a copy back?"))
    box.setText(asked)
    box.setInformativeText(done)
    leave = box.addButton(QMessageBox.StandardButton.Cancel)
    go = box.addButton(tr("Restore"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(leave)
    box.exec()
    if box.clickedButton() is go:
        desk.keeping.restore(backup)


def erase(desk: Desk) -> bool:
    """Erase everything. False while something is being measured, made or fetched."""
    if desk.building.busy or desk.crafting.busy or desk.fetching.busy:
        return False
    desk.erase()
    return True


def save_receipt(desk: Desk, receipt: Receipt, *, parent: QWidget) -> None:
    """Write it where the owner wants it."""
    name = str(Path.home() / "attune-receipt.txt")
    path, _ = QFileDialog.getSaveFileName(
        parent, tr("Save receipt"), name, tr("Text files (*.txt)")
    )
    if path:
        desk.keeping.save_receipt(receipt, Path(path))
