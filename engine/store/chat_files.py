"""Chats as files: JSON that can be taken in again exactly, and Markdown to read.

The JSON is one object: "format" is "attune-chats", "version" is 1, "chats" is a list of
`StoredChat`, whose messages are `StoredMessage`, a parent before its children.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from engine.errors import UnreadableArchive
from engine.store.changes import UNREADABLE
from engine.store.chat_trees import StoredChat
from engine.types.chats import Chat, ChatMessage, MessageState, OpenChat

FORMAT = "attune-chats"
VERSION = 1

NOT_JSON = (*UNREADABLE, UnicodeDecodeError)
"""What decoding the bytes of a file raises, where they are not what they should be."""

_BEGINNING = 64
"""Bytes within which a file of ours says what it is."""

_LONGEST_NAME = 60
_LONGEST_BYTES = 180
"""Of a title in the name of a file: systems allow 255 for the whole."""

_UNFIT = re.compile(r"[^\w-]+")
"""What no file name should have on some system."""

_STATES: dict[MessageState, str] = {
    "partial": "not finished",
    "stopped": "stopped",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    format: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    format: str
    version: int
    chats: tuple[StoredChat, ...]


_head = msgspec.json.Decoder(_Head)
_file = msgspec.json.Decoder(_File)


def to_json(chats: Sequence[StoredChat]) -> bytes:
    """Everything that is in these chats."""
    body = msgspec.json.encode(_File(format=FORMAT, version=VERSION, chats=tuple(chats)))
    return msgspec.json.format(body, indent=1) + b"\n"


def is_own(data: bytes) -> bool:
    """Whether this says that it is of this format, of whichever version, whole or damaged."""
    try:
        return _head.decode(data).format == FORMAT
    except NOT_JSON:
        return FORMAT.encode() in data[:_BEGINNING]


def from_json(data: bytes) -> tuple[StoredChat, ...]:
    """The chats in a file of this format; trees and numbers are not checked.

    Raises UnreadableArchive for a newer version, or where something is missing.
    """
    try:
        version = _head.decode(data).version
        if version > VERSION:
            raise UnreadableArchive(
                f"The chats were exported by a newer Attune (version {version} of the format, this "
                f"one knows {VERSION}); update Attune. Nothing was taken in."
            )
        return _file.decode(data).chats
    except NOT_JSON as error:
        raise UnreadableArchive(
            f"The exported chats are damaged ({error}); export them again. Nothing was taken in.",
            detail=repr(error),
        ) from error


def to_markdown(opened: OpenChat, *, finished: Mapping[str, int] | None = None) -> str:
    """The current branch of a chat, to read.

    finished  of answers on it that are not, how many other versions are finished, by id
    """
    chat = opened.chat
    parts = [f"# {chat.title}", f"{_when(chat.created)} to {_when(chat.changed)}"]
    for message in opened.messages:
        text = message.text.strip()
        if not text and message.state != "whole":
            text = "*Nothing was written yet.*"
        parts += [f"## {_speaker(message)}", text]
        if others := (finished or {}).get(message.id, 0):
            parts.append(_elsewhere(others))
    return "\n\n".join(parts) + "\n"


def file_name(chat: Chat) -> str:
    """A name for the Markdown of a chat that tells what it is; other chats have other names."""
    day = _when(chat.created)[:10]
    words = _UNFIT.sub("-", chat.title)[:_LONGEST_NAME]
    title = words.encode()[:_LONGEST_BYTES].decode(errors="ignore").strip("-")
    return "-".join(part for part in (day, title, chat.id) if part) + ".md"


def _elsewhere(others: int) -> str:
    if others == 1:
        return "*Another version of this answer is finished; choose it to export it.*"
    return f"*{others} other versions of this answer are finished; choose one to export it.*"


def _speaker(message: ChatMessage) -> str:
    if message.role == "user":
        return "You"
    ended = _STATES.get(message.state)
    return f"{message.model or 'Answer'}{f' ({ended})' if ended else ''}"


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "?"
