"""Models and where they come from, in words: sizes, fits and speeds as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale

from desktop.fetching import Check, Get, GetFile, TakeIn, Task
from desktop.heard import heard
from desktop.languages import tr
from desktop.portfolio import NO_BREAK, advance
from desktop.prose import LONGEST_NAME, brief
from engine.api import (
    Connection,
    FoundModel,
    InstalledModel,
    MemoryFit,
    ModelCard,
    Progress,
    RecommendedModel,
)

KILO, MEGA, GIGA = 1_000, 1_000_000, 1_000_000_000

WORDS_PER_TOKEN = 0.75
"""Of English text, about, with the vocabularies of today's models."""

LONGEST_PLACE = 90
"""Characters of a repository, a path or a purpose that are shown."""

BETWEEN = "  ·  "
"""What stands between two facts on a line."""


def named(name: str) -> str:
    """A name, which comes from a file, on one line of limited length."""
    return brief(name, longest=LONGEST_NAME)


def headline(installed: Sequence[InstalledModel], *, answers: str) -> str:
    """How many there are, and which one answers.

    answers  name of that, "" where none does
    """
    said = tr("Models on this computer: {0}.").format(QLocale().toString(len(installed)))
    if not answers:
        return said
    return " ".join((said, tr("{0} answers now.").format(named(answers))))


def size(count: int) -> str:
    """Bytes, as people read them."""
    if count >= GIGA:
        return NO_BREAK.join((QLocale().toString(count / GIGA, "f", 1), tr("GB")))
    if count < MEGA:
        return tr("less than one megabyte")
    return NO_BREAK.join((QLocale().toString(round(count / MEGA)), tr("MB")))


def fit(found: MemoryFit) -> str:
    """How it fits the memory of this computer; "" where that is not known."""
    if found.word == "well":
        return tr("fits well")
    if found.memory is None or found.word == "unknown":
        return ""
    said = (
        tr("tight: takes {0} of {1} memory")
        if found.word == "tight"
        else tr("too large: takes {0} of {1} memory")
    )
    return said.format(size(found.needed), size(found.memory))


def speed(tokens: float | None) -> str:
    """How fast it wrote here; "" before it has.

    tokens  per second
    """
    if tokens is None:
        return ""
    words = round(tokens * WORDS_PER_TOKEN)
    if words < 1:
        return tr("less than a word a second, measured here")
    return tr("about %Ln word(s) a second, measured here", "", words)


# What is installed --------------------------------------------------------------------------


def facts(model: InstalledModel) -> str:
    """What it takes and does, on one line; nothing of one that is gone."""
    if not model.card.available:
        return ""
    return _line(size(model.size) if model.size else "", fit(model.fit), speed(model.speed))


def history(model: InstalledModel) -> str:
    """Where it comes from and whether it is still what it was, on one line."""
    licence = brief(model.card.licence, longest=LONGEST_NAME)
    return _line(_origin(model), licence, _verified(model))


def place(model: InstalledModel) -> str:
    """Where its file is, and where that was got."""
    path = brief(model.card.adapter or model.card.path)
    if not model.source:
        return path
    return tr("{0}, downloaded from {1}").format(path, brief(model.source))


def _origin(model: InstalledModel) -> str:
    if model.origin == "linked" and model.app:
        return tr("In the folder of {0}").format(named(model.app))
    if model.origin == "downloaded" and model.source:
        repository = "/".join(model.source.split("/", 2)[:2])
        return tr("Downloaded from {0}").format(brief(repository, longest=LONGEST_PLACE))
    return {
        "starter": tr("Came with Attune"),
        "linked": tr("In the folder of another app"),
        "made": tr("Made in the workshop"),
        "downloaded": tr("Downloaded"),
    }.get(model.origin, tr("A file that you added"))


def _verified(model: InstalledModel) -> str:
    if model.verified is None:
        return tr("not verified yet")
    return tr("verified on {0}").format(when(model.verified))


def removing(model: InstalledModel) -> tuple[str, str]:
    """What is asked before it is removed, and what that does."""
    asked = tr("Remove {0}?").format(named(model.card.name))
    where = brief(model.card.adapter or model.card.path)
    if model.deletes:
        said = tr("The file is deleted from the disk, which frees {0}: {1}")
        return asked, said.format(size(model.size), where)
    if not model.card.available:
        return asked, tr("It is taken off the list. Its file is not there any more.")
    return asked, tr("It is taken off the list. The file stays where it is: {0}").format(where)


