"""How far what is learned in a chat goes, in words."""

from __future__ import annotations

from desktop.languages import tr
from engine.api import Scope


def short(scope: Scope) -> str:
    """In a few words, where it is not as usual; else ""."""
    return {"everywhere": "", "chat": tr("learns here only"), "off": tr("learns nothing")}[scope]


def told(scope: Scope) -> str:
    """What it means, in a sentence."""
    return {
        "everywhere": tr("Votes in this chat teach every chat, and what was learned acts here."),
        "chat": tr("Votes in this chat count here only, and nothing learned elsewhere acts here."),
        "off": tr("Nothing is learned in this chat, and nothing that was learned acts here."),
    }[scope]


def word(scope: Scope) -> str:
    """The scope as something to choose."""
    return {"everywhere": tr("Everywhere"), "chat": tr("That chat only"), "off": tr("Nothing")}[
        scope
    ]
