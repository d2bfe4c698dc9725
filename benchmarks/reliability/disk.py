"""A disk that loses power: of what no fsync has asked for, any part may be there, or nothing.

It promises less than file systems do, so that what outlives it outlives any of them:

- The content of a file outlives the cut where the file was synced, and a name where its folder was.
  To sync a new file keeps no name, though ext4 and others do that.
- Whatever was done since then is there or not, each file for itself, in any order. A sector holds
  what it held at one moment since it was synced: a write may be torn between sectors, not inside
  one (SQLite relies on that: https://sqlite.org/psow.html). Bytes by which a file has grown, and
  that were not written yet, are zeros or noise.
- Of the changes of names in a folder any are there, in their order. What was renamed inside its
  folder has the old name or the new one; from one folder to another it may be gone from both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal, TypeAlias, TypeVar

from benchmarks.reliability.recorder import Call

SECTORS = (512, 4096)
"""Bytes that a disk writes whole or not at all."""

Keep = Literal["none", "some", "all"]
"""How much is there of what was not synced."""

State = TypeVar("State")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is there when the power is back, by path.

    folders  in an order in which they can be made
    links    second names of a file, each with the first one
    """

    folders: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def put(left: Left, folder: Path) -> None:
    """Make it in a folder that is not there yet."""
    folder.mkdir(parents=True)
    for name in left.folders:
        (folder / name).mkdir()
    for name, data in left.files.items():
        (folder / name).write_bytes(data)
    for name, first in left.links.items():
        os.link(folder / first, folder / name)


