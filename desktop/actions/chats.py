"""What can be done with a chat as a whole, and with all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

from desktop.chat_words import title
from desktop.desk import Desk
from desktop.languages import tr
from desktop.printing import paper, printed
from desktop.prose import brief
from engine.api import Chat

LONGEST_NAME = 60
"""Characters of a title in the name of a file, or in a question."""


def open_chat(desk: Desk, chat: str) -> None:
    desk.chats.open(chat)


def choose_version(desk: Desk, message: str) -> None:
    """Go on with another version of a question or of an answer."""
    if not desk.asking.busy:
        desk.chats.choose(message)


def rename(desk: Desk, chat: Chat, *, parent: QWidget) -> None:
    if (wanted := ask_title(chat, parent=parent)) and wanted != chat.title:
        desk.chats.rename(chat.id, wanted)


def pin(desk: Desk, chat: Chat) -> None:
    """Keep it at the top of the list, or no more."""
    desk.chats.pin(chat.id, pinned=not chat.pinned)


def delete(desk: Desk, chat: Chat) -> None:
    """Into the trash, at once; it can be taken back."""
    desk.chats.delete(chat)


def undelete(desk: Desk, chat: Chat) -> None:
    desk.chats.undelete(chat)


def erase(desk: Desk, chat: Chat, *, parent: QWidget) -> None:
    """Erase it for good, once the owner has agreed."""
    question = tr("Erase “{0}” for good?").format(brief(chat.title, longest=LONGEST_NAME))
    told = tr("It is erased here and in all copies. That cannot be undone.")
    if agreed(question, told, go=tr("Erase for good"), parent=parent):
        desk.chats.erase(chat)


def may_leave(desk: Desk, *, parent: QWidget) -> bool:
    """What is said in a private chat is gone with it: that is asked about once."""
    conversation = desk.asking.conversation
    if not conversation.private or not conversation.turns:
        return True
    told = tr("Nothing of a private chat is kept.")
    return agreed(tr("Leave the private chat?"), told, go=tr("Leave"), parent=parent)


def export(desk: Desk, chat: Chat, *, parent: QWidget) -> None:
    """Write it to a file of the owner's choice."""
    name = f"{_file_name(chat)}.md"
    path = _pick_target(name, tr("Export this chat"), parent=parent)
    if path is not None and _is(path, ".pdf"):
        names = {card.id: card.name for card in desk.loading.cards}
        desk.chats.print(path, chat=chat.id, press=partial(printed, on=paper(names)))
    elif path is not None:
        desk.chats.export(path, chat=chat.id, format="json" if _is(path, ".json") else "md")


def export_all(desk: Desk, *, parent: QWidget) -> None:
    """Write all chats to one JSON file, or to a folder of Markdown files."""
    title = tr("Export all chats")
    kinds = (tr("Everything, one file (*.json)"), tr("To read, a folder of files (*)"))
    options = QFileDialog.Option.DontConfirmOverwrite  # nothing is ever written over
    name, kind = QFileDialog.getSaveFileName(
        parent, title, "attune-chats.json", ";;".join(kinds), "", options
    )
    if name and kind == kinds[1]:
        desk.chats.export(Path(name).with_suffix(""), format="md")
    elif name:
        desk.chats.export(Path(name), format="json")


def import_chats(desk: Desk, *, parent: QWidget) -> None:
    """Let the owner pick a file with chats, and take them in."""
    title = tr("Import chats")
    kinds = tr("Chats of Attune, ChatGPT or Open WebUI (*.json *.zip);;All files (*)")
    name, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    if name:
        desk.chats.import_file(Path(name))


def ask_title(chat: Chat, *, parent: QWidget) -> str:
    """The owner's title for a chat; "" where there is to be none."""
    wanted, done = QInputDialog.getText(
        parent, tr("Rename"), tr("Title of the chat"), QLineEdit.EchoMode.Normal, title(chat)
    )
    return " ".join(wanted.split()) if done else ""


def agreed(question: str, told: str, *, go: str, parent: QWidget) -> bool:
    """Whether the owner wants it after all."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle("Attune")
    box.setText(question)
    box.setInformativeText(told)
    leave = box.addButton(QMessageBox.StandardButton.Cancel)
    wanted = box.addButton(go, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(leave)
    box.exec()
    return box.clickedButton() is wanted


def _pick_target(name: str, title: str, *, parent: QWidget) -> Path | None:
    kinds = tr("To read (*.md);;Everything (*.json);;To print (*.pdf)")
    options = QFileDialog.Option.DontConfirmOverwrite  # nothing is ever written over
    chosen, kind = QFileDialog.getSaveFileName(parent, title, name, kinds, "", options)
    if not chosen:
        return None
    path = Path(chosen)
    other = next((suffix for suffix in (".pdf", ".json") if f"*{suffix}" in kind), "")
    return path.with_suffix(other) if other else path


def _is(path: Path, suffix: str) -> bool:
    return path.suffix.casefold() == suffix


def _file_name(chat: Chat) -> str:
    """Its title as far as every system allows it in a name."""
    words = (letter if letter.isalnum() or letter in " -_" else " " for letter in chat.title)
    return " ".join("".join(words).split())[:LONGEST_NAME] or "chat"
