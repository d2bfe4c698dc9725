"""After any steps in any order the store says what a tree kept in plain lists says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.store import chat_files
from engine.store.chats import ChatStore
from tests.unit.store.chat_stores import check_index, store_at

Step = tuple[str, int, str]

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
KINDS = (
    "ask", "ask", "ask", "answer", "answer", "answer", "duel", "partial", "choose", "choose",
    "withdraw", "rename", "delete", "undelete", "pin", "close", "erase",
)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 50), WORDS), max_size=25)


@dataclass
class Node:
    id: str
    role: str
    text: str
    parent: Node | None
    children: list[Node] = field(default_factory=list)
    chosen: Node | None = None


@dataclass
class Tree:
    """A chat as a root that holds nothing, under which first questions are children."""

    id: str
    root: Node
    deleted: bool = False

    def nodes(self) -> list[Node]:
        found = list(self.root.children)
        for node in found:
            found += node.children
        return found

    def branch(self) -> list[Node]:
        found, here = [], self.root.chosen
        while here is not None:
            found.append(here)
            here = here.chosen
        return found


class Reference:
    """Chats in a list; every step is carried out on the store and here."""

    def __init__(self, store: ChatStore) -> None:
        self.store = store
        self.trees: list[Tree] = []

    def do(self, step: Step) -> None:
        kind, pick, text = step
        tree = self.trees[pick % len(self.trees)] if self.trees else None
        if kind == "close":
            self.store.close()
        elif kind == "ask" and (tree is None or pick % 5 == 0):
            self.begin(text)
        elif tree is not None:
            nodes = [tree.root, *tree.nodes()]
            self.on_chat(kind, tree, nodes[pick // 3 % len(nodes)], text)

    def on_chat(self, kind: str, tree: Tree, node: Node, text: str) -> None:
        match kind:
            case "ask":
                self.ask(tree, node, text)
            case "answer" | "duel" | "partial":
                self.answer(kind, node, text)
            case "choose" if node is not tree.root:
                self.store.choose(node.id)
                while node.parent is not None:
                    node.parent.chosen = node
                    node = node.parent
            case "withdraw":
                self.withdraw(tree, node)
            case "rename" if text.split():
                self.store.rename(tree.id, text)
            case "delete" | "undelete":
                getattr(self.store, kind)(tree.id)
                tree.deleted = kind == "delete"
            case "pin":
                self.store.pin(tree.id, pinned=len(text) > 3)
            case "erase":
                self.store.erase([tree.id])
                self.trees.remove(tree)

    def begin(self, text: str) -> None:
        if text.strip():
            asked = self.store.ask(text)
            tree = Tree(asked.chat, Node("", "assistant", "", None))
            self.trees.append(tree)
            self.add(tree.root, asked.id, "user", text)

    def ask(self, tree: Tree, node: Node, text: str) -> None:
        allowed = node.role == "assistant" and bool(text.strip())
        try:
            asked = self.store.ask(text, chat=tree.id, parent=node.id)
        except InputError:
            assert not allowed
            return
        assert allowed
        self.add(node, asked.id, "user", text)

    def answer(self, kind: str, node: Node, text: str) -> None:
        if node.role != "user":
            return
        begun = self.store.begin_answer(node.id, choose=kind != "duel")
        self.store.append(begun.id, text, tokens=1)
        if kind != "partial":
            self.store.finish(begun.id, state="whole", facts={"words": [text, 0.1]})
        before = node.chosen
        self.add(node, begun.id, "assistant", text)
        if kind == "duel":
            node.chosen = before

    def add(self, parent: Node, id: str, role: str, text: str) -> None:
        node = Node(id, role, text, parent)
        parent.children.append(node)
        parent.chosen = node

    def withdraw(self, tree: Tree, node: Node) -> None:
        allowed = node.parent is not None and node.role == "user" and not node.children
        try:
            self.store.withdraw(node.id)
        except InputError:
            assert not allowed
            return
        assert allowed
        assert node.parent is not None
        node.parent.children.remove(node)
        if node.parent.chosen is node:
            node.parent.chosen = node.parent.children[-1] if node.parent.children else None
        if not tree.root.children:
            self.trees.remove(tree)


def compare(store: ChatStore, trees: list[Tree]) -> None:
    listed = {chat.id for chat in store.chats(limit=100)}
    trash = {chat.id for chat in store.chats(limit=100, trash=True)}
    assert listed == {tree.id for tree in trees if not tree.deleted}
    assert trash == {tree.id for tree in trees if tree.deleted}
    for tree in trees:
        opened = store.open(tree.id)
        assert opened.chat.messages == len(tree.nodes())
        parent = tree.root
        for message, node in zip(opened.messages, tree.branch(), strict=True):
            assert (message.id, message.text, message.role) == (node.id, node.text, node.role)
            assert message.parent == parent.id
            assert list(message.versions) == [one.id for one in parent.children]
            parent = node
        kept = store.whole([tree.id])[0].messages
        assert {m.id: m.text for m in kept} == {node.id: node.text for node in tree.nodes()}


@given(steps=STEPS)
def test_nothing_is_lost_and_the_branch_is_where_it_was_left(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        store, other = store_at(path), store_at(path, seed=2)
        try:
            reference = Reference(store)
            for step in steps:
                reference.do(step)
            compare(store, reference.trees)
            compare(other, reference.trees)
            if path.exists() and reference.trees:
                check_index(path)
        finally:
            store.close()
            other.close()


@given(steps=STEPS)
def test_what_is_exported_comes_back_exactly(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = store_at(Path(folder) / "chats.db")
        other = store_at(Path(folder) / "other.db", seed=2)
        try:
            reference = Reference(store)
            for step in steps:
                reference.do(step)
            chats = store.whole(store.ids(trash=True))
            read = chat_files.from_json(chat_files.to_json(chats))
            assert other.put(read) == ()
            assert other.whole([chat.id for chat in chats]) == read == chats
            assert other.put(read) == read
            assert other.whole([chat.id for chat in chats]) == chats
        finally:
            store.close()
            other.close()
