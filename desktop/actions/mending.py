"""Going on where something is wrong."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from desktop.desk import Desk


def open_log_folder(desk: Desk) -> bool:
    """Show the folder of the log. False where it is not there, or nothing here can show it."""
    folder = desk.engine.log_dir
    return folder.is_dir() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def use_starter(desk: Desk) -> None:
    """Answer with the starter model from now on."""
    starter = next((card.id for card in desk.loading.cards if card.starter), "")
    if starter:
        desk.choose(starter)
