"""Choosing which model answers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.desk import Desk


def open_model(desk: Desk, *, parent: QWidget) -> None:
    """Let the owner pick a GGUF file, then answer with it."""
    title = QCoreApplication.translate("Models", "Open a model")
    kinds = QCoreApplication.translate("Models", "Models (*.gguf);;All files (*)")
    name, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    if name:
        add_model(desk, Path(name))


def add_model(desk: Desk, path: Path) -> None:
    desk.add_model(path)


def choose_model(desk: Desk, model: str) -> None:
    desk.choose(model)