# What can be had ----------------------------------------------------------------------------


def offer(model: RecommendedModel) -> str:
    """What it is and takes, on one line."""
    licence = brief(model.licence, longest=LONGEST_NAME)
    return _line(named(model.name), size(model.size), licence, fit(model.fit), _made_for(model))


def _made_for(model: RecommendedModel) -> str:
    """What it was trained on most, where that is not everything; its name says so."""
    if "coder" not in model.name.casefold():
        return ""
    return tr("made for programming, answers other questions as well")


def begun(model: RecommendedModel) -> str:
    """What of it is here; "" where that is nothing."""
    if not model.begun:
        return ""
    return tr("{0} of {1} are here already.").format(size(model.begun), size(model.size))


def elsewhere(model: FoundModel) -> str:
    """Where it lies, what it takes and how it fits, or why it cannot be used."""
    where = tr("In the folder of {0}").format(named(model.app))
    if model.problem:
        return _line(where, size(model.size), brief(heard(model.problem)))
    return _line(where, size(model.size), fit(model.fit) if model.fit is not None else "")


# What is done -------------------------------------------------------------------------------


def doing(task: Task | None) -> str:
    """What is done now."""
    match task:
        case Get():
            return tr("Getting {0}").format(named(task.model.name))
        case GetFile():
            return tr("Getting {0}").format(named(Path(task.file).name))
        case TakeIn():
            name = task.found.name if task.found is not None else task.path.name
            return tr("Taking in {0}").format(named(name))
        case Check():
            return tr("Verifying {0}").format(named(task.model.card.name))
        case None:
            return ""


def advancing(task: Task | None, progress: Progress | None) -> str:
    """What is done now, how far that is and how long it will take."""
    how_far = advance(progress) if progress is not None else tr("beginning …")
    return _line(doing(task), how_far)


def step(task: Task | None, progress: Progress | None) -> str:
    """How much and how fast, and that it need not be waited for."""
    if progress is None or not isinstance(task, (Get, GetFile)):
        later = tr("You can chat meanwhile.")
    else:
        later = tr("You can stop it and go on later, and chat meanwhile.")
    amount = _amount(progress) if progress is not None else ""
    return f"{amount}. {later}" if amount else later


def _amount(progress: Progress) -> str:
    if progress.total <= 0:
        return brief(heard(progress.text)).rstrip(".")
    said = tr("{0} of {1}").format(size(progress.done), size(progress.total))
    missing = progress.total - progress.done
    if not progress.left or missing <= 0:
        return said
    rate = tr("{0} a second").format(_fine(missing / progress.left))
    return tr("{0}, {1}").format(said, rate)


def _fine(rate: float) -> str:
    """Bytes, with a digit where they are few."""
    if rate < MEGA:
        return NO_BREAK.join((QLocale().toString(round(rate / KILO)), tr("kB")))
    digits = 1 if rate < 100 * MEGA else 0
    return NO_BREAK.join((QLocale().toString(rate / MEGA, "f", digits), tr("MB")))


def finished(result: object) -> str:
    """What came of it."""
    match result:
        case ModelCard():
            return tr("{0} is among your models.").format(named(result.name))
        case InstalledModel():
            said = tr("{0} is what it was: every byte was read and the hash is right.")
            return said.format(named(result.card.name))
        case _:
            return tr("It is done.")


# The network --------------------------------------------------------------------------------


def connected(connections: Sequence[Connection]) -> str:
    """What the log says, in a sentence."""
    if not connections:
        return tr("No connection was ever made.")
    said = tr("Connections ever made or tried: {0}. Together they brought {1}.")
    received = traffic(sum(connection.received for connection in connections))
    return said.format(QLocale().toString(len(connections)), received)


def traffic(count: int) -> str:
    """Bytes that went over the wire, which may be few."""
    if count >= MEGA:
        return size(count)
    return NO_BREAK.join((QLocale().toString(round(count / KILO, 1)), tr("kB")))


def ended(connection: Connection) -> str:
    """How a connection ended."""
    if not connection.ended:
        return tr("cut off")
    if connection.ended == "done":
        return tr("done")
    return brief(heard(connection.ended), longest=LONGEST_PLACE)


def when(at: float) -> str:
    """A moment, as this system writes it."""
    moment = QDateTime.fromSecsSinceEpoch(int(at))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def _line(*parts: str) -> str:
    return BETWEEN.join(part for part in parts if part)
