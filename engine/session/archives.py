"""Chats that other programs exported: ChatGPT's conversations.json or the zip with it, and Open
WebUI's chat export; and our own.

Nothing is unpacked: of a zip exactly these members are read, into memory, with caps. Only text is
taken; what is none is replaced by a mark in brackets. Formats as their exports have them in 2026.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine.errors import UnreadableArchive
from engine.session.foreign_trees import Node, grown
from engine.store import chat_files
from engine.store.chat_trees import LONGEST_TITLE, StoredChat
from engine.types.chats import Speaker
from engine.types.work import Notice

MOST_BYTES = 256 * 2**20
"""Of JSON, unpacked."""

MOST_ZIPPED = 4 * 2**30
"""Of a zip: pictures are in it, too."""

MOST_LISTED = 16 * 2**20
"""Of the list of what is in a zip: some 200,000 files."""

MOST_PARTS = 1000
MOST_RATIO = 200
"""How much smaller than its text a member of a zip may be; JSON of chats comes to about 10."""

_PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Ways of packing that are unpacked a bit at a time; others come whole, whatever they come to."""

_PIECE = 2**20

_MEMBER = re.compile(r"conversations(-\d{1,4})?\.json")
_LATEST = 1e11
"""Seconds; a later time is in milliseconds."""

_SPEAKERS: dict[str, Speaker] = {"user": "user", "assistant": "assistant"}
_THOUGHTS = frozenset(
    {"thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"}
)
_MARKS = (("image", "picture"), ("audio", "sound"), ("video", "video"))
_LONGEST_MARK = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Chats out of a file; `empty` others had nothing to read in them."""

    chats: tuple[StoredChat, ...]
    empty: int = 0

    @property
    def notices(self) -> tuple[Notice, ...]:
        if not self.empty:
            return ()
        text = f"{self.empty} chats with nothing to read in them were passed over."
        return (Notice(code="empty_chats", text=text),)


def read_archive(path: Path, *, now: float) -> Archive:
    """The chats in a file, whichever of the formats it is.

    now  stands where an export tells no time, seconds since the epoch

    Raises UnreadableArchive.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(path, "it is no file")
        texts = _unzipped(path) if zipfile.is_zipfile(path) else [_read(path)]
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if len(texts) == 1 and chat_files.is_own(texts[0]):
        return Archive(chats=chat_files.from_json(texts[0]))
    chats = [_foreign(path, text, now=now) for text in texts]
    found = [chat for part in chats for chat in part]
    full = tuple(chat for chat in found if chat.messages)
    if not full:
        raise _unreadable(path, "it holds no chats")
    return Archive(chats=full, empty=len(found) - len(full))


def _unreadable(path: Path, reason: str) -> UnreadableArchive:
    return UnreadableArchive(
        f"{path} cannot be taken in ({reason}). It can be JSON that 'attune chats export' wrote, "
        "ChatGPT's conversations.json or the zip with it, or Open WebUI's chat export. Nothing was "
        "taken in."
    )


# Files --------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _unreadable(path, f"it is larger than {MOST_BYTES // 2**20} MB")
    return data


def _unzipped(path: Path) -> list[bytes]:
    if path.stat().st_size > MOST_ZIPPED:
        raise _unreadable(path, f"it is larger than {MOST_ZIPPED // 2**30} GB")
    with _Sparing(path) as file, zipfile.ZipFile(file) as archive:
        members = [info for info in archive.infolist() if _MEMBER.fullmatch(info.filename)]
        _check_members(path, members)
        members.sort(key=lambda info: info.filename)
        try:
            return [_member(path, archive, info) for info in members]
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a new way
            raise _unreadable(path, str(error)) from error