class File:
    """Bytes, and what waits to be synced."""

    def __init__(self, data: bytes = b"") -> None:
        self._synced = data
        self.waiting: list[Call] = []

    def now(self) -> bytes:
        """As programs see it."""
        data = bytearray(self._synced)
        for call in self.waiting:
            _change(data, call)
        return bytes(data)

    def sync(self) -> None:
        self._synced = self.now()
        self.waiting.clear()

    def left(self, fate: Fate) -> bytes:
        """What may be left of it."""
        share, size = fate.share(), fate.sector
        data, lengths = bytearray(self._synced), [len(self._synced)]
        sectors: dict[int, list[bytes]] = {}
        for call in self.waiting:
            changed = _change(data, call)
            lengths.append(len(data))
            for at in range(changed.start // size * size, changed.stop, size):
                held = sectors.setdefault(at, [self._synced[at : at + size]])
                held.append(bytes(data[at : at + size]))
        length = fate.pick(lengths, share)
        left = bytearray(self._synced[:length])
        left += fate.fill(length - len(left))
        for at, held in sectors.items():
            content = fate.pick(held, share)[: max(0, length - at)]
            left[at : at + len(content)] = content
        return bytes(left)


def _change(data: bytearray, call: Call) -> range:
    """Write or truncate; where bytes are others now, gone or new."""
    before = len(data)
    if call.what == "truncate":
        del data[call.place :]
        data += bytes(call.place - len(data))
        return range(min(before, call.place), max(before, call.place))
    data += bytes(max(0, call.place - before))
    data[call.place : call.place + len(call.data)] = call.data
    return range(min(before, call.place), call.place + len(call.data))


class Folder:
    """Names, and what waits to be synced."""

    def __init__(self) -> None:
        self._synced: dict[str, Node] = {}
        self.names: dict[str, Node] = {}
        self.waiting: list[Change] = []

    def change(self, change: Change) -> None:
        _name(self.names, change)
        self.waiting.append(change)

    def sync(self) -> None:
        self._synced = dict(self.names)
        self.waiting.clear()

    def left(self, fate: Fate) -> dict[str, Node]:
        """The names that may be left."""
        names = dict(self._synced)
        for change in fate.some(self.waiting):
            _name(names, change)
        return names


Node: TypeAlias = File | Folder
Change: TypeAlias = dict[str, Node | None]
"""What stands under these names from then on, done for all of them or not at all."""


def _name(names: dict[str, Node], change: Change) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Fate:
    """What becomes of what waits, drawn by chance."""

    def __init__(self, draw: Random, *, keep: Keep) -> None:
        self._draw, self._keep = draw, keep
        self._noise = draw.random() < 0.5
        self.sector = draw.choice(SECTORS)

    def share(self) -> float:
        """How likely a change of one file is there, in [0, 1]."""
        if self._keep != "some":
            return float(self._keep == "all")
        return self._draw.choice((0.0, 1.0, self._draw.random(), self._draw.random()))

    def pick(self, states: Sequence[State], share: float) -> State:
        """One of the states of a thing, of which the first is the synced one."""
        if not share or len(states) == 1:
            return states[0]
        return states[-1] if self._draw.random() < share else self._draw.choice(states[:-1])

    def some(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Those that are there: the first ones, as where a journal keeps their order, or any, or
        all but one, or a single one."""
        if self._keep != "some" or not changes:
            return changes if self._keep == "all" else ()
        one, share = self._draw.randrange(len(changes)), self._draw.random()
        return self._draw.choice((
            changes[:one],
            [change for change in changes if self._draw.random() < share],
            [*changes[:one], *changes[one + 1 :]],
            changes[one : one + 1],
        ))  # fmt: skip

    def fill(self, length: int) -> bytes:
        """What stands where nothing was written."""
        return self._draw.randbytes(length) if self._noise else bytes(length)


class Disk:
    """A folder and everything below it, changed by one call after the other."""

    def __init__(self, folder: Path) -> None:
        """As the folder is now, all of it synced."""
        self._root = Folder()
        self._nodes: dict[int, Node] = {folder.stat().st_ino: self._root}
        for path in sorted(folder.rglob("*")):
            number = path.stat().st_ino
            if number not in self._nodes:
                self._nodes[number] = Folder() if path.is_dir() else File(path.read_bytes())
            parent, name = self._place(path.relative_to(folder).as_posix())
            parent.change({name: self._nodes[number]})
        for node in self._nodes.values():
            node.sync()

    def do(self, call: Call) -> None:
        match call.what:
            case "write" | "truncate":
                node = self._nodes[call.node]
                assert isinstance(node, File)
                node.waiting.append(call)
            case "sync":
                self._nodes[call.node].sync()
            case "create" | "mkdir":
                node = File() if call.what == "create" else Folder()
                self._nodes[call.node] = node
                self._stand(call.path, node)
            case "link":
                self._stand(call.to, self._at(call.path))
            case "unlink":
                self._stand(call.path, None)
            case "rename":
                self._move(call.path, call.to)

    def waiting(self) -> int:
        """Changes that a cut may take back; of a file with two names twice."""
        return sum(len(node.waiting) for node in self._all(self._root))

    def left(self, fate: Fate) -> Left:
        """What is there when the power is back, having gone now."""
        folders, files, links = [], {}, {}
        first: dict[int, str] = {}
        open_ = [("", self._root)]
        while open_:
            at, folder = open_.pop()
            for name, node in sorted(folder.left(fate).items()):
                path = f"{at}{name}"
                if isinstance(node, Folder):
                    folders.append(path)
                    open_.append((f"{path}/", node))
                elif id(node) in first:
                    links[path] = first[id(node)]
                else:
                    first[id(node)], files[path] = path, node.left(fate)
        return Left(folders=tuple(folders), files=files, links=links)

    def _move(self, path: str, to: str) -> None:
        node = self._at(path)
        (old, name), (new, other) = self._place(path), self._place(to)
        if old is new:
            old.change({name: None, other: node})
        else:
            new.change({other: node})
            old.change({name: None})

    def _stand(self, path: str, node: Node | None) -> None:
        folder, name = self._place(path)
        folder.change({name: node})

    def _place(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._at(above) if above else self._root
        assert isinstance(folder, Folder)
        return folder, name

    def _at(self, path: str) -> Node:
        folder, name = self._place(path)
        return folder.names[name]

    def _all(self, folder: Folder) -> Iterator[Node]:
        yield folder
        for node in folder.names.values():
            if isinstance(node, Folder):
                yield from self._all(node)
            else:
                yield node
