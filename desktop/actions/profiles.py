"""Profile files: picked, looked at, taken in, written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from desktop import differences
from desktop.actions.chats import agreed
from desktop.desk import Desk
from desktop.languages import tr
from desktop.profile_files import SUFFIX, Looked
from desktop.prose import brief


def pick(desk: Desk, *, parent: QWidget) -> None:
    """Let the owner pick a profile, and see what it would change."""
    title = tr("Import a profile")
    kinds = tr("Profiles (*{0});;All files (*)").format(SUFFIX)
    name, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    if name:
        desk.profiles.look(Path(name))


def open_file(desk: Desk, path: Path) -> None:
    """What a double click on a file means: look at a profile, answer with a model."""
    if path.suffix == SUFFIX:
        desk.profiles.look(path)
    else:
        desk.add_model(path)


def take_in(desk: Desk, looked: Looked, *, replace: bool) -> None:
    """Take in what was looked at."""
    diff = looked.replace if replace else looked.merge
    desk.take_in(looked.path, replace=replace, said=differences.taken_in(diff))


def export(desk: Desk, *, texts: bool, parent: QWidget) -> None:
    """Write what was learned where the owner wants it."""
    title, kinds = tr("Export profile"), tr("Profiles (*{0})").format(SUFFIX)
    name = str(Path.home() / f"me{SUFFIX}")
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kinds)
    if chosen:
        path = Path(chosen)
        if not path.suffix:
            path = path.with_suffix(SUFFIX)
            if path.exists() and not _may_replace(path, parent=parent):
                return  # the dialog asked about another name
        desk.profiles.export(path, texts=texts)


def _may_replace(path: Path, *, parent: QWidget) -> bool:
    question = tr("There is a profile {0} already. Replace it?").format(brief(path.name))
    told = tr("What is in it is lost then.")
    return agreed(question, told, go=tr("Replace"), parent=parent)
