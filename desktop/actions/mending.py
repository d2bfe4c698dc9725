"""Going on where something is wrong."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices

from desktop.actions import chat
from desktop.desk import Desk
from desktop.languages import tr


def copy_diagnostics(desk: Desk, *, told: Callable[[str], object]) -> None:
    """Put what a report of a mistake should hold on the clipboard, and tell what that is."""

    def heard(text: object) -> None:
        chat.copy(str(text))
        told(tr("Copied: versions, the system, the log. No texts of yours."))

    desk.report((("Qt", str(qVersion())),), heard)


def open_log_folder(desk: Desk, *, told: Callable[[str], object]) -> None:
    """Show the folder of the log; where it is not there, or nothing here can show it, its name is
    told."""
    folder = desk.engine.log_dir
    if not (folder.is_dir() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))):
        told(tr("The log is in {0}.").format(folder))


def use_starter(desk: Desk) -> None:
    """Answer with the starter model from now on."""
    starter = next((card.id for card in desk.loading.cards if card.starter), "")
    if starter:
        desk.choose(starter)
