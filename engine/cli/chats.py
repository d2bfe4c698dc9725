"""`attune chats`: the chats that are kept. No model is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from engine.api import Chat, ChatMessage, Chats, Engine, Found
from engine.cli.output import Output

_WIDEST = 80
"""Columns of a line in a list."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show, find, change, take out or take in chats."""
    engine = Engine(arguments.data_dir)
    try:
        return _VERBS[arguments.verb](engine.chats, arguments, output)
    finally:
        engine.close()


# To see -------------------------------------------------------------------------------------


def _list(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    page = chats.page(limit=arguments.limit, before=arguments.before, trash=arguments.trash)
    for chat in page:
        output.text(_line(chat))
    if not page:
        output.text("The trash is empty." if arguments.trash else "No chats are kept yet.")
    return output.result({"chats": [asdict(chat) for chat in page]})


def _line(chat: Chat) -> str:
    line = f"{'*' if chat.pinned else ' '} {chat.id}  {_when(chat.changed)}  {chat.messages:>4}"
    return _cut(f"{line}  {chat.title}")


def _show(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    opened = chats.open(arguments.id)
    output.text(opened.chat.title)
    for message in opened.messages:
        output.text(f"\n{_heading(message)}\n{message.text.strip()}")
    return output.result(asdict(opened))


def _heading(message: ChatMessage) -> str:
    who = "You" if message.role == "user" else message.model or "Answer"
    facts = [_when(message.at)]
    if message.state != "whole":
        facts.append(message.state)
    if len(message.versions) > 1:
        number = message.versions.index(message.id) + 1
        facts.append(f"version {number} of {len(message.versions)}")
    return f"{who} ({', '.join(facts)})"


def _search(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    found = chats.search(arguments.text, limit=arguments.limit)
    for one in found:
        output.text(f"{one.chat.id}  {_cut(one.chat.title, _WIDEST - 10)}")
        if one.message:
            output.text(f"          {_marked(one)}")
    if not found:
        output.text("Nothing was found.")
    return output.result({"found": [asdict(one) for one in found]})


def _marked(found: Found) -> str:
    """The snippet, with what was found in square brackets."""
    text, end = "", 0
    for first, last in found.marks:
        text += f"{found.snippet[end:first]}[{found.snippet[first:last]}]"
        end = last
    return text + found.snippet[end:]


# To change ----------------------------------------------------------------------------------


def _delete(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.delete(arguments.id)
    back = f"'attune chats undelete {arguments.id}' brings it back for 30 days."
    return _changed(chats, arguments.id, f"It is in the trash; {back}", output)


def _undelete(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.undelete(arguments.id)
    return _changed(chats, arguments.id, "It is back.", output)


def _erase(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.erase(arguments.id)
    output.text("It is erased, from the backups, too.")
    return output.result({"erased": arguments.id})


def _rename(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.rename(arguments.id, arguments.title)
    return _changed(chats, arguments.id, "It has a new title.", output)


def _pin(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.pin(arguments.id)
    return _changed(chats, arguments.id, "It stays at the top.", output)


def _unpin(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    chats.pin(arguments.id, pinned=False)
    return _changed(chats, arguments.id, "It stays at the top no more.", output)


def _changed(chats: Chats, id: str, sentence: str, output: Output) -> int:
    chat = chats.open(id).chat
    output.text(_line(chat))
    output.text(sentence)
    return output.result({"chat": asdict(chat)})


# Files --------------------------------------------------------------------------------------


def _export(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    which = None if arguments.all else [arguments.id]
    files = [str(p) for p in chats.export(arguments.to, chats=which, format=arguments.format)]
    for file in files:
        output.text(file)
    return output.result({"files": files})


def _import(chats: Chats, arguments: argparse.Namespace, output: Output) -> int:
    imported = chats.import_file(arguments.file)
    for notice in imported.notices:
        output.note(notice.text)
    output.text(
        f"Took in {imported.chats} chats with {imported.messages} messages; {imported.skipped} "
        "were here already."
    )
    return output.result(asdict(imported))


# --------------------------------------------------------------------------------------------


def _cut(text: str, longest: int = _WIDEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return "?"


_VERBS: dict[str, Callable[[Chats, argparse.Namespace, Output], int]] = {
    "list": _list,
    "show": _show,
    "search": _search,
    "export": _export,
    "import": _import,
    "delete": _delete,
    "undelete": _undelete,
    "erase": _erase,
    "rename": _rename,
    "pin": _pin,
    "unpin": _unpin,
}
