"""Chats that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.types.answers import Finish
from engine.types.scope import Scope
from engine.types.work import Notice

Speaker = Literal["user", "assistant"]
MessageState = Literal["whole", "partial", "stopped", "interrupted"]
"""How an answer stands: "partial" is being written, or was when Attune ended without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat in the list.

    title     the owner's, or the beginning of the first question
    named     the owner gave the title
    created   seconds since the epoch, as is `changed`: when something was last said
    deleted   when it went to the trash; None where it did not
    messages  in all, other versions included
    snippet   how the newest message begins
    scope     how far what is learned in it goes
    """

    id: str
    title: str
    named: bool
    created: float
    changed: float
    pinned: bool
    deleted: float | None
    messages: int
    snippet: str
    scope: Scope = "everywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A question or an answer in the tree of a chat.

    parent    id of what it follows; "" where it is a first question
    at        seconds since the epoch
    model     id of what answered; "" of a question
    finish    why the answer ended; "" while nobody knows
    tokens    of the answer, 0 of a question
    duel      id of the duel that this is an answer of; ""
    facts     what else belongs to it, as JSON has it: steering, member, seconds
    versions  ids of all that follow the same parent, itself included, the oldest first; () where
              nobody looked
    """

    id: str
    chat: str
    parent: str
    role: Speaker
    text: str
    at: float
    state: MessageState = "whole"
    model: str = ""
    finish: Finish | Literal[""] = ""
    tokens: int = 0
    duel: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChat:
    """A chat and its current branch, the first question first."""

    chat: Chat
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A chat that a search found.

    message  id of its newest message that fits; "" where the title does
    snippet  of that message, or the title
    marks    where the words stand in it: first character and the one after the last
    """

    chat: Chat
    message: str
    snippet: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import; `skipped` chats were there already."""

    chats: int
    messages: int
    skipped: int
    notices: tuple[Notice, ...] = ()
