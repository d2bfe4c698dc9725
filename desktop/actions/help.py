"""Telling what there is."""

from __future__ import annotations

import platform
from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication, Qt, qVersion
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox, QWidget

from desktop.widgets.shortcut_list import ShortcutList
from engine.api import __version__


def show_shortcuts(groups: Iterable[tuple[str, list[QAction]]], *, parent: QWidget) -> None:
    ShortcutList(groups, parent=parent).exec()


def show_about(*, parent: QWidget) -> None:
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(QCoreApplication.translate("About", "About Attune"))
    box.setText(f"Attune {__version__}")
    box.setInformativeText(
        QCoreApplication.translate(
            "About",
            "Answers with a model on this computer, steered to how you like to be answered.\n\n"
            "Qt {0}, used under the LGPL · Python {1}\nApache License 2.0",
        ).format(qVersion(), platform.python_version())
    )
    box.exec()
