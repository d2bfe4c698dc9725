"""A data folder that cannot be used, at the start: what is wrong, and what can be done about it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from desktop.doorbell import Doorbell, move_in
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from engine.api import AttuneError, Engine, StorageError

Way = Literal["again", "another", "temporary", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where the window lives.

    bell       None where a window is open there already
    temporary  nothing outlasts this run
    """

    engine: Engine
    bell: Doorbell | None
    temporary: bool


def settle(
    folder: Path | None,
    *,
    make: Callable[[Path | None], Engine],
    ask: Callable[[str], Way],
    choose: Callable[[], Path | None],
    until_end: ExitStack,
) -> Home:
    """Live in the data folder, or where its owner says instead.

    folder     that was asked for; None is the platform's place
    make       an engine for a folder
    ask        tells what is wrong, and asks what to do
    choose     another folder; None where its owner thought better of it
    until_end  takes a temporary folder away

    Raises AttuneError where the owner leaves.
    """
    temporary, wish = False, "again"
    while True:
        try:
            if wish == "another" and (chosen := choose()) is not None:
                folder, temporary = chosen, False
            elif wish == "temporary":
                folder, temporary = _temporary(until_end), True
            engine = make(folder)
            return Home(engine=engine, bell=_moved_in(engine), temporary=temporary)
        except AttuneError as error:
            wish = ask(error.message)
            if wish == "leave":
                raise


def _moved_in(engine: Engine) -> Doorbell | None:
    try:
        return move_in(engine.data_dir)
    except AttuneError:
        engine.close()
        raise


def _temporary(until_end: ExitStack) -> Path:
    try:
        made = tempfile.TemporaryDirectory(prefix="attune-", ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(
            f"There is no room for a temporary folder either ({error.strerror or error}); free "
            "some space and start Attune again."
        ) from error
    return Path(until_end.enter_context(made))


def ask(sentence: str) -> Way:
    """In a box of its own: there is no window yet."""
    box = QMessageBox(QMessageBox.Icon.Warning, "Attune", brief(heard(sentence)))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(
        tr("With a temporary folder you can chat, but nothing is kept when Attune closes.")
    )
    role = QMessageBox.ButtonRole
    ways: list[tuple[Way, str, QMessageBox.ButtonRole]] = [
        ("again", tr("Try again"), role.AcceptRole),
        ("another", tr("Choose another folder…"), role.ActionRole),
        ("temporary", tr("Use a temporary folder"), role.ActionRole),
        ("leave", tr("Quit"), role.RejectRole),
    ]
    buttons = [(way, box.addButton(text, kind)) for way, text, kind in ways]
    box.setDefaultButton(buttons[0][1])
    box.setEscapeButton(buttons[-1][1])
    box.exec()
    return next((way for way, button in buttons if box.clickedButton() is button), "leave")


def choose() -> Path | None:
    name = QFileDialog.getExistingDirectory(None, tr("Choose a data folder for this run"))
    return Path(name) if name else None
