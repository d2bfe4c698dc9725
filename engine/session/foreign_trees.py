"""Trees of messages from other programs, made into trees as they are kept here.

Elsewhere a message may be hidden, may be of a tool, or may follow one of the same speaker. Here
questions and answers take turns on every way through the tree: what is not to be read is left out,
and what one speaker says in several messages becomes one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.errors import UnreadableArchive
from engine.store.chat_trees import StoredMessage
from engine.types.chats import Speaker

MOST_MESSAGES = 200_000
"""Messages of a chat."""

MOST_TEXT = 64 * 2**20
"""Characters of a chat."""

NO_QUESTION = "[no question]"
"""Stands where a chat begins with an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A message of another program.

    parent    id of what it follows; None where it begins
    children  ids of what follows it, in their order; others come after them
    role      None where it is not to be read; what follows it stays
    at        seconds since the epoch
    """

    parent: str | None
    children: tuple[str, ...]
    role: Speaker | None
    text: str
    at: float
    model: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class _Grown:
    """A message here.

    before  the one of the same speaker that its text goes on from
    length  characters with all of that
    """

    role: Speaker
    text: str
    length: int
    at: float
    parent: _Grown | None
    model: str = ""
    before: _Grown | None = None
    followed: bool = False
    goes_on: _Grown | None = None
    chosen: _Grown | None = None
    id: str = ""

    @property
    def stays(self) -> bool:
        """Whether it stands for itself: all that follows it may have taken its text with them."""
        return self.followed or self.goes_on is None

    def whole(self) -> str:
        texts = []
        one: _Grown | None = self
        while one is not None:
            texts.append(one.text)
            one = one.before
        return "\n\n".join(reversed(texts))


@dataclass(slots=True, kw_only=True)
class _Tree:
    """Messages in the order in which they were met, a parent before its children."""

    messages: list[_Grown] = field(default_factory=list)
    of: dict[str, _Grown | None] = field(default_factory=dict)


def grown(
    nodes: Mapping[str, Node], *, current: str | None, title: str
) -> tuple[tuple[StoredMessage, ...], str]:
    """The messages, and the id of the first question of the branch; ((), "") if none can be read.

    current  id of where the branch ends; elsewhere, and if it is None, it goes on with the newest
    title    of the chat, for messages

    Raises UnreadableArchive where this is no tree, or too large.
    """
    if len(nodes) > MOST_MESSAGES:
        raise refused(title, f"it has more than {MOST_MESSAGES} messages")
    tree = _Tree()
    for id, node in _in_order(nodes, title):
        above = tree.of[node.parent] if node.parent else None
        tree.of[id] = _grow(tree, node, above) if node.role and node.text else above
    staying = [message for message in tree.messages if message.stays]
    if sum(message.length for message in staying) > MOST_TEXT:
        raise refused(title, "it is too long")
    first = _choose(staying, tree.of.get(current) if current else None)
    return _stored(staying), first.id if first else ""


def refused(title: str, reason: str) -> UnreadableArchive:
    """An error about one chat of an archive."""
    shown = title if len(title) <= 60 else f"{title[:60]}…"
    return UnreadableArchive(
        f"The chat {shown!r} cannot be read: {reason}. Nothing was taken in; export it again."
    )


def _in_order(nodes: Mapping[str, Node], title: str) -> Iterator[tuple[str, Node]]:
    """Every node after its parent. Raises UnreadableArchive where there is none such order."""
    below: dict[str | None, list[str]] = defaultdict(list)
    for id, node in nodes.items():
        if node.parent is not None and node.parent not in nodes:
            raise refused(title, "a message follows one that is missing")
        below[node.parent].append(id)
    for parent, children in below.items():
        if parent is not None:
            place = {id: index for index, id in enumerate(nodes[parent].children)}
            children.sort(key=lambda id: place.get(id, len(place)))
    waiting = below[None][::-1]
    met = 0
    while waiting:
        id = waiting.pop()
        met += 1
        yield id, nodes[id]
        waiting += below[id][::-1]
    if met < len(nodes):
        raise refused(title, "its messages follow each other in a circle")


def _grow(tree: _Tree, node: Node, above: _Grown | None) -> _Grown:
    assert node.role is not None
    if above is None and node.role == "assistant":
        above = _planted(tree, "user", NO_QUESTION, at=node.at, above=None)
    new = _planted(tree, node.role, node.text, at=node.at, above=above)
    new.model = node.model
    if above is not None and above.role == node.role:
        new.parent, new.before = above.parent, above
        new.length += above.length
        above.goes_on = new
    elif above is not None:
        above.followed = True
    return new


def _planted(tree: _Tree, role: Speaker, text: str, *, at: float, above: _Grown | None) -> _Grown:
    new = _Grown(role=role, text=text, length=len(text), at=at, parent=above)
    tree.messages.append(new)
    return new


def _choose(staying: list[_Grown], current: _Grown | None) -> _Grown | None:
    """Number the messages, and choose the branch; returns where it begins."""
    first: _Grown | None = None
    for number, message in enumerate(staying):
        message.id = f"m{number}"
        if message.parent is None:
            first = message
        else:
            message.parent.chosen = message
    while current is not None and not current.stays:
        current = current.goes_on
    while current is not None:
        if current.parent is None:
            first = current
        else:
            current.parent.chosen = current
        current = current.parent
    return first


def _stored(staying: list[_Grown]) -> tuple[StoredMessage, ...]:
    return tuple(
        StoredMessage(
            id=message.id,
            parent=message.parent.id if message.parent else "",
            role=message.role,
            text=message.whole(),
            at=message.at,
            chosen=message.chosen.id if message.chosen else "",
            model=message.model,
        )
        for message in staying
    )
