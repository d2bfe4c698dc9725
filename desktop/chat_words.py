"""The list of chats in words: when something was said, what came of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from desktop.languages import tr
from desktop.prose import brief
from engine.api import Chat, Found, Imported

LONGEST_SNIPPET = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the list.

    text     the title of the chat, or a heading
    chat     None of a heading
    snippet  what a search found, on one line; ""
    marks    where the words that were searched for stand in it: first character and the one
             after the last
    """

    text: str
    chat: Chat | None = None
    snippet: str = ""
    marks: tuple[tuple[int, int], ...] = ()


def listed(chats: Iterable[Chat], *, today: date) -> list[Row]:
    """The list with a heading where the day changes; it is in order already."""
    rows: list[Row] = []
    heading = ""
    for chat in chats:
        section = _section(chat, today=today)
        if section != heading:
            rows.append(Row(text=section))
            heading = section
        rows.append(Row(text=title(chat), chat=chat))
    return rows


def results(found: Iterable[Found]) -> list[Row]:
    """What a search found."""
    return [
        Row(text=title(one.chat), chat=one.chat, snippet=_line(one.snippet), marks=one.marks)
        if one.message
        else Row(text=title(one.chat), chat=one.chat)
        for one in found
    ]


def _line(text: str) -> str:
    """As long as it was, so that the marks still fit."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def title(chat: Chat) -> str:
    return brief(chat.title, longest=LONGEST_SNIPPET) or tr("A chat without words")


def imported(result: Imported) -> str:
    """What came of an import, on one line."""
    if not result.chats:
        said = tr("Nothing new: all chats of the file are here already.")
        if not result.skipped:
            said = tr("There are no chats in the file.")
    else:
        chats = tr("%n chat(s)", "", result.chats)
        messages = tr("%n message(s)", "", result.messages)
        said = tr("{0} with {1} imported.").format(chats, messages)
        if result.skipped:
            were = tr("%n was/were here already", "", result.skipped)
            said = tr("{0} with {1} imported, {2}.").format(chats, messages, were)
    return " ".join((said, *(brief(notice.text) for notice in result.notices)))


def exported(paths: Sequence[Path]) -> str:
    """What an export wrote, on one line."""
    if len(paths) == 1:
        return tr("Exported to {0}.").format(paths[0])
    said = tr("%n file(s) exported to {0}.", "", len(paths))
    return said.format(paths[0].parent if paths else "")


def _section(chat: Chat, *, today: date) -> str:
    if chat.pinned:
        return tr("Pinned")
    try:
        day = datetime.fromtimestamp(chat.changed).date()
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return tr("Earlier")
    if day >= today:
        return tr("Today")
    return tr("Yesterday") if day == today - timedelta(days=1) else tr("Earlier")
