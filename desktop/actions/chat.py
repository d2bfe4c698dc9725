"""Asking, stopping, asking again, beginning anew."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from desktop.conversation import Turn
from desktop.desk import Desk


def ask(desk: Desk, text: str, *, instead: Turn | None = None) -> bool:
    """Ask; False if the text should stay where it is.

    instead  whose question this is another version of
    """
    return desk.asking.ask(text, instead=instead)


def stop(desk: Desk) -> None:
    desk.stop()


def regenerate(desk: Desk) -> None:
    desk.asking.regenerate()


def compare(desk: Desk) -> None:
    """Two answers to the last question, to vote on."""
    desk.asking.regenerate(number=2)


def ask_again(desk: Desk) -> None:
    """The last question once more, with what was learned since; one answer."""
    desk.asking.regenerate(number=1)


def copy_last_answer(desk: Desk) -> None:
    """Put the last answer on the clipboard as it was written, Markdown and all."""
    for turn in reversed(desk.asking.conversation.turns):
        if turn.text:
            copy(turn.text)
            return


def copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
