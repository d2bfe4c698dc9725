"""Opening a link that a model wrote: only after its owner has read where it leads."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget


def open_link(address: str, *, parent: QWidget) -> None:
    """Show the whole address as plain text and ask."""
    url = QUrl(address)
    if url.scheme() not in ("http", "https"):
        return
    if _agreed(encoded(url), parent):
        QDesktopServices.openUrl(url)


def encoded(url: QUrl) -> str:
    """The address in ASCII, so that no letter of it looks like another."""
    return bytes(url.toEncoded().data()).decode("ascii", "replace")


def _agreed(address: str, parent: QWidget) -> bool:
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(QCoreApplication.translate("Links", "Open in the browser?"))
    box.setText(
        QCoreApplication.translate("Links", "This link was written by the model. It leads to:")
    )
    # Broken up so that a long address is shown whole instead of widening the box.
    rows = [address[at : at + 72] for at in range(0, len(address), 72)]
    box.setInformativeText("\n".join(rows))
    leave = box.addButton(QMessageBox.StandardButton.Cancel)
    go = box.addButton(
        QCoreApplication.translate("Links", "Open"), QMessageBox.ButtonRole.AcceptRole
    )
    box.setDefaultButton(leave)
    box.exec()
    return box.clickedButton() is go
