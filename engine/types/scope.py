"""How far what is learned in a chat goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["everywhere", "chat", "off"]
"""Of a chat. "everywhere": its votes teach every chat, and what votes taught acts in it; "chat":
the votes that are given in it act in it alone, and no others do; "off": nothing is learned in it,
and nothing that was learned acts."""

SCOPES: tuple[Scope, ...] = ("everywhere", "chat", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where something is asked or voted on, and how far what is learned there goes.

    chat  id of the chat; "" where it is kept nowhere, so that no vote can be kept to it
    """

    chat: str = ""
    scope: Scope = "everywhere"

    @property
    def learns(self) -> bool:
        """Whether a vote that is given there can teach anything."""
        return self.scope == "everywhere" or (self.scope == "chat" and bool(self.chat))


EVERYWHERE = Reach()