class _Sparing(io.BufferedReader):
    """A file of which nobody gets much at once, as the list of a zip would be that has millions of
    files in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_LISTED:
            raise zipfile.BadZipFile("too many files are in it")
        return super().read(size)


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise _unreadable(path, "the zip has no conversations.json")
    if len(members) > MOST_PARTS or len({info.filename for info in members}) < len(members):
        raise _unreadable(path, "the zip has too many parts, or two of one name")
    if sum(info.file_size for info in members) > MOST_BYTES:
        raise _unreadable(path, f"there is more than {MOST_BYTES // 2**20} MB in it")
    if any(info.compress_type not in _PACKED for info in members):
        raise _unreadable(path, "it is packed in a way that chats are not")
    if any(info.file_size > MOST_RATIO * max(1, info.compress_size) for info in members):
        raise _unreadable(path, "it unpacks to far more than chats do")


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    pieces, length = [], 0
    with archive.open(info) as member:
        while (piece := member.read(_PIECE)) and length <= info.file_size:
            pieces.append(piece)
            length += len(piece)
    if length != info.file_size:
        raise _unreadable(path, f"{info.filename} is not as long as the zip says")
    return b"".join(pieces)


# Formats ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What tells one format from the other."""

    mapping: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    chat: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class _Author:
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    content_type: str = "text"
    parts: list[object] | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _GptMessage:
    author: _Author
    content: _Content | None = None
    create_time: float | None = None
    recipient: str | None = None
    metadata: dict[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _GptNode:
    message: _GptMessage | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _GptChat:
    mapping: dict[str, _GptNode]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    conversation_id: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WebMessage:
    role: str
    content: str | list[object] = ""
    parentId: str | None = None  # noqa: N815 - their name
    childrenIds: tuple[str, ...] = ()  # noqa: N815
    timestamp: float | None = None
    model: str | None = None
    files: list[object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WebHistory:
    messages: dict[str, _WebMessage] = field(default_factory=dict)
    currentId: str | None = None  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class _WebTree:
    history: _WebHistory
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WebChat:
    chat: _WebTree
    id: str | None = None
    title: str | None = None
    created_at: float | None = None
    updated_at: float | None = None
    pinned: bool | None = None


_shapes = msgspec.json.Decoder(list[_Shape])
_gpt_chats = msgspec.json.Decoder(list[_GptChat])
_web_chats = msgspec.json.Decoder(list[_WebChat])


def _foreign(path: Path, data: bytes, *, now: float) -> list[StoredChat]:
    """The chats of another program, those without messages, too."""
    try:
        shapes = _shapes.decode(data)
        if shapes and shapes[0].mapping is not msgspec.UNSET:
            return [_from_gpt(chat, now=now) for chat in _gpt_chats.decode(data)]
        if shapes and shapes[0].chat is not msgspec.UNSET:
            return [_from_web(chat, now=now) for chat in _web_chats.decode(data)]
    except chat_files.NOT_JSON as error:
        raise _unreadable(path, str(error)) from error
    raise _unreadable(path, "it is of none of these formats")


# ChatGPT ------------------------------------------------------------------------------------


def _from_gpt(chat: _GptChat, *, now: float) -> StoredChat:
    begun = _time(chat.create_time, otherwise=now)
    nodes = {id: _gpt_node(node, begun=begun) for id, node in chat.mapping.items()}
    return _made(
        nodes,
        current=chat.current_node,
        title=chat.title or "",
        source=("chatgpt", chat.conversation_id or chat.id or ""),
        begun=begun,
        changed=_time(chat.update_time, otherwise=begun),
    )


def _gpt_node(node: _GptNode, *, begun: float) -> Node:
    message = node.message
    parent, children = node.parent or None, node.children
    if message is None or _is_internal(message):
        return Node(parent=parent, children=children, role=None, text="", at=begun)
    facts = message.metadata or {}
    parts = [*_gpt_texts(message.content), *_attached(facts.get("attachments"))]
    return Node(
        parent=parent,
        children=children,
        role=_SPEAKERS[message.author.role],
        text=_joined(parts),
        at=_time(message.create_time, otherwise=begun),
        model=_name(facts.get("model_slug")),
    )


def _is_internal(message: _GptMessage) -> bool:
    hidden = (message.metadata or {}).get("is_visually_hidden_from_conversation")
    kind = message.content.content_type if message.content else ""
    return bool(hidden) or message.author.role not in _SPEAKERS or kind in _THOUGHTS


def _gpt_texts(content: _Content | None) -> Iterator[str]:
    if content is None:
        return
    if content.content_type == "code":
        yield f"```\n{content.text}\n```" if content.text else ""
    elif content.parts is None:
        yield content.text or _mark(content.content_type)
    for part in content.parts or ():
        yield _part(part)


# Open WebUI ---------------------------------------------------------------------------------


def _from_web(chat: _WebChat, *, now: float) -> StoredChat:
    begun = _time(chat.created_at, otherwise=now)
    history = chat.chat.history
    nodes = {id: _web_node(message, begun=begun) for id, message in history.messages.items()}
    return _made(
        nodes,
        current=history.currentId,
        title=chat.title or chat.chat.title or "",
        source=("openwebui", chat.id or ""),
        begun=begun,
        changed=_time(chat.updated_at, otherwise=begun),
        pinned=bool(chat.pinned),
    )


def _web_node(message: _WebMessage, *, begun: float) -> Node:
    content = message.content
    texts = [content] if isinstance(content, str) else [_part(part) for part in content]
    return Node(
        parent=message.parentId or None,
        children=message.childrenIds,
        role=_SPEAKERS.get(message.role),
        text=_joined([*texts, *_attached(message.files)]),
        at=_time(message.timestamp, otherwise=begun),
        model=_name(message.model),
    )


# Both ---------------------------------------------------------------------------------------


def _made(
    nodes: Mapping[str, Node],
    *,
    current: str | None,
    title: str,
    source: tuple[str, str],
    begun: float,
    changed: float,
    pinned: bool = False,
) -> StoredChat:
    title = " ".join(title.split())[:LONGEST_TITLE]
    messages, first = grown(nodes, current=current, title=title)
    program, id = source
    if not id:  # to be known again, should it be taken in twice
        texts = "\0".join([title, *(message.text for message in messages)])
        id = hashlib.sha256(texts.encode(errors="replace")).hexdigest()[:32]
    return StoredChat(
        id="",
        title=title or "Untitled",
        named=True,
        created=begun,
        changed=max(begun, changed),
        pinned=pinned,
        first=first,
        messages=messages,
        source=f"{program}:{id}",
    )


def _part(part: object) -> str:
    """A piece of a message: its text, or a mark for what it is."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return _mark("")
    text = part.get("text")
    if isinstance(text, str):
        return text
    return _mark(str(part.get("content_type") or part.get("type") or ""))


def _attached(files: object) -> Iterator[str]:
    """A mark for each file beside a message."""
    for file in files if isinstance(files, list) else ():
        name = _name(file.get("name")) if isinstance(file, dict) else ""
        yield f"[file: {name}]" if name else _mark(_kind(file))


def _kind(file: object) -> str:
    return str(file.get("type") or "") if isinstance(file, dict) else ""


def _mark(kind: str) -> str:
    return next((f"[{word}]" for sign, word in _MARKS if sign in kind), "[attachment]")


def _name(value: object) -> str:
    return " ".join(value.split())[:_LONGEST_MARK] if isinstance(value, str) else ""


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _time(value: float | None, *, otherwise: float) -> float:
    if value is None or not 0.0 < value < 1000 * _LATEST:  # nor is one that is no number
        return otherwise
    return value / 1000 if value > _LATEST else value
